/* What a key may do.
 *
 * Thread: any that may read the entry. Pure: the time is a parameter. */
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
    IDENTITY_VERDICT_EXPIRED,
};

/* Whether the key works at `now_us` (since 1970, UTC), and if not, the first reason why. */
enum identity_verdict identity_check(const struct identity_key *key, uint64_t now_us);
/* In lower-case words, such as "user disabled". Static storage. */
const char *identity_verdict_name(enum identity_verdict verdict);

/* Whether one of the key's patterns is the model's name, or ends in `*` and begins it. */
bool identity_allows_model(const struct identity_key *key, struct slice model);

#endif
