/* The operations of the driver on teams, users and keys. See store/store.h for each one's contract. */
#ifndef STORE_SQLITE_OPERATIONS_H
#define STORE_SQLITE_OPERATIONS_H

#include "store/store.h"

enum status sqlite_team_create(struct store *store, const struct store_team *team,
                               struct reason *reason);
enum status sqlite_team_find(struct store *store, struct slice id_or_name, struct arena *arena,
                             struct store_team *team_out, struct reason *reason);
enum status sqlite_team_update(struct store *store, const struct store_team *team, uint64_t seen_us,
                               struct reason *reason);
enum status sqlite_team_delete(struct store *store, const struct id *team_id, uint64_t now_us,
                               uint64_t *users_out, struct reason *reason);
enum status sqlite_teams_list(struct store *store, const struct store_page *page,
                              store_team_visitor *visit, void *context, struct reason *reason);

enum status sqlite_user_create(struct store *store, const struct store_user *user,
                               struct reason *reason);
enum status sqlite_user_find(struct store *store, struct slice id_or_name, struct arena *arena,
                             struct store_user *user_out, struct reason *reason);
enum status sqlite_user_update(struct store *store, const struct store_user *user, uint64_t seen_us,
                               struct reason *reason);
enum status sqlite_user_delete(struct store *store, const struct id *user_id, uint64_t *keys_out,
                               struct reason *reason);
enum status sqlite_users_list(struct store *store, const struct id *team_id,
                              const struct store_page *page, store_user_visitor *visit,
                              void *context, struct reason *reason);

enum status sqlite_key_create(struct store *store, const struct store_key *key,
                              struct reason *reason);
enum status sqlite_key_find(struct store *store, struct slice id_or_name, struct arena *arena,
                            struct store_key *key_out, struct reason *reason);
enum status sqlite_key_find_of_team(struct store *store, const struct id *team_id,
                                    struct slice name, struct arena *arena,
                                    struct store_key *key_out, struct reason *reason);
enum status sqlite_key_find_hash(struct store *store, const unsigned char hash[STORE_HASH_SIZE],
                                 struct arena *arena, struct store_key *key_out,
                                 struct reason *reason);
enum status sqlite_key_update(struct store *store, const struct store_key *key, uint64_t seen_us,
                              struct reason *reason);
enum status sqlite_keys_list(struct store *store, const struct id *user_id,
                             const struct store_page *page, store_key_visitor *visit, void *context,
                             struct reason *reason);
enum status sqlite_keys_list_of_team(struct store *store, const struct id *team_id,
                                     const struct store_page *page, store_key_visitor *visit,
                                     void *context, struct reason *reason);
enum status sqlite_keys_load(struct store *store, store_key_visitor *visit, void *context,
                             struct reason *reason);
enum status sqlite_keys_used(struct store *store, const struct store_use *uses, size_t count,
                             struct reason *reason);

#endif
