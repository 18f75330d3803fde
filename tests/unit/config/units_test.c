#include "config/units.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static enum status duration(const char *text, uint64_t *ms_out)
{
    return units_parse_duration(slice_from_text(text), ms_out);
}

static enum status size(const char *text, uint64_t *bytes_out)
{
    return units_parse_size(slice_from_text(text), bytes_out);
}

static void durations_are_read_with_each_unit(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t ms;
    } cases[] = {{"250ms", 250},
                 {"5s", 5000},
                 {"10m", 600000},
                 {"1h", 3600000},
                 {"30d", 2592000000},
                 {"1h30m", 5400000},
                 {"0", 0},
                 {"0s", 0},
                 {"1m500ms", 60500},
                 {"007s", 7000},
                 {"18446744073709551615ms", UINT64_MAX}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint64_t ms = 1;
        assert_int_equal(duration(cases[i].text, &ms), STATUS_OK);
        assert_int_equal(ms, cases[i].ms);
    }
}

static void what_is_no_duration_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {"",    "5",    "s",    "-5s",  "+5s",  "5 s",
                                        " 5s", "5s ",  "5S",   "1.5s", "5sec", "1h30",
                                        "ms",  "5s\n", "0x5s", "1e3s"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        uint64_t ms = 7;
        assert_int_equal(duration(texts[i], &ms), STATUS_INVALID);
        assert_int_equal(ms, 7);
    }
}

static void durations_that_are_too_long_do_not_wrap_round(void **state)
{
    (void)state;
    uint64_t ms = 7;
    assert_int_equal(duration("18446744073709551616ms", &ms), STATUS_TOO_LARGE);
    assert_int_equal(duration("18446744073709552s", &ms), STATUS_TOO_LARGE);
    assert_int_equal(duration("213503982335d", &ms), STATUS_TOO_LARGE);
    assert_int_equal(duration("18446744073709551s616ms", &ms), STATUS_TOO_LARGE);
    assert_int_equal(duration("18446744073709551s615ms", &ms), STATUS_OK);
    assert_true(ms == UINT64_MAX);
}

static void sizes_are_read_with_each_unit(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t bytes;
    } cases[] = {{"0", 0},
                 {"65536", 65536},
                 {"64B", 64},
                 {"64KiB", 65536},
                 {"32MiB", 33554432},
                 {"1GiB", 1073741824},
                 {"2TiB", 2199023255552},
                 {"1KB", 1000},
                 {"1MB", 1000000},
                 {"1GB", 1000000000},
                 {"1TB", 1000000000000},
                 {"18446744073709551615", UINT64_MAX}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint64_t bytes = 1;
        assert_int_equal(size(cases[i].text, &bytes), STATUS_OK);
        assert_int_equal(bytes, cases[i].bytes);
    }
}

static void what_is_no_size_is_refused_and_leaves_the_result_alone(void **state)
{
    (void)state;
    static const char *const texts[] = {"", "KiB", "-1KiB", "1.5MiB", "1kib", "1K", "1 KiB x"};
    uint64_t bytes = 7;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        assert_int_equal(size(texts[i], &bytes), STATUS_INVALID);
    assert_int_equal(size("18446744073709551616", &bytes), STATUS_TOO_LARGE);
    assert_int_equal(size("16777216TiB", &bytes), STATUS_TOO_LARGE);
    assert_int_equal(bytes, 7);
}

static enum status money(const char *text, uint64_t *nanousd_out)
{
    return units_parse_money(slice_from_text(text), nanousd_out);
}

static void money_is_read_exactly(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t nanousd;
    } cases[] = {{"10usd", 10000000000},
                 {"0.40usd", 400000000},
                 {"0usd", 0},
                 {"0.0usd", 0},
                 {"007.50usd", 7500000000},
                 {"0.1usd", 100000000},
                 {"0.000000001usd", 1},
                 {"0.0000000010000usd", 1},
                 {"1.999999999usd", 1999999999},
                 {"1000000usd", 1000000000000000},
                 {"18446744073.709551615usd", UINT64_MAX}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint64_t nanousd = 7;
        assert_int_equal(money(cases[i].text, &nanousd), STATUS_OK);
        assert_true(nanousd == cases[i].nanousd);
    }
}

