/* Credentials of providers, sealed in the store: setting, deleting, opening, and sealing them anew.
 *
 * A secret is bound to its row and its provider, so one that was moved to another does not open. A change
 * is one transaction with its entry in the audit chain, which names the provider and nothing more.
 * Thread: the store's. Memory: plain texts are the caller's, who wipes them. Errors: beside what is
 * stated, the statuses of the store, of master_key_load() and of change_end(). */
#ifndef ADMIN_SECRET_STORE_H
#define ADMIN_SECRET_STORE_H

#include "admin/context.h"
#include "admin/master_key.h"
#include "store/store_overlay.h"

#define SECRET_BYTES_MAX ((size_t)16384)

/* Whether it can be a credential: 1 to SECRET_BYTES_MAX bytes, no control byte, no space at an end.
 * STATUS_INVALID. */
MUST_CHECK enum status secret_check(struct slice value, struct reason *reason);

/* Seals the credential of a provider, in place of one that there is; *secret_out borrows from `arena`.
 * STATUS_DENIED: the store's other secrets are sealed under another master key. */
MUST_CHECK enum status secret_set(struct admin_context *context, struct slice provider,
                                  struct slice value, struct arena *arena,
                                  struct store_secret *secret_out, struct reason *reason);
/* STATUS_NOT_FOUND. */
MUST_CHECK enum status secret_delete(struct admin_context *context, struct slice provider,
                                     struct reason *reason);
/* Appends the plain text. STATUS_DENIED: it is sealed under another key. STATUS_INVALID: its row was
 * changed or moved. */
MUST_CHECK enum status secret_open(const struct master_key *key, const struct store_secret *secret,
                                   struct buffer *plain, struct reason *reason);

/* Loads the key that the store's secrets are, or would be, sealed under; `config` (may be NULL) can name it. STATUS_NOT_FOUND: there is none.
 * STATUS_DENIED: what is in its place is none. */
MUST_CHECK enum status secret_load_key(struct admin_context *context, const struct config *config,
                                       bool create, struct master_key *key_out,
                                       struct reason *reason);

struct secret_rotation {
    size_t count; /* of secrets that were sealed anew */
    struct master_key key;
    bool
        is_saved; /* in DATA_DIR/secrets/master.key; else the operator puts it where the former one was */
};

/* Seals all secrets under another key: `key`, or a new one where it is NULL. STATUS_UNSUPPORTED: the
 * master key is not weir's own file, so the new one must be given. STATUS_DENIED: a secret does not open;
 * then nothing has changed. */
MUST_CHECK enum status secret_rotate(struct admin_context *context, const struct master_key *key,
                                     struct secret_rotation *rotation_out, struct reason *reason);

#endif
