#include "models/tokens/tokenizer.h"

#include <pthread.h>
#include <stdatomic.h>
#include <zstd.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "models/tokens/counter.h"
#include "models/tokens/tokenizer_internal.h"

#define COUNT_BYTES      4 /* at the start of unpacked ranks: the number of tokens */
#define UNPACKED_MAX     ((size_t)16 * 1024 * 1024)
#define DECODE_DEPTH_MAX 256 /* a token of 255 bytes is made of at most so many, one in another */

static const struct {
    const char *name;
    split_function *split;
} encodings[TOKEN_ENCODING_COUNT] = {
    [TOKEN_ENCODING_O200K] = {"o200k_base", split_o200k},
    [TOKEN_ENCODING_CL100K] = {"cl100k_base", split_cl100k},
};

static pthread_mutex_t load_mutex = PTHREAD_MUTEX_INITIALIZER;
static _Atomic(struct tokenizer *) loaded[TOKEN_ENCODING_COUNT];

const char *token_encoding_name(enum token_encoding encoding)
{
    return encodings[encoding].name;
}

/* --- loading --------------------------------------------------------------------------------- */

static enum status unpack(struct slice packed, uint8_t **ranks_out, size_t *size_out)
{
    const unsigned long long size = ZSTD_getFrameContentSize(packed.data, packed.size);
    if (size < COUNT_BYTES || size > UNPACKED_MAX) /* also what says that it is unknown */
        return STATUS_INVALID;
    uint8_t *ranks = alloc_bytes((size_t)size);
    if (ranks == NULL)
        return STATUS_NO_MEMORY;
    if (ZSTD_decompress(ranks, (size_t)size, packed.data, packed.size) != size) {
        alloc_free(ranks);
        return STATUS_INVALID;
    }
    *ranks_out = ranks;
    *size_out = (size_t)size;
    return STATUS_OK;
}

/* Reads what is before the strings: how many there are and how long each is. */
static enum status read_sizes(struct token_tables *tables, struct token_strings *strings,
                              const uint8_t *ranks, size_t ranks_size)
{
    const uint32_t count = (uint32_t)ranks[0] | (uint32_t)ranks[1] << 8 | (uint32_t)ranks[2] << 16 |
                           (uint32_t)ranks[3] << 24;
    if (count == 0 || count > ranks_size - COUNT_BYTES)
        return STATUS_INVALID;
    uint32_t *offsets = alloc_bytes(((size_t)count + 1) * sizeof(*offsets));
    tables->sizes = alloc_bytes(count);
    strings->offsets = offsets;
    if (offsets == NULL || tables->sizes == NULL)
        return STATUS_NO_MEMORY;
    offsets[0] = 0;
    for (uint32_t i = 0; i < count; i++) {
        const uint8_t size = ranks[COUNT_BYTES + i];
        tables->sizes[i] = size;
        offsets[i + 1] = offsets[i] + size;
        if (tables->token_size_max < size)
            tables->token_size_max = size;
    }
    strings->bytes = ranks + COUNT_BYTES + count;
    strings->count = tables->token_count = count;
    return offsets[count] == ranks_size - COUNT_BYTES - count ? STATUS_OK : STATUS_INVALID;
}

static enum status build(struct token_tables *tables, const uint8_t *ranks, size_t ranks_size)
{
    struct token_strings strings = {0};
    enum status status = read_sizes(tables, &strings, ranks, ranks_size);
    if (status == STATUS_OK)
        status = trie_build(&tables->trie, &strings);
    if (status == STATUS_OK)
        status = merges_build(&tables->merges, &strings, &tables->trie);
    if (status == STATUS_OK)
        status = short_tokens_build(&tables->short_tokens, &strings);
    alloc_free((void *)(uintptr_t)strings.offsets);
    return status;
}

static void destroy(struct tokenizer **tokenizer)
{
    if (*tokenizer == NULL)
        return;
    struct token_tables *tables = &(*tokenizer)->tables;
    short_tokens_fini(&tables->short_tokens);
    merges_fini(&tables->merges);
    trie_fini(&tables->trie);
    alloc_free(tables->sizes);
    alloc_free(*tokenizer);
    *tokenizer = NULL;
}

