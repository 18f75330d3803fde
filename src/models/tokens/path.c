#include "models/tokens/path.h"

#include <stdbool.h>
#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"

#define WORD_BITS 64
/* What of a window's end, before the longest token that could cross it, is left to the next window:
 * this much usually suffices to settle what is before. */
#define TAIL_NEAR      ((size_t)32)
#define TOKEN_SIZE_MAX ((size_t)UINT8_MAX)

/* Release builds clear every local variable, which costs more here than all the rest. */
#if defined(__has_attribute)
#if __has_attribute(uninitialized)
#define UNINITIALIZED __attribute__((uninitialized))
#endif
#endif
#ifndef UNINITIALIZED
#define UNINITIALIZED
#endif

/* What stands before a place. The openings are a load that takes its time, so it is begun early. */
struct before {
    uint32_t token;    /* or TOKEN_NONE */
    bool is_longest;   /* no longer token starts where it does; false: unknown */
    uint64_t openings; /* of TOKEN_NONE: none */
};

static inline struct before before_of(const struct token_tables *tables, uint32_t token,
                                      bool is_longest)
{
    return (struct before){token, is_longest,
                           token == TOKEN_NONE ? 0 : tables->merges.of[token].openings};
}

/* Whether `token`, which starts at `at`, may stand there. */
static inline bool may_follow(const struct token_tables *tables, struct before before,
                              uint32_t token, const uint8_t *at, const uint8_t *end)
{
    if ((before.openings & opening_of(at, end)) == 0)
        return true;
    return !merge_at_seam(&tables->merges, before.token, token, at[-1], at[0]) &&
           merges_may_meet(&tables->merges, before.token, token, before.is_longest);
}

static inline bool is_marked(const uint64_t *bits, size_t at)
{
    return (bits[at / WORD_BITS] >> at % WORD_BITS & 1) != 0;
}

static inline void mark(uint64_t *bits, size_t at)
{
    bits[at / WORD_BITS] |= UINT64_C(1) << at % WORD_BITS;
}

/* The text of a search, and what it needs: room for a token and a bit for each byte of it. */
struct search {
    const uint8_t *start;
    const uint8_t *end;
    uint32_t previous; /* the token before `start`, or TOKEN_NONE */
    uint32_t *tokens;
    uint64_t *dead; /* all 0 */
};

/* Finds the tokens of the text and gives their number. */
static size_t search_path(const struct token_tables *tables, const struct search *search)
{
    const uint8_t *at = search->start;
    const uint8_t *end = search->end;
    struct before before = before_of(tables, search->previous, false);
    size_t count = 0;
    size_t size;
    uint32_t found = trie_longest(&tables->trie, at, end, &size);
    bool is_longest = true;
    for (;;) {
        if (found != TRIE_NO_TOKEN &&
            !is_marked(search->dead, (size_t)(at + size - search->start)) &&
            may_follow(tables, before, found, at, end)) {
            at += size;
            search->tokens[count++] = found;
            before = before_of(tables, found, is_longest);
            if (at == end)
                return count;
            found = trie_longest(&tables->trie, at, end, &size);
            is_longest = true;
        } else if (size > 1) {
            found = trie_longest(&tables->trie, at, at + size - 1, &size);
            is_longest = false;
        } else { /* not even a single byte: back */
            ASSERT(count > 0);
            mark(search->dead, (size_t)(at - search->start));
            size = tables->sizes[search->tokens[--count]];
            at -= size;
            before =
                before_of(tables, count > 0 ? search->tokens[count - 1] : search->previous, false);
            is_longest = false;
            found =
                size > 1 ? trie_longest(&tables->trie, at, at + size - 1, &size) : TRIE_NO_TOKEN;
        }
    }
}

static void put(struct token_sink *sink, const uint32_t *tokens, size_t count)
{
    if (sink->ids != NULL && sink->count < sink->capacity) {
        const size_t room = sink->capacity - (size_t)sink->count;
        memcpy(sink->ids + sink->count, tokens, (count < room ? count : room) * sizeof(*tokens));
    }
    sink->count += count;
}

static void encode_short(const struct token_tables *tables, const uint8_t *at, const uint8_t *end,
                         struct token_sink *sink)
{
    uint32_t tokens[PATH_SHORT_BYTES] UNINITIALIZED;
    uint64_t dead[PATH_SHORT_BYTES / WORD_BITS + 1] = {0};
    const struct search search = {at, end, TOKEN_NONE, tokens, dead};
    put(sink, tokens, search_path(tables, &search));
}

/* --- long pieces ----------------------------------------------------------------------------- */

static size_t tail_far(const struct path_window *window)
{
    return window->size / 8;
}

