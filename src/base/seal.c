#include "base/seal.h"

#include <sodium.h>

#include "base/assert.h"
#include "base/encoding.h"
#include "base/mac.h"
#include "base/random.h"

/* Nothing else is hashed under a key that seals. */
#define KEY_ID_TEXT SLICE("weir: which key is this")

_Static_assert(SEAL_KEY_SIZE == crypto_aead_xchacha20poly1305_ietf_KEYBYTES, "key");
_Static_assert(SEAL_NONCE_SIZE == crypto_aead_xchacha20poly1305_ietf_NPUBBYTES, "nonce");
_Static_assert(SEAL_TAG_SIZE == crypto_aead_xchacha20poly1305_ietf_ABYTES, "tag");

static const unsigned char *bytes_of(struct slice slice)
{
    return (const unsigned char *)slice.data;
}

/* May be called any number of times, on any thread. */
static void start_library(void)
{
    const int started = sodium_init();
    ASSERT(started >= 0);
}

enum status seal_make(const unsigned char key[SEAL_KEY_SIZE], struct slice associated,
                      struct slice plain, unsigned char nonce_out[SEAL_NONCE_SIZE],
                      struct buffer *sealed)
{
    unsigned long long size = 0;
    const enum status status = buffer_reserve(sealed, plain.size + SEAL_TAG_SIZE);
    if (status != STATUS_OK)
        return status;
    start_library();
    random_bytes(nonce_out, SEAL_NONCE_SIZE);
    const int failed = crypto_aead_xchacha20poly1305_ietf_encrypt(
        (unsigned char *)sealed->data + sealed->size, &size, bytes_of(plain), plain.size,
        bytes_of(associated), associated.size, NULL, nonce_out, key);
    ASSERT(failed == 0 && size == plain.size + SEAL_TAG_SIZE);
    sealed->size += (size_t)size;
    return STATUS_OK;
}

enum status seal_open(const unsigned char key[SEAL_KEY_SIZE],
                      const unsigned char nonce[SEAL_NONCE_SIZE], struct slice associated,
                      struct slice sealed, struct buffer *plain)
{
    unsigned long long size = 0;
    if (sealed.size < SEAL_TAG_SIZE)
        return STATUS_INVALID;
    const enum status status = buffer_reserve(plain, sealed.size);
    if (status != STATUS_OK)
        return status;
    start_library();
    if (crypto_aead_xchacha20poly1305_ietf_decrypt(
            (unsigned char *)plain->data + plain->size, &size, NULL, bytes_of(sealed), sealed.size,
            bytes_of(associated), associated.size, nonce, key) != 0)
        return STATUS_INVALID;
    plain->size += (size_t)size;
    return STATUS_OK;
}

void seal_key_id(const unsigned char key[SEAL_KEY_SIZE], unsigned char id_out[SEAL_KEY_ID_SIZE])
{
    struct mac mac;
    unsigned char hash[MAC_SIZE];
    mac_init(&mac, key);
    mac_of(&mac, KEY_ID_TEXT, hash);
    memcpy(id_out, hash, SEAL_KEY_ID_SIZE);
    mac_fini(&mac);
    explicit_bzero(hash, sizeof(hash));
}

static enum status read_base64(struct slice text, unsigned char key_out[SEAL_KEY_SIZE])
{
    struct buffer bytes;
    buffer_init(&bytes, SEAL_KEY_TEXT_SIZE);
    enum status status = buffer_reserve(&bytes, SEAL_KEY_TEXT_SIZE); /* so that it is never moved */
    if (status == STATUS_OK)
        status = base64_decode(text, &bytes);
    if (status == STATUS_OK && bytes.size != SEAL_KEY_SIZE)
        status = STATUS_INVALID;
    if (status == STATUS_OK)
        memcpy(key_out, bytes.data, SEAL_KEY_SIZE);
    seal_wipe(&bytes);
    return status == STATUS_NO_MEMORY ? status : status == STATUS_OK ? STATUS_OK : STATUS_INVALID;
}

static struct slice without_end(struct slice text)
{
    while (text.size > 0 && strchr(" \t\r\n", text.data[text.size - 1]) != NULL)
        text.size--;
    return text;
}

enum status seal_key_read(struct slice text, unsigned char key_out[SEAL_KEY_SIZE])
{
    const struct slice shown = without_end(text);
    if (text.size == SEAL_KEY_SIZE) {
        memcpy(key_out, text.data, SEAL_KEY_SIZE);
        return STATUS_OK;
    }
    if (shown.size == SEAL_KEY_TEXT_SIZE)
        return hex_decode(shown, key_out, SEAL_KEY_SIZE);
    return read_base64(shown, key_out);
}

void seal_wipe(struct buffer *plain)
{
    if (plain->capacity > 0)
        explicit_bzero(plain->data, plain->capacity);
    buffer_fini(plain);
}
