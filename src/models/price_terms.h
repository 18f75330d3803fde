/* A price in words, as the operator's price lists have it: "input=0.4;output=1.6".
 *
 * A term is NAME=VALUE. Names:
 *   PART                    of price_part_name(): "input", "cache_read", "per_image" …
 *   CLASS_PART              "batch_input", "priority_cache_read": the first seven parts
 *   …_above_TOKENS          "input_above_200000", "flex_output_above_272000": a tier
 *   offpeak_PART            the first seven parts
 *   offpeak_hours           models/price_offpeak.h, with ',' between windows
 *   us_multiplier, eu_multiplier, fast_multiplier
 * Prices are dollars per million tokens, or per piece where the name begins with "per_" or
 * "web_search"; exact decimals, which "usd" may follow: at most 9 digits after the point (15 for a
 * piece, 4 for a multiplier), so that none is ever rounded.
 *
 * Thread: any. Memory: nothing is kept. */
#ifndef MODELS_PRICE_TERMS_H
#define MODELS_PRICE_TERMS_H

#include "base/buffer.h"
#include "base/reason.h"
#include "base/slice.h"
#include "base/status.h"
#include "models/price.h"

/* Digits after the point of the dollars that a part is priced in, so that the integer is
 * nano-dollars per million. */
unsigned price_part_digits(enum price_part part);

/* Sets what one term says; a name that was set is set anew.
 * STATUS_NOT_FOUND: no such name; STATUS_INVALID: the value is none; STATUS_UNSUPPORTED: it is
 * finer than weir keeps; STATUS_TOO_LARGE: it does not fit, or there are too many tiers or windows.
 * On an error *price is as before. */
MUST_CHECK enum status price_set(struct price *price, struct slice name, struct slice value,
                                 struct reason *reason);

/* Reads terms separated by ';' into a price that begins as unknown. STATUS_INVALID: a term without
 * '=', or none at all; STATUS_EXISTS: a name twice; else the statuses of price_set(). On an error
 * *price_out is undefined. */
MUST_CHECK enum status price_read(struct slice terms, struct price *price_out,
                                  struct reason *reason);

/* Appends the terms that price_read() turns back into the same rates, tiers, hours and factors; in
 * one fixed order, without "usd". Not for a free price. Statuses of buffer_append(). */
enum status price_write(const struct price *price, struct buffer *terms);

#endif
