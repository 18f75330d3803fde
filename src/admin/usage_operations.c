#include "admin/usage_operations.h"

#include "admin/lookup.h"
#include "admin/member_writer.h"
#include "admin/operations.h"
#include "admin/usage_line.h"
#include "admin/usage_query.h"

#define DEFAULT_SINCE "30d"
/* What is left for the rest and the total. */
#define ITEMS_BYTES_MAX (ADMIN_ANSWER_BYTES_MAX - 65536)

struct report {
    struct operation *operation;
    struct store_report query;
    struct json_writer writer;
    struct usage_line total;
    struct usage_line rest; /* of the lines that found no room */
    uint64_t rest_items;
};

static enum status read_time(struct operation *operation, struct slice name, uint64_t *time_us_out,
                             struct reason *reason)
{
    const struct slice text = target_parameter(&operation->target, name);
    if (text.data == NULL)
        return STATUS_OK;
    return usage_time_parse(text, operation->now_us, time_us_out, reason);
}

/* Returns 0 or the problem's status. */
static unsigned read_query(struct operation *operation, struct store_report *query)
{
    static const struct slice parameters[] = {{"by", 2}, {"since", 5}, {"until", 5}};
    const struct slice by = target_parameter(&operation->target, SLICE("by"));
    struct reason reason = {""};
    const unsigned failed = operation_check_parameters(operation, parameters, 3);
    if (failed != 0)
        return failed;
    *query = (struct store_report){.by = STORE_GROUP_NONE};
    if (lookup_own_team(operation) != NULL)
        query->team_id = *lookup_own_team(operation);
    enum status status =
        usage_time_parse(SLICE(DEFAULT_SINCE), operation->now_us, &query->since_us, &reason);
    if (status == STATUS_OK && by.data != NULL)
        status = usage_group_find(by, &query->by, &reason);
    if (status == STATUS_OK)
        status = read_time(operation, SLICE("since"), &query->since_us, &reason);
    if (status == STATUS_OK)
        status = read_time(operation, SLICE("until"), &query->until_us, &reason);
    if (status != STATUS_OK)
        return operation_failed(operation, status, &reason);
    const bool has_end = target_parameter(&operation->target, SLICE("until")).data != NULL;
    if (has_end && query->until_us <= query->since_us)
        return operation_problem(operation, 400, "the report would end before it begins");
    return 0;
}

/* Reports are read from sums per hour; what is shown says so. */
static void write_head(struct report *report)
{
    const struct store_report *query = &report->query;
    const char *by = usage_group_name(query->by);
    const uint64_t past_hour_us = query->until_us % STORE_HOUR_US;
    const uint64_t until_us =
        query->until_us + (past_hour_us > 0 ? STORE_HOUR_US - past_hour_us : 0);
    json_writer_init(&report->writer, report->operation->answer);
    json_write_object(&report->writer);
    member_write_text(&report->writer, SLICE("by"),
                      by != NULL ? slice_from_text(by) : slice_of(NULL, 0));
    member_write_time(&report->writer, SLICE("since"),
                      query->since_us - query->since_us % STORE_HOUR_US);
    member_write_time(&report->writer, SLICE("until"), until_us);
    json_write_key(&report->writer, SLICE("items"));
    json_write_array(&report->writer);
}

static enum status take_line(void *context, const struct store_report_line *stored)
{
    struct report *report = context;
    const struct usage_line line = usage_line_of(stored);
    usage_line_add(&report->total, &line);
    if (report->operation->answer->size < ITEMS_BYTES_MAX) {
        usage_line_write(&report->writer, &line);
    } else {
        usage_line_add(&report->rest, &line);
        report->rest_items++;
    }
    return buffer_status(report->operation->answer);
}

static void write_end(struct report *report)
{
    struct json_writer *writer = &report->writer;
    json_write_end(writer);
    json_write_key(writer, SLICE("rest"));
    if (report->rest_items > 0) {
        json_write_object(writer);
        member_write_number(writer, SLICE("items"), report->rest_items);
        usage_line_write_members(writer, &report->rest);
        json_write_end(writer);
    } else {
        json_write_null(writer);
    }
    json_write_key(writer, SLICE("total"));
    usage_line_write(writer, &report->total);
    json_write_end(writer);
}

unsigned usage_report(struct operation *operation)
{
    struct report report = {.operation = operation};
    struct reason reason = {""};
    const unsigned failed = read_query(operation, &report.query);
    if (failed != 0)
        return failed;
    write_head(&report);
    const enum status status =
        store_report(operation->context->store, &report.query, take_line, &report, &reason);
    if (status != STATUS_OK)
        return operation_failed(operation, status, &reason);
    write_end(&report);
    return 200;
}
