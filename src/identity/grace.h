/* Freeing what readers without locks may still look at.
 *
 * Readers announce turns. Something that was unlinked may be freed once every reader that was
 * online has begun a new turn since. A sleeping reader is idle and holds up nothing.
 *
 * The epoch counts retirements. A reader copies it at each turn; a retired thing is stamped with
 * the epoch that its retirement began, and is freed when every reader online has copied that
 * epoch or a later one.
 * Thread: one writer retires and reclaims; each reader is one thread's; joining and leaving take a
 * lock, turns do not. Memory: whoever retires embeds a struct retired. Errors: none. */
#ifndef IDENTITY_GRACE_H
#define IDENTITY_GRACE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"

struct retired {
    struct retired *next;
    uint64_t stamp;
    void (*destroy)(struct retired *retired);
};

struct grace {
    _Atomic uint64_t epoch;
    struct retired *oldest, *newest;
    pthread_mutex_t readers_lock;
    struct list_node readers;
};

struct grace_reader {
    _Atomic uint64_t seen; /* the epoch at the last turn; GRACE_IDLE while the reader is idle */
    struct grace *grace;
    struct list_node in_readers;
};

void grace_init(struct grace *grace);
/* Frees all that was retired; no reader is left. */
void grace_fini(struct grace *grace);

/* A new reader is idle. */
void grace_join(struct grace *grace, struct grace_reader *reader);
void grace_leave(struct grace_reader *reader);
/* What the reader found before, and did not take a reference of, is no longer its to touch. */
void grace_turn(struct grace_reader *reader);
/* The same, and until its next turn the reader looks at nothing. */
void grace_idle(struct grace_reader *reader);
/* For assertions. */
bool grace_is_idle(const struct grace_reader *reader);

/* Takes what the writer has just unlinked; `destroy` is called when no reader can see it. */
void grace_retire(struct grace *grace, struct retired *retired,
                  void (*destroy)(struct retired *retired));
/* Frees at most `count_max` retired things whose time has come; true if that left none behind. */
bool grace_reclaim(struct grace *grace, size_t count_max);

#endif
