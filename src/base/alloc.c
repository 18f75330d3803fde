#include "base/alloc.h"

#include <stdlib.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

static _Thread_local int fail_countdown = -1;

bool alloc_must_fail(void)
{
    return fail_countdown >= 0 && fail_countdown-- == 0;
}

void *alloc_bytes(size_t size)
{
    return alloc_must_fail() ? NULL : malloc(size);
}

void *alloc_zeroed(size_t count, size_t size)
{
    return alloc_must_fail() ? NULL : calloc(count, size);
}

void *alloc_resize(void *memory, size_t size)
{
    return alloc_must_fail() ? NULL : realloc(memory, size);
}

void alloc_free(void *memory)
{
    free(memory);
}

void alloc_trim(void)
{
#ifdef __GLIBC__
    (void)malloc_trim(0);
#endif
}

void alloc_fail_nth(int nth)
{
    fail_countdown = nth;
}
