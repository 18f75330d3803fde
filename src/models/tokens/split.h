/* The first step of an encoding: where the pieces of a text end.
 *
 * What OpenAI publishes as one regular expression for each encoding (tiktoken,
 * tiktoken_ext/openai_public.py) is written out here by hand: one pass forward, no backtracking,
 * so that no text takes long. Every byte belongs to exactly one piece; tokens never cross the end
 * of one. A byte that is no UTF-8 counts as one character of the class OTHER.
 * Thread: any. Memory: none. */
#ifndef MODELS_TOKENS_SPLIT_H
#define MODELS_TOKENS_SPLIT_H

#include <stdbool.h>
#include <stdint.h>

#include "models/tokens/pause.h"

/* The end of the piece that starts at `at` (< end). `is_last`: the text ends at `end`. Otherwise
 * NULL means that what comes after `end` decides. */
typedef const uint8_t *split_function(const uint8_t *at, const uint8_t *end, bool is_last,
                                      const struct token_pause *pause);

split_function split_o200k;
split_function split_cl100k;

#endif
