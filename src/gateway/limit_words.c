#include "gateway/limit_words.h"

#include <stdio.h>

#include "base/clock.h"
#include "models/price_decimal.h"

#define NANOUSD_DIGITS 9

struct money {
    char text[PRICE_DECIMAL_TEXT_BYTES];
};

static struct slice dollars(uint64_t nanousd, struct money *money)
{
    return slice_of(money->text, price_decimal_format(nanousd, NANOUSD_DIGITS, money->text));
}

struct slice limit_words_limit(const struct limit *limit, char text[LIMIT_WORDS_LIMIT_BYTES])
{
    struct money money;
    const char *window = limit_window_name(limit->window);
    const unsigned long long amount = limit->amount;
    const char *plural = amount == 1 ? "" : "s";
    int size;
    if (limit->kind == LIMIT_PARALLEL)
        size = snprintf(text, LIMIT_WORDS_LIMIT_BYTES, "%llu request%s at a time", amount, plural);
    else if (limit->kind != LIMIT_MONEY)
        size = snprintf(text, LIMIT_WORDS_LIMIT_BYTES, "%llu %s%s per %s", amount,
                        limit->kind == LIMIT_REQUESTS ? "request" : "token", plural, window);
    else if (limit->window == LIMIT_WINDOW_TOTAL)
        size = snprintf(text, LIMIT_WORDS_LIMIT_BYTES, "%.*s USD in total",
                        SLICE_ARGS(dollars(limit->amount, &money)));
    else
        size = snprintf(text, LIMIT_WORDS_LIMIT_BYTES, "%.*s USD per %s",
                        SLICE_ARGS(dollars(limit->amount, &money)), window);
    return slice_of(text, (size_t)size);
}

static void say_rate(const struct admission_refusal *refusal, struct slice limit,
                     struct limit_words *words)
{
    const uint64_t ms = (refusal->retry_after_ns + NS_PER_MS - 1) / NS_PER_MS;
    (void)snprintf(words->text, sizeof(words->text),
                   "Rate limit reached for this %s: %.*s. Please try again in %llu.%03llus.",
                   level_kind_name(refusal->level), SLICE_ARGS(limit),
                   (unsigned long long)(ms / 1000), (unsigned long long)(ms % 1000));
}

static void say_budget(const struct admission_refusal *refusal,
                       const struct admission_demand *demand, const struct zone *zone,
                       struct slice limit, struct limit_words *words)
{
    struct money left, wanted;
    struct window window;
    char again[CLOCK_TEXT_BYTES] = "";
    window_at(refusal->limit.window, zone != NULL ? zone : zone_utc(), demand->now_us, &window);
    if (window.end_us != UINT64_MAX)
        (void)clock_format(window.end_us, 0, again);
    (void)snprintf(
        words->text, sizeof(words->text),
        "You exceeded your current quota: of this %s's budget of %.*s, %.*s USD is left, "
        "and this request may cost %.*s USD.%s%s%s",
        level_kind_name(refusal->level), SLICE_ARGS(limit),
        SLICE_ARGS(dollars(refusal->available, &left)),
        SLICE_ARGS(dollars(demand->cost_nanousd, &wanted)),
        again[0] != '\0' ? " It begins anew at " : "", again, again[0] != '\0' ? "." : "");
}

static void say_too_large(const struct admission_refusal *refusal,
                          const struct admission_demand *demand, struct slice limit,
                          struct limit_words *words)
{
    struct money wanted;
    const char *level = level_kind_name(refusal->level);
    if (refusal->limit.kind == LIMIT_MONEY)
        (void)snprintf(words->text, sizeof(words->text),
                       "This request may cost %.*s USD, more than this %s's whole budget of %.*s. "
                       "Ask for less output.",
                       SLICE_ARGS(dollars(demand->cost_nanousd, &wanted)), level,
                       SLICE_ARGS(limit));
    else
        (void)snprintf(words->text, sizeof(words->text),
                       "This request takes %llu tokens, more than this %s's whole limit of %.*s. "
                       "Shorten it or ask for less output.",
                       (unsigned long long)demand->tokens, level, SLICE_ARGS(limit));
}

void limit_words_refusal(const struct admission_refusal *refusal,
                         const struct admission_demand *demand, const struct zone *zone,
                         struct limit_words *words_out)
{
    char text[LIMIT_WORDS_LIMIT_BYTES];
    const struct slice limit = limit_words_limit(&refusal->limit, text);
    switch (refusal->verdict) {
    case ADMISSION_RATE:
        say_rate(refusal, limit, words_out);
        break;
    case ADMISSION_BUDGET:
        say_budget(refusal, demand, zone, limit, words_out);
        break;
    case ADMISSION_TOO_LARGE:
        say_too_large(refusal, demand, limit, words_out);
        break;
    default:
        (void)snprintf(words_out->text, sizeof(words_out->text),
                       "Rate limit reached for this %s: %.*s. Please try again when one has ended.",
                       level_kind_name(refusal->level), SLICE_ARGS(limit));
        break;
    }
}
