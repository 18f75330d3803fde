/* Counts the tokens of a text that may come in pieces.
 *
 * However the text is cut, the total is the same. What comes is counted at once, but for its last
 * word, of which the end is not known: that is kept (so the memory is that of the longest word; a
 * run of white space is one, too). Work gives way by the pause: see models/tokens/pause.h.
 *
 * Life: init; add as often as there is text; finish; total. Then it is ready for the next text,
 * which adds to the total. fini.
 * Thread: one at a time. Memory: the counter's own; nothing for a text of whole short words. */
#ifndef MODELS_TOKENS_COUNTER_H
#define MODELS_TOKENS_COUNTER_H

#include "base/buffer.h"
#include "models/tokens/path.h"
#include "models/tokens/pause.h"
#include "models/tokens/tokenizer.h"

#define TOKEN_CARRY_BYTES_MAX ((size_t)1 << 30)

struct token_counter {
    const struct tokenizer *tokenizer;
    struct token_pause pause;
    struct token_sink sink;
    struct path_window window;
    struct buffer carry;   /* the start of a piece whose end has not come yet */
    size_t carry_enough;   /* it is worth looking for the end again from this size on */
    size_t bytes_to_pause; /* until the next one */
};

void token_counter_init(struct token_counter *counter, const struct tokenizer *tokenizer,
                        struct token_pause pause);
void token_counter_fini(struct token_counter *counter);

/* From here on the tokens are also written into `ids`, as far as there is room. */
void token_counter_collect(struct token_counter *counter, uint32_t *ids, size_t capacity);

/* STATUS_NO_MEMORY, after which only fini is of use; STATUS_TOO_LARGE likewise: a word of over
 * TOKEN_CARRY_BYTES_MAX. */
MUST_CHECK enum status token_counter_add(struct token_counter *counter, struct slice text);

/* The text ends here. Statuses as above. */
MUST_CHECK enum status token_counter_finish(struct token_counter *counter);

/* Of all that is counted: right after finish, between additions without what is kept. */
static inline uint64_t token_counter_total(const struct token_counter *counter)
{
    return counter->sink.count;
}

/* A whole text in one call. Statuses as above. */
MUST_CHECK enum status token_count(const struct tokenizer *tokenizer, struct slice text,
                                   struct token_pause pause, uint64_t *count_out);

#endif
