#include "models/cost.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "models/price_terms.h"

/* Monday, 23 November 2026, 00:00 UTC, and moments after it. */
#define MONDAY_US (UINT64_C(1795392000) * 1000000)
#define AT(day, hour, minute)                                                                      \
    (MONDAY_US + (((day) * 24 + (hour)) * 60 + (minute)) * UINT64_C(60000000))
#define LAST_US_BEFORE(moment) ((moment) - 1)

/* In dollars per million tokens, so that 1 USD per million is 1,000 nano-dollars a token. */
#define PLAIN "input=2.5;output=10;cache_read=1.25"
#define CLAUDE                                                                                     \
    "input=3;output=15;cache_read=0.3;cache_write=3.75;cache_write_1h=6;batch_input=1.5;"          \
    "batch_output=7.5;batch_cache_read=0.15;us_multiplier=1.1;fast_multiplier=2;web_search=0.01"
#define REASONS "input=2;output=8;reasoning=3"
#define TIERED                                                                                     \
    "input=4;output=20;cache_read=0.4;cache_write=5;"                                              \
    "input_above_200000=8;output_above_200000=30;cache_read_above_200000=0.8;"                     \
    "input_above_1000000=16;output_above_1000000=60"
#define CLASSES                                                                                    \
    "input=4;output=20;cache_read=0.4;batch_input=2;batch_output=10;flex_input=2.2;"               \
    "flex_output=11;flex_cache_read=0.22;priority_input=8;priority_output=40;"                     \
    "input_above_272000=8;output_above_272000=30;batch_input_above_272000=4;"                      \
    "batch_output_above_272000=15"
#define OFFPEAK                                                                                    \
    "input=0.3;output=1.2;cache_read=0.03;offpeak_input=0.15;offpeak_output=0.6;"                  \
    "offpeak_hours=12345 10:00-00:00,5 22:00-02:00,67 00:00-00:00"
#define SOUND                                                                                      \
    "input=2.5;output=10;audio_input=40;audio_output=80;audio_cache_read=2.5;cache_read=1.25"
#define PICTURES                                                                                   \
    "input=5;output=10;image_input=10;image_output=40;image_cache_read=2.5;cache_read=1.25"
#define FRACTION "input=0.0625;output=0.25"

struct request {
    const char *what;
    const char *terms; /* NULL: a free provider */
    struct usage usage;
    int64_t nanousd;
};

