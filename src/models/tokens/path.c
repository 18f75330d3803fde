#include "models/tokens/path.h"

#include <stdbool.h>
#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"

#define WORD_BITS    64
#define REPEAT_BYTES 8  /* a token at least so long is tried again behind itself */
#define RUN_BYTES    32 /* one that is so long and all one sign is in a run */
#define TRIED_MANY   8 /* tokens at one place: a text that makes the search try the same ones often */
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

/* merges_may_meet(), remembered. An entry is 0 or the pair and the answer, which do not depend on
 * what is known of the left one. */
static bool may_meet_again(const struct token_tables *tables, uint64_t *memo, struct before before,
                           uint32_t token)
{
    const uint64_t pair = (uint64_t)before.token << MERGE_TOKEN_BITS | token;
    uint64_t *entry = &memo[pair * UINT64_C(0x9E3779B97F4A7C15) >> (64 - PATH_MEMO_BITS)];
    if (*entry >> 2 != pair || *entry == 0) {
        const bool may = merges_may_meet(&tables->merges, before.token, token, before.is_longest);
        *entry = pair << 2 | (uint64_t)may << 1 | 1;
    }
    return (*entry & 2) != 0;
}

/* Whether `token`, which starts at `at`, may stand there. */
static inline bool may_follow(const struct token_tables *tables, const struct path_window *window,
                              struct before before, uint32_t token, const uint8_t *at,
                              const uint8_t *end)
{
    if ((before.openings & opening_of(at, end)) == 0)
        return true;
    if (merge_at_seam(&tables->merges, before.token, token, at[-1], at[0]))
        return false;
    return window->uses_memo
               ? may_meet_again(tables, window->memo, before, token)
               : merges_may_meet(&tables->merges, before.token, token, before.is_longest);
}

