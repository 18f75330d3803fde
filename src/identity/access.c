#include "identity/access.h"

static const char *const verdict_names[] = {
    [IDENTITY_VERDICT_VALID] = "valid",
    [IDENTITY_VERDICT_REVOKED] = "revoked",
    [IDENTITY_VERDICT_DISABLED] = "disabled",
    [IDENTITY_VERDICT_USER_DISABLED] = "user disabled",
    [IDENTITY_VERDICT_TEAM_DISABLED] = "team disabled",
    [IDENTITY_VERDICT_EXPIRED] = "expired",
};

static bool is_team_disabled(const struct identity_key *key)
{
    const struct identity_team *team = identity_key_team(key);
    return team != NULL && atomic_load_explicit(&team->disabled, memory_order_relaxed);
}

enum identity_verdict identity_check(const struct identity_key *key, uint64_t now_us)
{
    if (key->revoked)
        return IDENTITY_VERDICT_REVOKED;
    if (key->disabled)
        return IDENTITY_VERDICT_DISABLED;
    if (atomic_load_explicit(&key->user->disabled, memory_order_relaxed))
        return IDENTITY_VERDICT_USER_DISABLED;
    if (is_team_disabled(key))
        return IDENTITY_VERDICT_TEAM_DISABLED;
    if (key->expires_at_us != 0 && key->expires_at_us <= now_us)
        return IDENTITY_VERDICT_EXPIRED;
    return IDENTITY_VERDICT_VALID;
}

const char *identity_verdict_name(enum identity_verdict verdict)
{
    return verdict_names[verdict];
}

bool identity_allows_model(const struct identity_key *key, struct slice model)
{
    return identity_rules_allow_model(key->rules, model) &&
           identity_rules_allow_model(identity_key_user_rules(key), model) &&
           identity_rules_allow_model(identity_team_rules(identity_key_team(key)), model);
}

bool identity_allows_route(const struct identity_key *key, struct slice route)
{
    return identity_rules_allow_route(key->rules, route) &&
           identity_rules_allow_route(identity_key_user_rules(key), route) &&
           identity_rules_allow_route(identity_team_rules(identity_key_team(key)), route);
}

bool identity_allows_address(const struct identity_key *key, const unsigned char *address)
{
    return identity_rules_allow_address(key->rules, address) &&
           identity_rules_allow_address(identity_key_user_rules(key), address) &&
           identity_rules_allow_address(identity_team_rules(identity_key_team(key)), address);
}

bool identity_has_networks(const struct identity_key *key)
{
    return identity_rules_have_networks(key->rules) ||
           identity_rules_have_networks(identity_key_user_rules(key)) ||
           identity_rules_have_networks(identity_team_rules(identity_key_team(key)));
}
