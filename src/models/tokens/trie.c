#include "models/tokens/trie.h"

#include <stdbool.h>
#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"

#define LABEL_SHIFT  (32 - TRIE_LABEL_BITS)
#define EMPTY_CELL   UINT32_MAX /* its label is no byte */
#define CELLS_MAX    ((size_t)1 << TRIE_BASE_BITS)
#define TOKENS_MAX   ((uint32_t)1 << 20)
#define CELLS_TAIL   256 /* behind the last base: any byte may be looked for there */
#define WORD_BITS    ((size_t)64)
#define FEW          16 /* tokens are sorted by insertion */
#define FAMILY       8  /* this many children and more are all the same for the search */
#define SEARCH_STEPS 4  /* a search that takes longer makes the next one start further on */

/* A node whose children are still to be placed: the tokens order[begin, end) share its `depth`
 * bytes. Nodes are worked on in the order of their depth, which puts the cells near the root, those
 * used most, side by side. */
struct pending {
    uint32_t begin;
    uint32_t end;
    uint32_t cell; /* the root, at depth 0, has none */
    uint32_t depth;
};

struct builder {
    struct trie *trie;
    const struct token_strings *strings;
    uint32_t *order;   /* tokens; those of a node side by side */
    uint32_t *scratch; /* as long */
    struct pending *queue;
    size_t queue_head;
    size_t queue_tail;
    size_t queue_capacity; /* a power of two; the queue is a ring */
    uint64_t *used_cells;  /* one bit each */
    uint64_t *used_bases;
    size_t capacity;            /* cells there are bits for */
    size_t search_from[FAMILY]; /* by the number of children: where to look for places */
};

static uint32_t size_of(const struct builder *builder, uint32_t token)
{
    return builder->strings->offsets[token + 1] - builder->strings->offsets[token];
}

static uint8_t byte_of(const struct builder *builder, uint32_t token, uint32_t at)
{
    return builder->strings->bytes[builder->strings->offsets[token] + at];
}

/* --- places for children ------------------------------------------------------------------- */

static bool grow(struct builder *builder, size_t wanted)
{
    size_t capacity = builder->capacity == 0 ? (size_t)1 << 16 : builder->capacity;
    while (capacity < wanted)
        capacity *= 2;
    if (capacity == builder->capacity)
        return true;
    if (capacity > CELLS_MAX)
        return false;
    const size_t words = capacity / WORD_BITS;
    const size_t old_words = builder->capacity / WORD_BITS;
    uint32_t *cells = alloc_resize(builder->trie->cells, capacity * sizeof(*cells));
    if (cells == NULL)
        return false;
    builder->trie->cells = cells;
    uint32_t *tokens = alloc_resize(builder->trie->tokens, capacity * sizeof(*tokens));
    if (tokens == NULL)
        return false;
    builder->trie->tokens = tokens;
    uint64_t *used_cells = alloc_resize(builder->used_cells, words * sizeof(*used_cells));
    if (used_cells == NULL)
        return false;
    builder->used_cells = used_cells;
    uint64_t *used_bases = alloc_resize(builder->used_bases, words * sizeof(*used_bases));
    if (used_bases == NULL)
        return false;
    builder->used_bases = used_bases;
    const size_t added = (capacity - builder->capacity) * sizeof(*cells);
    memset(cells + builder->capacity, 0xFF, added); /* EMPTY_CELL and TRIE_NO_TOKEN */
    memset(tokens + builder->capacity, 0xFF, added);
    memset(used_cells + old_words, 0, (words - old_words) * sizeof(*used_cells));
    memset(used_bases + old_words, 0, (words - old_words) * sizeof(*used_bases));
    builder->capacity = capacity;
    return true;
}

/* 64 bits of a bit field from any bit on. Reads a word more than it needs. */
static uint64_t bits_at(const uint64_t *words, size_t at)
{
    const size_t shift = at % WORD_BITS;
    const uint64_t low = words[at / WORD_BITS] >> shift;
    return shift == 0 ? low : low | words[at / WORD_BITS + 1] << (WORD_BITS - shift);
}

