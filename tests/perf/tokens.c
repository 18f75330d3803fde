/* Encodes a file with one of weir's tokenizers and says how long it took. For tests/perf/tokens.py.
 *
 * Usage: tokens ENCODING FILE ROUNDS [ids]
 *
 * Prints one line: tokens, FNV-1a over the ids, then for each round the nanoseconds of CPU time. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "models/tokens/counter.h"

static unsigned long long cpu_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (unsigned long long)now.tv_sec * 1000000000u + (unsigned long long)now.tv_nsec;
}

static struct slice read_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL || fseek(file, 0, SEEK_END) != 0) {
        perror(path);
        exit(1);
    }
    const size_t size = (size_t)ftell(file);
    char *data = alloc_bytes(size + 1);
    rewind(file);
    if (data == NULL || fread(data, 1, size, file) != size)
        exit(1);
    fclose(file);
    return slice_of(data, size);
}

static unsigned long long fingerprint(const uint32_t *ids, size_t count)
{
    unsigned long long hash = 0xcbf29ce484222325u;
    for (size_t i = 0; i < count; i++) {
        for (int shift = 0; shift < 32; shift += 8)
            hash = (hash ^ (ids[i] >> shift & 0xFF)) * 0x100000001b3u;
    }
    return hash;
}

int main(int argc, char **argv)
{
    if (argc != 4)
        return 2;
    const enum token_encoding encoding =
        strcmp(argv[1], "cl100k_base") == 0 ? TOKEN_ENCODING_CL100K : TOKEN_ENCODING_O200K;
    const unsigned long long start = cpu_ns();
    struct reason reason;
    if (tokenizer_load(encoding, &reason) != STATUS_OK)
        return 1;
    const unsigned long long load_ns = cpu_ns() - start;
    const struct tokenizer *tokenizer = tokenizer_get(encoding);
    const struct slice text = read_file(argv[2]);
    uint32_t *ids = alloc_bytes((text.size + 1) * sizeof(*ids));
    size_t count = 0;
    if (ids == NULL || token_encode(tokenizer, text, ids, text.size, &count) != STATUS_OK)
        return 1;
    printf("%zu %llx %llu %zu", count, fingerprint(ids, count), load_ns,
           tokenizer_memory_bytes(tokenizer));
    for (long round = strtol(argv[3], NULL, 10); round > 0; round--) {
        uint64_t total;
        const unsigned long long before = cpu_ns();
        if (token_count(tokenizer, text, (struct token_pause){0}, &total) != STATUS_OK ||
            total != count)
            return 1;
        printf(" %llu", cpu_ns() - before);
    }
    printf("\n");
    return 0;
}
