#include "base/mac.h"

#include <stddef.h>

#include <openssl/crypto.h>

#include "base/assert.h"

#define BLOCK_BYTES 64
#define INNER_PAD   0x36
#define OUTER_PAD   0x5c

static void start(SHA256_CTX *state, const unsigned char key[MAC_SIZE], unsigned char pad)
{
    unsigned char block[BLOCK_BYTES];
    for (size_t i = 0; i < sizeof(block); i++)
        block[i] = (unsigned char)(i < MAC_SIZE ? key[i] ^ pad : pad);
    SHA256_Init(state);
    SHA256_Update(state, block, sizeof(block));
    OPENSSL_cleanse(block, sizeof(block));
}

void mac_init(struct mac *mac, const unsigned char key[MAC_SIZE])
{
    start(&mac->inner, key, INNER_PAD);
    start(&mac->outer, key, OUTER_PAD);
}

void mac_fini(struct mac *mac)
{
    OPENSSL_cleanse(mac, sizeof(*mac));
}

/* These functions work in the caller's state alone and cannot fail. */
static void finish(SHA256_CTX state, struct slice bytes, unsigned char hash_out[MAC_SIZE])
{
    ASSERT(SHA256_Update(&state, bytes.data, bytes.size) == 1);
    ASSERT(SHA256_Final(hash_out, &state) == 1);
}

void mac_of(const struct mac *mac, struct slice bytes, unsigned char mac_out[MAC_SIZE])
{
    unsigned char digest[MAC_SIZE];
    finish(mac->inner, bytes, digest);
    finish(mac->outer, slice_of(digest, sizeof(digest)), mac_out);
}

void sha256_of(struct slice bytes, unsigned char hash_out[MAC_SIZE])
{
    SHA256_CTX state;
    SHA256_Init(&state);
    finish(state, bytes, hash_out);
}
