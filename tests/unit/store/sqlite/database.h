/* A database in a folder of its own, for the tests of the driver. */
#ifndef TESTS_UNIT_STORE_SQLITE_DATABASE_H
#define TESTS_UNIT_STORE_SQLITE_DATABASE_H

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/assert.h"
#include "store/store.h"

static char database_folder[] = "/tmp/weir-store-XXXXXX";

static inline const char *database_path(void)
{
    static _Thread_local char path[64];
    (void)snprintf(path, sizeof(path), "%s/weir.db", database_folder);
    return path;
}

static inline struct store_config database_config(void)
{
    return (struct store_config){.path = database_path(), .create = true, .now_us = 42};
}

static inline int database_make_folder(void **state)
{
    (void)state;
    memcpy(database_folder + sizeof(database_folder) - 7, "XXXXXX", 6);
    return mkdtemp(database_folder) != NULL ? 0 : -1;
}

static inline int database_remove_folder(void **state)
{
    (void)state;
    static const char *const suffixes[] = {"", "-wal", "-shm", "-journal"};
    char path[128];
    for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
        (void)snprintf(path, sizeof(path), "%s%s", database_path(), suffixes[i]);
        unlink(path);
    }
    return rmdir(database_folder);
}

static inline struct store *database_open(void)
{
    const struct store_config config = database_config();
    struct store *store = NULL;
    struct reason reason = {""};
    const enum status status = store_open(&config, &store, &reason);
    if (status != STATUS_OK)
        (void)fprintf(stderr, "%s\n", reason.text);
    ASSERT(status == STATUS_OK);
    return store;
}

/* Does something to the file behind the store's back. */
static inline void database_execute(const char *sql)
{
    sqlite3 *database = NULL;
    ASSERT(sqlite3_open(database_path(), &database) == SQLITE_OK);
    ASSERT(sqlite3_exec(database, sql, NULL, NULL, NULL) == SQLITE_OK);
    ASSERT(sqlite3_close(database) == SQLITE_OK);
}

static inline struct id database_id(unsigned number)
{
    struct id id = {{1}};
    id.bytes[14] = (unsigned char)(number >> 8);
    id.bytes[15] = (unsigned char)number;
    return id;
}

static inline struct store_user database_user(unsigned number, const char *name)
{
    return (struct store_user){
        .id = database_id(number),
        .name = slice_from_text(name),
        .created_at_us = 1000,
        .updated_at_us = 2000,
    };
}

static inline struct store_key database_key(unsigned number, unsigned user_number, const char *name)
{
    struct store_key key = {
        .id = database_id(number),
        .user_id = database_id(user_number),
        .name = name != NULL ? slice_from_text(name) : slice_of(NULL, 0),
        .hint = SLICE("abcd"),
        .created_at_us = 3000,
    };
    key.hash[0] = (unsigned char)(number >> 8);
    key.hash[1] = (unsigned char)number;
    return key;
}

static inline void database_add_user(struct store *store, unsigned number, const char *name)
{
    const struct store_user user = database_user(number, name);
    ASSERT(store_user_create(store, &user, NULL) == STATUS_OK);
}

static inline void database_add_key(struct store *store, unsigned number, unsigned user_number,
                                    const char *name)
{
    const struct store_key key = database_key(number, user_number, name);
    ASSERT(store_key_create(store, &key, NULL) == STATUS_OK);
}

#endif
