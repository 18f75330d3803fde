#include "ledger/keeper.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "ledger/fault.h"
#include "ledger/segment_file.h"
#include "ledger/stop.h"

#define AHEAD_BYTES  (1024u * 1024) /* prepared beyond what is reserved, at least */
#define AHEAD_MAX    (16u * 1024 * 1024)
#define STEP_BYTES   (256u * 1024) /* at a time */
#define TICK_MS      10
#define IDLE_TICK_MS 50
#define SPARE_MAX    4 /* drained segments that are kept for the next need */
#define LANE_MIN     3 /* segments that a worker may always have */
#define RETRY_MS     1000
#define QUIET_MS     3000 /* without a failure, before it is said to be over */
#define LASTING_MS   1000 /* being full or without an answer of the disk is said after that */

/* One worker's segments, in the order of their numbers, without gaps. */
struct lane {
    struct journal *journal;
    struct segment_file *files;
    size_t count, capacity;
    uint64_t synced;          /* position */
    uint64_t seen;            /* what was appended at the tick before */
    uint64_t rate;            /* bytes a second that its worker has come to lately */
    _Atomic uint64_t drained; /* segments below are in the store */
};

struct keeper {
    struct keeper_config config;
    struct lane *lanes;
    struct segment_file spares[SPARE_MAX];
    size_t spare_count;
    size_t segment_count; /* spares included */
    uint64_t synced_ms;
    uint64_t ticked_ms;
    uint64_t retry_ms;  /* not before, after a failure */
    uint64_t rescue_ms; /* the same, of replacing a segment */
    uint64_t failed_ms; /* when something failed last */
    bool is_reported;
    uint64_t full_since_ms; /* when is_full changed last */
    bool is_full_reported;
    bool must_rescue;     /* a segment's file has failed and is not replaced yet */
    unsigned faults_seen; /* of fault_count() */
    pthread_mutex_t lock; /* of the lanes' arrays, which the drain reads */
    pthread_t thread;
    bool has_thread;
    struct stop stop;
    /* Told to others. */
    _Atomic uint64_t probe_since_ms; /* 0: the disk has answered */
    _Atomic uint64_t segments_told, syncs, sync_failures, sync_longest_us;
    atomic_bool is_full, has_failed;
};

static uint64_t now_ms(void)
{
    return clock_monotonic_ns() / NS_PER_MS;
}

static uint64_t number_of(const struct keeper *keeper, uint64_t position)
{
    return position / keeper->config.segment_bytes;
}

static uint64_t appended(const struct lane *lane)
{
    return atomic_load_explicit(&lane->journal->appended, memory_order_acquire);
}

/* --- Telling --------------------------------------------------------------------------------------------- */

static void tell_failure(struct keeper *keeper, const struct reason *reason)
{
    atomic_store(&keeper->has_failed, true);
    keeper->failed_ms = now_ms();
    if (!keeper->is_reported)
        keeper->config.report(keeper->config.context, true, reason->text);
    keeper->is_reported = true;
}

static void tell_success(struct keeper *keeper)
{
    atomic_store(&keeper->has_failed, false);
    if (!keeper->is_reported || now_ms() < keeper->failed_ms + QUIET_MS)
        return;
    keeper->config.report(keeper->config.context, false, "the journal's disk works again");
    keeper->is_reported = false;
}

/* Near the limit it comes and goes with each batch that the store takes. */
static void tell_full(struct keeper *keeper, bool is_full)
{
    const uint64_t time = now_ms();
    if (atomic_exchange(&keeper->is_full, is_full) != is_full)
        keeper->full_since_ms = time;
    if (is_full == keeper->is_full_reported ||
        time < keeper->full_since_ms + (is_full ? LASTING_MS : QUIET_MS))
        return;
    keeper->is_full_reported = is_full;
    keeper->config.report(keeper->config.context, is_full,
                          is_full
                              ? "the journal has reached ledger.journal_bytes; it takes no more "
                                "requests until the store has taken some of it"
                              : "the journal has room again");
}

