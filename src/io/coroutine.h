/* Coroutines: a stack each, switched by boost.context's two C entry points.
 *
 * Lifecycle: coroutine_create() takes a stack from the pool; coroutine_resume() runs it until it
 * calls coroutine_suspend() or its function returns, after which the stack is back in the pool
 * and the pointer is dead. Only the thread that owns the pool resumes, and never from inside
 * another coroutine.
 * Memory: a stack is COROUTINE_STACK_BYTES with a guard page below; pooled stacks keep the pages
 * that they touched. All pools together hold at most COROUTINE_COUNT_MAX (each stack is two
 * mappings, and the kernel allows 65,530 by default).
 * Errors: STATUS_NO_MEMORY from coroutine_create() at that bound, or when mmap fails. */
#ifndef IO_COROUTINE_H
#define IO_COROUTINE_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

#define COROUTINE_STACK_BYTES (64 * 1024)
#define COROUTINE_COUNT_MAX   30000

struct coroutine;
struct coroutine_pool;

MUST_CHECK enum status coroutine_pool_create(struct coroutine_pool **pool_out);
/* No coroutine of the pool may be alive. */
void coroutine_pool_destroy(struct coroutine_pool **pool);

/* A coroutine that will run function(argument) when it is first resumed. `user_bytes` of zeroed
 * memory live as long as it does: coroutine_user(). */
MUST_CHECK enum status coroutine_create(struct coroutine_pool *pool, void (*function)(void *),
                                        void *argument, struct coroutine **coroutine_out);
/* Memory for the scheduler, COROUTINE_USER_BYTES of it, zero when the stack was made and left
 * alone from one use of the stack to the next. */
#define COROUTINE_USER_BYTES 192
void *coroutine_user(struct coroutine *coroutine);

/* Before the first resume: another argument than coroutine_create() was given. */
void coroutine_set_argument(struct coroutine *coroutine, void *argument);

/* Called for the user memory of each pooled stack before it is unmapped. */
void coroutine_pool_on_unmap(struct coroutine_pool *pool, void (*on_unmap)(void *user));

void coroutine_resume(struct coroutine *coroutine);
/* From inside: back to whoever resumed. */
void coroutine_suspend(struct coroutine *coroutine);

/* Stacks mapped by all pools, in use or pooled. */
uint32_t coroutine_count(void);

#endif
