#include "support/loop_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"

struct loop *loop_fixture_create(void)
{
    struct loop *loop = NULL;
    assert_int_equal(loop_create(&loop, NULL), STATUS_OK);
    return loop;
}

void loop_fixture_destroy(struct loop **loop)
{
    assert_int_equal(loop_task_count(*loop), 0);
    loop_destroy(loop);
}

void loop_fixture_run(struct loop *loop, void (*function)(void *), void *argument)
{
    assert_int_equal(task_spawn(loop, function, argument), STATUS_OK);
    loop_turn(loop, 0);
}

void loop_fixture_until(struct loop *loop, bool (*condition)(void *), void *argument)
{
    const uint64_t end_ns = clock_monotonic_ns() + LOOP_FIXTURE_MS_MAX * NS_PER_MS;
    for (unsigned i = 0; !condition(argument); i++) {
        assert_true(clock_monotonic_ns() < end_ns);
        loop_turn(loop, i < 10 ? 0 : 1); /* what a peer of the test does is no event of the loop */
    }
}

static bool is_set(void *flag)
{
    return *(const bool *)flag;
}

void loop_fixture_until_set(struct loop *loop, const bool *flag)
{
    loop_fixture_until(loop, is_set, (void *)(uintptr_t)flag);
}

static bool is_quiet(void *loop)
{
    return loop_task_count(loop) == 0;
}

void loop_fixture_until_quiet(struct loop *loop)
{
    loop_fixture_until(loop, is_quiet, loop);
}

void loop_fixture_settle(struct loop *loop)
{
    for (int i = 0; i < 10; i++)
        loop_turn(loop, 0);
}
