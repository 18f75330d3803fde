#include "config/units.h"

#include <stdio.h>
#include <string.h>

#define NANO_DIGITS   9
#define NANO_PER_UNIT UINT64_C(1000000000)

struct unit {
    const char *name;
    uint64_t factor;
};

/* From the largest to the smallest, so that the first that divides gives the shortest text. */
static const struct unit durations[] = {{"d", 86400000}, {"h", 3600000}, {"m", 60000},
                                        {"s", 1000},     {"ms", 1},      {NULL, 0}};
static const struct unit sizes[] = {
    {"TiB", UINT64_C(1) << 40}, {"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {NULL, 0}};
static const struct unit other_sizes[] = {{"TB", UINT64_C(1000000000000)},
                                          {"GB", 1000000000},
                                          {"MB", 1000000},
                                          {"KB", 1000},
                                          {"B", 1},
                                          {NULL, 0}};

static size_t digits_at(struct slice text)
{
    size_t count = 0;
    while (count < text.size && text.data[count] >= '0' && text.data[count] <= '9')
        count++;
    return count;
}

static const struct unit *find_unit(const struct unit *units, struct slice name)
{
    for (; units->name != NULL; units++) {
        if (slice_equal(slice_from_text(units->name), name))
            return units;
    }
    return NULL;
}

/* Reads "1h" off the front of *text and adds it to *sum. */
static enum status take_part(struct slice *text, uint64_t *sum)
{
    const size_t digits = digits_at(*text);
    uint64_t number, part;
    if (slice_to_u64(slice_of(text->data, digits), &number) != STATUS_OK)
        return digits > 0 ? STATUS_TOO_LARGE : STATUS_INVALID;
    const struct slice rest = slice_from(*text, digits);
    size_t size = 0;
    while (size < rest.size && (rest.data[size] < '0' || rest.data[size] > '9'))
        size++;
    const struct unit *unit = find_unit(durations, slice_of(rest.data, size));
    if (unit == NULL)
        return STATUS_INVALID;
    if (__builtin_mul_overflow(number, unit->factor, &part) ||
        __builtin_add_overflow(*sum, part, sum))
        return STATUS_TOO_LARGE;
    *text = slice_from(rest, size);
    return STATUS_OK;
}

enum status units_parse_duration(struct slice text, uint64_t *duration_ms_out)
{
    uint64_t sum = 0;
    if (slice_equal(text, SLICE("0"))) {
        *duration_ms_out = 0;
        return STATUS_OK;
    }
    if (text.size == 0)
        return STATUS_INVALID;
    while (text.size > 0) {
        const enum status status = take_part(&text, &sum);
        if (status != STATUS_OK)
            return status;
    }
    *duration_ms_out = sum;
    return STATUS_OK;
}

enum status units_parse_size(struct slice text, uint64_t *bytes_out)
{
    const size_t digits = digits_at(text);
    uint64_t number, bytes, factor = 1;
    if (slice_to_u64(slice_of(text.data, digits), &number) != STATUS_OK)
        return digits > 0 ? STATUS_TOO_LARGE : STATUS_INVALID;
    const struct slice name = slice_trim(slice_from(text, digits));
    if (name.size > 0) {
        const struct unit *unit = find_unit(sizes, name);
        if (unit == NULL)
            unit = find_unit(other_sizes, name);
        if (unit == NULL)
            return STATUS_INVALID;
        factor = unit->factor;
    }
    if (__builtin_mul_overflow(number, factor, &bytes))
        return STATUS_TOO_LARGE;
    *bytes_out = bytes;
    return STATUS_OK;
}

/* What stands behind the point, in billionths. */
static enum status read_fraction(struct slice digits, uint64_t *nano_out)
{
    uint64_t nano = 0;
    if (digits.size == 0 || digits_at(digits) != digits.size)
        return STATUS_INVALID;
    for (size_t i = 0; i < digits.size || i < NANO_DIGITS; i++) {
        const char digit = i < digits.size ? digits.data[i] : '0';
        if (i < NANO_DIGITS)
            nano = nano * 10 + (unsigned)(digit - '0');
        else if (digit != '0')
            return STATUS_INVALID;
    }
    *nano_out = nano;
    return STATUS_OK;
}

enum status units_parse_money(struct slice text, uint64_t *nanousd_out)
{
    uint64_t whole, sum, nano = 0;
    if (!slice_ends_with(text, SLICE("usd")))
        return STATUS_INVALID;
    text.size -= 3;
    const size_t point = slice_find_byte(text, '.');
    if (point == 0 || digits_at(text) != point)
        return STATUS_INVALID;
    if (point < text.size && read_fraction(slice_from(text, point + 1), &nano) != STATUS_OK)
        return STATUS_INVALID;
    if (slice_to_u64(slice_of(text.data, point), &whole) != STATUS_OK ||
        __builtin_mul_overflow(whole, NANO_PER_UNIT, &sum) ||
        __builtin_add_overflow(sum, nano, &sum))
        return STATUS_TOO_LARGE;
    *nanousd_out = sum;
    return STATUS_OK;
}

static unsigned format(uint64_t value, const struct unit *units, char text_out[UNITS_TEXT_BYTES])
{
    while (value > 0 && units->name != NULL && value % units->factor != 0)
        units++;
    const bool has_unit = value > 0 && units->name != NULL;
    const int size = snprintf(text_out, UNITS_TEXT_BYTES, "%llu%s",
                              (unsigned long long)(has_unit ? value / units->factor : value),
                              has_unit ? units->name : "");
    return (unsigned)size;
}

unsigned units_format_duration(uint64_t duration_ms, char text_out[UNITS_TEXT_BYTES])
{
    return format(duration_ms, durations, text_out);
}

unsigned units_format_size(uint64_t bytes, char text_out[UNITS_TEXT_BYTES])
{
    return format(bytes, sizes, text_out);
}

unsigned units_format_money(uint64_t nanousd, char text_out[UNITS_TEXT_BYTES])
{
    const unsigned long long whole = nanousd / NANO_PER_UNIT;
    unsigned long long fraction = nanousd % NANO_PER_UNIT;
    int digits = NANO_DIGITS;
    if (fraction == 0)
        return (unsigned)snprintf(text_out, UNITS_TEXT_BYTES, "%lluusd", whole);
    for (; fraction % 10 == 0; fraction /= 10)
        digits--;
    return (unsigned)snprintf(text_out, UNITS_TEXT_BYTES, "%llu.%0*lluusd", whole, digits,
                              fraction);
}
