/* What was spent is read from the sums, with the statements of the reports: whole days, the hours before
 * and after them, and the rows of the two hours that the ends of the time cut.
 *
 * The time is first cut to that in which there are sums, which begins and ends with an hour: so an end
 * in the future reads no rows. */
#include "store/sqlite/ledger_operations.h"
#include "store/sqlite/query.h"
#include "store/sqlite/sums.h"

#define COLUMN_USER     1
#define COLUMN_KEY      2
#define COLUMN_TEAM     3
#define COLUMN_MODEL    4
#define COLUMN_PROVIDER 5
#define COLUMN_ROW_COST 6 /* of STATEMENT_SPEND_ROWS */
#define COLUMN_SUM_COST (6 + (int)COUNT_COST)

struct spending {
    struct connection *connection;
    enum store_group by;
    uint64_t since_us, until_us;
    bool is_of_one;
    struct slice owner; /* if it is of one */
    struct id user_id;  /* of one user or key, where it is known */
    bool has_user;
    int64_t total_nanousd; /* of one */
    struct tally all;      /* else */
    struct reason *reason;
};

static enum status find_range(struct spending *spending, const struct store_spend_query *asked)
{
    struct query query = query_start(spending->connection, STATEMENT_SUMS_EXTENT);
    if (query_next(&query) && query_read_known(&query, 0) >= 0) {
        const uint64_t first_us = query_read_u64(&query, 0);
        const uint64_t end_us = query_read_u64(&query, 1) + STORE_HOUR_US;
        spending->since_us = asked->since_us > first_us ? asked->since_us : first_us;
        spending->until_us = asked->until_us < end_us ? asked->until_us : end_us;
    }
    return query_finish(&query, spending->reason);
}

/* The user of the one key or user; a key that was deleted has none. */
static enum status find_user(struct spending *spending)
{
    struct id id;
    if (spending->owner.size != sizeof(id.bytes))
        return STATUS_OK;
    memcpy(id.bytes, spending->owner.data, sizeof(id.bytes));
    if (spending->by == STORE_GROUP_USER) {
        spending->user_id = id;
        spending->has_user = true;
    }
    if (spending->by != STORE_GROUP_KEY)
        return STATUS_OK;
    struct query query = query_start(spending->connection, STATEMENT_KEY_BY_ID);
    query_bind_id(&query, 1, &id);
    if (query_next(&query)) {
        query_read_blob(&query, 1, spending->user_id.bytes, sizeof(spending->user_id.bytes));
        spending->has_user = true;
    }
    return query_finish(&query, spending->reason);
}

static struct slice owner_of_row(struct query *query, enum store_group by)
{
    static const int columns[] = {
        [STORE_GROUP_KEY] = COLUMN_KEY,           [STORE_GROUP_USER] = COLUMN_USER,
        [STORE_GROUP_TEAM] = COLUMN_TEAM,         [STORE_GROUP_MODEL] = COLUMN_MODEL,
        [STORE_GROUP_PROVIDER] = COLUMN_PROVIDER,
    };
    return by == STORE_GROUP_NONE ? SLICE("") : query_read_bytes(query, columns[by]);
}

static enum status add(struct spending *spending, struct slice owner, uint64_t cost_nanousd)
{
    if (!spending->is_of_one) {
        const struct counts counts = {.values[COUNT_COST] = cost_nanousd};
        return cost_nanousd > 0 ? tally_add(&spending->all, owner, &counts) : STATUS_OK;
    }
    if (!slice_equal(owner, spending->owner))
        return STATUS_OK;
    const uint64_t room = (uint64_t)(INT64_MAX - spending->total_nanousd);
    spending->total_nanousd += (int64_t)(cost_nanousd < room ? cost_nanousd : room);
    return STATUS_OK;
}

/* Adds the rows of a query, and finishes it. */
static enum status add_rows(struct spending *spending, struct query *query, int cost_column)
{
    enum status added = STATUS_OK;
    while (added == STATUS_OK && query_next(query)) {
        const uint64_t cost_nanousd = query_read_u64(query, cost_column);
        const struct slice owner = owner_of_row(query, spending->by);
        if (query->code == SQLITE_OK)
            added = add(spending, owner, cost_nanousd);
    }
    const enum status status = query_finish(query, spending->reason);
    if (status == STATUS_OK && added != STATUS_OK)
        reason_set(spending->reason, "out of memory while adding up what was spent");
    return status == STATUS_OK ? added : status;
}

static enum status add_range(struct spending *spending, enum statement statement, uint64_t from_us,
                             uint64_t to_us)
{
    if (from_us >= to_us)
        return STATUS_OK;
    struct query query = query_start(spending->connection, statement);
    query_bind_u64(&query, 1, from_us);
    query_bind_u64(&query, 2, to_us);
    return add_rows(spending, &query,
                    statement == STATEMENT_SPEND_ROWS ? COLUMN_ROW_COST : COLUMN_SUM_COST);
}

