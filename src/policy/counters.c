#include "policy/counters.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/assert.h"

#define HEADER_BYTES 4096
#define FIRST_SLOTS  64U
#define NO_RECORD    UINT32_MAX

static enum status map_records(struct counters *counters, struct reason *reason)
{
    counters->descriptor = memfd_create("weir-counters", MFD_CLOEXEC);
    if (counters->descriptor < 0 ||
        ftruncate(counters->descriptor, (off_t)counters->mapping_bytes) != 0) {
        reason_set(reason, "no memory file for counters: %s", strerror(errno));
        return STATUS_IO;
    }
    void *mapping = mmap(NULL, counters->mapping_bytes, PROT_READ | PROT_WRITE,
                         MAP_SHARED | MAP_NORESERVE, counters->descriptor, 0);
    if (mapping == MAP_FAILED) {
        reason_set(reason, "no room for %zu MiB of addresses for counters: %s",
                   counters->mapping_bytes >> 20, strerror(errno));
        return STATUS_IO;
    }
    counters->mapping = mapping;
    counters->records = (union counter *)(void *)(counters->mapping + HEADER_BYTES);
    *(struct counters_header *)mapping = (struct counters_header){
        COUNTERS_MAGIC, COUNTERS_LAYOUT_VERSION, sizeof(union counter), counters->record_count_max};
    return STATUS_OK;
}

enum status counters_create(struct counters **counters_out, struct reason *reason)
{
    return counters_create_of(COUNTERS_RECORDS_MAX, counters_out, reason);
}

enum status counters_create_of(uint32_t record_count_max, struct counters **counters_out,
                               struct reason *reason)
{
    struct counters *counters = alloc_zeroed(1, sizeof(*counters));
    if (counters == NULL) {
        reason_set(reason, "no memory for counters");
        return STATUS_NO_MEMORY;
    }
    counters->descriptor = -1;
    counters->record_count_max = record_count_max;
    counters->mapping_bytes = HEADER_BYTES + (size_t)record_count_max * sizeof(union counter);
    counters->first_free = NO_RECORD;
    (void)pthread_mutex_init(&counters->lock, NULL);
    const enum status status = map_records(counters, reason);
    if (status != STATUS_OK) {
        counters_destroy(&counters);
        return status;
    }
    *counters_out = counters;
    return STATUS_OK;
}

void counters_destroy(struct counters **counters)
{
    struct counters *it = *counters;
    *counters = NULL;
    if (it == NULL)
        return;
    ASSERT(it->used == 0);
    if (it->mapping != NULL)
        (void)munmap(it->mapping, it->mapping_bytes);
    if (it->descriptor >= 0)
        (void)close(it->descriptor);
    (void)pthread_mutex_destroy(&it->lock);
    alloc_free(it->slots);
    alloc_free(it);
}

size_t counters_used(const struct counters *counters)
{
    struct counters *it = (struct counters *)(uintptr_t)counters; /* only its lock is changed */
    pthread_mutex_lock(&it->lock);
    const size_t used = it->used;
    pthread_mutex_unlock(&it->lock);
    return used;
}

/* Room for one more slot. */
static enum status grow(struct counters *counters)
{
    if (counters->slot_count == counters->record_count_max)
        return STATUS_LIMITED;
    if (counters->slot_count < counters->slot_room)
        return STATUS_OK;
    const uint32_t room = counters->slot_room == 0 ? FIRST_SLOTS : 2 * counters->slot_room;
    uint32_t *slots = alloc_resize(counters->slots, room * sizeof(*slots));
    if (slots == NULL)
        return STATUS_NO_MEMORY;
    counters->slots = slots;
    counters->slot_room = room;
    return STATUS_OK;
}

static enum status take_locked(struct counters *counters, uint32_t *index_out)
{
    uint32_t index = counters->first_free;
    if (index != NO_RECORD) {
        counters->first_free = counters->slots[index];
    } else {
        const enum status status = grow(counters);
        if (status != STATUS_OK)
            return status;
        index = counters->slot_count++;
    }
    counters->slots[index] = 1;
    counters->used++;
    *index_out = index;
    return STATUS_OK;
}

enum status counters_take(struct counters *counters, uint32_t *index_out)
{
    pthread_mutex_lock(&counters->lock);
    const enum status status = take_locked(counters, index_out);
    pthread_mutex_unlock(&counters->lock);
    return status;
}

void counters_share(struct counters *counters, uint32_t index)
{
    pthread_mutex_lock(&counters->lock);
    ASSERT(index < counters->slot_count && counters->slots[index] > 0);
    counters->slots[index]++;
    pthread_mutex_unlock(&counters->lock);
}

/* A record is freed as zeros, so that taking one touches no page. */
static void clear(union counter *record)
{
    for (unsigned i = 0; i < sizeof(record->words) / sizeof(record->words[0]); i++)
        atomic_store_explicit(&record->words[i], 0, memory_order_relaxed);
}

void counters_drop(struct counters *counters, uint32_t index)
{
    pthread_mutex_lock(&counters->lock);
    ASSERT(index < counters->slot_count && counters->slots[index] > 0);
    if (--counters->slots[index] == 0) {
        clear(&counters->records[index]);
        counters->slots[index] = counters->first_free;
        counters->first_free = index;
        counters->used--;
    }
    pthread_mutex_unlock(&counters->lock);
}

const struct counters_header *counters_header(const struct counters *counters)
{
    return (const struct counters_header *)(const void *)counters->mapping;
}
