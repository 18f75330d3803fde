#include "admin/secret_store.h"

#include "admin/change.h"
#include "admin/member_writer.h"
#include "store/store_usage.h"

#define ARENA_BYTES_MAX  ((size_t)16 << 20)
#define HINT_SIZE        4
#define HINT_VALUE_MIN   12 /* of a shorter one the hint would tell too much */
#define ASSOCIATED_BYTES 512

/* --- One secret ---------------------------------------------------------------------------------- */

enum status secret_check(struct slice value, struct reason *reason)
{
    const char *fault = NULL;
    for (size_t i = 0; i < value.size; i++) {
        if ((unsigned char)value.data[i] < 0x20 || value.data[i] == 0x7f)
            fault = "a secret has no control characters";
    }
    if (value.size == 0)
        fault = "a secret is a string that is not empty";
    else if (value.size > SECRET_BYTES_MAX)
        fault = "a secret has at most 16384 bytes";
    else if (slice_trim(value).size != value.size)
        fault = "a secret has no spaces at its ends";
    if (fault == NULL)
        return STATUS_OK;
    reason_set(reason, "%s", fault);
    return STATUS_INVALID;
}

/* Where it belongs: the id of its row and the name of its provider. */
static enum status append_associated(const struct store_secret *secret, struct buffer *associated)
{
    buffer_init(associated, ASSOCIATED_BYTES);
    buffer_append(associated, slice_of(secret->id.bytes, sizeof(secret->id.bytes)));
    return buffer_append(associated, secret->provider);
}

/* `sealed` is the caller's, and what the secret then borrows. */
static enum status seal_secret(const struct master_key *key, struct slice value,
                               struct store_secret *secret, struct buffer *sealed)
{
    struct buffer associated;
    enum status status = append_associated(secret, &associated);
    if (status == STATUS_OK)
        status = seal_make(key->bytes, buffer_slice(&associated), value, secret->nonce, sealed);
    buffer_fini(&associated);
    memcpy(secret->master_id, key->id, sizeof(secret->master_id));
    secret->sealed = buffer_slice(sealed);
    return status;
}

enum status secret_open(const struct master_key *key, const struct store_secret *secret,
                        struct buffer *plain, struct reason *reason)
{
    struct buffer associated;
    enum status status = master_key_check(key, secret->master_id, secret->provider, reason);
    if (status != STATUS_OK)
        return status;
    status = append_associated(secret, &associated);
    if (status == STATUS_OK)
        status =
            seal_open(key->bytes, secret->nonce, buffer_slice(&associated), secret->sealed, plain);
    buffer_fini(&associated);
    if (status == STATUS_INVALID)
        reason_set(reason,
                   "the secret of provider %.*s does not open: its row in the database was changed "
                   "or moved; set it anew, or delete it",
                   SLICE_ARGS(secret->provider));
    return status;
}

static struct slice hint_of(struct slice value)
{
    return value.size < HINT_VALUE_MIN ? SLICE("") : slice_from(value, value.size - HINT_SIZE);
}

/* --- The key ------------------------------------------------------------------------------------- */

/* A row under a key, of another provider than `except`. */
struct search {
    struct slice except;
    unsigned char id[STORE_MASTER_ID_SIZE];
    char provider[CONFIG_PROVIDER_NAME_BYTES_MAX];
    size_t provider_size;
    bool is_found;
};

static enum status note_used(void *context, const struct store_secret *secret)
{
    struct search *search = context;
    if (slice_equal(secret->provider, search->except))
        return STATUS_OK;
    memcpy(search->id, secret->master_id, sizeof(search->id));
    search->provider_size = secret->provider.size < sizeof(search->provider)
                                ? secret->provider.size
                                : sizeof(search->provider);
    memcpy(search->provider, secret->provider.data, search->provider_size);
    search->is_found = true;
    return STATUS_AGAIN;
}

static enum status find_used(struct store *store, struct search *search, struct reason *reason)
{
    const enum status status = store_secrets_list(store, note_used, search, reason);
    return status == STATUS_AGAIN ? STATUS_OK : status;
}

