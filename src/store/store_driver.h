/* What a database driver fills in; the contract of each call is that of its namesake in store.h,
 * store_usage.h, store_audit.h, store_tokens.h or store_overlay.h.
 *
 * A driver's own struct begins with a struct store. Included by drivers and store*.c only. */
#ifndef STORE_STORE_DRIVER_H
#define STORE_STORE_DRIVER_H

#include "store/store_audit.h"
#include "store/store_tokens.h"
#include "store/store_overlay.h"
#include "store/store_usage.h"

struct store_driver {
    void (*close)(struct store *store);

    enum status (*team_create)(struct store *store, const struct store_team *team,
                               struct reason *reason);
    enum status (*team_find)(struct store *store, struct slice id_or_name, struct arena *arena,
                             struct store_team *team_out, struct reason *reason);
    enum status (*team_update)(struct store *store, const struct store_team *team, uint64_t seen_us,
                               struct reason *reason);
    enum status (*team_delete)(struct store *store, const struct id *team_id, uint64_t now_us,
                               uint64_t *users_out, struct reason *reason);
    enum status (*teams_list)(struct store *store, const struct store_page *page,
                              store_team_visitor *visit, void *context, struct reason *reason);

    enum status (*user_create)(struct store *store, const struct store_user *user,
                               struct reason *reason);
    enum status (*user_find)(struct store *store, struct slice id_or_name, struct arena *arena,
                             struct store_user *user_out, struct reason *reason);
    enum status (*user_update)(struct store *store, const struct store_user *user, uint64_t seen_us,
                               struct reason *reason);
    enum status (*user_delete)(struct store *store, const struct id *user_id, uint64_t *keys_out,
                               struct reason *reason);
    enum status (*users_list)(struct store *store, const struct id *team_id,
                              const struct store_page *page, store_user_visitor *visit,
                              void *context, struct reason *reason);

    enum status (*key_create)(struct store *store, const struct store_key *key,
                              struct reason *reason);
    enum status (*key_find)(struct store *store, struct slice id_or_name, struct arena *arena,
                            struct store_key *key_out, struct reason *reason);
    enum status (*key_find_of_team)(struct store *store, const struct id *team_id,
                                    struct slice name, struct arena *arena,
                                    struct store_key *key_out, struct reason *reason);
    enum status (*key_find_hash)(struct store *store, const unsigned char hash[STORE_HASH_SIZE],
                                 struct arena *arena, struct store_key *key_out,
                                 struct reason *reason);
    enum status (*key_update)(struct store *store, const struct store_key *key, uint64_t seen_us,
                              struct reason *reason);
    enum status (*keys_list)(struct store *store, const struct id *user_id,
                             const struct store_page *page, store_key_visitor *visit, void *context,
                             struct reason *reason);
    enum status (*keys_list_of_team)(struct store *store, const struct id *team_id,
                                     const struct store_page *page, store_key_visitor *visit,
                                     void *context, struct reason *reason);
    enum status (*keys_load)(struct store *store, store_key_visitor *visit, void *context,
                             struct reason *reason);
    enum status (*keys_used)(struct store *store, const struct store_use *uses, size_t count,
                             struct reason *reason);

    enum status (*begin)(struct store *store, struct reason *reason);
    enum status (*commit)(struct store *store, struct reason *reason);
    void (*rollback)(struct store *store);
    enum status (*sync)(struct store *store, struct reason *reason);
    enum status (*check_file)(struct store *store, struct reason *reason);

    enum status (*usage_insert)(struct store *store, const struct store_usage *usage,
                                bool *inserted_out, struct reason *reason);
    enum status (*attempt_insert)(struct store *store, const struct store_attempt *attempt,
                                  struct reason *reason);
    enum status (*open_insert)(struct store *store, const struct store_open *open,
                               struct reason *reason);
    enum status (*open_delete)(struct store *store, const struct id *id, struct reason *reason);
    enum status (*opens_list)(struct store *store, uint64_t generation, store_open_visitor *visit,
                              void *context, struct reason *reason);
    enum status (*usage_list_batch)(struct store *store, int64_t batch, store_usage_visitor *visit,
                                    void *context, struct reason *reason);
    enum status (*usage_list)(struct store *store, uint64_t since_us, uint64_t until_us,
                              store_usage_visitor *visit, void *context, struct reason *reason);
    enum status (*usage_set_cost)(struct store *store, const struct store_usage *usage,
                                  int64_t cost_nanousd, struct slice price_id,
                                  struct reason *reason);
    enum status (*sum_add)(struct store *store, const struct store_sum *sum, struct reason *reason);
    enum status (*report)(struct store *store, const struct store_report *report,
                          store_report_visitor *visit, void *context, struct reason *reason);

