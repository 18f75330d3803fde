/* The second step of an encoding: the tokens of one piece.
 *
 * Of any text there is one sequence of tokens in which each two neighbours may meet (see
 * models/tokens/merges.h). It is searched from the left, the longest token first; where nothing
 * fits the search goes back, and never comes to the same place twice: the time is linear in the
 * piece's size whatever it holds. Nothing is merged.
 *
 * Some texts, such as long runs of one sign, make the search try many tokens at each place, always
 * the same ones. For these it remembers what it found out about two neighbours.
 *
 * A long piece is worked on in windows. The tokens at the start of a window are settled once every
 * place at which the last token that begins in it could end is reached through them: what follows
 * can no longer change them. So the memory does not grow with the piece. (A text can be thought of
 * in which a window settles nothing; then the window grows.) */
#ifndef MODELS_TOKENS_PATH_H
#define MODELS_TOKENS_PATH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "models/tokens/merges.h"
#include "models/tokens/pause.h"
#include "models/tokens/short_tokens.h"
#include "models/tokens/trie.h"

#define PATH_SHORT_BYTES  128 /* up to here the search lives on the stack */
#define PATH_WINDOW_BYTES ((size_t)16 * 1024)
#define PATH_MEMO_BITS    13
#define PATH_MEMO_PAIRS   ((size_t)1 << PATH_MEMO_BITS)

struct token_tables {
    struct trie trie;
    struct merges merges;
    struct short_tokens short_tokens;
    uint8_t *sizes; /* of each token, in bytes */
    uint32_t token_count;
    uint32_t token_size_max;
};

/* Where the tokens go. They are counted even if there is no room for them. */
struct token_sink {
    uint32_t *ids; /* NULL: they are only counted */
    size_t capacity;
    uint64_t count;
};

/* What longer pieces need (107 KiB and more), and those with runs of one sign (64 KiB); kept from one
 * piece to the next. Starts zeroed. */
struct path_window {
    uint32_t *tokens;
    uint32_t *reached; /* of a place, the token that ends there */
    uint64_t *dead;    /* a bit for each place from which nothing leads to the end */
    size_t size;       /* in bytes of text */
    uint64_t *memo;    /* PATH_MEMO_PAIRS: two neighbours, and whether they may meet */
    bool uses_memo;    /* for this piece */
};

static inline void token_sink_put(struct token_sink *sink, uint32_t token)
{
    if (sink->ids != NULL && sink->count < sink->capacity)
        sink->ids[sink->count] = token;
    sink->count++;
}

/* Adds the tokens of [at, end), which is one piece and not empty, to the sink.
 * STATUS_NO_MEMORY. */
MUST_CHECK enum status path_encode(const struct token_tables *tables, const uint8_t *at,
                                   const uint8_t *end, struct path_window *window,
                                   const struct token_pause *pause, struct token_sink *sink);

void path_window_fini(struct path_window *window);

#endif
