#include "policy/limit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "unit/policy/numbers.h"

static void assert_reads(const char *text, uint64_t amount, enum limit_kind kind,
                         enum limit_window window)
{
    struct limit limit;
    assert_int_equal(limit_parse(slice_from_text(text), &limit, NULL), STATUS_OK);
    assert_int_equal(limit.amount, amount);
    assert_int_equal(limit.kind, kind);
    assert_int_equal(limit.window, window);
}

static void every_form_is_read(void **state)
{
    (void)state;
    assert_reads("60req/min", 60, LIMIT_REQUESTS, LIMIT_WINDOW_MINUTE);
    assert_reads("1req/hour", 1, LIMIT_REQUESTS, LIMIT_WINDOW_HOUR);
    assert_reads("007req/day", 7, LIMIT_REQUESTS, LIMIT_WINDOW_DAY);
    assert_reads("1000000tok/day", 1000000, LIMIT_TOKENS, LIMIT_WINDOW_DAY);
    assert_reads("1000000000000tok/min", LIMIT_AMOUNT_MAX, LIMIT_TOKENS, LIMIT_WINDOW_MINUTE);
    assert_reads("20parallel", 20, LIMIT_PARALLEL, LIMIT_WINDOW_NONE);
    assert_reads("10usd/month", 10000000000, LIMIT_MONEY, LIMIT_WINDOW_MONTH);
    assert_reads("0.50usd/day", 500000000, LIMIT_MONEY, LIMIT_WINDOW_DAY);
    assert_reads("0.000000001usd/hour", 1, LIMIT_MONEY, LIMIT_WINDOW_HOUR);
    assert_reads("1usd/week", 1000000000, LIMIT_MONEY, LIMIT_WINDOW_WEEK);
    assert_reads("100000000usd/total", LIMIT_NANOUSD_MAX, LIMIT_MONEY, LIMIT_WINDOW_TOTAL);
}

static void what_is_no_limit_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "60",
        "req/min",
        "60req",
        "60req/",
        "60req/week",
        "60tok/month",
        "60req/min/",
        "60req//min",
        " 60req/min",
        "60req/min ",
        "60 req/min",
        "60Req/min",
        "60req/MIN",
        "-1req/min",
        "+1req/min",
        "1.5req/min",
        "1e3tok/day",
        "0req/min",
        "0usd/day",
        "0.0usd/day",
        "1.usd/day",
        ".5usd/day",
        "1.0000000001usd/day",
        "1.5.5usd/day",
        "10usd",
        "10usd/min",
        "20parallel/min",
        "20parallel/",
        "parallel",
        "1,000req/min",
        "/",
        "//",
        "usd",
        "60req/mi",
        "60req/minute",
        "0x10req/min",
        "1.5parallel",
        "..usd/day",
        "60req/min,",
        "$10/month",
        "1usd1usd/day",
    };
    struct reason reason;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct limit limit = {.amount = 42};
        reason.text[0] = '\0';
        assert_int_equal(limit_parse(slice_from_text(texts[i]), &limit, &reason), STATUS_INVALID);
        assert_int_equal(limit.amount, 42);
        assert_non_null(strstr(reason.text, "is no limit; "));
    }
    struct limit limit;
    assert_int_equal(limit_parse(slice_of("60req/min\0", 10), &limit, NULL), STATUS_INVALID);
    assert_int_equal(limit_parse(slice_of(NULL, 0), &limit, NULL), STATUS_INVALID);
}

static void more_than_a_limit_may_be_is_too_large(void **state)
{
    (void)state;
    static const char *const texts[] = {"1000000000001req/min", "99999999999999999999tok/day",
                                        "1000001parallel",      "100000000.000000001usd/total",
                                        "18446744074usd/day",   "99999999999999999999.5usd/day"};
    struct reason reason;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct limit limit;
        assert_int_equal(limit_parse(slice_from_text(texts[i]), &limit, &reason), STATUS_TOO_LARGE);
        assert_non_null(strstr(reason.text, "at most 1"));
    }
}

static void assert_reason(const char *text, const char *expected)
{
    struct reason reason;
    struct limit limit;
    assert_int_equal(limit_parse(slice_from_text(text), &limit, &reason), STATUS_INVALID);
    assert_string_equal(reason.text, expected);
}

