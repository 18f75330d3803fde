#include "models/cost.h"

/* 2^127 is above any count × rate, and their sums are checked. */
__extension__ typedef unsigned __int128 wide;

/* Rates are per million, and seconds are counted in thousandths. */
#define UNITS_PER_RATE  UINT64_C(1000000)
#define MS_PER_SECOND   UINT64_C(1000)
#define SUM_PER_NANOUSD (UNITS_PER_RATE * MS_PER_SECOND)

/* One request on its way to its cost. */
struct bill {
    const struct price *price;
    const struct usage *usage;
    struct price_rates rates;
    uint64_t counts[PRICE_PARTS]; /* PRICE_SECOND in milliseconds */
    struct cost *cost;
};

static uint64_t plus(uint64_t a, uint64_t b)
{
    uint64_t sum;
    return __builtin_add_overflow(a, b, &sum) ? UINT64_MAX : sum;
}

/* What is left of a whole when its parts are taken off. */
static uint64_t rest_of(struct bill *bill, uint64_t whole, uint64_t parts)
{
    if (parts > whole) {
        bill->cost->is_inconsistent = true;
        return 0;
    }
    return whole - parts;
}

/* All but PRICE_INPUT, which is what they leave. */
static const enum price_part prompt_parts[] = {
    PRICE_CACHE_READ,     PRICE_AUDIO_CACHE_READ, PRICE_IMAGE_CACHE_READ, PRICE_CACHE_WRITE,
    PRICE_CACHE_WRITE_1H, PRICE_CACHE_WRITE_12H,  PRICE_AUDIO_INPUT,      PRICE_IMAGE_INPUT,
};

static uint64_t written_tokens(const struct usage *usage)
{
    return plus(usage->cache_write_tokens,
                plus(usage->cache_write_1h_tokens, usage->cache_write_12h_tokens));
}

static void count_prompt(struct bill *bill)
{
    const struct usage *usage = bill->usage;
    uint64_t *counts = bill->counts;
    counts[PRICE_AUDIO_CACHE_READ] = usage->cached_audio_tokens;
    counts[PRICE_IMAGE_CACHE_READ] = usage->cached_image_tokens;
    counts[PRICE_CACHE_READ] = rest_of(
        bill, usage->cached_tokens, plus(usage->cached_audio_tokens, usage->cached_image_tokens));
    counts[PRICE_AUDIO_INPUT] =
        rest_of(bill, usage->audio_input_tokens, usage->cached_audio_tokens);
    counts[PRICE_IMAGE_INPUT] =
        rest_of(bill, usage->image_input_tokens, usage->cached_image_tokens);
    counts[PRICE_CACHE_WRITE] = usage->cache_write_tokens;
    counts[PRICE_CACHE_WRITE_1H] = usage->cache_write_1h_tokens;
    counts[PRICE_CACHE_WRITE_12H] = usage->cache_write_12h_tokens;
    uint64_t parts = 0;
    for (size_t i = 0; i < sizeof(prompt_parts) / sizeof(prompt_parts[0]); i++)
        parts = plus(parts, counts[prompt_parts[i]]);
    counts[PRICE_INPUT] = rest_of(bill, usage->input_tokens, parts);
}

static void count_answer(struct bill *bill)
{
    const struct usage *usage = bill->usage;
    uint64_t *counts = bill->counts;
    counts[PRICE_REASONING] = usage->reasoning_tokens;
    counts[PRICE_AUDIO_OUTPUT] = usage->audio_output_tokens;
    counts[PRICE_IMAGE_OUTPUT] = usage->image_output_tokens;
    counts[PRICE_OUTPUT] = rest_of(bill, usage->output_tokens,
                                   plus(usage->reasoning_tokens, plus(usage->audio_output_tokens,
                                                                      usage->image_output_tokens)));
}

static bool is_known(const struct bill *bill, enum price_part part)
{
    return bill->rates.of[part] != PRICE_UNKNOWN;
}

