/* Memory for very many small objects that live long: no header before each, no rounding but to 8 bytes, and of
 * many the pages are huge, so that finding one among a million does not miss the table of pages besides.
 *
 * What is given back is used again for objects of the same size, and stays with the process. Objects that are
 * made one after the other lie side by side.
 *
 * Thread: any, under one lock that is held for a few instructions. Errors: NULL, which the caller turns into
 * STATUS_NO_MEMORY. Where a sanitizer watches memory, each object is one of the heap. */
#ifndef BASE_SLAB_H
#define BASE_SLAB_H

#include <stddef.h>

#define SLAB_BYTES_MAX 16384

/* Zeroed memory of `size` bytes, 1 to SLAB_BYTES_MAX, aligned to 8. */
void *slab_take(size_t size);
/* `size` is what was taken. `object` may be NULL. */
void slab_give(void *object, size_t size);

#endif
