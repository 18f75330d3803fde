/* Teams, what each level may do and how much, the admin API's tokens, and what the API adds to the
 * configuration. Lists (models, routes, networks, tags, limits) are texts joined by commas; NULL stands
 * for "all", and for no tags and no limits. */
#include <stddef.h>

#include "store/sqlite/migrations.h"

const char *const migrations_governance_tables[] = {
    "CREATE TABLE teams ("
    "  id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),"
    "  name TEXT NOT NULL UNIQUE CHECK (name <> ''),"
    "  disabled INTEGER NOT NULL DEFAULT 0 CHECK (disabled IN (0, 1)),"
    "  timezone TEXT CHECK (timezone <> ''),"
    "  models TEXT CHECK (models <> ''),"
    "  routes TEXT CHECK (routes <> ''),"
    "  networks TEXT CHECK (networks <> ''),"
    "  tags TEXT CHECK (tags <> ''),"
    "  limits TEXT CHECK (limits <> ''),"
    "  warn_only INTEGER NOT NULL DEFAULT 0 CHECK (warn_only IN (0, 1)),"
    "  created_at INTEGER NOT NULL,"
    "  updated_at INTEGER NOT NULL"
    ") STRICT, WITHOUT ROWID;",

    "ALTER TABLE users ADD COLUMN team_id BLOB REFERENCES teams (id) ON DELETE SET NULL;"
    "ALTER TABLE users ADD COLUMN models TEXT CHECK (models <> '');"
    "ALTER TABLE users ADD COLUMN routes TEXT CHECK (routes <> '');"
    "ALTER TABLE users ADD COLUMN networks TEXT CHECK (networks <> '');"
    "ALTER TABLE users ADD COLUMN tags TEXT CHECK (tags <> '');"
    "ALTER TABLE users ADD COLUMN limits TEXT CHECK (limits <> '');"
    "ALTER TABLE users ADD COLUMN warn_only INTEGER NOT NULL DEFAULT 0 CHECK (warn_only IN (0, 1));"
    "CREATE INDEX users_team ON users (team_id) WHERE team_id IS NOT NULL;",

    /* A key that was rotated has its former secret beside it until that ends. */
    "ALTER TABLE api_keys ADD COLUMN routes TEXT CHECK (routes <> '');"
    "ALTER TABLE api_keys ADD COLUMN networks TEXT CHECK (networks <> '');"
    "ALTER TABLE api_keys ADD COLUMN tags TEXT CHECK (tags <> '');"
    "ALTER TABLE api_keys ADD COLUMN limits TEXT CHECK (limits <> '');"
    "ALTER TABLE api_keys ADD COLUMN warn_only INTEGER NOT NULL DEFAULT 0 CHECK (warn_only IN (0, "
    "1));"
    "ALTER TABLE api_keys ADD COLUMN updated_at INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE api_keys ADD COLUMN former_hash BLOB CHECK (length(former_hash) = 32);"
    "ALTER TABLE api_keys ADD COLUMN former_until INTEGER;"
    "UPDATE api_keys SET updated_at = created_at;"
    "CREATE UNIQUE INDEX api_keys_former ON api_keys (former_hash) WHERE former_hash IS NOT NULL;",

    "CREATE TABLE admin_tokens ("
    "  id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),"
    "  name TEXT NOT NULL CHECK (name <> ''),"
    "  hash BLOB NOT NULL UNIQUE CHECK (length(hash) = 32),"
    "  hint TEXT NOT NULL,"
    "  role TEXT NOT NULL CHECK (role IN ('admin', 'operator', 'viewer', 'team_admin')),"
    "  team_id BLOB REFERENCES teams (id) ON DELETE CASCADE,"
    "  expires_at INTEGER,"
    "  revoked_at INTEGER,"
    "  created_at INTEGER NOT NULL,"
    "  updated_at INTEGER NOT NULL,"
    "  last_used_at INTEGER,"
    "  CHECK ((role = 'team_admin') = (team_id IS NOT NULL))"
    ") STRICT, WITHOUT ROWID;"
    /* A revoked token gives its name free. */
    "CREATE UNIQUE INDEX admin_tokens_name ON admin_tokens (name) WHERE revoked_at IS NULL;",

    /* Credentials of providers, sealed under the master key `master_id` and bound to id and name. */
    "CREATE TABLE secrets ("
    "  id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),"
    "  provider TEXT NOT NULL UNIQUE CHECK (provider <> ''),"
    "  master_id BLOB NOT NULL CHECK (length(master_id) = 8),"
    "  nonce BLOB NOT NULL CHECK (length(nonce) = 24),"
    "  sealed BLOB NOT NULL,"
    "  hint TEXT NOT NULL,"
    "  created_at INTEGER NOT NULL,"
    "  updated_at INTEGER NOT NULL"
    ") STRICT, WITHOUT ROWID;",

    /* Entries of `providers:` and `models:` as JSON, read as the configuration file's are. */
    "CREATE TABLE providers ("
    "  id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),"
    "  name TEXT NOT NULL UNIQUE CHECK (name <> ''),"
    "  definition TEXT NOT NULL,"
    "  created_at INTEGER NOT NULL,"
    "  updated_at INTEGER NOT NULL"
    ") STRICT, WITHOUT ROWID;"
    "CREATE TABLE models ("
    "  id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),"
    "  name TEXT NOT NULL UNIQUE CHECK (name <> ''),"
    "  definition TEXT NOT NULL,"
    "  created_at INTEGER NOT NULL,"
    "  updated_at INTEGER NOT NULL"
    ") STRICT, WITHOUT ROWID;",
    NULL,
};