static void set_bit(uint64_t *words, size_t at)
{
    words[at / WORD_BITS] |= UINT64_C(1) << at % WORD_BITS;
}

/* Which of the 64 bases from `base` on a node has, or lack a free cell for one of the labels. */
static uint64_t taken_bases(const struct builder *builder, size_t base, const uint8_t *labels,
                            size_t count)
{
    uint64_t taken = bits_at(builder->used_bases, base);
    for (size_t i = 0; i < count && taken != UINT64_MAX; i++)
        taken |= bits_at(builder->used_cells, base + labels[i]);
    return taken;
}

/* A base that no node has and at which all labels' cells are free; 0: no memory. The cells get
 * scarce behind the search, so where it starts moves on: a few stay unused. */
static size_t find_base(struct builder *builder, const uint8_t *labels, size_t count)
{
    size_t *from = &builder->search_from[count < FAMILY ? count - 1 : FAMILY - 1];
    size_t base = *from > labels[0] ? *from - labels[0] : 1;
    for (size_t steps = 1;; steps++, base += WORD_BITS) {
        if (!grow(builder, base + CELLS_TAIL + 2 * WORD_BITS))
            return 0;
        const uint64_t taken = taken_bases(builder, base, labels, count);
        if (taken == UINT64_MAX)
            continue;
        if (steps > SEARCH_STEPS)
            *from += (steps - SEARCH_STEPS) * WORD_BITS;
        return base + (size_t)__builtin_ctzll(~taken);
    }
}

/* --- the nodes ------------------------------------------------------------------------------- */

/* The nodes in the queue share no token, so there are never more of them than tokens. */
static void push(struct builder *builder, struct pending node)
{
    ASSERT(builder->queue_tail - builder->queue_head < builder->queue_capacity);
    builder->queue[builder->queue_tail++ & (builder->queue_capacity - 1)] = node;
}

/* Sorts order[begin, node->end) by the byte at the node's depth. */
static void sort_many(struct builder *builder, const struct pending *node, uint32_t begin)
{
    uint32_t places[257] = {0};
    uint32_t *order = builder->order;
    for (uint32_t i = begin; i < node->end; i++)
        places[byte_of(builder, order[i], node->depth) + 1]++;
    places[0] = begin;
    for (unsigned byte = 1; byte < 256; byte++)
        places[byte] += places[byte - 1];
    for (uint32_t i = begin; i < node->end; i++)
        builder->scratch[places[byte_of(builder, order[i], node->depth)]++] = order[i];
    memcpy(order + begin, builder->scratch + begin, (node->end - begin) * sizeof(*order));
}

static void sort_few(struct builder *builder, const struct pending *node, uint32_t begin)
{
    uint32_t *order = builder->order;
    for (uint32_t i = begin + 1; i < node->end; i++) {
        const uint32_t token = order[i];
        const uint8_t byte = byte_of(builder, token, node->depth);
        uint32_t at = i;
        for (; at > begin && byte_of(builder, order[at - 1], node->depth) > byte; at--)
            order[at] = order[at - 1];
        order[at] = token;
    }
}

/* The token that ends at this node, if any, becomes the first of its tokens. */
static enum status take_token(struct builder *builder, const struct pending *node,
                              uint32_t *begin_out)
{
    uint32_t *order = builder->order;
    *begin_out = node->begin;
    for (uint32_t i = node->begin; i < node->end; i++) {
        const uint32_t token = order[i];
        if (size_of(builder, token) != node->depth)
            continue;
        if (*begin_out != node->begin || node->depth == 0)
            return STATUS_INVALID;
        order[i] = order[node->begin];
        order[node->begin] = token;
        builder->trie->cells[node->cell] |= TRIE_TOKEN_BIT;
        builder->trie->tokens[node->cell] = token;
        (*begin_out)++;
    }
    return STATUS_OK;
}

/* Behind the tokens of order[begin, node->end) that share the first one's byte. */
static uint32_t end_of_child(const struct builder *builder, const struct pending *node,
                             uint32_t begin)
{
    const uint8_t byte = byte_of(builder, builder->order[begin], node->depth);
    uint32_t end = begin + 1;
    while (end < node->end && byte_of(builder, builder->order[end], node->depth) == byte)
        end++;
    return end;
}

