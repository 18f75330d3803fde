/* What a database driver fills in; the contract of each call is that of its namesake in store.h.
 *
 * A driver's own struct begins with a struct store. Included by drivers and store.c only. */
#ifndef STORE_STORE_DRIVER_H
#define STORE_STORE_DRIVER_H

#include "store/store.h"

struct store_driver {
    void (*close)(struct store *store);

    enum status (*user_create)(struct store *store, const struct store_user *user,
                               struct reason *reason);
    enum status (*user_find)(struct store *store, struct slice id_or_name, struct arena *arena,
                             struct store_user *user_out, struct reason *reason);
    enum status (*user_update)(struct store *store, const struct store_user *user,
                               struct reason *reason);
    enum status (*user_delete)(struct store *store, const struct id *user_id, uint64_t *keys_out,
                               struct reason *reason);
    enum status (*users_list)(struct store *store, const struct store_page *page,
                              store_user_visitor *visit, void *context, struct reason *reason);

    enum status (*key_create)(struct store *store, const struct store_key *key,
                              struct reason *reason);
    enum status (*key_find)(struct store *store, struct slice id_or_name, struct arena *arena,
                            struct store_key *key_out, struct reason *reason);
    enum status (*key_find_hash)(struct store *store, const unsigned char hash[STORE_HASH_SIZE],
                                 struct arena *arena, struct store_key *key_out,
                                 struct reason *reason);
    enum status (*key_update)(struct store *store, const struct store_key *key,
                              struct reason *reason);
    enum status (*keys_list)(struct store *store, const struct id *user_id,
                             const struct store_page *page, store_key_visitor *visit, void *context,
                             struct reason *reason);
    enum status (*keys_load)(struct store *store, store_key_visitor *visit, void *context,
                             struct reason *reason);
    enum status (*keys_used)(struct store *store, const struct store_use *uses, size_t count,
                             struct reason *reason);
};

struct store {
    const struct store_driver *driver;
};

#endif
