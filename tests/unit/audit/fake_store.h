/* A store in memory for the tests of audit/: it defines the functions of store/store_audit.h and
 * store/store_usage.h that the chain calls. Included by one file of a program. Tests reach into it to do
 * what nobody may. A rollback takes back what was inserted, not what was deleted. */
#ifndef UNIT_AUDIT_FAKE_STORE_H
#define UNIT_AUDIT_FAKE_STORE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "store/store_audit.h"
#include "store/store_usage.h"

struct store {
    struct store_audit_entry *entries; /* in the order of their numbers */
    size_t entries_count, entries_capacity;
    struct store_usage *rows; /* ordered by batch and id */
    size_t rows_count, rows_capacity;
    struct arena arena; /* of the texts */
    bool is_open;       /* a transaction */
    uint64_t last_before;
    int64_t batch_before;
    enum status insert_status; /* what the next insert comes to */
    enum status sync_status;   /* what syncs come to */
    unsigned syncs;
    void (*on_list_batch)(struct store *store);
};

static inline void fake_init(struct store *store)
{
    *store = (struct store){0};
    arena_init(&store->arena, NULL, 0, (size_t)1 << 30);
}

static inline void fake_fini(struct store *store)
{
    alloc_free(store->entries);
    alloc_free(store->rows);
    arena_fini(&store->arena);
}

static inline struct slice fake_copy(struct store *store, struct slice text)
{
    return text.size == 0 ? (struct slice){NULL, 0} : arena_copy(&store->arena, text);
}

static inline void *fake_grow(void *items, size_t count, size_t *capacity, size_t size)
{
    if (count < *capacity)
        return items;
    const size_t wanted = *capacity == 0 ? 64 : 2 * *capacity;
    void *grown = alloc_resize(items, wanted * size);
    if (grown != NULL)
        *capacity = wanted;
    return grown;
}

enum status store_begin(struct store *store, struct reason *reason)
{
    (void)reason;
    ASSERT(!store->is_open);
    store->is_open = true;
    store->last_before =
        store->entries_count > 0 ? store->entries[store->entries_count - 1].number : 0;
    store->batch_before = store->rows_count > 0 ? store->rows[store->rows_count - 1].batch : 0;
    return STATUS_OK;
}

enum status store_commit(struct store *store, struct reason *reason)
{
    (void)reason;
    ASSERT(store->is_open);
    store->is_open = false;
    return STATUS_OK;
}

enum status store_sync(struct store *store, struct reason *reason)
{
    (void)reason;
    ASSERT(!store->is_open);
    store->syncs++;
    return store->sync_status;
}

void store_rollback(struct store *store)
{
    store->is_open = false;
    while (store->entries_count > 0 &&
           store->entries[store->entries_count - 1].number > store->last_before)
        store->entries_count--;
    while (store->rows_count > 0 && store->rows[store->rows_count - 1].batch > store->batch_before)
        store->rows_count--;
}

enum status store_audit_insert(struct store *store, const struct store_audit_entry *entry,
                               struct reason *reason)
{
    if (store->insert_status != STATUS_OK) {
        reason_set(reason, "the disk is full");
        return store->insert_status;
    }
    if (store->entries_count > 0 &&
        store->entries[store->entries_count - 1].number >= entry->number)
        return STATUS_EXISTS;
    struct store_audit_entry *items =
        fake_grow(store->entries, store->entries_count, &store->entries_capacity, sizeof(*items));
    if (items == NULL)
        return STATUS_NO_MEMORY;
    store->entries = items;
    struct store_audit_entry copy = *entry;
    copy.actor = fake_copy(store, entry->actor);
    copy.action = fake_copy(store, entry->action);
    copy.subject = fake_copy(store, entry->subject);
    copy.details = fake_copy(store, entry->details);
    if (copy.details.size != entry->details.size || copy.subject.size != entry->subject.size)
        return STATUS_NO_MEMORY;
    store->entries[store->entries_count++] = copy;
    return STATUS_OK;
}

enum status store_audit_last(struct store *store, struct arena *arena,
                             struct store_audit_entry *entry_out, struct reason *reason)
{
    (void)reason;
    if (store->entries_count == 0)
        return STATUS_NOT_FOUND;
    *entry_out = store->entries[store->entries_count - 1];
    if (entry_out->details.size == 0)
        return STATUS_OK;
    entry_out->details = arena_copy(arena, entry_out->details);
    return entry_out->details.data != NULL ? STATUS_OK : STATUS_NO_MEMORY;
}

