/* What a checked value stands for, and whether a key is a name.
 *
 * Everything here expects spans that json/read.h has passed, but for the comparison of keys, which
 * takes any bytes. Thread: any. */
#ifndef JSON_VALUE_H
#define JSON_VALUE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/status.h"
#include "json/json.h"

/* Such as "an object"; for messages. Static storage. */
const char *json_type_name(enum json_type type);

static inline bool json_is_null(struct json_value value)
{
    return value.type == JSON_TYPE_NULL;
}

/* The characters of a string: a part of the text if it holds no escape, else written into the
 * arena. Half a surrogate pair becomes U+FFFD, so the result is always UTF-8; it may hold zero
 * bytes. STATUS_INVALID: no string. STATUS_NO_MEMORY. */
MUST_CHECK enum status json_string(struct json_value value, struct arena *arena,
                                   struct slice *text_out);

/* The same for a raw key. */
MUST_CHECK enum status json_unescape(struct slice raw, struct arena *arena, struct slice *text_out);

/* STATUS_INVALID: neither true nor false. */
MUST_CHECK enum status json_bool(struct json_value value, bool *value_out);

#define JSON_NUMBER_BYTES_MAX 512 /* a longer number is not read */

/* A whole number however it is written (16, 16.0, 1.6e1). STATUS_INVALID: no number, or one with
 * a fraction. STATUS_TOO_LARGE: negative (but -0 is 0), over UINT64_MAX or too long. */
MUST_CHECK enum status json_u64(struct json_value value, uint64_t *value_out);

/* Near enough for checks of a range (a few units in the last place); too large gives an
 * infinity. STATUS_INVALID: no number. STATUS_TOO_LARGE: too long. */
MUST_CHECK enum status json_double(struct json_value value, double *value_out);

/* Whether a raw key stands for itself: no escape and nothing outside ASCII. */
bool json_key_is_plain(struct slice raw_key);

/* json_key_equal() for a key that is longer than the name. */
bool json_key_equal_escaped(struct slice raw_key, struct slice name);

/* Whether a raw key, unescaped, is `name` (not empty, no backslash in it). An escape is longer than
 * what it stands for, so a key of the name's size has none. */
static inline bool json_key_equal(struct slice raw_key, struct slice name)
{
    if (raw_key.size <= name.size)
        return name.size > 0 && raw_key.size == name.size &&
               memcmp(raw_key.data, name.data, name.size) == 0;
    return (raw_key.data[0] == name.data[0] || raw_key.data[0] == '\\') &&
           json_key_equal_escaped(raw_key, name);
}

/* The same without regard to case. `name` is lower-case ASCII. Besides A to Z, the long s (U+017F)
 * and the Kelvin sign (U+212A) match s and k, as they do in readers that fold by Unicode. */
bool json_key_equal_nocase(struct slice raw_key, struct slice name);

#endif
