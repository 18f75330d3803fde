/* Reports are read from the three tables of sums.
 *
 * Over all users by anything but the owner, usage_hourly_all has the lines already. Else whole days
 * come from usage_daily, and the hours before the first and after the last of them from usage_hourly.
 * One user's rows are found by a search for each day or hour: the time comes first in the keys. */
#include <stdlib.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "store/sqlite/ledger_operations.h"
#include "store/sqlite/query.h"
#include "store/sqlite/sums.h"

#define COLUMN_USER     1
#define COLUMN_KEY      2
#define COLUMN_TEAM     3
#define COLUMN_MODEL    4
#define COLUMN_PROVIDER 5
#define COLUMN_COUNTS   6

struct reporting {
    struct connection *connection;
    const struct store_report *report;
    uint64_t from_us, to_us; /* whole hours in which there are sums */
    struct tally lines;
    struct reason *reason;
};

static bool is_by_time(enum store_group by)
{
    return by == STORE_GROUP_DAY || by == STORE_GROUP_HOUR;
}

static bool is_by_owner(enum store_group by)
{
    return by == STORE_GROUP_KEY || by == STORE_GROUP_USER || by == STORE_GROUP_TEAM;
}

static bool is_set(const struct id *id)
{
    static const struct id zero;
    return memcmp(id, &zero, sizeof(zero)) != 0;
}

static bool is_of_user(const struct store_report *report)
{
    return is_set(&report->user_id);
}

static bool is_of_team(const struct store_report *report)
{
    return is_set(&report->team_id);
}

/* Cuts the range to the hours in which there are sums, and then widens it to whole days where that
 * takes nothing in: so a report without an end reads no single hours at its end. */
static enum status find_range(struct reporting *reporting)
{
    const struct store_report *report = reporting->report;
    struct query query = query_start(reporting->connection, STATEMENT_SUMS_EXTENT);
    reporting->from_us = reporting->to_us = 0;
    if (query_next(&query) && query_read_known(&query, 0) >= 0) {
        const uint64_t first_us = query_read_u64(&query, 0);
        const uint64_t end_us = query_read_u64(&query, 1) + STORE_HOUR_US;
        const uint64_t since_us = report->since_us - report->since_us % STORE_HOUR_US;
        const uint64_t over_us = report->until_us % STORE_HOUR_US;
        const uint64_t until_us = report->until_us - over_us + (over_us > 0 ? STORE_HOUR_US : 0);
        reporting->from_us = since_us > first_us ? since_us : first_us - first_us % DAY_US;
        reporting->to_us = report->until_us != 0 && until_us < end_us
                               ? until_us
                               : end_us + (DAY_US - end_us % DAY_US) % DAY_US;
    }
    return query_finish(&query, reporting->reason);
}

/* Keys by time are its bytes, the highest first, so that they are ordered as memcmp() orders. */
static struct slice time_key(uint64_t start_us, unsigned char bytes_out[8])
{
    for (int i = 0; i < 8; i++)
        bytes_out[i] = (unsigned char)(start_us >> (56 - 8 * i));
    return slice_of(bytes_out, 8);
}

static uint64_t time_of_key(struct slice key)
{
    uint64_t start_us = 0;
    for (size_t i = 0; i < key.size; i++)
        start_us = start_us << 8 | (unsigned char)key.data[i];
    return start_us;
}

static struct slice key_of_row(struct query *query, enum store_group by, unsigned char bytes[8])
{
    static const int columns[] = {
        [STORE_GROUP_KEY] = COLUMN_KEY,           [STORE_GROUP_USER] = COLUMN_USER,
        [STORE_GROUP_TEAM] = COLUMN_TEAM,         [STORE_GROUP_MODEL] = COLUMN_MODEL,
        [STORE_GROUP_PROVIDER] = COLUMN_PROVIDER,
    };
    const uint64_t start_us = query_read_u64(query, 0);
    switch (by) {
    case STORE_GROUP_NONE:
        return SLICE("");
    case STORE_GROUP_DAY:
        return time_key(start_us - start_us % DAY_US, bytes);
    case STORE_GROUP_HOUR:
        return time_key(start_us, bytes);
    default:
        return query_read_bytes(query, columns[by]);
    }
}

