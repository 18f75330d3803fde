#include "models/price_decimal.h"

#include "base/assert.h"

static bool is_digit(char byte)
{
    return byte >= '0' && byte <= '9';
}

/* Digits with at most one point, which has digits on both sides. */
static bool is_decimal(struct slice text)
{
    const size_t point = slice_find_byte(text, '.');
    if (point == 0 || point + 1 == text.size)
        return false;
    for (size_t i = 0; i < text.size; i++) {
        if (!is_digit(text.data[i]) && i != point)
            return false;
    }
    return text.size > 0;
}

/* Zeros after the point say nothing, however many. */
static struct slice without_final_zeros(struct slice fraction)
{
    while (fraction.size > 0 && fraction.data[fraction.size - 1] == '0')
        fraction.size--;
    return fraction;
}

static bool push_digit(uint64_t *value, unsigned digit)
{
    return !__builtin_mul_overflow(*value, 10, value) &&
           !__builtin_add_overflow(*value, digit, value);
}

static bool push_digits(uint64_t *value, struct slice digits)
{
    for (size_t i = 0; i < digits.size; i++) {
        if (!push_digit(value, (unsigned)(digits.data[i] - '0')))
            return false;
    }
    return true;
}

enum status price_decimal_parse(struct slice text, unsigned digits, uint64_t *value_out)
{
    ASSERT(digits <= PRICE_DECIMAL_DIGITS_MAX);
    if (!is_decimal(text))
        return STATUS_INVALID;
    const size_t point = slice_find_byte(text, '.');
    struct slice fraction = {0};
    if (point < text.size)
        fraction = without_final_zeros(slice_from(text, point + 1));
    if (fraction.size > digits)
        return STATUS_UNSUPPORTED;
    uint64_t value = 0;
    bool fits = push_digits(&value, slice_of(text.data, point)) && push_digits(&value, fraction);
    for (size_t i = fraction.size; fits && i < digits; i++)
        fits = push_digit(&value, 0);
    if (!fits)
        return STATUS_TOO_LARGE;
    *value_out = value;
    return STATUS_OK;
}

unsigned price_decimal_format(uint64_t value, unsigned digits,
                              char text_out[PRICE_DECIMAL_TEXT_BYTES])
{
    ASSERT(digits <= PRICE_DECIMAL_DIGITS_MAX);
    while (digits > 0 && value % 10 == 0) {
        value /= 10;
        digits--;
    }
    char reversed[PRICE_DECIMAL_TEXT_BYTES];
    unsigned size = 0;
    for (unsigned i = 0; i <= digits || value > 0; i++, value /= 10) {
        if (i == digits && digits > 0)
            reversed[size++] = '.';
        reversed[size++] = (char)('0' + value % 10);
    }
    for (unsigned i = 0; i < size; i++)
        text_out[i] = reversed[size - 1 - i];
    text_out[size] = '\0';
    return size;
}
