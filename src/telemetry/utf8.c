#include "telemetry/utf8.h"

/* What a first byte promises, and the range of the second byte, which alone differs (RFC 3629,
 * section 4). */
struct lead {
    unsigned char first, last;
    unsigned char size;
    unsigned char second_min, second_max;
};

static const struct lead leads[] = {
    {0xc2, 0xdf, 2, 0x80, 0xbf}, {0xe0, 0xe0, 3, 0xa0, 0xbf}, {0xe1, 0xec, 3, 0x80, 0xbf},
    {0xed, 0xed, 3, 0x80, 0x9f}, {0xee, 0xef, 3, 0x80, 0xbf}, {0xf0, 0xf0, 4, 0x90, 0xbf},
    {0xf1, 0xf3, 4, 0x80, 0xbf}, {0xf4, 0xf4, 4, 0x80, 0x8f},
};

static const struct lead *lead_of(unsigned char byte)
{
    for (size_t i = 0; i < sizeof(leads) / sizeof(leads[0]); i++) {
        if (byte >= leads[i].first && byte <= leads[i].last)
            return &leads[i];
    }
    return NULL;
}

size_t utf8_next(struct slice text, size_t at, uint32_t *code_out)
{
    const unsigned char *bytes = (const unsigned char *)text.data + at;
    const size_t left = text.size - at;
    *code_out = bytes[0];
    if (bytes[0] < 0x80)
        return 1;

    const struct lead *lead = lead_of(bytes[0]);
    *code_out = UTF8_INVALID;
    if (lead == NULL)
        return 1;
    uint32_t code = bytes[0] & (0x7fU >> lead->size);
    for (size_t i = 1; i < lead->size; i++) {
        const unsigned char min = i == 1 ? lead->second_min : 0x80;
        const unsigned char max = i == 1 ? lead->second_max : 0xbf;
        if (i >= left || bytes[i] < min || bytes[i] > max)
            return i;
        code = code << 6 | (bytes[i] & 0x3fU);
    }
    *code_out = code;
    return lead->size;
}

size_t utf8_whole_size(struct slice text)
{
    for (size_t back = 1; back <= 3 && back <= text.size; back++) {
        const unsigned char byte = (unsigned char)text.data[text.size - back];
        if (byte >= 0x80 && byte <= 0xbf)
            continue;
        const struct lead *lead = lead_of(byte);
        return lead != NULL && lead->size > back ? text.size - back : text.size;
    }
    return text.size;
}