static void a_reason_names_what_is_nearest(void **state)
{
    (void)state;
    assert_reason("60 req/min", "\"60 req/min\" is no limit; did you mean 60req/min?");
    assert_reason("60requests/minute",
                  "\"60requests/minute\" is no limit; did you mean 60req/min?");
    assert_reason("60rq/mni", "\"60rq/mni\" is no limit; did you mean 60req/min?");
    assert_reason("1,000,000 tokens/d",
                  "\"1,000,000 tokens/d\" is no limit; did you mean 1000000tok/day?");
    assert_reason("$10/month", "\"$10/month\" is no limit; did you mean 10usd/month?");
    assert_reason("$10", "\"$10\" is no limit; did you mean 10usd/month?");
    assert_reason("$//////////////////////////////////////",
                  "\"$//////////////////////////////////////\" is no limit; write as 60req/min, "
                  "1000000tok/day, 20parallel or 10usd/month");
    assert_reason("0.50 USD/Monthly",
                  "\"0.50 USD/Monthly\" is no limit; did you mean 0.5usd/month?");
    assert_reason("20paralel", "\"20paralel\" is no limit; did you mean 20parallel?");
    assert_reason("20concurrent", "\"20concurrent\" is no limit; did you mean 20parallel?");
    assert_reason("5tok/week",
                  "\"5tok/week\" is no limit; the window of tokens is min, hour or day");
    assert_reason("5usd/min", "\"5usd/min\" is no limit; the window of money is hour, day, week, "
                              "month or total");
    assert_reason("1e3req/min", "\"1e3req/min\" is no limit; write as 60req/min, 1000000tok/day, "
                                "20parallel or 10usd/month");
}

static void a_reason_shows_hostile_text_short_and_harmless(void **state)
{
    (void)state;
    struct reason reason;
    struct limit limit;
    char text[400];
    memset(text, 'x', sizeof(text));
    text[1] = '\x1b';
    text[2] = '\n';
    assert_int_equal(limit_parse(slice_of(text, sizeof(text)), &limit, &reason), STATUS_INVALID);
    assert_non_null(strstr(reason.text, "\"x??xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...\" is no"));
}

static void what_is_written_is_read_as_the_same(void **state)
{
    (void)state;
    static const struct limit kinds[LIMITS_MAX] = {
        {LIMIT_AMOUNT_MAX, LIMIT_REQUESTS, LIMIT_WINDOW_MINUTE},
        {LIMIT_AMOUNT_MAX, LIMIT_REQUESTS, LIMIT_WINDOW_HOUR},
        {LIMIT_AMOUNT_MAX, LIMIT_REQUESTS, LIMIT_WINDOW_DAY},
        {LIMIT_AMOUNT_MAX, LIMIT_TOKENS, LIMIT_WINDOW_MINUTE},
        {LIMIT_AMOUNT_MAX, LIMIT_TOKENS, LIMIT_WINDOW_HOUR},
        {LIMIT_AMOUNT_MAX, LIMIT_TOKENS, LIMIT_WINDOW_DAY},
        {LIMIT_PARALLEL_MAX, LIMIT_PARALLEL, LIMIT_WINDOW_NONE},
        {LIMIT_NANOUSD_MAX, LIMIT_MONEY, LIMIT_WINDOW_HOUR},
        {LIMIT_NANOUSD_MAX, LIMIT_MONEY, LIMIT_WINDOW_DAY},
        {LIMIT_NANOUSD_MAX, LIMIT_MONEY, LIMIT_WINDOW_WEEK},
        {LIMIT_NANOUSD_MAX, LIMIT_MONEY, LIMIT_WINDOW_MONTH},
        {LIMIT_NANOUSD_MAX, LIMIT_MONEY, LIMIT_WINDOW_TOTAL},
    };
    uint64_t seed = 7;
    for (unsigned i = 0; i < 2000; i++) {
        struct limits limits = {.count = 0}, again;
        char text[LIMITS_TEXT_BYTES];
        for (size_t j = 0; j < LIMITS_MAX; j++) {
            struct limit limit = kinds[j];
            if (i > 0)
                limit.amount = 1 + (next_number(&seed) >> number_below(&seed, 60)) % limit.amount;
            assert_int_equal(limits_add(&limits, &limit, NULL), STATUS_OK);
        }
        const unsigned size = limits_format(&limits, text);
        assert_int_equal(size, strlen(text));
        assert_int_equal(limits_parse(slice_of(text, size), &again, NULL), STATUS_OK);
        assert_int_equal(again.count, LIMITS_MAX);
        for (size_t j = 0; j < LIMITS_MAX; j++) {
            assert_int_equal(again.items[j].amount, limits.items[j].amount);
            assert_int_equal(again.items[j].kind, limits.items[j].kind);
            assert_int_equal(again.items[j].window, limits.items[j].window);
        }
    }
}

