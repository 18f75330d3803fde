#include "ledger/recovery.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "ledger/source.h"

#define SEGMENTS_HELD 2 /* the one that is read, and the next */

/* One segment, read into memory: a file may be shortened while it is mapped. */
struct loaded {
    uint64_t number; /* 0: none */
    char *bytes;
    size_t size;
    bool is_cut;
};

struct recovery {
    const struct recovery_config *config;
    const struct segment_identity *segments; /* of one worker, ascending */
    size_t segment_count;
    struct source source;
    struct batch batch;
    struct loaded loaded[SEGMENTS_HELD];
    enum status failed; /* what loading came to */
    struct recovery_result *result;
    struct reason *reason; /* not NULL */
};

/* --- Loading ------------------------------------------------------------------------------------------------ */

static enum status read_whole(int fd, char **bytes_out, size_t *size_out)
{
    struct stat about;
    if (fstat(fd, &about) != 0)
        return STATUS_IO;
    size_t size = (size_t)about.st_size;
    if (size > SEGMENT_BYTES_MAX)
        size = SEGMENT_BYTES_MAX;
    char *bytes = alloc_zeroed(size + SEGMENT_ALIGN, 1);
    size_t got = 0;
    if (bytes == NULL)
        return STATUS_NO_MEMORY;
    while (got < size) {
        const ssize_t step = pread(fd, bytes + got, size - got, (off_t)got);
        if (step < 0 && errno == EINTR)
            continue;
        if (step < 0) {
            alloc_free(bytes);
            return STATUS_IO;
        }
        if (step == 0)
            break;
        got += (size_t)step;
    }
    *bytes_out = bytes;
    *size_out = got;
    return STATUS_OK;
}

static enum status open_segment(struct recovery *recovery, const struct segment_identity *identity,
                                struct loaded *loaded)
{
    char name[DIRECTORY_NAME_BYTES];
    directory_segment_name(identity, name);
    const int fd = openat(recovery->config->directory->fd, name, O_RDONLY | O_CLOEXEC);
    const enum status status = fd < 0 ? STATUS_IO : read_whole(fd, &loaded->bytes, &loaded->size);
    if (status != STATUS_OK)
        reason_set(recovery->reason, "cannot read %s/%s: %s", recovery->config->directory->path,
                   name, status == STATUS_NO_MEMORY ? "out of memory" : strerror(errno));
    if (fd >= 0)
        close(fd);
    return status;
}

/* A damaged header, or one that was about to be recycled: the file holds nothing to recover. */
static enum status check_header(struct recovery *recovery, const struct segment_identity *identity,
                                struct loaded *loaded)
{
    struct segment_identity found;
    struct reason why;
    char name[DIRECTORY_NAME_BYTES];
    const struct slice segment = slice_of(loaded->bytes, loaded->size);
    const enum status status = segment_read_header(segment, &found, &why);
    loaded->is_cut = segment_is_cut(segment);
    if (status == STATUS_UNSUPPORTED) {
        directory_segment_name(identity, name);
        reason_set(recovery->reason, "%s/%s is left as it is: %s",
                   recovery->config->directory->path, name, why.text);
        return status;
    }
    if (status != STATUS_OK || found.generation != identity->generation ||
        found.worker != identity->worker || found.number != identity->number)
        loaded->size = 0;
    return STATUS_OK;
}

static struct slice load(void *context, uint32_t worker, uint64_t number)
{
    struct recovery *recovery = context;
    struct loaded *loaded = &recovery->loaded[number % SEGMENTS_HELD];
    struct segment_identity identity = {recovery->source.generation, worker, number};
    if (loaded->number == number)
        return slice_of(loaded->bytes, loaded->size);
    alloc_free(loaded->bytes);
    *loaded = (struct loaded){0};
    for (size_t i = 0; i < recovery->segment_count; i++) {
        if (recovery->segments[i].number != number)
            continue;
        enum status status = open_segment(recovery, &identity, loaded);
        if (status == STATUS_OK)
            status = check_header(recovery, &identity, loaded);
        if (status != STATUS_OK) {
            recovery->failed = status;
            return (struct slice){0};
        }
        loaded->number = number;
        return slice_of(loaded->bytes, loaded->size);
    }
    return (struct slice){0};
}

/* --- Moving ------------------------------------------------------------------------------------------------- */

static enum status apply(struct recovery *recovery, uint64_t *rows_inout)
{
    struct batch_result done = {0};
    if (batch_is_empty(&recovery->batch) && recovery->batch.position_count == 0)
        return STATUS_OK;
    const enum status status = batch_apply(&recovery->batch, recovery->config->store,
                                           recovery->config->seal, &done, recovery->reason);
    if (status != STATUS_OK)
        return status;
    *rows_inout += done.inserted;
    batch_clear(&recovery->batch);
    return STATUS_OK;
}