static void tell_stall(struct keeper *keeper, uint64_t took_ms)
{
    char text[96];
    if (took_ms < LASTING_MS)
        return;
    snprintf(text, sizeof(text), "the journal's disk gave no answer for %u.%u s",
             (unsigned)(took_ms / 1000), (unsigned)(took_ms % 1000 / 100));
    keeper->config.report(keeper->config.context, true, text);
}

/* --- Segments ---------------------------------------------------------------------------------------------- */

static enum status add_file(struct keeper *keeper, struct lane *lane,
                            const struct segment_file *file)
{
    enum status status = STATUS_OK;
    pthread_mutex_lock(&keeper->lock);
    if (lane->count == lane->capacity) {
        const size_t capacity = lane->capacity == 0 ? 8 : lane->capacity * 2;
        void *grown = alloc_resize(lane->files, capacity * sizeof(lane->files[0]));
        if (grown == NULL) {
            status = STATUS_NO_MEMORY;
        } else {
            lane->files = grown;
            lane->capacity = capacity;
        }
    }
    if (status == STATUS_OK)
        lane->files[lane->count++] = *file;
    pthread_mutex_unlock(&keeper->lock);
    return status;
}

/* Room for one more, and for what every other worker may always have: what is prepared for one
 * worker's many requests keeps no other from going on. */
static bool has_room(const struct keeper *keeper, const struct lane *lane)
{
    uint64_t count = keeper->segment_count - keeper->spare_count + 1;
    for (uint32_t i = 0; i < keeper->config.worker_count; i++) {
        const struct lane *other = &keeper->lanes[i];
        if (other != lane && other->count < LANE_MIN)
            count += LANE_MIN - other->count;
    }
    return count * keeper->config.segment_bytes <= keeper->config.journal_bytes &&
           count <= FAULT_SEGMENTS_MAX;
}

/* A spare or a new file. STATUS_LIMITED: the journal may not grow. */
static enum status obtain_file(struct keeper *keeper, const struct segment_identity *identity,
                               struct segment_file *file_out, struct reason *reason)
{
    if (!has_room(keeper, &keeper->lanes[identity->worker]))
        return STATUS_LIMITED;
    if (keeper->spare_count > 0) {
        *file_out = keeper->spares[--keeper->spare_count];
        const enum status status =
            segment_file_recycle(keeper->config.directory, file_out, identity, reason);
        if (status == STATUS_OK)
            return STATUS_OK;
        keeper->segment_count--;
        segment_file_destroy(keeper->config.directory, file_out, true);
        return status;
    }
    const enum status status = segment_file_create(keeper->config.directory, identity,
                                                   keeper->config.segment_bytes, file_out, reason);
    if (status == STATUS_OK)
        keeper->segment_count++;
    return status;
}

static enum status add_segment(struct keeper *keeper, uint32_t worker, uint64_t number,
                               struct reason *reason)
{
    struct lane *lane = &keeper->lanes[worker];
    const struct segment_identity identity = {keeper->config.lock->generation, worker, number};
    struct segment_file file;
    enum status status = obtain_file(keeper, &identity, &file, reason);
    if (status != STATUS_OK)
        return status;
    status = add_file(keeper, lane, &file);
    if (status != STATUS_OK) {
        keeper->segment_count--;
        segment_file_destroy(keeper->config.directory, &file, true);
        reason_set(reason, "out of memory for the journal");
        return status;
    }
    atomic_store_explicit(&lane->journal->prepared[number % JOURNAL_AHEAD_MAX], file.bytes,
                          memory_order_release);
    return STATUS_OK;
}

