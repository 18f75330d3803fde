#include "audit/keys.h"

#include <string.h>

#include <openssl/evp.h>

#include "base/encoding.h"
#include "base/random.h"
#include "io/secret_file.h"

#define KEY_FILE    "audit.key"
#define PUBLIC_FILE "audit.pub"
#define TEXT_SIZE   (2 * (size_t)MAC_SIZE)

static enum status no_memory(struct reason *reason)
{
    reason_set(reason, "out of memory while preparing the audit keys");
    return STATUS_NO_MEMORY;
}

static enum status make_signing_key(const unsigned char seed[MAC_SIZE], struct audit_keys *keys,
                                    struct reason *reason)
{
    size_t size = AUDIT_PUBLIC_KEY_SIZE;
    keys->signing = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, MAC_SIZE);
    if (keys->signing == NULL ||
        EVP_PKEY_get_raw_public_key(keys->signing, keys->public_key, &size) != 1) {
        audit_keys_fini(keys);
        return no_memory(reason);
    }
    return STATUS_OK;
}

enum status audit_keys_init(const unsigned char secret[MAC_SIZE], struct audit_keys *keys_out,
                            struct reason *reason)
{
    struct mac root;
    unsigned char derived[MAC_SIZE];
    *keys_out = (struct audit_keys){0};
    mac_init(&root, secret);
    mac_of(&root, SLICE("weir audit entries 1"), derived);
    mac_init(&keys_out->entries, derived);
    mac_of(&root, SLICE("weir audit rows 1"), derived);
    mac_init(&keys_out->rows, derived);
    mac_of(&root, SLICE("weir audit head 1"), derived);
    mac_init(&keys_out->head, derived);
    mac_of(&root, SLICE("weir audit signing 1"), derived);
    const enum status status = make_signing_key(derived, keys_out, reason);
    explicit_bzero(derived, sizeof(derived));
    mac_fini(&root);
    return status;
}

void audit_keys_fini(struct audit_keys *keys)
{
    EVP_PKEY_free(keys->signing);
    explicit_bzero(keys, sizeof(*keys));
}

/* Reads a file of 64 hexadecimal digits. */
static enum status read_hex(const char *data_dir, const char *name,
                            unsigned char bytes_out[MAC_SIZE], struct reason *reason)
{
    struct buffer text;
    buffer_init(&text, 4 * TEXT_SIZE);
    enum status status = secret_file_read(data_dir, name, &text, reason);
    if (status == STATUS_OK) {
        status = hex_decode(buffer_slice(&text), bytes_out, MAC_SIZE);
        if (status != STATUS_OK)
            reason_set(reason,
                       "%s/secrets/%s is not %zu hexadecimal digits; restore it from a backup",
                       data_dir, name, TEXT_SIZE);
    }
    if (text.size > 0)
        explicit_bzero(text.data, text.size);
    buffer_fini(&text);
    return status;
}

static enum status write_hex(const char *data_dir, const char *name,
                             const unsigned char bytes[MAC_SIZE], struct reason *reason)
{
    char text[TEXT_SIZE];
    hex_encode(bytes, MAC_SIZE, text);
    const enum status status =
        secret_file_create(data_dir, name, slice_of(text, sizeof(text)), reason);
    explicit_bzero(text, sizeof(text));
    return status;
}

/* A public key without its secret says that the secret was lost, not that it never was: a new one
 * would make the whole chain look forged. */
static enum status create_secret(const char *data_dir, unsigned char secret_out[MAC_SIZE],
                                 struct reason *reason)
{
    const enum status status = read_hex(data_dir, PUBLIC_FILE, secret_out, reason);
    if (status == STATUS_NOT_FOUND) {
        random_bytes(secret_out, MAC_SIZE);
        return write_hex(data_dir, KEY_FILE, secret_out, reason);
    }
    if (status == STATUS_OK)
        reason_set(reason,
                   "%s/secrets/" KEY_FILE " is missing, but " PUBLIC_FILE
                   " is there; restore " KEY_FILE " from a backup",
                   data_dir);
    return status == STATUS_OK ? STATUS_NOT_FOUND : status;
}

