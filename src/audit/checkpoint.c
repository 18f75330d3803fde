#include "audit/checkpoint.h"

#include <inttypes.h>
#include <stdio.h>

#include "audit/details.h"
#include "base/assert.h"
#include "base/encoding.h"

#define KIND          "weir.checkpoint"
#define VERSION       1
#define MESSAGE_BYTES (4 + sizeof(KIND) - 1 + 1 + 3 * 8 + STORE_HASH_SIZE + MAC_SIZE)

void segment_begin(struct segment *segment, uint64_t first)
{
    segment->first = first;
    SHA256_Init(&segment->digest);
}

void segment_add(struct segment *segment, struct slice canonical_bytes,
                 const unsigned char hash[STORE_HASH_SIZE])
{
    SHA256_Update(&segment->digest, canonical_bytes.data, canonical_bytes.size);
    SHA256_Update(&segment->digest, hash, STORE_HASH_SIZE);
}

static void segment_digest(const struct segment *segment, unsigned char digest_out[MAC_SIZE])
{
    SHA256_CTX state = segment->digest;
    ASSERT(SHA256_Final(digest_out, &state) == 1);
}

static unsigned char *put_u64(unsigned char *at, uint64_t value)
{
    for (int shift = 56; shift >= 0; shift -= 8)
        *at++ = (unsigned char)(value >> shift);
    return at;
}

static void write_message(const struct segment *segment, const struct store_audit_entry *entry,
                          const unsigned char digest[MAC_SIZE],
                          unsigned char message_out[MESSAGE_BYTES])
{
    unsigned char *at = message_out;
    const size_t kind_size = sizeof(KIND) - 1;
    memset(at, 0, 3);
    at[3] = (unsigned char)kind_size;
    memcpy(at + 4, KIND, kind_size);
    at += 4 + kind_size;
    *at++ = VERSION;
    at = put_u64(at, entry->number);
    at = put_u64(at, segment->first);
    at = put_u64(at, entry->timestamp_us);
    memcpy(at, entry->previous_hash, STORE_HASH_SIZE);
    memcpy(at + STORE_HASH_SIZE, digest, MAC_SIZE);
}

static struct slice print_signed(uint64_t first, const unsigned char digest[MAC_SIZE],
                                 const unsigned char signature[AUDIT_SIGNATURE_SIZE],
                                 char text_out[CHECKPOINT_DETAILS_BYTES])
{
    char digest_hex[2 * MAC_SIZE], signature_hex[2 * AUDIT_SIGNATURE_SIZE];
    hex_encode(digest, MAC_SIZE, digest_hex);
    hex_encode(signature, AUDIT_SIGNATURE_SIZE, signature_hex);
    const int size =
        snprintf(text_out, CHECKPOINT_DETAILS_BYTES,
                 "{\"first\":%" PRIu64 ",\"digest\":\"%.*s\",\"signature\":\"%.*s\"}", first,
                 (int)sizeof(digest_hex), digest_hex, (int)sizeof(signature_hex), signature_hex);
    ASSERT(size > 0 && size < CHECKPOINT_DETAILS_BYTES);
    return slice_of(text_out, (size_t)size);
}

enum status checkpoint_write(const struct audit_keys *keys, const struct segment *segment,
                             bool is_damaged, struct store_audit_entry *entry,
                             char text_out[CHECKPOINT_DETAILS_BYTES], struct reason *reason)
{
    if (is_damaged) {
        const int size = snprintf(text_out, CHECKPOINT_DETAILS_BYTES,
                                  "{\"first\":%" PRIu64 ",\"damaged\":true}", segment->first);
        ASSERT(size > 0 && size < CHECKPOINT_DETAILS_BYTES);
        entry->details = slice_of(text_out, (size_t)size);
        return STATUS_OK;
    }
    unsigned char digest[MAC_SIZE], message[MESSAGE_BYTES], signature[AUDIT_SIGNATURE_SIZE];
    segment_digest(segment, digest);
    write_message(segment, entry, digest, message);
    const enum status status =
        audit_sign(keys, slice_of(message, sizeof(message)), signature, reason);
    if (status == STATUS_OK)
        entry->details = print_signed(segment->first, digest, signature, text_out);
    return status;
}

enum status checkpoint_check(const unsigned char public_key[AUDIT_PUBLIC_KEY_SIZE],
                             const struct segment *segment, const struct store_audit_entry *entry,
                             struct reason *reason)
{
    unsigned char digest[MAC_SIZE], written[MAC_SIZE], message[MESSAGE_BYTES];
    unsigned char signature[AUDIT_SIGNATURE_SIZE];
    uint64_t first = 0;
    const enum status status =
        details_hex(entry->details, "signature", signature, sizeof(signature));
    if (status != STATUS_OK)
        return status;
    if (details_hex(entry->details, "digest", written, sizeof(written)) != STATUS_OK ||
        details_u64(entry->details, "first", &first) != STATUS_OK)
        return STATUS_INVALID;
    segment_digest(segment, digest);
    if (first != segment->first || memcmp(digest, written, MAC_SIZE) != 0) {
        reason_set(reason, "it was signed over other entries");
        return STATUS_INVALID;
    }
    write_message(segment, entry, digest, message);
    return audit_check_signature(public_key, slice_of(message, sizeof(message)), signature, reason);
}