static void drop_first(struct keeper *keeper, struct lane *lane)
{
    struct segment_file file = lane->files[0];
    pthread_mutex_lock(&keeper->lock);
    lane->count--;
    memmove(&lane->files[0], &lane->files[1], lane->count * sizeof(lane->files[0]));
    pthread_mutex_unlock(&keeper->lock);
    if (keeper->spare_count < SPARE_MAX && !file.has_failed && !fault_has_failed(file.bytes)) {
        keeper->spares[keeper->spare_count++] = file;
        return;
    }
    keeper->segment_count--;
    segment_file_destroy(keeper->config.directory, &file, true);
}

/* The worker's own segment stays, drained or not. */
static void recycle(struct keeper *keeper, struct lane *lane)
{
    const uint64_t drained = atomic_load_explicit(&lane->drained, memory_order_acquire);
    const uint64_t current = number_of(keeper, appended(lane) - 1);
    while (lane->count > 1 && lane->files[0].identity.number < drained &&
           lane->files[0].identity.number < current)
        drop_first(keeper, lane);
}

/* --- Preparing ------------------------------------------------------------------------------------------------ */

static bool last_has_failed(const struct lane *lane)
{
    if (lane->count == 0)
        return false;
    const struct segment_file *file = &lane->files[lane->count - 1];
    return file->has_failed || fault_has_failed(file->bytes);
}

/* The kernel marks pages as clean even where writing them failed, so nothing is tried again with this
 * file: its worker leaves it, and it is replaced. */
static void leave(struct lane *lane, struct segment_file *file)
{
    file->has_failed = true;
    if (atomic_load(&lane->journal->leave) < file->identity.number)
        atomic_store(&lane->journal->leave, file->identity.number);
}

/* Where the worker will append next: behind the segments that it is to leave. */
static uint64_t start_of(const struct keeper *keeper, const struct lane *lane)
{
    const uint64_t position = appended(lane);
    const uint64_t last = atomic_load(&lane->journal->leave);
    return last < number_of(keeper, position)
               ? position
               : (last + 1) * keeper->config.segment_bytes + SEGMENT_PAGE_BYTES;
}

/* Prepares the next pages of the lane's last segment. */
static enum status populate(struct lane *lane, uint64_t number, size_t offset,
                            struct reason *reason)
{
    struct segment_file *file = &lane->files[lane->count - 1];
    const size_t size = file->size;
    const size_t end = offset + STEP_BYTES < size ? offset + STEP_BYTES : size;
    const enum status status = segment_file_populate(file, offset, end, reason);
    if (status != STATUS_OK) {
        leave(lane, file);
        return status;
    }
    atomic_store_explicit(&lane->journal->mark, number * size + (end == size ? size - 1 : end),
                          memory_order_release);
    return STATUS_OK;
}

/* Prepared beyond what is reserved: what the worker appends in a second, since a sync, or a page that
 * is to be prepared, may take as long. */
static uint64_t spare_bytes(const struct keeper *keeper, const struct lane *lane)
{
    const uint64_t share = keeper->config.journal_bytes / (4 * keeper->config.worker_count);
    const uint64_t half = keeper->config.segment_bytes / 2;
    uint64_t most = share < AHEAD_MAX ? share : AHEAD_MAX;
    uint64_t least = AHEAD_BYTES < half ? AHEAD_BYTES : half;
    if (most < least)
        most = least;
    return lane->rate < least ? least : lane->rate > most ? most : lane->rate;
}

/* Moves the mark by one step. STATUS_AGAIN: it is far enough. */
static enum status advance(struct keeper *keeper, uint32_t worker, struct reason *reason)
{
    struct lane *lane = &keeper->lanes[worker];
    struct journal *journal = lane->journal;
    const uint64_t size = keeper->config.segment_bytes;
    const uint64_t mark = atomic_load_explicit(&journal->mark, memory_order_relaxed);
    const uint64_t reserved = atomic_load_explicit(&journal->reserved_told, memory_order_relaxed);
    const uint64_t position = appended(lane);
    const uint64_t ahead = reserved + reserved / 8 + spare_bytes(keeper, lane);
    uint64_t number = lane->count > 0 ? lane->files[lane->count - 1].identity.number : 0;
    size_t offset = mark % size;
    if (mark >= start_of(keeper, lane) + ahead)
        return STATUS_AGAIN;
    if (offset == size - 1 || last_has_failed(lane)) { /* no more of this segment */
        if (++number - number_of(keeper, position) >= JOURNAL_AHEAD_MAX - 1)
            return STATUS_AGAIN;
        const enum status status = add_segment(keeper, worker, number, reason);
        if (status != STATUS_OK)
            return status;
        offset = SEGMENT_PAGE_BYTES;
    }
    return populate(lane, number, offset, reason);
}

