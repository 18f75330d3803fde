/* The audit chain: an append-only list of entries, each with an HMAC over the hash of the entry before
 * it and its own canonical bytes.
 *
 *     begin; change; audit_append(); commit; audit_save_head()         an administrative change
 *     begin; rows; audit_batch_seal(); commit; audit_save_head()       a batch of the drain
 *
 * Entries of weir's own are: "audit.begin" (the first one), "checkpoint" (signed: all entries since the one before it), "usage.batch"
 * (audit/batch.h), "usage.rerate", "usage.remove" and "audit.remove" (audit/retention.h), and
 * "audit.gap": the head kept beside the database was ahead of the chain.
 *
 * Thread: one struct audit per process, shared by its threads, each with its own store. What writes is
 * called within the caller's transaction, which must exclude every other writer from its beginning
 * on (SQLite: BEGIN IMMEDIATE); what a transaction that was rolled back had appended is forgotten.
 * Memory: the arguments are borrowed for the call.
 * Errors: every call that takes a store may return what the store returns; and STATUS_NO_MEMORY. After
 * an error the caller rolls back. */
#ifndef AUDIT_CHAIN_H
#define AUDIT_CHAIN_H

#include <stdbool.h>
#include <stdint.h>

#include "audit/keys.h"
#include "base/reason.h"
#include "base/status.h"
#include "store/store.h"
#include "store/store_audit.h"

/* A checkpoint precedes the next entry when so many entries follow the one before it, or when it is
 * so old. */
#define AUDIT_CHECKPOINT_ENTRIES 256
#define AUDIT_CHECKPOINT_US      (UINT64_C(86400) * 1000000)
#define AUDIT_DETAILS_BYTES_MAX  (1024 * (size_t)1024)
/* The head is saved at most so often, unless it must be. */
#define AUDIT_HEAD_US           UINT64_C(1000000)

#define AUDIT_ACTOR             SLICE("weir")
#define AUDIT_ACTION_CHECKPOINT SLICE("checkpoint")
#define AUDIT_ACTION_BATCH      SLICE("usage.batch")
#define AUDIT_ACTION_RERATE     SLICE("usage.rerate")
#define AUDIT_ACTION_ROWS_GONE  SLICE("usage.remove")
#define AUDIT_ACTION_GONE       SLICE("audit.remove")
#define AUDIT_ACTION_GAP        SLICE("audit.gap")
#define AUDIT_ACTION_BEGIN      SLICE("audit.begin")

struct audit; /* opaque */

/* What was done. */
struct audit_event {
    struct slice actor;   /* "admin.sock", "uid=0", a token's name */
    struct slice action;  /* "key.create" */
    struct slice subject; /* an id, a name; may be empty */
    struct slice details; /* a JSON object or empty; never contents, never secrets */
    uint64_t now_us;
};

/* Loads the keys, see audit_keys_load() for the statuses. `create` (for `serve` alone) makes them if
 * there are none. */
MUST_CHECK enum status audit_open(const char *data_dir, bool create, struct audit **audit_out,
                                  struct reason *reason);
/* Frees *audit, if any, and sets it to NULL. */
void audit_close(struct audit **audit);
const struct audit_keys *audit_keys_of(const struct audit *audit);

/* Once, within a transaction, before anything is appended: begins the chain if it is empty, so that an
 * empty one is one that was emptied; compares it with the head beside the database, and if entries are
 * missing, appends "audit.gap", which says so for ever. audit_save_head() follows.
 * STATUS_INVALID: none of the newest entries was made with this key: the right one must be restored. */
MUST_CHECK enum status audit_start(struct audit *audit, struct store *store, uint64_t now_us,
                                   struct reason *reason);

/* Appends an entry, and a checkpoint before it if one is due. STATUS_TOO_LARGE: the details. */
MUST_CHECK enum status audit_append(struct audit *audit, struct store *store,
                                    const struct audit_event *event, struct reason *reason);
/* Appends a checkpoint, unless the newest entry is one or there is none: before a stop, an export, a
 * removal. */
MUST_CHECK enum status audit_checkpoint(struct audit *audit, struct store *store, uint64_t now_us,
                                        struct reason *reason);

/* After a commit, outside of a transaction: keeps number and hash of the newest entry in
 * DATA_DIR/secrets/audit.head; nothing happens within a second of the last time, unless `now`. The database
 * is synced first, then the file, so that a power cut never makes it look as if the chain had been cut.
 * STATUS_DENIED, STATUS_IO: the file cannot be written. */
MUST_CHECK enum status audit_save_head(struct audit *audit, struct store *store, uint64_t now_us,
                                       bool now, struct reason *reason);

#endif
