/* The path of an administrative request, taken apart: /admin/v1/COLLECTION[/ITEM[/ACTION]]?QUERY.
 *
 * Pure. Memory: parts are decoded into the caller's arena. */
#ifndef ADMIN_TARGET_H
#define ADMIN_TARGET_H

#include "base/arena.h"
#include "base/slice.h"
#include "base/status.h"

#define TARGET_PARAMETERS_MAX 8

struct target_parameter {
    struct slice name;
    struct slice value;
};

struct target {
    struct slice collection;
    struct slice item;   /* data is NULL: none */
    struct slice action; /* the same */
    struct target_parameter parameters[TARGET_PARAMETERS_MAX];
    unsigned parameter_count;
};

/* Percent-decodes everything (RFC 3986 section 2.1); `+` stands for itself.
 * STATUS_NOT_FOUND: not below /admin/v1/, an empty part, or too many parts. STATUS_INVALID: a bad
 * percent-encoding, a parameter without `=` or twice. STATUS_TOO_LARGE: too many parameters.
 * STATUS_NO_MEMORY. */
MUST_CHECK enum status target_parse(struct slice path, struct arena *arena,
                                    struct target *target_out);

/* The parameter's value; data is NULL if it is not there. */
struct slice target_parameter(const struct target *target, struct slice name);

#endif
