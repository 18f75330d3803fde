#include "admin/alert_audit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "unit/admin/data_dir.h"
#include "unit/admin/entries.h"

static int open_context(void **state)
{
    if (data_dir_make(state) != 0)
        return -1;
    *state = data_dir_open(false);
    return 0;
}

static int close_context(void **state)
{
    struct admin_context *context = *state;
    admin_context_close(&context);
    return data_dir_remove(state);
}

/* One more alert, before those that there are. */
static void add(struct budget_alert **alerts, enum level_kind level, const char *name,
                unsigned percent)
{
    struct budget_alert *alert = alloc_zeroed(1, sizeof(*alert));
    assert_non_null(alert);
    alert->next = *alerts;
    alert->level = level;
    alert->percent = percent;
    alert->spent_nanousd = percent * UINT64_C(10000000);
    alert->time_us = data_dir_now_us;
    assert_int_equal(limit_parse(SLICE("1usd/day"), &alert->limit, NULL), STATUS_OK);
    (void)snprintf(alert->name, sizeof(alert->name), "%s", name);
    *alerts = alert;
}

static void each_alert_is_an_entry_of_weirs_own_in_their_order(void **state)
{
    struct admin_context *context = *state;
    struct budget_alert *alerts = NULL;
    struct reason reason = {""};
    const struct slice actor = context->actor;
    add(&alerts, LEVEL_GATEWAY, "", 100);
    add(&alerts, LEVEL_TEAM, "research", 80);
    assert_int_equal(alert_audit_note(context, alerts, &reason), STATUS_OK);
    const char *text = entries_of(context);
    const char *first = strstr(text, "weir budget.alert research {\"level\":\"team\",\"budget\":"
                                     "\"1usd/day\",\"percent\":80,\"spent_nanousd\":800000000,"
                                     "\"reached_at\":\"2026-01-31T12:00:00.000Z\"}\n");
    const char *second = strstr(text, "weir budget.alert  {\"level\":\"gateway\",");
    assert_non_null(first);
    assert_non_null(second);
    assert_true(first < second);
    assert_true(slice_equal(context->actor, actor)); /* who acts is as before */
}

static void without_an_alert_nothing_is_written(void **state)
{
    struct reason reason = {""};
    assert_int_equal(alert_audit_note(*state, NULL, &reason), STATUS_OK);
    assert_null(strstr(entries_of(*state), "budget.alert"));
}

static void what_cannot_be_written_for_lack_of_memory_is_freed_and_told(void **state)
{
    enum status status = STATUS_NO_MEMORY;
    for (int nth = 0; status != STATUS_OK; nth++) {
        struct budget_alert *alerts = NULL;
        struct reason reason = {""};
        assert_true(nth < 1000);
        add(&alerts, LEVEL_USER, "ada", 50);
        alloc_fail_nth(nth);
        status = alert_audit_note(*state, alerts, &reason);
        alloc_fail_nth(-1);
        assert_int_equal(strstr(entries_of(*state), "budget.alert ada") != NULL,
                         status == STATUS_OK);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_context, close_context)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_alert_is_an_entry_of_weirs_own_in_their_order),
        TEST(without_an_alert_nothing_is_written),
        TEST(what_cannot_be_written_for_lack_of_memory_is_freed_and_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
