#include "identity/grace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct thing {
    struct retired retired;
    bool freed;
};

static void mark_freed(struct retired *retired)
{
    LIST_ENTRY(retired, struct thing, retired)->freed = true;
}

static void without_readers_what_is_retired_is_freed_at_once(void **state)
{
    (void)state;
    struct grace grace;
    struct thing thing = {.freed = false};
    grace_init(&grace);
    grace_retire(&grace, &thing.retired, mark_freed);
    assert_false(thing.freed);
    assert_true(grace_reclaim(&grace, 1));
    assert_true(thing.freed);
    grace_fini(&grace);
}

static void a_reader_in_its_turn_keeps_what_was_retired_meanwhile(void **state)
{
    (void)state;
    struct grace grace;
    struct grace_reader reader;
    struct thing thing = {.freed = false};
    grace_init(&grace);
    grace_join(&grace, &reader);
    grace_turn(&reader);
    grace_retire(&grace, &thing.retired, mark_freed);
    assert_false(grace_reclaim(&grace, 1));
    assert_false(thing.freed);
    grace_turn(&reader);
    assert_true(grace_reclaim(&grace, 1));
    assert_true(thing.freed);
    grace_leave(&reader);
    grace_fini(&grace);
}

static void an_idle_reader_keeps_nothing(void **state)
{
    (void)state;
    struct grace grace;
    struct grace_reader reader;
    struct thing thing = {.freed = false};
    grace_init(&grace);
    grace_join(&grace, &reader);
    assert_true(grace_is_idle(&reader));
    grace_turn(&reader);
    assert_false(grace_is_idle(&reader));
    grace_retire(&grace, &thing.retired, mark_freed);
    grace_idle(&reader);
    assert_true(grace_reclaim(&grace, 1));
    assert_true(thing.freed);
    grace_leave(&reader);
    grace_fini(&grace);
}

static void the_slowest_of_several_readers_decides(void **state)
{
    (void)state;
    struct grace grace;
    struct grace_reader quick, slow;
    struct thing first = {.freed = false}, second = {.freed = false};
    grace_init(&grace);
    grace_join(&grace, &quick);
    grace_join(&grace, &slow);
    grace_turn(&quick);
    grace_turn(&slow);
    grace_retire(&grace, &first.retired, mark_freed);
    grace_turn(&quick);
    assert_false(grace_reclaim(&grace, 9));
    grace_turn(&slow);
    grace_retire(&grace, &second.retired, mark_freed);
    assert_false(grace_reclaim(&grace, 9));
    assert_true(first.freed);
    assert_false(second.freed);
    grace_leave(&slow);
    grace_turn(&quick);
    assert_true(grace_reclaim(&grace, 9));
    assert_true(second.freed);
    grace_leave(&quick);
    grace_fini(&grace);
}

static void reclaiming_stops_at_the_count_that_it_was_given(void **state)
{
    (void)state;
    struct grace grace;
    struct thing things[5] = {{.freed = false}};
    grace_init(&grace);
    for (size_t i = 0; i < 5; i++)
        grace_retire(&grace, &things[i].retired, mark_freed);
    assert_false(grace_reclaim(&grace, 2));
    assert_true(things[1].freed);
    assert_false(things[2].freed);
    grace_fini(&grace);
    assert_true(things[4].freed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_readers_what_is_retired_is_freed_at_once),
        cmocka_unit_test(a_reader_in_its_turn_keeps_what_was_retired_meanwhile),
        cmocka_unit_test(an_idle_reader_keeps_nothing),
        cmocka_unit_test(the_slowest_of_several_readers_decides),
        cmocka_unit_test(reclaiming_stops_at_the_count_that_it_was_given),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
