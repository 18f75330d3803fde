#include "admin/overlay.h"

#include "admin/secret_store.h"
#include "base/alloc.h"

#define ARENA_BYTES_MAX ((size_t)256 << 20)
#define SEALED          SLICE("(sealed)")

/* Entries come one by one, and stand in one array at the end. */
struct link {
    struct config_entry entry;
    struct link *next;
};

struct loading {
    struct overlay *overlay;
    const struct master_key *key; /* NULL: secrets stay sealed */
    struct reason *reason;
    struct link *first;
    struct link **end;
    size_t count;
};

static enum status add(struct loading *loading, struct slice name, struct slice text)
{
    struct arena *arena = &loading->overlay->arena;
    struct link *link = arena_zeroed(arena, sizeof(*link));
    if (link == NULL)
        return STATUS_NO_MEMORY;
    link->entry.name = arena_copy(arena, name);
    link->entry.text = arena_copy(arena, text);
    if (link->entry.name.data == NULL || link->entry.text.data == NULL)
        return STATUS_NO_MEMORY;
    *loading->end = link;
    loading->end = &link->next;
    loading->count++;
    return STATUS_OK;
}

static enum status add_definition(void *context, const struct store_definition *definition)
{
    return add(context, definition->name, definition->definition);
}

static enum status add_secret(void *context, const struct store_secret *secret)
{
    struct loading *loading = context;
    struct buffer plain;
    if (loading->key == NULL)
        return add(loading, secret->provider, SEALED);
    buffer_init(&plain, SECRET_BYTES_MAX + SEAL_TAG_SIZE);
    enum status status = secret_open(loading->key, secret, &plain, loading->reason);
    if (status == STATUS_OK)
        status = add(loading, secret->provider, buffer_slice(&plain));
    seal_wipe(&plain);
    return status;
}

static void begin(struct loading *loading)
{
    loading->first = NULL;
    loading->end = &loading->first;
    loading->count = 0;
}

static enum status finish(struct loading *loading, struct config_entries *entries)
{
    struct config_entry *items =
        arena_alloc(&loading->overlay->arena, (loading->count + 1) * sizeof(*items));
    if (items == NULL)
        return STATUS_NO_MEMORY;
    *entries = (struct config_entries){items, loading->count};
    for (const struct link *link = loading->first; link != NULL; link = link->next)
        *items++ = link->entry;
    return STATUS_OK;
}

static enum status load_definitions(struct store *store, enum store_section section,
                                    struct loading *loading, struct config_entries *entries)
{
    begin(loading);
    const enum status status =
        store_definitions_list(store, section, add_definition, loading, loading->reason);
    return status == STATUS_OK ? finish(loading, entries) : status;
}

static enum status load_secrets(struct store *store, struct loading *loading,
                                struct config_entries *entries)
{
    begin(loading);
    const enum status status = store_secrets_list(store, add_secret, loading, loading->reason);
    return status == STATUS_OK ? finish(loading, entries) : status;
}

static enum status load(struct store *store, const struct master_key *key,
                        struct overlay **overlay_out, struct reason *reason)
{
    struct overlay *overlay = alloc_zeroed(1, sizeof(*overlay));
    reason_set(reason, "out of memory while reading what the store adds to the configuration");
    if (overlay == NULL)
        return STATUS_NO_MEMORY;
    arena_init(&overlay->arena, NULL, 0, ARENA_BYTES_MAX);
    struct loading loading = {.overlay = overlay, .key = key, .reason = reason};
    struct config_overlay *entries = &overlay->entries;
    enum status status =
        load_definitions(store, STORE_SECTION_PROVIDERS, &loading, &entries->providers);
    if (status == STATUS_OK)
        status = load_definitions(store, STORE_SECTION_MODELS, &loading, &entries->models);
    if (status == STATUS_OK)
        status = load_secrets(store, &loading, &entries->secrets);
    if (status == STATUS_OK)
        *overlay_out = overlay;
    else
        overlay_destroy(&overlay);
    return status;
}

enum status overlay_load_sealed(struct store *store, struct overlay **overlay_out,
                                struct reason *reason)
{
    return load(store, NULL, overlay_out, reason);
}

static enum status note_one(void *is_found, const struct store_secret *secret)
{
    (void)secret;
    *(bool *)is_found = true;
    return STATUS_AGAIN;
}

enum status overlay_load(struct admin_context *context, const struct config *config,
                         struct overlay **overlay_out, struct reason *reason)
{
    struct master_key key;
    bool has_secrets = false;
    enum status status = store_secrets_list(context->store, note_one, &has_secrets, reason);
    if (status != STATUS_OK && status != STATUS_AGAIN)
        return status;
    if (!has_secrets) /* then no key is needed, and none may be there yet */
        return load(context->store, NULL, overlay_out, reason);
    status = secret_load_key(context, config, false, &key, reason);
    if (status == STATUS_OK)
        status = load(context->store, &key, overlay_out, reason);
    master_key_wipe(&key);
    return status;
}

void overlay_destroy(struct overlay **taken)
{
    struct overlay *overlay = *taken;
    *taken = NULL;
    if (overlay == NULL)
        return;
    for (size_t i = 0; i < overlay->entries.secrets.count; i++) {
        const struct slice text = overlay->entries.secrets.items[i].text;
        explicit_bzero((char *)(uintptr_t)text.data, text.size);
    }
    arena_fini(&overlay->arena);
    alloc_free(overlay);
}
