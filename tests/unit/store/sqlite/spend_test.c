#include "store/sqlite/ledger_operations.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "unit/store/ledger.h"

#define ROWS     400
#define START_US (NOON_US - 10 * STORE_HOUR_US) /* at two in the morning */
#define SPAN_US  (4 * DAY_US)

static const char *const models[] = {"gpt-4o", "llama", ""};
static struct store_usage rows[ROWS];

/* A sequence that is the same each time: Knuth's MMIX. */
static uint64_t next_random(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *state >> 20;
}

/* Users 1 to 3 in teams 0 (none) to 2, with two keys each that are still there, and one that is not. */
static void fill(struct store *store)
{
    uint64_t random = 7;
    assert_int_equal(store_begin(store, NULL), STATUS_OK);
    for (unsigned user = 1; user <= 3; user++) {
        database_add_user(store, user, (const char[]){(char)('a' + user), '\0'});
        database_add_key(store, 10 * user, user, NULL);
        database_add_key(store, 10 * user + 1, user, NULL);
    }
    for (unsigned i = 0; i < ROWS; i++) {
        const unsigned user = 1 + (unsigned)(next_random(&random) % 3);
        struct store_usage *row = &rows[i];
        *row = ledger_usage(1000 + i);
        row->timestamp_us = START_US + next_random(&random) % SPAN_US;
        if (i % 7 == 0) /* at the edges, too */
            row->timestamp_us -= row->timestamp_us % STORE_HOUR_US;
        row->user_id = database_id(user);
        row->key_id = database_id(10 * user + (unsigned)(next_random(&random) % 3));
        row->team_id = user == 1 ? (struct id){{0}} : database_id(100 + user);
        row->model = slice_from_text(models[next_random(&random) % 3]);
        row->cost_nanousd = i % 11 == 0 ? STORE_UNKNOWN : (int64_t)(next_random(&random) % 1000000);
        ledger_add(store, row);
    }
    assert_int_equal(store_commit(store, NULL), STATUS_OK);
}

static struct slice owner_of(const struct store_usage *row, enum store_group by)
{
    static const struct id none;
    const struct id *id = by == STORE_GROUP_KEY    ? &row->key_id
                          : by == STORE_GROUP_USER ? &row->user_id
                                                   : &row->team_id;
    if (by == STORE_GROUP_NONE)
        return SLICE("");
    if (by == STORE_GROUP_MODEL)
        return row->model;
    return slice_of(id->bytes, memcmp(id, &none, sizeof(none)) == 0 ? 0 : sizeof(id->bytes));
}

static int64_t by_hand(const struct store_spend_query *query, struct slice owner)
{
    int64_t sum = 0;
    for (unsigned i = 0; i < ROWS; i++) {
        const struct store_usage *row = &rows[i];
        if (row->timestamp_us >= query->since_us && row->timestamp_us < query->until_us &&
            row->cost_nanousd > 0 && slice_equal(owner_of(row, query->by), owner))
            sum += row->cost_nanousd;
    }
    return sum;
}

struct check {
    struct store *store;
    const struct store_spend_query *query;
    int64_t total;
};

/* Each line agrees with the sum by hand, and with the one that is asked for alone. */
static enum status check_line(void *context, const struct store_spend *spend)
{
    struct check *check = context;
    int64_t alone = -1;
    assert_true(spend->cost_nanousd > 0);
    assert_true(spend->cost_nanousd == by_hand(check->query, spend->owner));
    assert_int_equal(store_spend(check->store, check->query, spend->owner, &alone, NULL),
                     STATUS_OK);
    assert_true(alone == spend->cost_nanousd);
    check->total += spend->cost_nanousd;
    return STATUS_OK;
}

static void check_range(struct store *store, uint64_t since_us, uint64_t until_us)
{
    const struct store_spend_query all = {STORE_GROUP_NONE, since_us, until_us};
    const int64_t wanted = by_hand(&all, SLICE(""));
    for (int by = STORE_GROUP_NONE; by <= STORE_GROUP_MODEL; by++) {
        const struct store_spend_query query = {(enum store_group)by, since_us, until_us};
        struct check check = {store, &query, 0};
        assert_int_equal(store_spend_list(store, &query, check_line, &check, NULL), STATUS_OK);
        assert_true(check.total == wanted);
    }
}

