/* Weir's own secrets, found in a text where somebody put one by mistake: in the place of a name, say.
 *
 * A secret begins with `sk-weir-` or `weir-admin-`; what is shown of it ends there, in "…".
 * Thread: any. Pure. */
#ifndef BASE_REDACT_H
#define BASE_REDACT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/slice.h"

/* Whether `text` holds one. */
bool redact_finds(struct slice text);

/* Writes the text without its secrets to `out`, which has room for text.size bytes and may be where the
 * text itself lies. Returns the size, which is never larger. */
size_t redact_write(struct slice text, char *out);

/* The same in place, for a text that ends in a zero byte. */
void redact_text(char *text);

#endif
