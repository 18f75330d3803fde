#include "store/sqlite/migrations.h"

/* 00000000-0000-7000-8000-000000000000, or NULL. */
#define UUID(column)                                                                               \
    "CASE WHEN " column " IS NOT NULL THEN lower("                                                 \
    "substr(hex(" column "), 1, 8) || '-' || substr(hex(" column "), 9, 4) || '-' || "             \
    "substr(hex(" column "), 13, 4) || '-' || substr(hex(" column "), 17, 4) || '-' || "           \
    "substr(hex(" column "), 21)) END"

/* The counts that the three tables of sums share. */
#define COUNTS                                                                                     \
    "  answered INTEGER NOT NULL CHECK (answered >= 0),"                                           \
    "  estimated INTEGER NOT NULL,"                                                                \
    "  unpriced INTEGER NOT NULL,"                                                                 \
    "  answered_tokens INTEGER NOT NULL,"                                                          \
    "  cost_nanousd INTEGER NOT NULL CHECK (cost_nanousd >= 0),"                                   \
    "  answered_cost_nanousd INTEGER NOT NULL,"                                                    \
    "  input_tokens INTEGER NOT NULL CHECK (input_tokens >= 0),"                                   \
    "  output_tokens INTEGER NOT NULL CHECK (output_tokens >= 0),"                                 \
    "  cached_tokens INTEGER NOT NULL,"                                                            \
    "  cache_write_tokens INTEGER NOT NULL,"                                                       \
    "  reasoning_tokens INTEGER NOT NULL,"                                                         \
    "  audio_tokens INTEGER NOT NULL,"

/* A key of a sum cannot be NULL: what is not known, or not there, is empty. */
#define OWNERS                                                                                     \
    "  user_id BLOB NOT NULL CHECK (length(user_id) IN (0, 16)),"                                  \
    "  key_id BLOB NOT NULL CHECK (length(key_id) IN (0, 16)),"                                    \
    "  team_id BLOB NOT NULL CHECK (length(team_id) IN (0, 16)),"                                  \
    "  model TEXT NOT NULL,"                                                                       \
    "  provider TEXT NOT NULL,"

/* usage_logs is a table with rowids: rows are appended, and each costs one entry in each of three
 * indexes, which grow at their end because ids, times and batches do. That of the times also says
 * the batch, so that the batches of a time are found without reading a row. */
