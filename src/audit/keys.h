/* The keys of the audit chain: all of them come from the 32 random bytes in DATA_DIR/secrets/audit.key
 * (64 hexadecimal digits), by HMAC-SHA-256 over a label each.
 *
 * The Ed25519 key (RFC 8032) signs checkpoints; its public half stands in secrets/audit.pub, so that
 * an exported chain can be checked by somebody who has no secret.
 * Thread: loading blocks on the disk; afterwards the keys do not change and any thread may use them. */
#ifndef AUDIT_KEYS_H
#define AUDIT_KEYS_H

#include <stdbool.h>

#include "base/mac.h"
#include "base/reason.h"
#include "base/slice.h"
#include "base/status.h"

#define AUDIT_SIGNATURE_SIZE  64
#define AUDIT_PUBLIC_KEY_SIZE 32

struct audit_keys {
    struct mac entries; /* the chain */
    struct mac rows;    /* the tags that tell which row of a batch changed */
    struct mac head;    /* the file beside the database */
    unsigned char public_key[AUDIT_PUBLIC_KEY_SIZE];
    struct evp_pkey_st *signing;
};

/* `create` makes a missing key and a missing public key.
 * STATUS_NOT_FOUND: there is no key, or only its public half. STATUS_INVALID: a file is not 64 hexadecimal digits, or the
 * public key is another key's. STATUS_DENIED: permissions too wide or too narrow. STATUS_NO_MEMORY,
 * STATUS_IO. */
MUST_CHECK enum status audit_keys_load(const char *data_dir, bool create,
                                       struct audit_keys *keys_out, struct reason *reason);
/* From the secret itself. STATUS_NO_MEMORY. */
MUST_CHECK enum status audit_keys_init(const unsigned char secret[MAC_SIZE],
                                       struct audit_keys *keys_out, struct reason *reason);
void audit_keys_fini(struct audit_keys *keys);

/* STATUS_NO_MEMORY: the library failed, which it does only for want of memory. */
MUST_CHECK enum status audit_sign(const struct audit_keys *keys, struct slice bytes,
                                  unsigned char signature_out[AUDIT_SIGNATURE_SIZE],
                                  struct reason *reason);
/* STATUS_INVALID: the signature is not that of the bytes. STATUS_NO_MEMORY. */
MUST_CHECK enum status audit_check_signature(const unsigned char public_key[AUDIT_PUBLIC_KEY_SIZE],
                                             struct slice bytes,
                                             const unsigned char signature[AUDIT_SIGNATURE_SIZE],
                                             struct reason *reason);

#endif