static const struct request requests[] = {
    /* 1,000 × 2,500 + 200 × 10,000 */
    {"plain", PLAIN, {.input_tokens = 1000, .output_tokens = 200}, 4500000},
    /* 400 × 2,500 + 600 × 1,250 + 200 × 10,000 */
    {"cached", PLAIN, {.input_tokens = 1000, .cached_tokens = 600, .output_tokens = 200}, 3750000},
    /* all of it: 1,000 × 1,250 */
    {"cached whole", PLAIN, {.input_tokens = 1000, .cached_tokens = 1000}, 1250000},
    /* 100 × 3,000 + 500 × 300 + 2,000 × 3,750 + 50 × 15,000 = 300,000 + 150,000 + 7,500,000 +
     * 750,000 */
    {"written for 5 minutes",
     CLAUDE,
     {.input_tokens = 2600, .cached_tokens = 500, .cache_write_tokens = 2000, .output_tokens = 50},
     8700000},
    /* 100 × 3,000 + 2,000 × 3,750 + 1,000 × 6,000 + 50 × 15,000 = 300,000 + 7,500,000 + 6,000,000 +
     * 750,000 */
    {"written for an hour too",
     CLAUDE,
     {.input_tokens = 3100,
      .cache_write_tokens = 2000,
      .cache_write_1h_tokens = 1000,
      .output_tokens = 50},
     14550000},
    /* 10 × 2,000 + 700 × 3,000 + 300 × 8,000 */
    {"reasoning at its own price",
     REASONS,
     {.input_tokens = 10, .output_tokens = 1000, .reasoning_tokens = 700},
     4520000},
    /* 10 × 2,500 + 1,000 × 10,000, of which 700 reasoned */
    {"reasoning as output",
     PLAIN,
     {.input_tokens = 10, .output_tokens = 1000, .reasoning_tokens = 700},
     10025000},
    /* 199,999 × 4,000 + 100 × 20,000 */
    {"just below the threshold", TIERED, {.input_tokens = 199999, .output_tokens = 100}, 801996000},
    /* 200,000 × 4,000 + 100 × 20,000 */
    {"at the threshold", TIERED, {.input_tokens = 200000, .output_tokens = 100}, 802000000},
    /* the whole of it: 200,001 × 8,000 + 100 × 30,000 */
    {"just above the threshold",
     TIERED,
     {.input_tokens = 200001, .output_tokens = 100},
     1603008000},
    /* 1,001 × 8,000 + 199,000 × 800 + 100 × 30,000 = 8,008,000 + 159,200,000 + 3,000,000 */
    {"cached tokens count towards the threshold",
     TIERED,
     {.input_tokens = 200001, .cached_tokens = 199000, .output_tokens = 100},
     170208000},
    /* 1,000,000 × 8,000 + 1 × 30,000 */
    {"at the second threshold", TIERED, {.input_tokens = 1000000, .output_tokens = 1}, 8000030000},
    /* 1,000,001 × 16,000 + 1 × 60,000 */
    {"in the second tier", TIERED, {.input_tokens = 1000001, .output_tokens = 1}, 16000076000},
    /* 8,191 × 20 */
    {"embeddings", "input=0.02", {.input_tokens = 8191}, 163820},
    {"nothing used", PLAIN, {0}, 0},
    {"nothing known and nothing used", "output=1", {0}, 0},
    {"a free provider",
     NULL,
     {.input_tokens = 123456, .output_tokens = 7890, .web_searches = 2},
     0},
    {"a free provider in a class, pinned and fast",
     NULL,
     {.input_tokens = 1,
      .audio_ms = 5,
      .service_class = PRICE_BATCH,
      .pin = COST_PIN_US,
      .is_fast = true},
     0},
    {"a price of zero", "input=0;output=0", {.input_tokens = 123456, .output_tokens = 7890}, 0},
    /* 5,000,000 + 100 × 1,000 + 10 × 1,000 */
    {"a part for each request",
     "input=1;output=1;per_request=0.005",
     {.input_tokens = 100, .output_tokens = 10},
     5110000},
    /* 1,000 × 2,000 + 100 × 10,000 */
    {"batch",
     CLASSES,
     {.input_tokens = 1000, .output_tokens = 100, .service_class = PRICE_BATCH},
     3000000},
    /* 272,001 × 4,000 + 100 × 15,000 */
    {"batch above the threshold",
     CLASSES,
     {.input_tokens = 272001, .output_tokens = 100, .service_class = PRICE_BATCH},
     1089504000},
    /* 600 × 2,200 + 400 × 220 + 100 × 11,000 = 1,320,000 + 88,000 + 1,100,000 */
    {"flex",
     CLASSES,
     {.input_tokens = 1000,
      .cached_tokens = 400,
      .output_tokens = 100,
      .service_class = PRICE_FLEX},
     2508000},
    /* 1,000 × 8,000 + 100 × 40,000 */
    {"priority",
     CLASSES,
     {.input_tokens = 1000, .output_tokens = 100, .service_class = PRICE_PRIORITY},
     12000000},
    /* Monday 09:00: 1,000 × 300 + 100 × 1,200 */
    {"outside the cheap hours",
     OFFPEAK,
     {.input_tokens = 1000, .output_tokens = 100, .time_us = AT(0, 9, 0)},
     420000},
    /* Monday 12:00: 1,000 × 150 + 100 × 600; what is cached costs what it does at all hours: 50 × 30 */
    {"in the cheap hours",
     OFFPEAK,
     {.input_tokens = 1050, .cached_tokens = 50, .output_tokens = 100, .time_us = AT(0, 12, 0)},
     211500},
    /* 10:00: in; a microsecond earlier: not yet */
    {"as the cheap hours begin", OFFPEAK, {.input_tokens = 1000, .time_us = AT(0, 10, 0)}, 150000},
    {"just before they begin",
     OFFPEAK,
     {.input_tokens = 1000, .time_us = LAST_US_BEFORE(AT(0, 10, 0))},
     300000},
    /* they end at midnight */
    {"just before they end",
     OFFPEAK,
     {.input_tokens = 1000, .time_us = LAST_US_BEFORE(AT(1, 0, 0))},
     150000},
    {"as they end", OFFPEAK, {.input_tokens = 1000, .time_us = AT(1, 0, 0)}, 300000},
    /* Saturday and Sunday whole; Sunday's end is Monday's beginning */
    {"at the end of the week",
     OFFPEAK,
     {.input_tokens = 1000, .time_us = LAST_US_BEFORE(AT(7, 0, 0))},
     150000},
    {"as the week begins", OFFPEAK, {.input_tokens = 1000, .time_us = AT(7, 0, 0)}, 300000},
    /* (1,000 × 3,000 + 100 × 15,000) × 1.1 */
    {"pinned to the US",
     CLAUDE,
     {.input_tokens = 1000, .output_tokens = 100, .pin = COST_PIN_US},
     4950000},
    /* no factor for the EU is stated: 1 */
    {"pinned to the EU",
     CLAUDE,
     {.input_tokens = 1000, .output_tokens = 100, .pin = COST_PIN_EU},
     4500000},
    /* (1,000 × 3,000 + 100 × 15,000) × 2 */
    {"fast", CLAUDE, {.input_tokens = 1000, .output_tokens = 100, .is_fast = true}, 9000000},
    /* 4,500,000 × 1.1 × 2 */
    {"fast and pinned",
     CLAUDE,
     {.input_tokens = 1000, .output_tokens = 100, .pin = COST_PIN_US, .is_fast = true},
     9900000},
    /* 100 × 2,500 + 400 × 40,000 + 20 × 10,000 + 300 × 80,000 = 250,000 + 16,000,000 + 200,000 +
     * 24,000,000 */
    {"sound",
     SOUND,
     {.input_tokens = 500,
      .audio_input_tokens = 400,
      .output_tokens = 320,
      .audio_output_tokens = 300},
     40450000},
    /* prompt 1,000: 600 sound (200 of it cached), 400 text (100 of it cached): 300 × 2,500 + 400 ×
     * 40,000 + 100 × 1,250 + 200 × 2,500 = 750,000 + 16,000,000 + 125,000 + 500,000 */
    {"sound, partly cached",
     SOUND,
     {.input_tokens = 1000,
      .audio_input_tokens = 600,
      .cached_tokens = 300,
      .cached_audio_tokens = 200},
     17375000},
    /* 50 × 5,000 + 300 × 10,000 + 4,160 × 40,000 = 250,000 + 3,000,000 + 166,400,000 */
    {"a picture by its tokens",
     PICTURES,
     {.input_tokens = 350,
      .image_input_tokens = 300,
      .output_tokens = 4160,
      .image_output_tokens = 4160,
      .images_made = 1,
      .images_read = 1},
     169650000},
    /* 3 × 42,000,000, the tokens are for information */
    {"pictures by the piece",
     "per_image=0.042",
     {.input_tokens = 20, .output_tokens = 12480, .image_output_tokens = 12480, .images_made = 3},
     126000000},
    /* the tokens of the picture have a price, so the picture has none: 20 × 300 + 1,290 × 30,000 */
    {"a picture that has both prices",
     "input=0.3;output=2.5;image_output=30;per_image=0.039",
     {.input_tokens = 20, .output_tokens = 1290, .image_output_tokens = 1290, .images_made = 1},
     38706000},
    /* 1,000 × 100 + 2 × 100,000 */
    {"pictures read, beside tokens",
     "input=0.1;per_image_read=0.0001",
     {.input_tokens = 1000, .images_read = 2},
     300000},
    /* pictures read have no price of their own: they are in the tokens; 1,000 × 2,500 */
    {"pictures read, in the tokens", PLAIN, {.input_tokens = 1000, .images_read = 2}, 2500000},
    /* 12.345 s × 100,000 */
    {"seconds", "per_second=0.0001", {.audio_ms = 12345}, 1234500},
    /* 1 s at 0.000283333333333: 283,333.333333 rounded */
    {"a second at a price of 15 digits",
     "per_second=0.000283333333333",
     {.audio_ms = 1000},
     283333},
    /* tokens go before seconds where the answer carries them: 500 × 6,000 */
    {"seconds beside tokens",
     "input=6;output=10;per_second=0.0001",
     {.input_tokens = 500, .audio_ms = 12345},
     3000000},
    /* 1,000 × 15,000 */
    {"characters", "per_character=0.000015", {.characters = 1000}, 15000000},
    /* 3 × 2,000,000, and 0 for the tokens */
    {"searches of a rerank",
     "input=0;output=0;per_query=0.002",
     {.input_tokens = 4000, .queries = 3},
     6000000},
    /* a rerank billed by tokens: 4,000 × 20 */
    {"a rerank by tokens", "input=0.02", {.input_tokens = 4000, .queries = 1}, 80000},
    /* 1,000 × 3,000 + 3 × 10,000,000 */
    {"web searches", CLAUDE, {.input_tokens = 1000, .web_searches = 3}, 33000000},
    /* 8 + 5 + 12 thousandths of a dollar: 2 × 4,000,000 + 5,000,000 + 12,000,000 */
    {"web searches by their context",
     "web_search=0.005;web_search_low=0.004;web_search_high=0.012",
     {.web_searches = 1, .web_searches_low = 2, .web_searches_high = 1},
     25000000},
    /* low is as medium where it is not stated: 2 × 10,000,000 */
    {"web searches with a low context", CLAUDE, {.web_searches_low = 2}, 20000000},
    /* 1,000,001 × 62.5 = 62,500,062.5, a half: to the even 62,500,062 */
    {"62.5 a token, rounded down to even", FRACTION, {.input_tokens = 1000001}, 62500062},
    /* 3 × 62.5 = 187.5, a half: to the even 188 */
    {"62.5 a token, rounded up to even", FRACTION, {.input_tokens = 3}, 188},
    /* 1 × 62.5 = 62.5: 62 */
    {"a single token at 62.5", FRACTION, {.input_tokens = 1}, 62},
    /* 62.5 + 62.5: rounded once, not twice */
    {"two halves are a whole",
     "input=0.0625;output=0.0625",
     {.input_tokens = 1, .output_tokens = 1},
     125},
    /* 1 × 62.5 × 1.1 = 68.75: 69 */
    {"a factor is applied before rounding",
     "input=0.0625;us_multiplier=1.1",
     {.input_tokens = 1, .pin = COST_PIN_US},
     69},
    /* 0.499999 and 0.500001 */
    {"just under a half", "input=0.000499999", {.input_tokens = 1}, 0},
    {"just over a half", "input=0.000500001", {.input_tokens = 1}, 1},
    /* 2^63 × 1 / 1,000,000 = 9,223,372,036,854.775808: rounded up */
    {"2^63 tokens at the smallest price",
     "input=0.000000001",
     {.input_tokens = UINT64_C(1) << 63},
     9223372036855},
    /* 2^63 - 1 at 1 nano-dollar a token is exactly INT64_MAX */
    {"the largest cost that fits", "input=0.001", {.input_tokens = INT64_MAX}, INT64_MAX},
};

