#include "identity/access.h"

static const char *const verdict_names[] = {
    [IDENTITY_VERDICT_VALID] = "valid",       [IDENTITY_VERDICT_REVOKED] = "revoked",
    [IDENTITY_VERDICT_DISABLED] = "disabled", [IDENTITY_VERDICT_USER_DISABLED] = "user disabled",
    [IDENTITY_VERDICT_EXPIRED] = "expired",
};

enum identity_verdict identity_check(const struct identity_key *key, uint64_t now_us)
{
    if (key->revoked)
        return IDENTITY_VERDICT_REVOKED;
    if (key->disabled)
        return IDENTITY_VERDICT_DISABLED;
    if (atomic_load_explicit(&key->user->disabled, memory_order_relaxed))
        return IDENTITY_VERDICT_USER_DISABLED;
    if (key->expires_at_us != 0 && key->expires_at_us <= now_us)
        return IDENTITY_VERDICT_EXPIRED;
    return IDENTITY_VERDICT_VALID;
}

const char *identity_verdict_name(enum identity_verdict verdict)
{
    return verdict_names[verdict];
}

static bool pattern_matches(struct slice pattern, struct slice model)
{
    if (!slice_ends_with(pattern, SLICE("*")))
        return slice_equal(pattern, model);
    return slice_starts_with(model, slice_of(pattern.data, pattern.size - 1));
}

bool identity_allows_model(const struct identity_key *key, struct slice model)
{
    if (key->all_models)
        return true;
    struct slice rest = slice_of(key->models, key->models_size);
    while (rest.size > 0) {
        const size_t comma = slice_find_byte(rest, ',');
        if (pattern_matches(slice_of(rest.data, comma), model))
            return true;
        rest = slice_from(rest, comma < rest.size ? comma + 1 : comma);
    }
    return false;
}
