#include "identity/key_hasher.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>

#include "base/alloc.h"

struct key_hasher {
    EVP_MAC *mac;
    EVP_MAC_CTX *context; /* keyed once; each hash only starts it anew */
};

static enum status set_pepper(struct key_hasher *hasher, const unsigned char pepper[PEPPER_SIZE])
{
    char digest[] = "SHA256";
    const OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end(),
    };
    hasher->mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    if (hasher->mac == NULL)
        return STATUS_NO_MEMORY;
    hasher->context = EVP_MAC_CTX_new(hasher->mac);
    if (hasher->context == NULL)
        return STATUS_NO_MEMORY;
    return EVP_MAC_init(hasher->context, pepper, PEPPER_SIZE, parameters) == 1 ? STATUS_OK
                                                                               : STATUS_NO_MEMORY;
}

enum status key_hasher_create(const unsigned char pepper[PEPPER_SIZE],
                              struct key_hasher **hasher_out)
{
    struct key_hasher *hasher = alloc_zeroed(1, sizeof(*hasher));
    if (hasher == NULL)
        return STATUS_NO_MEMORY;
    if (set_pepper(hasher, pepper) != STATUS_OK) {
        key_hasher_destroy(&hasher);
        return STATUS_NO_MEMORY;
    }
    *hasher_out = hasher;
    return STATUS_OK;
}

void key_hasher_destroy(struct key_hasher **hasher)
{
    if (*hasher == NULL)
        return;
    EVP_MAC_CTX_free((*hasher)->context);
    EVP_MAC_free((*hasher)->mac);
    alloc_free(*hasher);
    *hasher = NULL;
}

enum status key_hasher_hash(struct key_hasher *hasher, struct slice key_text,
                            unsigned char hash_out[KEY_HASH_SIZE])
{
    const unsigned char *text = (const unsigned char *)key_text.data;
    size_t hash_size = 0;
    if (EVP_MAC_init(hasher->context, NULL, 0, NULL) != 1 ||
        EVP_MAC_update(hasher->context, text, key_text.size) != 1 ||
        EVP_MAC_final(hasher->context, hash_out, &hash_size, KEY_HASH_SIZE) != 1)
        return STATUS_NO_MEMORY;
    return STATUS_OK;
}
