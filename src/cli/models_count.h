/* `weir models count FILE`: the tokens of a request's body, or of a plain text. */
#ifndef CLI_MODELS_COUNT_H
#define CLI_MODELS_COUNT_H

#include "cli/verb.h"

/* Needs neither a server nor a configuration. `path` may be "-" for standard input. Returns the exit
 * code: 1: no memory; 2: the file cannot be read. */
int models_count(const struct verb_options *options, const char *path);

#endif
