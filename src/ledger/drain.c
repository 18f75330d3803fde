#include "ledger/drain.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/promptness.h"
#include "ledger/recovery.h"
#include "ledger/source.h"
#include "ledger/stop.h"

#define PAUSE_MS    200   /* between two looks at the journals */
#define FULL_MS     20    /* the same, and between two syncs, while workers wait for room */
#define RETRY_MS    1000  /* after the store failed */
#define RECOVER_MS  10000 /* between two looks for generations that fell free */
#define DURABLE_MS  1000  /* between two syncs of the store, for segments that wait for it */
#define RETAIN_MS   60000
#define REFUSED_MAX 64 /* generations of other versions that are remembered */

struct drain {
    struct drain_config config;
    struct source *sources;
    struct batch batch;
    bool batch_is_waiting; /* collected, but the store has refused it so far */
    bool must_sync;        /* segments were left since the store was synced */
    bool is_reported;
    bool recovery_has_failed; /* since it was last tried */
    uint32_t first;           /* the worker whose journal is looked at first: they take turns */
    uint64_t recover_at_ms, sync_at_ms, retain_at_ms;
    uint64_t passed_over[REFUSED_MAX];
    size_t passed_over_count;
    pthread_t thread;
    struct stop stop;
    uint64_t stop_by_ms;
    bool has_just_failed; /* one's own part of the last turn */
    bool is_drained;      /* at the end: everything is in the store */
    /* Told to others. */
    _Atomic uint64_t rows, batches, failures, records, records_lost, orphans, recovered_rows;
    _Atomic uint64_t busy_ns, open_requests;
    _Atomic uint64_t catch_ups_asked, catch_ups_done;
    atomic_bool is_recovering, has_failed;
};

static uint64_t now_ms(void)
{
    return clock_monotonic_ns() / NS_PER_MS;
}

/* --- Telling ------------------------------------------------------------------------------------------------ */

static void tell_failure(struct drain *drain, const struct reason *reason)
{
    atomic_fetch_add(&drain->failures, 1);
    atomic_store(&drain->has_failed, true);
    if (!drain->is_reported)
        drain->config.report(drain->config.context, true, reason->text);
    drain->is_reported = true;
}

static void tell_success(struct drain *drain)
{
    atomic_store(&drain->has_failed, false);
    if (drain->is_reported)
        drain->config.report(drain->config.context, false,
                             "the store takes the ledger's records again");
    drain->is_reported = false;
}

static void tell_recovered(struct drain *drain, uint64_t generation,
                           const struct recovery_result *result)
{
    char text[256];
    atomic_fetch_add(&drain->orphans, result->orphans);
    atomic_fetch_add(&drain->recovered_rows, result->rows);
    atomic_fetch_add(&drain->records_lost, result->records_lost);
    if (result->rows == 0 && result->records_lost == 0)
        return;
    snprintf(text, sizeof(text),
             "took over the journal of a process that died (generation %" PRIu64 "): %" PRIu64
             " requests, %" PRIu64 " of them were open, %" PRIu64 " records were damaged",
             generation, result->rows, result->orphans, result->records_lost);
    drain->config.report(drain->config.context, result->records_lost > 0, text);
}

/* --- Recovery -------------------------------------------------------------------------------------------------- */

static bool is_passed_over(const struct drain *drain, uint64_t generation)
{
    for (size_t i = 0; i < drain->passed_over_count; i++)
        if (drain->passed_over[i] == generation)
            return true;
    return false;
}

static void pass_over(struct drain *drain, uint64_t generation, const struct reason *reason)
{
    drain->config.report(drain->config.context, true, reason->text);
    if (drain->passed_over_count < REFUSED_MAX)
        drain->passed_over[drain->passed_over_count++] = generation;
}

static enum status recover_one(struct drain *drain, uint64_t generation, struct reason *reason)
{
    const struct recovery_config config = {
        .directory = drain->config.directory,
        .store = drain->config.store,
        .seal = &drain->config.seal,
        .orphans_are_charged = drain->config.orphans_are_charged,
    };
    struct generation_lock lock;
    struct recovery_result result;
    enum status status =
        directory_lock_generation(drain->config.directory, generation, &lock, reason);
    if (status == STATUS_EXISTS || status == STATUS_NOT_FOUND)
        return STATUS_OK; /* its process lives, or another has just recovered it */
    if (status != STATUS_OK)
        return status;
    status = recovery_run(&config, generation, &result, reason);
    if (status == STATUS_OK || result.rows > 0)
        tell_recovered(drain, generation, &result);
    directory_unlock_generation(drain->config.directory, &lock, status == STATUS_OK);
    if (status != STATUS_UNSUPPORTED)
        return status;
    pass_over(drain, generation, reason);
    return STATUS_OK;
}