static enum status place_children(struct builder *builder, const struct pending *node,
                                  uint32_t begin)
{
    uint8_t labels[256];
    size_t count = 0;
    for (uint32_t at = begin; at < node->end; at = end_of_child(builder, node, at))
        labels[count++] = byte_of(builder, builder->order[at], node->depth);
    const size_t base = node->depth == 0 ? TRIE_ROOT_BASE : find_base(builder, labels, count);
    if (base == 0)
        return STATUS_NO_MEMORY;
    set_bit(builder->used_bases, base);
    if (node->depth > 0)
        builder->trie->cells[node->cell] |= (uint32_t)base;
    if (builder->trie->cell_count < base + CELLS_TAIL)
        builder->trie->cell_count = base + CELLS_TAIL;
    for (size_t i = 0; i < count; i++) {
        const size_t cell = base + labels[i];
        const uint32_t end = end_of_child(builder, node, begin);
        set_bit(builder->used_cells, cell);
        builder->trie->cells[cell] = (uint32_t)labels[i] << LABEL_SHIFT;
        push(builder, (struct pending){begin, end, (uint32_t)cell, node->depth + 1});
        begin = end;
    }
    return STATUS_OK;
}

static enum status place_node(struct builder *builder, const struct pending *node)
{
    uint32_t begin;
    const enum status status = take_token(builder, node, &begin);
    if (status != STATUS_OK || begin == node->end)
        return status;
    if (node->end - begin > FEW)
        sort_many(builder, node, begin);
    else
        sort_few(builder, node, begin);
    return place_children(builder, node, begin);
}

static enum status allocate(struct builder *builder)
{
    const uint32_t count = builder->strings->count;
    builder->queue_capacity = 1;
    while (builder->queue_capacity < count)
        builder->queue_capacity *= 2;
    builder->order = alloc_bytes((size_t)count * sizeof(*builder->order));
    builder->scratch = alloc_bytes((size_t)count * sizeof(*builder->scratch));
    builder->queue = alloc_bytes(builder->queue_capacity * sizeof(*builder->queue));
    if (builder->order == NULL || builder->scratch == NULL || builder->queue == NULL ||
        !grow(builder, 1))
        return STATUS_NO_MEMORY;
    for (uint32_t i = 0; i < count; i++)
        builder->order[i] = i;
    return STATUS_OK;
}

static enum status build(struct builder *builder)
{
    enum status status = allocate(builder);
    if (status != STATUS_OK)
        return status;
    set_bit(builder->used_bases, 0); /* that of leaves */
    set_bit(builder->used_cells, 0);
    push(builder, (struct pending){0, builder->strings->count, 0, 0});
    while (status == STATUS_OK && builder->queue_head != builder->queue_tail) {
        const struct pending node =
            builder->queue[builder->queue_head++ & (builder->queue_capacity - 1)];
        status = place_node(builder, &node);
    }
    return status;
}

/* What is behind the last cell; that this fails is no harm. */
static void give_back(uint32_t **words, size_t count)
{
    uint32_t *shorter = alloc_resize(*words, count * sizeof(*shorter));
    *words = shorter != NULL ? shorter : *words;
}

enum status trie_build(struct trie *trie, const struct token_strings *strings)
{
    ASSERT(strings->count > 0 && strings->count < TOKENS_MAX);
    struct builder builder = {.trie = trie, .strings = strings};
    *trie = (struct trie){0};
    const enum status status = build(&builder);
    alloc_free(builder.order);
    alloc_free(builder.scratch);
    alloc_free(builder.queue);
    alloc_free(builder.used_cells);
    alloc_free(builder.used_bases);
    if (status != STATUS_OK) {
        trie_fini(trie);
        return status;
    }
    give_back(&trie->cells, trie->cell_count);
    give_back(&trie->tokens, trie->cell_count);
    return STATUS_OK;
}

void trie_fini(struct trie *trie)
{
    alloc_free(trie->cells);
    alloc_free(trie->tokens);
    *trie = (struct trie){0};
}
