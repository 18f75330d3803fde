/* The encodings that OpenAI publishes, and texts as numbers of tokens.
 *
 * An encoding is loaded once, by tokenizer_load(): that unpacks its ranks and builds tables, which
 * takes tens of milliseconds and is nothing for a thread with a loop. From then on tokenizer_get()
 * gives it to any thread, without a lock.
 *   tables in memory: o200k_base 9.4 MiB, cl100k_base 5.1 MiB (half as much again while they are
 *   built); to load: 0.05 to 0.2 s, see docs/performance.md, "Token counting".
 * Content is counted without special tokens: "<|endoftext|>" is plain text. A text is any bytes;
 * a byte that is no UTF-8 is a character of its own. Thread: any. */
#ifndef MODELS_TOKENS_TOKENIZER_H
#define MODELS_TOKENS_TOKENIZER_H

#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/reason.h"
#include "base/slice.h"
#include "base/status.h"

enum token_encoding {
    TOKEN_ENCODING_O200K,  /* o200k_base: gpt-4o and later */
    TOKEN_ENCODING_CL100K, /* cl100k_base: gpt-4, gpt-3.5-turbo, embeddings */
    TOKEN_ENCODING_COUNT,
};

struct tokenizer;

/* Such as "o200k_base". Static storage. */
const char *token_encoding_name(enum token_encoding encoding);

/* Loads the encoding, if it is not yet: blocks. STATUS_NO_MEMORY; STATUS_INVALID: the embedded
 * ranks are damaged. */
MUST_CHECK enum status tokenizer_load(enum token_encoding encoding, struct reason *reason);

/* The loaded encoding, which stays until the process ends; NULL: not loaded. */
const struct tokenizer *tokenizer_get(enum token_encoding encoding);

/* Frees all encodings; nobody may use one any more. For tests. */
void tokenizer_unload_all(void);

/* How many bytes its tables take. */
size_t tokenizer_memory_bytes(const struct tokenizer *tokenizer);

/* Writes the tokens of the text into `ids`, of which there are `capacity`, and their number into
 * *count_out. STATUS_TOO_LARGE: there are more; the number is right and the first ones are there.
 * STATUS_NO_MEMORY. */
MUST_CHECK enum status token_encode(const struct tokenizer *tokenizer, struct slice text,
                                    uint32_t *ids, size_t capacity, size_t *count_out);

/* Appends the bytes of the tokens. STATUS_INVALID: a number that is no token (special ones are
 * none); else the statuses of buffer_append(). */
MUST_CHECK enum status token_decode(const struct tokenizer *tokenizer, const uint32_t *ids,
                                    size_t count, struct buffer *text);

#endif