static enum status recover(struct drain *drain, struct reason *reason)
{
    struct directory_listing listing;
    enum status status = directory_list(drain->config.directory, &listing, reason);
    if (status != STATUS_OK)
        return status;
    for (size_t i = 0; i < listing.generation_count; i++) {
        const uint64_t generation = listing.generations[i];
        struct reason why = {0};
        if (generation == drain->config.generation || is_passed_over(drain, generation))
            continue;
        const enum status one = recover_one(drain, generation, &why);
        if (one != STATUS_OK) { /* the others are not to wait for it */
            status = one;
            *reason = why;
        }
    }
    directory_listing_free(&listing);
    return status;
}

static enum status recover_if_due(struct drain *drain, struct reason *reason)
{
    if (now_ms() < drain->recover_at_ms || stop_is_requested(&drain->stop))
        return STATUS_OK;
    const enum status status = recover(drain, reason);
    drain->recover_at_ms = now_ms() + (status == STATUS_OK ? RECOVER_MS : RETRY_MS);
    drain->recovery_has_failed = status != STATUS_OK;
    if (status == STATUS_OK)
        atomic_store(&drain->is_recovering, false);
    return status;
}

/* --- Following ------------------------------------------------------------------------------------------------- */

static struct slice live_segment(void *context, uint32_t worker, uint64_t number)
{
    const struct drain *drain = context;
    const char *bytes = keeper_segment(drain->config.keeper, worker, number);
    return slice_of(bytes, bytes == NULL ? 0 : drain->config.segment_bytes);
}

static void init_sources(struct drain *drain)
{
    for (uint32_t i = 0; i < drain->config.worker_count; i++)
        drain->sources[i] = (struct source){
            .generation = drain->config.generation,
            .worker = i,
            .reader = {.offset = SEGMENT_PAGE_BYTES,
                       .sequence = 1,
                       .seed = segment_seed(drain->config.generation, i)},
            .segment = live_segment,
            .context = drain,
            .appended = &drain->config.journals[i]->appended,
            .segment_bytes = drain->config.segment_bytes,
        };
}

static void note_sources(struct drain *drain)
{
    uint64_t open = 0;
    uint64_t lost = 0;
    for (uint32_t i = 0; i < drain->config.worker_count; i++) {
        open += drain->sources[i].open.count;
        lost += drain->sources[i].records_lost;
        drain->sources[i].records_lost = 0;
    }
    atomic_store(&drain->open_requests, open);
    if (lost == 0)
        return;
    atomic_fetch_add(&drain->records_lost, lost);
    drain->config.report(drain->config.context, true,
                         "records of the journal are damaged; something has written to its files");
}

/* *is_more_out: there may be more than the batch took. What was taken before a failure is in it. */
static enum status collect(struct drain *drain, bool *is_more_out, struct reason *reason)
{
    const uint32_t count = drain->config.worker_count;
    enum status failed = STATUS_OK;
    for (uint32_t i = 0; i < count; i++) {
        struct source *source = &drain->sources[(drain->first + i) % count];
        const enum status status = source_collect(source, &drain->batch);
        *is_more_out |= status == STATUS_OK;
        if (status == STATUS_OK || status == STATUS_AGAIN)
            continue;
        failed = status;
        const char *why = status == STATUS_NO_MEMORY
                              ? "out of memory for the ledger's records"
                              : "the journal holds a record of another version of weir";
        reason_set(reason, "%s", why);
    }
    if (++drain->first >= count)
        drain->first = 0;
    note_sources(drain);
    return failed;
}

