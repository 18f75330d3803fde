/* The database behind weir: what it must keep, without a word of how.
 *
 * Thread: one at a time; every call may block, so no event loop calls it.
 * Memory: what a call reads, it copies into the caller's arena; a visitor's slices hold until the
 * visitor returns.
 * Errors: every call may return, beside what it lists: STATUS_IO (the disk is full or broken, the
 * database is damaged), STATUS_DENIED (it may only be read), STATUS_TIMED_OUT (another process
 * kept it locked), STATUS_NO_MEMORY. The reason says which, and what to do. A change that failed
 * changed nothing. */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/id.h"
#include "base/reason.h"
#include "base/slice.h"
#include "base/status.h"

#define STORE_HASH_SIZE 32

struct store; /* opaque; its driver defines the rest */

struct store_config {
    const char *path;         /* of the SQLite file */
    bool create;              /* makes the file if there is none */
    bool read_only;           /* nothing is changed, the tables are not brought up to date either */
    unsigned busy_timeout_ms; /* how long to wait for another process that holds the lock */
    uint64_t now_us;          /* recorded beside migrations */
};

/* What a level (a key, a user or a team) may do, and how much: texts joined by commas. data is NULL:
 * all; of tags and limits: none. */
struct store_rules {
    struct slice models;
    struct slice routes;
    struct slice networks;
    struct slice tags;
    struct slice limits; /* budgets too */
    bool warn_only;
};

/* Times are microseconds since 1970, UTC; 0 stands for "never". */
struct store_team {
    struct id id;
    struct slice name; /* unique; not empty */
    bool disabled;
    struct slice timezone; /* of its calendar; data is NULL: UTC */
    struct store_rules rules;
    uint64_t created_at_us;
    uint64_t updated_at_us;
};

/* Who may own keys. */
struct store_user {
    struct id id;
    struct slice name; /* unique; not empty */
    bool disabled;
    struct id team_id;      /* zero: of no team */
    struct slice team_name; /* filled by reads, ignored by writes; data is NULL: of no team */
    struct store_rules rules;
    uint64_t created_at_us;
    uint64_t updated_at_us;
};

struct store_key {
    struct id id;
    struct id user_id;
    struct slice user_name; /* filled by reads, ignored by writes */
    bool user_disabled;     /* the same */
    struct id team_id;      /* the same; zero: the user is of no team */
    bool team_disabled;     /* the same, but not by store_keys_load() */
    struct slice name;      /* empty: none; unique among the user's keys that are not revoked */
    unsigned char hash[STORE_HASH_SIZE]; /* HMAC-SHA-256 of the secret; unique */
    struct slice hint; /* the last characters of the secret, to tell keys apart by eye */
    struct store_rules rules;
    bool disabled;
    uint64_t expires_at_us;
    uint64_t revoked_at_us;
    uint64_t created_at_us;
    uint64_t updated_at_us;
    uint64_t last_used_at_us;
    /* Of a key that was rotated: the hash of its former secret, which works until then. It stays
     * here after that, so that the secret cannot be entered anew. 0: it was never rotated. */
    uint64_t former_until_us;
    unsigned char former_hash[STORE_HASH_SIZE];
};

/* When a key was last used. */
struct store_use {
    struct id key_id;
    uint64_t used_at_us;
};

/* One page of a list that is ordered by id, which is the order of creation. */
struct store_page {
    struct id after; /* zero: from the start */
    uint32_t limit;  /* at most so many, > 0 */
};

/* Called for each row; a status other than STATUS_OK ends the reading and is its status. */
typedef enum status store_team_visitor(void *context, const struct store_team *team);
typedef enum status store_user_visitor(void *context, const struct store_user *user);
typedef enum status store_key_visitor(void *context, const struct store_key *key);

/* Opens the database and brings its tables up to date, each step in a transaction of its own.
 * STATUS_NOT_FOUND: no such file, and `create` is false. STATUS_UNSUPPORTED: a newer weir wrote
 * it, or (where it is only read) an older one. STATUS_INVALID: the file is no database of weir's. */
MUST_CHECK enum status store_open(const struct store_config *config, struct store **store_out,
                                  struct reason *reason);
/* Closes *store, if any, and sets it to NULL. */
void store_close(struct store **store);

/* Each update below writes all but the id, the owner and created_at_us of what has that id.
 * `seen_us` is the updated_at_us that its caller saw, or 0: whatever it is; STATUS_AGAIN: it was
 * changed since. */

/* STATUS_EXISTS: the name or the id is taken. */
MUST_CHECK enum status store_team_create(struct store *store, const struct store_team *team,
                                         struct reason *reason);
