#include "admin/list_page.h"

#include "admin/member_writer.h"
#include "admin/operations.h"

#define LIMIT_DEFAULT 1000
#define LIMIT_MAX     10000
/* A page that has come to this ends early, so that the item at hand and the end still fit. */
#define BYTES_MAX (ADMIN_ANSWER_BYTES_MAX / 2)

unsigned list_page_read_limit(struct operation *operation, uint32_t *limit_out)
{
    const struct slice text = target_parameter(&operation->target, SLICE("limit"));
    uint64_t limit = LIMIT_DEFAULT;
    if (text.data != NULL &&
        (slice_to_u64(text, &limit) != STATUS_OK || limit < 1 || limit > LIMIT_MAX))
        return operation_problem(operation, 400, "limit is a number from 1 to %d", LIMIT_MAX);
    *limit_out = (uint32_t)limit;
    return 0;
}

unsigned list_page_begin(struct list_page *list, struct operation *operation)
{
    *list = (struct list_page){.operation = operation};
    const unsigned failed = list_page_read_limit(operation, &list->limit);
    if (failed != 0)
        return failed;
    list->page.limit = list->limit + 1;
    const struct slice after = target_parameter(&operation->target, SLICE("after"));
    if (after.data != NULL && id_parse(after, &list->page.after) != STATUS_OK)
        return operation_problem(operation, 400, "after is an id, as `next` of the page before");
    json_writer_init(&list->writer, operation->answer);
    json_write_object(&list->writer);
    json_write_key(&list->writer, SLICE("items"));
    json_write_array(&list->writer);
    return 0;
}

bool list_page_takes(struct list_page *list, const struct id *id)
{
    if (list->count == list->limit || list->operation->answer->size > BYTES_MAX) {
        list->has_more = true;
        return false;
    }
    list->count++;
    list->last = *id;
    return true;
}

unsigned list_page_end(struct list_page *list, enum status status, const struct reason *reason)
{
    struct operation *operation = list->operation;
    if (status != STATUS_OK && status != STATUS_AGAIN)
        return operation_failed(operation, status, reason);
    json_write_end(&list->writer);
    if (list->has_more)
        member_write_id(&list->writer, SLICE("next"), &list->last);
    else
        member_write_text(&list->writer, SLICE("next"), slice_of(NULL, 0));
    json_write_end(&list->writer);
    return 200;
}
