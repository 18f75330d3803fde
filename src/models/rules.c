#include "models/rules.h"

static bool is_clean(struct slice name)
{
    for (size_t i = 0; i < name.size; i++) {
        const unsigned char byte = (unsigned char)name.data[i];
        if (byte < 0x20 || byte == 0x7f || (byte == '*' && i + 1 < name.size))
            return false;
    }
    return name.size > 0;
}

enum status rule_parse_name(struct slice name, struct rule *rule_out)
{
    if (name.size > RULE_NAME_BYTES_MAX)
        return STATUS_TOO_LARGE;
    if (!is_clean(name))
        return STATUS_INVALID;
    rule_out->name = rule_out->literal = name;
    rule_out->is_prefix = name.data[name.size - 1] == '*';
    rule_out->literal.size -= rule_out->is_prefix;
    return STATUS_OK;
}

bool rule_matches(const struct rule *rule, struct slice model)
{
    return rule->is_prefix ? slice_starts_with(model, rule->literal)
                           : slice_equal(model, rule->literal);
}

bool rule_covers(const struct rule *earlier, const struct rule *later)
{
    if (later->is_prefix && !earlier->is_prefix)
        return false;
    return rule_matches(earlier, later->literal);
}

const struct rule *rules_match(const struct rules *rules, struct slice model)
{
    for (size_t i = 0; i < rules->count; i++) {
        if (rule_matches(&rules->items[i], model))
            return &rules->items[i];
    }
    return NULL;
}
