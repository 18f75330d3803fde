#include "admin/list_page.h"

#include "admin/operations.h"

#define LIMIT_DEFAULT 1000
#define LIMIT_MAX     10000
/* A page that has come to this ends early, so that the item at hand and the end still fit. */
#define BYTES_MAX (ADMIN_ANSWER_BYTES_MAX / 2)

static unsigned read_limit(struct list_page *list, struct operation *operation)
{
    const struct slice text = target_parameter(&operation->target, SLICE("limit"));
    uint64_t limit = LIMIT_DEFAULT;
    if (text.data != NULL &&
        (slice_to_u64(text, &limit) != STATUS_OK || limit < 1 || limit > LIMIT_MAX))
        return operation_problem(operation, 400, "limit is a number from 1 to %d", LIMIT_MAX);
    list->limit = (uint32_t)limit;
    list->page.limit = list->limit + 1;
    return 0;
}

unsigned list_page_begin(struct list_page *list, struct operation *operation)
{
    *list = (struct list_page){.operation = operation};
    const unsigned failed = read_limit(list, operation);
    if (failed != 0)
        return failed;
    const struct slice after = target_parameter(&operation->target, SLICE("after"));
    if (after.data != NULL && id_parse(after, &list->page.after) != STATUS_OK)
        return operation_problem(operation, 400, "after is an id, as `next` of the page before");
    buffer_append(operation->answer, SLICE("{\"items\":["));
    return 0;
}

bool list_page_takes(struct list_page *list, const struct id *id)
{
    struct buffer *answer = list->operation->answer;
    if (list->count == list->limit || answer->size > BYTES_MAX) {
        list->has_more = true;
        return false;
    }
    if (list->count > 0)
        buffer_append_byte(answer, ',');
    list->count++;
    list->last = *id;
    return true;
}

unsigned list_page_end(struct list_page *list, enum status status, const struct reason *reason)
{
    struct operation *operation = list->operation;
    if (status != STATUS_OK && status != STATUS_AGAIN)
        return operation_failed(operation, status, reason);
    struct buffer *answer = operation->answer;
    buffer_append(answer, SLICE("],\"next\":"));
    if (list->has_more) {
        char text[ID_TEXT_SIZE];
        id_format(&list->last, text);
        buffer_append_byte(answer, '"');
        buffer_append(answer, slice_of(text, sizeof(text)));
        buffer_append_byte(answer, '"');
    } else {
        buffer_append(answer, SLICE("null"));
    }
    buffer_append_byte(answer, '}');
    return 200;
}