/* A segment that is missing in the middle is passed over. */
static bool skip_missing(struct recovery *recovery)
{
    for (size_t i = 0; i < recovery->segment_count; i++) {
        const uint64_t number = recovery->segments[i].number;
        if (number <= recovery->source.number + 1)
            continue;
        recovery->source.number = number - 1;
        recovery->source.reader.segment = (struct slice){0};
        recovery->source.reader.offset = SEGMENT_PAGE_BYTES;
        return true;
    }
    return false;
}

/* Says why reading ended, where nothing else has. */
static enum status explain(struct recovery *recovery, enum status status)
{
    if (status == STATUS_NO_MEMORY)
        reason_set(recovery->reason, "out of memory for the ledger's records");
    if (status == STATUS_UNSUPPORTED && recovery->failed == STATUS_OK)
        reason_set(recovery->reason,
                   "a record of generation %" PRIu64
                   " in %s has another version; its files are left "
                   "as they are: run the weir that wrote it",
                   recovery->source.generation, recovery->config->directory->path);
    return status;
}

/* At the end of what was read. How much a file that was cut short held cannot be known: it counts as
 * one record. One without a header that was never read may be new: its process died in making it. */
static bool ends_with_damage(const struct recovery *recovery)
{
    bool is_damaged = recovery->source.is_damaged_here;
    for (size_t i = 0; i < SEGMENTS_HELD; i++) {
        const struct loaded *loaded = &recovery->loaded[i];
        if (loaded->is_cut && (loaded->number == recovery->source.number ||
                               (loaded->number > recovery->source.number && loaded->size > 0)))
            is_damaged = true;
    }
    return is_damaged;
}

static enum status drain_worker(struct recovery *recovery)
{
    for (;;) {
        enum status status = source_collect(&recovery->source, &recovery->batch);
        if (recovery->failed != STATUS_OK)
            status = recovery->failed;
        if (status != STATUS_OK && status != STATUS_AGAIN)
            return explain(recovery, status);
        const enum status applied = apply(recovery, &recovery->result->rows);
        if (applied != STATUS_OK)
            return applied;
        if (status == STATUS_AGAIN && !skip_missing(recovery)) {
            recovery->source.records_lost += ends_with_damage(recovery);
            return STATUS_OK;
        }
    }
}

/* Reads what is in the store already, in the segment where the drain had come to, only to know
 * which requests were open there. */
static enum status replay(struct recovery *recovery, const struct store_position *position)
{
    struct source *source = &recovery->source;
    struct segment_record record;
    enum status status = STATUS_OK;
    source->number = position->segment;
    source->reader.segment = load(recovery, source->worker, position->segment);
    source->reader.sequence = 0;
    if (recovery->failed != STATUS_OK)
        return recovery->failed;
    while (status == STATUS_OK && source->reader.offset < position->offset) {
        status = segment_next(&source->reader, &record);
        if (status == STATUS_AGAIN || status == STATUS_PROTOCOL)
            status = segment_resume(&source->reader);
        else if (status == STATUS_OK)
            status = batch_take(&recovery->batch, &source->open, source->number, &record);
        if (status == STATUS_INVALID)
            status = STATUS_OK;
    }
    batch_clear(&recovery->batch);
    source->reader.offset = position->offset;
    source->reader.sequence = position->sequence;
    return status == STATUS_NO_MEMORY || status == STATUS_UNSUPPORTED ? explain(recovery, status)
                                                                      : STATUS_OK;
}

struct open_visit {
    struct recovery *recovery;
    uint32_t worker;
};

static enum status note_stored_open(void *context, const struct store_open *open)
{
    struct open_visit *visit = context;
    if (open->worker != visit->worker)
        return STATUS_OK;
    const enum status status =
        open_set_add_stored(&visit->recovery->source.open, &open->id, open->record);
    visit->recovery->source.records_lost += status == STATUS_INVALID;
    return status == STATUS_INVALID ? STATUS_OK : status;
}

static enum status begin_worker(struct recovery *recovery, uint64_t generation, uint32_t worker)
{
    struct store_position position;
    struct open_visit visit = {recovery, worker};
    struct source *source = &recovery->source;
    *source = (struct source){
        .generation = generation,
        .worker = worker,
        .segment = load,
        .context = recovery,
        .reader = {.offset = SEGMENT_PAGE_BYTES, .seed = segment_seed(generation, worker)},
        .stops_at_seams = true, /* only two segments are held */
    };
    enum status status = store_opens_list(recovery->config->store, generation, note_stored_open,
                                          &visit, recovery->reason);
    if (status != STATUS_OK)
        return status;
    status = store_position_find(recovery->config->store, generation, worker, &position,
                                 recovery->reason);
    if (status == STATUS_OK && position.segment > 0)
        return replay(recovery, &position);
    if (status != STATUS_OK && status != STATUS_NOT_FOUND)
        return status;
    /* Where the first segments are gone although nothing was taken over, the store is another one: what
     * there is, is taken from its first record on. */
    source->number = recovery->segment_count > 0 ? recovery->segments[0].number - 1 : 0;
    source->reader.sequence = source->number == 0 ? 1 : 0;
    return STATUS_OK;
}

/* --- Orphans --------------------------------------------------------------------------------------------------- */

