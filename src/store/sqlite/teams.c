#include "store/sqlite/operations.h"
#include "store/sqlite/outcome.h"
#include "store/sqlite/query.h"
#include "store/sqlite/rules_row.h"
#include "store/sqlite/transactions.h"

#define PARAMETER_RULES 6
#define PARAMETER_LAST  (PARAMETER_RULES + RULES_COLUMNS)

static struct store_team team_read(struct query *query)
{
    struct store_team team = {
        .name = query_read_text(query, 1),
        .disabled = query_read_u64(query, 2) != 0,
        .timezone = query_read_text(query, 3),
        .created_at_us = query_read_u64(query, 4),
        .updated_at_us = query_read_u64(query, 5),
        .rules = rules_read(query, 6),
    };
    query_read_blob(query, 0, team.id.bytes, sizeof(team.id.bytes));
    return team;
}

static void team_bind(struct query *query, const struct store_team *team)
{
    query_bind_id(query, 1, &team->id);
    query_bind_text(query, 2, team->name);
    query_bind_u64(query, 3, team->disabled);
    query_bind_text_or_null(query, 4, team->timezone);
    query_bind_u64(query, 5, team->updated_at_us);
    rules_bind(query, PARAMETER_RULES, &team->rules);
}

static enum status refused(const struct store_team *team, int code, enum status status,
                           struct reason *reason)
{
    if (code != SQLITE_CONSTRAINT_UNIQUE && code != SQLITE_CONSTRAINT_PRIMARYKEY)
        return status;
    reason_set(reason, "there is a team named %.*s already", SLICE_ARGS(team->name));
    return STATUS_EXISTS;
}

enum status sqlite_team_create(struct store *store, const struct store_team *team,
                               struct reason *reason)
{
    struct query query = query_start(connection_of(store), STATEMENT_TEAM_CREATE);
    team_bind(&query, team);
    query_bind_u64(&query, PARAMETER_LAST, team->created_at_us);
    const enum status status = query_run(&query, reason);
    return refused(team, query.code, status, reason);
}

static bool team_keep(struct store_team *team, struct arena *arena)
{
    return text_keep(&team->name, arena) && text_keep(&team->timezone, arena) &&
           rules_keep(&team->rules, arena);
}

enum status sqlite_team_find(struct store *store, struct slice id_or_name, struct arena *arena,
                             struct store_team *team_out, struct reason *reason)
{
    struct id id;
    bool kept = true;
    const bool is_id = id_parse(id_or_name, &id) == STATUS_OK;
    struct query query =
        query_start(connection_of(store), is_id ? STATEMENT_TEAM_BY_ID : STATEMENT_TEAM_BY_NAME);
    if (is_id)
        query_bind_id(&query, 1, &id);
    else
        query_bind_text(&query, 1, id_or_name);
    const bool found = query_next(&query);
    if (found) {
        *team_out = team_read(&query);
        kept = team_keep(team_out, arena);
    }
    const enum status status = query_finish(&query, reason);
    if (status != STATUS_OK)
        return status;
    if (!kept)
        reason_set(reason, "out of memory while reading a team");
    else if (!found)
        reason_set(reason, "there is no team %.*s", SLICE_ARGS(id_or_name));
    if (!kept)
        return STATUS_NO_MEMORY;
    return found ? STATUS_OK : STATUS_NOT_FOUND;
}

enum status sqlite_team_update(struct store *store, const struct store_team *team, uint64_t seen_us,
                               struct reason *reason)
{
    struct connection *connection = connection_of(store);
    struct query query = query_start(connection, STATEMENT_TEAM_UPDATE);
    team_bind(&query, team);
    query_bind_u64(&query, PARAMETER_LAST, seen_us);
    const enum status status = query_run(&query, reason);
    if (status != STATUS_OK)
        return refused(team, query.code, status, reason);
    return outcome_of(connection, STATEMENT_TEAM_BY_ID, &team->id, "team", reason);
}

/* The foreign key would let the users go too, but not move their times of change. */
static enum status release_users(struct connection *connection, const struct id *team_id,
                                 uint64_t now_us, uint64_t *users_out, struct reason *reason)
{
    struct query query = query_start(connection, STATEMENT_TEAM_LEAVE);
    query_bind_id(&query, 1, team_id);
    query_bind_u64(&query, 2, now_us);
    const enum status status = query_run(&query, reason);
    *users_out = (uint64_t)sqlite3_changes64(connection->database);
    return status;
}

static enum status delete_row(struct connection *connection, const struct id *team_id,
                              struct reason *reason)
{
    struct query query = query_start(connection, STATEMENT_TEAM_DELETE);
    query_bind_id(&query, 1, team_id);
    const enum status status = query_run(&query, reason);
    if (status != STATUS_OK)
        return status;
    return outcome_of(connection, STATEMENT_TEAM_BY_ID, team_id, "team", reason);
}

enum status sqlite_team_delete(struct store *store, const struct id *team_id, uint64_t now_us,
                               uint64_t *users_out, struct reason *reason)
{
    struct connection *connection = connection_of(store);
    uint64_t users = 0;
    struct transaction transaction;
    enum status status = transaction_join(connection, &transaction, reason);
    if (status != STATUS_OK)
        return status;
    status = release_users(connection, team_id, now_us, &users, reason);
    if (status == STATUS_OK)
        status = delete_row(connection, team_id, reason);
    status = transaction_leave(&transaction, status, reason);
    if (status == STATUS_OK && users_out != NULL)
        *users_out = users;
    return status;
}

enum status sqlite_teams_list(struct store *store, const struct store_page *page,
                              store_team_visitor *visit, void *context, struct reason *reason)
{
    struct query query = query_start(connection_of(store), STATEMENT_TEAMS_LIST);
    query_bind_id(&query, 1, &page->after);
    query_bind_u64(&query, 2, page->limit);
    enum status visited = STATUS_OK;
    while (visited == STATUS_OK && query_next(&query)) {
        const struct store_team team = team_read(&query);
        if (query.code == SQLITE_OK)
            visited = visit(context, &team);
    }
    const enum status status = query_finish(&query, reason);
    return status == STATUS_OK ? visited : status;
}
