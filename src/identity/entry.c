#include "identity/entry.h"

#include "base/alloc.h"
#include "base/assert.h"
#include "identity/entry_internal.h"

struct identity_user *identity_user_create(const struct id *id, struct slice name, bool disabled)
{
    ASSERT(name.size <= IDENTITY_NAME_SIZE_MAX);
    struct identity_user *user = alloc_zeroed(1, sizeof(*user) + name.size);
    if (user == NULL)
        return NULL;
    user->id = *id;
    id_format(id, user->id_text);
    user->name_size = (uint16_t)name.size;
    if (name.size > 0)
        memcpy(user->name, name.data, name.size);
    atomic_init(&user->disabled, disabled);
    atomic_init(&user->references, 1);
    list_init(&user->keys);
    return user;
}

void identity_user_acquire(struct identity_user *user)
{
    atomic_fetch_add_explicit(&user->references, 1, memory_order_relaxed);
}

void identity_user_release(struct identity_user *user)
{
    if (atomic_fetch_sub_explicit(&user->references, 1, memory_order_acq_rel) == 1)
        alloc_free(user);
}

size_t identity_user_bytes(const struct identity_user *user)
{
    return sizeof(*user) + user->name_size;
}

struct identity_key *identity_key_create(const struct identity_spec *spec,
                                         struct identity_user *user)
{
    ASSERT(spec->models.size <= IDENTITY_MODELS_SIZE_MAX);
    struct identity_key *key = alloc_zeroed(1, sizeof(*key) + spec->models.size);
    if (key == NULL)
        return NULL;
    key->id = spec->key_id;
    id_format(&spec->key_id, key->id_text);
    key->expires_at_us = spec->expires_at_us;
    key->disabled = spec->disabled;
    key->revoked = spec->revoked;
    key->all_models = spec->models.data == NULL;
    key->models_size = (uint16_t)spec->models.size;
    if (!key->all_models && spec->models.size > 0)
        memcpy(key->models, spec->models.data, spec->models.size);
    memcpy(key->hash, spec->hash, sizeof(key->hash));
    atomic_init(&key->references, 1);
    atomic_init(&key->used_at_s, 0);
    atomic_init(&key->used_waits, false);
    list_init(&key->in_user);
    identity_user_acquire(user);
    key->user = user;
    return key;
}

size_t identity_key_bytes(const struct identity_key *key)
{
    return sizeof(*key) + key->models_size;
}

void identity_key_acquire(struct identity_key *key)
{
    atomic_fetch_add_explicit(&key->references, 1, memory_order_relaxed);
}

void identity_key_release(struct identity_key **key)
{
    if (*key == NULL)
        return;
    if (atomic_fetch_sub_explicit(&(*key)->references, 1, memory_order_acq_rel) == 1) {
        identity_user_release((*key)->user);
        alloc_free(*key);
    }
    *key = NULL;
}
