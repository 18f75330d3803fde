/* A segment as a file that is mapped: made, recycled, prepared, synced, replaced.
 *
 * Thread: the keeper's. Errors: STATUS_IO, STATUS_DENIED, with a reason that says what failed. */
#ifndef LEDGER_SEGMENT_FILE_H
#define LEDGER_SEGMENT_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/reason.h"
#include "base/status.h"
#include "ledger/directory.h"
#include "ledger/segment.h"

struct segment_file {
    struct segment_identity identity;
    char *bytes; /* the mapping; NULL: none */
    size_t size;
    int fd;
    bool is_named;    /* the folder is synced with its name */
    bool has_failed;  /* its file may not hold what the mapping does: never used again */
    bool is_replaced; /* the file of its name is another one, which does */
};

/* Makes the file with all its blocks, maps it and makes the header's page writable. */
MUST_CHECK enum status segment_file_create(struct directory *directory,
                                           const struct segment_identity *identity,
                                           size_t segment_bytes, struct segment_file *file_out,
                                           struct reason *reason);
/* Gives the file a new name and header; its old records end the log by their numbers. */
MUST_CHECK enum status segment_file_recycle(struct directory *directory, struct segment_file *file,
                                            const struct segment_identity *identity,
                                            struct reason *reason);
/* Unmaps and closes; removes the file too if `removes`. */
void segment_file_destroy(struct directory *directory, struct segment_file *file, bool removes);

/* Makes the pages writable without a fault: a store there does not wait for the disk. */
MUST_CHECK enum status segment_file_populate(struct segment_file *file, size_t from, size_t to,
                                             struct reason *reason);
/* Writes the pages to the disk, with the file's name if that is new, and waits. They are whole pages
 * that nobody writes any more. */
MUST_CHECK enum status segment_file_sync(struct directory *directory, struct segment_file *file,
                                         size_t from, size_t to, struct reason *reason);
/* After a failure: writes the mapping's bytes to a new file, syncs it and puts it in the place of
 * the old one. The mapping stays with the old file. */
MUST_CHECK enum status segment_file_rescue(struct directory *directory, struct segment_file *file,
                                           struct reason *reason);

#endif
