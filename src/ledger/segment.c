#include "ledger/segment.h"

#include <string.h>

#include "base/assert.h"
#include "base/crc32c.h"
#include "ledger/record.h"

#define SEGMENT_VERSION 1
#define SIZE_BITS       20
#define SIZE_MASK       ((UINT64_C(1) << SIZE_BITS) - 1)

/* A number so far ahead of the expected one is no gap but rubbish. */
#define GAP_MAX (UINT64_C(1) << 32)

static const char magic[8] = {'w', 'e', 'i', 'r', 'j', 'r', 'n', 'l'};

struct header {
    char magic[8];
    uint32_t version;
    uint32_t worker;
    uint64_t generation;
    uint64_t number;
    uint64_t segment_bytes;
    uint32_t reserved;
    uint32_t crc; /* of what stands before */
};

_Static_assert(sizeof(struct segment_record_head) == SEGMENT_ALIGN, "heads keep records aligned");
_Static_assert(sizeof(struct header) == 48, "the header has no padding");

void segment_write_header(void *segment, const struct segment_identity *identity,
                          size_t segment_bytes)
{
    struct header header = {
        .version = SEGMENT_VERSION,
        .worker = identity->worker,
        .generation = identity->generation,
        .number = identity->number,
        .segment_bytes = segment_bytes,
    };
    memcpy(header.magic, magic, sizeof(magic));
    header.crc = crc32c(0, &header, offsetof(struct header, crc));
    memcpy(segment, &header, sizeof(header));
}

enum status segment_read_header(struct slice segment, struct segment_identity *identity_out,
                                struct reason *reason)
{
    struct header header;
    if (segment.size < SEGMENT_PAGE_BYTES) {
        reason_set(reason, "it is shorter than a header");
        return STATUS_INVALID;
    }
    memcpy(&header, segment.data, sizeof(header));
    if (memcmp(header.magic, magic, sizeof(magic)) != 0) {
        reason_set(reason, "it is no journal segment");
        return STATUS_INVALID;
    }
    if (header.version != SEGMENT_VERSION) {
        reason_set(reason,
                   "it has version %u, this weir knows version %u; run the weir that wrote it",
                   header.version, SEGMENT_VERSION);
        return STATUS_UNSUPPORTED;
    }
    if (header.crc != crc32c(0, &header, offsetof(struct header, crc))) {
        reason_set(reason, "its header is damaged");
        return STATUS_INVALID;
    }
    *identity_out = (struct segment_identity){header.generation, header.worker, header.number};
    return STATUS_OK;
}

bool segment_is_cut(struct slice segment)
{
    struct header header;
    if (segment.size < SEGMENT_PAGE_BYTES)
        return true;
    memcpy(&header, segment.data, sizeof(header));
    return memcmp(header.magic, magic, sizeof(magic)) == 0 &&
           header.crc == crc32c(0, &header, offsetof(struct header, crc)) &&
           header.segment_bytes > segment.size;
}

/* --- Records ------------------------------------------------------------------------------------------ */

uint32_t segment_seed(uint64_t generation, uint32_t worker)
{
    return crc32c(crc32c(0, &generation, sizeof(generation)), &worker, sizeof(worker));
}

static uint32_t checksum(const struct segment_record_head *head, uint32_t seed, uint64_t word)
{
    uint64_t first[2] = {word, (uint64_t)head->kind | (uint64_t)head->version << 16};
    return crc32c(crc32c(seed, first, sizeof(first)), head + 1, word & SIZE_MASK);
}

void segment_publish(struct segment_record_head *head, uint32_t seed, uint64_t sequence,
                     unsigned kind, size_t payload_bytes)
{
    const uint64_t word = sequence << SIZE_BITS | payload_bytes;
    ASSERT(payload_bytes <= SIZE_MASK);
    head->kind = (uint16_t)kind;
    head->version = RECORD_VERSION;
    head->crc = checksum(head, seed, word);
    atomic_store_explicit(&head->word, word, memory_order_release);
}

static const struct segment_record_head *head_at(const struct segment_reader *reader, size_t offset)
{
    return (const void *)(reader->segment.data + offset);
}

/* Whether a whole record fits where `word` says it lies. */
static bool fits(const struct segment_reader *reader, size_t offset, uint64_t word)
{
    return segment_record_bytes(word & SIZE_MASK) <= reader->segment.size - offset;
}

static bool is_sound(const struct segment_reader *reader, size_t offset, uint64_t word)
{
    const struct segment_record_head *head = head_at(reader, offset);
    return fits(reader, offset, word) && head->crc == checksum(head, reader->seed, word);
}

static uint64_t load_word(const struct segment_reader *reader, size_t offset)
{
    return atomic_load_explicit(&head_at(reader, offset)->word, memory_order_acquire);
}

enum status segment_next(struct segment_reader *reader, struct segment_record *record_out)
{
    const size_t offset = reader->offset;
    if (offset + sizeof(struct segment_record_head) > reader->segment.size)
        return STATUS_AGAIN;
    const uint64_t word = load_word(reader, offset);
    const uint64_t sequence = word >> SIZE_BITS;
    if (sequence == 0 || (reader->sequence != 0 && sequence != reader->sequence))
        return STATUS_AGAIN;
    if (!is_sound(reader, offset, word))
        return STATUS_PROTOCOL;
    const struct segment_record_head *head = head_at(reader, offset);
    if (head->version != RECORD_VERSION)
        return STATUS_UNSUPPORTED;
    *record_out = (struct segment_record){
        .kind = head->kind,
        .payload = slice_of(head + 1, word & SIZE_MASK),
        .sequence = sequence,
        .offset = offset,
    };
    reader->sequence = sequence + 1;
    reader->offset = offset + segment_record_bytes(word & SIZE_MASK);
    return STATUS_OK;
}

bool segment_copy(const struct segment_reader *reader, const struct segment_record *record,
                  struct segment_record_head *copy_out)
{
    const uint64_t word = record->sequence << SIZE_BITS | record->payload.size;
    memcpy(copy_out, head_at(reader, record->offset), sizeof(*copy_out) + record->payload.size);
    return copy_out->kind == record->kind && copy_out->version == RECORD_VERSION &&
           copy_out->crc == checksum(copy_out, reader->seed, word);
}

enum status segment_resume(struct segment_reader *reader)
{
    const size_t head_bytes = sizeof(struct segment_record_head);
    for (size_t offset = reader->offset; offset + head_bytes <= reader->segment.size;
         offset += SEGMENT_ALIGN) {
        const uint64_t word = load_word(reader, offset);
        const uint64_t sequence = word >> SIZE_BITS;
        if (sequence <= reader->sequence || sequence - reader->sequence > GAP_MAX ||
            !is_sound(reader, offset, word))
            continue;
        reader->offset = offset;
        reader->sequence = sequence;
        return STATUS_OK;
    }
    return STATUS_NOT_FOUND;
}
