/* Amounts as exact decimal text: digits, at most one point, nothing else. No sign, no exponent, and
 * no floating point on the way. */
#ifndef MODELS_PRICE_DECIMAL_H
#define MODELS_PRICE_DECIMAL_H

#include <stdint.h>

#include "base/slice.h"
#include "base/status.h"

/* Bytes of the longest text of price_decimal_format(), with its final zero. */
#define PRICE_DECIMAL_TEXT_BYTES 24
#define PRICE_DECIMAL_DIGITS_MAX 19

/* Reads `text` × 10^digits (at most PRICE_DECIMAL_DIGITS_MAX digits), so "0.0625" with 9 digits is
 * 62,500,000. Zeros at either end are allowed in any number; ".5" and "5." are not.
 * STATUS_INVALID: not such a text; STATUS_UNSUPPORTED: finer than that; STATUS_TOO_LARGE: above
 * UINT64_MAX. On an error *value_out is untouched. */
MUST_CHECK enum status price_decimal_parse(struct slice text, unsigned digits, uint64_t *value_out);

/* Writes the shortest text that price_decimal_parse() reads back; returns its length. */
unsigned price_decimal_format(uint64_t value, unsigned digits,
                              char text_out[PRICE_DECIMAL_TEXT_BYTES]);

#endif
