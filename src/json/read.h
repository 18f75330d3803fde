/* A strict reader in one pass: RFC 8259 in UTF-8 (RFC 3629: no surrogates, nothing overlong).
 *
 * It keeps nothing but the spans of the top-level object's members; what is nested in them is
 * valid once this has passed, and json/walk.h goes through it. An escape that names half of a
 * surrogate pair ("\ud800") is within the grammar of RFC 8259 and accepted; json/value.h reads it
 * as U+FFFD. No recursion. Thread: any. */
#ifndef JSON_READ_H
#define JSON_READ_H

#include "base/arena.h"
#include "base/status.h"
#include "json/json.h"

/* Reads a text that is one object. The spans point into `text`, the array lies in `arena`.
 * STATUS_INVALID: not JSON, or no object. STATUS_TOO_LARGE: a limit was exceeded. For both,
 * *error_out says what and where. STATUS_NO_MEMORY: the arena is exhausted. */
MUST_CHECK enum status json_read_object(struct slice text, const struct json_limits *limits,
                                        struct arena *arena, struct json_object *object_out,
                                        struct json_error *error_out);

/* Checks a text that is one value of any type and gives its span without the white space around
 * it. STATUS_INVALID and STATUS_TOO_LARGE as above. */
MUST_CHECK enum status json_check(struct slice text, const struct json_limits *limits,
                                  struct json_value *value_out, struct json_error *error_out);

#endif