enum status secret_load_key(struct admin_context *context, const struct config *config, bool create,
                            struct master_key *key_out, struct reason *reason)
{
    const struct slice configured = config != NULL ? config->secrets.master_key : (struct slice){0};
    struct search search = {.is_found = false};
    struct master_key_places places = master_key_places_of(configured, context->data_dir);
    const enum status status = find_used(context->store, &search, reason);
    if (status != STATUS_OK)
        return status;
    places.used_id = search.is_found ? search.id : NULL;
    const enum status loaded = master_key_load(&places, create, key_out, reason);
    return loaded == STATUS_INVALID ? STATUS_DENIED : loaded; /* no fault of whoever asks */
}

static enum status load_key(struct admin_context *context, struct master_key *key,
                            struct reason *reason)
{
    const struct snapshot *snapshot = context->snapshot;
    return secret_load_key(context, snapshot != NULL ? snapshot->config : NULL, true, key, reason);
}

/* All are under one key, so that a rotation, or another key at the next start, meets them all alike. */
static enum status check_others(struct admin_context *context, const struct master_key *key,
                                struct slice provider, struct reason *reason)
{
    struct search search = {.except = provider};
    const enum status status = find_used(context->store, &search, reason);
    if (status != STATUS_OK || !search.is_found)
        return status;
    return master_key_check(key, search.id, slice_of(search.provider, search.provider_size),
                            reason);
}

/* --- Setting and deleting ------------------------------------------------------------------------ */

static enum status end_change(struct change *change, struct slice provider, enum status status,
                              struct reason *reason)
{
    change->subject = provider;
    member_write_text(&change->writer, SLICE("provider"), provider);
    status = change_end(change, status, reason);
    change->context->has_configuration_changed |= status == STATUS_OK;
    return status;
}

