#include "io/timer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/alloc.h"

#define ALL UINT32_MAX

struct probe {
    struct timer timer;
    unsigned fired;
};

static void count(struct timer *timer)
{
    LIST_ENTRY(timer, struct probe, timer)->fired++;
}

static struct timer_wheel *wheel_at(uint64_t now_ms)
{
    struct timer_wheel *wheel = NULL;
    assert_int_equal(timer_wheel_create(now_ms, &wheel), STATUS_OK);
    return wheel;
}

static void a_timer_fires_once_and_never_early(void **state)
{
    (void)state;
    struct timer_wheel *wheel = wheel_at(1000);
    struct probe probe = {0};
    timer_init(&probe.timer, count);
    timer_arm(wheel, &probe.timer, 1100);
    for (uint64_t now_ms = 1000; now_ms < 1100; now_ms++)
        timer_wheel_advance(wheel, now_ms, ALL);
    assert_int_equal(probe.fired, 0);
    timer_wheel_advance(wheel, 1100 + TIMER_TICK_MS, ALL);
    assert_int_equal(probe.fired, 1);
    timer_wheel_advance(wheel, 200000, ALL);
    assert_int_equal(probe.fired, 1);
    timer_wheel_destroy(&wheel);
}

static void a_deadline_moved_back_is_kept_without_being_filed_again(void **state)
{
    (void)state;
    struct timer_wheel *wheel = wheel_at(0);
    struct probe probe = {0};
    timer_init(&probe.timer, count);
    timer_arm(wheel, &probe.timer, 100);
    const uint64_t filed_ms = probe.timer.filed_ms;
    timer_arm(wheel, &probe.timer, 500);
    assert_int_equal(probe.timer.filed_ms, filed_ms);
    timer_wheel_advance(wheel, 480, ALL);
    assert_int_equal(probe.fired, 0);
    timer_wheel_advance(wheel, 512, ALL);
    assert_int_equal(probe.fired, 1);
    timer_wheel_destroy(&wheel);
}

static void a_deadline_moved_forward_fires_at_the_new_one(void **state)
{
    (void)state;
    struct timer_wheel *wheel = wheel_at(0);
    struct probe probe = {0};
    timer_init(&probe.timer, count);
    timer_arm(wheel, &probe.timer, 10000);
    timer_arm(wheel, &probe.timer, 50);
    timer_wheel_advance(wheel, 60, ALL);
    assert_int_equal(probe.fired, 1);
    timer_wheel_destroy(&wheel);
}

static void a_disarmed_timer_does_not_fire(void **state)
{
    (void)state;
    struct timer_wheel *wheel = wheel_at(0);
    struct probe probe = {0};
    timer_init(&probe.timer, count);
    timer_arm(wheel, &probe.timer, 50);
    timer_disarm(&probe.timer);
    timer_wheel_advance(wheel, 1000, ALL);
    assert_int_equal(probe.fired, 0);
    timer_wheel_destroy(&wheel);
}

static void a_deadline_beyond_the_wheel_is_met(void **state)
{
    (void)state;
    struct timer_wheel *wheel = wheel_at(0);
    struct probe probe = {0};
    timer_init(&probe.timer, count);
    timer_arm(wheel, &probe.timer, 3600000);
    for (uint64_t now_ms = 0; now_ms < 3600000; now_ms += 900)
        timer_wheel_advance(wheel, now_ms, ALL);
    assert_int_equal(probe.fired, 0);
    timer_wheel_advance(wheel, 3600000 + TIMER_TICK_MS, ALL);
    assert_int_equal(probe.fired, 1);
    timer_wheel_destroy(&wheel);
}

static void a_long_sleep_skips_nothing(void **state)
{
    (void)state;
    struct timer_wheel *wheel = wheel_at(0);
    struct probe probes[50] = {0};
    for (unsigned i = 0; i < 50; i++) {
        timer_init(&probes[i].timer, count);
        timer_arm(wheel, &probes[i].timer, 1 + i * 2000);
    }
    while (timer_wheel_advance(wheel, 1000000, ALL))
        ;
    for (unsigned i = 0; i < 50; i++)
        assert_int_equal(probes[i].fired, 1);
    timer_wheel_destroy(&wheel);
}

static void a_bounded_look_leaves_the_rest_for_the_next(void **state)
{
    (void)state;
    struct timer_wheel *wheel = wheel_at(0);
    struct probe probes[10] = {0};
    for (unsigned i = 0; i < 10; i++) {
        timer_init(&probes[i].timer, count);
        timer_arm(wheel, &probes[i].timer, 40);
    }
    assert_true(timer_wheel_advance(wheel, 48, 4));
    unsigned fired = 0;
    for (unsigned i = 0; i < 10; i++)
        fired += probes[i].fired;
    assert_int_equal(fired, 4);
    assert_int_equal(timer_wheel_wait_ms(wheel, 48), 0);
    assert_false(timer_wheel_advance(wheel, 48, ALL));
    for (unsigned i = 0; i < 10; i++)
        assert_int_equal(probes[i].fired, 1);
    timer_wheel_destroy(&wheel);
}

static void an_empty_wheel_waits_for_ever(void **state)
{
    (void)state;
    struct timer_wheel *wheel = wheel_at(123456);
    assert_int_equal(timer_wheel_wait_ms(wheel, 123456), UINT64_MAX);
    struct probe probe = {0};
    timer_init(&probe.timer, count);
    timer_arm(wheel, &probe.timer, 123456 + 1000);
    assert_in_range(timer_wheel_wait_ms(wheel, 123456), 1000 - TIMER_TICK_MS, 1000 + TIMER_TICK_MS);
    timer_remove(&probe.timer);
    timer_wheel_destroy(&wheel);
}

static void a_timer_may_be_armed_again_while_it_fires(void **state)
{
    (void)state;
    struct timer_wheel *wheel = wheel_at(0);
    struct probe probe = {0};
    timer_init(&probe.timer, count);
    for (unsigned i = 1; i <= 5; i++) {
        timer_arm(wheel, &probe.timer, i * 100);
        timer_wheel_advance(wheel, i * 100 + TIMER_TICK_MS, ALL);
        assert_int_equal(probe.fired, i);
    }
    timer_wheel_destroy(&wheel);
}

static void create_survives_the_failure_of_its_allocation(void **state)
{
    (void)state;
    struct timer_wheel *wheel = NULL;
    alloc_fail_nth(0);
    assert_int_equal(timer_wheel_create(0, &wheel), STATUS_NO_MEMORY);
    alloc_fail_nth(-1);
    assert_null(wheel);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_timer_fires_once_and_never_early),
        cmocka_unit_test(a_deadline_moved_back_is_kept_without_being_filed_again),
        cmocka_unit_test(a_deadline_moved_forward_fires_at_the_new_one),
        cmocka_unit_test(a_disarmed_timer_does_not_fire),
        cmocka_unit_test(a_deadline_beyond_the_wheel_is_met),
        cmocka_unit_test(a_long_sleep_skips_nothing),
        cmocka_unit_test(a_bounded_look_leaves_the_rest_for_the_next),
        cmocka_unit_test(an_empty_wheel_waits_for_ever),
        cmocka_unit_test(a_timer_may_be_armed_again_while_it_fires),
        cmocka_unit_test(create_survives_the_failure_of_its_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
