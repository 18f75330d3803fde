/* The folder of the journal: `GENERATION-NN-SSSSSS.seg` and `GENERATION.lock`.
 *
 * A generation is one life of a process. Its lock file is locked as long as the process lives, so
 * whoever gets the lock knows that nobody writes there any more.
 *
 * Thread: any. Errors: STATUS_IO and STATUS_DENIED with a reason that names the path. */
#ifndef LEDGER_DIRECTORY_H
#define LEDGER_DIRECTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/reason.h"
#include "base/status.h"
#include "ledger/segment.h"

#define DIRECTORY_NAME_BYTES 64

struct directory {
    int fd;
    char path[512]; /* for messages */
};

struct generation_lock {
    uint64_t generation;
    int fd; /* -1: not held */
};

/* Makes the folder if it is not there, for its owner alone. */
MUST_CHECK enum status directory_open(struct directory *directory, const char *path,
                                      struct reason *reason);
void directory_close(struct directory *directory);

/* Takes a number that no generation in the folder has, above `above`, and locks it. */
MUST_CHECK enum status directory_new_generation(struct directory *directory, uint64_t above,
                                                struct generation_lock *lock_out,
                                                struct reason *reason);
/* STATUS_EXISTS: its process lives. STATUS_NOT_FOUND: the generation is gone. */
MUST_CHECK enum status directory_lock_generation(struct directory *directory, uint64_t generation,
                                                 struct generation_lock *lock_out,
                                                 struct reason *reason);
/* Removes the lock file, after its segments, or only unlocks it. */
void directory_unlock_generation(struct directory *directory, struct generation_lock *lock,
                                 bool removes);

void directory_segment_name(const struct segment_identity *identity,
                            char name_out[DIRECTORY_NAME_BYTES]);

/* What lies in the folder, in ascending order; the caller frees with alloc_free(). */
struct directory_listing {
    uint64_t *generations; /* that have a lock file or segments */
    size_t generation_count;
    struct segment_identity *segments; /* by generation, worker, number */
    size_t segment_count;
};
MUST_CHECK enum status directory_list(struct directory *directory,
                                      struct directory_listing *listing_out, struct reason *reason);
void directory_listing_free(struct directory_listing *listing);

/* What replaces a segment whose file failed is written under the segment's name with this end. */
#define DIRECTORY_NEW ".new"

/* Removes a segment that may be gone already, and what was to replace it. */
MUST_CHECK enum status directory_remove_segment(struct directory *directory,
                                                const struct segment_identity *identity,
                                                struct reason *reason);
/* Makes names outlast a power cut: those of new files and that removed ones are gone. */
MUST_CHECK enum status directory_sync(struct directory *directory, struct reason *reason);

#endif
