/* What a key may do: what the key itself, its user and its user's team all allow.
 *
 * Thread: any that may read the entry, within its turn. Pure: the time is a parameter. */
#ifndef IDENTITY_ACCESS_H
#define IDENTITY_ACCESS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"
#include "identity/entry.h"

enum identity_verdict {
    IDENTITY_VERDICT_VALID,
    IDENTITY_VERDICT_REVOKED,
    IDENTITY_VERDICT_DISABLED,
    IDENTITY_VERDICT_USER_DISABLED,
    IDENTITY_VERDICT_TEAM_DISABLED,
    IDENTITY_VERDICT_EXPIRED,
};

/* Whether the key works at `now_us` (since 1970, UTC), and if not, the first reason why. */
enum identity_verdict identity_check(const struct identity_key *key, uint64_t now_us);
/* In lower-case words, such as "user disabled". Static storage. */
const char *identity_verdict_name(enum identity_verdict verdict);

/* The three below ask identity/rules.h at each level. */
bool identity_allows_model(const struct identity_key *key, struct slice model);
/* `route` has its /v1. */
bool identity_allows_route(const struct identity_key *key, struct slice route);
/* `address` has 16 bytes, or is NULL: the client has none. */
bool identity_allows_address(const struct identity_key *key, const unsigned char *address);
/* Whether any level names networks, so that the address matters. */
bool identity_has_networks(const struct identity_key *key);

#endif
