/* Counts the tokens of texts that stand in JSON: what a string stands for, in pieces, so that no
 * string is ever unescaped whole.
 *
 * The values are ones that json/read.h has checked. Thread, memory, statuses: as of
 * models/tokens/counter.h. */
#ifndef MODELS_JSON_TOKENS_H
#define MODELS_JSON_TOKENS_H

#include "base/slice.h"
#include "base/status.h"
#include "json/json.h"
#include "models/tokens/counter.h"

/* Adds what the inside of a string (or a key) stands for. */
MUST_CHECK enum status json_tokens_add_raw(struct token_counter *counter, struct slice raw);

/* Adds a string's text; of any other value its JSON as it stands, of null nothing. */
MUST_CHECK enum status json_tokens_add(struct token_counter *counter, struct json_value value);

/* The same, as a text of its own. */
MUST_CHECK enum status json_tokens_count(struct token_counter *counter, struct json_value value);

#endif
