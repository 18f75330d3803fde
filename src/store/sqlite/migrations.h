/* The numbered steps that bring the tables of a database up to date.
 *
 * Each runs in one transaction together with its row in schema_version, so a step is done whole or
 * not at all, by one process. */
#ifndef STORE_SQLITE_MIGRATIONS_H
#define STORE_SQLITE_MIGRATIONS_H

#include <stdint.h>

#include "store/sqlite/connection.h"

/* The version of the tables; 0: an empty file. Changes nothing.
 * STATUS_INVALID: the file has tables, but none of weir's. STATUS_UNSUPPORTED: it is newer than
 * this program. */
MUST_CHECK enum status migrations_version(struct connection *connection, uint64_t *version_out,
                                          struct reason *reason);

/* Runs the steps that are missing; `now_us` is recorded beside each. */
MUST_CHECK enum status migrations_run(struct connection *connection, uint64_t now_us,
                                      struct reason *reason);

/* The version that this program's tables have. */
uint64_t migrations_newest(void);

/* Steps in files of their own: the tables of the ledger and of the audit chain, */
extern const char *const migrations_ledger_tables[];
/* and those of teams, limits, tokens, secrets and what the API adds to the configuration. */
extern const char *const migrations_governance_tables[];

#endif
