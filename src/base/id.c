#include "base/id.h"

#include "base/encoding.h"
#include "base/random.h"

/* The byte offset and the text offset of each of the five groups. */
static const struct group {
    unsigned char byte, size, text;
} groups[] = {{0, 4, 0}, {4, 2, 9}, {6, 2, 14}, {8, 2, 19}, {10, 6, 24}};

#define GROUP_COUNT (sizeof(groups) / sizeof(groups[0]))

struct id id_make(uint64_t realtime_us)
{
    struct id id;
    const uint64_t ms = realtime_us / 1000;
    const unsigned fraction = (unsigned)(realtime_us % 1000);

    random_bytes(id.bytes + 7, sizeof(id.bytes) - 7);
    for (int i = 0; i < 6; i++)
        id.bytes[i] = (unsigned char)(ms >> (40 - 8 * i));
    /* Method 3 of section 6.2: the fraction of the millisecond follows the version. */
    id.bytes[6] = (unsigned char)(0x70 | fraction >> 6);
    id.bytes[7] = (unsigned char)(fraction << 2 | (id.bytes[7] & 0x03));
    id.bytes[8] = (unsigned char)(0x80 | (id.bytes[8] & 0x3f));
    return id;
}

void id_format(const struct id *id, char text_out[ID_TEXT_SIZE])
{
    char digits[2 * sizeof(id->bytes)];
    hex_encode(id->bytes, sizeof(id->bytes), digits);
    memcpy(text_out, digits, 8);
    memcpy(text_out + 9, digits + 8, 4);
    memcpy(text_out + 14, digits + 12, 4);
    memcpy(text_out + 19, digits + 16, 4);
    memcpy(text_out + 24, digits + 20, 12);
    text_out[8] = text_out[13] = text_out[18] = text_out[23] = '-';
}

enum status id_parse(struct slice text, struct id *id_out)
{
    if (text.size != ID_TEXT_SIZE)
        return STATUS_INVALID;
    for (size_t i = 0; i < GROUP_COUNT; i++) {
        const struct group *group = &groups[i];
        if (i > 0 && text.data[group->text - 1] != '-')
            return STATUS_INVALID;
        const struct slice digits = slice_of(text.data + group->text, 2 * (size_t)group->size);
        if (hex_decode(digits, id_out->bytes + group->byte, group->size) != STATUS_OK)
            return STATUS_INVALID;
    }
    return STATUS_OK;
}
