#include "policy/gcra.h"

#include "base/assert.h"

__extension__ typedef unsigned __int128 wide;

/* A debt ends some time: nothing later is ever written. */
#define ARRIVAL_MAX (UINT64_MAX / 2)

static uint64_t cost_ns(const struct gcra *gcra, uint64_t count)
{
    uint64_t product;
    if (!__builtin_mul_overflow(count, gcra->window_ns, &product)) /* the usual case, and cheap */
        return product < gcra->limit && count > 0 ? 1 : product / gcra->limit;
    const wide cost = (wide)count * gcra->window_ns / gcra->limit;
    if (cost > ARRIVAL_MAX)
        return ARRIVAL_MAX;
    return cost == 0 ? 1 : (uint64_t)cost;
}

/* How far the burst is used up: the time until it is whole. */
static uint64_t used_ns(uint64_t arrival_ns, uint64_t now_ns)
{
    return arrival_ns > now_ns ? arrival_ns - now_ns : 0;
}

static uint64_t wait_after(const struct gcra *gcra, uint64_t used, uint64_t cost)
{
    return used + cost > gcra->window_ns ? used + cost - gcra->window_ns : 0;
}

static uint64_t arrival_after(uint64_t arrival_ns, uint64_t cost, uint64_t now_ns)
{
    const uint64_t from_ns = arrival_ns > now_ns ? arrival_ns : now_ns;
    return cost < ARRIVAL_MAX - from_ns ? from_ns + cost : ARRIVAL_MAX;
}

uint64_t gcra_remaining(const struct gcra *gcra, const _Atomic uint64_t *word, uint64_t now_ns)
{
    const uint64_t used = used_ns(atomic_load_explicit(word, memory_order_relaxed), now_ns);
    if (used >= gcra->window_ns)
        return 0;
    /* The largest count whose cost, rounded down, is no more than what is left. */
    const wide beyond = (wide)(gcra->window_ns - used + 1) * gcra->limit;
    const uint64_t count = (uint64_t)((beyond + gcra->window_ns - 1) / gcra->window_ns) - 1;
    return count < gcra->limit ? count : gcra->limit;
}

uint64_t gcra_reset_ns(const _Atomic uint64_t *word, uint64_t now_ns)
{
    return used_ns(atomic_load_explicit(word, memory_order_relaxed), now_ns);
}

uint64_t gcra_wait_ns(const struct gcra *gcra, const _Atomic uint64_t *word, uint64_t count,
                      uint64_t now_ns)
{
    ASSERT(count <= gcra->limit);
    const uint64_t used = used_ns(atomic_load_explicit(word, memory_order_relaxed), now_ns);
    return wait_after(gcra, used, cost_ns(gcra, count));
}

uint64_t gcra_take(const struct gcra *gcra, _Atomic uint64_t *word, uint64_t count, uint64_t now_ns)
{
    ASSERT(count <= gcra->limit && now_ns < ARRIVAL_MAX);
    const uint64_t cost = cost_ns(gcra, count);
    uint64_t arrival_ns = atomic_load_explicit(word, memory_order_relaxed);
    uint64_t next_ns;
    do {
        const uint64_t wait = wait_after(gcra, used_ns(arrival_ns, now_ns), cost);
        if (wait > 0)
            return wait;
        next_ns = arrival_after(arrival_ns, cost, now_ns);
    } while (!atomic_compare_exchange_weak_explicit(word, &arrival_ns, next_ns,
                                                    memory_order_relaxed, memory_order_relaxed));
    return 0;
}

void gcra_correct(const struct gcra *gcra, _Atomic uint64_t *word, uint64_t taken, uint64_t used,
                  uint64_t now_ns)
{
    const uint64_t before = cost_ns(gcra, taken), after = cost_ns(gcra, used);
    uint64_t arrival_ns = atomic_load_explicit(word, memory_order_relaxed);
    uint64_t next_ns;
    if (before == after)
        return;
    do {
        if (after > before)
            next_ns = arrival_after(arrival_ns, after - before, now_ns);
        else
            next_ns = arrival_ns > before - after ? arrival_ns - (before - after) : 0;
    } while (!atomic_compare_exchange_weak_explicit(word, &arrival_ns, next_ns,
                                                    memory_order_relaxed, memory_order_relaxed));
}

void gcra_rescale(_Atomic uint64_t *word, uint64_t from, uint64_t to, uint64_t now_ns)
{
    uint64_t arrival_ns = atomic_load_explicit(word, memory_order_relaxed);
    uint64_t next_ns;
    do {
        const wide used = (wide)used_ns(arrival_ns, now_ns) * from / to;
        if (from == to || used_ns(arrival_ns, now_ns) == 0)
            return;
        next_ns = arrival_after(0, used > ARRIVAL_MAX ? ARRIVAL_MAX : (uint64_t)used, now_ns);
    } while (!atomic_compare_exchange_weak_explicit(word, &arrival_ns, next_ns,
                                                    memory_order_relaxed, memory_order_relaxed));
}
