#include "policy/zone_rule.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "policy/calendar.h"

static struct zone_rule rule_of(const char *text)
{
    struct zone_rule rule;
    assert_int_equal(zone_rule_parse(slice_from_text(text), &rule), STATUS_OK);
    return rule;
}

/* Seconds since 1970 of a time in UTC. */
static int64_t at(int64_t year, unsigned month, unsigned day, int hour)
{
    return calendar_day(year, month, day) * 86400 + hour * INT64_C(3600);
}

static void a_rule_says_when_summer_begins_and_ends(void **state)
{
    (void)state;
    const struct zone_rule rule = rule_of("CET-1CEST,M3.5.0,M10.5.0/3");
    assert_int_equal(zone_rule_next_change(&rule, at(2100, 1, 1, 0)), at(2100, 3, 28, 1));
    assert_int_equal(zone_rule_offset(&rule, at(2100, 3, 28, 1) - 1), 3600);
    assert_int_equal(zone_rule_offset(&rule, at(2100, 3, 28, 1)), 7200);
    assert_int_equal(zone_rule_next_change(&rule, at(2100, 3, 28, 1)), at(2100, 10, 31, 1));
    assert_int_equal(zone_rule_offset(&rule, at(2100, 10, 31, 1)), 3600);
    assert_int_equal(zone_rule_next_change(&rule, at(2100, 10, 31, 1)), at(2101, 3, 27, 1));
}

static void summer_may_span_the_new_year(void **state)
{
    (void)state;
    const struct zone_rule rule = rule_of("<+1030>-10:30<+11>-11,M10.1.0,M4.1.0");
    assert_int_equal(zone_rule_offset(&rule, at(2050, 1, 1, 0)), 39600);
    assert_int_equal(zone_rule_offset(&rule, at(2050, 7, 1, 0)), 37800);
    assert_int_equal(zone_rule_next_change(&rule, at(2050, 1, 1, 0)), at(2050, 4, 2, 15));
}

static void summer_may_last_all_year(void **state)
{
    (void)state;
    const struct zone_rule rule = rule_of("XXX3EDT4,0/0,J365/23");
    for (unsigned month = 1; month <= 12; month++)
        assert_int_equal(zone_rule_offset(&rule, at(2030, month, 1, 4)), -14400);
    assert_true(zone_rule_next_change(&rule, at(2030, 1, 1, 0)) == INT64_MAX);
}

static void days_may_be_counted_with_and_without_the_leap_day(void **state)
{
    (void)state;
    const struct zone_rule without = rule_of("AAA0BBB,J60/0,J300/0");
    const struct zone_rule with = rule_of("AAA0BBB,60/0,J300/0");
    assert_int_equal(zone_rule_next_change(&without, at(2028, 1, 1, 0)), at(2028, 3, 1, 0));
    assert_int_equal(zone_rule_next_change(&without, at(2029, 1, 1, 0)), at(2029, 3, 1, 0));
    assert_int_equal(zone_rule_next_change(&with, at(2028, 1, 1, 0)), at(2028, 3, 1, 0));
    assert_int_equal(zone_rule_next_change(&with, at(2029, 1, 1, 0)), at(2029, 3, 2, 0));
}

static void hours_may_reach_over_the_day(void **state)
{
    (void)state;
    const struct zone_rule rule = rule_of("<-02>2<-01>,M3.5.0/-1,M10.5.0/0");
    assert_int_equal(zone_rule_next_change(&rule, at(2024, 1, 1, 0)), at(2024, 3, 31, 1));
    const struct zone_rule far = rule_of("AAA0BBB,M3.4.4/50,M10.4.4/167");
    assert_int_equal(zone_rule_next_change(&far, at(2024, 1, 1, 0)), at(2024, 3, 30, 2));
    assert_int_equal(zone_rule_next_change(&far, at(2024, 4, 1, 0)), at(2024, 10, 30, 22));
}

static void without_summer_nothing_changes(void **state)
{
    (void)state;
    const struct zone_rule rule = rule_of("IST-5:30");
    assert_int_equal(zone_rule_offset(&rule, INT64_MAX), 19800);
    assert_int_equal(zone_rule_offset(&rule, INT64_MIN), 19800);
    assert_true(zone_rule_next_change(&rule, 0) == INT64_MAX);
    assert_int_equal(rule_of("XYZ5:30:15").standard_offset_s, -19815);
}

static void the_ends_of_time_are_answered(void **state)
{
    (void)state;
    const struct zone_rule rule = rule_of("CET-1CEST,M3.5.0,M10.5.0/3");
    assert_true(zone_rule_offset(&rule, INT64_MAX) > 0);
    assert_true(zone_rule_offset(&rule, INT64_MIN) > 0);
    assert_true(zone_rule_next_change(&rule, INT64_MAX) == INT64_MAX);
    assert_true(zone_rule_next_change(&rule, INT64_MIN) > INT64_MIN);
}

static void what_is_no_rule_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "CE",
        "CET",
        "CET-",
        "CET-1x",
        "<CET-1",
        "<>-1",
        "CET-25",
        "1CET-1",
        "CET-1CEST",
        "CET-1CEST,",
        "CET-1CEST,M3.5.0",
        "CET-1:60",
        "CET-1CEST,M3.5.0,M13.1.0",
        "CET-1CEST,M0.5.0,M10.5.0",
        "CET-1CEST,M3.6.0,M10.5.0",
        "CET-1CEST,M3.0.0,M10.5.0",
        "CET-1CEST,M3.5.7,M10.5.0",
        "CET-1CEST,J0,J5",
        "CET-1CEST,J366,J5",
        "CET-1CEST,366,5",
        "CET-1CEST,M3.5.0/168,M10.5.0",
        "CET-1CEST,M3.5.0,M10.5.0/3x",
        "CET-1CEST,M3.5.0,M10.5.0,",
        ":Europe/Berlin",
        "CET-0001",
    };
    struct zone_rule rule;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        assert_int_equal(zone_rule_parse(slice_from_text(texts[i]), &rule), STATUS_INVALID);
}

static void a_text_is_read_to_its_end_and_no_further(void **state)
{
    (void)state;
    static const char text[] = "CET-1CEST,M3.5.0/2:30:10,M10.5.0/3";
    for (size_t size = 0; size < sizeof(text) - 1; size++) {
        char *copy = alloc_bytes(size + 1);
        struct zone_rule rule;
        memcpy(copy, text, size);
        const enum status status = zone_rule_parse(slice_of(copy + (size == 0), size), &rule);
        assert_true(status == STATUS_OK || status == STATUS_INVALID);
        alloc_free(copy);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_rule_says_when_summer_begins_and_ends),
        cmocka_unit_test(summer_may_span_the_new_year),
        cmocka_unit_test(summer_may_last_all_year),
        cmocka_unit_test(days_may_be_counted_with_and_without_the_leap_day),
        cmocka_unit_test(hours_may_reach_over_the_day),
        cmocka_unit_test(without_summer_nothing_changes),
        cmocka_unit_test(the_ends_of_time_are_answered),
        cmocka_unit_test(what_is_no_rule_is_refused),
        cmocka_unit_test(a_text_is_read_to_its_end_and_no_further),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
