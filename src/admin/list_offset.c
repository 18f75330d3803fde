#include "admin/list_offset.h"

#include <inttypes.h>
#include <stdio.h>

#include "admin/list_page.h"
#include "admin/member_writer.h"
#include "admin/operations.h"

/* A page that has come to this ends early, so that the item at hand and the end still fit. */
#define BYTES_MAX (ADMIN_ANSWER_BYTES_MAX / 2)
/* More than there can be; adding a limit to it is no overflow. */
#define AFTER_MAX UINT32_MAX

static unsigned read_after(struct list_offset *list)
{
    const struct slice after = target_parameter(&list->operation->target, SLICE("after"));
    if (after.data != NULL &&
        (slice_to_u64(after, &list->first) != STATUS_OK || list->first > AFTER_MAX))
        return operation_problem(list->operation, 400,
                                 "after is a number, as `next` of the page before");
    return 0;
}

unsigned list_offset_begin(struct list_offset *list, struct operation *operation)
{
    static const struct slice parameters[] = {{"limit", 5}, {"after", 5}};
    uint32_t limit = 0;
    *list = (struct list_offset){.operation = operation};
    unsigned failed = operation_check_parameters(operation, parameters, 2);
    if (failed == 0)
        failed = list_page_read_limit(operation, &limit);
    if (failed == 0)
        failed = read_after(list);
    if (failed != 0)
        return failed;
    list->end = list->first + limit;
    json_writer_init(&list->writer, operation->answer);
    json_write_object(&list->writer);
    json_write_key(&list->writer, SLICE("items"));
    json_write_array(&list->writer);
    return 0;
}

bool list_offset_takes(struct list_offset *list)
{
    const uint64_t at = list->seen++;
    const bool is_full = at > list->first && list->operation->answer->size > BYTES_MAX;
    if (is_full && at < list->end)
        list->end = at;
    return at >= list->first && at < list->end;
}

unsigned list_offset_end(struct list_offset *list)
{
    char text[24] = "";
    json_write_end(&list->writer);
    if (list->seen > list->end)
        (void)snprintf(text, sizeof(text), "%" PRIu64, list->end);
    member_write_filled(&list->writer, SLICE("next"), slice_from_text(text));
    json_write_end(&list->writer);
    return 200;
}
