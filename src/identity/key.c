#include "identity/key.h"

#include <stdbool.h>
#include <stdint.h>

#include "base/encoding.h"
#include "base/random.h"

/* sk-weir-RRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRCCCCCC */
#define PREFIX          SLICE("sk-weir-")
#define RANDOM_DIGITS   33 /* 62^33 > 2^196 */
#define CHECKSUM_DIGITS 6  /* 62^6 > 2^32 */
#define BODY_SIZE       (KEY_TEXT_SIZE - CHECKSUM_DIGITS)

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

void key_make(char text_out[KEY_TEXT_SIZE])
{
    const struct slice prefix = PREFIX;
    memcpy(text_out, prefix.data, prefix.size);
    for (size_t i = prefix.size; i < BODY_SIZE; i++)
        text_out[i] = random_digit();
    write_checksum(slice_of(text_out, BODY_SIZE), text_out + BODY_SIZE);
}

static bool checksum_holds(struct slice text)
{
    char expected[CHECKSUM_DIGITS];
    if (text.size != KEY_TEXT_SIZE)
        return false;
    write_checksum(slice_of(text.data, BODY_SIZE), expected);
    return slice_equal(slice_from(text, BODY_SIZE), slice_of(expected, sizeof(expected)));
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
        if (checksum_holds(text))
            return STATUS_OK;
        reason_set(reason, "the key begins with sk-weir- but its checksum is wrong: it was cut or "
                           "mistyped");
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
