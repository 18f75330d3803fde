/* The digest's own functions, which OpenSSL 3 keeps for compatibility: HMAC over them with the two
 * keyed states kept takes a third of what a kept EVP_MAC_CTX takes. */
#define OPENSSL_API_COMPAT 0x10100000L

#include "identity/key_hasher.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>

#include "base/alloc.h"

#define BLOCK_BYTES 64 /* of SHA-256 (FIPS 180-4) */
#define INNER_PAD   0x36
#define OUTER_PAD   0x5c

_Static_assert(PEPPER_SIZE <= BLOCK_BYTES, "a longer key would have to be hashed first");

/* HMAC (RFC 2104) is H(key ^ outer pad, H(key ^ inner pad, text)): the states after the first block
 * of each. */
struct key_hasher {
    SHA256_CTX inner, outer;
};

static void start(SHA256_CTX *state, const unsigned char pepper[PEPPER_SIZE], unsigned char pad)
{
    unsigned char block[BLOCK_BYTES];
    for (size_t i = 0; i < sizeof(block); i++)
        block[i] = (unsigned char)(i < PEPPER_SIZE ? pepper[i] ^ pad : pad);
    SHA256_Init(state);
    SHA256_Update(state, block, sizeof(block));
    OPENSSL_cleanse(block, sizeof(block));
}

enum status key_hasher_create(const unsigned char pepper[PEPPER_SIZE],
                              struct key_hasher **hasher_out)
{
    struct key_hasher *hasher = alloc_zeroed(1, sizeof(*hasher));
    if (hasher == NULL)
        return STATUS_NO_MEMORY;
    start(&hasher->inner, pepper, INNER_PAD);
    start(&hasher->outer, pepper, OUTER_PAD);
    *hasher_out = hasher;
    return STATUS_OK;
}

void key_hasher_destroy(struct key_hasher **hasher)
{
    if (*hasher != NULL)
        OPENSSL_cleanse(*hasher, sizeof(**hasher));
    alloc_free(*hasher);
    *hasher = NULL;
}

enum status key_hasher_hash(struct key_hasher *hasher, struct slice key_text,
                            unsigned char hash_out[KEY_HASH_SIZE])
{
    SHA256_CTX state = hasher->inner;
    unsigned char digest[SHA256_DIGEST_LENGTH];
    if (SHA256_Update(&state, key_text.data, key_text.size) != 1 ||
        SHA256_Final(digest, &state) != 1)
        return STATUS_NO_MEMORY;
    state = hasher->outer;
    if (SHA256_Update(&state, digest, sizeof(digest)) != 1 || SHA256_Final(hash_out, &state) != 1)
        return STATUS_NO_MEMORY;
    return STATUS_OK;
}
