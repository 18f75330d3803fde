/* Reports against sums that are added up here, for each kind of group, user and cut. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "store/sqlite/ledger_operations.h"
#include "unit/store/ledger.h"

#define MIDNIGHT_US (UINT64_C(20000) * DAY_US)

/* Users 1 (ada) and 2 (bob); key 11 is ada's, 12 is bob's; key 13 was deleted. */
static void add_owners(struct store *store)
{
    database_add_user(store, 1, "ada");
    database_add_user(store, 2, "bob");
    database_add_key(store, 11, 1, "laptop");
    database_add_key(store, 12, 2, NULL);
}

static void add_request(struct store *store, unsigned user, unsigned key, uint64_t timestamp_us,
                        const char *model, int64_t cost_nanousd)
{
    static unsigned number = 0;
    struct store_usage usage = ledger_usage(number++ % 60000);
    usage.user_id = user > 0 ? database_id(user) : (struct id){{0}};
    usage.key_id = database_id(key);
    usage.timestamp_us = timestamp_us;
    usage.model = slice_from_text(model);
    usage.cost_nanousd = cost_nanousd;
    ledger_add(store, &usage);
}

static void add_refused(struct store *store, unsigned user, uint64_t timestamp_us)
{
    const struct store_sum sum = {
        .hour_us = timestamp_us - timestamp_us % STORE_HOUR_US,
        .user_id = database_id(user),
        .key_id = database_id(11),
        .reason = SLICE("rate_limit"),
        .requests = 5,
    };
    assert_int_equal(store_sum_add(store, &sum, NULL), STATUS_OK);
}

static void fill(struct store *store)
{
    add_owners(store);
    add_request(store, 1, 11, MIDNIGHT_US - 1, "gpt", 1);
    add_request(store, 1, 11, MIDNIGHT_US, "gpt", 10);
    add_request(store, 2, 12, MIDNIGHT_US + DAY_US - 1, "llama", 100);
    add_request(store, 1, 13, MIDNIGHT_US + 3 * DAY_US + STORE_HOUR_US, "llama", 1000);
    add_request(store, 0, 13, MIDNIGHT_US + 3 * DAY_US + STORE_HOUR_US, "gpt", STORE_UNKNOWN);
    add_refused(store, 1, MIDNIGHT_US + 3 * DAY_US + 2 * STORE_HOUR_US);
}

static void assert_lines(struct store *store, struct store_report report, size_t count,
                         const char *const texts[])
{
    const struct ledger_lines lines = ledger_report(store, &report);
    for (size_t i = 0; i < count && i < lines.count; i++)
        assert_string_equal(lines.text[i], texts[i]);
    assert_int_equal(lines.count, count);
}

#define ASSERT_LINES(store, report, ...)                                                           \
    do {                                                                                           \
        static const char *const texts[] = {__VA_ARGS__};                                          \
        assert_lines(store, report, sizeof(texts) / sizeof(texts[0]), texts);                      \
    } while (0)

#define ADA  "01000000-0000-0000-0000-000000000001/ada"
#define BOB  "01000000-0000-0000-0000-000000000002/bob"
#define KEY1 "01000000-0000-0000-0000-00000000000b/laptop"
#define KEY2 "01000000-0000-0000-0000-00000000000c/"
#define KEY3 "01000000-0000-0000-0000-00000000000d/"

static void each_group_has_its_lines_in_its_order(void **state)
{
    fill(*state);
    ASSERT_LINES(*state, (struct store_report){.by = STORE_GROUP_NONE}, "/ 5 5 5 1111");
    ASSERT_LINES(*state, (struct store_report){.by = STORE_GROUP_KEY}, KEY3 " 2 2 0 1000",
                 KEY2 " 1 1 0 100", KEY1 " 2 2 5 11");
    ASSERT_LINES(*state, (struct store_report){.by = STORE_GROUP_USER}, ADA " 3 3 5 1011",
                 BOB " 1 1 0 100", "/ 1 1 0 0");
    ASSERT_LINES(*state, (struct store_report){.by = STORE_GROUP_TEAM}, "/ 5 5 5 1111");
    ASSERT_LINES(*state, (struct store_report){.by = STORE_GROUP_MODEL}, "llama/ 2 2 0 1100",
                 "gpt/ 3 3 0 11", "/ 0 0 5 0");
    ASSERT_LINES(*state, (struct store_report){.by = STORE_GROUP_PROVIDER}, "openai/ 5 5 0 1111",
                 "/ 0 0 5 0");
    ASSERT_LINES(*state, (struct store_report){.by = STORE_GROUP_DAY}, "2024-10-03/ 1 1 0 1",
                 "2024-10-04/ 2 2 0 110", "2024-10-07/ 2 2 5 1000");
    ASSERT_LINES(*state, (struct store_report){.by = STORE_GROUP_HOUR},
                 "2024-10-03T23:00:00Z/ 1 1 0 1", "2024-10-04T00:00:00Z/ 1 1 0 10",
                 "2024-10-04T23:00:00Z/ 1 1 0 100", "2024-10-07T01:00:00Z/ 2 2 0 1000",
                 "2024-10-07T02:00:00Z/ 0 0 5 0");
}

