#include "admin/spec.h"

enum status admin_spec_of(const struct store_key *key, struct identity_spec *spec_out)
{
    if (key->user_name.size > IDENTITY_NAME_SIZE_MAX || key->models.size > IDENTITY_MODELS_SIZE_MAX)
        return STATUS_TOO_LARGE;
    *spec_out = (struct identity_spec){
        .key_id = key->id,
        .hash = key->hash,
        .user_id = key->user_id,
        .user_name = key->user_name,
        .user_disabled = key->user_disabled,
        .models = key->models,
        .expires_at_us = key->expires_at_us,
        .disabled = key->disabled,
        .revoked = key->revoked_at_us != 0,
    };
    return STATUS_OK;
}
