#include "ledger/journal.h"

#include <string.h>

#include "base/assert.h"
#include "ledger/segment.h"

/* What may be lost at the end of a segment, where a record does not fit any more, and its header. */
#define SEAM_BYTES (SEGMENT_PAGE_BYTES + RECORD_OPENED_MAX + SEGMENT_ALIGN)

void journal_init(struct journal *journal, size_t segment_bytes, uint32_t seed)
{
    memset(journal, 0, sizeof(*journal));
    journal->segment_bytes = segment_bytes;
    journal->sequence = 1;
    journal->seed = seed;
    /* As if a segment 0 had been filled to its end: the first record moves to segment 1. */
    journal->offset = segment_bytes;
    journal->appended = segment_bytes;
    journal->mark = segment_bytes - 1;
}

/* What can be appended from `position` on below the mark, whatever the sizes of the records. */
static uint64_t room_from(const struct journal *journal, uint64_t position)
{
    const uint64_t mark = atomic_load_explicit(&journal->mark, memory_order_acquire);
    const uint64_t end =
        position +
        (position / journal->segment_bytes < mark / journal->segment_bytes
             ? (mark / journal->segment_bytes - position / journal->segment_bytes) * SEAM_BYTES
             : 0);
    return mark > end ? mark - end : 0;
}

/* The first segment behind those that are to be left. */
static uint64_t after_left(const struct journal *journal)
{
    const uint64_t left = atomic_load_explicit(&journal->leave, memory_order_relaxed);
    return journal_position(journal, left + 1, SEGMENT_PAGE_BYTES);
}

static bool is_left(const struct journal *journal)
{
    return atomic_load_explicit(&journal->leave, memory_order_relaxed) >= journal->number &&
           journal->number > 0;
}

static uint64_t room(const struct journal *journal)
{
    if (is_left(journal))
        return room_from(journal, after_left(journal));
    const uint64_t position = journal_position(journal, journal->number, journal->offset);
    /* The very end of a segment belongs to it and not to the next one. */
    return room_from(journal, journal->offset == journal->segment_bytes ? position - 1 : position);
}

static uint64_t bytes_of(unsigned records, size_t payload_bytes)
{
    return payload_bytes + records * (sizeof(struct segment_record_head) + SEGMENT_ALIGN);
}

static void set_reserved(struct journal *journal, uint64_t reserved)
{
    journal->reserved = reserved;
    atomic_store_explicit(&journal->reserved_told, reserved, memory_order_relaxed);
}

enum status journal_reserve(struct journal *journal, unsigned records, size_t payload_bytes)
{
    const uint64_t reserved = journal->reserved + bytes_of(records, payload_bytes);
    const bool fits = reserved <= room(journal);
    /* Even a refused wish is told, so that the keeper prepares enough for the next. */
    if (!fits) {
        atomic_store_explicit(&journal->reserved_told, reserved, memory_order_relaxed);
        return STATUS_LIMITED;
    }
    set_reserved(journal, reserved);
    return STATUS_OK;
}

void journal_unreserve(struct journal *journal, unsigned records, size_t payload_bytes)
{
    const uint64_t bytes = bytes_of(records, payload_bytes);
    ASSERT(bytes <= journal->reserved);
    set_reserved(journal, journal->reserved - bytes);
}

static void tell_position(struct journal *journal)
{
    atomic_store_explicit(&journal->appended,
                          journal_position(journal, journal->number, journal->offset),
                          memory_order_release);
}

static void enter_next(struct journal *journal)
{
    const uint64_t number = journal->number + 1;
    char *segment =
        atomic_load_explicit(&journal->prepared[number % JOURNAL_AHEAD_MAX], memory_order_acquire);
    ASSERT(segment != NULL); /* the mark lies in it */
    journal->segment = segment;
    journal->number = number;
    journal->offset = SEGMENT_PAGE_BYTES;
}

/* Not while what is reserved needs the rest of the segment. */
static bool must_leave(const struct journal *journal)
{
    return is_left(journal) &&
           room_from(journal, after_left(journal)) >= journal->reserved + SEAM_BYTES;
}

char *journal_room(struct journal *journal, size_t payload_max)
{
    if (journal->offset + segment_record_bytes(payload_max) > journal->segment_bytes ||
        must_leave(journal))
        enter_next(journal);
    return journal->segment + journal->offset + sizeof(struct segment_record_head);
}

void journal_append(struct journal *journal, enum record_kind kind, size_t payload_bytes)
{
    struct segment_record_head *head = (void *)(journal->segment + journal->offset);
    ASSERT(journal->offset + segment_record_bytes(payload_bytes) <= journal->segment_bytes);
    segment_publish(head, journal->seed, journal->sequence++, kind, payload_bytes);
    journal->offset += segment_record_bytes(payload_bytes);
    tell_position(journal);
    atomic_store_explicit(&journal->appended_count,
                          atomic_load_explicit(&journal->appended_count, memory_order_relaxed) + 1,
                          memory_order_relaxed);
}

void journal_finish_page(struct journal *journal)
{
    const size_t in_page = journal->offset % SEGMENT_PAGE_BYTES;
    const size_t rest = SEGMENT_PAGE_BYTES - in_page;
    if (journal->segment == NULL)
        return;
    if (must_leave(journal)) {
        enter_next(journal);
        tell_position(journal);
    } else if (in_page > 0 && room(journal) >= journal->reserved + rest + SEAM_BYTES) {
        journal_append(journal, RECORD_PAD, rest - sizeof(struct segment_record_head));
    }
}
