/* How many different users were seen in the last five minutes.
 *
 * One table for all threads. A slot is a word: 44 bits of the user's hash and the 15-second tick
 * in which the user was last seen; so a user costs a store once in 15 s and otherwise only a read.
 * A slot never becomes empty again, it is taken over when its user has not been seen for the
 * window; a search therefore ends at the first empty slot.
 *
 * What the count means: a user is counted from being seen until at least 5 min and less than
 * 5 min 15 s later. 65,536 users at a time find room (a search looks at ACTIVE_USERS_PROBES slots
 * of a table twice that large); of more, those without room are not counted, and
 * active_users_see() says so, and for the rest of the tick looks at fewer slots, since most searches are in
 * vain. Two users whose 44 bits agree count as one: a chance of one in 8,000
 * that this happens at all among 65,536. A new user whom two threads enter in the very moment in
 * which a slot before its own falls free may count twice for one window.
 * Thread: any, without locks. Memory: 1 MiB, touched as users come. */
#ifndef TELEMETRY_ACTIVE_USERS_H
#define TELEMETRY_ACTIVE_USERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

#define ACTIVE_USERS_WINDOW_S 300
#define ACTIVE_USERS_BOUND    65536
#define ACTIVE_USERS_SLOTS    ((size_t)2 * ACTIVE_USERS_BOUND)
#define ACTIVE_USERS_PROBES   128

struct active_users;

/* STATUS_NO_MEMORY. Free with active_users_destroy(). */
MUST_CHECK enum status active_users_create(struct active_users **users_out);
/* Frees *users, if any, and sets it to NULL. */
void active_users_destroy(struct active_users **users);

/* Notes that the user with this well mixed hash is there at `now_ns` (monotonic). False: there
 * was no room, and the user is not counted. */
bool active_users_see(struct active_users *users, uint64_t hash, uint64_t now_ns);

uint32_t active_users_count(const struct active_users *users, uint64_t now_ns);

#endif
