#include "admin/limit_state.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "base/clock.h"

#define NOW_US UINT64_C(1769860800000000) /* 2026-01-31T12:00:00Z */

static struct counters *counters;

static int open_counters(void **state)
{
    (void)state;
    return counters_create(&counters, NULL) == STATUS_OK ? 0 : -1;
}

static int close_counters(void **state)
{
    (void)state;
    counters_destroy(&counters);
    return 0;
}

static struct level *level_of(const char *text, bool is_warn_only)
{
    struct limits limits = {.count = 0};
    struct level *level = NULL;
    assert_int_equal(limits_parse(slice_from_text(text), &limits, NULL), STATUS_OK);
    assert_int_equal(level_create(counters, &limits, is_warn_only, NULL, &level), STATUS_OK);
    return level;
}

/* What is written of the level's limits or budgets, between brackets; holds until the next call. */
static const char *written(const struct limit_owner *owner, bool are_budgets)
{
    static char text[4096];
    const struct limit_moment moment = {NS_PER_MS, NOW_US};
    struct buffer out;
    struct json_writer writer;
    buffer_init(&out, sizeof(text));
    json_writer_init(&writer, &out);
    json_write_array(&writer);
    limit_state_write(&writer, owner, &moment, are_budgets);
    json_write_end(&writer);
    assert_int_equal(buffer_status(&out), STATUS_OK);
    (void)snprintf(text, sizeof(text), "%.*s", SLICE_ARGS(buffer_slice(&out)));
    buffer_fini(&out);
    return text;
}

static void a_limit_says_whose_it_is_and_where_it_stands(void **state)
{
    (void)state;
    struct limit_owner owner = {
        .kind = LEVEL_MODEL, .name = SLICE("gpt*"), .level = level_of("60req/min", false)};
    assert_string_equal(written(&owner, false),
                        "[{\"level\":\"model\",\"id\":null,\"name\":\"gpt*\",\"limit\":"
                        "\"60req/min\",\"kind\":\"requests\",\"window\":\"minute\",\"amount\":60,"
                        "\"used\":0,\"remaining\":60,\"reset_at\":\"2026-01-31T12:00:00.000Z\","
                        "\"warn_only\":false}]");
    level_unref((struct level **)&owner.level);
}

static void a_budget_is_told_in_dollars_and_begins_anew_at_its_windows_end(void **state)
{
    (void)state;
    const struct id id = {{1}};
    struct limit_owner owner = {
        .kind = LEVEL_KEY, .id = &id, .level = level_of("0.5usd/day", true)};
    const char *text = written(&owner, true);
    assert_non_null(strstr(text, "\"id\":\"01000000-0000-0000-0000-000000000000\",\"name\":null,"));
    assert_non_null(strstr(text, "\"amount\":\"0.5\",\"amount_nanousd\":500000000,\"spent\":\"0\","
                                 "\"spent_nanousd\":0,\"held\":\"0\",\"held_nanousd\":0,"
                                 "\"remaining\":\"0.5\",\"remaining_nanousd\":500000000,"
                                 "\"reset_at\":\"2026-02-01T00:00:00.000Z\",\"warn_only\":true}]"));
    level_unref((struct level **)&owner.level);
}

static void what_never_begins_anew_says_null(void **state)
{
    (void)state;
    struct limit_owner owner = {.kind = LEVEL_TEAM, .level = level_of("1usd/total", false)};
    assert_non_null(strstr(written(&owner, true), "\"window\":\"total\""));
    assert_non_null(strstr(written(&owner, true), "\"reset_at\":null"));
    level_unref((struct level **)&owner.level);
}

static void limits_and_budgets_of_a_level_are_told_apart(void **state)
{
    (void)state;
    struct limit_owner both = {.kind = LEVEL_USER,
                               .level = level_of("60req/min,3parallel,1usd/day", false)};
    struct limit_owner limit = {.kind = LEVEL_USER, .level = level_of("3parallel", false)};
    const struct limit_owner none = {.kind = LEVEL_USER};
    assert_null(strstr(written(&both, false), "usd"));
    assert_non_null(strstr(written(&both, false), "\"limit\":\"3parallel\""));
    assert_null(strstr(written(&both, true), "req"));
    assert_true(limit_state_has(&both, true) && limit_state_has(&both, false));
    assert_true(limit_state_has(&limit, false) && !limit_state_has(&limit, true));
    assert_false(limit_state_has(&none, false) || limit_state_has(&none, true));
    assert_string_equal(written(&none, false), "[]");
    level_unref((struct level **)&both.level);
    level_unref((struct level **)&limit.level);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_counters, close_counters)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_limit_says_whose_it_is_and_where_it_stands),
        TEST(a_budget_is_told_in_dollars_and_begins_anew_at_its_windows_end),
        TEST(what_never_begins_anew_says_null),
        TEST(limits_and_budgets_of_a_level_are_told_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
