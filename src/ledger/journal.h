/* One worker's journal: where its requests' records are put before anything else happens to them.
 *
 * The worker appends into mapped segments: a copy and one store, no system call. It never waits for
 * the disk, because it only touches pages that the keeper (ledger/keeper.h) has made writable, up
 * to the mark. A request reserves, before it begins, the room for the records that it will still
 * write; where the room below the mark does not suffice, it is refused.
 *
 * Positions are logical: number of the segment × its size + offset. A mark at the end of a segment is
 * one byte short of it, so that a position says in which segment it lies.
 *
 * Thread: the worker's functions on the worker; the keeper's and the drain's as they say. */
#ifndef LEDGER_JOURNAL_H
#define LEDGER_JOURNAL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "ledger/record.h"

#define JOURNAL_AHEAD_MAX 64 /* segments that may be prepared ahead of the worker's */

struct journal {
    /* The worker's own. */
    char *segment; /* NULL before the first */
    uint64_t number;
    size_t offset;
    uint64_t sequence; /* of the next record */
    uint32_t seed;     /* of its checksum */
    uint64_t reserved; /* bytes that open requests may still append */
    size_t segment_bytes;
    /* Told to the keeper and the drain. */
    _Atomic uint64_t appended;       /* position of the next record */
    _Atomic uint64_t reserved_told;  /* the same as `reserved` */
    _Atomic uint64_t appended_count; /* records */
    /* Told to the worker. */
    _Atomic uint64_t mark;                       /* up to here it may append */
    _Atomic(char *) prepared[JOURNAL_AHEAD_MAX]; /* segment `number` at [number % MAX] */
    _Atomic uint64_t leave; /* segments up to this number are to be left: their file has failed */
};

/* --- The worker's ------------------------------------------------------------------------------------- */

/* `seed` as segment_seed() makes it. */
void journal_init(struct journal *journal, size_t segment_bytes, uint32_t seed);

/* Room for records whose payloads come to `payload_bytes`, in at most `records` records.
 * STATUS_LIMITED: there is none now. */
MUST_CHECK enum status journal_reserve(struct journal *journal, unsigned records,
                                       size_t payload_bytes);
/* Gives back what was reserved by the same figures; after the record was appended, or instead. */
void journal_unreserve(struct journal *journal, unsigned records, size_t payload_bytes);

/* Where the payload of the next record is to be written, at most payload_max bytes, for which there
 * is a reservation; journal_append() must follow. */
char *journal_room(struct journal *journal, size_t payload_max);
void journal_append(struct journal *journal, enum record_kind kind, size_t payload_bytes);

/* Starts a new page, so that the keeper may sync the one before; does nothing where the room that
 * is reserved would suffer. */
void journal_finish_page(struct journal *journal);

static inline uint64_t journal_position(const struct journal *journal, uint64_t number,
                                        uint64_t offset)
{
    return number * journal->segment_bytes + offset;
}

#endif
