/* A key as a row of the statements that read keys. */
#ifndef STORE_SQLITE_KEY_ROW_H
#define STORE_SQLITE_KEY_ROW_H

#include "store/sqlite/query.h"

/* The current row; its texts hold until the next one. */
struct store_key key_read(struct query *query);

#endif
