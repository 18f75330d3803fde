/* A set of numbers that mostly follow each other, kept as ranges in order.
 *
 * Errors: STATUS_NO_MEMORY, which changes nothing. */
#ifndef AUDIT_RANGES_H
#define AUDIT_RANGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

struct range {
    uint64_t from, to; /* both in it */
};

struct ranges {
    struct range *items; /* apart by at least one number */
    size_t count;
    size_t capacity;
};

void ranges_fini(struct ranges *ranges);
/* `from` <= `to`; what is there already stays. */
MUST_CHECK enum status ranges_add(struct ranges *ranges, uint64_t from, uint64_t to);
bool ranges_contain(const struct ranges *ranges, uint64_t number);
/* The first number from `from` on that is not in the set, and where the set goes on after it
 * (UINT64_MAX: nowhere). */
struct range ranges_next_gap(const struct ranges *ranges, uint64_t from);

#endif