struct orphan_ids {
    struct id *ids;
    size_t count;
};

static enum status note_id(void *context, struct open_request *request)
{
    struct orphan_ids *orphans = context;
    orphans->ids[orphans->count++] = request->id;
    return STATUS_OK;
}

static enum status take_orphans(struct recovery *recovery)
{
    struct open_set *open = &recovery->source.open;
    struct orphan_ids orphans = {0};
    uint64_t rows = 0;
    if (open->count == 0)
        return STATUS_OK;
    orphans.ids = alloc_zeroed(open->count, sizeof(orphans.ids[0]));
    if (orphans.ids == NULL)
        return explain(recovery, STATUS_NO_MEMORY);
    enum status status = open_set_each(open, note_id, &orphans);
    for (size_t i = 0; status == STATUS_OK && i < orphans.count; i++) {
        status = batch_take_orphan(&recovery->batch, open, &orphans.ids[i],
                                   recovery->config->orphans_are_charged);
    }
    alloc_free(orphans.ids);
    if (status == STATUS_OK)
        status = apply(recovery, &rows);
    recovery->result->orphans += rows;
    recovery->result->rows += rows;
    return status;
}

/* --- One generation ---------------------------------------------------------------------------------------------- */

struct generation {
    uint64_t number;
    const struct segment_identity *segments;
    size_t count;
};

static void free_worker(struct recovery *recovery)
{
    recovery->result->records_lost += recovery->source.records_lost;
    batch_fini(&recovery->batch);
    source_fini(&recovery->source);
    for (size_t i = 0; i < SEGMENTS_HELD; i++)
        alloc_free(recovery->loaded[i].bytes);
}

static enum status recover_worker(const struct recovery_config *config,
                                  const struct generation *part, uint32_t worker,
                                  struct recovery_result *result, struct reason *reason)
{
    struct recovery recovery = {
        .config = config,
        .segments = part->segments,
        .segment_count = part->count,
        .failed = STATUS_OK,
        .result = result,
        .reason = reason,
    };
    enum status status = begin_worker(&recovery, part->number, worker);
    if (status == STATUS_OK)
        status = drain_worker(&recovery);
    if (status == STATUS_OK)
        status = take_orphans(&recovery);
    free_worker(&recovery);
    return status;
}

/* The segments go first, for good: read anew without the positions, a journal would count its refused
 * requests twice. */
static enum status forget(const struct recovery_config *config, const struct generation *generation,
                          struct reason *reason)
{
    enum status status = store_sync(config->store, reason);
    if (status == STATUS_OK)
        status = store_check_file(config->store, reason);
    for (size_t i = 0; status == STATUS_OK && i < generation->count; i++)
        status = directory_remove_segment(config->directory, &generation->segments[i], reason);
    if (status == STATUS_OK)
        status = directory_sync(config->directory, reason);
    return status == STATUS_OK ? store_positions_delete(config->store, generation->number, reason)
                               : status;
}

static enum status note_worker(void *context, const struct store_open *open)
{
    uint32_t *end = context;
    if (open->worker >= *end)
        *end = open->worker + 1;
    return STATUS_OK;
}

/* Finds the segments of the worker. */
static struct generation part_of(const struct generation *generation, uint32_t worker)
{
    struct generation part = {generation->number, generation->segments, 0};
    for (size_t i = 0; i < generation->count; i++) {
        if (generation->segments[i].worker < worker)
            part.segments = &generation->segments[i + 1];
        part.count += generation->segments[i].worker == worker;
    }
    return part;
}

/* Workers whose segments are gone may still have requests in usage_open. */
static enum status recover_workers(const struct recovery_config *config,
                                   const struct generation *generation,
                                   struct recovery_result *result, struct reason *reason)
{
    uint32_t end =
        generation->count > 0 ? generation->segments[generation->count - 1].worker + 1 : 0;
    enum status status =
        store_opens_list(config->store, generation->number, note_worker, &end, reason);
    for (uint32_t worker = 0; status == STATUS_OK && worker < end; worker++) {
        const struct generation part = part_of(generation, worker);
        status = recover_worker(config, &part, worker, result, reason);
    }
    return status;
}

static struct generation find_generation(const struct directory_listing *listing, uint64_t number)
{
    struct generation found = {number, listing->segments, 0};
    for (size_t i = 0; i < listing->segment_count; i++) {
        if (listing->segments[i].generation < number)
            found.segments = &listing->segments[i + 1];
        found.count += listing->segments[i].generation == number;
    }
    return found;
}

enum status recovery_run(const struct recovery_config *config, uint64_t generation,
                         struct recovery_result *result_out, struct reason *reason)
{
    struct directory_listing listing;
    *result_out = (struct recovery_result){0};
    enum status status = directory_list(config->directory, &listing, reason);
    if (status != STATUS_OK)
        return status;
    const struct generation found = find_generation(&listing, generation);
    status = recover_workers(config, &found, result_out, reason);
    if (status == STATUS_OK)
        status = forget(config, &found, reason);
    directory_listing_free(&listing);
    return status;
}
