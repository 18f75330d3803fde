/* Which messages of a chat stay, so that it fits a model's window.
 *
 * A chat is a list of turns. A turn begins with a user message (with the first of several in a row)
 * and holds what follows up to the next such; what stands before the first user message is a turn
 * of its own. Whole turns go or stay, so what is left is a conversation as the models know it: it
 * begins with a user message if it did so before, users and assistants take turns if they did so,
 * and no result of a tool stands without the message that called it. (A result that belongs to a
 * call of an earlier turn binds the turns together.) System and developer messages stay always, as
 * does the last turn.
 * Pure: no I/O, no memory. Time linear in the messages. Thread: any. */
#ifndef MODELS_CONTEXT_H
#define MODELS_CONTEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"
#include "base/status.h"

enum context_role {
    CONTEXT_ROLE_SYSTEM, /* "system", "developer" */
    CONTEXT_ROLE_USER,   /* and any unknown one */
    CONTEXT_ROLE_ASSISTANT,
    CONTEXT_ROLE_TOOL, /* "tool", "function": the result of a call */
};

enum context_strategy {
    CONTEXT_PASS,        /* all stay, whether they fit or not: the provider decides */
    CONTEXT_DROP_OLDEST, /* turns go from the first one on */
    CONTEXT_MIDDLE_OUT,  /* turns go from the middle outwards */
};

struct context_message {
    struct slice raw; /* in the body; not looked at here */
    uint64_t tokens;  /* with what the format adds for it */
    enum context_role role;
    bool calls_tools; /* an assistant's message with tool_calls or a function_call */
    bool is_kept;     /* set by context_fit() */
    uint32_t turn;    /* for context_fit() itself */
};

struct context_limits {
    uint64_t window_tokens;  /* input and output together */
    uint64_t output_tokens;  /* reserved for the answer */
    uint64_t besides_tokens; /* of the request besides its messages: tools, the format itself */
    enum context_strategy strategy;
};

struct context_fit {
    uint64_t input_tokens; /* of the request with what is kept */
    size_t dropped_count;
};

/* Sets is_kept of each message. With CONTEXT_PASS always STATUS_OK; otherwise STATUS_TOO_LARGE: even
 * what has to stay does not fit, then all are kept and *fit_out counts all. */
MUST_CHECK enum status context_fit(struct context_message *messages, size_t count,
                                   const struct context_limits *limits,
                                   struct context_fit *fit_out);

#endif
