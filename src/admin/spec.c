#include "admin/spec.h"

enum status admin_user_spec_of(const struct store_user *user, struct identity_user_spec *spec_out)
{
    if (user->name.size > IDENTITY_NAME_SIZE_MAX)
        return STATUS_TOO_LARGE;
    *spec_out = (struct identity_user_spec){
        .id = user->id,
        .name = user->name,
        .disabled = user->disabled,
    };
    return STATUS_OK;
}

enum status admin_spec_of(const struct store_key *key, struct identity_spec *spec_out)
{
    const struct identity_rules_spec rules = {.models = key->models};
    *spec_out = (struct identity_spec){
        .key_id = key->id,
        .hash = key->hash,
        .user_id = key->user_id,
        .expires_at_us = key->expires_at_us,
        .disabled = key->disabled,
        .revoked = key->revoked_at_us != 0,
    };
    return identity_rules_create(&rules, &spec_out->rules, NULL);
}