static struct price price_of(const char *terms)
{
    struct price price;
    struct reason reason = {""};
    if (terms == NULL)
        price_init_free(&price);
    else if (price_read(slice_from_text(terms), &price, &reason) != STATUS_OK)
        fail_msg("%s: %s", terms, reason.text);
    return price;
}

static void each_request_costs_what_was_worked_out_by_hand(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
        const struct request *request = &requests[i];
        const struct price price = price_of(request->terms);
        struct cost cost;
        const enum status status = cost_compute(&price, &request->usage, &cost);
        if (status != STATUS_OK || cost.nanousd != request->nanousd)
            fail_msg("%s: %s, %lld instead of %lld", request->what, status_name(status),
                     (long long)cost.nanousd, (long long)request->nanousd);
        assert_false(cost.is_inconsistent);
    }
}

static void assert_missing(const char *terms, struct usage usage, enum price_part part)
{
    const struct price price = price_of(terms);
    struct cost cost;
    assert_int_equal(cost_compute(&price, &usage, &cost), STATUS_NOT_FOUND);
    assert_int_equal(cost.missing, part);
    assert_int_equal(cost.nanousd, 0);
}

static void what_has_no_known_price_is_named_and_is_not_free(void **state)
{
    (void)state;
    assert_missing("output=1", (struct usage){.input_tokens = 1}, PRICE_INPUT);
    assert_missing("input=1", (struct usage){.input_tokens = 1, .output_tokens = 1}, PRICE_OUTPUT);
    assert_missing("input=1", (struct usage){.input_tokens = 2, .cached_tokens = 1},
                   PRICE_CACHE_READ);
    assert_missing(PLAIN, (struct usage){.input_tokens = 2, .cache_write_tokens = 1},
                   PRICE_CACHE_WRITE);
    assert_missing("input=1;cache_write=1",
                   (struct usage){.input_tokens = 2, .cache_write_1h_tokens = 1},
                   PRICE_CACHE_WRITE_1H);
    assert_missing(CLAUDE, (struct usage){.input_tokens = 2, .cache_write_12h_tokens = 1},
                   PRICE_CACHE_WRITE_12H);
    assert_missing(PLAIN, (struct usage){.input_tokens = 2, .audio_input_tokens = 1},
                   PRICE_AUDIO_INPUT);
    assert_missing(PLAIN, (struct usage){.output_tokens = 2, .audio_output_tokens = 1},
                   PRICE_AUDIO_OUTPUT);
    assert_missing(PLAIN, (struct usage){.output_tokens = 2, .image_output_tokens = 1},
                   PRICE_IMAGE_OUTPUT);
    assert_missing(PLAIN, (struct usage){.input_tokens = 2, .web_searches = 1}, PRICE_WEB_SEARCH);
    assert_missing(PLAIN, (struct usage){.images_made = 1}, PRICE_IMAGE);
    assert_missing(PLAIN, (struct usage){.audio_ms = 1}, PRICE_SECOND);
    assert_missing(PLAIN, (struct usage){.characters = 1}, PRICE_CHARACTER);
    assert_missing(PLAIN, (struct usage){.queries = 1}, PRICE_QUERY);
    assert_missing("output=1", (struct usage){.input_tokens = 5, .audio_ms = 1}, PRICE_INPUT);
}

