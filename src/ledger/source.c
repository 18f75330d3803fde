#include "ledger/source.h"

struct crossing {
    struct source *source;
    struct batch *batch;
};

static enum status note_open(void *context, struct open_request *request)
{
    const struct crossing *crossing = context;
    if (request->is_stored || request->segment > crossing->source->number)
        return STATUS_OK;
    return batch_store_open(crossing->batch, request, crossing->source->generation,
                            crossing->source->worker);
}

/* Whether something is missing where the next record should lie: a later one has been written. Of a
 * journal that nobody writes any more, only looking tells. */
static bool lacks_record(const struct source *source)
{
    const uint64_t position = source->number * source->segment_bytes + source->reader.offset;
    struct segment_reader again = source->reader;
    struct segment_record record;
    if (source->appended == NULL)
        return source->reader.sequence != 0;
    if (source->number == 0 ||
        atomic_load_explicit(source->appended, memory_order_acquire) <= position)
        return false;
    return segment_next(&again, &record) != STATUS_OK; /* it may just have come */
}

static enum status resume(struct source *source, struct segment_reader *reader)
{
    const uint64_t expected = reader->sequence;
    const enum status status = segment_resume(reader);
    if (status == STATUS_OK)
        source->records_lost += reader->sequence - expected;
    return status;
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

/* Nothing sound lies where the reader is. At the end of a segment the expected record begins the
 * next one; else one was damaged, and the next sound one may lie in this segment or in the next. */
static enum status pass_on(struct source *source, struct batch *batch)
{
    const struct slice next = source->segment(source->context, source->worker, source->number + 1);
    struct segment_reader reader = {next, SEGMENT_PAGE_BYTES, source->reader.sequence};
    struct segment_reader first = reader;
    struct segment_record record;
    const bool has_next = next.size > SEGMENT_PAGE_BYTES;
    const enum status status = has_next ? segment_next(&first, &record) : STATUS_AGAIN;
    if (status == STATUS_OK)
        return enter(source, batch, &reader);
    if (status == STATUS_UNSUPPORTED)
        return status;
    if (!lacks_record(source))
        return STATUS_AGAIN;
    if (source->number > 0 && resume(source, &source->reader) == STATUS_OK)
        return STATUS_OK;
    if (has_next && resume(source, &reader) == STATUS_OK)
        return enter(source, batch, &reader);
    return STATUS_AGAIN;
}

static enum status take_next(struct source *source, struct batch *batch)
{
    const struct segment_reader before = source->reader;
    struct segment_record record;
    enum status status =
        source->number == 0 ? STATUS_AGAIN : segment_next(&source->reader, &record);
    if (status == STATUS_AGAIN || status == STATUS_PROTOCOL)
        return pass_on(source, batch);
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

void source_fini(struct source *source)
{
    open_set_fini(&source->open);
}
