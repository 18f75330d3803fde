/* Name resolution by c-ares for one loop, with a cache that obeys the records' TTL.
 *
 * Numeric hosts and "localhost" (RFC 6761 section 6.3) are answered at once. Equal questions that
 * are asked at the same time make one query. A name whose time is over is asked for again in the
 * background, and its last known addresses are given meanwhile, for DNS_STALE_MS at most: nobody
 * waits for a name server that is down. After a failed query the next one for the name is made
 * DNS_RETRY_MS later at the earliest; until then a name without known addresses is not found.
 * Memory: at most DNS_CACHE_MAX names; the one that was asked for longest ago goes first.
 * Thread: the loop's. */
#ifndef IO_DNS_H
#define IO_DNS_H

#include <stddef.h>
#include <stdint.h>

#include "base/reason.h"
#include "base/slice.h"
#include "base/status.h"
#include "io/address.h"
#include "io/loop.h"

#define DNS_ADDRESSES_MAX 8
#define DNS_CACHE_MAX     256
#define DNS_TTL_MIN_MS    1000
#define DNS_TTL_MAX_MS    300000
#define DNS_STALE_MS      300000
#define DNS_RETRY_MS      1000

struct dns;

struct dns_answer {
    unsigned count;
    struct address addresses[DNS_ADDRESSES_MAX]; /* to be tried in this order; ports are set */
};

MUST_CHECK enum status dns_create(struct loop *loop, struct dns **dns_out, struct reason *reason);
/* No task may wait in dns_resolve(). */
void dns_destroy(struct dns **dns);

/* Waits for the addresses of `host`. STATUS_NOT_FOUND: there are none, or no server answered (the
 * reason says which); STATUS_INVALID: no host name; STATUS_TIMED_OUT; STATUS_CANCELLED;
 * STATUS_NO_MEMORY. */
MUST_CHECK enum status dns_resolve(struct dns *dns, struct slice host, uint16_t port,
                                   uint64_t deadline_ms, struct dns_answer *answer_out,
                                   struct reason *reason);

#endif
