#include "io/coroutine.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "io/fiber_sanitizer.h"

/* Boost.Context's fcontext API, "Boost.Context: Implementations: fcontext_t". */
struct transfer {
    void *context;
    void *data;
};
struct transfer jump_fcontext(void *to, void *data);
void *make_fcontext(void *stack_top, size_t size, void (*function)(struct transfer));

#define GUARD_BYTES 4096
/* More than this many stacks of a pool are given back to the kernel when they fall free. */
#define POOLED_MAX 4096

/* Lies at the top of its own stack. */
struct coroutine {
    void *context;      /* of the coroutine while suspended */
    void *main_context; /* of the resumer while running */
    void (*function)(void *);
    void *argument;
    struct coroutine_pool *pool;
    struct coroutine *next_free;
    bool is_finished;
    struct fiber fiber;
    _Alignas(16) unsigned char user[COROUTINE_USER_BYTES];
};

struct coroutine_pool {
    struct coroutine *free;
    uint32_t free_count;
    uint32_t live_count;
    void (*on_unmap)(void *user);
    struct fiber_main main;
};

static _Atomic uint32_t stack_count;

#define TOP_BYTES ((sizeof(struct coroutine) + 63) & ~(size_t)63)

static char *mapping_of(struct coroutine *coroutine)
{
    return (char *)coroutine + TOP_BYTES - COROUTINE_STACK_BYTES - GUARD_BYTES;
}

static struct coroutine *stack_map(struct coroutine_pool *pool)
{
    if (atomic_fetch_add(&stack_count, 1) >= COROUTINE_COUNT_MAX)
        goto fail;
    char *mapping = mmap(NULL, GUARD_BYTES + COROUTINE_STACK_BYTES, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
    if (mapping == MAP_FAILED)
        goto fail;
    if (mprotect(mapping, GUARD_BYTES, PROT_NONE) != 0) {
        munmap(mapping, GUARD_BYTES + COROUTINE_STACK_BYTES);
        goto fail;
    }
    char *top = mapping + GUARD_BYTES + COROUTINE_STACK_BYTES;
    struct coroutine *coroutine = (struct coroutine *)(void *)(top - TOP_BYTES);
    coroutine->pool = pool;
    return coroutine;

fail:
    atomic_fetch_sub(&stack_count, 1);
    return NULL;
}

static void stack_unmap(struct coroutine *coroutine)
{
    if (coroutine->pool->on_unmap != NULL)
        coroutine->pool->on_unmap(coroutine->user);
    const int failed = munmap(mapping_of(coroutine), GUARD_BYTES + COROUTINE_STACK_BYTES);
    ASSERT(!failed);
    atomic_fetch_sub(&stack_count, 1);
}

enum status coroutine_pool_create(struct coroutine_pool **pool_out)
{
    struct coroutine_pool *pool = alloc_zeroed(1, sizeof(*pool));
    if (pool == NULL)
        return STATUS_NO_MEMORY;
    *pool_out = pool;
    return STATUS_OK;
}

void coroutine_pool_destroy(struct coroutine_pool **pool)
{
    if (*pool == NULL)
        return;
    ASSERT((*pool)->live_count == 0);
    while ((*pool)->free != NULL) {
        struct coroutine *coroutine = (*pool)->free;
        (*pool)->free = coroutine->next_free;
        stack_unmap(coroutine);
    }
    alloc_free(*pool);
    *pool = NULL;
}

void coroutine_pool_on_unmap(struct coroutine_pool *pool, void (*on_unmap)(void *user))
{
    pool->on_unmap = on_unmap;
}

static void run(struct transfer from)
{
    struct coroutine *coroutine = from.data;
    fiber_entered(&coroutine->fiber, &coroutine->pool->main);
    coroutine->main_context = from.context;
    coroutine->function(coroutine->argument);
    coroutine->is_finished = true;
    fiber_leave(&coroutine->fiber, &coroutine->pool->main, true);
    jump_fcontext(coroutine->main_context, NULL);
    ASSERT(false);
}

enum status coroutine_create(struct coroutine_pool *pool, void (*function)(void *), void *argument,
                             struct coroutine **coroutine_out)
{
    struct coroutine *coroutine = pool->free;
    if (coroutine != NULL) {
        pool->free = coroutine->next_free;
        pool->free_count--;
    } else {
        coroutine = stack_map(pool);
        if (coroutine == NULL)
            return STATUS_NO_MEMORY;
    }
    const size_t size = COROUTINE_STACK_BYTES - TOP_BYTES;
    coroutine->function = function;
    coroutine->argument = argument;
    coroutine->is_finished = false;
    coroutine->context = make_fcontext(coroutine, size, run);
    fiber_init(&coroutine->fiber, (char *)coroutine - size, size);
    pool->live_count++;
    *coroutine_out = coroutine;
    return STATUS_OK;
}

void *coroutine_user(struct coroutine *coroutine)
{
    return coroutine->user;
}

void coroutine_set_argument(struct coroutine *coroutine, void *argument)
{
    coroutine->argument = argument;
}

static void give_back(struct coroutine *coroutine)
{
    struct coroutine_pool *pool = coroutine->pool;
    fiber_fini(&coroutine->fiber);
    pool->live_count--;
    if (pool->free_count >= POOLED_MAX) {
        stack_unmap(coroutine);
        return;
    }
    coroutine->next_free = pool->free;
    pool->free = coroutine;
    pool->free_count++;
}

void coroutine_resume(struct coroutine *coroutine)
{
    fiber_enter(&coroutine->fiber, &coroutine->pool->main);
    const struct transfer back = jump_fcontext(coroutine->context, coroutine);
    fiber_left(&coroutine->pool->main);
    coroutine->context = back.context;
    if (coroutine->is_finished)
        give_back(coroutine);
}

void coroutine_suspend(struct coroutine *coroutine)
{
    fiber_leave(&coroutine->fiber, &coroutine->pool->main, false);
    const struct transfer from = jump_fcontext(coroutine->main_context, NULL);
    fiber_entered(&coroutine->fiber, &coroutine->pool->main);
    coroutine->main_context = from.context;
}

uint32_t coroutine_count(void)
{
    return atomic_load_explicit(&stack_count, memory_order_relaxed);
}
