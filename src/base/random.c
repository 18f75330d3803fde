#include "base/random.h"

#include <string.h>
#include <sys/random.h>

#include "base/assert.h"

#define POOL_BYTES 256 /* getrandom gives this many without a short count (getrandom(2)) */

static _Thread_local unsigned char pool[POOL_BYTES];
static _Thread_local size_t pool_left;

static void fill(void *bytes_out, size_t size)
{
    ssize_t got;
    do
        got = getrandom(bytes_out, size, 0);
    while (got < 0);
    ASSERT((size_t)got == size);
}

void random_bytes(void *bytes_out, size_t size)
{
    unsigned char *at = bytes_out;
    while (size > 0) {
        if (pool_left == 0) {
            fill(pool, sizeof(pool));
            pool_left = sizeof(pool);
        }
        const size_t part = size < pool_left ? size : pool_left;
        unsigned char *from = pool + pool_left - part;
        memcpy(at, from, part);
        explicit_bzero(from, part); /* what was given out does not stay in memory twice */
        pool_left -= part;
        at += part;
        size -= part;
    }
}

uint64_t random_u64(void)
{
    uint64_t value;
    random_bytes(&value, sizeof(value));
    return value;
}
