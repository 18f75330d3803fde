#include "store/sqlite/outcome.h"

#include "store/sqlite/query.h"

enum status outcome_of(struct connection *connection, enum statement by_id, const struct id *id,
                       const char *what, struct reason *reason)
{
    if (sqlite3_changes(connection->database) > 0)
        return STATUS_OK;
    struct query query = query_start(connection, by_id);
    query_bind_id(&query, 1, id);
    const bool found = query_next(&query);
    const enum status status = query_finish(&query, reason);
    if (status != STATUS_OK)
        return status;
    if (found)
        reason_set(reason, "the %s was changed meanwhile; look at it again", what);
    else
        reason_set(reason, "there is no such %s any more", what);
    return found ? STATUS_AGAIN : STATUS_NOT_FOUND;
}
