#include "admin/demo_key.h"

#include <string.h>

#include "admin/key_change.h"
#include "admin/user_change.h"
#include "identity/key.h"
#include "io/secret_file.h"

#define NAME            SLICE("demo")
#define FILE_NAME       "demo.key"
#define ARENA_BYTES_MAX 65536

static enum status make_secret(struct admin_context *context, struct buffer *secret,
                               struct reason *reason)
{
    char made[KEY_TEXT_SIZE];
    key_make(made);
    const struct slice text = slice_of(made, sizeof(made));
    enum status status = secret_file_create(context->data_dir, FILE_NAME, text, reason);
    if (status == STATUS_OK) {
        status = buffer_append(secret, text);
        if (status != STATUS_OK)
            reason_set(reason, "out of memory while making the demo key");
    }
    explicit_bzero(made, sizeof(made));
    return status;
}

/* The file comes first: if weir is killed in between, the next start enters its secret. */
static enum status load_secret(struct admin_context *context, struct buffer *secret,
                               struct reason *reason)
{
    enum status status = secret_file_read(context->data_dir, FILE_NAME, secret, reason);
    if (status == STATUS_NOT_FOUND)
        return make_secret(context, secret, reason);
    if (status == STATUS_OK && key_check(buffer_slice(secret), NULL) != STATUS_OK) {
        reason_set(reason, "%s/secrets/" FILE_NAME " holds no key; remove it to get a new one",
                   context->data_dir);
        status = STATUS_INVALID;
    }
    return status;
}

static enum status find_or_make_user(struct admin_context *context, struct arena *arena,
                                     struct store_user *user_out, struct reason *reason)
{
    enum status status = store_user_find(context->store, NAME, arena, user_out, reason);
    if (status != STATUS_NOT_FOUND)
        return status;
    const uint64_t now_us = context->now_us();
    *user_out = (struct store_user){
        .id = id_make(now_us), .name = NAME, .created_at_us = now_us, .updated_at_us = now_us};
    return user_enter(context, user_out, reason);
}

/* If the name is taken by a key whose secret was thrown away, that key stays, and this one does
 * without. */
static enum status enter(struct admin_context *context, struct slice secret, struct arena *arena,
                         struct reason *reason)
{
    struct store_user user;
    enum status status = find_or_make_user(context, arena, &user, reason);
    if (status != STATUS_OK)
        return status;
    const uint64_t now_us = context->now_us();
    struct store_key key = {
        .id = id_make(now_us),
        .user_id = user.id,
        .user_name = user.name,
        .user_disabled = user.disabled,
        .team_id = user.team_id,
        .name = NAME,
        .created_at_us = now_us,
        .updated_at_us = now_us,
    };
    status = key_enter(context, secret, &key, reason);
    if (status != STATUS_EXISTS)
        return status;
    key.name = slice_of(NULL, 0);
    return key_enter(context, secret, &key, reason);
}

static enum status check_usable(const struct store_key *key,
                                const unsigned char hash[KEY_HASH_SIZE], uint64_t now_us,
                                struct reason *reason)
{
    const char *fault = NULL;
    if (memcmp(key->hash, hash, KEY_HASH_SIZE) != 0)
        fault = "the demo key was rotated; remove secrets/" FILE_NAME " to get another one";
    else if (key->revoked_at_us != 0)
        fault = "the demo key was revoked; remove secrets/" FILE_NAME " to get a new one";
    else if (key->disabled)
        fault = "the demo key is disabled";
    else if (key->user_disabled)
        fault = "the user of the demo key is disabled";
    else if (key->team_disabled)
        fault = "the team of the demo key's user is disabled";
    else if (key->expires_at_us != 0 && key->expires_at_us <= now_us)
        fault = "the demo key has expired";
    if (fault == NULL)
        return STATUS_OK;
    reason_set(reason, "%s", fault);
    return STATUS_DENIED;
}

static enum status find_or_enter(struct admin_context *context, struct slice secret,
                                 struct arena *arena, struct reason *reason)
{
    unsigned char hash[KEY_HASH_SIZE];
    enum status status = key_hasher_hash(context->hasher, secret, hash);
    if (status != STATUS_OK) {
        reason_set(reason, "out of memory while hashing the demo key");
        return status;
    }
    struct store_key key;
    status = store_key_find_hash(context->store, hash, arena, &key, reason);
    if (status == STATUS_NOT_FOUND)
        return enter(context, secret, arena, reason);
    return status == STATUS_OK ? check_usable(&key, hash, context->now_us(), reason) : status;
}

enum status admin_demo_key(struct admin_context *context, struct buffer *secret,
                           struct reason *reason)
{
    struct buffer text;
    struct arena arena;
    buffer_init(&text, KEY_TEXT_SIZE_MAX + 16);
    arena_init(&arena, NULL, 0, ARENA_BYTES_MAX);

    enum status status = load_secret(context, &text, reason);
    if (status == STATUS_OK)
        status = find_or_enter(context, buffer_slice(&text), &arena, reason);
    if (status == STATUS_OK) {
        status = buffer_append(secret, buffer_slice(&text));
        if (status != STATUS_OK)
            reason_set(reason, "out of memory while reading the demo key");
    }

    if (text.size > 0)
        explicit_bzero(text.data, text.size);
    buffer_fini(&text);
    arena_fini(&arena);
    return status;
}
