#include "identity/grace.h"

#include "base/assert.h"

#define GRACE_IDLE UINT64_MAX

/* Why it is safe. Unlinking comes before the retirement's step of `epoch`.
 *
 * A reader that stays online copies `epoch` (acquire) into `seen` (release): whatever was retired
 * up to that number it can no longer find, and what it did before is over for a writer that reads
 * the new `seen`.
 *
 * A reader that comes online writes `seen`, then reads `epoch` once more, both in the one total
 * order of sequentially consistent operations; the writer steps `epoch`, then reads `seen`, in the
 * same order. So either the writer's step comes after the reader's reading, and the writer sees
 * the reader online; or it comes before, and the reader sees what was unlinked. */

void grace_init(struct grace *grace)
{
    atomic_init(&grace->epoch, 0);
    grace->oldest = grace->newest = NULL;
    list_init(&grace->readers);
    const int error = pthread_mutex_init(&grace->readers_lock, NULL);
    ASSERT(error == 0);
}

void grace_fini(struct grace *grace)
{
    ASSERT(list_is_empty(&grace->readers));
    const bool all = grace_reclaim(grace, SIZE_MAX);
    ASSERT(all);
    pthread_mutex_destroy(&grace->readers_lock);
}

void grace_join(struct grace *grace, struct grace_reader *reader)
{
    reader->grace = grace;
    atomic_init(&reader->seen, GRACE_IDLE);
    pthread_mutex_lock(&grace->readers_lock);
    list_push_back(&grace->readers, &reader->in_readers);
    pthread_mutex_unlock(&grace->readers_lock);
}

void grace_leave(struct grace_reader *reader)
{
    pthread_mutex_lock(&reader->grace->readers_lock);
    list_remove(&reader->in_readers);
    pthread_mutex_unlock(&reader->grace->readers_lock);
}

void grace_turn(struct grace_reader *reader)
{
    struct grace *grace = reader->grace;
    if (!grace_is_idle(reader)) {
        const uint64_t epoch = atomic_load_explicit(&grace->epoch, memory_order_acquire);
        atomic_store_explicit(&reader->seen, epoch, memory_order_release);
        return;
    }
    const uint64_t epoch = atomic_load(&grace->epoch);
    atomic_exchange(&reader->seen, epoch);
    (void)atomic_load(&grace->epoch);
}

void grace_idle(struct grace_reader *reader)
{
    atomic_store_explicit(&reader->seen, GRACE_IDLE, memory_order_release);
}

bool grace_is_idle(const struct grace_reader *reader)
{
    return atomic_load_explicit(&reader->seen, memory_order_relaxed) == GRACE_IDLE;
}

void grace_retire(struct grace *grace, struct retired *retired,
                  void (*destroy)(struct retired *retired))
{
    retired->next = NULL;
    retired->destroy = destroy;
    retired->stamp = atomic_fetch_add(&grace->epoch, 1) + 1;
    if (grace->newest != NULL)
        grace->newest->next = retired;
    else
        grace->oldest = retired;
    grace->newest = retired;
}

/* What is stamped up to this, no reader can see any more. */
static uint64_t seen_by_all(struct grace *grace)
{
    uint64_t least = GRACE_IDLE;
    pthread_mutex_lock(&grace->readers_lock);
    for (struct list_node *node = grace->readers.next; node != &grace->readers; node = node->next) {
        struct grace_reader *reader = LIST_ENTRY(node, struct grace_reader, in_readers);
        const uint64_t seen = atomic_load(&reader->seen);
        if (seen < least)
            least = seen;
    }
    pthread_mutex_unlock(&grace->readers_lock);
    return least;
}

bool grace_reclaim(struct grace *grace, size_t count_max)
{
    if (grace->oldest == NULL)
        return true;
    const uint64_t seen = seen_by_all(grace);
    while (grace->oldest != NULL && grace->oldest->stamp <= seen && count_max > 0) {
        struct retired *retired = grace->oldest;
        grace->oldest = retired->next;
        if (grace->oldest == NULL)
            grace->newest = NULL;
        retired->destroy(retired);
        count_max--;
    }
    return grace->oldest == NULL;
}
