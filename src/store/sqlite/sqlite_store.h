/* The driver on SQLite. See store/store.h for the contract. */
#ifndef STORE_SQLITE_SQLITE_STORE_H
#define STORE_SQLITE_SQLITE_STORE_H

#include "store/store.h"

MUST_CHECK enum status sqlite_store_open(const struct store_config *config,
                                         struct store **store_out, struct reason *reason);

#endif
