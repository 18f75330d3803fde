#include "admin/usage_query.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"

#define NOW_US (UINT64_C(1769860800) * US_PER_S) /* 2026-01-31T12:00:00Z */
#define DAY_US (UINT64_C(86400) * US_PER_S)

static void every_group_is_found_by_its_name(void **state)
{
    (void)state;
    for (unsigned i = STORE_GROUP_KEY; i <= STORE_GROUP_HOUR; i++) {
        enum store_group group = STORE_GROUP_NONE;
        struct reason reason = {""};
        const char *name = usage_group_name((enum store_group)i);
        assert_int_equal(usage_group_find(slice_from_text(name), &group, &reason), STATUS_OK);
        assert_int_equal(group, i);
    }
    assert_null(usage_group_name(STORE_GROUP_NONE));
}

static void an_unknown_group_is_refused_with_the_nearest(void **state)
{
    static const char *const cases[][2] = {
        {"modle", "usage is not known by 'modle'; did you mean 'model'?"},
        {"days", "usage is not known by 'days'; did you mean 'day'?"},
        {"department", "usage is not known by 'department', but by key, user, team, model, "
                       "provider, day or hour"},
        {"", "usage is not known by '', but by key, user, team, model, provider, day or hour"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        enum store_group group = STORE_GROUP_TEAM;
        struct reason reason = {""};
        assert_int_equal(usage_group_find(slice_from_text(cases[i][0]), &group, &reason),
                         STATUS_INVALID);
        assert_int_equal(group, STORE_GROUP_TEAM);
        assert_string_equal(reason.text, cases[i][1]);
    }
}

static void times_are_durations_back_days_or_moments(void **state)
{
    static const struct {
        const char *text;
        uint64_t expected_us;
    } cases[] = {
        {"0s", NOW_US},
        {"90s", NOW_US - 90 * US_PER_S},
        {"5m", NOW_US - 300 * US_PER_S},
        {"12h", NOW_US - DAY_US / 2},
        {"30d", NOW_US - 30 * DAY_US},
        {"2w", NOW_US - 14 * DAY_US},
        {"20485d", 0}, /* longer ago than 1970 */
        {"18446744073709551615w", 0},
        {"2026-01-31", NOW_US - DAY_US / 2},
        {"2026-01-31T12:00:00Z", NOW_US},
        {"2026-01-31T12:00:00.000001+00:00", NOW_US + 1},
        {"1970-01-01", 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint64_t time_us = 77;
        struct reason reason = {""};
        assert_int_equal(
            usage_time_parse(slice_from_text(cases[i].text), NOW_US, &time_us, &reason), STATUS_OK);
        assert_int_equal(time_us, cases[i].expected_us);
    }
}

static void what_is_no_time_is_refused(void **state)
{
    static const char *const texts[] = {
        "",
        "d",
        "30",
        "30y",
        "-1d",
        "1.5h",
        "yesterday",
        "2026-13-01",
        "2026-02-30",
        "2026-01-31T12",
        "99999999999999999999d",
        "a text that is much too long to be shown in a message as a whole of it"};
    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        uint64_t time_us = 77;
        struct reason reason = {""};
        assert_int_equal(usage_time_parse(slice_from_text(texts[i]), NOW_US, &time_us, &reason),
                         STATUS_INVALID);
        assert_int_equal(time_us, 77);
        assert_true(reason.text[0] != '\0');
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_group_is_found_by_its_name),
        cmocka_unit_test(an_unknown_group_is_refused_with_the_nearest),
        cmocka_unit_test(times_are_durations_back_days_or_moments),
        cmocka_unit_test(what_is_no_time_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
