#include "audit/tail.h"

#include "audit/canonical.h"

void tail_add(struct audit *audit, const struct store_audit_entry *entry, bool is_genuine)
{
    struct audit_tail *tail = &audit->tail;
    const bool is_checkpoint = is_genuine && slice_equal(entry->action, AUDIT_ACTION_CHECKPOINT);
    if (is_checkpoint)
        tail->checkpoint = entry->number;
    if (is_checkpoint || tail->number == 0) {
        segment_begin(&tail->segment, entry->number);
        tail->since_us = entry->timestamp_us;
        tail->is_damaged = false;
    }
    if (is_genuine)
        tail->has_genuine = true;
    else
        tail->is_damaged = true;
    segment_add(&tail->segment, buffer_slice(&audit->bytes), entry->hash);
    tail->number = entry->number;
    memcpy(tail->hash, entry->hash, sizeof(tail->hash));
}

static bool follows(const struct audit_tail *tail, const struct store_audit_entry *entry)
{
    if (tail->number == 0)
        return true; /* what comes before it is the verifier's business */
    return entry->number == tail->number + 1 &&
           memcmp(entry->previous_hash, tail->hash, sizeof(tail->hash)) == 0;
}

static enum status visit(void *context, const struct store_audit_entry *entry)
{
    struct audit *audit = context;
    unsigned char hash[STORE_HASH_SIZE];
    const enum status status = canonical_entry(entry, &audit->bytes);
    if (status == STATUS_TOO_LARGE) {
        buffer_clear(&audit->bytes);
        tail_add(audit, entry, false);
        return STATUS_OK;
    }
    if (status != STATUS_OK)
        return status;
    audit_entry_hash(&audit->keys, &audit->bytes, hash);
    tail_add(audit, entry,
             memcmp(hash, entry->hash, sizeof(hash)) == 0 && follows(&audit->tail, entry));
    return STATUS_OK;
}

/* The newest checkpoint is among the last AUDIT_CHECKPOINT_ENTRIES + 1 entries. */
static enum status read_anew(struct audit *audit, struct store *store, uint64_t last,
                             struct reason *reason)
{
    const uint64_t first = last > AUDIT_CHECKPOINT_ENTRIES ? last - AUDIT_CHECKPOINT_ENTRIES : 1;
    audit->tail = (struct audit_tail){0};
    return store_audit_list(store, first, visit, audit, reason);
}

static bool is_at(const struct audit_tail *tail, const struct store_audit_entry *entry)
{
    return tail->number == entry->number &&
           memcmp(tail->hash, entry->hash, sizeof(tail->hash)) == 0;
}

static enum status stop_at_first(void *context, const struct store_audit_entry *entry)
{
    struct audit_tail *tail = context;
    return is_at(tail, entry) ? STATUS_CANCELLED : STATUS_NOT_FOUND;
}

/* Reads on from the entry that the tail ends with; another one in its place means reading anew. */
static enum status read_on(struct audit *audit, struct store *store, uint64_t last,
                           struct reason *reason)
{
    if (audit->tail.number == 0 || audit->tail.number >= last ||
        last - audit->tail.number > AUDIT_CHECKPOINT_ENTRIES)
        return read_anew(audit, store, last, reason);
    const enum status status =
        store_audit_list(store, audit->tail.number, stop_at_first, &audit->tail, NULL);
    if (status != STATUS_CANCELLED)
        return read_anew(audit, store, last, reason);
    return store_audit_list(store, audit->tail.number + 1, visit, audit, reason);
}

enum status tail_update(struct audit *audit, struct store *store, struct reason *reason)
{
    struct store_audit_entry last;
    struct arena arena;
    arena_init(&arena, NULL, 0, 2 * AUDIT_BYTES_MAX);
    enum status status = store_audit_last(store, &arena, &last, reason);
    if (status == STATUS_NOT_FOUND) {
        audit->tail = (struct audit_tail){0};
        status = STATUS_OK;
    } else if (status == STATUS_OK && !is_at(&audit->tail, &last)) {
        status = read_on(audit, store, last.number, reason);
        if (status != STATUS_OK)
            audit->tail = (struct audit_tail){0};
    }
    arena_fini(&arena);
    return status;
}

bool tail_is_checkpoint_due(const struct audit_tail *tail, uint64_t now_us)
{
    if (tail->number == 0 || tail->number == tail->checkpoint)
        return false;
    return tail->number - tail->segment.first + 1 >= AUDIT_CHECKPOINT_ENTRIES ||
           (now_us > tail->since_us && now_us - tail->since_us >= AUDIT_CHECKPOINT_US);
}
