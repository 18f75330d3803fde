/* HMAC-SHA-256 of keys under the pepper: what the store and the map know keys by.
 *
 * A stolen database alone verifies no guess, since the pepper lies in a file beside it.
 * Thread: one hasher per thread. Memory: hashing allocates nothing of ours. */
#ifndef IDENTITY_KEY_HASHER_H
#define IDENTITY_KEY_HASHER_H

#include "base/slice.h"
#include "base/status.h"

#define KEY_HASH_SIZE 32
#define PEPPER_SIZE   32

struct key_hasher;

/* STATUS_NO_MEMORY. The pepper is copied. */
MUST_CHECK enum status key_hasher_create(const unsigned char pepper[PEPPER_SIZE],
                                         struct key_hasher **hasher_out);
/* Frees *hasher, if any, and sets it to NULL. */
void key_hasher_destroy(struct key_hasher **hasher);

/* Always STATUS_OK: the digest needs no memory. */
MUST_CHECK enum status key_hasher_hash(struct key_hasher *hasher, struct slice key_text,
                                       unsigned char hash_out[KEY_HASH_SIZE]);

#endif