    enum status (*spend_list)(struct store *store, const struct store_spend_query *query,
                              store_spend_visitor *visit, void *context, struct reason *reason);
    enum status (*spend)(struct store *store, const struct store_spend_query *query,
                         struct slice owner, int64_t *nanousd_out, struct reason *reason);

    enum status (*position_set)(struct store *store, const struct store_position *position,
                                struct reason *reason);
    enum status (*position_find)(struct store *store, uint64_t generation, uint32_t worker,
                                 struct store_position *position_out, struct reason *reason);
    enum status (*positions_delete)(struct store *store, uint64_t generation,
                                    struct reason *reason);
    enum status (*batch_next)(struct store *store, int64_t *batch_out, struct reason *reason);
    enum status (*retention_next)(struct store *store, uint64_t before_us, int64_t *batch_out,
                                  uint64_t *rows_out, struct reason *reason);
    enum status (*retention_delete)(struct store *store, int64_t batch, uint64_t rows_max,
                                    uint64_t *deleted_out, struct reason *reason);

    enum status (*price_set)(struct store *store, const struct store_price *price,
                             struct reason *reason);
    enum status (*price_delete)(struct store *store, struct slice provider, struct slice model,
                                uint64_t from_us, struct reason *reason);
    enum status (*prices_list)(struct store *store, store_price_visitor *visit, void *context,
                               struct reason *reason);

    enum status (*audit_insert)(struct store *store, const struct store_audit_entry *entry,
                                struct reason *reason);
    enum status (*audit_last)(struct store *store, struct arena *arena,
                              struct store_audit_entry *entry_out, struct reason *reason);
    enum status (*audit_list)(struct store *store, uint64_t first, store_audit_visitor *visit,
                              void *context, struct reason *reason);
    enum status (*audit_page)(struct store *store, const struct store_audit_page *page,
                              store_audit_visitor *visit, void *context, struct reason *reason);
    enum status (*audit_delete_before)(struct store *store, uint64_t number, uint64_t *deleted_out,
                                       struct reason *reason);

    enum status (*token_create)(struct store *store, const struct store_token *token,
                                struct reason *reason);
    enum status (*token_find)(struct store *store, struct slice id_or_name, struct arena *arena,
                              struct store_token *token_out, struct reason *reason);
    enum status (*token_update)(struct store *store, const struct store_token *token,
                                struct reason *reason);
    enum status (*token_delete)(struct store *store, const struct id *id, struct reason *reason);
    enum status (*tokens_list)(struct store *store, const struct store_page *page,
                               store_token_visitor *visit, void *context, struct reason *reason);
    enum status (*tokens_load)(struct store *store, store_token_visitor *visit, void *context,
                               struct reason *reason);
    enum status (*token_used)(struct store *store, const struct store_use *use,
                              struct reason *reason);
    enum status (*secret_put)(struct store *store, const struct store_secret *secret,
                              struct reason *reason);
    enum status (*secret_find)(struct store *store, struct slice provider, struct arena *arena,
                               struct store_secret *secret_out, struct reason *reason);
    enum status (*secret_delete)(struct store *store, struct slice provider, struct reason *reason);
    enum status (*secrets_list)(struct store *store, store_secret_visitor *visit, void *context,
                                struct reason *reason);
    enum status (*definition_create)(struct store *store, enum store_section section,
                                     const struct store_definition *definition,
                                     struct reason *reason);
    enum status (*definition_update)(struct store *store, enum store_section section,
                                     const struct store_definition *definition,
                                     struct reason *reason);
    enum status (*definition_delete)(struct store *store, enum store_section section,
                                     struct slice name, struct reason *reason);
    enum status (*definition_find)(struct store *store, enum store_section section,
                                   struct slice name, struct arena *arena,
                                   struct store_definition *definition_out, struct reason *reason);
    enum status (*definitions_list)(struct store *store, enum store_section section,
                                    store_definition_visitor *visit, void *context,
                                    struct reason *reason);
};

struct store {
    const struct store_driver *driver;
};

#endif
