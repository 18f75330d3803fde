/* Lists of what has no id, a page at a time: `after` is how many items came before.
 *
 * What is added or removed between two pages may be told twice or not at all. Private to the operations. */
#ifndef ADMIN_LIST_OFFSET_H
#define ADMIN_LIST_OFFSET_H

#include "admin/operation.h"
#include "json/write.h"

struct list_offset {
    struct operation *operation;
    struct json_writer writer;
    uint64_t first, end; /* of the page; `end` falls where the answer is full */
    uint64_t seen;
};

/* Checks that there are no other parameters, reads `limit` and `after` and begins the list. Returns 0 or
 * the problem's status. */
unsigned list_offset_begin(struct list_offset *list, struct operation *operation);
/* Asked once for each item, in the list's order: whether it is of the page. Then it is to be written. */
bool list_offset_takes(struct list_offset *list);
/* Ends the list. Returns 200. */
unsigned list_offset_end(struct list_offset *list);

#endif
