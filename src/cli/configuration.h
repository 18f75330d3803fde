/* The configuration, as commands load it. Thread: any. */
#ifndef CLI_CONFIGURATION_H
#define CLI_CONFIGURATION_H

#include <stdbool.h>

#include "cli/verb.h"
#include "config/load.h"

/* Gives the caller a reference. Prints the mistakes, or out of memory, and returns false if there
 * is no snapshot; warnings are `weir check`'s to print. */
bool configuration_load(const struct verb_options *options, const struct config **config_out);

#endif
