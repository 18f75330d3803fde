#include "store/sqlite/statements.h"

/* Columns are read by position: see team_read(), user_read(), key_read() and rules_read(). */
#define RULES      "models, routes, networks, tags, limits, warn_only"
#define USER_RULES "u.models, u.routes, u.networks, u.tags, u.limits, u.warn_only"
#define KEY_RULES  "k.models, k.routes, k.networks, k.tags, k.limits, k.warn_only"
#define TEAM_COLUMNS                                                                               \
    "SELECT id, name, disabled, timezone, created_at, updated_at, " RULES " FROM teams "
#define USER_COLUMNS                                                                               \
    "SELECT u.id, u.name, u.disabled, u.team_id, t.name, u.created_at, u.updated_at, " USER_RULES  \
    " FROM users AS u LEFT JOIN teams AS t ON t.id = u.team_id "
#define KEY_COLUMNS                                                                                \
    "SELECT k.id, k.user_id, u.name, u.disabled, u.team_id, t.disabled, k.name, k.hash, k.hint, "  \
    "k.disabled, k.expires_at, k.revoked_at, k.created_at, k.updated_at, k.last_used_at, "         \
    "k.former_hash, k.former_until, " KEY_RULES                                                    \
    " FROM api_keys AS k JOIN users AS u ON u.id = k.user_id "                                     \
    "LEFT JOIN teams AS t ON t.id = u.team_id "

/* In the order of enum count, from COUNT_ANSWERED on. */
#define SUM_COLUMNS                                                                                \
    "answered, estimated, unpriced, answered_tokens, cost_nanousd, answered_cost_nanousd, "        \
    "input_tokens, output_tokens, cached_tokens, cache_write_tokens, reasoning_tokens, "           \
    "audio_tokens"
/* An addition that overflows becomes a floating-point number, which is compared as what it is. */
#define ADD(column)     #column " = min(" #column " + excluded." #column ", 9223372036854775807)"
#define ADD_REQUESTS    ADD(requests) ", " ADD(answered) ", " ADD(estimated) ", " ADD(unpriced)
#define ADD_TOKENS      ADD(input_tokens) ", " ADD(output_tokens) ", " ADD(cached_tokens)
#define ADD_MORE_TOKENS ADD(cache_write_tokens) ", " ADD(reasoning_tokens) ", " ADD(audio_tokens)
#define ADD_ANSWERED    ADD(answered_tokens) ", " ADD(cost_nanousd) ", " ADD(answered_cost_nanousd)
#define ADD_ALL                                                                                    \
    " DO UPDATE SET " ADD_REQUESTS ", " ADD_TOKENS ", " ADD_MORE_TOKENS ", " ADD_ANSWERED
#define MOVE(column, by)   #column " = max(0, min(" #column " + " by ", 9223372036854775807))"
#define MOVE_COST          MOVE(cost_nanousd, "?8") ", " MOVE(answered_cost_nanousd, "?9")
#define MOVE_ALL           " SET " MOVE(unpriced, "?7") ", " MOVE_COST

