#include "audit/chain.h"

#include <inttypes.h>
#include <stdio.h>

#include "audit/canonical.h"
#include "audit/chain_internal.h"
#include "audit/head.h"
#include "audit/tail.h"
#include "base/alloc.h"
#include "base/assert.h"
#include "base/encoding.h"
#include "store/store_usage.h"

#define GAP_DETAILS_BYTES 160

/* --- opening ------------------------------------------------------------------------------------ */

static enum status no_memory(struct reason *reason)
{
    reason_set(reason, "out of memory in the audit chain");
    return STATUS_NO_MEMORY;
}

enum status audit_open(const char *data_dir, bool create, struct audit **audit_out,
                       struct reason *reason)
{
    struct audit *audit = alloc_zeroed(1, sizeof(*audit));
    if (audit == NULL)
        return no_memory(reason);
    buffer_init(&audit->bytes, AUDIT_BYTES_MAX);
    pthread_mutex_init(&audit->lock, NULL);
    const size_t size = strlen(data_dir) + 1;
    audit->data_dir = alloc_bytes(size);
    enum status status = audit->data_dir != NULL ? STATUS_OK : no_memory(reason);
    if (status == STATUS_OK) {
        memcpy(audit->data_dir, data_dir, size);
        status = audit_keys_load(data_dir, create, &audit->keys, reason);
    }
    if (status != STATUS_OK)
        audit_close(&audit);
    *audit_out = audit;
    return status;
}

void audit_close(struct audit **audit)
{
    if (*audit == NULL)
        return;
    audit_keys_fini(&(*audit)->keys);
    buffer_fini(&(*audit)->bytes);
    pthread_mutex_destroy(&(*audit)->lock);
    alloc_free((*audit)->data_dir);
    alloc_free(*audit);
    *audit = NULL;
}

const struct audit_keys *audit_keys_of(const struct audit *audit)
{
    return &audit->keys;
}

/* --- appending ----------------------------------------------------------------------------------- */

/* The tail is up to date, and number and previous_hash of the entry are set. */
static enum status insert(struct audit *audit, struct store *store, struct store_audit_entry *entry,
                          struct reason *reason)
{
    enum status status = canonical_entry(entry, &audit->bytes);
    if (status != STATUS_OK) {
        reason_set(reason, "the audit entry %.*s cannot be made: %s", SLICE_ARGS(entry->action),
                   status_name(status));
        return status;
    }
    audit_entry_hash(&audit->keys, &audit->bytes, entry->hash);
    status = store_audit_insert(store, entry, reason);
    if (status == STATUS_OK)
        tail_add(audit, entry, true);
    return status;
}

static void set_place(const struct audit *audit, struct store_audit_entry *entry)
{
    entry->number = audit->tail.number + 1;
    memcpy(entry->previous_hash, audit->tail.hash, sizeof(entry->previous_hash));
}

static enum status insert_event(struct audit *audit, struct store *store,
                                const struct audit_event *event, struct reason *reason)
{
    struct store_audit_entry entry = {
        .timestamp_us = event->now_us,
        .actor = event->actor,
        .action = event->action,
        .subject = event->subject,
        .details = event->details,
    };
    set_place(audit, &entry);
    return insert(audit, store, &entry, reason);
}

static enum status insert_checkpoint(struct audit *audit, struct store *store, uint64_t now_us,
                                     struct reason *reason)
{
    char details[CHECKPOINT_DETAILS_BYTES];
    struct store_audit_entry entry = {
        .timestamp_us = now_us,
        .actor = AUDIT_ACTOR,
        .action = AUDIT_ACTION_CHECKPOINT,
    };
    set_place(audit, &entry);
    const enum status status = checkpoint_write(&audit->keys, &audit->tail.segment,
                                                audit->tail.is_damaged, &entry, details, reason);
    return status == STATUS_OK ? insert(audit, store, &entry, reason) : status;
}

/* Says in the chain that the head beside the database knew of later entries. */
static enum status insert_gap(struct audit *audit, struct store *store, uint64_t head_number,
                              uint64_t now_us, struct reason *reason)
{
    char details[GAP_DETAILS_BYTES];
    const int size =
        snprintf(details, sizeof(details), "{\"last\":%" PRIu64 ",\"head\":%" PRIu64 "}",
                 audit->tail.number, head_number);
    ASSERT(size > 0 && (size_t)size < sizeof(details));
    const struct audit_event event = {
        .actor = AUDIT_ACTOR,
        .action = AUDIT_ACTION_GAP,
        .details = slice_of(details, (size_t)size),
        .now_us = now_us,
    };
    const enum status status = insert_event(audit, store, &event, reason);
    if (status == STATUS_OK)
        audit->gap_number = audit->tail.number;
    return status;
}

/* Whether an entry, which no transaction took back, says that the head was ahead. */
static bool is_gap_noted(const struct audit *audit)
{
    return audit->gap_number > 0 && audit->tail.number >= audit->gap_number;
}

/* The newest entries were removed while weir ran: no transaction takes back what the head, which is
 * saved after commits, knows of. */
static enum status note_gap(struct audit *audit, struct store *store, uint64_t now_us,
                            struct reason *reason)
{
    if (audit->tail.number >= audit->head_number || is_gap_noted(audit))
        return STATUS_OK;
    return insert_gap(audit, store, audit->head_number, now_us, reason);
}