/* The one that there is keeps its id and its birth. */
static enum status begin_secret(struct admin_context *context, struct slice provider,
                                struct arena *arena, struct store_secret *secret,
                                struct reason *reason)
{
    const uint64_t now_us = context->now_us();
    const enum status status = store_secret_find(context->store, provider, arena, secret, reason);
    if (status == STATUS_OK) {
        secret->updated_at_us = now_us > secret->updated_at_us ? now_us : secret->updated_at_us + 1;
        return STATUS_OK;
    }
    *secret = (struct store_secret){.id = id_make(now_us),
                                    .provider = provider,
                                    .created_at_us = now_us,
                                    .updated_at_us = now_us};
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

static enum status put(struct admin_context *context, const struct master_key *key,
                       struct slice value, struct store_secret *secret, struct reason *reason)
{
    struct change change;
    struct buffer sealed;
    buffer_init(&sealed, SECRET_BYTES_MAX + SEAL_TAG_SIZE);
    enum status status = change_begin(context, SLICE("secret.set"), &change, reason);
    if (status == STATUS_OK)
        status = seal_secret(key, value, secret, &sealed);
    if (status == STATUS_OK)
        status = store_secret_put(context->store, secret, reason);
    status = end_change(&change, secret->provider, status, reason);
    buffer_fini(&sealed);
    secret->sealed = (struct slice){0};
    return status;
}

enum status secret_set(struct admin_context *context, struct slice provider, struct slice value,
                       struct arena *arena, struct store_secret *secret_out, struct reason *reason)
{
    struct master_key key;
    enum status status = secret_check(value, reason);
    if (status == STATUS_OK)
        status = begin_secret(context, provider, arena, secret_out, reason);
    if (status != STATUS_OK)
        return status;
    status = load_key(context, &key, reason);
    if (status == STATUS_OK)
        status = check_others(context, &key, provider, reason);
    if (status == STATUS_OK) {
        secret_out->hint = hint_of(value);
        status = put(context, &key, value, secret_out, reason);
    }
    master_key_wipe(&key);
    return status;
}

enum status secret_delete(struct admin_context *context, struct slice provider,
                          struct reason *reason)
{
    struct change change;
    enum status status = change_begin(context, SLICE("secret.delete"), &change, reason);
    if (status == STATUS_OK)
        status = store_secret_delete(context->store, provider, reason);
    return end_change(&change, provider, status, reason);
}

/* --- Rotation ------------------------------------------------------------------------------------ */

/* All secrets as they are; a visitor may not call the store. */
struct rows {
    struct arena arena;
    struct row {
        struct store_secret secret;
        struct row *next;
    } *first;
    size_t count;
};

static enum status take_row(void *context, const struct store_secret *secret)
{
    struct rows *rows = context;
    struct row *row = arena_zeroed(&rows->arena, sizeof(*row));
    if (row == NULL)
        return STATUS_NO_MEMORY;
    row->secret = *secret;
    row->secret.provider = arena_copy(&rows->arena, secret->provider);
    row->secret.sealed = arena_copy(&rows->arena, secret->sealed);
    row->secret.hint = arena_copy(&rows->arena, secret->hint);
    row->next = rows->first;
    rows->first = row;
    rows->count++;
    return row->secret.provider.data != NULL && row->secret.sealed.data != NULL &&
                   row->secret.hint.data != NULL
               ? STATUS_OK
               : STATUS_NO_MEMORY;
}

static enum status seal_anew(struct store *store, const struct master_key *former,
                             const struct master_key *key, struct store_secret *secret,
                             struct reason *reason)
{
    struct buffer plain, sealed;
    buffer_init(&plain, SECRET_BYTES_MAX + SEAL_TAG_SIZE);
    buffer_init(&sealed, SECRET_BYTES_MAX + SEAL_TAG_SIZE);
    enum status status = secret_open(former, secret, &plain, reason);
    if (status == STATUS_OK)
        status = seal_secret(key, buffer_slice(&plain), secret, &sealed);
    if (status == STATUS_OK)
        status = store_secret_put(store, secret, reason);
    seal_wipe(&plain);
    buffer_fini(&sealed);
    return status;
}

static enum status seal_all(struct admin_context *context, const struct master_key *former,
                            struct secret_rotation *rotation, struct reason *reason)
{
    struct rows rows = {.count = 0};
    arena_init(&rows.arena, NULL, 0, ARENA_BYTES_MAX);
    enum status status = store_secrets_list(context->store, take_row, &rows, reason);
    for (struct row *row = rows.first; row != NULL && status == STATUS_OK; row = row->next)
        status = seal_anew(context->store, former, &rotation->key, &row->secret, reason);
    rotation->count = rows.count;
    arena_fini(&rows.arena);
    return status == STATUS_INVALID ? STATUS_DENIED : status;
}

static enum status change_key(struct admin_context *context, const struct master_key *former,
                              struct secret_rotation *rotation, struct reason *reason)
{
    struct change change;
    enum status status = STATUS_OK;
    if (rotation->is_saved)
        status = master_key_prepare(context->data_dir, &rotation->key, reason);
    if (status != STATUS_OK)
        return status;
    status = change_begin(context, SLICE("secret.rotate_master"), &change, reason);
    if (status == STATUS_OK)
        status = seal_all(context, former, rotation, reason);
    member_write_number(&change.writer, SLICE("secrets"), rotation->count);
    status = change_end(&change, status, reason);
    if (status != STATUS_OK || !rotation->is_saved)
        return status;
    /* A power cut must not take the rows back to a key that is no more. */
    status = store_sync(context->store, reason);
    return status == STATUS_OK ? master_key_finish(context->data_dir, reason) : status;
}

enum status secret_rotate(struct admin_context *context, const struct master_key *key,
                          struct secret_rotation *rotation_out, struct reason *reason)
{
    struct master_key former;
    *rotation_out = (struct secret_rotation){.count = 0};
    enum status status = load_key(context, &former, reason);
    if (status != STATUS_OK)
        return status;
    rotation_out->is_saved = former.source == MASTER_KEY_FILE;
    if (key != NULL)
        rotation_out->key = *key;
    else
        master_key_make(&rotation_out->key);
    if (key == NULL && !rotation_out->is_saved) {
        reason_set(reason, "the master key is given by %s: give the new one, too, and put it there",
                   master_key_place_name(former.source));
        status = STATUS_UNSUPPORTED;
    }
    if (status == STATUS_OK)
        status = change_key(context, &former, rotation_out, reason);
    explicit_bzero(rotation_out->key.bytes, sizeof(rotation_out->key.bytes));
    master_key_wipe(&former);
    return status;
}