static void several_limits_are_joined_by_commas(void **state)
{
    (void)state;
    struct limits limits;
    char text[LIMITS_TEXT_BYTES];
    assert_int_equal(limits_parse(SLICE("60req/min,20parallel,0.10usd/day"), &limits, NULL),
                     STATUS_OK);
    assert_int_equal(limits.count, 3);
    assert_int_equal(limits_format(&limits, text), 31);
    assert_string_equal(text, "60req/min,20parallel,0.1usd/day");
    assert_int_equal(limits_parse(SLICE(""), &limits, NULL), STATUS_OK);
    assert_int_equal(limits.count, 0);
    assert_int_equal(limits_format(&limits, text), 0);
    assert_string_equal(text, "");
    static const char *const wrong[] = {",", "60req/min,", ",60req/min", "60req/min,,20parallel",
                                        "60req/min;20parallel"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        assert_int_equal(limits_parse(slice_from_text(wrong[i]), &limits, NULL), STATUS_INVALID);
    assert_int_equal(limits.count, 0);
}

static void one_kind_and_window_is_there_once(void **state)
{
    (void)state;
    struct limits limits = {.count = 0};
    struct reason reason;
    assert_int_equal(limits_parse(SLICE("60req/min,6req/hour,5req/min"), &limits, &reason),
                     STATUS_EXISTS);
    assert_string_equal(reason.text, "there is a limit of this kind and window already: 60req/min");
    assert_int_equal(limits.count, 0);
}

static void a_text_is_read_to_its_end_and_no_further(void **state)
{
    (void)state;
    static const char *const texts[] = {"1000000tok/day", "10.25usd/month", "20parallel",
                                        "$1,000.5/month", "99999999999999999999req/min"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        for (size_t size = 1; size < strlen(texts[i]); size++) {
            char *copy = alloc_bytes(size);
            struct reason reason;
            struct limit limit;
            memcpy(copy, texts[i], size);
            assert_int_not_equal(limit_parse(slice_of(copy, size), &limit, &reason), STATUS_OK);
            alloc_free(copy);
        }
    }
}

static void kinds_and_windows_have_names(void **state)
{
    (void)state;
    assert_string_equal(limit_kind_name(LIMIT_REQUESTS), "requests");
    assert_string_equal(limit_kind_name(LIMIT_TOKENS), "tokens");
    assert_string_equal(limit_kind_name(LIMIT_PARALLEL), "parallel");
    assert_string_equal(limit_kind_name(LIMIT_MONEY), "money");
    assert_string_equal(limit_window_name(LIMIT_WINDOW_MINUTE), "minute");
    assert_string_equal(limit_window_name(LIMIT_WINDOW_TOTAL), "total");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_form_is_read),
        cmocka_unit_test(what_is_no_limit_is_refused),
        cmocka_unit_test(more_than_a_limit_may_be_is_too_large),
        cmocka_unit_test(a_reason_names_what_is_nearest),
        cmocka_unit_test(a_reason_shows_hostile_text_short_and_harmless),
        cmocka_unit_test(what_is_written_is_read_as_the_same),
        cmocka_unit_test(several_limits_are_joined_by_commas),
        cmocka_unit_test(one_kind_and_window_is_there_once),
        cmocka_unit_test(a_text_is_read_to_its_end_and_no_further),
        cmocka_unit_test(kinds_and_windows_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
