#include "identity/key.h"

#include <stdint.h>

#include "base/encoding.h"
#include "base/random.h"

/* sk-weir-RRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRCCCCCC */
#define PREFIX          SLICE("sk-weir-")
#define TOKEN_PREFIX    SLICE("weir-admin-")
#define RANDOM_DIGITS   33                                /* 62^33 > 2^196 */
#define CHECKSUM_DIGITS 6                                 /* 62^6 > 2^32 */
#define MADE_SIZE       (RANDOM_DIGITS + CHECKSUM_DIGITS) /* what follows the prefix */

_Static_assert(KEY_TEXT_SIZE == sizeof("sk-weir-") - 1 + MADE_SIZE, "the size of a key");
_Static_assert(KEY_TOKEN_SIZE == sizeof("weir-admin-") - 1 + MADE_SIZE, "the size of a token");

static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/* Bytes from 248 on are drawn again, so that every digit is equally likely. */
static char random_digit(void)
{
    unsigned char byte;
    do
        random_bytes(&byte, 1);
    while (byte >= 4 * 62);
    return digits[byte % 62];
}

static void write_checksum(struct slice body, char *text_out)
{
    uint32_t checksum = crc32_of(body);
    for (size_t i = CHECKSUM_DIGITS; i > 0; i--) {
        text_out[i - 1] = digits[checksum % 62];
        checksum /= 62;
    }
}

/* `text_out` holds the prefix and MADE_SIZE bytes. */
static void make(struct slice prefix, char *text_out)
{
    const size_t body_size = prefix.size + RANDOM_DIGITS;
    memcpy(text_out, prefix.data, prefix.size);
    for (size_t i = prefix.size; i < body_size; i++)
        text_out[i] = random_digit();
    write_checksum(slice_of(text_out, body_size), text_out + body_size);
}

void key_make(char text_out[KEY_TEXT_SIZE])
{
    make(PREFIX, text_out);
}

void key_make_token(char text_out[KEY_TOKEN_SIZE])
{
    make(TOKEN_PREFIX, text_out);
}

/* `text` begins with the prefix. */
static bool checksum_holds(struct slice prefix, struct slice text)
{
    char expected[CHECKSUM_DIGITS];
    const size_t body_size = prefix.size + RANDOM_DIGITS;
    if (text.size != prefix.size + MADE_SIZE)
        return false;
    write_checksum(slice_of(text.data, body_size), expected);
    return slice_equal(slice_from(text, body_size), slice_of(expected, sizeof(expected)));
}

bool key_is_token(struct slice text)
{
    return slice_starts_with(text, TOKEN_PREFIX) && checksum_holds(TOKEN_PREFIX, text);
}

static bool is_printable(struct slice text)
{
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] <= ' ' || text.data[i] > '~')
            return false;
    }
    return true;
}

enum status key_check(struct slice text, struct reason *reason)
{
    if (slice_starts_with(text, PREFIX)) {
        if (checksum_holds(PREFIX, text))
            return STATUS_OK;
        reason_set(reason, "the key begins with sk-weir- but its checksum is wrong: it was cut or "
                           "mistyped");
        return STATUS_INVALID;
    }
    if (slice_starts_with(text, TOKEN_PREFIX)) {
        reason_set(reason, "an admin token is no key for the API");
        return STATUS_INVALID;
    }
    if (text.size < KEY_TEXT_SIZE_MIN || text.size > KEY_TEXT_SIZE_MAX || !is_printable(text)) {
        reason_set(reason, "a key is %d to %d printable ASCII characters without spaces",
                   KEY_TEXT_SIZE_MIN, KEY_TEXT_SIZE_MAX);
        return STATUS_INVALID;
    }
    return STATUS_OK;
}

struct slice key_hint(struct slice text)
{
    return slice_from(text, text.size - KEY_HINT_SIZE);
}
