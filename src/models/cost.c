#include "models/cost.h"

#include "base/uncleared.h"

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
    uint32_t used;                /* bit `part` is set where its count is not 0: few of them are */
    struct cost *cost;
};
_Static_assert(PRICE_PARTS <= 32, "a bit for each part");

#define TOKEN_PARTS ((UINT32_C(1) << PRICE_TOKEN_PARTS) - 1)

static void set_count(struct bill *bill, enum price_part part, uint64_t count)
{
    bill->counts[part] = count;
    bill->used = (bill->used & ~(UINT32_C(1) << part)) | (uint32_t)(count > 0) << part;
}

/* Takes the lowest part off the set, which is not empty. */
static enum price_part take_part(uint32_t *parts)
{
    const enum price_part part = (enum price_part)__builtin_ctz(*parts);
    *parts &= *parts - 1;
    return part;
}

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

static uint64_t written_tokens(const struct usage *usage)
{
    return plus(usage->cache_write_tokens,
                plus(usage->cache_write_1h_tokens, usage->cache_write_12h_tokens));
}

/* Nearly all prompts are text that is read for the first time, or at most found in the cache. */
static bool has_prompt_parts(const struct usage *usage)
{
    return (usage->cached_tokens | usage->cached_audio_tokens | usage->cached_image_tokens |
            usage->cache_write_tokens | usage->cache_write_1h_tokens |
            usage->cache_write_12h_tokens | usage->audio_input_tokens |
            usage->image_input_tokens) != 0;
}

/* PRICE_INPUT is what the other parts leave. */
static void count_prompt(struct bill *bill)
{
    const struct usage *usage = bill->usage;
    uint64_t parts = 0;
    if (!has_prompt_parts(usage)) {
        set_count(bill, PRICE_INPUT, usage->input_tokens);
        return;
    }
    set_count(bill, PRICE_AUDIO_CACHE_READ, usage->cached_audio_tokens);
    set_count(bill, PRICE_IMAGE_CACHE_READ, usage->cached_image_tokens);
    set_count(bill, PRICE_CACHE_READ,
              rest_of(bill, usage->cached_tokens,
                      plus(usage->cached_audio_tokens, usage->cached_image_tokens)));
    set_count(bill, PRICE_AUDIO_INPUT,
              rest_of(bill, usage->audio_input_tokens, usage->cached_audio_tokens));
    set_count(bill, PRICE_IMAGE_INPUT,
              rest_of(bill, usage->image_input_tokens, usage->cached_image_tokens));
    set_count(bill, PRICE_CACHE_WRITE, usage->cache_write_tokens);
    set_count(bill, PRICE_CACHE_WRITE_1H, usage->cache_write_1h_tokens);
    set_count(bill, PRICE_CACHE_WRITE_12H, usage->cache_write_12h_tokens);
    for (uint32_t left = bill->used; left != 0;)
        parts = plus(parts, bill->counts[take_part(&left)]);
    set_count(bill, PRICE_INPUT, rest_of(bill, usage->input_tokens, parts));
}

static void count_answer(struct bill *bill)
{
    const struct usage *usage = bill->usage;
    if ((usage->reasoning_tokens | usage->audio_output_tokens | usage->image_output_tokens) == 0) {
        set_count(bill, PRICE_OUTPUT, usage->output_tokens);
        return;
    }
    set_count(bill, PRICE_REASONING, usage->reasoning_tokens);
    set_count(bill, PRICE_AUDIO_OUTPUT, usage->audio_output_tokens);
    set_count(bill, PRICE_IMAGE_OUTPUT, usage->image_output_tokens);
    set_count(bill, PRICE_OUTPUT,
              rest_of(bill, usage->output_tokens,
                      plus(usage->reasoning_tokens,
                           plus(usage->audio_output_tokens, usage->image_output_tokens))));
}

static bool is_known(const struct bill *bill, enum price_part part)
{
    return bill->rates.of[part] != PRICE_UNKNOWN;
}

static bool has_tokens(const struct bill *bill)
{
    return (bill->used & TOKEN_PARTS) != 0;
}

/* Whether some of the tokens have a price, so that it is by tokens that the model is billed. */
static bool is_billed_by_tokens(const struct bill *bill)
{
    for (uint32_t left = bill->used & TOKEN_PARTS; left != 0;) {
        if (is_known(bill, take_part(&left)))
            return true;
    }
    return false;
}

/* A model billed by the piece reports tokens for information only. */
static void count_pieces(struct bill *bill, enum price_part part, uint64_t count)
{
    if (!is_billed_by_tokens(bill))
        bill->used &= ~TOKEN_PARTS;
    set_count(bill, part, count);
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
    if ((bill->used >> tokens & 1) == 0 || !is_known(bill, tokens))
        count_beside_tokens(bill, part, count);
}

static bool has_pieces(const struct usage *usage)
{
    return (usage->audio_ms | usage->characters | usage->images_made | usage->images_read |
            usage->queries | usage->web_searches | usage->web_searches_low |
            usage->web_searches_high) != 0;
}

static void count_pieces_of(struct bill *bill)
{
    const struct usage *usage = bill->usage;
    set_count(bill, PRICE_REQUEST, 1);
    if (!has_pieces(usage))
        return;
    count_instead_of_tokens(bill, PRICE_SECOND, usage->audio_ms);
    count_instead_of_tokens(bill, PRICE_CHARACTER, usage->characters);
    count_images(bill, PRICE_IMAGE, PRICE_IMAGE_OUTPUT, usage->images_made);
    count_images(bill, PRICE_IMAGE_READ, PRICE_IMAGE_INPUT, usage->images_read);
    count_beside_tokens(bill, PRICE_QUERY, usage->queries);
    set_count(bill, PRICE_WEB_SEARCH, usage->web_searches);
    set_count(bill, PRICE_WEB_SEARCH_LOW, usage->web_searches_low);
    set_count(bill, PRICE_WEB_SEARCH_HIGH, usage->web_searches_high);
}

/* The factor in ten-thousandths; false: unknown. */
static bool factor_of(const struct price *price, enum price_factor factor, uint32_t *factor_out)
{
    *factor_out = price->factors[factor];
    if (*factor_out == 0 && factor != PRICE_FACTOR_FAST)
        *factor_out = PRICE_FACTOR_ONE;
    return *factor_out > 0;
}

/* Adds count × rate of one part that is used. */
static enum status add_part(struct bill *bill, enum price_part part, wide *sum)
{
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
    const uint32_t seconds = UINT32_C(1) << PRICE_SECOND;
    for (uint32_t left = bill->used & ~seconds; left != 0;) {
        const enum status status = add_part(bill, take_part(&left), &sum);
        if (status == STATUS_NOT_FOUND)
            return status;
        if (status != STATUS_OK)
            worst = status;
    }
    if (__builtin_mul_overflow(sum, MS_PER_SECOND, &sum))
        worst = STATUS_TOO_LARGE;
    const enum status status =
        (bill->used & seconds) != 0 ? add_part(bill, PRICE_SECOND, &sum) : STATUS_OK;
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
    UNCLEARED struct bill bill; /* of its counts only those are read that are used */
    bill.price = price;
    bill.usage = usage;
    bill.cost = cost_out;
    bill.used = 0;
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
