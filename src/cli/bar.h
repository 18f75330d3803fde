/* Bars of a chart in a line of text. Pure. */
#ifndef CLI_BAR_H
#define CLI_BAR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

#define BAR_CHARS_MAX 60
/* Bytes of the longest bar. */
#define BAR_BYTES (BAR_CHARS_MAX * 3)

/* Writes `value` as a part of `whole` (at least as much), which takes `chars` characters (at most
 * BAR_CHARS_MAX), in eighths of a block, or in '#' where `is_utf8` is false. What is not 0 shows.
 * The slice is in text_out. */
struct slice bar_draw(uint64_t value, uint64_t whole, unsigned chars, bool is_utf8,
                      char text_out[BAR_BYTES]);

#endif