static void what_is_no_money_is_refused_and_leaves_the_result_alone(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",       "usd",    "10",       "10 usd", "-1usd",  "+1usd",  ".5usd",   "5.usd",
        ".usd",   "1e3usd", "0.1.2usd", "1,5usd", "10USD",  "10eur",  "$10",     "1.5xusd",
        "0x1usd", "1_0usd", "10usd ",   "sd",     "infusd", "nanusd", "1usdusd", "0.0000000001usd"};
    uint64_t nanousd = 7;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        assert_int_equal(money(texts[i], &nanousd), STATUS_INVALID);
    assert_int_equal(money("18446744073.709551616usd", &nanousd), STATUS_TOO_LARGE);
    assert_int_equal(money("18446744074usd", &nanousd), STATUS_TOO_LARGE);
    assert_int_equal(money("99999999999999999999usd", &nanousd), STATUS_TOO_LARGE);
    assert_int_equal(nanousd, 7);
}

static void check_money_text(uint64_t nanousd, const char *wanted)
{
    char text[UNITS_TEXT_BYTES];
    assert_int_equal(units_format_money(nanousd, text), strlen(wanted));
    assert_string_equal(text, wanted);
}

static void money_is_written_without_needless_zeros(void **state)
{
    (void)state;
    check_money_text(0, "0usd");
    check_money_text(10000000000, "10usd");
    check_money_text(400000000, "0.4usd");
    check_money_text(1, "0.000000001usd");
    check_money_text(1050000000, "1.05usd");
    check_money_text(UINT64_MAX, "18446744073.709551615usd");
}

static void check_duration_text(uint64_t ms, const char *wanted)
{
    char text[UNITS_TEXT_BYTES];
    assert_int_equal(units_format_duration(ms, text), strlen(wanted));
    assert_string_equal(text, wanted);
}

static void check_size_text(uint64_t bytes, const char *wanted)
{
    char text[UNITS_TEXT_BYTES];
    assert_int_equal(units_format_size(bytes, text), strlen(wanted));
    assert_string_equal(text, wanted);
}

static void values_are_written_in_their_largest_whole_unit(void **state)
{
    (void)state;
    check_duration_text(0, "0");
    check_duration_text(250, "250ms");
    check_duration_text(90000, "90s");
    check_duration_text(300000, "5m");
    check_duration_text(86400000, "1d");
    check_duration_text(UINT64_MAX, "18446744073709551615ms");
    check_size_text(0, "0");
    check_size_text(1000, "1000");
    check_size_text(65536, "64KiB");
    check_size_text(33554432, "32MiB");
    check_size_text(UINT64_C(1) << 63, "8388608TiB");
    check_size_text(UINT64_MAX, "18446744073709551615");
}

static void what_is_written_reads_back_as_the_same(void **state)
{
    (void)state;
    uint64_t value = 1;
    for (unsigned i = 0; i < 2000; i++) {
        char text[UNITS_TEXT_BYTES];
        uint64_t again = 0;
        value = value * 6364136223846793005U + 1442695040888963407U;
        const uint64_t number = value >> (i % 64);
        units_format_duration(number, text);
        assert_int_equal(duration(text, &again), STATUS_OK);
        assert_true(again == number);
        units_format_size(number, text);
        assert_int_equal(size(text, &again), STATUS_OK);
        assert_true(again == number);
        units_format_money(number, text);
        assert_int_equal(money(text, &again), STATUS_OK);
        assert_true(again == number);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(durations_are_read_with_each_unit),
        cmocka_unit_test(what_is_no_duration_is_refused),
        cmocka_unit_test(durations_that_are_too_long_do_not_wrap_round),
        cmocka_unit_test(sizes_are_read_with_each_unit),
        cmocka_unit_test(what_is_no_size_is_refused_and_leaves_the_result_alone),
        cmocka_unit_test(money_is_read_exactly),
        cmocka_unit_test(what_is_no_money_is_refused_and_leaves_the_result_alone),
        cmocka_unit_test(money_is_written_without_needless_zeros),
        cmocka_unit_test(values_are_written_in_their_largest_whole_unit),
        cmocka_unit_test(what_is_written_reads_back_as_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