#define SECRET_COLUMNS     "id, provider, master_id, nonce, sealed, hint, created_at, updated_at"
#define DEFINITION_COLUMNS "id, name, definition, created_at, updated_at"
/* The same for both tables of definitions. */
#define DEFINITION_STATEMENTS(of, table)                                                           \
    [of##_CREATE] = "INSERT INTO " table " (" DEFINITION_COLUMNS ") VALUES (?1, ?2, ?3, ?4, ?5)",  \
    [of##_UPDATE] = "UPDATE " table " SET definition = ?2, updated_at = ?3 WHERE name = ?1",       \
    [of##_DELETE] = "DELETE FROM " table " WHERE name = ?1",                                       \
    [of##_FIND] = "SELECT " DEFINITION_COLUMNS " FROM " table " WHERE name = ?1",                  \
    [of##S_LIST] = "SELECT " DEFINITION_COLUMNS " FROM " table " ORDER BY id"

/* Read by position: see reports.c. */
#define REPORT_HOURLY                                                                              \
    "SELECT hour, user_id, key_id, team_id, model, provider, "                                     \
    "CASE reason WHEN '' THEN 0 ELSE requests END, CASE reason WHEN '' THEN requests ELSE 0 "      \
    "END, " SUM_COLUMNS " FROM usage_hourly "
#define REPORT_DAILY                                                                               \
    "SELECT day, user_id, key_id, team_id, model, provider, refused, requests, " SUM_COLUMNS       \
    " FROM usage_daily "

/* Written and read by position: see usage.c. */
#define USAGE_COLUMNS                                                                              \
    "id, timestamp, user_id, key_id, team_id, route, model, provider, target_model, "              \
    "input_tokens, output_tokens, cached_tokens, cache_write_tokens, reasoning_tokens, "           \
    "audio_tokens, cost_nanousd, price_id, status, outcome, answered, estimated, attempts, "       \
    "cache, "                                                                                      \
    "context, stream, latency_us, first_byte_us, client_request_id, provider_request_id, "         \
    "idempotency_hash, metadata, batch"
#define AUDIT_COLUMNS "number, timestamp, actor, action, subject, details, previous_hash, hash"
/* Read by position: see tokens.c. */
#define TOKEN_COLUMNS                                                                              \
    "SELECT a.id, a.name, a.hash, a.hint, a.role, a.team_id, t.name, a.expires_at, a.revoked_at, " \
    "a.created_at, a.updated_at, a.last_used_at "                                                  \
    "FROM admin_tokens AS a LEFT JOIN teams AS t ON t.id = a.team_id "

static const char *const texts[STATEMENT_COUNT] = {
    [STATEMENT_BEGIN] = "BEGIN IMMEDIATE",
    [STATEMENT_COMMIT] = "COMMIT",
    [STATEMENT_ROLLBACK] = "ROLLBACK",

    [STATEMENT_TEAM_CREATE] =
        "INSERT INTO teams (id, name, disabled, timezone, updated_at, " RULES ", created_at) "
        "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
    [STATEMENT_TEAM_BY_ID] = TEAM_COLUMNS "WHERE id = ?1",
    [STATEMENT_TEAM_BY_NAME] = TEAM_COLUMNS "WHERE name = ?1",
    /* Of updates the last parameter is what the caller saw; 0: whatever it is. */
    [STATEMENT_TEAM_UPDATE] =
        "UPDATE teams SET (name, disabled, timezone, updated_at, " RULES ") = "
        "(?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) WHERE id = ?1 AND ?12 IN (0, updated_at)",
    [STATEMENT_TEAM_LEAVE] = "UPDATE users SET team_id = NULL, "
                             "updated_at = max(?2, updated_at + 1) WHERE team_id = ?1",
    [STATEMENT_TEAM_DELETE] = "DELETE FROM teams WHERE id = ?1",
    [STATEMENT_TEAMS_LIST] = TEAM_COLUMNS "WHERE id > ?1 ORDER BY id LIMIT ?2",

    [STATEMENT_USER_CREATE] =
        "INSERT INTO users (id, name, disabled, team_id, updated_at, " RULES ", created_at) "
        "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
    [STATEMENT_USER_BY_ID] = USER_COLUMNS "WHERE u.id = ?1",
    [STATEMENT_USER_BY_NAME] = USER_COLUMNS "WHERE u.name = ?1",
    [STATEMENT_USER_UPDATE] =
        "UPDATE users SET (name, disabled, team_id, updated_at, " RULES ") = "
        "(?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) WHERE id = ?1 AND ?12 IN (0, updated_at)",
    [STATEMENT_USER_KEY_COUNT] = "SELECT count(*) FROM api_keys WHERE user_id = ?1",
    [STATEMENT_USER_DELETE] = "DELETE FROM users WHERE id = ?1",
    [STATEMENT_USERS_LIST] = USER_COLUMNS "WHERE u.id > ?1 ORDER BY u.id LIMIT ?2",
    [STATEMENT_USERS_LIST_OF_TEAM] =
        USER_COLUMNS "WHERE u.id > ?1 AND u.team_id = ?3 ORDER BY u.id LIMIT ?2",

    [STATEMENT_KEY_CREATE] =
        "INSERT INTO api_keys (id, name, hash, hint, disabled, expires_at, revoked_at, updated_at, "
        "former_hash, former_until, " RULES ", user_id, created_at, last_used_at) "
        "SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, "
        "?17, ?18, ?19 WHERE NOT EXISTS (SELECT 1 FROM api_keys WHERE former_hash = ?3)",
    [STATEMENT_KEY_BY_ID] = KEY_COLUMNS "WHERE k.id = ?1",
    [STATEMENT_KEY_BY_NAME] =
        KEY_COLUMNS "WHERE k.name = ?1 ORDER BY k.revoked_at IS NOT NULL, k.id LIMIT 2",
    [STATEMENT_KEY_BY_NAME_OF_TEAM] = KEY_COLUMNS "WHERE k.name = ?1 AND u.team_id = ?2 "
                                                  "ORDER BY k.revoked_at IS NOT NULL, k.id LIMIT 2",
    [STATEMENT_KEY_BY_HASH] = KEY_COLUMNS "WHERE k.hash = ?1 OR k.former_hash = ?1",
    [STATEMENT_KEY_UPDATE] =
        "UPDATE api_keys SET (name, hash, hint, disabled, expires_at, revoked_at, updated_at, "
        "former_hash, former_until, " RULES ") = "
        "(?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16) "
        "WHERE id = ?1 AND ?17 IN (0, updated_at)",
    [STATEMENT_KEYS_LIST] = KEY_COLUMNS "WHERE k.id > ?1 ORDER BY k.id LIMIT ?2",
    [STATEMENT_KEYS_LIST_OF_TEAM] =
        KEY_COLUMNS "WHERE k.id > ?1 AND u.team_id = ?3 ORDER BY k.id LIMIT ?2",
    [STATEMENT_KEYS_LIST_OF_USER] =
        KEY_COLUMNS "WHERE k.id > ?1 AND k.user_id = ?3 ORDER BY k.id LIMIT ?2",
    /* The columns of KEY_COLUMNS without the join, which costs five times the rest. */
    [STATEMENT_KEYS_LOAD] =
        "SELECT id, user_id, NULL, 0, NULL, 0, name, hash, hint, disabled, expires_at, revoked_at, "
        "created_at, updated_at, last_used_at, former_hash, former_until, " RULES " FROM api_keys",
    [STATEMENT_OWNERS_LOAD] = "SELECT id, name, disabled, team_id FROM users ORDER BY id",
    [STATEMENT_SUM_HOURLY] =
        "INSERT INTO usage_hourly (hour, user_id, key_id, team_id, model, provider, reason, "
        "requests, " SUM_COLUMNS ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, "
        "?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20) "
        "ON CONFLICT" ADD_ALL,
    [STATEMENT_SUM_DAILY] =
        "INSERT INTO usage_daily (day, user_id, key_id, team_id, model, provider, refused, "
        "requests, " SUM_COLUMNS ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, "
        "?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20) "
        "ON CONFLICT" ADD_ALL ", " ADD(refused),
    [STATEMENT_SUM_HOURLY_ALL] =
        "INSERT INTO usage_hourly_all (hour, model, provider, refused, requests, " SUM_COLUMNS
        ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17) "
        "ON CONFLICT" ADD_ALL ", " ADD(refused),
    [STATEMENT_CHANGE_HOURLY] =
        "UPDATE usage_hourly" MOVE_ALL " WHERE hour = ?1 AND user_id = ?2 AND key_id = ?3 "
        "AND team_id = ?4 AND model = ?5 AND provider = ?6 AND reason = ''",
    [STATEMENT_CHANGE_DAILY] =
        "UPDATE usage_daily" MOVE_ALL " WHERE day = ?1 AND user_id = ?2 AND key_id = ?3 "
        "AND team_id = ?4 AND model = ?5 AND provider = ?6",
    [STATEMENT_CHANGE_HOURLY_ALL] =
        "UPDATE usage_hourly_all" MOVE_ALL " WHERE hour = ?1 AND model = ?5 AND provider = ?6",
    [STATEMENT_SUMS_EXTENT] = "SELECT (SELECT min(hour) FROM usage_hourly_all), "
                              "(SELECT max(hour) FROM usage_hourly_all)",
    [STATEMENT_REPORT_ALL] =
        "SELECT hour, NULL, NULL, NULL, model, provider, refused, requests, " SUM_COLUMNS
        " FROM usage_hourly_all WHERE hour >= ?1 AND hour < ?2",
    [STATEMENT_REPORT_HOURLY] = REPORT_HOURLY "WHERE hour >= ?1 AND hour < ?2",
    [STATEMENT_REPORT_HOURLY_OF_USER] = REPORT_HOURLY "WHERE hour = ?1 AND user_id = ?2",
    [STATEMENT_REPORT_DAILY] = REPORT_DAILY "WHERE day >= ?1 AND day < ?2",
    [STATEMENT_REPORT_DAILY_OF_USER] = REPORT_DAILY "WHERE day = ?1 AND user_id = ?2",

    /* The first columns are those of the reports. */
    [STATEMENT_SPEND_ROWS] =
        "SELECT timestamp, user_id, key_id, team_id, model, provider, cost_nanousd FROM usage_logs "
        "WHERE timestamp >= ?1 AND timestamp < ?2 AND cost_nanousd > 0",

    [STATEMENT_USAGE_INSERT] =
        "INSERT INTO usage_logs (" USAGE_COLUMNS ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, "
        "?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26, "
        "?27, ?28, ?29, ?30, ?31, ?32) ON CONFLICT (id) DO NOTHING",
    [STATEMENT_ATTEMPT_INSERT] = "INSERT INTO usage_attempts (request_id, number, timestamp, "
                                 "provider, target_model, status, "
                                 "outcome, latency_us) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) "
                                 "ON CONFLICT (request_id, number) DO NOTHING",
    [STATEMENT_OPEN_INSERT] = "INSERT INTO usage_open (id, generation, worker, record) "
                              "VALUES (?1, ?2, ?3, ?4) ON CONFLICT (id) DO NOTHING",
    [STATEMENT_OPEN_DELETE] = "DELETE FROM usage_open WHERE id = ?1",
    [STATEMENT_OPENS_LIST] =
        "SELECT id, generation, worker, record FROM usage_open WHERE generation = ?1 ORDER BY id",
    [STATEMENT_USAGE_OF_BATCH] =
        "SELECT " USAGE_COLUMNS " FROM usage_logs WHERE batch = ?1 ORDER BY id",
    [STATEMENT_USAGE_BATCHES] =
        "SELECT min(batch), max(batch) FROM usage_logs WHERE timestamp BETWEEN ?1 AND ?2",
    [STATEMENT_USAGE_NEXT_BATCH] = "SELECT min(batch) FROM usage_logs WHERE batch > ?1",
    [STATEMENT_USAGE_PIECE] =
        "SELECT " USAGE_COLUMNS " FROM usage_logs WHERE batch = ?1 AND id > ?2 "
        "AND timestamp BETWEEN ?3 AND ?4 ORDER BY id LIMIT ?5",
    [STATEMENT_USAGE_PRICED] = "SELECT timestamp, user_id, key_id, team_id, model, provider, "
                               "answered, cost_nanousd FROM usage_logs WHERE id = ?1",
    [STATEMENT_USAGE_SET_COST] =
        "UPDATE usage_logs SET cost_nanousd = ?2, price_id = ?3 WHERE id = ?1",

    [STATEMENT_POSITION_SET] =
        "INSERT INTO journal_positions (generation, worker, segment, \"offset\", sequence) "
        "VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO UPDATE SET segment = excluded.segment, "
        "\"offset\" = excluded.\"offset\", sequence = excluded.sequence",
    [STATEMENT_POSITION_FIND] = "SELECT segment, \"offset\", sequence FROM journal_positions "
                                "WHERE generation = ?1 AND worker = ?2",
    [STATEMENT_POSITIONS_DELETE] = "DELETE FROM journal_positions WHERE generation = ?1",
    [STATEMENT_BATCH_NEXT] =
        "UPDATE usage_batches SET newest = 1 + max(newest, "
        "ifnull((SELECT max(batch) FROM usage_logs), 0)) WHERE only_row = 1 RETURNING newest",
    [STATEMENT_BATCH_OLDEST] = "SELECT min(batch) FROM usage_logs",
    [STATEMENT_BATCH_IS_OLD] =
        "SELECT count(*), max(timestamp) < ?2 FROM usage_logs WHERE batch = ?1",
    [STATEMENT_RETENTION_ATTEMPTS] = "DELETE FROM usage_attempts WHERE request_id IN "
                                     "(SELECT id FROM usage_logs WHERE batch = ?1 "
                                     "ORDER BY id LIMIT ?2)",
    [STATEMENT_RETENTION_ROWS] = "DELETE FROM usage_logs WHERE rowid IN "
                                 "(SELECT rowid FROM usage_logs WHERE batch = ?1 "
                                 "ORDER BY id LIMIT ?2)",

    [STATEMENT_PRICE_SET] =
        "INSERT INTO prices (provider, model, valid_from, definition, created_at) "
        "VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO UPDATE SET "
        "definition = excluded.definition, created_at = excluded.created_at",
    [STATEMENT_PRICE_DELETE] =
        "DELETE FROM prices WHERE provider = ?1 AND model = ?2 AND valid_from = ?3",
    [STATEMENT_PRICES_LIST] = "SELECT provider, model, valid_from, definition, created_at "
                              "FROM prices ORDER BY provider, model, valid_from",

    [STATEMENT_AUDIT_INSERT] = "INSERT INTO audit_log (" AUDIT_COLUMNS ") "
                               "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    [STATEMENT_AUDIT_LAST] = "SELECT " AUDIT_COLUMNS " FROM audit_log ORDER BY number DESC LIMIT 1",
    [STATEMENT_AUDIT_LIST] =
        "SELECT " AUDIT_COLUMNS " FROM audit_log WHERE number >= ?1 ORDER BY number",
    [STATEMENT_AUDIT_DELETE_BEFORE] = "DELETE FROM audit_log WHERE number < ?1",

    [STATEMENT_AUDIT_PAGE] =
        "SELECT " AUDIT_COLUMNS " FROM audit_log WHERE number < ?1 AND number >= ?2 "
        "AND timestamp >= ?3 AND timestamp < ?4 AND (?5 IS NULL OR actor = ?5) "
        "AND (?6 IS NULL OR action = ?6) ORDER BY number DESC LIMIT ?7",

    [STATEMENT_TOKEN_CREATE] =
        "INSERT INTO admin_tokens (id, name, hash, hint, role, team_id, expires_at, revoked_at, "
        "created_at, updated_at, last_used_at) "
        "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
    [STATEMENT_TOKEN_BY_ID] = TOKEN_COLUMNS "WHERE a.id = ?1",
    [STATEMENT_TOKEN_BY_NAME] =
        TOKEN_COLUMNS "WHERE a.name = ?1 ORDER BY a.revoked_at IS NOT NULL, a.id LIMIT 2",
    [STATEMENT_TOKEN_UPDATE] =
        "UPDATE admin_tokens SET revoked_at = ?2, updated_at = ?3 WHERE id = ?1",
    [STATEMENT_TOKEN_DELETE] = "DELETE FROM admin_tokens WHERE id = ?1",
    [STATEMENT_TOKENS_LIST] = TOKEN_COLUMNS "WHERE a.id > ?1 ORDER BY a.id LIMIT ?2",
    [STATEMENT_TOKENS_LOAD] = TOKEN_COLUMNS "WHERE a.revoked_at IS NULL",
    [STATEMENT_TOKEN_USED] = "UPDATE admin_tokens SET last_used_at = ?2 "
                             "WHERE id = ?1 AND (last_used_at IS NULL OR last_used_at < ?2)",
    [STATEMENT_SECRET_PUT] =
        "INSERT INTO secrets (" SECRET_COLUMNS ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) "
        "ON CONFLICT (id) DO UPDATE SET master_id = excluded.master_id, nonce = excluded.nonce, "
        "sealed = excluded.sealed, hint = excluded.hint, updated_at = excluded.updated_at",
    [STATEMENT_SECRET_FIND] = "SELECT " SECRET_COLUMNS " FROM secrets WHERE provider = ?1",
    [STATEMENT_SECRET_DELETE] = "DELETE FROM secrets WHERE provider = ?1",
    [STATEMENT_SECRETS_LIST] = "SELECT " SECRET_COLUMNS " FROM secrets ORDER BY provider",
    DEFINITION_STATEMENTS(STATEMENT_PROVIDER, "providers"),
    DEFINITION_STATEMENTS(STATEMENT_MODEL, "models"),

    [STATEMENT_KEY_USED] = "UPDATE api_keys SET last_used_at = ?2 "
                           "WHERE id = ?1 AND (last_used_at IS NULL OR last_used_at < ?2)",
};

const char *statement_sql(enum statement statement)
{
    return texts[statement];
}
