/* The hours of the week at which a provider is cheaper.
 *
 * As text: "12345 00:00-01:00;67 00:00-00:00": days 1 (Monday) to 7, then hours of UTC, parts
 * separated by ';' or ','. A window begins at its first minute and ends before its last; 00:00 at
 * the end is midnight; an end that is not after the beginning lies on the next day, and the days
 * are those of the beginning. */
#ifndef MODELS_PRICE_OFFPEAK_H
#define MODELS_PRICE_OFFPEAK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/slice.h"
#include "base/status.h"

#define PRICE_OFFPEAK_WINDOWS_MAX 8

struct price_window {
    uint8_t days;          /* bit 0 is Monday */
    uint16_t begin_minute; /* of the day, below 1,440 */
    uint16_t end_minute;
};

struct price_offpeak {
    struct price_window windows[PRICE_OFFPEAK_WINDOWS_MAX];
    size_t count; /* 0: never */
};

/* STATUS_INVALID: not such a text; STATUS_TOO_LARGE: more windows than PRICE_OFFPEAK_WINDOWS_MAX.
 * On an error *offpeak_out is untouched. */
MUST_CHECK enum status price_offpeak_parse(struct slice text, struct price_offpeak *offpeak_out);

/* Appends the text, with ',' between windows. Statuses of buffer_append(). */
enum status price_offpeak_format(const struct price_offpeak *offpeak, struct buffer *text);

/* Whether the moment, in microseconds since 1970, lies in one of the windows. */
bool price_offpeak_contains(const struct price_offpeak *offpeak, uint64_t time_us);

#endif
