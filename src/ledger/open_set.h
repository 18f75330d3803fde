/* The requests of one journal that have opened and not closed, as the drain knows them.
 *
 * What usage_open holds of a request is its OPENED payload and those of its attempts, each preceded
 * by its size in four bytes.
 *
 * Thread: one. Memory: the set owns copies of the records, for they outlive their segments. */
#ifndef LEDGER_OPEN_SET_H
#define LEDGER_OPEN_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/id.h"
#include "base/slice.h"
#include "base/status.h"

#define OPEN_ATTEMPTS_MAX 16 /* further ones of a request are passed over */

struct open_request {
    struct open_request *next; /* in its bucket, or in the caller's list once it was taken */
    struct id id;
    uint64_t segment; /* that its OPENED record lies in */
    bool is_stored;   /* it is in usage_open */
    bool is_taken;    /* it is in no set any more */
    unsigned attempt_count;
    unsigned attempts_stored;                 /* as many are in usage_open, too */
    struct slice attempts[OPEN_ATTEMPTS_MAX]; /* payloads */
    struct slice opened;                      /* payload */
};

struct open_set {
    struct open_request **buckets;
    size_t bucket_count; /* a power of two, or 0 */
    size_t count;
};

/* The set starts zeroed. */
void open_set_fini(struct open_set *set);
/* Copies the payload. One that is there already stays as it is. STATUS_NO_MEMORY. */
MUST_CHECK enum status open_set_add(struct open_set *set, const struct id *id, struct slice opened,
                                    uint64_t segment);
/* The same with what usage_open holds. STATUS_INVALID: it is damaged. */
MUST_CHECK enum status open_set_add_stored(struct open_set *set, const struct id *id,
                                           struct slice stored);
struct open_request *open_set_find(const struct open_set *set, const struct id *id);
/* Copies the payload of a further attempt; one with a number that is there is passed over.
 * STATUS_NO_MEMORY. */
MUST_CHECK enum status open_request_add_attempt(struct open_request *request, struct slice attempt);
/* Writes what usage_open shall hold. STATUS_NO_MEMORY. */
MUST_CHECK enum status open_request_write(const struct open_request *request,
                                          struct buffer *stored_out);
/* Takes the request out; the caller frees it. NULL: there is none. */
struct open_request *open_set_take(struct open_set *set, const struct id *id);
void open_request_free(struct open_request *request);

/* Calls for each; the set may not be changed meanwhile. */
typedef enum status open_set_visitor(void *context, struct open_request *request);
MUST_CHECK enum status open_set_each(const struct open_set *set, open_set_visitor *visit,
                                     void *context);

#endif
