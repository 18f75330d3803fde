#include "models/json_tokens.h"

#include "base/arena.h"
#include "base/assert.h"
#include "json/search.h"
#include "json/value.h"

#define BLOCK_BYTES 2048 /* of a text with escapes, unescaped at once */
#define PLAIN_BYTES 256  /* as much without an escape is not copied */

/* The size of the escape at `at`; both halves of a surrogate pair are one. */
static size_t size_of_escape(const char *at, const char *end)
{
    if (end - at < 6 || at[1] != 'u')
        return 2;
    const bool is_half = (at[2] | 0x20) == 'd' && end - at >= 12 && at[6] == '\\' && at[7] == 'u';
    return is_half ? 12 : 6;
}

/* The end of a block of whole characters from `at` on, at most BLOCK_BYTES. */
static const char *end_of_block(const char *at, const char *end)
{
    const char *block_end = end - at > BLOCK_BYTES ? at + BLOCK_BYTES : end;
    while (at < block_end) {
        const char *escape = json_search_quote(at, block_end);
        if (escape == block_end) {
            at = block_end;
            while (at < end && json_is_utf8_tail((unsigned char)*at))
                at--;
            return at;
        }
        const size_t size = size_of_escape(escape, end);
        if (size > (size_t)(block_end - escape))
            return escape;
        at = escape + size;
    }
    return at;
}

static enum status add_block(struct token_counter *counter, struct slice raw)
{
    char room[BLOCK_BYTES + 64];
    struct arena arena;
    struct slice text;
    arena_init(&arena, room, sizeof(room), BLOCK_BYTES);
    enum status status = json_unescape(raw, &arena, &text);
    if (status == STATUS_OK)
        status = token_counter_add(counter, text);
    arena_fini(&arena);
    return status;
}

enum status json_tokens_add_raw(struct token_counter *counter, struct slice raw)
{
    const char *at = raw.data;
    enum status status = STATUS_OK;
    if (raw.size == 0)
        return STATUS_OK;
    for (const char *end = at + raw.size; at < end && status == STATUS_OK;) {
        const char *escape = json_search_quote(at, end);
        if (escape - at >= PLAIN_BYTES || escape == end) {
            status = token_counter_add(counter, slice_of(at, (size_t)(escape - at)));
            at = escape;
            continue;
        }
        const char *block_end = end_of_block(at, end);
        ASSERT(block_end > at);
        status = add_block(counter, slice_of(at, (size_t)(block_end - at)));
        at = block_end;
    }
    return status;
}

enum status json_tokens_add(struct token_counter *counter, struct json_value value)
{
    if (value.type == JSON_TYPE_NULL)
        return STATUS_OK;
    if (value.type != JSON_TYPE_STRING)
        return token_counter_add(counter, value.raw);
    return json_tokens_add_raw(counter, slice_of(value.raw.data + 1, value.raw.size - 2));
}

enum status json_tokens_count(struct token_counter *counter, struct json_value value)
{
    const enum status status = json_tokens_add(counter, value);
    return status == STATUS_OK ? token_counter_finish(counter) : status;
}