/* That there is no memory for it only costs time. */
static void use_memo(struct path_window *window)
{
    if (window->memo == NULL)
        window->memo = alloc_zeroed(PATH_MEMO_PAIRS, sizeof(*window->memo));
    window->uses_memo = window->memo != NULL;
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

/* The token that is tried at a place: first the longest, which nearly always is the one, then each
 * that begins it. In a run of one sign it mostly is not, and takes long to find out; so there a
 * guess goes before: the token before once more, or else of the longer ones that of the lowest rank,
 * which merges first. */
struct candidate {
    uint32_t token; /* or TOKEN_NONE */
    size_t size;
    unsigned tried; /* how many were before; 0: the longest, unless it is a guess */
    bool is_guess;
};

#define GUESSED UINT32_C(0x80000000) /* set in a token of the search that was a guess */

static inline void try_longest(const struct trie *trie, const uint8_t *at, const uint8_t *end,
                               struct candidate *candidate)
{
    candidate->token = trie_longest(trie, at, end, &candidate->size);
    candidate->tried = 0;
    candidate->is_guess = false;
}

static inline bool is_run(const uint8_t *at, size_t size)
{
    return size >= RUN_BYTES && memcmp(at, at + 1, size - 1) == 0;
}

/* Of the candidate, which is the longest, and what begins it, down to half its size. */
static void guess(const struct token_tables *tables, struct candidate *candidate)
{
    const size_t size_min = candidate->size / 2;
    uint32_t token = candidate->token;
    while (token != TOKEN_NONE && tables->sizes[token] >= size_min) {
        candidate->token = token < candidate->token ? token : candidate->token;
        token = tables->merges.beginnings[token];
    }
    candidate->size = tables->sizes[candidate->token];
    candidate->is_guess = true;
}

static inline void try_shorter(const struct token_tables *tables, struct candidate *candidate)
{
    candidate->tried++;
    candidate->token = tables->merges.beginnings[candidate->token];
    if (candidate->token != TOKEN_NONE)
        candidate->size = tables->sizes[candidate->token];
}

/* Whether the token before `at`, of this size, stands there once more. */
static inline bool repeats(const uint8_t *at, const uint8_t *end, size_t size)
{
    return size >= REPEAT_BYTES && (size_t)(end - at) >= size && memcmp(at, at - size, size) == 0;
}

static inline void try_first(const struct token_tables *tables, const uint8_t *at,
                             const uint8_t *end, struct candidate *candidate)
{
    if (repeats(at, end, candidate->size)) {
        candidate->is_guess = true;
        return;
    }
    try_longest(&tables->trie, at, end, candidate);
    if (is_run(at, candidate->size))
        guess(tables, candidate);
}

static inline void try_next(const struct token_tables *tables, const uint8_t *at,
                            const uint8_t *end, struct candidate *candidate)
{
    if (candidate->is_guess)
        try_longest(&tables->trie, at, end, candidate);
    else
        try_shorter(tables, candidate);
}

static inline uint32_t token_at_end(const struct search *search, size_t count)
{
    return count > 0 ? search->tokens[count - 1] & ~GUESSED : search->previous;
}

/* Takes the last token back. It is wrong, since the place behind it is dead. Where it was a guess,
 * nothing else has been tried yet. */
static void go_back(const struct token_tables *tables, const struct search *search, size_t *count,
                    const uint8_t **at, struct candidate *candidate)
{
    ASSERT(*count > 0);
    mark(search->dead, (size_t)(*at - search->start));
    const uint32_t wrong = search->tokens[--*count];
    candidate->token = wrong & ~GUESSED;
    candidate->size = tables->sizes[candidate->token];
    candidate->tried = 0;
    candidate->is_guess = (wrong & GUESSED) != 0;
    *at -= candidate->size;
    try_next(tables, *at, search->end, candidate);
}

static size_t finish(const struct search *search, size_t count)
{
    for (size_t i = 0; i < count; i++)
        search->tokens[i] &= ~GUESSED;
    return count;
}

/* Finds the tokens of the text and gives their number. */
static size_t search_path(const struct token_tables *tables, struct path_window *window,
                          const struct search *search)
{
    const uint8_t *at = search->start;
    struct before before = before_of(tables, search->previous, false);
    struct candidate candidate = {0};
    size_t count = 0;
    try_first(tables, at, search->end, &candidate);
    for (;;) {
        if (candidate.token == TOKEN_NONE) {
            go_back(tables, search, &count, &at, &candidate);
            before = before_of(tables, token_at_end(search, count), false);
        } else if (!is_marked(search->dead, (size_t)(at + candidate.size - search->start)) &&
                   may_follow(tables, window, before, candidate.token, at, search->end)) {
            at += candidate.size;
            search->tokens[count++] = candidate.token | (candidate.is_guess ? GUESSED : 0);
            if (at == search->end)
                return finish(search, count);
            before =
                before_of(tables, candidate.token, candidate.tried == 0 && !candidate.is_guess);
            try_first(tables, at, search->end, &candidate);
        } else {
            try_next(tables, at, search->end, &candidate);
            if (candidate.tried == TRIED_MANY)
                use_memo(window);
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
                         struct path_window *window, struct token_sink *sink)
{
    uint32_t tokens[PATH_SHORT_BYTES] UNINITIALIZED;
    uint64_t dead[PATH_SHORT_BYTES / WORD_BITS + 1] = {0};
    const struct search search = {at, end, TOKEN_NONE, tokens, dead};
    put(sink, tokens, search_path(tables, window, &search));
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

static void free_rooms(struct path_window *window)
{
    alloc_free(window->tokens);
    alloc_free(window->reached);
    alloc_free(window->dead);
    window->tokens = window->reached = NULL;
    window->dead = NULL;
    window->size = 0;
}

static enum status resize(struct path_window *window, size_t size)
{
    free_rooms(window);
    window->size = size;
    window->tokens = alloc_bytes(size * sizeof(*window->tokens));
    window->reached =
        alloc_bytes((tail_far(window) + 2 * TOKEN_SIZE_MAX) * sizeof(*window->reached));
    window->dead = alloc_bytes(dead_words(window) * sizeof(*window->dead));
    if (window->tokens != NULL && window->reached != NULL && window->dead != NULL)
        return STATUS_OK;
    free_rooms(window);
    return STATUS_NO_MEMORY;
}

void path_window_fini(struct path_window *window)
{
    free_rooms(window);
    alloc_free(window->memo);
    *window = (struct path_window){0};
}

/* Goes from `at`, where `previous` ends, to every place of [at, end] that tokens lead to, and says
 * whether all of those are reached that a token which crosses `end` may start from. */
static bool reaches_all(const struct token_tables *tables, const struct path_window *window,
                        const uint8_t *at, const uint8_t *end, uint32_t previous)
{
    uint32_t *reached = window->reached;
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
                may_follow(tables, window, before, tables->trie.tokens[place], at + i, end))
                reached[to] = tables->trie.tokens[place];
        }
    }
    return reached[size] != TOKEN_NONE;
}

/* How many of the `count` tokens of [at, end) stay whatever follows; 0: none is known to. */
static size_t count_settled(const struct token_tables *tables, const struct path_window *window,
                            const uint8_t *end, size_t count)
{
    const size_t tails[] = {TAIL_NEAR, 8 * TAIL_NEAR, tail_far(window)};
    size_t tail = 0;
    for (size_t i = 0; i < sizeof(tails) / sizeof(tails[0]); i++) {
        const size_t wanted = tails[i] + tables->token_size_max;
        while (count > 0 && tail < wanted)
            tail += tables->sizes[window->tokens[--count]];
        if (count == 0)
            return 0;
        if (reaches_all(tables, window, end - tail, end, window->tokens[count - 1]))
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
        const size_t count = search_path(tables, window, &search);
        const size_t settled = stop == end ? count : count_settled(tables, window, stop, count);
        put(sink, window->tokens, settled);
        if (stop == end)
            return STATUS_OK;
        if (settled == 0) {
            status = resize(window, window->size * 2);
            token_pause_call(pause);
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
    window->uses_memo = false;
    const uint32_t token = trie_longest(&tables->trie, at, end, &size);
    if (at + size == end)
        token_sink_put(sink, token);
    else if (end - at > PATH_SHORT_BYTES)
        return encode_long(tables, at, end, window, pause, sink);
    else
        encode_short(tables, at, end, window, sink);
    return STATUS_OK;
}
