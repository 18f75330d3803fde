/* The file format of the journal: segments of equal size, a page of header, then records.
 *
 * A record is a head of 16 bytes, its payload, and zero to 15 bytes up to the next multiple of 16.
 * The head's first word holds the record's sequence number (44 bits) and the payload's size (20
 * bits); it is stored last, in one piece, so a record is there whole or not at all, whenever the
 * process dies. The checksum covers the word, so a page that a power cut lost is noticed.
 *
 * A reader takes only the number that it expects: what a former lap left in a recycled file has
 * lower ones and ends the log. Files are recycled between workers, whose numbers overlap, so the
 * checksum starts from a seed of generation and worker: nothing of another worker's is sound.
 *
 * Thread: one writer, any number of readers. */
#ifndef LEDGER_SEGMENT_H
#define LEDGER_SEGMENT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/reason.h"
#include "base/slice.h"
#include "base/status.h"

#define SEGMENT_PAGE_BYTES 4096u /* also where the first record lies */
#define SEGMENT_BYTES_MIN  (64u * 1024)
#define SEGMENT_BYTES_MAX  (8u * 1024 * 1024)
#define SEGMENT_ALIGN      16u

struct segment_record_head {
    _Atomic uint64_t word;
    uint32_t crc; /* CRC-32C of seed, word, kind, version and payload */
    uint16_t kind;
    uint16_t version;
};

/* What the header says. */
struct segment_identity {
    uint64_t generation;
    uint32_t worker;
    uint64_t number; /* 1 is a worker's first; without gaps */
};

/* The bytes that a payload takes in the file. */
static inline size_t segment_record_bytes(size_t payload_bytes)
{
    const size_t bytes = sizeof(struct segment_record_head) + payload_bytes;
    return (bytes + SEGMENT_ALIGN - 1) / SEGMENT_ALIGN * SEGMENT_ALIGN;
}

/* Writes the header page. */
void segment_write_header(void *segment, const struct segment_identity *identity,
                          size_t segment_bytes);
/* STATUS_INVALID: it is none, or damaged. STATUS_UNSUPPORTED: of another version; the reason says
 * so. */
MUST_CHECK enum status segment_read_header(struct slice segment,
                                           struct segment_identity *identity_out,
                                           struct reason *reason);

/* Whether the file is shorter than it was made: so short that no header is left, or than that says. */
bool segment_is_cut(struct slice segment);

/* What the checksums of one worker's records start from. */
uint32_t segment_seed(uint64_t generation, uint32_t worker);

/* Completes the record whose payload lies behind the head, and publishes it. */
void segment_publish(struct segment_record_head *head, uint32_t seed, uint64_t sequence,
                     unsigned kind, size_t payload_bytes);

struct segment_reader {
    struct slice segment;
    size_t offset;     /* of the next record */
    uint64_t sequence; /* that it must have; 0: whatever is there */
    uint32_t seed;
};

struct segment_record {
    unsigned kind;
    struct slice payload;
    uint64_t sequence;
    size_t offset;
};

/* The next record. STATUS_AGAIN: none (yet). STATUS_PROTOCOL: there is one, but damaged.
 * STATUS_UNSUPPORTED: a newer weir wrote it. */
MUST_CHECK enum status segment_next(struct segment_reader *reader,
                                    struct segment_record *record_out);
/* Copies a record that segment_next() gave, its head and its payload behind it. False: the copy is not
 * sound, for the file has changed meanwhile, as it may where somebody cuts it short. */
MUST_CHECK bool segment_copy(const struct segment_reader *reader,
                             const struct segment_record *record,
                             struct segment_record_head *copy_out);
/* Looks behind a damaged record for the next sound one with a later number and moves there.
 * STATUS_NOT_FOUND: none in this segment. */
MUST_CHECK enum status segment_resume(struct segment_reader *reader);

#endif