static enum status load_secret(const char *data_dir, bool create,
                               unsigned char secret_out[MAC_SIZE], struct reason *reason)
{
    const enum status status = read_hex(data_dir, KEY_FILE, secret_out, reason);
    if (status != STATUS_NOT_FOUND)
        return status;
    if (create)
        return create_secret(data_dir, secret_out, reason);
    reason_set(reason,
               "%s/secrets/" KEY_FILE
               " is missing, without which the audit chain can neither go on "
               "nor be verified; restore it from a backup",
               data_dir);
    return status;
}

/* A public key that is not that of the secret would make everybody else's check fail. */
static enum status check_public_key(const char *data_dir, bool create,
                                    const struct audit_keys *keys, struct reason *reason)
{
    unsigned char written[MAC_SIZE];
    struct reason missing;
    const enum status status = read_hex(data_dir, PUBLIC_FILE, written, &missing);
    if (status == STATUS_NOT_FOUND)
        return create ? write_hex(data_dir, PUBLIC_FILE, keys->public_key, reason) : STATUS_OK;
    if (status != STATUS_OK) {
        reason_set(reason, "%s", missing.text);
        return status;
    }
    if (memcmp(written, keys->public_key, sizeof(written)) == 0)
        return STATUS_OK;
    reason_set(reason,
               "%s/secrets/" PUBLIC_FILE " is not the public half of " KEY_FILE
               "; restore " KEY_FILE " from a backup, or remove " PUBLIC_FILE
               " if it was changed: weir writes it again",
               data_dir);
    return STATUS_INVALID;
}

enum status audit_keys_load(const char *data_dir, bool create, struct audit_keys *keys_out,
                            struct reason *reason)
{
    unsigned char secret[MAC_SIZE];
    *keys_out = (struct audit_keys){0};
    enum status status = load_secret(data_dir, create, secret, reason);
    if (status == STATUS_OK)
        status = audit_keys_init(secret, keys_out, reason);
    explicit_bzero(secret, sizeof(secret));
    if (status != STATUS_OK)
        return status;
    status = check_public_key(data_dir, create, keys_out, reason);
    if (status != STATUS_OK)
        audit_keys_fini(keys_out);
    return status;
}

enum status audit_sign(const struct audit_keys *keys, struct slice bytes,
                       unsigned char signature_out[AUDIT_SIGNATURE_SIZE], struct reason *reason)
{
    size_t size = AUDIT_SIGNATURE_SIZE;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    const bool is_signed = context != NULL &&
                           EVP_DigestSignInit(context, NULL, NULL, NULL, keys->signing) == 1 &&
                           EVP_DigestSign(context, signature_out, &size,
                                          (const unsigned char *)bytes.data, bytes.size) == 1;
    EVP_MD_CTX_free(context);
    return is_signed ? STATUS_OK : no_memory(reason);
}

enum status audit_check_signature(const unsigned char public_key[AUDIT_PUBLIC_KEY_SIZE],
                                  struct slice bytes,
                                  const unsigned char signature[AUDIT_SIGNATURE_SIZE],
                                  struct reason *reason)
{
    EVP_PKEY *key =
        EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, public_key, AUDIT_PUBLIC_KEY_SIZE);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    enum status status = STATUS_NO_MEMORY;
    if (key != NULL && context != NULL && EVP_DigestVerifyInit(context, NULL, NULL, NULL, key) == 1)
        status = EVP_DigestVerify(context, signature, AUDIT_SIGNATURE_SIZE,
                                  (const unsigned char *)bytes.data, bytes.size) == 1
                     ? STATUS_OK
                     : STATUS_INVALID;
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(key);
    if (status == STATUS_INVALID)
        reason_set(reason, "the signature is not that of these bytes");
    return status == STATUS_NO_MEMORY ? no_memory(reason) : status;
}