/* A user's sums are found by a search for each step, since the time comes first in their keys. */
static enum status add_steps(struct spending *spending, enum statement statement, uint64_t from_us,
                             uint64_t to_us, uint64_t step_us)
{
    enum status status = STATUS_OK;
    for (uint64_t at_us = from_us; at_us < to_us && status == STATUS_OK; at_us += step_us) {
        struct query query = query_start(spending->connection, statement);
        query_bind_u64(&query, 1, at_us);
        query_bind_id(&query, 2, &spending->user_id);
        status = add_rows(spending, &query, COLUMN_SUM_COST);
    }
    return status;
}

static enum status add_hours(struct spending *spending, uint64_t from_us, uint64_t to_us)
{
    if (spending->has_user)
        return add_steps(spending, STATEMENT_REPORT_HOURLY_OF_USER, from_us, to_us, STORE_HOUR_US);
    return add_range(spending, STATEMENT_REPORT_HOURLY, from_us, to_us);
}

static enum status add_days(struct spending *spending, uint64_t from_us, uint64_t to_us)
{
    if (spending->has_user)
        return add_steps(spending, STATEMENT_REPORT_DAILY_OF_USER, from_us, to_us, DAY_US);
    return add_range(spending, STATEMENT_REPORT_DAILY, from_us, to_us);
}

static uint64_t round_up(uint64_t time_us, uint64_t unit_us)
{
    return time_us + (unit_us - time_us % unit_us) % unit_us;
}

static enum status add_whole_hours(struct spending *spending, uint64_t from_us, uint64_t to_us)
{
    if (spending->by == STORE_GROUP_NONE || spending->by >= STORE_GROUP_MODEL)
        return add_range(spending, STATEMENT_REPORT_ALL, from_us, to_us);
    const uint64_t first_day_us = round_up(from_us, DAY_US);
    const uint64_t end_day_us = to_us - to_us % DAY_US;
    if (first_day_us >= end_day_us)
        return add_hours(spending, from_us, to_us);
    enum status status = add_hours(spending, from_us, first_day_us);
    if (status == STATUS_OK)
        status = add_days(spending, first_day_us, end_day_us);
    if (status == STATUS_OK)
        status = add_hours(spending, end_day_us, to_us);
    return status;
}

static enum status add_all(struct spending *spending)
{
    const uint64_t since_us = spending->since_us;
    const uint64_t until_us = spending->until_us;
    if (since_us >= until_us)
        return STATUS_OK;
    const uint64_t first_hour_us = round_up(since_us, STORE_HOUR_US);
    const uint64_t end_hour_us = until_us - until_us % STORE_HOUR_US;
    if (first_hour_us > end_hour_us) /* both ends cut the same hour */
        return add_range(spending, STATEMENT_SPEND_ROWS, since_us, until_us);
    enum status status = add_range(spending, STATEMENT_SPEND_ROWS, since_us, first_hour_us);
    if (status == STATUS_OK && first_hour_us < end_hour_us)
        status = add_whole_hours(spending, first_hour_us, end_hour_us);
    if (status == STATUS_OK)
        status = add_range(spending, STATEMENT_SPEND_ROWS, end_hour_us, until_us);
    return status;
}

static enum status read_all(struct spending *spending, const struct store_spend_query *asked)
{
    /* Within a transaction its own sums count. */
    enum status status = sums_flush(spending->connection, spending->reason);
    if (status == STATUS_OK)
        status = find_range(spending, asked);
    return status == STATUS_OK ? add_all(spending) : status;
}

enum status sqlite_spend_list(struct store *store, const struct store_spend_query *query,
                              store_spend_visitor *visit, void *context, struct reason *reason)
{
    struct spending spending = {
        .connection = connection_of(store), .by = query->by, .reason = reason};
    tally_init(&spending.all);
    enum status status = read_all(&spending, query);
    for (size_t i = 0; i < spending.all.count && status == STATUS_OK; i++) {
        const struct tally_entry *entry = &spending.all.entries[i];
        const struct store_spend spend = {entry->key, (int64_t)entry->counts.values[COUNT_COST]};
        status = visit(context, &spend);
    }
    tally_fini(&spending.all);
    return status;
}

enum status sqlite_spend(struct store *store, const struct store_spend_query *query,
                         struct slice owner, int64_t *nanousd_out, struct reason *reason)
{
    struct spending spending = {
        .connection = connection_of(store),
        .by = query->by,
        .is_of_one = true,
        .owner = query->by == STORE_GROUP_NONE ? SLICE("") : owner,
        .reason = reason,
    };
    enum status status = find_user(&spending);
    if (status == STATUS_OK)
        status = read_all(&spending, query);
    *nanousd_out = status == STATUS_OK ? spending.total_nanousd : 0;
    return status;
}
