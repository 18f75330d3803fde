/* Memory that is freed in one go.
 *
 * An arena hands out pieces of blocks and has a cap on the bytes of its blocks together. It may
 * be given a first block that its owner keeps (so that a small request allocates nothing).
 * Thread: one at a time. Errors: NULL at the cap or when memory ran out. */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stddef.h>

#include "base/slice.h"

struct arena_block;

struct arena {
    char *at;                   /* next free byte of the current block */
    char *end;                  /* its end */
    struct arena_block *blocks; /* those the arena has to free, the newest first */
    size_t used_bytes;          /* of all blocks that the arena allocated */
    size_t cap_bytes;
};

/* `first` (may be NULL) holds `first_size` bytes and outlives the arena. */
void arena_init(struct arena *arena, void *first, size_t first_size, size_t cap_bytes);
void arena_fini(struct arena *arena);

/* Memory for any type, not zeroed. */
void *arena_alloc(struct arena *arena, size_t size);
void *arena_zeroed(struct arena *arena, size_t size);
/* A copy of the bytes with a zero byte after them. data is NULL when memory ran out. */
struct slice arena_copy(struct arena *arena, struct slice bytes);
/* Formatted text with a zero byte after it. data is NULL when memory ran out. */
__attribute__((format(printf, 2, 3))) struct slice arena_printf(struct arena *arena,
                                                                const char *format, ...);

#endif
