/* What a thread of the ledger waits on between two turns, and what ends it.
 *
 * Thread: any, once it is made; one waits. Memory: the caller's. */
#ifndef LEDGER_STOP_H
#define LEDGER_STOP_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct stop {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    atomic_bool is_requested;
    bool is_nudged; /* under the lock */
};

void stop_init(struct stop *stop);
void stop_fini(struct stop *stop);

/* Waits, at most so long, for a stop to be requested or a nudge. Returns whether no stop is. */
bool stop_wait(struct stop *stop, uint64_t wait_ms);
/* Ends the wait that is going on, and each one to come. What was written before is seen after. */
void stop_request(struct stop *stop);
/* Ends the wait that is going on, or the next one. */
void stop_nudge(struct stop *stop);
bool stop_is_requested(const struct stop *stop);

#endif