static void a_class_or_a_mode_without_a_price_is_unknown(void **state)
{
    (void)state;
    const struct usage in_batch = {.input_tokens = 1, .service_class = PRICE_BATCH};
    assert_missing(PLAIN, in_batch, PRICE_INPUT);
    /* The batch class does not say what it takes for cache reads. */
    assert_missing(
        CLASSES,
        (struct usage){.input_tokens = 2, .cached_tokens = 1, .service_class = PRICE_BATCH},
        PRICE_CACHE_READ);
    /* The priority class has no price for prompts so long. */
    assert_missing(CLASSES, (struct usage){.input_tokens = 272001, .service_class = PRICE_PRIORITY},
                   PRICE_INPUT);
    /* The second tier does not say what it takes for cache reads. */
    assert_missing(TIERED, (struct usage){.input_tokens = 1000001, .cached_tokens = 1},
                   PRICE_CACHE_READ);
    assert_missing(PLAIN, (struct usage){.input_tokens = 1, .is_fast = true}, PRICE_PARTS);
}

static void the_tier_and_the_hours_that_priced_it_are_told(void **state)
{
    (void)state;
    const struct price tiered = price_of(TIERED), offpeak = price_of(OFFPEAK);
    struct usage usage = {.input_tokens = 200001, .time_us = AT(0, 12, 0)};
    struct cost cost;
    assert_int_equal(cost_compute(&tiered, &usage, &cost), STATUS_OK);
    assert_int_equal(cost.above_tokens, 200000);
    assert_false(cost.is_offpeak);
    assert_int_equal(cost_compute(&offpeak, &usage, &cost), STATUS_OK);
    assert_int_equal(cost.above_tokens, 0);
    assert_true(cost.is_offpeak);
}