static size_t dead_words(const struct path_window *window)
{
    return window->size / WORD_BITS + 1;
}

static enum status resize(struct path_window *window, size_t size)
{
    path_window_fini(window);
    window->size = size;
    window->tokens = alloc_bytes(size * sizeof(*window->tokens));
    window->reached =
        alloc_bytes((tail_far(window) + 2 * TOKEN_SIZE_MAX) * sizeof(*window->reached));
    window->dead = alloc_bytes(dead_words(window) * sizeof(*window->dead));
    if (window->tokens != NULL && window->reached != NULL && window->dead != NULL)
        return STATUS_OK;
    path_window_fini(window);
    return STATUS_NO_MEMORY;
}

void path_window_fini(struct path_window *window)
{
    alloc_free(window->tokens);
    alloc_free(window->reached);
    alloc_free(window->dead);
    *window = (struct path_window){0};
}

/* Goes from `at`, where `previous` ends, to every place of [at, end] that tokens lead to, and says
 * whether all of those are reached that a token which crosses `end` may start from. */
static bool reaches_all(const struct token_tables *tables, uint32_t *reached, const uint8_t *at,
                        const uint8_t *end, uint32_t previous)
{
    const size_t size = (size_t)(end - at);
    for (size_t i = 0; i <= size; i++)
        reached[i] = TOKEN_NONE;
    reached[0] = previous;
    for (size_t i = 0; i < size; i++) {
        if (reached[i] == TOKEN_NONE) {
            if (size - i < tables->token_size_max)
                return false;
            continue;
        }
        const struct before before = before_of(tables, reached[i], false);
        uint32_t base = TRIE_ROOT_BASE;
        for (size_t to = i; to < size;) {
            const uint32_t place = base + at[to];
            const uint32_t cell = tables->trie.cells[place];
            if (trie_label(cell) != at[to++])
                break;
            base = trie_base(cell);
            if ((cell & TRIE_TOKEN_BIT) != 0 && reached[to] == TOKEN_NONE &&
                may_follow(tables, before, tables->trie.tokens[place], at + i, end))
                reached[to] = tables->trie.tokens[place];
        }
    }
    return reached[size] != TOKEN_NONE;
}

/* How many of the `count` tokens of [at, end) stay whatever follows; 0: none is known to. */
static size_t count_settled(const struct token_tables *tables, const struct path_window *window,
                            const uint8_t *end, size_t count)
{
    const size_t tails[] = {TAIL_NEAR, tail_far(window)};
    size_t tail = 0;
    for (size_t i = 0; i < sizeof(tails) / sizeof(tails[0]); i++) {
        const size_t wanted = tails[i] + tables->token_size_max;
        while (count > 0 && tail < wanted)
            tail += tables->sizes[window->tokens[--count]];
        if (count == 0)
            return 0;
        if (reaches_all(tables, window->reached, end - tail, end, window->tokens[count - 1]))
            return count;
    }
    return 0;
}

static enum status encode_long(const struct token_tables *tables, const uint8_t *at,
                               const uint8_t *end, struct path_window *window,
                               const struct token_pause *pause, struct token_sink *sink)
{
    uint32_t previous = TOKEN_NONE;
    enum status status = STATUS_OK;
    if (window->size == 0)
        status = resize(window, PATH_WINDOW_BYTES);
    while (status == STATUS_OK) {
        const uint8_t *stop = (size_t)(end - at) > window->size ? at + window->size : end;
        const struct search search = {at, stop, previous, window->tokens, window->dead};
        memset(window->dead, 0, dead_words(window) * sizeof(*window->dead));
        const size_t count = search_path(tables, &search);
        const size_t settled = stop == end ? count : count_settled(tables, window, stop, count);
        put(sink, window->tokens, settled);
        if (stop == end)
            return STATUS_OK;
        if (settled == 0) {
            status = resize(window, window->size * 2);
            continue;
        }
        for (size_t i = 0; i < settled; i++)
            at += tables->sizes[window->tokens[i]];
        previous = window->tokens[settled - 1];
        token_pause_call(pause);
    }
    return status;
}

enum status path_encode(const struct token_tables *tables, const uint8_t *at, const uint8_t *end,
                        struct path_window *window, const struct token_pause *pause,
                        struct token_sink *sink)
{
    size_t size;
    ASSERT(at < end);
    const uint32_t token = trie_longest(&tables->trie, at, end, &size);
    if (at + size == end)
        token_sink_put(sink, token);
    else if (end - at > PATH_SHORT_BYTES)
        return encode_long(tables, at, end, window, pause, sink);
    else
        encode_short(tables, at, end, sink);
    return STATUS_OK;
}
