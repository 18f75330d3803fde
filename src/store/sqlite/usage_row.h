/* A request as a row of usage_logs. */
#ifndef STORE_SQLITE_USAGE_ROW_H
#define STORE_SQLITE_USAGE_ROW_H

#include "store/sqlite/query.h"
#include "store/store_usage.h"

/* Binds the parameters of STATEMENT_USAGE_INSERT. */
void usage_row_bind(struct query *query, const struct store_usage *usage);
/* The current row of USAGE_COLUMNS; its texts hold until the next one. */
struct store_usage usage_row_read(struct query *query);
/* Copies the texts into the arena. STATUS_NO_MEMORY. */
MUST_CHECK enum status usage_row_keep(struct store_usage *usage, struct arena *arena);

#endif
