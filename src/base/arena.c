#include "base/arena.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include "base/alloc.h"
#include "base/assert.h"

#define BLOCK_BYTES 4096
#define ALIGNMENT   16

struct arena_block {
    struct arena_block *next;
    size_t size; /* with this header */
    _Alignas(ALIGNMENT) char data[];
};

void arena_init(struct arena *arena, void *first, size_t first_size, size_t cap_bytes)
{
    *arena = (struct arena){.cap_bytes = cap_bytes};
    if (first != NULL) {
        arena->at = first;
        arena->end = arena->at + first_size;
    }
}

void arena_fini(struct arena *arena)
{
    while (arena->blocks != NULL) {
        struct arena_block *block = arena->blocks;
        arena->blocks = block->next;
        alloc_free(block);
    }
    *arena = (struct arena){.cap_bytes = arena->cap_bytes};
}

static void *carve(struct arena *arena, size_t size)
{
    if (arena->at == NULL)
        return NULL;
    const size_t gap = (size_t)(-(uintptr_t)arena->at & (ALIGNMENT - 1));
    const size_t left = (size_t)(arena->end - arena->at);
    if (gap > left || size > left - gap)
        return NULL;
    char *memory = arena->at + gap;
    arena->at = memory + size;
    return memory;
}

static bool add_block(struct arena *arena, size_t size)
{
    const size_t header = sizeof(struct arena_block);
    if (size > arena->cap_bytes)
        return false;
    size_t bytes = size + header + ALIGNMENT;
    if (bytes < BLOCK_BYTES)
        bytes = BLOCK_BYTES;
    if (bytes > arena->cap_bytes - arena->used_bytes)
        return false;
    struct arena_block *block = alloc_bytes(bytes);
    if (block == NULL)
        return false;
    block->size = bytes;
    block->next = arena->blocks;
    arena->blocks = block;
    arena->used_bytes += bytes;
    arena->at = block->data;
    arena->end = (char *)block + bytes;
    return true;
}

void *arena_alloc(struct arena *arena, size_t size)
{
    void *memory = carve(arena, size);
    if (memory == NULL && add_block(arena, size))
        memory = carve(arena, size);
    return memory;
}

void *arena_zeroed(struct arena *arena, size_t size)
{
    void *memory = arena_alloc(arena, size);
    if (memory != NULL)
        memset(memory, 0, size);
    return memory;
}

struct slice arena_copy(struct arena *arena, struct slice bytes)
{
    char *copy = arena_alloc(arena, bytes.size + 1);
    if (copy == NULL)
        return (struct slice){0};
    if (bytes.size > 0)
        memcpy(copy, bytes.data, bytes.size);
    copy[bytes.size] = '\0';
    return slice_of(copy, bytes.size);
}

struct slice arena_printf(struct arena *arena, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    const int size = vsnprintf(NULL, 0, format, args);
    va_end(args);
    ASSERT(size >= 0);
    char *text = arena_alloc(arena, (size_t)size + 1);
    if (text == NULL)
        return (struct slice){0};
    va_start(args, format);
    vsnprintf(text, (size_t)size + 1, format, args);
    va_end(args);
    return slice_of(text, (size_t)size);
}