static enum status create(enum token_encoding encoding, struct tokenizer **tokenizer_out)
{
    struct tokenizer *tokenizer = alloc_zeroed(1, sizeof(*tokenizer));
    uint8_t *ranks = NULL;
    size_t ranks_size;
    if (tokenizer == NULL)
        return STATUS_NO_MEMORY;
    tokenizer->split = encodings[encoding].split;
    enum status status = unpack(ranks_of(encoding), &ranks, &ranks_size);
    if (status == STATUS_OK)
        status = build(&tokenizer->tables, ranks, ranks_size);
    alloc_free(ranks);
    if (status != STATUS_OK)
        destroy(&tokenizer);
    *tokenizer_out = tokenizer;
    return status;
}

enum status tokenizer_load(enum token_encoding encoding, struct reason *reason)
{
    ASSERT(encoding < TOKEN_ENCODING_COUNT);
    struct tokenizer *tokenizer = NULL;
    enum status status = STATUS_OK;
    pthread_mutex_lock(&load_mutex);
    if (tokenizer_get(encoding) == NULL) {
        status = create(encoding, &tokenizer);
        if (status == STATUS_OK)
            atomic_store_explicit(&loaded[encoding], tokenizer, memory_order_release);
    }
    pthread_mutex_unlock(&load_mutex);
    if (status == STATUS_NO_MEMORY)
        reason_set(reason, "no memory for the encoding %s", encodings[encoding].name);
    else if (status != STATUS_OK)
        reason_set(reason, "the ranks of %s in this program are damaged", encodings[encoding].name);
    return status;
}

const struct tokenizer *tokenizer_get(enum token_encoding encoding)
{
    ASSERT(encoding < TOKEN_ENCODING_COUNT);
    return atomic_load_explicit(&loaded[encoding], memory_order_acquire);
}

void tokenizer_unload_all(void)
{
    for (size_t i = 0; i < TOKEN_ENCODING_COUNT; i++) {
        struct tokenizer *tokenizer = atomic_exchange(&loaded[i], NULL);
        destroy(&tokenizer);
    }
}

size_t tokenizer_memory_bytes(const struct tokenizer *tokenizer)
{
    const struct token_tables *tables = &tokenizer->tables;
    const struct merges *merges = &tables->merges;
    return sizeof(*tokenizer) + 2 * tables->trie.cell_count * sizeof(*tables->trie.cells) +
           merges->slot_count * sizeof(*merges->slots) + ((size_t)12 << SHORT_TOKEN_BITS) +
           (size_t)TOKEN_BYTES * TOKEN_BYTES * sizeof(*merges->of_bytes) +
           tables->token_count *
               (sizeof(*merges->of) + sizeof(*merges->beginnings) + sizeof(*tables->sizes));
}

/* --- there and back -------------------------------------------------------------------------- */

enum status token_encode(const struct tokenizer *tokenizer, struct slice text, uint32_t *ids,
                         size_t capacity, size_t *count_out)
{
    struct token_counter counter;
    token_counter_init(&counter, tokenizer, (struct token_pause){0});
    token_counter_collect(&counter, ids, capacity);
    enum status status = token_counter_add(&counter, text);
    if (status == STATUS_OK)
        status = token_counter_finish(&counter);
    *count_out = (size_t)token_counter_total(&counter);
    token_counter_fini(&counter);
    return status == STATUS_OK && *count_out > capacity ? STATUS_TOO_LARGE : status;
}

/* A token's bytes are those of its left part and then those of its right one. */
static enum status append_token(const struct merges *merges, uint32_t token, struct buffer *text)
{
    uint32_t open[DECODE_DEPTH_MAX];
    size_t depth = 0;
    for (;;) {
        for (; token >= TOKEN_BYTES; token = merge_left(&merges->of[token])) {
            ASSERT(depth < DECODE_DEPTH_MAX);
            open[depth++] = merge_right(&merges->of[token]);
        }
        const enum status status = buffer_append_byte(text, (char)merges->bytes[token]);
        if (status != STATUS_OK || depth == 0)
            return status;
        token = open[--depth];
    }
}

enum status token_decode(const struct tokenizer *tokenizer, const uint32_t *ids, size_t count,
                         struct buffer *text)
{
    for (size_t i = 0; i < count; i++) {
        if (ids[i] >= tokenizer->tables.token_count)
            return STATUS_INVALID;
        const enum status status = append_token(&tokenizer->tables.merges, ids[i], text);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}
