#include "identity/key_hasher.h"

#include "base/alloc.h"
#include "base/mac.h"

_Static_assert(PEPPER_SIZE == MAC_SIZE && KEY_HASH_SIZE == MAC_SIZE, "hashes are plain MACs");

struct key_hasher {
    struct mac mac;
};

enum status key_hasher_create(const unsigned char pepper[PEPPER_SIZE],
                              struct key_hasher **hasher_out)
{
    struct key_hasher *hasher = alloc_zeroed(1, sizeof(*hasher));
    if (hasher == NULL)
        return STATUS_NO_MEMORY;
    mac_init(&hasher->mac, pepper);
    *hasher_out = hasher;
    return STATUS_OK;
}

void key_hasher_destroy(struct key_hasher **hasher)
{
    if (*hasher != NULL)
        mac_fini(&(*hasher)->mac);
    alloc_free(*hasher);
    *hasher = NULL;
}

enum status key_hasher_hash(struct key_hasher *hasher, struct slice key_text,
                            unsigned char hash_out[KEY_HASH_SIZE])
{
    mac_of(&hasher->mac, key_text, hash_out);
    return STATUS_OK;
}
