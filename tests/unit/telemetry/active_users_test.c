#include "telemetry/active_users.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/alloc.h"

#define S(n) ((n) * UINT64_C(1000000000))

/* As well mixed as the callers' hashes (fmix64 of MurmurHash3). */
static uint64_t mixed(uint64_t number)
{
    number = (number ^ number >> 33) * UINT64_C(0xff51afd7ed558ccd);
    number = (number ^ number >> 33) * UINT64_C(0xc4ceb9fe1a85ec53);
    return number ^ number >> 33;
}

static struct active_users *new_users(void)
{
    struct active_users *users = NULL;
    assert_int_equal(active_users_create(&users), STATUS_OK);
    return users;
}

static void a_user_counts_once_however_often_seen(void **state)
{
    (void)state;
    struct active_users *users = new_users();
    assert_int_equal(active_users_count(users, S(1000)), 0);
    for (int i = 0; i < 10; i++) {
        assert_true(active_users_see(users, mixed(1), S(1000)));
        assert_true(active_users_see(users, mixed(2), S(1030)));
    }
    assert_int_equal(active_users_count(users, S(1030)), 2);
    active_users_destroy(&users);
    assert_null(users);
}

/* At every second: counted for 300 s, gone at 315 s. */
static void a_user_is_counted_for_five_minutes_and_at_most_a_tick_more(void **state)
{
    (void)state;
    for (uint64_t seen = 1000; seen < 1015; seen++) {
        struct active_users *users = new_users();
        active_users_see(users, mixed(1), S(seen));
        for (uint64_t age = 0; age <= 300; age += 25)
            assert_int_equal(active_users_count(users, S(seen + age)), 1);
        assert_int_equal(active_users_count(users, S(seen + 315)), 0);
        active_users_destroy(&users);
    }
}

static void being_seen_again_extends_the_window(void **state)
{
    (void)state;
    struct active_users *users = new_users();
    for (uint64_t now = 0; now <= 900; now += 290)
        assert_true(active_users_see(users, mixed(1), S(now)));
    assert_int_equal(active_users_count(users, S(870 + 300)), 1);
    active_users_destroy(&users);
}

/* A process starts at any time of the clock, 0 included; a hash of 0 is no exception. */
static void the_zeros_are_users_too(void **state)
{
    (void)state;
    struct active_users *users = new_users();
    assert_true(active_users_see(users, 0, 0));
    assert_true(active_users_see(users, 1, 0));
    assert_true(active_users_see(users, mixed(1), 0));
    assert_int_equal(active_users_count(users, 0), 2); /* 0 and 1 differ in no bit that is kept */
    active_users_destroy(&users);
}

static void a_thread_that_lags_by_a_moment_takes_nothing_back(void **state)
{
    (void)state;
    struct active_users *users = new_users();
    active_users_see(users, mixed(1), S(1005)); /* a new tick */
    active_users_see(users, mixed(1), S(1004)); /* the one before */
    assert_int_equal(active_users_count(users, S(1004)), 1);
    assert_int_equal(active_users_count(users, S(1305)), 1);
    active_users_destroy(&users);
}

static void the_stated_number_of_users_finds_room(void **state)
{
    (void)state;
    struct active_users *users = new_users();
    for (uint64_t user = 1; user <= ACTIVE_USERS_BOUND; user++)
        assert_true(active_users_see(users, mixed(user), S(1000)));
    assert_int_equal(active_users_count(users, S(1000)), ACTIVE_USERS_BOUND);
    active_users_destroy(&users);
}

static void those_without_room_are_said_and_never_displace_another(void **state)
{
    (void)state;
    struct active_users *users = new_users();
    uint32_t counted = 0;
    for (uint64_t user = 1; user <= 3 * (uint64_t)ACTIVE_USERS_BOUND; user++)
        counted += active_users_see(users, mixed(user), S(1000));
    assert_true(counted > ACTIVE_USERS_BOUND && counted <= ACTIVE_USERS_SLOTS);
    assert_int_equal(active_users_count(users, S(1000)), counted);
    active_users_destroy(&users);
}

/* While more come than there is room for, many stay counted; once they are gone, all others find room. */
static void a_table_that_was_full_counts_on(void **state)
{
    (void)state;
    struct active_users *users = new_users();
    for (uint64_t tick = 0; tick < 60; tick++) {
        for (uint64_t user = 1; user <= 4 * (uint64_t)ACTIVE_USERS_BOUND; user++)
            (void)active_users_see(users, mixed(user), S(1000 + tick * 15));
        assert_true(active_users_count(users, S(1000 + tick * 15)) > ACTIVE_USERS_BOUND);
    }
    for (uint64_t user = 1; user <= ACTIVE_USERS_BOUND; user++)
        assert_true(active_users_see(users, mixed(UINT64_C(1) << 32 | user), S(3000)));
    assert_int_equal(active_users_count(users, S(3000)), ACTIVE_USERS_BOUND);
    active_users_destroy(&users);
}

/* Ten windows, each with other users: the slots of the former are taken over. */
static void slots_of_users_long_gone_are_used_again(void **state)
{
    (void)state;
    struct active_users *users = new_users();
    for (uint64_t window = 0; window < 10; window++) {
        const uint64_t now_ns = S(1000 + window * 400);
        for (uint64_t user = 1; user <= ACTIVE_USERS_BOUND; user++)
            assert_true(active_users_see(users, mixed(window << 32 | user), now_ns));
        assert_int_equal(active_users_count(users, now_ns), ACTIVE_USERS_BOUND);
    }
    active_users_destroy(&users);
}

static void no_memory_is_told(void **state)
{
    (void)state;
    struct active_users *users = NULL;
    alloc_fail_nth(0);
    assert_int_equal(active_users_create(&users), STATUS_NO_MEMORY);
    alloc_fail_nth(-1);
    assert_null(users);
}

#define STRESS_USERS 2000

/* The threads see the same users in different orders, a tick apart. */
struct stress {
    struct active_users *users;
    uint64_t step;
    uint64_t start_ns;
};

static void *see_all(void *argument)
{
    const struct stress *stress = argument;
    for (uint64_t round = 0; round < 20; round++) {
        for (uint64_t i = 0; i < STRESS_USERS; i++)
            active_users_see(stress->users, mixed(i * stress->step % STRESS_USERS),
                             stress->start_ns + S(round * 10));
    }
    return NULL;
}

static void threads_at_once_count_each_user_once(void **state)
{
    (void)state;
    struct active_users *users = new_users();
    struct stress stress[] = {{users, 1, S(1000)}, {users, 7, S(1009)}, {users, 1999, S(1000)}};
    pthread_t threads[3];
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, see_all, &stress[i]), 0);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(active_users_count(users, S(1200)), STRESS_USERS);
    active_users_destroy(&users);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_user_counts_once_however_often_seen),
        cmocka_unit_test(a_user_is_counted_for_five_minutes_and_at_most_a_tick_more),
        cmocka_unit_test(being_seen_again_extends_the_window),
        cmocka_unit_test(the_zeros_are_users_too),
        cmocka_unit_test(a_thread_that_lags_by_a_moment_takes_nothing_back),
        cmocka_unit_test(the_stated_number_of_users_finds_room),
        cmocka_unit_test(those_without_room_are_said_and_never_displace_another),
        cmocka_unit_test(a_table_that_was_full_counts_on),
        cmocka_unit_test(slots_of_users_long_gone_are_used_again),
        cmocka_unit_test(no_memory_is_told),
        cmocka_unit_test(threads_at_once_count_each_user_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
