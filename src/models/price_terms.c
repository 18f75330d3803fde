#include "models/price_terms.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/assert.h"
#include "models/price_decimal.h"

#define DIGITS_PER_MILLION 9
#define DIGITS_PER_PIECE   15
#define DIGITS_OF_FACTOR   4
#define FACTOR_MAX         (1000 * PRICE_FACTOR_ONE)

static const char *const factor_names[PRICE_FACTORS] = {
    [PRICE_FACTOR_US] = "us_multiplier",
    [PRICE_FACTOR_EU] = "eu_multiplier",
    [PRICE_FACTOR_FAST] = "fast_multiplier",
};

unsigned price_part_digits(enum price_part part)
{
    return part < PRICE_TOKEN_PARTS ? DIGITS_PER_MILLION : DIGITS_PER_PIECE;
}

static enum status complain(enum status status, struct slice name, const char *what,
                            struct reason *reason)
{
    if (status != STATUS_OK)
        reason_set(reason, "%.*s: %s", SLICE_ARGS(name), what);
    return status;
}

static const char *wrong_amount(enum status status)
{
    switch (status) {
    case STATUS_UNSUPPORTED:
        return "finer than weir keeps";
    case STATUS_TOO_LARGE:
        return "too large";
    default:
        return "a decimal number such as 0.40 is wanted";
    }
}

/* --- names -------------------------------------------------------------------------------------- */

/* What the name of a rate says. */
struct rate_name {
    enum price_part part;
    enum price_class service_class;
    uint64_t above_tokens;
    bool is_offpeak;
};

static bool take_prefix(struct slice *text, const char *word)
{
    const struct slice prefix = slice_from_text(word);
    if (!slice_starts_with(*text, prefix) || text->size <= prefix.size ||
        text->data[prefix.size] != '_')
        return false;
    *text = slice_from(*text, prefix.size + 1);
    return true;
}

static bool find_part(struct slice name, enum price_part *part_out)
{
    for (size_t i = 0; i < PRICE_PARTS; i++) {
        if (slice_equal(name, slice_from_text(price_part_name((enum price_part)i)))) {
            *part_out = (enum price_part)i;
            return true;
        }
    }
    return false;
}

static void take_class(struct slice *name, enum price_class *class_out)
{
    for (size_t i = PRICE_STANDARD + 1; i < PRICE_CLASSES; i++) {
        if (take_prefix(name, price_class_name((enum price_class)i))) {
            *class_out = (enum price_class)i;
            return;
        }
    }
}

/* A threshold has no leading zero: there is one name for each tier. */
static bool read_threshold(struct slice digits, uint64_t *above_tokens_out)
{
    return digits.size > 0 && digits.data[0] != '0' &&
           slice_to_u64(digits, above_tokens_out) == STATUS_OK;
}

static bool read_rate_name(struct slice name, struct rate_name *rate_out)
{
    const struct slice above = SLICE("_above_");
    *rate_out = (struct rate_name){.is_offpeak = take_prefix(&name, "offpeak")};
    if (!rate_out->is_offpeak)
        take_class(&name, &rate_out->service_class);
    const size_t at = slice_find(name, above);
    const bool is_tier = at < name.size;
    if (is_tier && (rate_out->is_offpeak ||
                    !read_threshold(slice_from(name, at + above.size), &rate_out->above_tokens)))
        return false;
    if (!find_part(slice_of(name.data, at), &rate_out->part))
        return false;
    const bool is_base =
        !is_tier && !rate_out->is_offpeak && rate_out->service_class == PRICE_STANDARD;
    return is_base || rate_out->part < PRICE_TIER_PARTS;
}

/* Where the rate is kept; NULL: there are too many tiers. */
static uint64_t *place_of(struct price *price, const struct rate_name *name)
{
    if (name->is_offpeak)
        return &price->offpeak_rates[name->part];
    if (name->service_class == PRICE_STANDARD && name->above_tokens == 0)
        return &price->rates[name->part];
    struct price_tier *tier = price_tier_add(price, name->service_class, name->above_tokens);
    return tier != NULL ? &tier->rates[name->part] : NULL;
}

/* --- reading ------------------------------------------------------------------------------------ */

static enum status set_rate(struct price *price, const struct rate_name *name, struct slice value)
{
    uint64_t rate;
    enum status status = price_decimal_parse(value, price_part_digits(name->part), &rate);
    if (status == STATUS_OK && rate == PRICE_UNKNOWN)
        status = STATUS_TOO_LARGE;
    if (status != STATUS_OK)
        return status;
    uint64_t *place = place_of(price, name);
    if (place == NULL)
        return STATUS_TOO_LARGE;
    *place = rate;
    return STATUS_OK;
}

static enum status set_factor(struct price *price, enum price_factor factor, struct slice value)
{
    uint64_t ten_thousandths;
    const enum status status = price_decimal_parse(value, DIGITS_OF_FACTOR, &ten_thousandths);
    if (status != STATUS_OK)
        return status;
    if (ten_thousandths == 0 || ten_thousandths > FACTOR_MAX)
        return ten_thousandths == 0 ? STATUS_INVALID : STATUS_TOO_LARGE;
    price->factors[factor] = (uint32_t)ten_thousandths;
    return STATUS_OK;
}