static void fail_segment(struct keeper *keeper, struct lane *lane, struct segment_file *file,
                         const struct reason *reason)
{
    leave(lane, file);
    keeper->must_rescue = true;
    tell_failure(keeper, reason);
}

/* A file that was cut short is noticed when somebody touches what it has lost. */
static void note_faults(struct keeper *keeper)
{
    const unsigned count = fault_count();
    struct reason reason;
    if (count == keeper->faults_seen)
        return;
    keeper->faults_seen = count;
    reason_set(&reason, "the journal's file gave way under a store (bus error)");
    for (uint32_t i = 0; i < keeper->config.worker_count; i++) {
        struct lane *lane = &keeper->lanes[i];
        for (size_t j = 0; j < lane->count; j++) {
            if (!lane->files[j].has_failed && fault_has_failed(lane->files[j].bytes))
                fail_segment(keeper, lane, &lane->files[j], &reason);
        }
    }
}

/* Pages that the kernel has cleaned since they were prepared would make the worker wait. */
static void refresh(struct keeper *keeper, struct lane *lane)
{
    struct reason reason;
    const uint64_t size = keeper->config.segment_bytes;
    const uint64_t position = appended(lane);
    const uint64_t mark = atomic_load_explicit(&lane->journal->mark, memory_order_relaxed);
    const uint64_t number = number_of(keeper, position);
    if (lane->count == 0 || number < lane->files[0].identity.number ||
        number - lane->files[0].identity.number >= lane->count)
        return;
    struct segment_file *file = &lane->files[number - lane->files[0].identity.number];
    const size_t from = position % size / SEGMENT_PAGE_BYTES * SEGMENT_PAGE_BYTES;
    size_t to = number == number_of(keeper, mark) ? mark % size : size;
    to -= to % SEGMENT_PAGE_BYTES;
    if (to > from + AHEAD_BYTES)
        to = from + AHEAD_BYTES;
    if (to > from && !file->has_failed &&
        segment_file_populate(file, from, to, &reason) != STATUS_OK)
        fail_segment(keeper, lane, file, &reason);
}

/* STATUS_AGAIN: it is far enough. STATUS_LIMITED: at journal_bytes. */
static enum status prepare(struct keeper *keeper, uint32_t worker, struct reason *reason)
{
    enum status status;
    do
        status = advance(keeper, worker, reason);
    while (status == STATUS_OK);
    return status;
}

static void prepare_all(struct keeper *keeper)
{
    struct reason reason = {0};
    bool is_full = false;
    bool has_failed = false;
    for (uint32_t i = 0; i < keeper->config.worker_count; i++) {
        const enum status status = prepare(keeper, i, &reason);
        is_full |= status == STATUS_LIMITED;
        has_failed |= status != STATUS_LIMITED && status != STATUS_AGAIN;
    }
    tell_full(keeper, is_full);
    if (has_failed) {
        keeper->retry_ms = now_ms() + RETRY_MS;
        tell_failure(keeper, &reason);
    } else if (!is_full && !keeper->must_rescue) {
        tell_success(keeper);
    }
}

/* --- Syncing ---------------------------------------------------------------------------------------------------- */

static void note_sync(struct keeper *keeper, uint64_t took_us)
{
    atomic_fetch_add(&keeper->syncs, 1);
    if (took_us > atomic_load(&keeper->sync_longest_us))
        atomic_store(&keeper->sync_longest_us, took_us);
}