static bool has_tokens(const struct bill *bill)
{
    for (size_t part = 0; part < PRICE_TOKEN_PARTS; part++) {
        if (bill->counts[part] > 0)
            return true;
    }
    return false;
}

/* Whether some of the tokens have a price, so that it is by tokens that the model is billed. */
static bool is_billed_by_tokens(const struct bill *bill)
{
    for (size_t part = 0; part < PRICE_TOKEN_PARTS; part++) {
        if (bill->counts[part] > 0 && is_known(bill, (enum price_part)part))
            return true;
    }
    return false;
}

/* A model billed by the piece reports tokens for information only. */
static void count_pieces(struct bill *bill, enum price_part part, uint64_t count)
{
    if (!is_billed_by_tokens(bill))
        memset(bill->counts, 0, PRICE_TOKEN_PARTS * sizeof(bill->counts[0]));
    bill->counts[part] = count;
}

/* Seconds and characters are billed instead of tokens; those go first where they have a price. */
static void count_instead_of_tokens(struct bill *bill, enum price_part part, uint64_t count)
{
    if (count > 0 && !is_billed_by_tokens(bill) && (is_known(bill, part) || !has_tokens(bill)))
        count_pieces(bill, part, count);
}

/* Pictures and queries are billed beside tokens, or are in their price. */
static void count_beside_tokens(struct bill *bill, enum price_part part, uint64_t count)
{
    if (count > 0 && (is_known(bill, part) || !is_billed_by_tokens(bill)))
        count_pieces(bill, part, count);
}

/* Pictures whose tokens have a price are billed by these alone. */
static void count_images(struct bill *bill, enum price_part part, enum price_part tokens,
                         uint64_t count)
{
    if (bill->counts[tokens] == 0 || !is_known(bill, tokens))
        count_beside_tokens(bill, part, count);
}

static void count_pieces_of(struct bill *bill)
{
    const struct usage *usage = bill->usage;
    count_instead_of_tokens(bill, PRICE_SECOND, usage->audio_ms);
    count_instead_of_tokens(bill, PRICE_CHARACTER, usage->characters);
    count_images(bill, PRICE_IMAGE, PRICE_IMAGE_OUTPUT, usage->images_made);
    count_images(bill, PRICE_IMAGE_READ, PRICE_IMAGE_INPUT, usage->images_read);
    count_beside_tokens(bill, PRICE_QUERY, usage->queries);
    bill->counts[PRICE_WEB_SEARCH] = usage->web_searches;
    bill->counts[PRICE_WEB_SEARCH_LOW] = usage->web_searches_low;
    bill->counts[PRICE_WEB_SEARCH_HIGH] = usage->web_searches_high;
    bill->counts[PRICE_REQUEST] = 1;
}

/* The factor in ten-thousandths; false: unknown. */
static bool factor_of(const struct price *price, enum price_factor factor, uint32_t *factor_out)
{
    *factor_out = price->factors[factor];
    if (*factor_out == 0 && factor != PRICE_FACTOR_FAST)
        *factor_out = PRICE_FACTOR_ONE;
    return *factor_out > 0;
}

/* Adds count × rate of one part. */
static enum status add_part(struct bill *bill, enum price_part part, wide *sum)
{
    if (bill->counts[part] == 0)
        return STATUS_OK;
    if (!is_known(bill, part)) {
        bill->cost->missing = part;
        return STATUS_NOT_FOUND;
    }
    const wide product = (wide)bill->counts[part] * bill->rates.of[part];
    return __builtin_add_overflow(*sum, product, sum) ? STATUS_TOO_LARGE : STATUS_OK;
}

