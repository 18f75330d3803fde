/* How counting a long text gives way to others. */
#ifndef MODELS_TOKENS_PAUSE_H
#define MODELS_TOKENS_PAUSE_H

#include <stddef.h>

#define TOKEN_PAUSE_BYTES ((size_t)64 * 1024)

/* Called about every TOKEN_PAUSE_BYTES of text, more often where it is slow to count: well under
 * 5 ms of work lie between two calls. The text must not change meanwhile. `call` may be NULL. */
struct token_pause {
    void (*call)(void *context);
    void *context;
};

static inline void token_pause_call(const struct token_pause *pause)
{
    if (pause->call != NULL)
        pause->call(pause->context);
}

#endif
