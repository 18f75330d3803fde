/* Creating and changing a team, a user or a key: the members of its own and those of its level.
 *
 * Each returns the command's exit code. Thread: any. */
#ifndef CLI_LEVEL_CALL_H
#define CLI_LEVEL_CALL_H

#include "cli/resource.h"
#include "cli/verb.h"
#include "json/write.h"

struct level_call {
    const char *kind; /* "keys", whose help says more */
    const struct verb_options *options;
    const struct resource_request *request; /* without its body */
    /* Adds the members that only this kind has. */
    void (*write_own)(const struct verb_options *options, const char *own,
                      struct json_writer *writer);
    const char *own;
};

/* Calls with a body of all that was given, which is wiped after it. */
int level_call_create(const struct level_call *call);
/* The same; where limits change, those that are there are asked for first. */
int level_call_set(const struct level_call *call);

#endif
