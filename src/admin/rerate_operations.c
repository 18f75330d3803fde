/* POST /admin/v1/prices/rerate {"since","until","apply"}: pricing requests anew, a piece at a time.
 *
 * A call looks at rows from `since` on until it has worked for a while, and says where to go on:
 * {"since","until","next","apply","rows","targets":[{"provider","model","rows","changed","unpriced",
 * "left","old_cost","old_cost_nanousd","cost","cost_nanousd"}]}; `next` is null at the end. So no
 * call keeps the store's thread, and what others ask of it, waiting for long. */
#include "admin/member_writer.h"
#include "admin/price_operations.h"
#include "admin/price_store.h"
#include "admin/rerate.h"
#include "admin/usage_line.h"
#include "base/clock.h"
#include "base/date.h"

#define WORK_MS         500
#define SPAN_FIRST_US   (60 * US_PER_S)
#define SPAN_ROWS_SMALL 2000 /* with fewer rows the next span of time is longer */

struct range {
    uint64_t since_us, until_us, next_us;
    bool applies;
};

/* --- The question --------------------------------------------------------------------------------- */

static unsigned read_time(struct operation *operation, const struct body_member *member,
                          uint64_t *time_us_out)
{
    if (date_parse(body_text(member), time_us_out) == STATUS_OK)
        return 0;
    return operation_problem(operation, 400, "`%s` is a day or an RFC 3339 time", member->name);
}

static unsigned read_range(struct operation *operation, struct range *range)
{
    struct body_member members[] = {{"since", NULL}, {"until", NULL}, {"apply", NULL}};
    unsigned failed = operation_read_body(operation, members, 3);
    if (failed == 0)
        failed = read_time(operation, &members[0], &range->since_us);
    if (failed == 0)
        failed = read_time(operation, &members[1], &range->until_us);
    if (failed != 0)
        return failed;
    if (range->until_us <= range->since_us)
        return operation_problem(operation, 400, "`until` is not after `since`");
    range->applies = yyjson_is_true(members[2].value);
    return 0;
}

/* --- The work ------------------------------------------------------------------------------------- */

/* Spans of time in which little happened are passed in ever longer steps. */
static enum status run_for_a_while(struct rerate *rerate, struct range *range,
                                   struct reason *reason)
{
    const uint64_t end_ns = clock_monotonic_ns() + WORK_MS * NS_PER_MS;
    uint64_t span_us = SPAN_FIRST_US;
    enum status status = STATUS_OK;
    range->next_us = range->since_us;
    while (status == STATUS_OK && range->next_us < range->until_us &&
           clock_monotonic_ns() < end_ns) {
        const uint64_t rows = rerate_rows(rerate);
        const uint64_t left_us = range->until_us - range->next_us;
        const uint64_t step_us = span_us < left_us ? span_us : left_us;
        status = rerate_run(rerate, range->next_us, range->next_us + step_us, reason);
        if (status == STATUS_OK)
            range->next_us += step_us;
        if (rerate_rows(rerate) - rows < SPAN_ROWS_SMALL && span_us < UINT64_MAX / 4)
            span_us *= 2;
    }
    return status;
}

/* --- The answer ----------------------------------------------------------------------------------- */

/* To the microsecond, since it is where the next call begins. */
static void write_time(struct json_writer *writer, struct slice name, uint64_t time_us)
{
    char text[CLOCK_TEXT_BYTES];
    const unsigned size = clock_format(time_us, 6, text);
    member_write_text(writer, name, slice_of(text, size));
}

static void write_target(struct json_writer *writer, const struct rerate_target *target)
{
    json_write_object(writer);
    member_write_text(writer, SLICE("provider"), target->provider);
    member_write_text(writer, SLICE("model"), target->model);
    member_write_number(writer, SLICE("rows"), target->rows);
    member_write_number(writer, SLICE("changed"), target->changed);
    member_write_number(writer, SLICE("unpriced"), target->unpriced);
    member_write_number(writer, SLICE("left"), target->left);
    usage_write_money(writer, "old_cost", target->old_nanousd);
    usage_write_money(writer, "cost", target->new_nanousd);
    json_write_end(writer);
}

static unsigned answer_rerate(struct operation *operation, const struct range *range,
                              const struct rerate *rerate)
{
    size_t count;
    struct json_writer writer;
    const struct rerate_target *targets = rerate_targets(rerate, &count);
    json_writer_init(&writer, operation->answer);
    json_write_object(&writer);
    write_time(&writer, SLICE("since"), range->since_us);
    write_time(&writer, SLICE("until"), range->until_us);
    if (range->next_us < range->until_us)
        write_time(&writer, SLICE("next"), range->next_us);
    else
        member_write_text(&writer, SLICE("next"), slice_of(NULL, 0));
    member_write_bool(&writer, SLICE("apply"), range->applies);
    member_write_number(&writer, SLICE("rows"), rerate_rows(rerate));
    json_write_key(&writer, SLICE("targets"));
    json_write_array(&writer);
    for (size_t i = 0; i < count; i++)
        write_target(&writer, &targets[i]);
    json_write_end(&writer);
    json_write_end(&writer);
    return 200;
}

static unsigned run(struct operation *operation, struct range *range,
                    const struct price_list *stored)
{
    struct reason reason = {""};
    const struct rerate_config config = {
        .context = operation->context,
        .snapshot = operation->context->snapshot,
        .stored = stored,
        .applies = range->applies,
    };
    struct rerate *rerate = rerate_create(&config);
    const enum status status =
        rerate != NULL ? run_for_a_while(rerate, range, &reason) : STATUS_NO_MEMORY;
    const unsigned http_status = status == STATUS_OK ? answer_rerate(operation, range, rerate)
                                                     : operation_failed(operation, status, &reason);
    rerate_destroy(&rerate);
    return http_status;
}

unsigned prices_rerate(struct operation *operation)
{
    struct range range = {0};
    struct reason reason = {""};
    struct price_list *stored = NULL;
    const unsigned failed = read_range(operation, &range);
    if (failed != 0)
        return failed;
    if (operation->context->snapshot == NULL)
        return operation_problem(operation, 503, "there is no configuration to look into");
    const enum status status = price_store_load(operation->context->store, &stored, &reason);
    if (status != STATUS_OK)
        return operation_failed(operation, status == STATUS_INVALID ? STATUS_IO : status, &reason);
    const unsigned http_status = run(operation, &range, stored);
    price_list_destroy(&stored);
    return http_status;
}
