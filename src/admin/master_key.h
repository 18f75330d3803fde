/* The key under which credentials of providers are sealed in the store: 32 bytes.
 *
 * It comes from the first of these that there is: the setting `secrets.master_key`, the environment's
 * WEIR_MASTER_KEY, the systemd credential `weir-master-key`, DATA_DIR/secrets/master.key. The last one is
 * made when the first secret is set.
 *
 * A rotation of the last one goes so: (1) the new key is written to secrets/master.key.next, synced;
 * (2) all secrets are sealed anew, in one transaction; (3) master.key.next becomes master.key. Whenever it
 * is cut off, all rows open with one of the two files: up to (2) with master.key, from there on with
 * master.key.next, which master_key_load() sees by the rows' id of their key, and then makes up for (3).
 *
 * Thread: the store's; blocks on the disk. Memory: a key is the caller's, who wipes it. */
#ifndef ADMIN_MASTER_KEY_H
#define ADMIN_MASTER_KEY_H

#include <stdbool.h>

#include "base/reason.h"
#include "base/seal.h"
#include "base/slice.h"
#include "base/status.h"

enum master_key_source {
    MASTER_KEY_CONFIGURATION,
    MASTER_KEY_ENVIRONMENT,
    MASTER_KEY_CREDENTIAL,
    MASTER_KEY_FILE,
};

struct master_key {
    unsigned char bytes[SEAL_KEY_SIZE];
    unsigned char id[SEAL_KEY_ID_SIZE];
    enum master_key_source source;
};

/* Where it is looked for. */
struct master_key_places {
    struct slice configured; /* SEAL_KEY_SIZE bytes; data is NULL: none */
    const char *environment; /* of WEIR_MASTER_KEY; NULL or empty: none */
    const char *credentials; /* systemd's folder of credentials; NULL: none */
    const char *data_dir;
    /* Of the key under which the store's secrets are; NULL: it has none. */
    const unsigned char *used_id;
};

/* The places of this process. */
struct master_key_places master_key_places_of(struct slice configured, const char *data_dir);

/* Finds the key; `create` makes master.key where there is none and nothing is sealed yet.
 * STATUS_NOT_FOUND: there is none. STATUS_INVALID: what is there is no key. Else the statuses of
 * secret_file_read() and secret_file_create(). The reason names the place. It need not be the key that was
 * used: see master_key_check(). */
MUST_CHECK enum status master_key_load(const struct master_key_places *places, bool create,
                                       struct master_key *key_out, struct reason *reason);
/* STATUS_DENIED: `used_id` is another key's, and the reason says whose secret is sealed under it. */
MUST_CHECK enum status master_key_check(const struct master_key *key,
                                        const unsigned char used_id[SEAL_KEY_ID_SIZE],
                                        struct slice provider, struct reason *reason);

/* A new key at random, or the one in `text`, in any form that seal_key_read() takes. STATUS_INVALID. */
void master_key_make(struct master_key *key_out);
MUST_CHECK enum status master_key_read(struct slice text, struct master_key *key_out);
/* Step (1) and step (3) of a rotation. Statuses of secret_file_replace() and secret_file_rename(). */
MUST_CHECK enum status master_key_prepare(const char *data_dir, const struct master_key *key,
                                          struct reason *reason);
MUST_CHECK enum status master_key_finish(const char *data_dir, struct reason *reason);

void master_key_wipe(struct master_key *key);
/* Such as "WEIR_MASTER_KEY"; static. */
const char *master_key_place_name(enum master_key_source source);

#endif
