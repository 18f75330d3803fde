/* What became of an UPDATE or a DELETE of one row by its id. */
#ifndef STORE_SQLITE_OUTCOME_H
#define STORE_SQLITE_OUTCOME_H

#include "store/sqlite/connection.h"

/* Right after it ran; `by_id` finds such a row, `what` is its name in a reason ("user"). STATUS_OK: it
 * hit the row. STATUS_NOT_FOUND. STATUS_AGAIN: the row is not as the caller saw it. */
MUST_CHECK enum status outcome_of(struct connection *connection, enum statement by_id,
                                  const struct id *id, const char *what, struct reason *reason);

#endif