static bool find_factor(struct slice name, enum price_factor *factor_out)
{
    for (size_t i = 0; i < PRICE_FACTORS; i++) {
        if (slice_equal(name, slice_from_text(factor_names[i]))) {
            *factor_out = (enum price_factor)i;
            return true;
        }
    }
    return false;
}

static struct slice without_unit(struct slice value)
{
    if (slice_ends_with(value, SLICE("usd")))
        value.size -= SLICE("usd").size;
    return value;
}

enum status price_set(struct price *price, struct slice name, struct slice value,
                      struct reason *reason)
{
    struct rate_name rate;
    enum price_factor factor;
    if (slice_equal(name, SLICE("offpeak_hours")))
        return complain(price_offpeak_parse(value, &price->offpeak), name,
                        "hours such as '12345 22:00-06:00,67 00:00-00:00' are wanted", reason);
    if (find_factor(name, &factor)) {
        const enum status status = set_factor(price, factor, value);
        return complain(status, name, wrong_amount(status), reason);
    }
    if (!read_rate_name(name, &rate))
        return complain(STATUS_NOT_FOUND, name, "no such price", reason);
    const enum status status = set_rate(price, &rate, without_unit(value));
    return complain(status, name, wrong_amount(status), reason);
}

/* Whether the terms before this one set the same name. */
static bool is_repeated(struct slice before, struct slice name)
{
    while (before.size > 0) {
        const size_t end = slice_find_byte(before, ';');
        const struct slice term = slice_of(before.data, end);
        if (slice_equal(slice_of(term.data, slice_find_byte(term, '=')), name))
            return true;
        before = slice_from(before, end < before.size ? end + 1 : end);
    }
    return false;
}

enum status price_read(struct slice terms, struct price *price_out, struct reason *reason)
{
    price_init_unknown(price_out);
    size_t at = 0;
    for (bool more = true; more;) {
        const struct slice rest = slice_from(terms, at);
        const size_t end = slice_find_byte(rest, ';');
        const struct slice term = slice_of(rest.data, end);
        const size_t equals = slice_find_byte(term, '=');
        const struct slice name = slice_of(term.data, equals);
        if (equals == term.size)
            return complain(STATUS_INVALID, term, "NAME=VALUE is wanted", reason);
        if (is_repeated(slice_of(terms.data, at), name))
            return complain(STATUS_EXISTS, name, "given twice", reason);
        const enum status status = price_set(price_out, name, slice_from(term, equals + 1), reason);
        if (status != STATUS_OK)
            return status;
        more = end < rest.size;
        at += end + 1;
    }
    return STATUS_OK;
}

/* --- writing ------------------------------------------------------------------------------------ */

static void begin_term(struct buffer *terms, size_t start)
{
    if (terms->size > start)
        buffer_append_byte(terms, ';');
}

static void write_amount(struct buffer *terms, uint64_t value, unsigned digits)
{
    char text[PRICE_DECIMAL_TEXT_BYTES];
    const unsigned size = price_decimal_format(value, digits, text);
    buffer_append_byte(terms, '=');
    buffer_append(terms, slice_of(text, size));
}

/* Writes the known ones of `count` rates, with `prefix` before and `suffix` behind their names. */
static void write_rates(struct buffer *terms, size_t start, const uint64_t *rates, size_t count,
                        const char *prefix, const char *suffix)
{
    for (size_t i = 0; i < count; i++) {
        if (rates[i] == PRICE_UNKNOWN)
            continue;
        begin_term(terms, start);
        buffer_printf(terms, "%s%s%s", prefix, price_part_name((enum price_part)i), suffix);
        write_amount(terms, rates[i], price_part_digits((enum price_part)i));
    }
}

static void write_tier(const struct price_tier *tier, struct buffer *terms, size_t start)
{
    char prefix[16] = "", suffix[32] = "";
    if (tier->service_class != PRICE_STANDARD)
        (void)snprintf(prefix, sizeof(prefix), "%s_", price_class_name(tier->service_class));
    if (tier->above_tokens > 0)
        (void)snprintf(suffix, sizeof(suffix), "_above_%" PRIu64, tier->above_tokens);
    write_rates(terms, start, tier->rates, PRICE_TIER_PARTS, prefix, suffix);
}

enum status price_write(const struct price *price, struct buffer *terms)
{
    const size_t start = terms->size;
    ASSERT(!price->is_free);
    write_rates(terms, start, price->rates, PRICE_PARTS, "", "");
    for (size_t i = 0; i < price->tier_count; i++)
        write_tier(&price->tiers[i], terms, start);
    write_rates(terms, start, price->offpeak_rates, PRICE_TIER_PARTS, "offpeak_", "");
    if (price->offpeak.count > 0) {
        begin_term(terms, start);
        buffer_append(terms, SLICE("offpeak_hours="));
        price_offpeak_format(&price->offpeak, terms);
    }
    for (size_t i = 0; i < PRICE_FACTORS; i++) {
        if (price->factors[i] == 0)
            continue;
        begin_term(terms, start);
        buffer_append(terms, slice_from_text(factor_names[i]));
        write_amount(terms, price->factors[i], DIGITS_OF_FACTOR);
    }
    return buffer_status(terms);
}
