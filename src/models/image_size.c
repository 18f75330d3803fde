#include "models/image_size.h"

#include <stdbool.h>

static uint32_t byte_at(struct slice bytes, size_t at)
{
    return (unsigned char)bytes.data[at];
}

static uint32_t big16(struct slice bytes, size_t at)
{
    return byte_at(bytes, at) << 8 | byte_at(bytes, at + 1);
}

static uint32_t big32(struct slice bytes, size_t at)
{
    return big16(bytes, at) << 16 | big16(bytes, at + 2);
}

static uint32_t little16(struct slice bytes, size_t at)
{
    return byte_at(bytes, at) | byte_at(bytes, at + 1) << 8;
}

static uint32_t little24(struct slice bytes, size_t at)
{
    return little16(bytes, at) | byte_at(bytes, at + 2) << 16;
}

static bool has(struct slice bytes, size_t at, struct slice tag)
{
    return bytes.size >= at + tag.size && memcmp(bytes.data + at, tag.data, tag.size) == 0;
}

static bool read_png(struct slice bytes, struct image_size *size)
{
    if (!has(bytes, 0, SLICE("\x89PNG\r\n\x1A\n")) || !has(bytes, 12, SLICE("IHDR")) ||
        bytes.size < 24)
        return false;
    *size = (struct image_size){big32(bytes, 16), big32(bytes, 20)};
    return true;
}

static bool read_gif(struct slice bytes, struct image_size *size)
{
    if ((!has(bytes, 0, SLICE("GIF87a")) && !has(bytes, 0, SLICE("GIF89a"))) || bytes.size < 10)
        return false;
    *size = (struct image_size){little16(bytes, 6), little16(bytes, 8)};
    return true;
}

/* A frame's marker: C0 to CF, but for C4, C8 and CC, which are tables. */
static bool begins_frame(uint32_t marker)
{
    return marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC;
}

/* Segments one behind another, each FF, a marker, two bytes of size that count themselves. */
static bool read_jpeg(struct slice bytes, struct image_size *size)
{
    if (!has(bytes, 0, SLICE("\xFF\xD8\xFF")))
        return false;
    for (size_t at = 2; at + 9 <= bytes.size && byte_at(bytes, at) == 0xFF;) {
        const uint32_t marker = byte_at(bytes, at + 1);
        if (begins_frame(marker)) {
            *size = (struct image_size){big16(bytes, at + 7), big16(bytes, at + 5)};
            return true;
        }
        /* FF may be repeated before a marker. */
        at += marker == 0xFF ? 1 : 2 + (size_t)big16(bytes, at + 2);
    }
    return false;
}

static bool read_webp(struct slice bytes, struct image_size *size)
{
    if (!has(bytes, 0, SLICE("RIFF")) || !has(bytes, 8, SLICE("WEBP")) || bytes.size < 30)
        return false;
    if (has(bytes, 12, SLICE("VP8X")))
        *size = (struct image_size){little24(bytes, 24) + 1, little24(bytes, 27) + 1};
    else if (has(bytes, 12, SLICE("VP8 ")) && has(bytes, 23, SLICE("\x9D\x01\x2A")))
        *size = (struct image_size){little16(bytes, 26) & 0x3FFF, little16(bytes, 28) & 0x3FFF};
    else if (has(bytes, 12, SLICE("VP8L")) && has(bytes, 20, SLICE("\x2F")))
        *size = (struct image_size){(little16(bytes, 21) & 0x3FFF) + 1,
                                    (little24(bytes, 22) >> 6 & 0x3FFF) + 1};
    else
        return false;
    return true;
}

enum status image_size_read(struct slice start, struct image_size *size_out)
{
    const bool is_read = read_png(start, size_out) || read_gif(start, size_out) ||
                         read_jpeg(start, size_out) || read_webp(start, size_out);
    return is_read && size_out->width > 0 && size_out->height > 0 ? STATUS_OK : STATUS_NOT_FOUND;
}

/* --- data URLs ------------------------------------------------------------------------------- */

static int digit_of(char letter)
{
    if (letter >= 'A' && letter <= 'Z')
        return letter - 'A';
    if (letter >= 'a' && letter <= 'z')
        return letter - 'a' + 26;
    if (letter >= '0' && letter <= '9')
        return letter - '0' + 52;
    return letter == '+' ? 62 : letter == '/' ? 63 : -1;
}

/* As much of the base64 as fits and is right; `\/` is how some write a '/' in JSON. */
static size_t decode_start(struct slice text, char *bytes, size_t room)
{
    uint32_t bits = 0;
    unsigned count = 0;
    size_t size = 0;
    for (size_t i = 0; i < text.size && size < room; i++) {
        const int digit = digit_of(text.data[i]);
        if (digit < 0 && text.data[i] != '\\')
            break;
        if (digit < 0)
            continue;
        bits = bits << 6 | (uint32_t)digit;
        count += 6;
        if (count >= 8) {
            count -= 8;
            bytes[size++] = (char)(bits >> count);
        }
    }
    return size;
}

enum status image_size_of_url(struct slice url, struct image_size *size_out)
{
    char bytes[IMAGE_START_BYTES];
    const size_t head_max = url.size < 128 ? url.size : 128;
    const struct slice head = slice_of(url.data, head_max);
    const size_t comma = slice_find_byte(head, ',');
    if (comma == head.size || !slice_starts_with(head, SLICE("data:")) ||
        !slice_ends_with(slice_of(head.data, comma), SLICE(";base64")))
        return STATUS_NOT_FOUND;
    const size_t size = decode_start(slice_from(url, comma + 1), bytes, sizeof(bytes));
    return image_size_read(slice_of(bytes, size), size_out);
}