static void assert_inconsistent(const char *terms, struct usage usage, int64_t nanousd)
{
    const struct price price = price_of(terms);
    struct cost cost;
    assert_int_equal(cost_compute(&price, &usage, &cost), STATUS_OK);
    assert_true(cost.is_inconsistent);
    assert_int_equal(cost.nanousd, nanousd);
}

static void parts_above_the_whole_are_billed_and_the_rest_is_not_negative(void **state)
{
    (void)state;
    /* 600 × 1,250 + 100 × 10,000 */
    assert_inconsistent(
        PLAIN, (struct usage){.input_tokens = 500, .cached_tokens = 600, .output_tokens = 100},
        1750000);
    /* 10 × 8,000 is less than 20 × 3,000 that reasoned */
    assert_inconsistent(REASONS, (struct usage){.output_tokens = 10, .reasoning_tokens = 20},
                        60000);
    /* 10 × 2,500 + 0 × 1,250, of sound that was cached without being cached */
    assert_inconsistent(
        SOUND,
        (struct usage){.input_tokens = 10, .audio_input_tokens = 10, .cached_audio_tokens = 10},
        25000);
    /* The parts are what the threshold is for: 200,001 × 800 */
    assert_inconsistent(TIERED, (struct usage){.input_tokens = 1, .cached_tokens = 200001},
                        160000800);
}

