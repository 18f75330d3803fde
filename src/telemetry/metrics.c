#include "telemetry/metrics.h"

#include "base/alloc.h"
#include "base/assert.h"
#include "telemetry/metrics_internal.h"

#define CACHE_LINE 64

static void fill_status_slots(struct metrics *metrics)
{
    for (size_t i = 1; i < metrics_status_count; i++)
        metrics->status_slots[metrics_statuses[i]] = (uint8_t)i;
}

static void copy_version(struct metrics *metrics, const char *version)
{
    memcpy(metrics->version, version, strnlen(version, METRICS_VERSION_SIZE - 1));
}

enum status metrics_create(const struct metrics_config *config, struct metrics **metrics_out)
{
    if (config->endpoint_count > METRICS_ENDPOINTS_MAX)
        return STATUS_INVALID;
    struct metrics *metrics = alloc_zeroed(1, sizeof(*metrics));
    if (metrics == NULL)
        return STATUS_NO_MEMORY;
    if (active_users_create(&metrics->users) != STATUS_OK) {
        alloc_free(metrics);
        return STATUS_NO_MEMORY;
    }
    pthread_mutex_init(&metrics->lock, NULL);
    metrics->start_time_us = config->start_time_us;
    metrics->endpoints = config->endpoints;
    metrics->endpoint_count = config->endpoint_count;
    copy_version(metrics, config->version);
    fill_status_slots(metrics);
    *metrics_out = metrics;
    return STATUS_OK;
}

void metrics_destroy(struct metrics **metrics)
{
    if (*metrics == NULL)
        return;
    for (uint32_t i = 0; i < (*metrics)->worker_count; i++)
        alloc_free((*metrics)->worker_memory[i]);
    active_users_destroy(&(*metrics)->users);
    pthread_mutex_destroy(&(*metrics)->lock);
    alloc_free(*metrics);
    *metrics = NULL;
}

static struct metrics_worker *at_cache_line(void *memory)
{
    const uintptr_t misaligned = (uintptr_t)memory % CACHE_LINE;
    return (void *)((char *)memory + (misaligned != 0 ? CACHE_LINE - misaligned : 0));
}

enum status metrics_worker_open(struct metrics *metrics, struct metrics_worker **worker_out)
{
    void *memory = alloc_zeroed(1, sizeof(struct metrics_worker) + CACHE_LINE);
    if (memory == NULL)
        return STATUS_NO_MEMORY;
    struct metrics_worker *worker = at_cache_line(memory);
    worker->metrics = metrics;

    pthread_mutex_lock(&metrics->lock);
    const bool has_place = metrics->worker_count < METRICS_WORKERS_MAX;
    if (has_place) {
        metrics->worker_memory[metrics->worker_count] = memory;
        metrics->workers[metrics->worker_count++] = worker;
    }
    pthread_mutex_unlock(&metrics->lock);

    if (!has_place) {
        alloc_free(memory);
        return STATUS_LIMITED;
    }
    *worker_out = worker;
    return STATUS_OK;
}

static struct slice cut(struct slice name)
{
    return slice_of(name.data, name.size < METRICS_NAME_SIZE ? name.size : METRICS_NAME_SIZE);
}

static bool is_name(const struct metrics_name *known, struct slice name)
{
    return slice_equal(name, slice_of(known->bytes, known->size));
}

static void keep_name(struct metrics_name *kept, struct slice name)
{
    if (name.size > 0)
        memcpy(kept->bytes, name.data, name.size);
    kept->size = (uint8_t)name.size;
}

/* Adds the name if it is new and there is a place. */
static uint32_t find_or_add_provider(struct metrics *metrics, struct slice name)
{
    for (uint32_t i = 0; i < metrics->provider_count; i++) {
        if (is_name(&metrics->providers[i], name))
            return i;
    }
    if (metrics->provider_count == METRICS_PROVIDERS_MAX)
        return METRICS_PROVIDER_OTHER;
    keep_name(&metrics->providers[metrics->provider_count], name);
    return metrics->provider_count++;
}

uint32_t metrics_provider(struct metrics *metrics, struct slice name)
{
    if (slice_equal(name, SLICE("other")))
        return METRICS_PROVIDER_OTHER;
    pthread_mutex_lock(&metrics->lock);
    const uint32_t index = find_or_add_provider(metrics, cut(name));
    pthread_mutex_unlock(&metrics->lock);
    return index;
}

/* Adds the pair if it is new and there is a place. */
static uint32_t find_or_add_target(struct metrics *metrics, struct slice model,
                                   struct slice provider)
{
    for (uint32_t i = 0; i < metrics->target_count; i++) {
        const struct metrics_target_name *known = &metrics->targets[i];
        if (is_name(&known->model, model) && is_name(&known->provider, provider))
            return i;
    }
    if (metrics->target_count == METRICS_TARGETS_MAX)
        return METRICS_TARGET_OTHER;
    struct metrics_target_name *added = &metrics->targets[metrics->target_count];
    keep_name(&added->model, model);
    keep_name(&added->provider, provider);
    return metrics->target_count++;
}

uint32_t metrics_target(struct metrics *metrics, struct slice model, struct slice provider)
{
    if (slice_equal(model, SLICE("other")) && slice_equal(provider, SLICE("other")))
        return METRICS_TARGET_OTHER;
    pthread_mutex_lock(&metrics->lock);
    const uint32_t index = find_or_add_target(metrics, cut(model), cut(provider));
    pthread_mutex_unlock(&metrics->lock);
    return index;
}

/* The last step of MurmurHash3 (fmix64), over both halves of the id. */
uint64_t metrics_user_hash(const struct id *user_id)
{
    uint64_t halves[2];
    memcpy(halves, user_id->bytes, sizeof(halves));
    uint64_t hash = halves[0] * UINT64_C(0x9e3779b97f4a7c15) ^ halves[1];
    hash = (hash ^ hash >> 33) * UINT64_C(0xff51afd7ed558ccd);
    hash = (hash ^ hash >> 33) * UINT64_C(0xc4ceb9fe1a85ec53);
    hash ^= hash >> 33;
    return hash != 0 ? hash : 1;
}

void metrics_request_done(struct metrics_worker *worker, uint32_t endpoint, unsigned status,
                          uint64_t duration_ns, uint64_t user_hash, uint64_t now_ns)
{
    ASSERT(endpoint <= METRICS_ENDPOINT_OTHER);
    struct metrics *metrics = worker->metrics;
    struct metrics_endpoint *cells = &worker->endpoints[endpoint];
    const unsigned slot = status < METRICS_STATUS_END ? metrics->status_slots[status] : 0;
    metric_add(&cells->requests[slot], 1);
    histogram_observe(&cells->duration, &histogram_requests, duration_ns);
    if (user_hash != 0 && !active_users_see(metrics->users, user_hash, now_ns))
        metric_add(&worker->users_uncounted, 1);
}
