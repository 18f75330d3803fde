#include "audit/head.h"

#include <inttypes.h>
#include <stdio.h>

#include <openssl/crypto.h>

#include "base/assert.h"
#include "base/encoding.h"
#include "io/secret_file.h"

#define FILE_NAME      "audit.head"
#define HEX_SIZE       (2 * (size_t)MAC_SIZE)
#define FILE_BYTES_MAX 256

static bool parse(const struct audit_keys *keys, struct slice text, struct audit_head *head_out)
{
    unsigned char written[MAC_SIZE], mac[MAC_SIZE];
    const size_t number_size = slice_find_byte(text, ' ');
    const size_t covered = number_size + 1 + HEX_SIZE;
    if (text.size != covered + 1 + HEX_SIZE || text.data[covered] != ' ')
        return false;
    mac_of(&keys->head, slice_of(text.data, covered), mac);
    return hex_decode(slice_from(text, covered + 1), written, MAC_SIZE) == STATUS_OK &&
           CRYPTO_memcmp(mac, written, MAC_SIZE) == 0 &&
           slice_to_u64(slice_of(text.data, number_size), &head_out->number) == STATUS_OK &&
           hex_decode(slice_of(text.data + number_size + 1, HEX_SIZE), head_out->hash, MAC_SIZE) ==
               STATUS_OK;
}

enum status head_read(const struct audit_keys *keys, const char *data_dir,
                      struct audit_head *head_out, struct reason *reason)
{
    struct buffer text;
    buffer_init(&text, FILE_BYTES_MAX);
    enum status status = secret_file_read(data_dir, FILE_NAME, &text, reason);
    if (status == STATUS_TOO_LARGE ||
        (status == STATUS_OK && !parse(keys, buffer_slice(&text), head_out))) {
        reason_set(reason, "%s/secrets/" FILE_NAME " is not as weir wrote it", data_dir);
        status = STATUS_INVALID;
    }
    buffer_fini(&text);
    return status;
}

enum status head_write(const struct audit_keys *keys, const char *data_dir,
                       const struct audit_head *head, struct reason *reason)
{
    char text[FILE_BYTES_MAX], hash[HEX_SIZE];
    unsigned char mac[MAC_SIZE];
    hex_encode(head->hash, STORE_HASH_SIZE, hash);
    const int size =
        snprintf(text, sizeof(text), "%" PRIu64 " %.*s", head->number, (int)HEX_SIZE, hash);
    ASSERT(size > 0 && (size_t)size + 1 + HEX_SIZE < sizeof(text));
    mac_of(&keys->head, slice_of(text, (size_t)size), mac);
    text[size] = ' ';
    hex_encode(mac, MAC_SIZE, text + size + 1);
    return secret_file_replace(data_dir, FILE_NAME, slice_of(text, (size_t)size + 1 + HEX_SIZE),
                               reason);
}
