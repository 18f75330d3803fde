/* Whether the journal is large enough for the workers, which config/ cannot tell: it sees neither.
 * Thread: any. */
#ifndef CLI_JOURNAL_SIZE_H
#define CLI_JOURNAL_SIZE_H

#include <stdbool.h>

#include "config/config.h"
#include "config/report.h"

/* Adds a mistake with the least value that works, and returns false, if `weir serve` could not start
 * with ledger.journal_bytes on this machine. */
bool journal_size_check(const struct config *config, struct config_report *report);

#endif
