#include "admin/context.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "admin/map_follow.h"
#include "audit/chain.h"
#include "base/alloc.h"
#include "base/clock.h"
#include "identity/pepper.h"
#include "policy/level.h"

#define DATABASE_NAME "weir.db"
/* A command run beside the server's last moments waits for it; a server waits for nobody longer. */
#define BUSY_TIMEOUT_MS 5000
/* Times of last use are saved in transactions of so many. */
#define USES_PER_SAVE 1024

static char *join_path(const char *folder, const char *name)
{
    const size_t size = strlen(folder) + 1 + strlen(name) + 1;
    char *path = alloc_bytes(size);
    if (path != NULL)
        (void)snprintf(path, size, "%s/%s", folder, name);
    return path;
}

static enum status copy_data_dir(struct admin_context *context, const struct admin_config *config,
                                 struct reason *reason)
{
    const size_t size = strlen(config->data_dir) + 1;
    context->data_dir = alloc_bytes(size);
    if (context->data_dir == NULL) {
        reason_set(reason, "out of memory at start");
        return STATUS_NO_MEMORY;
    }
    memcpy(context->data_dir, config->data_dir, size);
    return STATUS_OK;
}

static enum status open_store(struct admin_context *context, const struct admin_config *config,
                              struct reason *reason)
{
    char *path = join_path(config->data_dir, DATABASE_NAME);
    if (path == NULL) {
        reason_set(reason, "out of memory at start");
        return STATUS_NO_MEMORY;
    }
    const struct store_config store_config = {
        .path = path,
        .create = config->create,
        .busy_timeout_ms = BUSY_TIMEOUT_MS,
        .now_us = context->now_us(),
    };
    const enum status status = store_open(&store_config, &context->store, reason);
    alloc_free(path);
    return status;
}

static enum status note_a_key(void *found, const struct store_key *key)
{
    (void)key;
    *(bool *)found = true;
    return STATUS_OK;
}

/* A new pepper beside keys that were hashed under another would silently refuse them all. */
static enum status make_pepper(struct admin_context *context, const struct admin_config *config,
                               struct reason *reason)
{
    bool has_keys = false;
    const struct store_page first = {.limit = 1};
    const enum status status =
        store_keys_list(context->store, NULL, &first, note_a_key, &has_keys, reason);
    if (status != STATUS_OK)
        return status;
    if (has_keys) {
        reason_set(reason,
                   "%s/secrets/pepper is missing, without which no key in %s/" DATABASE_NAME
                   " can be recognised; restore it from a backup",
                   config->data_dir, config->data_dir);
        return STATUS_NOT_FOUND;
    }
    return pepper_create(config->data_dir, context->pepper, reason);
}

static enum status open_pepper(struct admin_context *context, const struct admin_config *config,
                               struct reason *reason)
{
    enum status status = pepper_load(config->data_dir, context->pepper, reason);
    if (status == STATUS_NOT_FOUND && config->create)
        status = make_pepper(context, config, reason);
    if (status != STATUS_OK)
        return status;
    status = key_hasher_create(context->pepper, &context->hasher);
    if (status != STATUS_OK)
        reason_set(reason, "out of memory at start");
    return status;
}

struct token_load {
    struct token_table *tokens;
    struct reason *reason;
};

static enum status load_token(void *argument, const struct store_token *token)
{
    const struct token_load *load = argument;
    const enum status status = token_table_reserve(load->tokens, load->reason);
    if (status == STATUS_OK)
        token_table_put(load->tokens, token);
    return status;
}

static enum status fill_tokens(struct admin_context *context, struct reason *reason)
{
    enum status status = token_table_create(&context->tokens);
    struct token_load load = {context->tokens, reason};
    if (status == STATUS_OK)
        status = store_tokens_load(context->store, load_token, &load, reason);
    else
        reason_set(reason, "out of memory at start");
    return status;
}

static void set_actor(struct admin_context *context)
{
    const int size = snprintf(context->own_actor, sizeof(context->own_actor), "uid=%u", getuid());
    context->actor = slice_of(context->own_actor, (size_t)size);
}

enum status admin_context_open(const struct admin_config *config,
                               struct admin_context **context_out, struct reason *reason)
{
    struct admin_context *context = alloc_zeroed(1, sizeof(*context));
    if (context == NULL) {
        reason_set(reason, "out of memory at start");
        return STATUS_NO_MEMORY;
    }
    context->now_us = clock_realtime_us;
    set_actor(context);
    enum status status = copy_data_dir(context, config, reason);
    if (status == STATUS_OK)
        status = open_store(context, config, reason);
    if (status == STATUS_OK)
        status = open_pepper(context, config, reason);
    if (status == STATUS_OK)
        status = audit_open(config->data_dir, config->create, &context->audit, reason);
    if (status == STATUS_OK && config->with_map)
        status = counters_create(&context->counters, reason);
    if (status == STATUS_OK && config->with_map)
        status = map_fill(context, reason);
    if (status == STATUS_OK && config->with_map)
        status = fill_tokens(context, reason);
    if (status != STATUS_OK) {
        admin_context_close(&context);
        return status;
    }
    *context_out = context;
    return STATUS_OK;
}

void admin_context_close(struct admin_context **context)
{
    if (*context == NULL)
        return;
    identity_map_destroy(&(*context)->map);
    counters_destroy(&(*context)->counters);
    token_table_destroy(&(*context)->tokens);
    key_hasher_destroy(&(*context)->hasher);
    audit_close(&(*context)->audit);
    store_close(&(*context)->store);
    alloc_free((*context)->data_dir);
    explicit_bzero((*context)->pepper, sizeof((*context)->pepper));
    alloc_free(*context);
    *context = NULL;
}

/* Fills `uses` from the map; returns how many. */
static size_t take_used(struct identity_map *map, struct store_use *uses)
{
    size_t count = 0;
    struct identity_use use;
    while (count < USES_PER_SAVE && identity_map_take_used(map, &use, 1) == 1) {
        uses[count].key_id = use.key_id;
        uses[count].used_at_us = use.used_at_s * US_PER_S;
        count++;
    }
    return count;
}

static enum status save_uses_of_tokens(struct admin_context *context, struct reason *reason)
{
    struct store_use use;
    enum status status = STATUS_OK;
    while (context->tokens != NULL && status == STATUS_OK &&
           token_table_take_used(context->tokens, &use))
        status = store_token_used(context->store, &use, reason);
    return status;
}

static enum status save_uses_of_keys(struct admin_context *context, struct reason *reason)
{
    if (context->map == NULL)
        return STATUS_OK;
    identity_map_reclaim(context->map);
    struct store_use *uses = alloc_zeroed(USES_PER_SAVE, sizeof(*uses));
    if (uses == NULL) {
        reason_set(reason, "out of memory while saving when keys were used");
        return STATUS_NO_MEMORY;
    }
    enum status status = STATUS_OK;
    size_t count;
    do {
        count = take_used(context->map, uses);
        status = store_keys_used(context->store, uses, count, reason);
    } while (status == STATUS_OK && count == USES_PER_SAVE);
    alloc_free(uses);
    return status;
}

enum status admin_save_last_used(struct admin_context *context, struct reason *reason)
{
    const enum status status = save_uses_of_keys(context, reason);
    return status == STATUS_OK ? save_uses_of_tokens(context, reason) : status;
}
