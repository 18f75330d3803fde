/* A change of what the store holds, and its entry in the audit chain, in one transaction: there is never
 * one without the other.
 *
 *     change_begin(); store_…(); subject and details; change_end()
 *
 * Thread: the store's. Memory: a change owns its details from change_begin() to change_end(), which
 * follows in any case. */
#ifndef ADMIN_CHANGE_H
#define ADMIN_CHANGE_H

#include "admin/context.h"
#include "base/buffer.h"
#include "base/id.h"
#include "base/slice.h"
#include "json/write.h"

struct change {
    struct admin_context *context;
    struct slice action;       /* "key.create"; static */
    struct slice subject;      /* what it is done to, an id or a name; borrowed */
    struct json_writer writer; /* takes members of the details; never contents, never secrets */
    struct buffer details;
    char id[ID_TEXT_SIZE];
    bool is_open; /* a transaction */
};

/* Begins the transaction; the first one of a context also begins the chain. STATUS_DENIED: the chain was
 * made with another key. Else the statuses of store_begin() and audit_start(). */
MUST_CHECK enum status change_begin(struct admin_context *context, struct slice action,
                                    struct change *change_out, struct reason *reason);
/* When what was last changed at `seen_us` is changed now: later than that, whatever the clock says. */
uint64_t change_time(const struct admin_context *context, uint64_t seen_us);
/* The change is done to what has this id. */
void change_set_id(struct change *change, const struct id *id);
/* Appends the entry and commits if `status`, which is what the change came to, is STATUS_OK; else rolls
 * back. Returns what it came to: `status`, or those of audit_append() and store_commit(). */
MUST_CHECK enum status change_end(struct change *change, enum status status, struct reason *reason);

#endif
