#include "ledger/ledger.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "ledger/directory.h"
#include "ledger/segment.h"

#define SEGMENTS_PER_WORKER 8    /* that the journal's bytes are cut into, where they are few */
#define SEGMENTS_MIN        3    /* the worker's, the next, and one that is drained */
#define STALL_MS            1000 /* less may be a machine whose processors are all busy */

struct ledger {
    struct directory directory;
    struct generation_lock lock;
    struct journal **journals;
    uint32_t worker_count;
    struct keeper *keeper;
    struct drain *drain;
    struct store *store;
};

uint64_t ledger_bytes_min(uint32_t worker_count)
{
    return (uint64_t)worker_count * SEGMENTS_MIN * SEGMENT_BYTES_MIN;
}

static size_t segment_bytes_of(const struct ledger_config *config)
{
    uint64_t bytes = config->journal_bytes / ((uint64_t)config->worker_count * SEGMENTS_PER_WORKER);
    if (bytes > SEGMENT_BYTES_MAX)
        bytes = SEGMENT_BYTES_MAX;
    if (bytes < SEGMENT_BYTES_MIN)
        bytes = SEGMENT_BYTES_MIN;
    return (size_t)(bytes / SEGMENT_PAGE_BYTES * SEGMENT_PAGE_BYTES);
}

static void free_journals(struct ledger *ledger)
{
    for (uint32_t i = 0; ledger->journals != NULL && i < ledger->worker_count; i++)
        alloc_free(ledger->journals[i]);
    alloc_free(ledger->journals);
}

static enum status make_journals(struct ledger *ledger, size_t segment_bytes, struct reason *reason)
{
    ledger->journals = alloc_zeroed(ledger->worker_count, sizeof(ledger->journals[0]));
    for (uint32_t i = 0; ledger->journals != NULL && i < ledger->worker_count; i++) {
        ledger->journals[i] = alloc_bytes(sizeof(struct journal));
        if (ledger->journals[i] == NULL)
            break;
        journal_init(ledger->journals[i], segment_bytes, segment_seed(ledger->lock.generation, i));
    }
    if (ledger->journals != NULL && ledger->journals[ledger->worker_count - 1] != NULL)
        return STATUS_OK;
    reason_set(reason, "out of memory for the ledger");
    return STATUS_NO_MEMORY;
}

static enum status start_keeper(struct ledger *ledger, const struct ledger_config *config,
                                size_t segment_bytes, struct reason *reason)
{
    const struct keeper_config keeper = {
        .directory = &ledger->directory,
        .lock = &ledger->lock,
        .journals = ledger->journals,
        .worker_count = config->worker_count,
        .segment_bytes = segment_bytes,
        .journal_bytes = config->journal_bytes,
        .sync_ms = config->sync_ms,
        .finish_page = config->finish_page,
        .report = config->report,
        .context = config->context,
    };
    return keeper_create(&keeper, &ledger->keeper, reason);
}

static enum status start_drain(struct ledger *ledger, const struct ledger_config *config,
                               size_t segment_bytes, struct reason *reason)
{
    const struct drain_config drain = {
        .directory = &ledger->directory,
        .generation = ledger->lock.generation,
        .journals = ledger->journals,
        .worker_count = config->worker_count,
        .segment_bytes = segment_bytes,
        .keeper = ledger->keeper,
        .store = config->store,
        .seal = config->seal,
        .retain = config->retain,
        .orphans_are_charged = config->orphans_are_charged,
        .retention_us = config->retention_us,
        .report = config->report,
        .context = config->context,
    };
    return drain_create(&drain, &ledger->drain, reason);
}

/* The number of a generation is at least the time in seconds: it is new even where the folder was
 * emptied, while the store remembers positions of the generations before. */
static enum status begin(struct ledger *ledger, const struct ledger_config *config,
                         struct reason *reason)
{
    const size_t segment_bytes = segment_bytes_of(config);
    enum status status = directory_open(&ledger->directory, config->path, reason);
    if (status == STATUS_OK)
        status = directory_new_generation(&ledger->directory, clock_realtime_us() / US_PER_S,
                                          &ledger->lock, reason);
    if (status == STATUS_OK)
        status = make_journals(ledger, segment_bytes, reason);
    if (status == STATUS_OK)
        status = start_keeper(ledger, config, segment_bytes, reason);
    if (status == STATUS_OK)
        status = start_drain(ledger, config, segment_bytes, reason);
    return status;
}

enum status ledger_create(const struct ledger_config *config, struct ledger **ledger_out,
                          struct reason *reason)
{
    struct ledger *ledger = alloc_zeroed(1, sizeof(*ledger));
    if (ledger == NULL) {
        reason_set(reason, "out of memory for the ledger");
        return STATUS_NO_MEMORY;
    }
    ledger->directory.fd = ledger->lock.fd = -1;
    ledger->worker_count = config->worker_count;
    ledger->store = config->store;
    const enum status status = begin(ledger, config, reason);
    if (status != STATUS_OK)
        ledger_destroy(&ledger, 0);
    *ledger_out = ledger;
    return status;
}

/* The journal is gone: no position in it means anything. Where that fails, the next start does it, for
 * the lock file stays. */
static bool forget(struct ledger *ledger)
{
    return directory_sync(&ledger->directory, NULL) == STATUS_OK &&
           store_positions_delete(ledger->store, ledger->lock.generation, NULL) == STATUS_OK;
}

bool ledger_destroy(struct ledger **ledger_pointer, uint64_t wait_ms)
{
    struct ledger *ledger = *ledger_pointer;
    if (ledger == NULL)
        return true;
    const bool is_drained = drain_destroy(&ledger->drain, wait_ms);
    keeper_destroy(&ledger->keeper, is_drained);
    const bool is_forgotten = is_drained && ledger->lock.fd >= 0 && forget(ledger);
    directory_unlock_generation(&ledger->directory, &ledger->lock, is_forgotten);
    directory_close(&ledger->directory);
    free_journals(ledger);
    alloc_free(ledger);
    *ledger_pointer = NULL;
    return is_drained;
}

struct journal *ledger_journal(struct ledger *ledger, uint32_t worker)
{
    return ledger->journals[worker];
}

bool ledger_is_stalled(const struct ledger *ledger, uint64_t now_ms)
{
    return keeper_stall_ms(ledger->keeper, now_ms) > STALL_MS;
}

bool ledger_catch_up(struct ledger *ledger, uint64_t wait_ms)
{
    return drain_catch_up(ledger->drain, wait_ms);
}

void ledger_figures(const struct ledger *ledger, struct ledger_figures *figures_out)
{
    keeper_figures(ledger->keeper, &figures_out->keeper);
    drain_figures(ledger->drain, &figures_out->drain);
}
