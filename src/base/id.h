/* 128-bit ids, ordered by time: UUID version 7 (RFC 9562 section 5.7). */
#ifndef BASE_ID_H
#define BASE_ID_H

#include <stdint.h>

#include "base/slice.h"
#include "base/status.h"

struct id {
    unsigned char bytes[16];
};

#define ID_TEXT_SIZE 36

/* A new id; `realtime_us` fills its 48-bit millisecond and, below it, 10 bits of its fraction. */
struct id id_make(uint64_t realtime_us);

/* Writes the 36 characters of the usual form, no zero byte. */
void id_format(const struct id *id, char text_out[ID_TEXT_SIZE]);
/* STATUS_INVALID: not 36 characters of that form. */
MUST_CHECK enum status id_parse(struct slice text, struct id *id_out);

#endif
