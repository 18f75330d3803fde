/* The configuration, as commands load it. Thread: any. */
#ifndef CLI_CONFIGURATION_H
#define CLI_CONFIGURATION_H

#include <stdbool.h>

#include "cli/verb.h"
#include "config/load.h"

/* Gives the caller a reference. Prints the mistakes, or out of memory, and returns false if there
 * is no snapshot; warnings are `weir check`'s to print. */
bool configuration_load(const struct verb_options *options, const struct config **config_out);
/* The same with what the store adds, beside a running server or without one; of a credential in the store
 * only that there is one. What cannot be read is said on standard error, and left out. */
bool configuration_load_whole(const struct verb_options *options, const struct config **config_out);

#endif