static void one_users_lines_are_its_own(void **state)
{
    const struct id ada = database_id(1);
    fill(*state);
    ASSERT_LINES(*state, ((struct store_report){.by = STORE_GROUP_NONE, .user_id = ada}),
                 "/ 3 3 5 1011");
    ASSERT_LINES(*state, ((struct store_report){.by = STORE_GROUP_KEY, .user_id = ada}),
                 KEY3 " 1 1 0 1000", KEY1 " 2 2 5 11");
    ASSERT_LINES(*state, ((struct store_report){.by = STORE_GROUP_MODEL, .user_id = ada}),
                 "llama/ 1 1 0 1000", "gpt/ 2 2 0 11", "/ 0 0 5 0");
    ASSERT_LINES(*state, ((struct store_report){.by = STORE_GROUP_DAY, .user_id = ada}),
                 "2024-10-03/ 1 1 0 1", "2024-10-04/ 1 1 0 10", "2024-10-07/ 1 1 5 1000");
    ASSERT_LINES(*state, ((struct store_report){.by = STORE_GROUP_HOUR, .user_id = ada}),
                 "2024-10-03T23:00:00Z/ 1 1 0 1", "2024-10-04T00:00:00Z/ 1 1 0 10",
                 "2024-10-07T01:00:00Z/ 1 1 0 1000", "2024-10-07T02:00:00Z/ 0 0 5 0");
}

static void a_teams_lines_are_its_own_by_whatever_they_are_grouped(void **state)
{
    static const enum store_group groups[] = {STORE_GROUP_NONE, STORE_GROUP_MODEL,
                                              STORE_GROUP_PROVIDER, STORE_GROUP_DAY,
                                              STORE_GROUP_TEAM};
    for (unsigned number = 1; number <= 6; number++) {
        struct store_usage usage = ledger_usage(number);
        usage.team_id = number > 1 ? database_id(40 + number % 2) : (struct id){{0}};
        ledger_add(*state, &usage);
    }
    for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
        const struct store_report of_team = {.by = groups[i], .team_id = database_id(40)};
        const struct store_report of_none = {.by = groups[i], .team_id = database_id(77)};
        struct ledger_lines lines = {.count = 0};
        assert_int_equal(store_report(*state, &of_team, ledger_keep_line, &lines, NULL), STATUS_OK);
        assert_int_equal(lines.count, 1);
        assert_int_equal(lines.last.requests, 3);
        lines.count = 0;
        assert_int_equal(store_report(*state, &of_none, ledger_keep_line, &lines, NULL), STATUS_OK);
        assert_int_equal(lines.count, groups[i] == STORE_GROUP_NONE ? 1 : 0);
    }
}

static void nothing_is_a_line_of_zeros_or_no_line(void **state)
{
    const struct store_report none = {.by = STORE_GROUP_NONE};
    struct store_report report = {.by = STORE_GROUP_DAY, .since_us = UINT64_MAX};
    ASSERT_LINES(*state, none, "/ 0 0 0 0");
    assert_int_equal(ledger_report(*state, &report).count, 0);
    fill(*state);
    assert_int_equal(ledger_report(*state, &report).count, 0);
    report = (struct store_report){.by = STORE_GROUP_KEY, .until_us = 1};
    assert_int_equal(ledger_report(*state, &report).count, 0);
    report = (struct store_report){.by = STORE_GROUP_USER, .since_us = 20, .until_us = 10};
    assert_int_equal(ledger_report(*state, &report).count, 0);
    report = (struct store_report){.by = STORE_GROUP_NONE, .user_id = database_id(77)};
    ASSERT_LINES(*state, report, "/ 0 0 0 0");
}

static void since_is_rounded_down_and_until_up_to_the_hour(void **state)
{
    fill(*state);
    ASSERT_LINES(*state,
                 ((struct store_report){.by = STORE_GROUP_HOUR,
                                        .since_us = MIDNIGHT_US + STORE_HOUR_US - 1,
                                        .until_us = MIDNIGHT_US + DAY_US - STORE_HOUR_US}),
                 "2024-10-04T00:00:00Z/ 1 1 0 10");
    ASSERT_LINES(*state,
                 ((struct store_report){.by = STORE_GROUP_USER,
                                        .since_us = MIDNIGHT_US + STORE_HOUR_US,
                                        .until_us = MIDNIGHT_US + DAY_US - STORE_HOUR_US + 1}),
                 BOB " 1 1 0 100");
}

