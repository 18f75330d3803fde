/* The audit chain in the database: entries in their order, nothing of how they are chained.
 *
 * Thread, memory and errors as in store/store.h; transactions as in store/store_usage.h. */
#ifndef STORE_STORE_AUDIT_H
#define STORE_STORE_AUDIT_H

#include <stdint.h>

#include "store/store.h"

/* A row of audit_log. Empty slices are NULL in the table. */
struct store_audit_entry {
    uint64_t number; /* 1 is the first; without gaps */
    uint64_t timestamp_us;
    struct slice actor;   /* "admin.sock", "uid=0", a token's name; "weir" for its own */
    struct slice action;  /* "key.create", "usage.batch", "checkpoint" … */
    struct slice subject; /* what it was done to: an id, a name, a batch's number */
    struct slice details; /* a JSON object; never contents, never secrets */
    unsigned char previous_hash[STORE_HASH_SIZE]; /* of the entry before; zeros for the first */
    unsigned char hash[STORE_HASH_SIZE];
};
typedef enum status store_audit_visitor(void *context, const struct store_audit_entry *entry);

/* STATUS_EXISTS: the number is taken. */
MUST_CHECK enum status store_audit_insert(struct store *store,
                                          const struct store_audit_entry *entry,
                                          struct reason *reason);
/* The newest entry. STATUS_NOT_FOUND: there is none. */
MUST_CHECK enum status store_audit_last(struct store *store, struct arena *arena,
                                        struct store_audit_entry *entry_out, struct reason *reason);
/* Entries from `first` on, in order. */
MUST_CHECK enum status store_audit_list(struct store *store, uint64_t first,
                                        store_audit_visitor *visit, void *context,
                                        struct reason *reason);
/* The newest entries first: those with since_us <= timestamp_us < until_us and from <= number < before,
 * at most `limit`. */
struct store_audit_page {
    uint64_t from, before;
    uint64_t since_us, until_us;
    struct slice actor, action; /* empty: any */
    uint32_t limit;             /* > 0 */
};
MUST_CHECK enum status store_audit_page(struct store *store, const struct store_audit_page *page,
                                        store_audit_visitor *visit, void *context,
                                        struct reason *reason);
/* Deletes all entries before `number`; for retention, which says so in an entry of its own. */
MUST_CHECK enum status store_audit_delete_before(struct store *store, uint64_t number,
                                                 uint64_t *deleted_out, struct reason *reason);

#endif
