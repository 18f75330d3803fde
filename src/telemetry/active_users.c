#include "telemetry/active_users.h"

#include <stdatomic.h>

#include "base/alloc.h"

/* A slot: the upper bits are the user's, the lower ones the tick; 0 is empty. */
#define TICK_BITS    20
#define TICK_MASK    ((UINT64_C(1) << TICK_BITS) - 1)
#define TICK_NS      UINT64_C(15000000000)
#define WINDOW_TICKS (ACTIVE_USERS_WINDOW_S / 15)

/* Once a search found no room, those of the same tick look at one line of the cache only: of more users than
 * are counted, most would else look at all places in vain. */
#define PROBES_WHEN_FULL 8

struct active_users {
    _Atomic uint64_t full_tick; /* 1 + the tick of the last search that found no room */
    _Atomic uint64_t slots[ACTIVE_USERS_SLOTS];
};

enum status active_users_create(struct active_users **users_out)
{
    struct active_users *users = alloc_zeroed(1, sizeof(*users));
    if (users == NULL)
        return STATUS_NO_MEMORY;
    *users_out = users;
    return STATUS_OK;
}

void active_users_destroy(struct active_users **users)
{
    alloc_free(*users);
    *users = NULL;
}

static uint64_t tick_of(uint64_t now_ns)
{
    return (now_ns / TICK_NS) & TICK_MASK;
}

/* Threads read their clocks at different moments, so a slot may be a tick ahead. Ticks wrap after
 * half a year. */
static bool is_current(uint64_t slot, uint64_t tick)
{
    const uint64_t age = (tick - slot) & TICK_MASK;
    return age == 0 || age == TICK_MASK;
}

static bool is_live(uint64_t slot, uint64_t tick)
{
    const uint64_t age = (tick - slot) & TICK_MASK;
    return slot != 0 && (age <= WINDOW_TICKS || age == TICK_MASK);
}

/* Never 0, which would look like an empty slot at tick 0. */
static uint64_t user_of(uint64_t hash)
{
    const uint64_t user = hash & ~TICK_MASK;
    return user != 0 ? user : TICK_MASK + 1;
}

static bool is_user(uint64_t slot, uint64_t user)
{
    return (slot & ~TICK_MASK) == user;
}

/* The slots of a search, from the user's own on. */
static size_t place_of(uint64_t user, size_t probe)
{
    return ((user >> TICK_BITS) + probe) % ACTIVE_USERS_SLOTS;
}

static uint64_t read_slot(const struct active_users *users, size_t place)
{
    return atomic_load_explicit(&users->slots[place], memory_order_relaxed);
}

/* The place of the user, else the first that may be taken, else ACTIVE_USERS_SLOTS. */
static size_t find_place(const struct active_users *users, uint64_t user, uint64_t tick)
{
    const bool is_full = atomic_load_explicit(&users->full_tick, memory_order_relaxed) == tick + 1;
    const size_t probes = is_full ? PROBES_WHEN_FULL : ACTIVE_USERS_PROBES;
    size_t free_place = ACTIVE_USERS_SLOTS;
    for (size_t probe = 0; probe < probes; probe++) {
        const size_t place = place_of(user, probe);
        const uint64_t slot = read_slot(users, place);
        if (is_user(slot, user))
            return place;
        if (free_place == ACTIVE_USERS_SLOTS && !is_live(slot, tick))
            free_place = place;
        if (slot == 0)
            break;
    }
    return free_place;
}

bool active_users_see(struct active_users *users, uint64_t hash, uint64_t now_ns)
{
    const uint64_t tick = tick_of(now_ns);
    const uint64_t user = user_of(hash);
    for (;;) {
        const size_t place = find_place(users, user, tick);
        if (place == ACTIVE_USERS_SLOTS) {
            if (atomic_load_explicit(&users->full_tick, memory_order_relaxed) != tick + 1)
                atomic_store_explicit(&users->full_tick, tick + 1, memory_order_relaxed);
            return false;
        }
        uint64_t slot = read_slot(users, place);
        if (is_user(slot, user) && is_current(slot, tick))
            return true;
        /* Another user may have come in here since the search; then it is begun again. */
        if (!is_user(slot, user) && is_live(slot, tick))
            continue;
        if (atomic_compare_exchange_strong_explicit(&users->slots[place], &slot, user | tick,
                                                    memory_order_relaxed, memory_order_relaxed))
            return true;
    }
}

uint32_t active_users_count(const struct active_users *users, uint64_t now_ns)
{
    const uint64_t tick = tick_of(now_ns);
    uint32_t count = 0;
    for (size_t place = 0; place < ACTIVE_USERS_SLOTS; place++)
        count += is_live(read_slot(users, place), tick);
    return count;
}
