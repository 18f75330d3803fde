#include "base/encoding.h"

#include <endian.h>
#include <string.h>

static const char hex_digits[] = "0123456789abcdef";
static const char base64_digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* Eight digits at once: each half byte is spread to a byte of its own, and to those from 10 on is
 * added what lies between '9' and 'a'. */
static void hex_encode_four(const unsigned char *bytes, char *text_out)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    const uint64_t spread =
        bytes[0] | (uint64_t)bytes[1] << 16 | (uint64_t)bytes[2] << 32 | (uint64_t)bytes[3] << 48;
    const uint64_t halves = (spread >> 4 & ones * 0x0f & UINT64_C(0x00ff00ff00ff00ff)) |
                            (spread << 8 & ones * 0x0f & UINT64_C(0xff00ff00ff00ff00));
    const uint64_t letters = (halves + ones * 6) >> 4 & ones;
    const uint64_t digits = htole64(halves + ones * '0' + letters * ('a' - '0' - 10));
    memcpy(text_out, &digits, sizeof(digits));
}

void hex_encode(const void *bytes, size_t size, char *text_out)
{
    const unsigned char *at = bytes;
    size_t i = 0;
    for (; i + 4 <= size; i += 4)
        hex_encode_four(at + i, text_out + 2 * i);
    for (; i < size; i++) {
        text_out[2 * i] = hex_digits[at[i] >> 4];
        text_out[2 * i + 1] = hex_digits[at[i] & 15];
    }
}

static int hex_value(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    if (digit >= 'a' && digit <= 'f')
        return digit - 'a' + 10;
    if (digit >= 'A' && digit <= 'F')
        return digit - 'A' + 10;
    return -1;
}

enum status hex_decode(struct slice text, void *bytes_out, size_t size)
{
    unsigned char *at = bytes_out;
    if (text.size != 2 * size)
        return STATUS_INVALID;
    for (size_t i = 0; i < size; i++) {
        const int high = hex_value(text.data[2 * i]);
        const int low = hex_value(text.data[2 * i + 1]);
        if (high < 0 || low < 0)
            return STATUS_INVALID;
        at[i] = (unsigned char)(high << 4 | low);
    }
    return STATUS_OK;
}

enum status base64_encode(struct slice bytes, struct buffer *text)
{
    const unsigned char *at = (const unsigned char *)bytes.data;
    for (size_t i = 0; i < bytes.size; i += 3) {
        const size_t left = bytes.size - i;
        const uint32_t group = (uint32_t)at[i] << 16 | (left > 1 ? (uint32_t)at[i + 1] << 8 : 0) |
                               (left > 2 ? at[i + 2] : 0);
        char out[4] = {base64_digits[group >> 18], base64_digits[group >> 12 & 63],
                       base64_digits[group >> 6 & 63], base64_digits[group & 63]};
        if (left < 3)
            out[3] = '=';
        if (left < 2)
            out[2] = '=';
        buffer_append(text, slice_of(out, sizeof(out)));
    }
    return buffer_status(text);
}

static int base64_value(char digit)
{
    const char *at = digit != '\0' ? strchr(base64_digits, digit) : NULL;
    return at != NULL ? (int)(at - base64_digits) : -1;
}

static enum status decode_group(const char *group, size_t digits, struct buffer *bytes)
{
    uint32_t value = 0;
    for (size_t i = 0; i < 4; i++) {
        const int digit = i < digits ? base64_value(group[i]) : 0;
        if (digit < 0)
            return STATUS_INVALID;
        value = value << 6 | (uint32_t)digit;
    }
    const char out[3] = {(char)(value >> 16), (char)(value >> 8), (char)value};
    if ((digits == 3 && out[2] != 0) || (digits == 2 && (out[1] != 0 || out[2] != 0)))
        return STATUS_INVALID; /* the unused bits must be zero */
    return buffer_append(bytes, slice_of(out, digits - 1));
}

enum status base64_decode(struct slice text, struct buffer *bytes)
{
    if (text.size % 4 != 0)
        return STATUS_INVALID;
    for (size_t i = 0; i < text.size; i += 4) {
        const char *group = text.data + i;
        size_t digits = 4;
        if (i + 4 == text.size)
            digits -= (group[3] == '=') + (size_t)(group[3] == '=' && group[2] == '=');
        const enum status status = decode_group(group, digits, bytes);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

/* What four bits contribute; every request's key passes through here, so not bit by bit. */
static const uint32_t crc32_of_nibble[16] = {
    0x00000000, 0x1DB71064, 0x3B6E20C8, 0x26D930AC, 0x76DC4190, 0x6B6B51F4, 0x4DB26158, 0x5005713C,
    0xEDB88320, 0xF00F9344, 0xD6D6A3E8, 0xCB61B38C, 0x9B64C2B0, 0x86D3D2D4, 0xA00AE278, 0xBDBDF21C,
};

uint32_t crc32_of(struct slice bytes)
{
    uint32_t crc = UINT32_MAX;
    for (size_t i = 0; i < bytes.size; i++) {
        crc ^= (unsigned char)bytes.data[i];
        crc = crc >> 4 ^ crc32_of_nibble[crc & 15];
        crc = crc >> 4 ^ crc32_of_nibble[crc & 15];
    }
    return ~crc;
}
