/* The only door to the heap.
 *
 * Thread: any. Errors: NULL, which the caller turns into STATUS_NO_MEMORY. */
#ifndef BASE_ALLOC_H
#define BASE_ALLOC_H

#include <stdbool.h>
#include <stddef.h>

/* Memory with undefined content; `size` > 0. Free with alloc_free(). */
void *alloc_bytes(size_t size);
/* Zeroed memory for `count` items of `size` bytes each. */
void *alloc_zeroed(size_t count, size_t size);
/* Grows or shrinks `memory` (or allocates, if it is NULL). On NULL `memory` is unchanged. */
void *alloc_resize(void *memory, size_t size);
void alloc_free(void *memory);
/* Gives what was freed back to the system: after work that needed much for once, such as loading. */
void alloc_trim(void);

/* For tests: the nth allocation of this thread from now (0 is the next) and no other fails;
 * -1 turns this off. */
void alloc_fail_nth(int nth);
/* Whether this allocation is the one: for the other allocators of base/, once for each. */
bool alloc_must_fail(void);

#endif
