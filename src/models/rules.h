/* Which provider answers for which model name.
 *
 * A rule is an entry of the configuration's `models:`; the first one whose name matches wins.
 * Thread: any; the rules are part of an immutable snapshot. Memory: everything is borrowed from
 * that snapshot; nothing here allocates. */
#ifndef MODELS_RULES_H
#define MODELS_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

#define RULE_NAME_BYTES_MAX 256

struct rule_target {
    uint32_t provider;  /* index into the snapshot's providers */
    struct slice model; /* the provider's name for it; data is NULL: the client's name */
    /* With the client's name: where the provider lists its models and does not list that name,
     * one that it lists is used instead. */
    bool any_listed;
};

/* What is done with messages that do not fit the model's window. */
enum rule_context {
    RULE_CONTEXT_DEFAULT, /* the route decides */
    RULE_CONTEXT_PASS,
    RULE_CONTEXT_DROP_OLDEST,
    RULE_CONTEXT_MIDDLE_OUT,
};

struct rule {
    struct slice name;    /* as written, with the trailing '*' of a pattern */
    struct slice literal; /* the name without that '*' */
    bool is_prefix;       /* the name ends in '*': anything that starts with `literal` matches */
    const struct rule_target *targets; /* in order of preference, all with a credential */
    size_t target_count;               /* at least 1 */
    uint32_t window_tokens;            /* over the catalogue's; 0: not said, as the next two */
    uint32_t max_output_tokens;
    uint32_t reserve_output_tokens; /* of the window, where the request does not say more */
    enum rule_context context;
};

struct rules {
    const struct rule *items;
    size_t count;
};

/* Reads a name: 1 to RULE_NAME_BYTES_MAX bytes without control bytes, '*' at most once and last.
 * Sets name, literal and is_prefix of *rule_out, which borrow `name`, and nothing else.
 * STATUS_INVALID: not such a name; STATUS_TOO_LARGE: too long. */
MUST_CHECK enum status rule_parse_name(struct slice name, struct rule *rule_out);

/* Whether the rule answers for this model name. */
bool rule_matches(const struct rule *rule, struct slice model);

/* Whether every name that `later` matches is matched by `earlier` too. */
bool rule_covers(const struct rule *earlier, const struct rule *later);

/* The first rule that matches, or NULL. */
const struct rule *rules_match(const struct rules *rules, struct slice model);

#endif
