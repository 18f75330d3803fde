/* Rules for tests, of which most say nothing but models. */
#ifndef TESTS_UNIT_IDENTITY_MAKING_RULES_H
#define TESTS_UNIT_IDENTITY_MAKING_RULES_H

#include "base/assert.h"
#include "identity/rules.h"

static inline struct identity_rules *making_rules(const struct identity_rules_spec *spec)
{
    struct identity_rules *rules = NULL;
    const enum status status = identity_rules_create(spec, &rules, NULL);
    ASSERT(status == STATUS_OK);
    return rules;
}

/* NULL where `models` has no data. */
static inline struct identity_rules *making_models(struct slice models)
{
    const struct identity_rules_spec spec = {.models = models};
    return making_rules(&spec);
}

#endif