/* Segments are used again once what they held is safe against a power cut too. */
static enum status free_segments(struct drain *drain, struct reason *reason)
{
    const bool is_full = keeper_is_full(drain->config.keeper);
    const uint64_t time = now_ms() + (is_full ? DURABLE_MS - FULL_MS : 0);
    if (!drain->must_sync || time < drain->sync_at_ms)
        return STATUS_OK;
    enum status status = store_sync(drain->config.store, reason);
    if (status == STATUS_OK) /* the file may have been deleted since it was written */
        status = store_check_file(drain->config.store, reason);
    if (status != STATUS_OK)
        return status;
    drain->must_sync = false;
    drain->sync_at_ms = now_ms() + DURABLE_MS;
    for (uint32_t i = 0; i < drain->config.worker_count; i++)
        keeper_drained(drain->config.keeper, i, drain->sources[i].number);
    return STATUS_OK;
}

static enum status apply(struct drain *drain, struct reason *reason)
{
    struct batch_result result = {0};
    const enum status status =
        batch_apply(&drain->batch, drain->config.store, &drain->config.seal, &result, reason);
    drain->batch_is_waiting = status != STATUS_OK;
    if (status != STATUS_OK)
        return status;
    atomic_fetch_add(&drain->rows, result.inserted);
    atomic_fetch_add(&drain->batches, 1);
    atomic_fetch_add(&drain->records, drain->batch.records);
    batch_clear(&drain->batch);
    drain->must_sync = true;
    return STATUS_OK;
}

/* --- Retention ---------------------------------------------------------------------------------------------------- */

/* One step a turn, so that journals are not kept waiting; a look each minute where nothing is old. */
static enum status retain(struct drain *drain, struct reason *reason)
{
    const struct drain_config *config = &drain->config;
    if (config->retention_us == 0 || config->retain == NULL || now_ms() < drain->retain_at_ms)
        return STATUS_OK;
    const uint64_t before_us = clock_realtime_us() - config->retention_us;
    const enum status status =
        config->retain(config->seal.context, config->store, before_us, reason);
    if (status != STATUS_OK)
        drain->retain_at_ms = now_ms() + RETAIN_MS;
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

/* --- The thread ------------------------------------------------------------------------------------------------------ */

/* One's own journals: collected, written, their segments freed. */
static enum status follow(struct drain *drain, bool *is_more_out, struct reason *reason)
{
    enum status collected = STATUS_OK;
    enum status status = STATUS_OK;
    if (!drain->batch_is_waiting)
        collected = collect(drain, is_more_out, reason);
    if (!batch_is_empty(&drain->batch) || drain->batch_is_waiting)
        status = apply(drain, reason);
    if (status == STATUS_OK)
        status = free_segments(drain, reason);
    return status == STATUS_OK ? collected : status;
}

/* True: there is more to do at once. A failed recovery keeps nothing else from going on. */
static bool turn(struct drain *drain)
{
    struct reason reason = {0};
    bool is_more = false;
    const enum status recovered = recover_if_due(drain, &reason);
    if (recovered != STATUS_OK)
        tell_failure(drain, &reason);
    enum status status = follow(drain, &is_more, &reason);
    if (status == STATUS_OK && !stop_is_requested(&drain->stop))
        status = retain(drain, &reason);
    drain->has_just_failed = status != STATUS_OK;
    if (status != STATUS_OK)
        tell_failure(drain, &reason);
    else if (!drain->recovery_has_failed)
        tell_success(drain);
    return status == STATUS_OK && is_more;
}

static bool wait_for_more(struct drain *drain)
{
    uint64_t pause_ms = drain->has_just_failed ? RETRY_MS : PAUSE_MS;
    if (pause_ms == PAUSE_MS && keeper_is_full(drain->config.keeper))
        pause_ms = FULL_MS;
    return stop_wait(&drain->stop, pause_ms);
}

/* Nothing more will come: what was appended and not found is lost. */
static void give_up(struct drain *drain)
{
    for (uint32_t i = 0; i < drain->config.worker_count; i++)
        source_give_up(&drain->sources[i], atomic_load(&drain->config.journals[i]->appended_count));
    note_sources(drain);
}

static bool is_drained(const struct drain *drain)
{
    uint64_t open = 0;
    for (uint32_t i = 0; i < drain->config.worker_count; i++)
        open += drain->sources[i].open.count;
    return batch_is_empty(&drain->batch) && !drain->batch_is_waiting && open == 0;
}

/* The workers have stopped: what they appended is moved, as long as there is time. */
static void finish(struct drain *drain)
{
    struct reason reason = {0};
    const struct timespec pause = {0, 50 * (long)NS_PER_MS};
    drain->sync_at_ms = 0;
    do {
        if (turn(drain))
            continue;
        if (!drain->has_just_failed)
            break;
        clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, NULL);
    } while (now_ms() < drain->stop_by_ms);
    if (drain->has_just_failed)
        return;
    give_up(drain);
    drain->is_drained = is_drained(drain) &&
                        store_sync(drain->config.store, &reason) == STATUS_OK &&
                        store_check_file(drain->config.store, &reason) == STATUS_OK;
}

