/* The texts of weir's own secrets: `sk-weir-` for an API key, `weir-admin-` for an admin token, then 33
 * random base-62 digits (196 bits) and 6 digits of CRC-32.
 *
 * The checksum lets weir refuse a mistyped or cut key without looking it up. A key that an
 * application brought along has no checksum and must not begin with a prefix of weir's.
 * Thread: any. Memory: the caller's. */
#ifndef IDENTITY_KEY_H
#define IDENTITY_KEY_H

#include <stdbool.h>

#include "base/reason.h"
#include "base/slice.h"
#include "base/status.h"

#define KEY_TEXT_SIZE     47 /* of a key that weir made */
#define KEY_TEXT_SIZE_MIN 16 /* of an imported one */
#define KEY_TEXT_SIZE_MAX 256
#define KEY_HINT_SIZE     4
#define KEY_TOKEN_SIZE    50 /* of an admin token */

/* Makes a new key; no zero byte follows it. */
void key_make(char text_out[KEY_TEXT_SIZE]);

/* Whether this may be a key at all: weir's own with the right checksum, or any other 16 to 256
 * printable ASCII characters without spaces. STATUS_INVALID, and the reason never quotes it. */
MUST_CHECK enum status key_check(struct slice text, struct reason *reason);

/* The same for admin tokens. */
void key_make_token(char text_out[KEY_TOKEN_SIZE]);
/* Whether this may be one: the prefix, the size and the checksum hold. */
bool key_is_token(struct slice text);

/* The last characters, by which a person tells keys apart. `text` passed key_check() or
 * key_is_token(). */
struct slice key_hint(struct slice text);

#endif