enum status store_audit_list(struct store *store, uint64_t first, store_audit_visitor *visit,
                             void *context, struct reason *reason)
{
    (void)reason;
    enum status status = STATUS_OK;
    size_t low = 0, high = store->entries_count;
    while (low < high) {
        const size_t middle = (low + high) / 2;
        if (store->entries[middle].number < first)
            low = middle + 1;
        else
            high = middle;
    }
    for (size_t i = low; i < store->entries_count && status == STATUS_OK; i++)
        status = visit(context, &store->entries[i]);
    return status;
}

enum status store_audit_delete_before(struct store *store, uint64_t number, uint64_t *deleted_out,
                                      struct reason *reason)
{
    (void)reason;
    size_t gone = 0;
    while (gone < store->entries_count && store->entries[gone].number < number)
        gone++;
    memmove(store->entries, store->entries + gone,
            (store->entries_count - gone) * sizeof(*store->entries));
    store->entries_count -= gone;
    *deleted_out = gone;
    return STATUS_OK;
}

static inline int fake_compare(const struct store_usage *a, const struct store_usage *b)
{
    if (a->batch != b->batch)
        return a->batch < b->batch ? -1 : 1;
    return memcmp(a->id.bytes, b->id.bytes, sizeof(a->id));
}

/* Keeps the rows in order, as an index does. */
static inline void fake_sort(struct store *store)
{
    for (size_t i = 1; i < store->rows_count; i++) {
        for (size_t j = i; j > 0 && fake_compare(&store->rows[j - 1], &store->rows[j]) > 0; j--) {
            const struct store_usage row = store->rows[j];
            store->rows[j] = store->rows[j - 1];
            store->rows[j - 1] = row;
        }
    }
}

enum status store_usage_insert(struct store *store, const struct store_usage *usage,
                               bool *inserted_out, struct reason *reason)
{
    (void)reason;
    struct store_usage *rows =
        fake_grow(store->rows, store->rows_count, &store->rows_capacity, sizeof(*rows));
    if (rows == NULL)
        return STATUS_NO_MEMORY;
    store->rows = rows;
    store->rows[store->rows_count++] = *usage; /* its texts outlive the store */
    fake_sort(store);
    *inserted_out = true;
    return STATUS_OK;
}

enum status store_usage_list_batch(struct store *store, int64_t batch, store_usage_visitor *visit,
                                   void *context, struct reason *reason)
{
    (void)reason;
    enum status status = STATUS_OK;
    for (size_t i = 0; i < store->rows_count && status == STATUS_OK; i++) {
        if (store->rows[i].batch == batch)
            status = visit(context, &store->rows[i]);
    }
    if (store->on_list_batch != NULL)
        store->on_list_batch(store);
    return status;
}

enum status store_usage_list(struct store *store, uint64_t since_us, uint64_t until_us,
                             store_usage_visitor *visit, void *context, struct reason *reason)
{
    (void)reason;
    enum status status = STATUS_OK;
    for (size_t i = 0; i < store->rows_count && status == STATUS_OK; i++) {
        const uint64_t time_us = store->rows[i].timestamp_us;
        if (time_us >= since_us && (until_us == 0 || time_us < until_us))
            status = visit(context, &store->rows[i]);
    }
    return status;
}

enum status store_retention_next(struct store *store, uint64_t before_us, int64_t *batch_out,
                                 uint64_t *rows_out, struct reason *reason)
{
    (void)reason;
    for (size_t i = 0, end; i < store->rows_count; i = end) {
        bool is_old = true;
        for (end = i; end < store->rows_count && store->rows[end].batch == store->rows[i].batch;
             end++)
            is_old = is_old && store->rows[end].timestamp_us < before_us;
        *batch_out = store->rows[i].batch;
        *rows_out = end - i;
        if (is_old)
            return STATUS_OK;
    }
    return STATUS_NOT_FOUND;
}

enum status store_retention_delete(struct store *store, int64_t batch, uint64_t rows_max,
                                   uint64_t *deleted_out, struct reason *reason)
{
    (void)reason;
    size_t kept = 0;
    *deleted_out = 0;
    for (size_t i = 0; i < store->rows_count; i++) {
        if (store->rows[i].batch == batch && *deleted_out < rows_max)
            (*deleted_out)++;
        else
            store->rows[kept++] = store->rows[i];
    }
    store->rows_count = kept;
    return STATUS_OK;
}

#endif
