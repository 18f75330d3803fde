#include "io/timer.h"

#include "base/alloc.h"
#include "base/assert.h"

#define SLOT_COUNT 4096 /* 32 s; what is due later is filed at the far end and looked at again */
#define WORD_BITS  64

struct timer_wheel {
    struct list_node slots[SLOT_COUNT];
    uint64_t used[SLOT_COUNT / WORD_BITS]; /* a bit for each slot that may hold timers */
    uint64_t tick;                         /* slots of ticks before this one have been looked at */
};

enum status timer_wheel_create(uint64_t now_ms, struct timer_wheel **wheel_out)
{
    struct timer_wheel *wheel = alloc_zeroed(1, sizeof(*wheel));
    if (wheel == NULL)
        return STATUS_NO_MEMORY;
    for (unsigned i = 0; i < SLOT_COUNT; i++)
        list_init(&wheel->slots[i]);
    wheel->tick = now_ms / TIMER_TICK_MS;
    *wheel_out = wheel;
    return STATUS_OK;
}

void timer_wheel_destroy(struct timer_wheel **wheel)
{
    alloc_free(*wheel);
    *wheel = NULL;
}

void timer_init(struct timer *timer, void (*fire)(struct timer *timer))
{
    list_init(&timer->node);
    timer->due_ms = timer->filed_ms = TIMER_NEVER;
    timer->fire = fire;
}

/* Rounds up, so that a timer never fires early. */
static uint64_t tick_after(uint64_t due_ms)
{
    return due_ms / TIMER_TICK_MS + (due_ms % TIMER_TICK_MS != 0);
}

static void file(struct timer_wheel *wheel, struct timer *timer)
{
    uint64_t tick = tick_after(timer->due_ms);
    if (tick < wheel->tick)
        tick = wheel->tick;
    if (tick >= wheel->tick + SLOT_COUNT)
        tick = wheel->tick + SLOT_COUNT - 1;
    const unsigned slot = (unsigned)(tick % SLOT_COUNT);
    list_remove(&timer->node);
    list_push_back(&wheel->slots[slot], &timer->node);
    wheel->used[slot / WORD_BITS] |= UINT64_C(1) << slot % WORD_BITS;
    timer->filed_ms = tick * TIMER_TICK_MS;
}

void timer_arm(struct timer_wheel *wheel, struct timer *timer, uint64_t due_ms)
{
    timer->due_ms = due_ms;
    if (due_ms != TIMER_NEVER &&
        (timer->filed_ms == TIMER_NEVER || timer->filed_ms >= due_ms + TIMER_TICK_MS))
        file(wheel, timer);
}

void timer_remove(struct timer *timer)
{
    list_remove(&timer->node);
    timer->due_ms = timer->filed_ms = TIMER_NEVER;
}

static void look_at(struct timer_wheel *wheel, struct timer *timer, uint64_t now_ms)
{
    list_remove(&timer->node);
    timer->filed_ms = TIMER_NEVER;
    if (timer->due_ms <= now_ms) {
        timer->due_ms = TIMER_NEVER;
        timer->fire(timer);
    } else if (timer->due_ms != TIMER_NEVER) {
        file(wheel, timer);
    }
}

/* The first tick from `wheel->tick` on whose slot is used, or `end`. */
static uint64_t next_used(const struct timer_wheel *wheel, uint64_t end)
{
    uint64_t tick = wheel->tick;
    while (tick < end) {
        const unsigned slot = (unsigned)(tick % SLOT_COUNT);
        const uint64_t word = wheel->used[slot / WORD_BITS] >> slot % WORD_BITS;
        if (word != 0) {
            tick += (unsigned)__builtin_ctzll(word);
            return tick < end ? tick : end;
        }
        tick += WORD_BITS - slot % WORD_BITS;
    }
    return end;
}

/* Returns false when the count ran out before the slot was empty. The slot is worked off from a
 * list of its own, since a timer may be filed in the same slot again for its next lap. */
static bool empty_slot(struct timer_wheel *wheel, unsigned slot, uint64_t now_ms, unsigned *count)
{
    struct list_node work;
    list_init(&work);
    if (!list_is_empty(&wheel->slots[slot])) {
        list_insert_before(&wheel->slots[slot], &work);
        list_remove(&wheel->slots[slot]); /* the ring goes on without its former head */
    }
    while (!list_is_empty(&work) && *count > 0) {
        --*count;
        look_at(wheel, LIST_ENTRY(work.next, struct timer, node), now_ms);
    }
    const bool is_done = list_is_empty(&work);
    while (!list_is_empty(&work)) {
        struct list_node *node = work.previous;
        list_remove(node);
        list_push_front(&wheel->slots[slot], node);
    }
    return is_done;
}

bool timer_wheel_advance(struct timer_wheel *wheel, uint64_t now_ms, unsigned count_max)
{
    const uint64_t end = now_ms / TIMER_TICK_MS + 1;
    ASSERT(end + 1 >= wheel->tick);
    unsigned count = count_max;
    while (wheel->tick < end) {
        const uint64_t lap_end = end < wheel->tick + SLOT_COUNT ? end : wheel->tick + SLOT_COUNT;
        wheel->tick = next_used(wheel, lap_end);
        if (wheel->tick == lap_end) {
            if (lap_end < end)
                wheel->tick = end; /* a whole lap was empty */
            continue;
        }
        const unsigned slot = (unsigned)(wheel->tick % SLOT_COUNT);
        wheel->used[slot / WORD_BITS] &= ~(UINT64_C(1) << slot % WORD_BITS);
        wheel->tick++; /* so that what is filed again meanwhile comes later */
        if (!empty_slot(wheel, slot, now_ms, &count)) {
            wheel->tick--;
            wheel->used[slot / WORD_BITS] |= UINT64_C(1) << slot % WORD_BITS;
            return true;
        }
    }
    return false;
}

uint64_t timer_wheel_wait_ms(const struct timer_wheel *wheel, uint64_t now_ms)
{
    const uint64_t end = wheel->tick + SLOT_COUNT;
    const uint64_t tick = next_used(wheel, end);
    if (tick == end)
        return UINT64_MAX;
    const uint64_t at_ms = tick * TIMER_TICK_MS;
    return at_ms > now_ms ? at_ms - now_ms : 0;
}
