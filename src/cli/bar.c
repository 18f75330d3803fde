#include "cli/bar.h"

#include <string.h>

#include "base/assert.h"

#define EIGHTHS 8

/* Of the block elements of Unicode, from one eighth to a whole one. */
static const char blocks[EIGHTHS + 1][4] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉", "█"};

/* `value` of `whole` in so many steps, rounded down, but at least one for what is not 0. */
static unsigned steps_of(uint64_t value, uint64_t whole, unsigned steps)
{
    if (value == 0)
        return 0;
    while (whole > UINT64_MAX / (BAR_CHARS_MAX * EIGHTHS)) {
        value /= 2;
        whole /= 2;
    }
    const unsigned count = (unsigned)(value * steps / whole);
    return count > 0 ? count : 1;
}

static size_t put(char *text, size_t size, const char *piece)
{
    const size_t piece_size = strlen(piece);
    memcpy(text + size, piece, piece_size);
    return size + piece_size;
}

struct slice bar_draw(uint64_t value, uint64_t whole, unsigned chars, bool is_utf8,
                      char text_out[BAR_BYTES])
{
    ASSERT(chars <= BAR_CHARS_MAX && value <= whole);
    size_t size = 0;
    if (!is_utf8) {
        const unsigned count = steps_of(value, whole, chars);
        memset(text_out, '#', count);
        return slice_of(text_out, count);
    }
    const unsigned eighths = steps_of(value, whole, chars * EIGHTHS);
    for (unsigned i = 0; i < eighths / EIGHTHS; i++)
        size = put(text_out, size, blocks[EIGHTHS]);
    size = put(text_out, size, blocks[eighths % EIGHTHS]);
    return slice_of(text_out, size);
}