static void what_was_spent_is_the_sum_of_the_rows_whatever_the_ends(void **state)
{
    uint64_t random = 42;
    fill(*state);
    check_range(*state, 0, UINT64_MAX);
    check_range(*state, START_US, START_US + SPAN_US);
    check_range(*state, START_US + 1, START_US + 1);
    check_range(*state, UINT64_MAX, UINT64_MAX);
    check_range(*state, UINT64_MAX - 1, 3);
    for (int i = 0; i < 150; i++) {
        uint64_t since_us = START_US - DAY_US + next_random(&random) % (SPAN_US + 2 * DAY_US);
        uint64_t until_us = START_US - DAY_US + next_random(&random) % (SPAN_US + 2 * DAY_US);
        if (i % 3 == 0) /* within one hour or two */
            until_us = since_us + next_random(&random) % (2 * STORE_HOUR_US);
        if (i % 5 == 0)
            since_us -= since_us % STORE_HOUR_US;
        if (i % 4 == 0)
            until_us -= until_us % DAY_US;
        check_range(*state, since_us, until_us);
    }
}

static void edges_belong_to_the_time_that_begins_with_them(void **state)
{
    struct store_usage row = ledger_usage(1);
    row.timestamp_us = NOON_US;
    ledger_add(*state, &row);
    const struct store_spend_query before = {STORE_GROUP_NONE, NOON_US - 5, NOON_US};
    const struct store_spend_query from = {STORE_GROUP_NONE, NOON_US, NOON_US + 1};
    int64_t spent = -1;
    assert_int_equal(store_spend(*state, &before, SLICE(""), &spent, NULL), STATUS_OK);
    assert_true(spent == 0);
    assert_int_equal(store_spend(*state, &from, SLICE(""), &spent, NULL), STATUS_OK);
    assert_true(spent == 1500);
}

static void nothing_was_spent_by_whom_nobody_knows_or_in_an_empty_database(void **state)
{
    const struct id stranger = database_id(77);
    const struct store_spend_query query = {STORE_GROUP_KEY, 0, UINT64_MAX};
    const struct slice owner = slice_of(stranger.bytes, sizeof(stranger.bytes));
    int64_t spent = -1;
    assert_int_equal(store_spend(*state, &query, owner, &spent, NULL), STATUS_OK);
    assert_true(spent == 0);
    fill(*state);
    assert_int_equal(store_spend(*state, &query, owner, &spent, NULL), STATUS_OK);
    assert_true(spent == 0);
    assert_int_equal(store_spend(*state, &query, SLICE("short"), &spent, NULL), STATUS_OK);
    assert_true(spent == 0);
}

static void sums_of_the_open_transaction_count(void **state)
{
    const struct store_spend_query query = {STORE_GROUP_MODEL, 0, UINT64_MAX};
    const struct store_usage row = ledger_usage(1);
    int64_t spent = -1;
    assert_int_equal(store_begin(*state, NULL), STATUS_OK);
    ledger_add(*state, &row);
    assert_int_equal(store_spend(*state, &query, SLICE("gpt-4o"), &spent, NULL), STATUS_OK);
    assert_true(spent == 1500);
    assert_int_equal(store_commit(*state, NULL), STATUS_OK);
}

static void what_is_too_much_is_held_at_the_end_of_the_range(void **state)
{
    const struct id user = database_id(1);
    const struct store_spend_query query = {STORE_GROUP_USER, 0, UINT64_MAX};
    int64_t spent = -1;
    for (unsigned i = 0; i < 3; i++) {
        struct store_usage row = ledger_usage(i);
        row.timestamp_us += i * STORE_HOUR_US;
        row.cost_nanousd = INT64_MAX - 1;
        ledger_add(*state, &row);
    }
    assert_int_equal(
        store_spend(*state, &query, slice_of(user.bytes, sizeof(user.bytes)), &spent, NULL),
        STATUS_OK);
    assert_true(spent == INT64_MAX);
}

static enum status stop_at_once(void *context, const struct store_spend *spend)
{
    (void)spend;
    ++*(unsigned *)context;
    return STATUS_CANCELLED;
}

static void a_visitor_can_stop_and_want_of_memory_is_told(void **state)
{
    const struct store_spend_query query = {STORE_GROUP_KEY, 0, UINT64_MAX};
    unsigned seen = 0;
    fill(*state);
    assert_int_equal(store_spend_list(*state, &query, stop_at_once, &seen, NULL), STATUS_CANCELLED);
    assert_int_equal(seen, 1);
    alloc_fail_nth(0);
    struct reason reason = {""};
    assert_int_equal(store_spend_list(*state, &query, stop_at_once, &seen, &reason),
                     STATUS_NO_MEMORY);
    alloc_fail_nth(-1);
    assert_true(reason.text[0] != '\0');
    assert_int_equal(seen, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, ledger_open, ledger_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_was_spent_is_the_sum_of_the_rows_whatever_the_ends),
        TEST(edges_belong_to_the_time_that_begins_with_them),
        TEST(nothing_was_spent_by_whom_nobody_knows_or_in_an_empty_database),
        TEST(sums_of_the_open_transaction_count),
        TEST(what_is_too_much_is_held_at_the_end_of_the_range),
        TEST(a_visitor_can_stop_and_want_of_memory_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
