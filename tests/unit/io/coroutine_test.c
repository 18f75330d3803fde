#include "io/coroutine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define HAS_SANITIZER 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define HAS_SANITIZER 1
#endif

static struct coroutine_pool *pool_for_test(void)
{
    struct coroutine_pool *pool = NULL;
    assert_int_equal(coroutine_pool_create(&pool), STATUS_OK);
    return pool;
}

struct script {
    struct coroutine *coroutine;
    unsigned suspensions, steps;
    double sum;
    bool is_over;
};

static struct coroutine *make(struct coroutine_pool *pool, void (*function)(void *), void *argument)
{
    struct coroutine *coroutine = NULL;
    assert_int_equal(coroutine_create(pool, function, argument, &coroutine), STATUS_OK);
    return coroutine;
}

/* Its locals, of both kinds of registers, have to survive each switch. */
static void suspend_often(void *argument)
{
    struct script *script = argument;
    double sum = 0.5;
    for (unsigned i = 0; i < script->suspensions; i++) {
        script->steps++;
        sum += i;
        coroutine_suspend(script->coroutine);
    }
    script->sum = sum;
    script->is_over = true;
}

static void a_coroutine_runs_from_one_suspension_to_the_next(void **state)
{
    (void)state;
    struct coroutine_pool *pool = pool_for_test();
    struct script script = {.suspensions = 3};
    script.coroutine = make(pool, suspend_often, &script);
    assert_int_equal(script.steps, 0);
    for (unsigned i = 1; i <= 3; i++) {
        coroutine_resume(script.coroutine);
        assert_int_equal(script.steps, i);
        assert_false(script.is_over);
    }
    coroutine_resume(script.coroutine);
    assert_true(script.is_over);
    assert_true(script.sum > 3.4 && script.sum < 3.6);
    coroutine_pool_destroy(&pool);
    assert_null(pool);
}

#define MANY 50

static void many_coroutines_keep_their_own_locals(void **state)
{
    (void)state;
    struct coroutine_pool *pool = pool_for_test();
    struct script scripts[MANY] = {0};
    for (unsigned i = 0; i < MANY; i++) {
        scripts[i].suspensions = i;
        scripts[i].coroutine = make(pool, suspend_often, &scripts[i]);
    }
    for (unsigned round = 0; round < MANY; round++) {
        for (unsigned i = 0; i < MANY; i++) {
            if (!scripts[i].is_over)
                coroutine_resume(scripts[i].coroutine);
            assert_int_equal(scripts[i].is_over, round >= i);
        }
    }
    for (unsigned i = 0; i < MANY; i++)
        assert_true(scripts[i].sum == 0.5 + i * (i - 1.0) / 2);
    coroutine_pool_destroy(&pool);
}

static void note_argument(void *argument)
{
    *(bool *)argument = true;
}

static void the_argument_may_be_changed_before_the_first_resume(void **state)
{
    (void)state;
    struct coroutine_pool *pool = pool_for_test();
    bool first = false, second = false;
    struct coroutine *coroutine = make(pool, note_argument, &first);
    coroutine_set_argument(coroutine, &second);
    coroutine_resume(coroutine);
    assert_false(first);
    assert_true(second);
    coroutine_pool_destroy(&pool);
}

static void user_memory_is_zero_at_first_and_stays_with_the_stack(void **state)
{
    (void)state;
    static const unsigned char zeros[COROUTINE_USER_BYTES];
    struct coroutine_pool *pool = pool_for_test();
    bool ran = false;
    struct coroutine *coroutine = make(pool, note_argument, &ran);
    unsigned char *user = coroutine_user(coroutine);
    assert_memory_equal(user, zeros, sizeof(zeros));
    memset(user, 'u', COROUTINE_USER_BYTES);
    coroutine_resume(coroutine);

    coroutine = make(pool, note_argument, &ran);
    assert_ptr_equal(coroutine_user(coroutine), user);
    for (unsigned i = 0; i < COROUTINE_USER_BYTES; i++)
        assert_int_equal(user[i], 'u');
    coroutine_resume(coroutine);
    coroutine_pool_destroy(&pool);
}

static void stacks_are_counted_and_used_again(void **state)
{
    (void)state;
    struct coroutine_pool *pool = pool_for_test();
    bool ran = false;
    const uint32_t before = coroutine_count();
    for (int i = 0; i < 10; i++)
        coroutine_resume(make(pool, note_argument, &ran));
    assert_int_equal(coroutine_count(), before + 1);
    struct coroutine *two[] = {make(pool, note_argument, &ran), make(pool, note_argument, &ran)};
    assert_int_equal(coroutine_count(), before + 2);
    coroutine_resume(two[0]);
    coroutine_resume(two[1]);
    coroutine_pool_destroy(&pool);
    assert_int_equal(coroutine_count(), before);
}

static unsigned unmapped;

static void count_unmapped(void *user)
{
    unmapped += *(unsigned char *)user;
}

