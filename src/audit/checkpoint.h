/* Checkpoints: what is signed, and what the entry holds.
 *
 * A segment is the entries from one checkpoint on (with it) up to the next (without it). Its digest is
 * SHA-256 over the canonical bytes and the hash of each. The checkpoint's entry has the details
 *     {"first":N,"digest":"HEX","signature":"HEX"}
 * where the Ed25519 signature is over: "weir.checkpoint" (length in 4 bytes first), the version in one
 * byte, number, first and timestamp_us of the checkpoint in 8 bytes each, big-endian, its
 * previous_hash and the digest. So it can be checked with the public key and the entries alone.
 * Details {"first":N,"damaged":true}: weir found an entry changed, and did not sign it. */
#ifndef AUDIT_CHECKPOINT_H
#define AUDIT_CHECKPOINT_H

#include "audit/keys.h"
#include "base/mac.h"
#include "base/buffer.h"
#include "store/store_audit.h"

struct segment {
    uint64_t first; /* number of its first entry; 0: it has none */
    SHA256_CTX digest;
};

/* Begins with an entry that is added next. */
void segment_begin(struct segment *segment, uint64_t first);
void segment_add(struct segment *segment, struct slice canonical_bytes,
                 const unsigned char hash[STORE_HASH_SIZE]);

/* Room for the details of any checkpoint. */
#define CHECKPOINT_DETAILS_BYTES 320

/* Writes the details of a checkpoint after the segment into text_out and sets entry->details; number,
 * timestamp_us and previous_hash are set already. STATUS_NO_MEMORY. */
MUST_CHECK enum status checkpoint_write(const struct audit_keys *keys,
                                        const struct segment *segment, bool is_damaged,
                                        struct store_audit_entry *entry,
                                        char text_out[CHECKPOINT_DETAILS_BYTES],
                                        struct reason *reason);
/* STATUS_NOT_FOUND: it is not signed, since weir found damage. STATUS_INVALID: it is not the signature
 * of this segment. STATUS_NO_MEMORY. */
MUST_CHECK enum status checkpoint_check(const unsigned char public_key[AUDIT_PUBLIC_KEY_SIZE],
                                        const struct segment *segment,
                                        const struct store_audit_entry *entry,
                                        struct reason *reason);

#endif
