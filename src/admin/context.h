/* What administrative operations work on: the store, the pepper, the audit chain and, in a server, the
 * map.
 *
 * Thread: the store's. Memory: the context owns all of them. */
#ifndef ADMIN_CONTEXT_H
#define ADMIN_CONTEXT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/reason.h"
#include "base/slice.h"
#include "base/status.h"
#include "identity/key_hasher.h"
#include "gateway/snapshot.h"
#include "admin/token_table.h"
#include "identity/map.h"
#include "store/store.h"

struct audit;
struct ledger;
struct counters; /* of policy/level.h */

struct admin_config {
    const char *data_dir; /* exists; the caller holds its lock */
    bool create;          /* makes weir.db and what is missing in secrets/ */
    bool with_map;        /* fills a map: for a server */
};

struct admin_context {
    char *data_dir;
    struct store *store;
    struct identity_map *map;   /* NULL without a server */
    struct counters *counters;  /* of limits; NULL without a server */
    bool has_filled_map;        /* what is put into it from now on is new */
    struct token_table *tokens; /* NULL without a server; other threads look into it */
    struct key_hasher *hasher;
    unsigned char pepper[PEPPER_SIZE]; /* for the workers' own hashers */
    uint64_t (*now_us)(void);
    /* Borrowed: what is in force, for operations on prices; NULL where nobody knows it. */
    struct snapshot *snapshot;
    /* What the store adds to the configuration, prices too: set by operations; the server makes it hold. */
    bool has_configuration_changed;
    struct ledger *ledger;  /* borrowed; NULL without a server */
    struct audit *audit;    /* other threads use it too */
    bool has_audit_started; /* see admin/change.h */
    struct slice actor;     /* who does what is done now; at first who runs the process: "uid=0" */
    char own_actor[24];
};

/* Opens DATA_DIR/weir.db and the pepper, and fills the map if one is wanted.
 * STATUS_NOT_FOUND: there is no database, no key of the audit chain, or no pepper though the database
 * has keys under one. Else the statuses of store_open(), pepper_load() and audit_open(). */
MUST_CHECK enum status admin_context_open(const struct admin_config *config,
                                          struct admin_context **context_out,
                                          struct reason *reason);
/* Closes *context, if any, and sets it to NULL. The map's readers are destroyed by then. */
void admin_context_close(struct admin_context **context);

/* Saves the times of last use that the map and the table of tokens gathered, and lets it reclaim. Call every few seconds
 * and before closing. Statuses of store_keys_used(); what could not be saved is saved at the next
 * use of the key. */
MUST_CHECK enum status admin_save_last_used(struct admin_context *context, struct reason *reason);

#endif