static void each_user_memory_is_shown_before_its_stack_goes(void **state)
{
    (void)state;
    struct coroutine_pool *pool = pool_for_test();
    bool ran = false;
    struct coroutine *coroutines[5];
    unmapped = 0;
    coroutine_pool_on_unmap(pool, count_unmapped);
    for (unsigned i = 0; i < 5; i++) {
        coroutines[i] = make(pool, note_argument, &ran);
        *(unsigned char *)coroutine_user(coroutines[i]) = (unsigned char)(1 << i);
    }
    for (unsigned i = 0; i < 5; i++)
        coroutine_resume(coroutines[i]);
    assert_int_equal(unmapped, 0);
    coroutine_pool_destroy(&pool);
    assert_int_equal(unmapped, 31);
}

static void use_most_of_the_stack(void *argument)
{
    volatile char bytes[COROUTINE_STACK_BYTES - 8192];
    for (size_t i = 0; i < sizeof(bytes); i += 512)
        bytes[i] = (char)i;
    *(bool *)argument = bytes[0] == 0;
}

static void a_stack_has_the_size_that_is_promised(void **state)
{
    (void)state;
    struct coroutine_pool *pool = pool_for_test();
    bool ran = false;
    coroutine_resume(make(pool, use_most_of_the_stack, &ran));
    assert_true(ran);
    coroutine_pool_destroy(&pool);
}

#ifndef HAS_SANITIZER

static unsigned recurse(unsigned depth)
{
    volatile char bytes[1024];
    bytes[depth % sizeof(bytes)] = (char)depth;
    return depth == 0 ? 0 : recurse(depth - 1) + (unsigned char)bytes[depth % sizeof(bytes)];
}

static void recurse_to(void *depth)
{
    *(unsigned *)depth = recurse(*(unsigned *)depth);
}

/* Else it would write over the stack that lies below. */
static void a_stack_that_overflows_stops_the_process(void **state)
{
    (void)state;
    struct coroutine_pool *pool = pool_for_test();
    unsigned deep = COROUTINE_STACK_BYTES / 1024 + 8, shallow = 1;
    struct coroutine *neighbours[3];
    for (unsigned i = 0; i < 3; i++)
        neighbours[i] = make(pool, recurse_to, &shallow);
    for (unsigned i = 0; i < 3; i++) {
        const pid_t child = fork();
        if (child == 0) {
            coroutine_set_argument(neighbours[i], &deep);
            coroutine_resume(neighbours[i]);
            _exit(0);
        }
        int outcome = 0;
        assert_int_equal(waitpid(child, &outcome, 0), child);
        assert_true(WIFSIGNALED(outcome));
        assert_int_equal(WTERMSIG(outcome), SIGSEGV);
        coroutine_resume(neighbours[i]);
    }
    coroutine_pool_destroy(&pool);
}

static struct coroutine *all[COROUTINE_COUNT_MAX];

static void coroutines_are_bounded_and_the_bound_is_left_again(void **state)
{
    (void)state;
    struct coroutine_pool *pool = pool_for_test(), *other = pool_for_test();
    bool ran = false;
    const uint32_t before = coroutine_count();
    for (uint32_t i = before; i < COROUTINE_COUNT_MAX; i++)
        all[i] = make(i % 2 == 0 ? pool : other, note_argument, &ran);
    struct coroutine *one_more = NULL;
    assert_int_equal(coroutine_create(pool, note_argument, &ran, &one_more), STATUS_NO_MEMORY);
    assert_int_equal(coroutine_create(other, note_argument, &ran, &one_more), STATUS_NO_MEMORY);
    assert_null(one_more);
    assert_int_equal(coroutine_count(), COROUTINE_COUNT_MAX);
    coroutine_resume(all[before]);
    all[before] = make(before % 2 == 0 ? pool : other, note_argument, &ran);
    for (uint32_t i = before; i < COROUTINE_COUNT_MAX; i++)
        coroutine_resume(all[i]);
    assert_in_range(coroutine_count(), before, COROUTINE_COUNT_MAX / 2);
    coroutine_pool_destroy(&pool);
    coroutine_pool_destroy(&other);
    assert_int_equal(coroutine_count(), before);
}

#endif

static void a_pool_without_memory_is_not_made(void **state)
{
    (void)state;
    struct coroutine_pool *pool = NULL;
    alloc_fail_nth(0);
    assert_int_equal(coroutine_pool_create(&pool), STATUS_NO_MEMORY);
    alloc_fail_nth(-1);
    assert_null(pool);
    coroutine_pool_destroy(&pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_coroutine_runs_from_one_suspension_to_the_next),
        cmocka_unit_test(many_coroutines_keep_their_own_locals),
        cmocka_unit_test(the_argument_may_be_changed_before_the_first_resume),
        cmocka_unit_test(user_memory_is_zero_at_first_and_stays_with_the_stack),
        cmocka_unit_test(stacks_are_counted_and_used_again),
        cmocka_unit_test(each_user_memory_is_shown_before_its_stack_goes),
        cmocka_unit_test(a_stack_has_the_size_that_is_promised),
#ifndef HAS_SANITIZER
        cmocka_unit_test(a_stack_that_overflows_stops_the_process),
        cmocka_unit_test(coroutines_are_bounded_and_the_bound_is_left_again),
#endif
        cmocka_unit_test(a_pool_without_memory_is_not_made),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
