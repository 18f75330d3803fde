/* What of a tokenizer the files of models/tokens/ share. */
#ifndef MODELS_TOKENS_TOKENIZER_INTERNAL_H
#define MODELS_TOKENS_TOKENIZER_INTERNAL_H

#include "models/tokens/path.h"
#include "models/tokens/split.h"
#include "models/tokens/tokenizer.h"

struct tokenizer {
    split_function *split;
    struct token_tables tables;
};

/* The packed ranks of an encoding, as ranks/README.md describes them. */
struct slice ranks_of(enum token_encoding encoding);

#endif
