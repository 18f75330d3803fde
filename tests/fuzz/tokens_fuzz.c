/* The tokenizers on any bytes. What must hold: the tokens' bytes are the text; however the text is
 * cut, the count and the tokens are the same; each token is the encoding of its own bytes or part
 * of a word; as JSON, escaped or not, the text counts the same. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "json/read.h"
#include "json/value.h"
#include "json/write.h"
#include "models/json_tokens.h"
#include "models/tokens/counter.h"

#define TEXT_BYTES_MAX ((size_t)1 << 16)

static const struct tokenizer *load(enum token_encoding encoding)
{
    if (tokenizer_get(encoding) == NULL)
        ASSERT(tokenizer_load(encoding, NULL) == STATUS_OK);
    return tokenizer_get(encoding);
}

/* The text in pieces whose sizes its own bytes choose. */
static void count_in_pieces(const struct tokenizer *tokenizer, struct slice text,
                            const uint32_t *ids, size_t count)
{
    struct token_counter counter;
    uint32_t *again = alloc_bytes((count + 1) * sizeof(*again));
    ASSERT(again != NULL);
    token_counter_init(&counter, tokenizer, (struct token_pause){0});
    token_counter_collect(&counter, again, count);
    for (size_t at = 0, size; at < text.size; at += size) {
        size = 1 + (unsigned char)text.data[at] % 17u * ((unsigned char)text.data[at] % 5u);
        if (size > text.size - at)
            size = text.size - at;
        ASSERT(token_counter_add(&counter, slice_of(text.data + at, size)) == STATUS_OK);
    }
    ASSERT(token_counter_finish(&counter) == STATUS_OK);
    ASSERT(token_counter_total(&counter) == count);
    ASSERT(memcmp(ids, again, count * sizeof(*ids)) == 0);
    token_counter_fini(&counter);
    alloc_free(again);
}

/* The text as a string of JSON; bytes that are no UTF-8 are written as U+FFFD, so that is read
 * back first. */
static void count_as_json(const struct tokenizer *tokenizer, struct slice text)
{
    struct buffer buffer;
    struct json_value value;
    struct json_error error;
    struct arena arena;
    struct slice plain;
    uint64_t expected;
    struct token_counter counter;
    buffer_init(&buffer, 8 * TEXT_BYTES_MAX);
    arena_init(&arena, NULL, 0, 16 * TEXT_BYTES_MAX);
    ASSERT(json_append_string(&buffer, text) == STATUS_OK);
    ASSERT(json_check(buffer_slice(&buffer), &JSON_LIMITS_DEFAULT, &value, &error) == STATUS_OK);
    ASSERT(json_string(value, &arena, &plain) == STATUS_OK);
    ASSERT(token_count(tokenizer, plain, (struct token_pause){0}, &expected) == STATUS_OK);
    token_counter_init(&counter, tokenizer, (struct token_pause){0});
    ASSERT(json_tokens_count(&counter, value) == STATUS_OK);
    ASSERT(token_counter_total(&counter) == expected);
    token_counter_fini(&counter);
    arena_fini(&arena);
    buffer_fini(&buffer);
}

static void check(enum token_encoding encoding, struct slice text)
{
    const struct tokenizer *tokenizer = load(encoding);
    uint32_t *ids = alloc_bytes((text.size + 1) * sizeof(*ids));
    struct buffer back;
    uint64_t whole;
    size_t count;
    ASSERT(ids != NULL);
    ASSERT(token_encode(tokenizer, text, ids, text.size, &count) == STATUS_OK);
    ASSERT(token_count(tokenizer, text, (struct token_pause){0}, &whole) == STATUS_OK);
    ASSERT(whole == count);
    buffer_init(&back, text.size);
    ASSERT(token_decode(tokenizer, ids, count, &back) == STATUS_OK);
    ASSERT(slice_equal(buffer_slice(&back), text));
    buffer_fini(&back);
    count_in_pieces(tokenizer, text, ids, count);
    count_as_json(tokenizer, text);
    alloc_free(ids);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct slice text = slice_of(data, size < TEXT_BYTES_MAX ? size : TEXT_BYTES_MAX);
    check(TOKEN_ENCODING_O200K, text);
    check(TOKEN_ENCODING_CL100K, text);
    return 0;
}