/* Rows of one team have no place of their own in the tables: all are read, and the others passed over. */
static bool is_wanted(const struct store_report *report, struct query *query)
{
    return !is_of_team(report) || slice_equal(query_read_bytes(query, COLUMN_TEAM),
                                              slice_of(&report->team_id, sizeof(report->team_id)));
}

/* Adds the rows of a query to the lines, and finishes it. */
static enum status add_rows(struct reporting *reporting, struct query *query)
{
    enum status added = STATUS_OK;
    while (added == STATUS_OK && query_next(query)) {
        unsigned char bytes[8];
        struct counts counts;
        if (!is_wanted(reporting->report, query))
            continue;
        for (int i = 0; i < COUNT_COUNT; i++)
            counts.values[i] = query_read_u64(query, COLUMN_COUNTS + i);
        const struct slice key = key_of_row(query, reporting->report->by, bytes);
        if (query->code == SQLITE_OK)
            added = tally_add(&reporting->lines, key, &counts);
    }
    const enum status status = query_finish(query, reporting->reason);
    if (status == STATUS_OK && added != STATUS_OK)
        reason_set(reporting->reason, "out of memory while adding up usage");
    return status == STATUS_OK ? added : status;
}

static enum status add_range(struct reporting *reporting, enum statement statement,
                             uint64_t from_us, uint64_t to_us)
{
    if (from_us >= to_us)
        return STATUS_OK;
    struct query query = query_start(reporting->connection, statement);
    query_bind_u64(&query, 1, from_us);
    query_bind_u64(&query, 2, to_us);
    return add_rows(reporting, &query);
}

static enum status add_of_user(struct reporting *reporting, enum statement statement,
                               uint64_t from_us, uint64_t to_us, uint64_t step_us)
{
    enum status status = STATUS_OK;
    for (uint64_t at_us = from_us; at_us < to_us && status == STATUS_OK; at_us += step_us) {
        struct query query = query_start(reporting->connection, statement);
        query_bind_u64(&query, 1, at_us);
        query_bind_id(&query, 2, &reporting->report->user_id);
        status = add_rows(reporting, &query);
    }
    return status;
}

static enum status add_hours(struct reporting *reporting, uint64_t from_us, uint64_t to_us)
{
    if (!is_of_user(reporting->report))
        return add_range(reporting, STATEMENT_REPORT_HOURLY, from_us, to_us);
    return add_of_user(reporting, STATEMENT_REPORT_HOURLY_OF_USER, from_us, to_us, STORE_HOUR_US);
}

static enum status add_days(struct reporting *reporting, uint64_t from_us, uint64_t to_us)
{
    if (!is_of_user(reporting->report))
        return add_range(reporting, STATEMENT_REPORT_DAILY, from_us, to_us);
    return add_of_user(reporting, STATEMENT_REPORT_DAILY_OF_USER, from_us, to_us, DAY_US);
}

static enum status add_all(struct reporting *reporting)
{
    const struct store_report *report = reporting->report;
    const uint64_t from_us = reporting->from_us;
    const uint64_t to_us = reporting->to_us;
    if (!is_of_user(report) && !is_of_team(report) && !is_by_owner(report->by))
        return add_range(reporting, STATEMENT_REPORT_ALL, from_us, to_us);
    const uint64_t first_day_us = from_us + (DAY_US - from_us % DAY_US) % DAY_US;
    const uint64_t end_day_us = to_us - to_us % DAY_US;
    if (report->by == STORE_GROUP_HOUR || first_day_us >= end_day_us)
        return add_hours(reporting, from_us, to_us);
    enum status status = add_hours(reporting, from_us, first_day_us);
    if (status == STATUS_OK)
        status = add_days(reporting, first_day_us, end_day_us);
    if (status == STATUS_OK)
        status = add_hours(reporting, end_day_us, to_us);
    return status;
}

static int compare_keys(struct slice a, struct slice b)
{
    const size_t size = a.size < b.size ? a.size : b.size;
    const int order = size > 0 ? memcmp(a.data, b.data, size) : 0;
    return order != 0 ? order : (a.size > b.size) - (a.size < b.size);
}

static int by_time(const void *left, const void *right)
{
    const struct tally_entry *a = left;
    const struct tally_entry *b = right;
    return compare_keys(a->key, b->key);
}

static int by_cost(const void *left, const void *right)
{
    const struct tally_entry *a = left;
    const struct tally_entry *b = right;
    const uint64_t a_cost = a->counts.values[COUNT_COST];
    const uint64_t b_cost = b->counts.values[COUNT_COST];
    return a_cost != b_cost ? (a_cost < b_cost) - (a_cost > b_cost) : compare_keys(a->key, b->key);
}

