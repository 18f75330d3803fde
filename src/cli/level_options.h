/* The options that teams, users and keys have in common: what they may do, and how much.
 *
 * A change of limits needs to know those that are there: each option takes the place of the limit of
 * its kind and window, and the others stay. Thread: any. Memory: edits point into the options. */
#ifndef CLI_LEVEL_OPTIONS_H
#define CLI_LEVEL_OPTIONS_H

#include <stdbool.h>

#include "base/arena.h"
#include "cli/verb.h"
#include "json/json.h"
#include "json/write.h"
#include "policy/limit.h"

/* For the tables of verbs. */
#define LEVEL_USAGE                                                                                \
    "[--limit 60req/min]... [--budget 10usd/month]... [--max-parallel N]\n"                        \
    "           [--rpm N] [--tpm N] [--warn-only | --no-warn-only] [--models A,B*] [--routes R]\n" \
    "           [--networks CIDR] [--tags A,B]"
#define LEVEL_NOTES                                                                                \
    "  --limit L       60req/min, 1000000tok/day, 20parallel; any number of them, each in place\n" \
    "                  of the one of its kind and window\n"                                        \
    "  --max-parallel N, --rpm N, --tpm N\n"                                                       \
    "                  for short: Nparallel, Nreq/min, Ntok/min\n"                                 \
    "  --budget B      10usd/month; also hour, day, week, total; any number of them\n"             \
    "  --warn-only     its budgets warn and do not refuse; --no-warn-only: they refuse\n"          \
    "  --models A,B*   the models it may use; one * at the end of each   (default all)\n"          \
    "  --routes R,...  the routes, as /v1/embeddings or /v1/chat*        (default all)\n"          \
    "  --networks N,...  where from, as 10.0.0.0/8                       (default everywhere)\n"   \
    "  --tags A,...    words that stand with it\n"                                                 \
    "                  none removes what stands there\n"

/* What the options ask for. */
struct level_edit {
    const struct verb_options *options;
    bool clears_limits, clears_budgets; /* all of them go first */
    struct limits dropped;              /* of kinds and windows that go, if they are there */
    struct limits given;
};

/* Reads and checks them. False: a mistake, in the reason. */
bool level_options_read(const struct verb_options *options, struct level_edit *edit_out,
                        struct reason *reason);
/* Whether any was given. */
bool level_options_are_given(const struct verb_options *options);
/* Whether those that are there must be known, since some of them may stay. */
bool level_options_change_limits(const struct verb_options *options);
/* Adds the members of a body. `present` is the object as it is, or NULL: a new one. STATUS_INVALID: its
 * limits cannot be read. */
MUST_CHECK enum status level_options_write(const struct level_edit *edit,
                                           const struct json_object *present, struct arena *arena,
                                           struct json_writer *writer);

/* A member that was given: null for `none`. */
void option_write(struct json_writer *writer, struct slice name, const char *text);

#endif
