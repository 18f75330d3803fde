#include "models/tokens/counter.h"

#include "models/tokens/tokenizer_internal.h"

#define CARRY_STEP ((size_t)256) /* at least so much is added to what is kept before it is tried */

void token_counter_init(struct token_counter *counter, const struct tokenizer *tokenizer,
                        struct token_pause pause)
{
    *counter = (struct token_counter){
        .tokenizer = tokenizer, .pause = pause, .bytes_to_pause = TOKEN_PAUSE_BYTES};
    buffer_init(&counter->carry, TOKEN_CARRY_BYTES_MAX);
}

void token_counter_fini(struct token_counter *counter)
{
    path_window_fini(&counter->window);
    buffer_fini(&counter->carry);
}

void token_counter_collect(struct token_counter *counter, uint32_t *ids, size_t capacity)
{
    counter->sink.ids = ids;
    counter->sink.capacity = capacity;
}

#define SEARCHED_WEIGHT 4 /* of a piece that is no short token: it takes so much longer at worst */

static inline void note_work(struct token_counter *counter, size_t bytes)
{
    if (bytes < counter->bytes_to_pause) {
        counter->bytes_to_pause -= bytes;
        return;
    }
    counter->bytes_to_pause = TOKEN_PAUSE_BYTES;
    token_pause_call(&counter->pause);
}

/* Up to `readable_end` may be read. */
static inline enum status count_piece(struct token_counter *counter, const uint8_t *at,
                                      const uint8_t *end, const uint8_t *readable_end)
{
    const struct token_tables *tables = &counter->tokenizer->tables;
    if (end - at <= SHORT_TOKEN_BYTES && readable_end - at >= SHORT_TOKEN_BYTES) {
        const uint32_t token = short_token(&tables->short_tokens, at, (size_t)(end - at));
        if (token != TRIE_NO_TOKEN) {
            token_sink_put(&counter->sink, token);
            note_work(counter, (size_t)(end - at));
            return STATUS_OK;
        }
    }
    note_work(counter, SEARCHED_WEIGHT * (size_t)(end - at));
    return path_encode(tables, at, end, &counter->window, &counter->pause, &counter->sink);
}

/* Counts the pieces of the text that are whole, and gives how many bytes they are. */
static enum status count_pieces(struct token_counter *counter, struct slice text, bool is_last,
                                size_t *counted_out)
{
    const uint8_t *start = (const uint8_t *)text.data;
    const uint8_t *at = start;
    const uint8_t *end = text.size > 0 ? start + text.size : start;
    enum status status = STATUS_OK;
    while (at < end && status == STATUS_OK) {
        const uint8_t *next = counter->tokenizer->split(at, end, is_last, &counter->pause);
        if (next == NULL)
            break;
        status = count_piece(counter, at, next, end);
        at = next;
    }
    *counted_out = text.size > 0 ? (size_t)(at - start) : 0;
    return status;
}

static enum status keep(struct token_counter *counter, struct slice text)
{
    const enum status status = buffer_append(&counter->carry, text);
    counter->carry_enough = 2 * counter->carry.size;
    return status;
}

/* Puts text behind what is kept, until the end of its piece is found. *text is what is left to be
 * counted for itself: from the first piece on that begins in it. */
static enum status fill_carry(struct token_counter *counter, struct slice *text)
{
    while (counter->carry.size > 0 && text->size > 0) {
        const size_t kept = counter->carry.size;
        const size_t wanted = kept > CARRY_STEP ? kept : CARRY_STEP;
        const size_t size = text->size < wanted ? text->size : wanted;
        size_t counted;
        enum status status = buffer_append(&counter->carry, slice_of(text->data, size));
        if (status != STATUS_OK)
            return status;
        *text = slice_from(*text, size);
        if (counter->carry.size < counter->carry_enough)
            continue;
        status = count_pieces(counter, buffer_slice(&counter->carry), false, &counted);
        if (status != STATUS_OK)
            return status;
        if (counted >= kept) { /* the rest lies in this text */
            const size_t rest = counter->carry.size - counted;
            *text = slice_of(text->data - rest, text->size + rest);
            buffer_clear(&counter->carry);
        } else {
            buffer_consume(&counter->carry, counted);
            counter->carry_enough = 2 * counter->carry.size;
        }
    }
    return STATUS_OK;
}

enum status token_counter_add(struct token_counter *counter, struct slice text)
{
    size_t counted;
    enum status status = fill_carry(counter, &text);
    if (status != STATUS_OK || text.size == 0)
        return status;
    status = count_pieces(counter, text, false, &counted);
    return status == STATUS_OK && counted < text.size ? keep(counter, slice_from(text, counted))
                                                      : status;
}

enum status token_counter_finish(struct token_counter *counter)
{
    size_t counted;
    const enum status status = count_pieces(counter, buffer_slice(&counter->carry), true, &counted);
    buffer_clear(&counter->carry);
    return status;
}

enum status token_count(const struct tokenizer *tokenizer, struct slice text,
                        struct token_pause pause, uint64_t *count_out)
{
    struct token_counter counter;
    size_t counted;
    token_counter_init(&counter, tokenizer, pause);
    const enum status status = count_pieces(&counter, text, true, &counted);
    *count_out = token_counter_total(&counter);
    token_counter_fini(&counter);
    return status;
}
