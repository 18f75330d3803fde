/* The journal's keeper: a thread that does for the workers what may wait for the disk.
 *
 * For each worker's journal it makes segments (or recycles those that are drained), makes pages
 * writable ahead of the worker and moves the mark, syncs finished pages, and replaces a segment
 * whose file has failed. A failure is reported once, tried again, and reported once more when it is
 * over; meanwhile workers run into their marks.
 *
 * Segments: made → ahead of the worker → the worker's → full → drained → recycled or removed.
 *
 * Thread: as each function says. */
#ifndef LEDGER_KEEPER_H
#define LEDGER_KEEPER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/reason.h"
#include "base/status.h"
#include "ledger/directory.h"
#include "ledger/journal.h"

struct keeper;

struct keeper_config {
    struct directory *directory;        /* outlives the keeper */
    const struct generation_lock *lock; /* the same */
    struct journal *const *journals;    /* one per worker, the same */
    uint32_t worker_count;
    size_t segment_bytes;
    uint64_t journal_bytes; /* of all segments together */
    unsigned sync_ms;       /* between two syncs */
    /* Asks a worker to call journal_finish_page(). The keeper's thread. */
    void (*finish_page)(void *context, uint32_t worker);
    /* Something to tell the operator: an error, or (is_error false) that it is over. */
    void (*report)(void *context, bool is_error, const char *text);
    void *context;
};

/* Prepares every journal, then starts the thread. STATUS_INVALID: journal_bytes is less than three
 * segments for each worker. STATUS_IO, STATUS_DENIED, STATUS_NO_MEMORY. */
MUST_CHECK enum status keeper_create(const struct keeper_config *config, struct keeper **keeper_out,
                                     struct reason *reason);
/* Syncs what is appended and stops the thread; `removes` deletes the segments: all is drained. */
void keeper_destroy(struct keeper **keeper, bool removes);

/* The mapped bytes of a segment, or NULL: it does not exist (yet). They stay until keeper_drained()
 * says otherwise. The drain's thread. */
const char *keeper_segment(struct keeper *keeper, uint32_t worker, uint64_t number);
/* Everything in segments below `number` is in the store for good. The drain's thread. */
void keeper_drained(struct keeper *keeper, uint32_t worker, uint64_t number);

/* Whether a worker's journal may not grow: at journal_bytes. Any thread. */
bool keeper_is_full(const struct keeper *keeper);
/* For how long the disk has not answered, 0 if it does. Any thread. */
uint64_t keeper_stall_ms(const struct keeper *keeper, uint64_t now_ms);

struct keeper_figures {
    uint64_t segments;
    uint64_t segment_bytes_total; /* on disk */
    uint64_t undrained_bytes;
    uint64_t appended_records;
    uint64_t syncs, sync_failures;
    uint64_t sync_longest_us;
    bool is_full;    /* at journal_bytes, or the disk has no room */
    bool has_failed; /* the disk fails, or has not answered for a second */
};
/* Any thread. */
void keeper_figures(const struct keeper *keeper, struct keeper_figures *figures_out);

#endif
