#include "ledger/source.h"

struct crossing {
    struct source *source;
    struct batch *batch;
};

static enum status note_open(void *context, struct open_request *request)
{
    const struct crossing *crossing = context;
    if (request->is_stored && request->attempts_stored == request->attempt_count)
        return STATUS_OK;
    return batch_store_open(crossing->batch, request, crossing->source->generation,
                            crossing->source->worker);
}

/* Up to where the journal was written when this was called: all that lies before it can be seen. */
static uint64_t written(const struct source *source)
{
    return source->appended == NULL ? UINT64_MAX
                                    : atomic_load_explicit(source->appended, memory_order_acquire);
}

/* Whether a record must lie where the reader is, or behind. Of a journal that nobody writes any more,
 * only looking tells. */
static bool lacks_record(const struct source *source, uint64_t end)
{
    /* Segment 0 counts as full. */
    const uint64_t offset = source->number == 0 ? source->segment_bytes : source->reader.offset;
    return end == UINT64_MAX || end > source->number * source->segment_bytes + offset;
}

/* The next sound record of the reader's segment, but not where the worker may be writing. */
static enum status resume(struct source *source, uint64_t number, uint64_t end,
                          struct segment_reader *reader)
{
    struct segment_reader bounded = *reader;
    const uint64_t start = number * source->segment_bytes;
    if (end != UINT64_MAX && end - start < bounded.segment.size)
        bounded.segment.size = end > start ? (size_t)(end - start) : 0;
    const enum status status = segment_resume(&bounded);
    if (status != STATUS_OK)
        return status;
    source->records_lost += bounded.sequence - reader->sequence;
    source->is_damaged_here = false;
    reader->offset = bounded.offset;
    reader->sequence = bounded.sequence;
    return STATUS_OK;
}

/* The requests that are open go to the store, since the segment with their records will be used
 * again. */
static enum status leave_segment(struct source *source, struct batch *batch)
{
    struct crossing crossing = {source, batch};
    return source->number == 0 ? STATUS_OK : open_set_each(&source->open, note_open, &crossing);
}

static enum status enter(struct source *source, struct batch *batch,
                         const struct segment_reader *reader)
{
    const enum status status = leave_segment(source, batch);
    if (status != STATUS_OK)
        return status;
    source->number++;
    source->reader = *reader;
    return STATUS_OK;
}

/* A record was damaged: the next sound one may lie in this segment or in the next. A segment that its
 * worker has left is left, too. */
static enum status pass_damage(struct source *source, struct batch *batch, uint64_t end,
                               struct segment_reader *next)
{
    const bool has_next = next->segment.size > SEGMENT_PAGE_BYTES;
    if (source->number > 0 && resume(source, source->number, end, &source->reader) == STATUS_OK)
        return STATUS_OK;
    if (has_next && resume(source, source->number + 1, end, next) == STATUS_OK)
        return enter(source, batch, next);
    if (has_next && end != UINT64_MAX && end / source->segment_bytes > source->number)
        return enter(source, batch, next);
    return STATUS_AGAIN;
}

/* Nothing sound lies where the reader is. At the end of a segment the expected record begins the
 * next one. `end` is read first: what has come meanwhile must not look like a gap. */
static enum status pass_on(struct source *source, struct batch *batch)
{
    const uint64_t end = written(source);
    struct segment_reader again = source->reader;
    struct segment_reader next = source->reader;
    struct segment_record record;
    enum status status = source->number == 0 ? STATUS_AGAIN : segment_next(&again, &record);
    if (status == STATUS_OK)
        return STATUS_OK;
    source->is_damaged_here = status == STATUS_PROTOCOL;
    next.segment = source->segment(source->context, source->worker, source->number + 1);
    next.offset = SEGMENT_PAGE_BYTES;
    again = next;
    status = next.segment.size > SEGMENT_PAGE_BYTES ? segment_next(&again, &record) : STATUS_AGAIN;
    if (status == STATUS_OK)
        return enter(source, batch, &next);
    if (status == STATUS_UNSUPPORTED || !lacks_record(source, end))
        return status == STATUS_UNSUPPORTED ? status : STATUS_AGAIN;
    return pass_damage(source, batch, end, &next);
}

static enum status take_next(struct source *source, struct batch *batch)
{
    const struct segment_reader before = source->reader;
    struct segment_record record;
    enum status status =
        source->number == 0 ? STATUS_AGAIN : segment_next(&source->reader, &record);
    if (status == STATUS_OK && record.kind != RECORD_PAD)
        status = batch_keep(batch, &source->reader, &record);
    if (status == STATUS_AGAIN || status == STATUS_PROTOCOL) {
        source->reader = before;
        return pass_on(source, batch);
    }
    if (status == STATUS_OK)
        status = batch_take(batch, &source->open, source->number, &record);
    if (status == STATUS_INVALID) { /* sound, but not what weir writes */
        source->records_lost++;
        return STATUS_OK;
    }
    if (status == STATUS_NO_MEMORY)
        source->reader = before;
    return status;
}

enum status source_collect(struct source *source, struct batch *batch)
{
    const uint64_t before = batch->records;
    const uint64_t start = source->number;
    enum status status = STATUS_OK;
    while (status == STATUS_OK && !batch_is_full(batch) &&
           (!source->stops_at_seams || source->number == start))
        status = take_next(source, batch);
    const struct store_position position = {
        .generation = source->generation,
        .worker = source->worker,
        .segment = source->number,
        .offset = source->reader.offset,
        .sequence = source->reader.sequence,
    };
    if (batch->records == before && batch->open_count == 0)
        return status;
    const enum status noted = batch_set_position(batch, &position);
    return noted == STATUS_OK ? status : noted;
}

uint64_t source_give_up(struct source *source, uint64_t records)
{
    const uint64_t next = source->reader.sequence;
    const uint64_t lost = records + 1 > next ? records + 1 - next : 0;
    source->records_lost += lost;
    return lost;
}

void source_fini(struct source *source)
{
    open_set_fini(&source->open);
}