/* Every cut of four days at any two hours, by each way that reads other tables. */
static void every_cut_counts_every_hour_once(void **state)
{
    struct store *store = *state;
    const unsigned hours = 4 * 24;
    assert_int_equal(store_begin(store, NULL), STATUS_OK);
    for (unsigned hour = 0; hour < hours; hour++)
        add_request(store, 1, 11, MIDNIGHT_US + hour * STORE_HOUR_US + 5, "gpt", 1 + hour);
    assert_int_equal(store_commit(store, NULL), STATUS_OK);
    static const struct {
        enum store_group by;
        bool of_user;
    } ways[] = {
        {STORE_GROUP_NONE, false},
        {STORE_GROUP_NONE, true},
        {STORE_GROUP_USER, false},
    };
    for (size_t way = 0; way < 3; way++) {
        for (unsigned from = 0; from < hours; from += 5) {
            for (unsigned to = from + 1; to <= hours; to += 3) {
                struct store_report report = {.by = ways[way].by,
                                              .since_us = MIDNIGHT_US + from * STORE_HOUR_US,
                                              .until_us = MIDNIGHT_US + to * STORE_HOUR_US};
                if (ways[way].of_user)
                    report.user_id = database_id(1);
                const struct ledger_lines lines = ledger_report(store, &report);
                assert_int_equal(lines.count, 1);
                assert_int_equal(lines.last.requests, to - from);
                assert_int_equal(lines.last.cost_nanousd, (to * (to + 1) - from * (from + 1)) / 2);
            }
        }
    }
}

static void a_line_has_every_count(void **state)
{
    const struct store_report report = {.by = STORE_GROUP_NONE};
    struct store_usage usage = ledger_usage(1);
    ledger_add(*state, &usage);
    usage = ledger_usage(2);
    usage.answered = false;
    usage.estimated = true;
    usage.cost_nanousd = STORE_UNKNOWN;
    ledger_add(*state, &usage);
    const struct ledger_lines lines = ledger_report(*state, &report);
    assert_int_equal(lines.last.requests, 2);
    assert_int_equal(lines.last.answered, 1);
    assert_int_equal(lines.last.estimated, 1);
    assert_int_equal(lines.last.unpriced, 1);
    assert_int_equal(lines.last.tokens[STORE_TOKENS_INPUT], 200);
    assert_int_equal(lines.last.tokens[STORE_TOKENS_OUTPUT], 40);
    assert_int_equal(lines.last.tokens[STORE_TOKENS_REASONING], 14);
    assert_int_equal(lines.last.answered_tokens, 120);
    assert_int_equal(lines.last.cost_nanousd, 1500);
    assert_int_equal(lines.last.answered_cost_nanousd, 1500);
}

static void a_report_within_a_transaction_sees_its_sums(void **state)
{
    const struct store_report report = {.by = STORE_GROUP_MODEL};
    assert_int_equal(store_begin(*state, NULL), STATUS_OK);
    add_request(*state, 1, 11, NOON_US, "gpt", 7);
    ASSERT_LINES(*state, report, "gpt/ 1 1 0 7");
    add_request(*state, 1, 11, NOON_US, "gpt", 7);
    assert_int_equal(store_commit(*state, NULL), STATUS_OK);
    ASSERT_LINES(*state, report, "gpt/ 2 2 0 14");
}

static enum status refuse_line(void *context, const struct store_report_line *line)
{
    (void)line;
    ++*(int *)context;
    return STATUS_CANCELLED;
}

static void a_visitor_ends_a_report_with_its_status(void **state)
{
    static const enum store_group groups[] = {STORE_GROUP_USER, STORE_GROUP_DAY, STORE_GROUP_NONE};
    fill(*state);
    for (size_t i = 0; i < 3; i++) {
        const struct store_report report = {.by = groups[i]};
        int seen = 0;
        assert_int_equal(store_report(*state, &report, refuse_line, &seen, NULL), STATUS_CANCELLED);
        assert_int_equal(seen, 1);
    }
    ASSERT_LINES(*state, (struct store_report){.by = STORE_GROUP_NONE}, "/ 5 5 5 1111");
}

static void a_report_survives_the_failure_of_each_allocation(void **state)
{
    const struct store_report report = {.by = STORE_GROUP_KEY};
    struct reason reason = {""};
    fill(*state);
    for (int nth = 0;; nth++) {
        struct ledger_lines lines = {.count = 0};
        alloc_fail_nth(nth);
        const enum status status = store_report(*state, &report, ledger_keep_line, &lines, &reason);
        alloc_fail_nth(-1);
        if (status == STATUS_OK) {
            assert_in_range(nth, 2, 20);
            assert_int_equal(lines.count, 3);
            return;
        }
        assert_int_equal(status, STATUS_NO_MEMORY);
        assert_int_equal(lines.count, 0);
        assert_non_null(strstr(reason.text, "out of memory"));
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, ledger_open, ledger_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_group_has_its_lines_in_its_order),
        TEST(one_users_lines_are_its_own),
        TEST(a_teams_lines_are_its_own_by_whatever_they_are_grouped),
        TEST(nothing_is_a_line_of_zeros_or_no_line),
        TEST(since_is_rounded_down_and_until_up_to_the_hour),
        TEST(every_cut_counts_every_hour_once),
        TEST(a_line_has_every_count),
        TEST(a_report_within_a_transaction_sees_its_sums),
        TEST(a_visitor_ends_a_report_with_its_status),
        TEST(a_report_survives_the_failure_of_each_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