static void assert_too_large(const char *terms, struct usage usage)
{
    const struct price price = price_of(terms);
    struct cost cost;
    assert_int_equal(cost_compute(&price, &usage, &cost), STATUS_TOO_LARGE);
    assert_int_equal(cost.nanousd, INT64_MAX);
}

static void what_does_not_fit_is_the_largest_and_says_so(void **state)
{
    (void)state;
    const struct usage most = {.input_tokens = UINT64_MAX,
                               .output_tokens = UINT64_MAX,
                               .web_searches = UINT64_MAX,
                               .pin = COST_PIN_US,
                               .is_fast = true};
    assert_too_large("input=0.001", (struct usage){.input_tokens = UINT64_C(1) << 63});
    assert_too_large(CLAUDE, (struct usage){.input_tokens = UINT64_C(1) << 63});
    assert_too_large(CLAUDE, most);
    assert_too_large("input=18446744073.709551614;output=18446744073.709551614;web_search=18446;"
                     "us_multiplier=1000;fast_multiplier=1000",
                     most);
    /* A step beyond the last that fits, which is in the table. */
    assert_too_large(
        "input=0.001;us_multiplier=1.1",
        (struct usage){.input_tokens = UINT64_C(9000000000000000000), .pin = COST_PIN_US});
}

/* Products and sums that would be 0 if they wrapped at 128 bits. */
static void nothing_wraps_on_the_way(void **state)
{
    (void)state;
    /* Twice 2^63 × (2^64 - 2), and 2^33 × 2^32. */
    assert_too_large("input=18446744073.709551614;output=18446744073.709551614;"
                     "cache_read=4.294967296",
                     (struct usage){.input_tokens = (UINT64_C(1) << 63) + (UINT64_C(1) << 33),
                                    .cached_tokens = UINT64_C(1) << 33,
                                    .output_tokens = UINT64_C(1) << 63});
    /* 2^63 × 2^62 × 1,000 */
    assert_too_large("input=4611686018.427387904",
                     (struct usage){.input_tokens = UINT64_C(1) << 63});
    /* 2^60 × 2^58 × 1,000 × 10,000,000 */
    assert_too_large("input=288230376.151711744;us_multiplier=1000",
                     (struct usage){.input_tokens = UINT64_C(1) << 60, .pin = COST_PIN_US});
}

static void counts_that_add_up_beyond_64_bits_are_inconsistent_not_wrapped(void **state)
{
    (void)state;
    assert_inconsistent("input=0;output=0;cache_read=0;cache_write=0;cache_write_1h=0",
                        (struct usage){.input_tokens = 5,
                                       .cached_tokens = UINT64_MAX,
                                       .cache_write_tokens = UINT64_MAX,
                                       .cache_write_1h_tokens = UINT64_MAX},
                        0);
    /* UINT64_MAX + 6 would be 5. */
    assert_inconsistent(
        "input=0;cache_read=0;cache_write=0",
        (struct usage){.input_tokens = 5, .cached_tokens = UINT64_MAX, .cache_write_tokens = 6}, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_request_costs_what_was_worked_out_by_hand),
        cmocka_unit_test(what_has_no_known_price_is_named_and_is_not_free),
        cmocka_unit_test(a_class_or_a_mode_without_a_price_is_unknown),
        cmocka_unit_test(the_tier_and_the_hours_that_priced_it_are_told),
        cmocka_unit_test(parts_above_the_whole_are_billed_and_the_rest_is_not_negative),
        cmocka_unit_test(what_does_not_fit_is_the_largest_and_says_so),
        cmocka_unit_test(nothing_wraps_on_the_way),
        cmocka_unit_test(counts_that_add_up_beyond_64_bits_are_inconsistent_not_wrapped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
