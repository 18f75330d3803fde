/* `weir prices rerate`: requests of the ledger by the prices that are known now. */
#ifndef CLI_PRICES_RERATE_H
#define CLI_PRICES_RERATE_H

#include "cli/verb.h"

/* Takes `since`, `until` and `apply`. Returns the exit code. */
int prices_rerate_run(const struct verb_options *options);

#endif
