#include "audit/retention.h"

#include <inttypes.h>
#include <stdio.h>

#include "audit/verify_internal.h"
#include "store/store_usage.h"

#define DETAILS_BYTES 128
#define SUBJECT_BYTES 48

static enum status say(struct audit *audit, struct store *store, struct audit_event *event,
                       struct reason *reason)
{
    event->actor = AUDIT_ACTOR;
    return audit_append(audit, store, event, reason);
}

/* --- rows ------------------------------------------------------------------------------------------------ */

static enum status delete_batch(struct store *store, int64_t batch, uint64_t *rows,
                                struct reason *reason)
{
    uint64_t deleted = AUDIT_REMOVE_ROWS;
    enum status status = STATUS_OK;
    while (status == STATUS_OK && deleted == AUDIT_REMOVE_ROWS) {
        status = store_retention_delete(store, batch, AUDIT_REMOVE_ROWS, &deleted, reason);
        if (status == STATUS_OK)
            *rows += deleted;
    }
    return status;
}

/* Deletes batches that follow each other. STATUS_NOT_FOUND: there is none. */
static enum status delete_batches(struct store *store, uint64_t before_us,
                                  struct audit_removal *removal, struct reason *reason)
{
    for (bool is_first = true;; is_first = false) {
        int64_t batch = 0;
        uint64_t rows = 0;
        const enum status status = store_retention_next(store, before_us, &batch, &rows, reason);
        if (status == STATUS_NOT_FOUND && !is_first)
            return STATUS_OK;
        if (status != STATUS_OK)
            return status;
        if (!is_first && (batch != removal->to + 1 || removal->rows + rows > AUDIT_REMOVE_ROWS))
            return STATUS_OK;
        if (is_first)
            removal->from = batch;
        removal->to = batch;
        const enum status deleted = delete_batch(store, batch, &removal->rows, reason);
        if (deleted != STATUS_OK)
            return deleted;
    }
}

static enum status say_rows(struct audit *audit, struct store *store,
                            const struct audit_removal *removal, uint64_t now_us,
                            struct reason *reason)
{
    char details[DETAILS_BYTES], subject[SUBJECT_BYTES];
    const int details_size = snprintf(
        details, sizeof(details), "{\"from\":%" PRId64 ",\"to\":%" PRId64 ",\"rows\":%" PRIu64 "}",
        removal->from, removal->to, removal->rows);
    const int subject_size =
        snprintf(subject, sizeof(subject), "%" PRId64 "-%" PRId64, removal->from, removal->to);
    struct audit_event event = {
        .action = AUDIT_ACTION_ROWS_GONE,
        .subject = slice_of(subject, (size_t)subject_size),
        .details = slice_of(details, (size_t)details_size),
        .now_us = now_us,
    };
    return say(audit, store, &event, reason);
}

enum status audit_remove_rows(struct audit *audit, struct store *store, uint64_t before_us,
                              uint64_t now_us, struct audit_removal *removal_out,
                              struct reason *reason)
{
    *removal_out = (struct audit_removal){0};
    enum status status = store_begin(store, reason);
    if (status != STATUS_OK)
        return status;
    status = audit_checkpoint(audit, store, now_us, reason);
    if (status == STATUS_OK)
        status = delete_batches(store, before_us, removal_out, reason);
    if (status == STATUS_OK)
        status = say_rows(audit, store, removal_out, now_us, reason);
    if (status == STATUS_OK)
        status = store_commit(store, reason);
    if (status != STATUS_OK)
        store_rollback(store);
    return status;
}

/* --- entries ---------------------------------------------------------------------------------------------- */

struct scan {
    uint64_t before_us;
    int64_t oldest_batch; /* that still has rows */
    uint64_t first;       /* number of the first entry; 0: none */
    uint64_t checkpoint;  /* up to which entries may be removed; 0: none */
};

static enum status visit_oldest(void *context, const struct store_usage *usage)
{
    struct scan *scan = context;
    scan->oldest_batch = usage->batch;
    return STATUS_CANCELLED;
}

static enum status visit(void *context, const struct store_audit_entry *entry)
{
    struct scan *scan = context;
    uint64_t batch = 0;
    if (scan->first == 0)
        scan->first = entry->number;
    if (entry->timestamp_us >= scan->before_us)
        return STATUS_CANCELLED;
    if (slice_equal(entry->action, AUDIT_ACTION_CHECKPOINT))
        scan->checkpoint = entry->number;
    if (verify_is_seal(entry) && (slice_to_u64(entry->subject, &batch) != STATUS_OK ||
                                  batch >= (uint64_t)scan->oldest_batch))
        return STATUS_CANCELLED;
    return STATUS_OK;
}

static enum status visit_until_seal(void *context, const struct store_audit_entry *entry)
{
    (void)context;
    return verify_is_seal(entry) ? STATUS_EXISTS : STATUS_OK;
}

/* Finds the checkpoint. An entry that seals a batch has to stay after it, or the numbers of batches
 * would begin again. STATUS_NOT_FOUND. */
static enum status find_checkpoint(struct store *store, struct scan *scan, struct reason *reason)
{
    enum status status = store_usage_list(store, 0, 0, visit_oldest, scan, reason);
    if (status == STATUS_OK || status == STATUS_CANCELLED)
        status = store_audit_list(store, 1, visit, scan, reason);
    if (status != STATUS_OK && status != STATUS_CANCELLED)
        return status;
    if (scan->checkpoint <= scan->first)
        return STATUS_NOT_FOUND;
    status = store_audit_list(store, scan->checkpoint, visit_until_seal, NULL, reason);
    if (status == STATUS_OK)
        return STATUS_NOT_FOUND;
    return status == STATUS_EXISTS ? STATUS_OK : status;
}

static enum status remove_before(struct audit *audit, struct store *store, const struct scan *scan,
                                 uint64_t now_us, uint64_t *removed_out, struct reason *reason)
{
    char details[DETAILS_BYTES], subject[SUBJECT_BYTES];
    const int details_size =
        snprintf(details, sizeof(details), "{\"before\":%" PRIu64 "}", scan->checkpoint);
    const int subject_size = snprintf(subject, sizeof(subject), "%" PRIu64 "-%" PRIu64, scan->first,
                                      scan->checkpoint - 1);
    struct audit_event event = {
        .action = AUDIT_ACTION_GONE,
        .subject = slice_of(subject, (size_t)subject_size),
        .details = slice_of(details, (size_t)details_size),
        .now_us = now_us,
    };
    const enum status status = say(audit, store, &event, reason);
    return status == STATUS_OK
               ? store_audit_delete_before(store, scan->checkpoint, removed_out, reason)
               : status;
}

enum status audit_remove_entries(struct audit *audit, struct store *store, uint64_t before_us,
                                 uint64_t now_us, uint64_t *removed_out, struct reason *reason)
{
    struct scan scan = {.before_us = before_us, .oldest_batch = INT64_MAX};
    *removed_out = 0;
    enum status status = find_checkpoint(store, &scan, reason);
    if (status != STATUS_OK)
        return status;
    status = store_begin(store, reason);
    if (status != STATUS_OK)
        return status;
    status = remove_before(audit, store, &scan, now_us, removed_out, reason);
    if (status == STATUS_OK)
        status = store_commit(store, reason);
    if (status != STATUS_OK)
        store_rollback(store);
    return status;
}
