#include "store/sqlite/statements.h"

/* Columns are read by position: see user_read() and key_read(). */
#define USER_COLUMNS "SELECT id, name, disabled, created_at, updated_at FROM users "
#define KEY_COLUMNS                                                                                \
    "SELECT k.id, k.user_id, u.name, u.disabled, k.name, k.hash, k.hint, k.models, k.disabled, "   \
    "k.expires_at, k.revoked_at, k.created_at, k.last_used_at "                                    \
    "FROM api_keys AS k JOIN users AS u ON u.id = k.user_id "

static const char *const texts[STATEMENT_COUNT] = {
    [STATEMENT_BEGIN] = "BEGIN IMMEDIATE",
    [STATEMENT_COMMIT] = "COMMIT",
    [STATEMENT_ROLLBACK] = "ROLLBACK",

    [STATEMENT_USER_CREATE] = "INSERT INTO users (id, name, disabled, created_at, updated_at) "
                              "VALUES (?1, ?2, ?3, ?4, ?5)",
    [STATEMENT_USER_BY_ID] = USER_COLUMNS "WHERE id = ?1",
    [STATEMENT_USER_BY_NAME] = USER_COLUMNS "WHERE name = ?1",
    [STATEMENT_USER_UPDATE] = "UPDATE users SET disabled = ?2, updated_at = ?3 WHERE id = ?1",
    [STATEMENT_USER_KEY_COUNT] = "SELECT count(*) FROM api_keys WHERE user_id = ?1",
    [STATEMENT_USER_DELETE] = "DELETE FROM users WHERE id = ?1",
    [STATEMENT_USERS_LIST] = USER_COLUMNS "WHERE id > ?1 ORDER BY id LIMIT ?2",

    [STATEMENT_KEY_CREATE] =
        "INSERT INTO api_keys (id, user_id, name, hash, hint, models, disabled, "
        "expires_at, revoked_at, created_at, last_used_at) "
        "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
    [STATEMENT_KEY_BY_ID] = KEY_COLUMNS "WHERE k.id = ?1",
    [STATEMENT_KEY_BY_NAME] =
        KEY_COLUMNS "WHERE k.name = ?1 ORDER BY k.revoked_at IS NOT NULL, k.id LIMIT 2",
    [STATEMENT_KEY_BY_HASH] = KEY_COLUMNS "WHERE k.hash = ?1",
    [STATEMENT_KEY_UPDATE] = "UPDATE api_keys SET name = ?2, models = ?3, disabled = ?4, "
                             "expires_at = ?5, revoked_at = ?6 WHERE id = ?1",
    [STATEMENT_KEYS_LIST] = KEY_COLUMNS "WHERE k.id > ?1 ORDER BY k.id LIMIT ?2",
    [STATEMENT_KEYS_LIST_OF_USER] =
        KEY_COLUMNS "WHERE k.id > ?1 AND k.user_id = ?3 ORDER BY k.id LIMIT ?2",
    /* The columns of KEY_COLUMNS without the join, which costs five times the rest. */
    [STATEMENT_KEYS_LOAD] =
        "SELECT id, user_id, NULL, 0, name, hash, hint, models, disabled, expires_at, revoked_at, "
        "created_at, last_used_at FROM api_keys",
    [STATEMENT_OWNERS_LOAD] = "SELECT id, name, disabled FROM users ORDER BY id",
    [STATEMENT_KEY_USED] = "UPDATE api_keys SET last_used_at = ?2 "
                           "WHERE id = ?1 AND (last_used_at IS NULL OR last_used_at < ?2)",
};

const char *statement_sql(enum statement statement)
{
    return texts[statement];
}