static void sync_segment(struct keeper *keeper, struct lane *lane, struct segment_file *file,
                         size_t from, size_t to)
{
    struct reason reason;
    const uint64_t start_ns = clock_monotonic_ns();
    if (file->has_failed || to <= from)
        return;
    if (segment_file_sync(keeper->config.directory, file, from, to, &reason) != STATUS_OK) {
        atomic_fetch_add(&keeper->sync_failures, 1);
        fail_segment(keeper, lane, file, &reason);
    }
    note_sync(keeper, (clock_monotonic_ns() - start_ns) / 1000);
}

/* Syncs the finished pages from the last synced position on; all pages where nobody appends any
 * more. */
static void sync_lane(struct keeper *keeper, struct lane *lane, bool is_final)
{
    const uint64_t size = keeper->config.segment_bytes;
    const uint64_t position = appended(lane);
    const uint64_t end = position + (is_final ? SEGMENT_PAGE_BYTES - 1 : 0);
    for (size_t i = 0; i < lane->count; i++) {
        struct segment_file *file = &lane->files[i];
        const uint64_t start = file->identity.number * size;
        if (start + size <= lane->synced || start >= end)
            continue;
        const uint64_t from = lane->synced > start ? lane->synced - start : 0;
        /* The end of a segment may lie within it: what comes after it is the next one's. */
        const bool is_left = end >= start + size && number_of(keeper, end) > file->identity.number;
        const uint64_t to =
            is_left ? size : (end - start) / SEGMENT_PAGE_BYTES * SEGMENT_PAGE_BYTES;
        sync_segment(keeper, lane, file, (size_t)from, (size_t)to);
        if (start + to > lane->synced)
            lane->synced = start + to;
    }
}

/* Whether the worker shall start a new page, or leave its segment. */
static bool must_move(const struct keeper *keeper, const struct lane *lane)
{
    const uint64_t end = appended(lane);
    return lane->count > 0 &&
           (end > lane->synced || (end > keeper->config.segment_bytes &&
                                   atomic_load(&lane->journal->leave) >= number_of(keeper, end)));
}

/* A segment whose file failed is replaced once its worker has left it. */
static void rescue(struct keeper *keeper, struct lane *lane, bool is_final)
{
    const uint64_t current = is_final ? UINT64_MAX : number_of(keeper, appended(lane));
    for (size_t i = 0; i < lane->count; i++) {
        struct segment_file *file = &lane->files[i];
        struct reason reason;
        if (!file->has_failed || file->is_replaced)
            continue;
        keeper->must_rescue = true;
        if (file->identity.number >= current || (!is_final && now_ms() < keeper->rescue_ms))
            continue;
        if (segment_file_rescue(keeper->config.directory, file, &reason) == STATUS_OK)
            continue;
        keeper->rescue_ms = now_ms() + RETRY_MS;
        tell_failure(keeper, &reason);
    }
}

static void sync_all(struct keeper *keeper)
{
    keeper->must_rescue = false;
    for (uint32_t i = 0; i < keeper->config.worker_count; i++) {
        struct lane *lane = &keeper->lanes[i];
        sync_lane(keeper, lane, false);
        rescue(keeper, lane, false);
        if (must_move(keeper, lane))
            keeper->config.finish_page(keeper->config.context, i);
    }
}

/* --- The thread ---------------------------------------------------------------------------------------------------- */

/* Asks the disk for something small, so that one which hangs (a frozen file system) is noticed
 * before a worker needs it. */
static void probe(struct keeper *keeper)
{
    const uint64_t time = now_ms();
    char text[32];
    const int size = snprintf(text, sizeof(text), "%d\n", (int)getpid());
    atomic_store(&keeper->probe_since_ms, time);
    const ssize_t written = pwrite(keeper->config.lock->fd, text, (size_t)size, 0);
    (void)written; /* that it answers is what counts; whether it works, the segments tell */
    atomic_store(&keeper->probe_since_ms, 0);
    tell_stall(keeper, now_ms() - time);
}

