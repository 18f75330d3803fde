#include "cli/number_text.h"

#include <stdio.h>
#include <string.h>

#include "base/assert.h"

#define NANOUSD_DIGITS  9
#define NANOUSD_PER_USD INT64_C(1000000000)

/* Appends the number with a comma before each group of three digits; returns the new size. */
static size_t put_grouped(char *text, size_t size, uint64_t value)
{
    char digits[24];
    const int count = snprintf(digits, sizeof(digits), "%llu", (unsigned long long)value);
    for (int i = 0; i < count; i++) {
        if (i > 0 && (count - i) % 3 == 0)
            text[size++] = ',';
        text[size++] = digits[i];
    }
    return size;
}

struct slice number_text(uint64_t value, char text_out[NUMBER_TEXT_BYTES])
{
    return slice_of(text_out, put_grouped(text_out, 0, value));
}

static uint64_t power_of_ten(unsigned exponent)
{
    uint64_t power = 1;
    while (exponent-- > 0)
        power *= 10;
    return power;
}

struct slice money_text(int64_t nanousd, unsigned digits, char text_out[NUMBER_TEXT_BYTES])
{
    ASSERT(digits >= 1 && digits <= NANOUSD_DIGITS);
    const uint64_t scale = power_of_ten(digits);
    const uint64_t unit = power_of_ten(NANOUSD_DIGITS - digits);
    const uint64_t amount = nanousd > 0 ? (uint64_t)nanousd : 0;
    const uint64_t rounded = (amount + unit / 2) / unit;
    const bool is_hidden = amount > 0 && rounded == 0;
    size_t size = 0;
    if (is_hidden)
        text_out[size++] = '<';
    text_out[size++] = '$';
    size = put_grouped(text_out, size, rounded / scale);
    const uint64_t fraction = is_hidden ? 1 : rounded % scale;
    size += (size_t)snprintf(text_out + size, NUMBER_TEXT_BYTES - size, ".%0*llu", (int)digits,
                             (unsigned long long)fraction);
    return slice_of(text_out, size);
}

unsigned money_digits(int64_t nanousd)
{
    if (nanousd >= 100 * NANOUSD_PER_USD)
        return 2;
    return nanousd >= NANOUSD_PER_USD ? 4 : 6;
}