const char *const migrations_ledger_tables[] = {
    "CREATE TABLE usage_logs ("
    "  id BLOB NOT NULL CHECK (length(id) = 16),"
    "  timestamp INTEGER NOT NULL CHECK (timestamp >= 0),"
    "  user_id BLOB CHECK (length(user_id) = 16),"
    "  key_id BLOB CHECK (length(key_id) = 16),"
    "  team_id BLOB CHECK (length(team_id) = 16),"
    "  route TEXT,"
    "  model TEXT,"
    "  provider TEXT,"
    "  target_model TEXT,"
    "  input_tokens INTEGER CHECK (input_tokens >= 0),"
    "  output_tokens INTEGER CHECK (output_tokens >= 0),"
    "  cached_tokens INTEGER CHECK (cached_tokens >= 0),"
    "  cache_write_tokens INTEGER CHECK (cache_write_tokens >= 0),"
    "  reasoning_tokens INTEGER CHECK (reasoning_tokens >= 0),"
    "  audio_tokens INTEGER CHECK (audio_tokens >= 0),"
    "  cost_nanousd INTEGER CHECK (cost_nanousd >= 0),"
    "  price_id TEXT,"
    "  status INTEGER CHECK (status > 0),"
    "  outcome TEXT,"
    "  answered INTEGER NOT NULL CHECK (answered IN (0, 1)),"
    "  estimated INTEGER NOT NULL CHECK (estimated IN (0, 1)),"
    "  attempts INTEGER NOT NULL CHECK (attempts >= 0),"
    "  cache TEXT,"
    "  context TEXT,"
    "  stream INTEGER NOT NULL CHECK (stream IN (0, 1)),"
    "  latency_us INTEGER CHECK (latency_us >= 0),"
    "  first_byte_us INTEGER CHECK (first_byte_us >= 0),"
    "  client_request_id TEXT,"
    "  provider_request_id TEXT,"
    "  idempotency_hash BLOB CHECK (length(idempotency_hash) = 32),"
    "  metadata TEXT,"
    "  batch INTEGER NOT NULL CHECK (batch > 0)"
    ") STRICT;",
    "CREATE UNIQUE INDEX usage_logs_id ON usage_logs (id);",
    "CREATE INDEX usage_logs_timestamp ON usage_logs (timestamp, batch);",
    "CREATE INDEX usage_logs_batch ON usage_logs (batch, id);",

    "CREATE TABLE usage_attempts ("
    "  request_id BLOB NOT NULL CHECK (length(request_id) = 16),"
    "  number INTEGER NOT NULL CHECK (number > 0),"
    "  timestamp INTEGER NOT NULL,"
    "  provider TEXT,"
    "  target_model TEXT,"
    "  status INTEGER CHECK (status > 0),"
    "  outcome TEXT,"
    "  latency_us INTEGER CHECK (latency_us >= 0),"
    "  PRIMARY KEY (request_id, number)"
    ") STRICT, WITHOUT ROWID;",

    "CREATE TABLE usage_open ("
    "  id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),"
    "  generation INTEGER NOT NULL,"
    "  worker INTEGER NOT NULL,"
    "  record BLOB NOT NULL"
    ") STRICT, WITHOUT ROWID;",

    /* The time comes first in the keys of sums, so that what is written now lies together. */
    "CREATE TABLE usage_hourly ("
    "  hour INTEGER NOT NULL CHECK (hour % 3600000000 = 0)," OWNERS "  reason TEXT NOT NULL,"
    "  requests INTEGER NOT NULL CHECK (requests >= 0)," COUNTS
    "  PRIMARY KEY (hour, user_id, key_id, team_id, model, provider, reason)"
    ") STRICT, WITHOUT ROWID;",
    "CREATE TABLE usage_daily ("
    "  day INTEGER NOT NULL CHECK (day % 86400000000 = 0)," OWNERS
    "  refused INTEGER NOT NULL CHECK (refused >= 0),"
    "  requests INTEGER NOT NULL CHECK (requests >= 0)," COUNTS
    "  PRIMARY KEY (day, user_id, key_id, team_id, model, provider)"
    ") STRICT, WITHOUT ROWID;",
    "CREATE TABLE usage_hourly_all ("
    "  hour INTEGER NOT NULL CHECK (hour % 3600000000 = 0),"
    "  model TEXT NOT NULL,"
    "  provider TEXT NOT NULL,"
    "  refused INTEGER NOT NULL CHECK (refused >= 0),"
    "  requests INTEGER NOT NULL CHECK (requests >= 0)," COUNTS
    "  PRIMARY KEY (hour, model, provider)"
    ") STRICT, WITHOUT ROWID;",

    /* 64-bit numbers without a sign, kept as SQLite's signed ones of the same bits. */
    "CREATE TABLE journal_positions ("
    "  generation INTEGER NOT NULL,"
    "  worker INTEGER NOT NULL,"
    "  segment INTEGER NOT NULL,"
    "  \"offset\" INTEGER NOT NULL,"
    "  sequence INTEGER NOT NULL,"
    "  PRIMARY KEY (generation, worker)"
    ") STRICT, WITHOUT ROWID;",
    "CREATE TABLE usage_batches ("
    "  only_row INTEGER NOT NULL PRIMARY KEY CHECK (only_row = 1),"
    "  newest INTEGER NOT NULL CHECK (newest >= 0)"
    ") STRICT;",
    "INSERT INTO usage_batches VALUES (1, 0);",

    "CREATE TABLE prices ("
    "  provider TEXT NOT NULL,"
    "  model TEXT NOT NULL,"
    "  valid_from INTEGER NOT NULL CHECK (valid_from >= 0),"
    "  definition TEXT NOT NULL,"
    "  created_at INTEGER NOT NULL,"
    "  PRIMARY KEY (provider, model, valid_from)"
    ") STRICT, WITHOUT ROWID;",

    "CREATE TABLE audit_log ("
    "  number INTEGER NOT NULL PRIMARY KEY CHECK (number > 0),"
    "  timestamp INTEGER NOT NULL,"
    "  actor TEXT,"
    "  action TEXT,"
    "  subject TEXT,"
    "  details TEXT,"
    "  previous_hash BLOB NOT NULL CHECK (length(previous_hash) = 32),"
    "  hash BLOB NOT NULL CHECK (length(hash) = 32)"
    ") STRICT;",

    "CREATE VIEW usage AS SELECT "
    "  " UUID(
        "l.id") " AS id,"
                "  strftime('%Y-%m-%dT%H:%M:%S', l.timestamp / 1000000, 'unixepoch') ||"
                "    printf('.%06dZ', l.timestamp % 1000000) AS time,"
                "  CASE WHEN l.cost_nanousd IS NOT NULL THEN"
                "    printf('%d.%09d', l.cost_nanousd / 1000000000, l.cost_nanousd % 1000000000) "
                "END AS cost,"
                "  u.name AS user,"
                "  k.name AS key,"
                "  " UUID(
                    "l.user_id") " AS user_id,"
                                 "  " UUID(
                                     "l.key_id") " AS key_id,"
                                                 "  " UUID(
                                                     "l.team_id") " AS team_id,"
                                                                  "  l.route, l.model, l.provider, "
                                                                  "l.target_model, l.input_tokens, "
                                                                  "l.output_tokens,"
                                                                  "  l.cached_tokens, "
                                                                  "l.cache_write_tokens, "
                                                                  "l.reasoning_tokens, "
                                                                  "l.audio_tokens, l.price_id,"
                                                                  "  l.status, l.outcome, "
                                                                  "l.answered, l.estimated, "
                                                                  "l.attempts, l.cache, l.context, "
                                                                  "l.stream,"
                                                                  "  l.latency_us, "
                                                                  "l.first_byte_us, "
                                                                  "l.client_request_id, "
                                                                  "l.provider_request_id, "
                                                                  "l.metadata,"
                                                                  "  l.batch, l.timestamp, "
                                                                  "l.cost_nanousd "
                                                                  "FROM usage_logs AS l"
                                                                  "  LEFT JOIN users AS u ON u.id "
                                                                  "= l.user_id"
                                                                  "  LEFT JOIN api_keys AS k ON "
                                                                  "k.id = l.key_id;",
    NULL,
};
