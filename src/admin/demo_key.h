/* The key that `weir serve` prints: user "demo", key "demo", secret in DATA_DIR/secrets/demo.key.
 *
 * Thread: the store's. */
#ifndef ADMIN_DEMO_KEY_H
#define ADMIN_DEMO_KEY_H

#include "admin/context.h"
#include "base/buffer.h"

/* Appends the secret, which is made once and kept: if the database is gone, the same secret is
 * entered again. STATUS_DENIED: the key was revoked or has expired, it or its user is
 * disabled, or the file's permissions are wrong. STATUS_INVALID: the file holds no key. Else the store's statuses. */
MUST_CHECK enum status admin_demo_key(struct admin_context *context, struct buffer *secret,
                                      struct reason *reason);

#endif
