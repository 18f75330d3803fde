#include "store/sqlite/sqlite_store.h"

#include "store/sqlite/connection.h"
#include "store/sqlite/ledger_operations.h"
#include "store/sqlite/migrations.h"
#include "store/sqlite/operations.h"
#include "store/sqlite/token_operations.h"
#include "store/sqlite/overlay.h"

static void sqlite_close(struct store *store)
{
    struct connection *connection = connection_of(store);
    connection_close(&connection);
}

static const struct store_driver driver = {
    .close = sqlite_close,
    .team_create = sqlite_team_create,
    .team_find = sqlite_team_find,
    .team_update = sqlite_team_update,
    .team_delete = sqlite_team_delete,
    .teams_list = sqlite_teams_list,
    .user_create = sqlite_user_create,
    .user_find = sqlite_user_find,
    .user_update = sqlite_user_update,
    .user_delete = sqlite_user_delete,
    .users_list = sqlite_users_list,
    .key_create = sqlite_key_create,
    .key_find = sqlite_key_find,
    .key_find_of_team = sqlite_key_find_of_team,
    .key_find_hash = sqlite_key_find_hash,
    .key_update = sqlite_key_update,
    .keys_list = sqlite_keys_list,
    .keys_list_of_team = sqlite_keys_list_of_team,
    .keys_load = sqlite_keys_load,
    .keys_used = sqlite_keys_used,

    .begin = sqlite_begin,
    .commit = sqlite_commit,
    .rollback = sqlite_rollback,
    .sync = sqlite_sync,
    .check_file = sqlite_check_file,
    .usage_insert = sqlite_usage_insert,
    .attempt_insert = sqlite_attempt_insert,
    .open_insert = sqlite_open_insert,
    .open_delete = sqlite_open_delete,
    .opens_list = sqlite_opens_list,
    .usage_list_batch = sqlite_usage_list_batch,
    .usage_list = sqlite_usage_list,
    .usage_set_cost = sqlite_usage_set_cost,
    .sum_add = sqlite_sum_add,
    .report = sqlite_report,
    .spend_list = sqlite_spend_list,
    .spend = sqlite_spend,
    .position_set = sqlite_position_set,
    .position_find = sqlite_position_find,
    .positions_delete = sqlite_positions_delete,
    .batch_next = sqlite_batch_next,
    .retention_next = sqlite_retention_next,
    .retention_delete = sqlite_retention_delete,
    .price_set = sqlite_price_set,
    .price_delete = sqlite_price_delete,
    .prices_list = sqlite_prices_list,
    .audit_insert = sqlite_audit_insert,
    .audit_last = sqlite_audit_last,
    .audit_list = sqlite_audit_list,
    .audit_page = sqlite_audit_page,
    .audit_delete_before = sqlite_audit_delete_before,

    .token_create = sqlite_token_create,
    .token_find = sqlite_token_find,
    .token_update = sqlite_token_update,
    .token_delete = sqlite_token_delete,
    .tokens_list = sqlite_tokens_list,
    .tokens_load = sqlite_tokens_load,
    .token_used = sqlite_token_used,
    .secret_put = sqlite_secret_put,
    .secret_find = sqlite_secret_find,
    .secret_delete = sqlite_secret_delete,
    .secrets_list = sqlite_secrets_list,
    .definition_create = sqlite_definition_create,
    .definition_update = sqlite_definition_update,
    .definition_delete = sqlite_definition_delete,
    .definition_find = sqlite_definition_find,
    .definitions_list = sqlite_definitions_list,
};

static enum status check_version(const struct store_config *config, uint64_t version,
                                 struct reason *reason)
{
    if (version == migrations_newest())
        return STATUS_OK;
    reason_set(reason, "%s is of an older weir; `weir serve` brings it up to date", config->path);
    return STATUS_UNSUPPORTED;
}

enum status sqlite_store_open(const struct store_config *config, struct store **store_out,
                              struct reason *reason)
{
    struct connection *connection = NULL;
    enum status status = connection_open(config, &connection, reason);
    if (status != STATUS_OK)
        return status;
    /* A file that is not weir's, or newer, is refused before anything in it changes. */
    uint64_t version = 0;
    status = migrations_version(connection, &version, reason);
    if (status == STATUS_OK)
        status = connection_configure(connection, reason);
    if (status == STATUS_OK && !config->read_only)
        status = migrations_run(connection, config->now_us, reason);
    if (status == STATUS_OK && config->read_only)
        status = check_version(config, version, reason);
    if (status != STATUS_OK) {
        connection_close(&connection);
        return status;
    }
    file_note(connection);
    connection->store.driver = &driver;
    *store_out = &connection->store;
    return STATUS_OK;
}