/* Finds by id or by name. STATUS_NOT_FOUND. */
MUST_CHECK enum status store_team_find(struct store *store, struct slice id_or_name,
                                       struct arena *arena, struct store_team *team_out,
                                       struct reason *reason);
/* STATUS_NOT_FOUND. STATUS_EXISTS: the name is taken. STATUS_AGAIN. */
MUST_CHECK enum status store_team_update(struct store *store, const struct store_team *team,
                                         uint64_t seen_us, struct reason *reason);
/* Deletes the team; its users stay, changed at `now_us`, and *users_out (may be NULL) says how many.
 * Admin tokens of the team go with it. STATUS_NOT_FOUND. */
MUST_CHECK enum status store_team_delete(struct store *store, const struct id *team_id,
                                         uint64_t now_us, uint64_t *users_out,
                                         struct reason *reason);
/* For filling the map too, as store_users_list(): the limit may be all there are. */
MUST_CHECK enum status store_teams_list(struct store *store, const struct store_page *page,
                                        store_team_visitor *visit, void *context,
                                        struct reason *reason);

/* STATUS_EXISTS: the name or the id is taken. STATUS_NOT_FOUND: no such team. */
MUST_CHECK enum status store_user_create(struct store *store, const struct store_user *user,
                                         struct reason *reason);
/* Finds by id or by name. STATUS_NOT_FOUND. */
MUST_CHECK enum status store_user_find(struct store *store, struct slice id_or_name,
                                       struct arena *arena, struct store_user *user_out,
                                       struct reason *reason);
/* STATUS_NOT_FOUND: no such user, or team. STATUS_EXISTS: the name is taken. STATUS_AGAIN. */
MUST_CHECK enum status store_user_update(struct store *store, const struct store_user *user,
                                         uint64_t seen_us, struct reason *reason);
/* Deletes the user and all its keys; *keys_out (may be NULL) says how many. STATUS_NOT_FOUND. */
MUST_CHECK enum status store_user_delete(struct store *store, const struct id *user_id,
                                         uint64_t *keys_out, struct reason *reason);
/* Users of one team, or of all and none if `team_id` is NULL. */
MUST_CHECK enum status store_users_list(struct store *store, const struct id *team_id,
                                        const struct store_page *page, store_user_visitor *visit,
                                        void *context, struct reason *reason);

/* STATUS_EXISTS: the user has a key of that name, or the hash or the id is taken; a former hash is too.
 * STATUS_NOT_FOUND: no such user. */
MUST_CHECK enum status store_key_create(struct store *store, const struct store_key *key,
                                        struct reason *reason);
/* Finds by id or by name; among names a key that is not revoked comes first. STATUS_NOT_FOUND.
 * STATUS_EXISTS: several keys have that name, so only an id can tell them apart. */
MUST_CHECK enum status store_key_find(struct store *store, struct slice id_or_name,
                                      struct arena *arena, struct store_key *key_out,
                                      struct reason *reason);
/* The same among the keys of one team's users, by name alone. */
MUST_CHECK enum status store_key_find_of_team(struct store *store, const struct id *team_id,
                                              struct slice name, struct arena *arena,
                                              struct store_key *key_out, struct reason *reason);
/* Of the secret, or of the former one, however long ago that ended. STATUS_NOT_FOUND. */
MUST_CHECK enum status store_key_find_hash(struct store *store,
                                           const unsigned char hash[STORE_HASH_SIZE],
                                           struct arena *arena, struct store_key *key_out,
                                           struct reason *reason);
/* Writes last_used_at_us neither. STATUS_NOT_FOUND. STATUS_EXISTS: the user has a key of that name, or
 * the hash is taken. STATUS_AGAIN. */
MUST_CHECK enum status store_key_update(struct store *store, const struct store_key *key,
                                        uint64_t seen_us, struct reason *reason);
/* Keys of one user, or of all users if `user_id` is NULL. */
MUST_CHECK enum status store_keys_list(struct store *store, const struct id *user_id,
                                       const struct store_page *page, store_key_visitor *visit,
                                       void *context, struct reason *reason);
/* Keys of the users of one team. */
MUST_CHECK enum status store_keys_list_of_team(struct store *store, const struct id *team_id,
                                               const struct store_page *page,
                                               store_key_visitor *visit, void *context,
                                               struct reason *reason);
/* Every key there is, as fast as the database gives them, for filling the map at start. */
MUST_CHECK enum status store_keys_load(struct store *store, store_key_visitor *visit, void *context,
                                       struct reason *reason);
/* Moves the times of last use forward, all in one transaction; unknown keys are passed over. */
MUST_CHECK enum status store_keys_used(struct store *store, const struct store_use *uses,
                                       size_t count, struct reason *reason);

#endif