static enum status append(struct audit *audit, struct store *store, const struct audit_event *event,
                          struct reason *reason)
{
    enum status status = tail_update(audit, store, reason);
    if (status == STATUS_OK)
        status = note_gap(audit, store, event->now_us, reason);
    if (status == STATUS_OK && tail_is_checkpoint_due(&audit->tail, event->now_us))
        status = insert_checkpoint(audit, store, event->now_us, reason);
    if (status == STATUS_OK)
        status = insert_event(audit, store, event, reason);
    return status;
}

enum status audit_append(struct audit *audit, struct store *store, const struct audit_event *event,
                         struct reason *reason)
{
    if (event->details.size > AUDIT_DETAILS_BYTES_MAX) {
        reason_set(reason, "the details of the audit entry %.*s are over %zu bytes",
                   SLICE_ARGS(event->action), AUDIT_DETAILS_BYTES_MAX);
        return STATUS_TOO_LARGE;
    }
    pthread_mutex_lock(&audit->lock);
    const enum status status = append(audit, store, event, reason);
    pthread_mutex_unlock(&audit->lock);
    return status;
}

enum status audit_checkpoint(struct audit *audit, struct store *store, uint64_t now_us,
                             struct reason *reason)
{
    pthread_mutex_lock(&audit->lock);
    enum status status = tail_update(audit, store, reason);
    if (status == STATUS_OK)
        status = note_gap(audit, store, now_us, reason);
    if (status == STATUS_OK && audit->tail.number > 0 &&
        audit->tail.number != audit->tail.checkpoint)
        status = insert_checkpoint(audit, store, now_us, reason);
    pthread_mutex_unlock(&audit->lock);
    return status;
}

/* --- the head beside the database ------------------------------------------------------------------ */

static enum status visit_head(void *context, const struct store_audit_entry *entry)
{
    const struct audit_head *head = context;
    return entry->number == head->number && memcmp(entry->hash, head->hash, sizeof(head->hash)) == 0
               ? STATUS_EXISTS
               : STATUS_CANCELLED;
}

/* Whether the chain holds the entry that the head names. */
static enum status find_head(struct store *store, struct audit_head *head, bool *is_there_out,
                             struct reason *reason)
{
    const enum status status = store_audit_list(store, head->number, visit_head, head, reason);
    *is_there_out = status == STATUS_EXISTS;
    return status == STATUS_EXISTS || status == STATUS_CANCELLED ? STATUS_OK : status;
}

static enum status begin(struct audit *audit, struct store *store, uint64_t now_us,
                         struct reason *reason)
{
    const struct audit_event event = {
        .actor = AUDIT_ACTOR, .action = AUDIT_ACTION_BEGIN, .now_us = now_us};
    return insert_event(audit, store, &event, reason);
}

static enum status compare_head(struct audit *audit, struct store *store, uint64_t now_us,
                                struct reason *reason)
{
    struct audit_head head = {0};
    bool is_there = false;
    enum status status = head_read(&audit->keys, audit->data_dir, &head, reason);
    if (status == STATUS_NOT_FOUND && audit->tail.number == 0)
        return begin(audit, store, now_us, reason);
    if (status == STATUS_OK)
        status = find_head(store, &head, &is_there, reason);
    else if (status == STATUS_NOT_FOUND || status == STATUS_INVALID)
        status = STATUS_OK; /* without a head nobody knows what is missing, and the entry says so */
    audit->head_number = head.number;
    if (status != STATUS_OK || is_there)
        return status;
    return insert_gap(audit, store, head.number, now_us, reason);
}

enum status audit_start(struct audit *audit, struct store *store, uint64_t now_us,
                        struct reason *reason)
{
    pthread_mutex_lock(&audit->lock);
    enum status status = tail_update(audit, store, reason);
    if (status == STATUS_OK && audit->tail.number > 0 && !audit->tail.has_genuine) {
        reason_set(
            reason,
            "%s/secrets/audit.key is not the key of the audit chain; restore it from a backup",
            audit->data_dir);
        status = STATUS_INVALID;
    }
    if (status == STATUS_OK)
        status = compare_head(audit, store, now_us, reason);
    pthread_mutex_unlock(&audit->lock);
    return status;
}

static enum status save_head(struct audit *audit, struct store *store, struct reason *reason)
{
    struct audit_head head = {0};
    enum status status = tail_update(audit, store, reason);
    if (status != STATUS_OK)
        return status;
    if (audit->tail.number <= audit->head_number && !is_gap_noted(audit))
        return STATUS_OK;
    /* What the head names outlasts a power cut before the head does: else that would look as if entries
     * had been cut off. */
    status = store_sync(store, reason);
    if (status != STATUS_OK)
        return status;
    head.number = audit->tail.number;
    memcpy(head.hash, audit->tail.hash, sizeof(head.hash));
    status = head_write(&audit->keys, audit->data_dir, &head, reason);
    if (status == STATUS_OK)
        audit->head_number = head.number;
    if (status == STATUS_OK)
        audit->gap_number = 0;
    return status;
}

enum status audit_save_head(struct audit *audit, struct store *store, uint64_t now_us, bool now,
                            struct reason *reason)
{
    enum status status = STATUS_OK;
    pthread_mutex_lock(&audit->lock);
    const uint64_t next_us = audit->head_saved_us + AUDIT_HEAD_US;
    if (now || now_us >= next_us || now_us < audit->head_saved_us) {
        status = save_head(audit, store, reason);
        audit->head_saved_us = now_us;
    }
    pthread_mutex_unlock(&audit->lock);
    return status;
}