/* Quick to rise, and slow to fall. */
static void note_rate(struct lane *lane, uint64_t rate)
{
    lane->rate -= lane->rate / 128;
    if (rate > lane->rate)
        lane->rate = rate;
}

static bool is_active(struct keeper *keeper, uint64_t time_ms)
{
    const uint64_t elapsed_ms = time_ms > keeper->ticked_ms ? time_ms - keeper->ticked_ms : 1;
    bool active = false;
    keeper->ticked_ms = time_ms;
    for (uint32_t i = 0; i < keeper->config.worker_count; i++) {
        struct lane *lane = &keeper->lanes[i];
        const uint64_t position = appended(lane);
        active |= position != lane->seen ||
                  atomic_load_explicit(&lane->journal->reserved_told, memory_order_relaxed) > 0;
        note_rate(lane, (position - lane->seen) * MS_PER_S / elapsed_ms);
        lane->seen = position;
    }
    return active;
}

static bool tick(struct keeper *keeper)
{
    const uint64_t time = now_ms();
    const bool active = is_active(keeper, time);
    if (active)
        probe(keeper);
    note_faults(keeper);
    for (uint32_t i = 0; i < keeper->config.worker_count; i++) {
        recycle(keeper, &keeper->lanes[i]);
        if (active)
            refresh(keeper, &keeper->lanes[i]);
    }
    if (time >= keeper->retry_ms)
        prepare_all(keeper);
    if (time >= keeper->synced_ms + keeper->config.sync_ms) {
        keeper->synced_ms = time;
        sync_all(keeper);
    }
    atomic_store(&keeper->segments_told, keeper->segment_count);
    return active;
}

static void *run(void *argument)
{
    struct keeper *keeper = argument;
    pthread_setname_np(pthread_self(), "weir-journal");
    while (!stop_is_requested(&keeper->stop))
        stop_wait(&keeper->stop, tick(keeper) ? TICK_MS : IDLE_TICK_MS);
    return NULL;
}

/* --- Lifecycle -------------------------------------------------------------------------------------------------------- */

static enum status prepare_first(struct keeper *keeper, struct reason *reason)
{
    if (keeper->config.worker_count * LANE_MIN * keeper->config.segment_bytes >
        keeper->config.journal_bytes) {
        reason_set(reason, "ledger.journal_bytes is too small for %u workers",
                   keeper->config.worker_count);
        return STATUS_INVALID;
    }
    for (uint32_t i = 0; i < keeper->config.worker_count; i++) {
        keeper->lanes[i].journal = keeper->config.journals[i];
        keeper->lanes[i].synced = keeper->config.segment_bytes; /* there is no segment 0 */
        keeper->lanes[i].seen = appended(&keeper->lanes[i]);
        const enum status status = prepare(keeper, i, reason);
        if (status != STATUS_AGAIN && status != STATUS_LIMITED)
            return status;
    }
    return STATUS_OK;
}

enum status keeper_create(const struct keeper_config *config, struct keeper **keeper_out,
                          struct reason *reason)
{
    struct keeper *keeper = alloc_zeroed(1, sizeof(*keeper));
    if (keeper != NULL)
        keeper->lanes = alloc_zeroed(config->worker_count, sizeof(keeper->lanes[0]));
    if (keeper == NULL || keeper->lanes == NULL) {
        alloc_free(keeper);
        reason_set(reason, "out of memory for the journal");
        return STATUS_NO_MEMORY;
    }
    keeper->config = *config;
    keeper->ticked_ms = now_ms();
    fault_install();
    pthread_mutex_init(&keeper->lock, NULL);
    stop_init(&keeper->stop);
    enum status status = prepare_first(keeper, reason);
    if (status == STATUS_OK && pthread_create(&keeper->thread, NULL, run, keeper) != 0) {
        reason_set(reason, "cannot start the journal's thread");
        status = STATUS_NO_MEMORY;
    }
    keeper->has_thread = status == STATUS_OK;
    if (status != STATUS_OK)
        keeper_destroy(&keeper, true);
    *keeper_out = keeper;
    return status;
}

