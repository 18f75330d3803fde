#include "gateway/limit_words.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/clock.h"

static struct limit limit_of(const char *text)
{
    struct limit limit;
    struct reason reason;
    assert_int_equal(limit_parse(slice_from_text(text), &limit, &reason), STATUS_OK);
    return limit;
}

static void a_limit_is_said_in_words(void **state)
{
    static const struct {
        const char *limit, *words;
    } cases[] = {
        {"60req/min", "60 requests per minute"}, {"1000tok/day", "1000 tokens per day"},
        {"20parallel", "20 requests at a time"}, {"10.5usd/month", "10.5 USD per month"},
        {"10usd/total", "10 USD in total"},      {"1req/min", "1 request per minute"},
        {"1tok/day", "1 token per day"},         {"1parallel", "1 request at a time"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct limit limit = limit_of(cases[i].limit);
        char text[LIMIT_WORDS_LIMIT_BYTES];
        const struct slice words = limit_words_limit(&limit, text);
        assert_true(slice_equal(words, slice_from_text(cases[i].words)));
    }
}

static void a_refusal_says_whose_limit_it_is_and_when_to_come_back(void **state)
{
    const struct admission_demand demand = {
        .now_us = UINT64_C(1769860800) * US_PER_S, .tokens = 70000, .cost_nanousd = 2500000000};
    struct admission_refusal refusal = {.verdict = ADMISSION_RATE,
                                        .level = LEVEL_USER,
                                        .limit = limit_of("60req/min"),
                                        .retry_after_ns = 1234000001};
    struct limit_words words;
    (void)state;
    limit_words_refusal(&refusal, &demand, NULL, &words);
    assert_string_equal(words.text, "Rate limit reached for this user: 60 requests per minute. "
                                    "Please try again in 1.235s.");
    refusal = (struct admission_refusal){.verdict = ADMISSION_BUDGET,
                                         .level = LEVEL_TEAM,
                                         .limit = limit_of("10usd/month"),
                                         .available = 500000000};
    limit_words_refusal(&refusal, &demand, NULL, &words);
    assert_string_equal(words.text,
                        "You exceeded your current quota: of this team's budget of 10 USD per "
                        "month, 0.5 USD is left, and this request may cost 2.5 USD. It begins anew "
                        "at 2026-02-01T00:00:00Z.");
    refusal.limit = limit_of("10usd/total");
    limit_words_refusal(&refusal, &demand, NULL, &words);
    assert_null(strstr(words.text, "anew"));
    refusal.verdict = ADMISSION_TOO_LARGE;
    refusal.limit = limit_of("1usd/day");
    limit_words_refusal(&refusal, &demand, NULL, &words);
    assert_non_null(strstr(words.text, "may cost 2.5 USD, more than this team's whole budget"));
    refusal.limit = limit_of("60000tok/min");
    limit_words_refusal(&refusal, &demand, NULL, &words);
    assert_non_null(strstr(words.text, "takes 70000 tokens, more than this team's whole limit"));
    refusal.verdict = ADMISSION_PARALLEL;
    refusal.limit = limit_of("3parallel");
    limit_words_refusal(&refusal, &demand, NULL, &words);
    assert_non_null(strstr(words.text, "3 requests at a time"));
}

static void the_longest_words_fit(void **state)
{
    const struct admission_demand demand = {.now_us = UINT64_C(253402300000) * US_PER_S,
                                            .cost_nanousd = UINT64_C(99999999999999999)};
    const struct admission_refusal refusal = {
        .verdict = ADMISSION_BUDGET,
        .level = LEVEL_PROVIDER,
        .limit = {UINT64_C(99999999999999999), LIMIT_MONEY, LIMIT_WINDOW_MONTH},
        .available = UINT64_C(99999999999999998)};
    struct limit_words words;
    (void)state;
    limit_words_refusal(&refusal, &demand, NULL, &words);
    assert_int_equal(words.text[strlen(words.text) - 1], '.');
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_limit_is_said_in_words),
        cmocka_unit_test(a_refusal_says_whose_limit_it_is_and_when_to_come_back),
        cmocka_unit_test(the_longest_words_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
