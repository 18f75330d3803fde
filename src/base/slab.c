#include "base/slab.h"

#include <pthread.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#include "base/alloc.h"
#include "base/assert.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define IS_WATCHED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define IS_WATCHED 1
#endif
#endif
#ifndef IS_WATCHED
#define IS_WATCHED 0
#endif

#define GRAIN            8
#define CLASS_COUNT      (SLAB_BYTES_MAX / GRAIN + 1)
#define CHUNK_BYTES_MIN  ((size_t)64 * 1024) /* who has few keys pays for few */
#define CHUNK_BYTES_HUGE ((size_t)2 * 1024 * 1024)

struct free_object {
    struct free_object *next;
};

static struct {
    pthread_mutex_t lock;
    struct free_object *free[CLASS_COUNT];
    char *at, *end; /* what is left of the last chunk, all zeros */
    size_t chunk_bytes;
} slab = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* A chunk is as large as all before it together, up to one huge page. */
static size_t next_chunk_bytes(void)
{
    if (slab.chunk_bytes == 0)
        return CHUNK_BYTES_MIN;
    return slab.chunk_bytes < CHUNK_BYTES_HUGE ? 2 * slab.chunk_bytes : CHUNK_BYTES_HUGE;
}

static char *map(size_t bytes)
{
    void *mapping = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return mapping != MAP_FAILED ? mapping : NULL;
}

/* How much is missing to the next multiple of `bytes`. */
static size_t missing(const char *mapping, size_t bytes)
{
    return -(uintptr_t)mapping & (bytes - 1);
}

/* Aligned to its size. */
static char *map_aligned(size_t bytes)
{
    char *mapping = map(bytes);
    if (mapping == NULL || missing(mapping, bytes) == 0)
        return mapping; /* so does a newer kernel place what is as large as a huge page */
    (void)munmap(mapping, bytes);
    mapping = map(2 * bytes);
    if (mapping == NULL)
        return NULL;
    const size_t before = missing(mapping, bytes);
    if (before > 0)
        (void)munmap(mapping, before);
    (void)munmap(mapping + before + bytes, bytes - before);
    return mapping + before;
}

/* All zeros. */
static char *map_chunk(size_t bytes)
{
    char *chunk = map_aligned(bytes);
    if (chunk != NULL && bytes == CHUNK_BYTES_HUGE)
        (void)madvise(chunk, bytes, MADV_HUGEPAGE);
    return chunk;
}

static void *take_locked(size_t size)
{
    struct free_object *object = slab.free[size / GRAIN];
    if (object != NULL) {
        slab.free[size / GRAIN] = object->next;
        memset(object, 0, size);
        return object;
    }
    if ((size_t)(slab.end - slab.at) < size) {
        const size_t bytes = next_chunk_bytes();
        char *chunk = map_chunk(bytes);
        if (chunk == NULL)
            return NULL;
        slab.at = chunk;
        slab.end = chunk + bytes;
        slab.chunk_bytes = bytes;
    }
    void *taken = slab.at;
    slab.at += size;
    return taken;
}

void *slab_take(size_t size)
{
    ASSERT(size > 0 && size <= SLAB_BYTES_MAX);
    if (IS_WATCHED)
        return alloc_zeroed(1, size);
    if (alloc_must_fail())
        return NULL;
    pthread_mutex_lock(&slab.lock);
    void *taken = take_locked((size + GRAIN - 1) / GRAIN * GRAIN);
    pthread_mutex_unlock(&slab.lock);
    return taken;
}

void slab_give(void *object, size_t size)
{
    ASSERT(size > 0 && size <= SLAB_BYTES_MAX);
    if (object == NULL)
        return;
    if (IS_WATCHED) {
        alloc_free(object);
        return;
    }
    struct free_object **list = &slab.free[(size + GRAIN - 1) / GRAIN];
    pthread_mutex_lock(&slab.lock);
    ((struct free_object *)object)->next = *list;
    *list = object;
    pthread_mutex_unlock(&slab.lock);
}