static void destroy_files(struct keeper *keeper, bool removes)
{
    for (size_t i = 0; i < keeper->spare_count; i++)
        segment_file_destroy(keeper->config.directory, &keeper->spares[i], true);
    for (uint32_t i = 0; i < keeper->config.worker_count; i++) {
        struct lane *lane = &keeper->lanes[i];
        for (size_t j = 0; j < lane->count; j++)
            segment_file_destroy(keeper->config.directory, &lane->files[j], removes);
        alloc_free(lane->files);
    }
}

void keeper_destroy(struct keeper **keeper_pointer, bool removes)
{
    struct keeper *keeper = *keeper_pointer;
    if (keeper == NULL)
        return;
    if (keeper->has_thread) {
        stop_request(&keeper->stop);
        pthread_join(keeper->thread, NULL);
    }
    for (uint32_t i = 0; !removes && i < keeper->config.worker_count; i++) {
        sync_lane(keeper, &keeper->lanes[i], true);
        rescue(keeper, &keeper->lanes[i], true);
    }
    destroy_files(keeper, removes);
    pthread_mutex_destroy(&keeper->lock);
    stop_fini(&keeper->stop);
    alloc_free(keeper->lanes);
    alloc_free(keeper);
    *keeper_pointer = NULL;
}

/* --- For others --------------------------------------------------------------------------------------------------------- */

const char *keeper_segment(struct keeper *keeper, uint32_t worker, uint64_t number)
{
    const struct lane *lane = &keeper->lanes[worker];
    const char *bytes = NULL;
    pthread_mutex_lock(&keeper->lock);
    if (lane->count > 0 && number >= lane->files[0].identity.number &&
        number - lane->files[0].identity.number < lane->count)
        bytes = lane->files[number - lane->files[0].identity.number].bytes;
    pthread_mutex_unlock(&keeper->lock);
    return bytes;
}

void keeper_drained(struct keeper *keeper, uint32_t worker, uint64_t number)
{
    atomic_store_explicit(&keeper->lanes[worker].drained, number, memory_order_release);
}

bool keeper_is_full(const struct keeper *keeper)
{
    return atomic_load_explicit(&keeper->is_full, memory_order_relaxed);
}

uint64_t keeper_stall_ms(const struct keeper *keeper, uint64_t time_ms)
{
    const uint64_t since = atomic_load_explicit(&keeper->probe_since_ms, memory_order_relaxed);
    return since != 0 && time_ms > since ? time_ms - since : 0;
}

void keeper_figures(const struct keeper *keeper, struct keeper_figures *figures_out)
{
    *figures_out = (struct keeper_figures){
        .segments = atomic_load(&keeper->segments_told),
        .syncs = atomic_load(&keeper->syncs),
        .sync_failures = atomic_load(&keeper->sync_failures),
        .sync_longest_us = atomic_load(&keeper->sync_longest_us),
        .is_full = atomic_load(&keeper->is_full),
        .has_failed =
            atomic_load(&keeper->has_failed) || keeper_stall_ms(keeper, now_ms()) > LASTING_MS,
    };
    figures_out->segment_bytes_total = figures_out->segments * keeper->config.segment_bytes;
    for (uint32_t i = 0; i < keeper->config.worker_count; i++) {
        const struct lane *lane = &keeper->lanes[i];
        const uint64_t drained = atomic_load(&lane->drained) * keeper->config.segment_bytes;
        const uint64_t end = appended(lane);
        figures_out->undrained_bytes += end > drained && drained > 0 ? end - drained : 0;
        figures_out->appended_records +=
            atomic_load_explicit(&lane->journal->appended_count, memory_order_relaxed);
    }
}