static struct store_report_line line_of(const struct counts *counts)
{
    struct store_report_line line = {
        .requests = counts->values[COUNT_REQUESTS],
        .answered = counts->values[COUNT_ANSWERED],
        .refused = counts->values[COUNT_REFUSED],
        .estimated = counts->values[COUNT_ESTIMATED],
        .unpriced = counts->values[COUNT_UNPRICED],
        .answered_tokens = counts->values[COUNT_ANSWERED_TOKENS],
        .cost_nanousd = (int64_t)counts->values[COUNT_COST],
        .answered_cost_nanousd = (int64_t)counts->values[COUNT_ANSWERED_COST],
    };
    for (int i = 0; i < STORE_TOKENS_COUNT; i++)
        line.tokens[i] = counts->values[COUNT_TOKENS + i];
    return line;
}

/* How an owner's row is found, and which column of it is the name. */
static const struct finder {
    enum statement statement;
    int name_column;
} finders[] = {
    [STORE_GROUP_KEY] = {STATEMENT_KEY_BY_ID, 6},
    [STORE_GROUP_USER] = {STATEMENT_USER_BY_ID, 1},
    [STORE_GROUP_TEAM] = {STATEMENT_TEAM_BY_ID, 1},
};

static enum status visit_owner(struct reporting *reporting, struct slice key,
                               struct store_report_line line, store_report_visitor *visit,
                               void *context)
{
    const enum store_group by = reporting->report->by;
    struct id id;
    char text[ID_TEXT_SIZE];
    if (key.size != sizeof(id.bytes))
        return visit(context, &line); /* requests without such an owner */
    memcpy(id.bytes, key.data, sizeof(id.bytes));
    id_format(&id, text);
    line.id = slice_of(text, sizeof(text));
    struct query query = query_start(reporting->connection, finders[by].statement);
    query_bind_id(&query, 1, &id);
    if (query_next(&query))
        line.name = query_read_text(&query, finders[by].name_column);
    const enum status visited = query.code == SQLITE_OK ? visit(context, &line) : STATUS_OK;
    const enum status status = query_finish(&query, reporting->reason);
    return status == STATUS_OK ? visited : status;
}

static enum status visit_line(struct reporting *reporting, const struct tally_entry *entry,
                              store_report_visitor *visit, void *context)
{
    const enum store_group by = reporting->report->by;
    struct store_report_line line = line_of(&entry->counts);
    char text[CLOCK_TEXT_BYTES];
    if (is_by_owner(by))
        return visit_owner(reporting, entry->key, line, visit, context);
    line.id = entry->key;
    if (is_by_time(by)) {
        const unsigned size = clock_format(time_of_key(entry->key), 0, text);
        line.id = slice_of(text, by == STORE_GROUP_DAY ? sizeof("2026-11-24") - 1 : size);
    }
    return visit(context, &line);
}

static enum status visit_lines(struct reporting *reporting, store_report_visitor *visit,
                               void *context)
{
    struct tally *lines = &reporting->lines;
    const struct tally_entry nothing = {.key = SLICE("")};
    if (lines->count == 0 && reporting->report->by == STORE_GROUP_NONE)
        return visit_line(reporting, &nothing, visit, context);
    if (lines->count > 0)
        qsort(lines->entries, lines->count, sizeof(*lines->entries),
              is_by_time(reporting->report->by) ? by_time : by_cost);
    enum status status = STATUS_OK;
    for (size_t i = 0; i < lines->count && status == STATUS_OK; i++)
        status = visit_line(reporting, &lines->entries[i], visit, context);
    return status;
}

enum status sqlite_report(struct store *store, const struct store_report *report,
                          store_report_visitor *visit, void *context, struct reason *reason)
{
    struct reporting reporting = {connection_of(store), report, 0, 0, {0}, reason};
    /* Within a transaction its own sums count. */
    enum status status = sums_flush(reporting.connection, reason);
    if (status != STATUS_OK)
        return status;
    tally_init(&reporting.lines);
    status = find_range(&reporting);
    if (status == STATUS_OK)
        status = add_all(&reporting);
    if (status == STATUS_OK)
        status = visit_lines(&reporting, visit, context);
    tally_fini(&reporting.lines);
    return status;
}
