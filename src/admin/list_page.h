/* Lists of the admin API, a page at a time: {"items":[...],"next":null or the `after` of the next}.
 *
 * Private to the operations. */
#ifndef ADMIN_LIST_PAGE_H
#define ADMIN_LIST_PAGE_H

#include "admin/operation.h"
#include "json/write.h"
#include "store/store.h"

struct list_page {
    struct operation *operation;
    struct json_writer writer;
    struct store_page page; /* one more than the limit, to know whether more follows */
    uint32_t limit;
    uint32_t count;
    struct id last; /* of those written */
    bool has_more;
};

/* The items that ?limit= asks for. Returns 0 or the problem's status. */
unsigned list_page_read_limit(struct operation *operation, uint32_t *limit_out);
/* Reads `limit` and `after` and begins the list. Returns 0 or the problem's status. */
unsigned list_page_begin(struct list_page *list, struct operation *operation);
/* Whether the item of this id still belongs to the page; then it is to be written. */
bool list_page_takes(struct list_page *list, const struct id *id);
/* Ends the list; `status` is what the store's reading came to. Returns the HTTP status. */
unsigned list_page_end(struct list_page *list, enum status status, const struct reason *reason);

#endif