/* Sets *sum_out, in billionths of a nano-dollar. What is unknown goes before what is too large. */
static enum status add_up(struct bill *bill, wide *sum_out)
{
    enum status worst = STATUS_OK;
    wide sum = 0;
    for (size_t part = 0; part < PRICE_PARTS; part++) {
        const enum status status =
            part != PRICE_SECOND ? add_part(bill, (enum price_part)part, &sum) : STATUS_OK;
        if (status == STATUS_NOT_FOUND)
            return status;
        if (status != STATUS_OK)
            worst = status;
    }
    if (__builtin_mul_overflow(sum, MS_PER_SECOND, &sum))
        worst = STATUS_TOO_LARGE;
    const enum status status = add_part(bill, PRICE_SECOND, &sum);
    *sum_out = sum;
    return status != STATUS_OK ? status : worst;
}

static enum status apply_factor(struct bill *bill, enum price_factor factor, wide *sum,
                                uint64_t *divisor)
{
    uint32_t ten_thousandths;
    if (!factor_of(bill->price, factor, &ten_thousandths)) {
        bill->cost->missing = PRICE_PARTS;
        return STATUS_NOT_FOUND;
    }
    if (__builtin_mul_overflow(*sum, ten_thousandths, sum))
        return STATUS_TOO_LARGE;
    *divisor *= PRICE_FACTOR_ONE;
    return STATUS_OK;
}

/* What does not fit 128 bits before the division, by at most 10^17, is above INT64_MAX after it. */
static enum status apply_factors(struct bill *bill, wide *sum, uint64_t *divisor)
{
    const struct usage *usage = bill->usage;
    enum status status = STATUS_OK;
    if (bill->price->is_free)
        return STATUS_OK;
    if (usage->pin != COST_PIN_NONE)
        status = apply_factor(bill, usage->pin == COST_PIN_US ? PRICE_FACTOR_US : PRICE_FACTOR_EU,
                              sum, divisor);
    if (status == STATUS_OK && usage->is_fast)
        status = apply_factor(bill, PRICE_FACTOR_FAST, sum, divisor);
    return status;
}

/* A half goes to the even neighbour, so that many of them do not add up to a bias. */
static wide divide_rounded(wide sum, uint64_t divisor)
{
    const wide quotient = sum / divisor;
    const uint64_t remainder = (uint64_t)(sum % divisor);
    const uint64_t half = divisor / 2;
    return quotient + (remainder > half || (remainder == half && quotient % 2 == 1));
}

static enum status total(struct bill *bill)
{
    uint64_t divisor = SUM_PER_NANOUSD;
    wide sum = 0;
    enum status status = add_up(bill, &sum);
    if (status == STATUS_OK)
        status = apply_factors(bill, &sum, &divisor);
    if (status != STATUS_OK)
        return status;
    const wide nanousd = divide_rounded(sum, divisor);
    if (nanousd > INT64_MAX)
        return STATUS_TOO_LARGE;
    bill->cost->nanousd = (int64_t)nanousd;
    return STATUS_OK;
}

/* Where the parts are more than the whole, they are what the threshold is for. */
static uint64_t prompt_tokens(const struct usage *usage)
{
    const uint64_t parts = plus(usage->cached_tokens, written_tokens(usage));
    return parts > usage->input_tokens ? parts : usage->input_tokens;
}

enum status cost_compute(const struct price *price, const struct usage *usage,
                         struct cost *cost_out)
{
    const struct price_situation situation = {usage->service_class, prompt_tokens(usage),
                                              usage->time_us};
    *cost_out = (struct cost){0};
    struct bill bill = {.price = price, .usage = usage, .cost = cost_out};
    price_rates_at(price, &situation, &bill.rates);
    cost_out->above_tokens = bill.rates.above_tokens;
    cost_out->is_offpeak = bill.rates.is_offpeak;
    count_prompt(&bill);
    count_answer(&bill);
    count_pieces_of(&bill);
    const enum status status = total(&bill);
    if (status == STATUS_TOO_LARGE)
        cost_out->nanousd = INT64_MAX;
    return status;
}