static void *run(void *argument)
{
    struct drain *drain = argument;
    struct timespec cpu;
    pthread_setname_np(pthread_self(), "weir-drain");
    promptness_low();
    do {
        const uint64_t asked = atomic_load(&drain->catch_ups_asked);
        while (turn(drain) && !stop_is_requested(&drain->stop))
            continue;
        if (!drain->has_just_failed && !drain->batch_is_waiting)
            atomic_store(&drain->catch_ups_done, asked);
        if (clock_gettime(CLOCK_THREAD_CPUTIME_ID, &cpu) == 0)
            atomic_store(&drain->busy_ns,
                         (uint64_t)cpu.tv_sec * 1000000000 + (uint64_t)cpu.tv_nsec);
    } while (wait_for_more(drain));
    finish(drain);
    return NULL;
}

bool drain_catch_up(struct drain *drain, uint64_t wait_ms)
{
    const struct timespec pause = {0, (long)NS_PER_MS / 2};
    const uint64_t until_ms = now_ms() + wait_ms;
    const uint64_t asked = atomic_fetch_add(&drain->catch_ups_asked, 1) + 1;
    stop_nudge(&drain->stop);
    while (atomic_load(&drain->catch_ups_done) < asked) {
        if (now_ms() >= until_ms)
            return false;
        clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, NULL);
    }
    return true;
}

/* --- Lifecycle ---------------------------------------------------------------------------------------------------------- */

enum status drain_create(const struct drain_config *config, struct drain **drain_out,
                         struct reason *reason)
{
    struct drain *drain = alloc_zeroed(1, sizeof(*drain));
    if (drain != NULL)
        drain->sources = alloc_zeroed(config->worker_count, sizeof(drain->sources[0]));
    if (drain == NULL || drain->sources == NULL) {
        alloc_free(drain);
        reason_set(reason, "out of memory for the ledger");
        return STATUS_NO_MEMORY;
    }
    drain->config = *config;
    drain->is_recovering = true;
    init_sources(drain);
    stop_init(&drain->stop);
    if (pthread_create(&drain->thread, NULL, run, drain) != 0) {
        stop_fini(&drain->stop);
        alloc_free(drain->sources);
        alloc_free(drain);
        reason_set(reason, "cannot start the ledger's thread");
        return STATUS_NO_MEMORY;
    }
    *drain_out = drain;
    return STATUS_OK;
}

bool drain_destroy(struct drain **drain_pointer, uint64_t wait_ms)
{
    struct drain *drain = *drain_pointer;
    if (drain == NULL)
        return true;
    drain->stop_by_ms = now_ms() + wait_ms;
    stop_request(&drain->stop);
    pthread_join(drain->thread, NULL);
    const bool is_drained = drain->is_drained;
    batch_fini(&drain->batch);
    for (uint32_t i = 0; i < drain->config.worker_count; i++)
        source_fini(&drain->sources[i]);
    stop_fini(&drain->stop);
    alloc_free(drain->sources);
    alloc_free(drain);
    *drain_pointer = NULL;
    return is_drained;
}

void drain_figures(const struct drain *drain, struct drain_figures *figures_out)
{
    *figures_out = (struct drain_figures){
        .rows = atomic_load(&drain->rows),
        .batches = atomic_load(&drain->batches),
        .failures = atomic_load(&drain->failures),
        .records = atomic_load(&drain->records),
        .records_lost = atomic_load(&drain->records_lost),
        .orphans = atomic_load(&drain->orphans),
        .recovered_rows = atomic_load(&drain->recovered_rows),
        .busy_ns = atomic_load(&drain->busy_ns),
        .open_requests = atomic_load(&drain->open_requests),
        .is_recovering = atomic_load(&drain->is_recovering),
        .has_failed = atomic_load(&drain->has_failed),
    };
}
