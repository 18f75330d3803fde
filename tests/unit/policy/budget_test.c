#include "policy/budget.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <sched.h>

#include "unit/policy/numbers.h"

static uint64_t hold(struct budget *budget, uint64_t number, uint64_t amount, uint64_t limit)
{
    uint64_t word = 0;
    return budget_hold(budget, number, amount, limit, &word) ? word : 0;
}

static void assert_state(struct budget *budget, uint64_t number, uint64_t committed, uint64_t held)
{
    const struct budget_state state = budget_read(budget, number);
    assert_int_equal(state.committed, committed);
    assert_int_equal(state.held, held);
}

static void holds_add_up_to_the_limit_and_no_further(void **state)
{
    (void)state;
    struct budget budget = {0};
    const uint64_t word = hold(&budget, 7, 60, 100);
    assert_true(word != 0);
    assert_int_equal(hold(&budget, 7, 40, 100), word);
    assert_int_equal(hold(&budget, 7, 1, 100), 0);
    assert_state(&budget, 7, 100, 100);
    budget_settle(&budget, word, 60, 10);
    assert_state(&budget, 7, 50, 40);
    assert_int_equal(hold(&budget, 7, 51, 100), 0);
    assert_int_equal(hold(&budget, 7, 50, 100), word);
    budget_settle(&budget, word, 40, 200);
    assert_state(&budget, 7, 260, 50);
}

static void what_costs_nothing_always_fits(void **state)
{
    (void)state;
    struct budget budget = {0};
    const uint64_t word = hold(&budget, 7, 100, 100);
    budget_settle(&budget, word, 100, 300);
    assert_int_equal(hold(&budget, 7, 0, 100), word);
    assert_true(budget_extend(&budget, word, 0, 100));
    budget_settle(&budget, word, 0, 5);
    assert_state(&budget, 7, 305, 0);
}

static void a_new_window_begins_at_nothing_and_the_former_is_kept(void **state)
{
    (void)state;
    struct budget budget = {0};
    const uint64_t first = hold(&budget, 7, 60, 100);
    const uint64_t second = hold(&budget, 8, 70, 100);
    assert_true(first != second);
    assert_state(&budget, 7, 60, 60);
    assert_state(&budget, 8, 70, 70);
    assert_state(&budget, 9, 0, 0);
    budget_settle(&budget, first, 60, 33);
    assert_state(&budget, 7, 33, 0);
    assert_state(&budget, 8, 70, 70);
}

static void what_settles_after_its_window_is_gone_changes_nothing(void **state)
{
    (void)state;
    struct budget budget = {0};
    const uint64_t first = hold(&budget, 7, 60, 100);
    assert_true(hold(&budget, 8, 10, 100) != 0);
    assert_true(hold(&budget, 9, 20, 100) != 0);
    budget_settle(&budget, first, 60, 99);
    assert_true(budget_extend(&budget, first, 1000, 100));
    assert_state(&budget, 8, 10, 10);
    assert_state(&budget, 9, 20, 20);
    uint64_t spent = 4711;
    assert_false(budget_spent(&budget, first, &spent));
    assert_int_equal(spent, 4711);
    assert_int_equal(budget_mark_told(&budget, first, 80), 255);
}

static void a_clock_that_goes_forth_and_back_finds_its_window(void **state)
{
    (void)state;
    struct budget budget = {0};
    assert_true(hold(&budget, 7, 10, 100) != 0);
    const uint64_t now = hold(&budget, 8, 60, 100);
    assert_true(hold(&budget, 5000, 1, 100) != 0);
    assert_int_equal(hold(&budget, 8, 30, 100), now);
    assert_state(&budget, 8, 90, 90);
    assert_true(hold(&budget, 9, 2, 100) != 0);
    assert_state(&budget, 5000, 1, 1);
    assert_state(&budget, 9, 2, 2);
}

static void a_moment_older_than_both_windows_is_counted_in_the_older(void **state)
{
    (void)state;
    struct budget budget = {0};
    const uint64_t older = hold(&budget, 7, 10, 100);
    assert_true(hold(&budget, 8, 20, 100) != 0);
    assert_int_equal(hold(&budget, 3, 30, 100), older);
    assert_state(&budget, 3, 40, 40);
    assert_state(&budget, 7, 40, 40);
    budget_add(&budget, 2, 50);
    assert_int_equal(hold(&budget, 7, 11, 100), 0);
}

static void a_generation_that_comes_again_is_not_mistaken(void **state)
{
    (void)state;
    struct budget budget = {0};
    uint64_t words[100];
    for (uint64_t i = 1; i < 100; i++) {
        words[i] = hold(&budget, i, i, 1000);
        for (uint64_t j = 1; j + 1 < i; j++)
            budget_settle(&budget, words[j], j, 500);
        assert_state(&budget, i, i, i);
        assert_int_equal(budget_mark_told(&budget, words[i], 50), 0);
    }
}

static void amounts_stop_at_the_largest_and_at_nothing(void **state)
{
    (void)state;
    struct budget budget = {0};
    const uint64_t word = hold(&budget, 7, 10, 100);
    budget_add(&budget, 7, UINT64_MAX);
    assert_state(&budget, 7, BUDGET_AMOUNT_MAX, 10);
    assert_int_equal(hold(&budget, 7, 1, 100), 0);
    assert_int_equal(hold(&budget, 7, 1, BUDGET_AMOUNT_MAX), 0);
    budget_settle(&budget, word, UINT64_MAX, 0);
    assert_state(&budget, 7, 0, 0);
    assert_state(&budget, 8, 0, 0);
    assert_true(hold(&budget, 7, BUDGET_AMOUNT_MAX, BUDGET_AMOUNT_MAX) != 0);
    assert_int_equal(hold(&budget, 7, UINT64_MAX, BUDGET_NO_LIMIT), word);
    assert_state(&budget, 7, BUDGET_AMOUNT_MAX, BUDGET_AMOUNT_MAX);
}

static void an_extension_obeys_the_limit_of_its_own_window(void **state)
{
    (void)state;
    struct budget budget = {0};
    const uint64_t first = hold(&budget, 7, 60, 100);
    assert_true(hold(&budget, 8, 100, 100) != 0);
    assert_true(budget_extend(&budget, first, 40, 100));
    assert_false(budget_extend(&budget, first, 1, 100));
    assert_state(&budget, 7, 100, 100);
    budget_settle(&budget, first, 100, 100);
    uint64_t spent = 0;
    assert_true(budget_spent(&budget, first, &spent));
    assert_int_equal(spent, 100);
}

static void a_share_is_told_once_until_the_limit_changes(void **state)
{
    (void)state;
    struct budget budget = {0};
    const uint64_t word = hold(&budget, 7, 60, 100);
    assert_int_equal(budget_mark_told(&budget, word, 50), 0);
    assert_int_equal(budget_mark_told(&budget, word, 50), 50);
    assert_int_equal(budget_mark_told(&budget, word, 80), 50);
    assert_int_equal(budget_mark_told(&budget, word, 50), 80);
    const uint64_t next = hold(&budget, 8, 60, 100);
    assert_int_equal(budget_mark_told(&budget, next, 50), 0);
    assert_int_equal(budget_mark_told(&budget, word, 80), 80);
    budget_forget_told(&budget);
    assert_int_equal(budget_mark_told(&budget, word, 80), 0);
    assert_int_equal(budget_mark_told(&budget, next, 50), 0);
}

/* Whoever meets a claim finishes it: the words as they stand when a process died in the middle. */
static void what_comes_late_is_added_where_its_window_is_counted(void **state)
{
    (void)state;
    struct budget budget = {0};
    budget_add_late(&budget, 7, 5);
    assert_state(&budget, 7, 0, 0);
    budget_add(&budget, 7, 1);
    budget_add(&budget, 8, 2);
    budget_add_late(&budget, 7, 10);
    budget_add_late(&budget, 8, 20);
    budget_add_late(&budget, 6, 40);
    budget_add_late(&budget, 9, 80);
    assert_state(&budget, 7, 11, 0);
    assert_state(&budget, 8, 22, 0);
}

static void what_is_forgotten_begins_anew_and_holds_of_before_count_no_more(void **state)
{
    (void)state;
    struct budget budget = {0};
    const uint64_t word = hold(&budget, 7, 60, 100);
    budget_add(&budget, 8, 30);
    assert_true(budget_has(&budget, word));
    budget_forget(&budget);
    assert_false(budget_has(&budget, word));
    assert_state(&budget, 7, 0, 0);
    assert_state(&budget, 8, 0, 0);
    budget_add(&budget, 7, 5); /* of another calendar, whose numbers may be the same */
    budget_settle(&budget, word, 60, 60);
    assert_state(&budget, 7, 5, 0);
    for (unsigned i = 0; i < 20; i++) /* the generations come round */
        budget_forget(&budget);
    assert_true(hold(&budget, 3, 100, 100) != 0);
    assert_state(&budget, 3, 100, 100);
}

static void a_claim_that_somebody_left_is_finished_by_the_next(void **state)
{
    (void)state;
    for (unsigned step = 0; step < 3; step++) {
        struct budget budget = {0};
        const uint64_t first = hold(&budget, 7, 60, 100), second = hold(&budget, 8, 30, 100);
        struct budget_cell *cell = &budget.cells[0];
        assert_int_equal(cell->window, first);
        const uint64_t generation = (first >> 59) + 1;
        cell->window = UINT64_C(1) << 63 | generation << 59 | 9;
        if (step > 0)
            cell->held = generation << 60;
        if (step > 1)
            cell->committed = generation << 60;
        budget_settle(&budget, first, 60, 60);
        assert_state(&budget, 9, 0, 0);
        const uint64_t third = hold(&budget, 9, 50, 100);
        assert_int_equal(third, generation << 59 | 9);
        budget_settle(&budget, first, 60, 60);
        assert_state(&budget, 9, 50, 50);
        assert_state(&budget, 8, 30, 30);
        budget_settle(&budget, second, 30, 0);
        assert_state(&budget, 8, 0, 0);
    }
}

/* The words as a thread finds them that has seen its window stand, and then stood still while another
 * passed the cell on. */
static void what_settles_while_its_window_goes_changes_nothing(void **state)
{
    (void)state;
    struct budget budget = {0};
    const uint64_t word = hold(&budget, 7, 60, 100);
    const uint64_t next = ((word >> 59) + 1) << 60;
    budget.cells[0].committed = next | 5;
    budget.cells[0].held = next | 4;
    budget_settle(&budget, word, 60, 99);
    assert_true(budget_extend(&budget, word, 1000, 100));
    assert_true(budget.cells[0].committed == (next | 5));
    assert_true(budget.cells[0].held == (next | 4));
    uint64_t spent;
    assert_false(budget_spent(&budget, word, &spent));
}

/* --- threads ------------------------------------------------------------------------------------ */

#define THREADS           8
#define TURNS             25000
#define HOLDS             4
#define TURNS_OF_A_WINDOW 20000 /* fewer windows than generations pass while a thread is not run */

struct stress {
    struct budget budget;
    _Atomic uint64_t turns;
    _Atomic uint64_t admitted[2 + THREADS * TURNS / TURNS_OF_A_WINDOW]; /* at once, in a window */
    _Atomic uint64_t most, refused;
    uint64_t turns_of_a_window;
};

/* The window that a hold is in, by its word: a late thread may have got a later one. */
static uint64_t window_of(uint64_t word)
{
    return word & 0xFFFFFF;
}

static uint64_t stress_hold(struct stress *stress)
{
    const uint64_t number = 1 + stress->turns++ / stress->turns_of_a_window;
    const uint64_t word = hold(&stress->budget, number, 7, 70);
    if (word == 0) {
        stress->refused++;
        return 0;
    }
    const uint64_t admitted = ++stress->admitted[window_of(word)];
    if (admitted > stress->most)
        stress->most = admitted;
    return word;
}

static void stress_settle(struct stress *stress, uint64_t *word)
{
    if (*word == 0)
        return;
    stress->admitted[window_of(*word)]--;
    budget_settle(&stress->budget, *word, 7, 0);
    *word = 0;
}

/* Each thread wants several holds at once, so that all together want more than fit. */
static void *hold_and_settle(void *argument)
{
    struct stress *stress = argument;
    uint64_t seed = (uint64_t)(uintptr_t)&seed, words[HOLDS] = {0};
    for (unsigned i = 0; i < TURNS; i++) {
        uint64_t *word = &words[number_below(&seed, HOLDS)];
        stress_settle(stress, word);
        *word = stress_hold(stress);
        if (number_below(&seed, 16) == 0)
            (void)sched_yield();
    }
    for (size_t i = 0; i < HOLDS; i++)
        stress_settle(stress, &words[i]);
    return NULL;
}

static void run_stress(struct stress *stress)
{
    pthread_t threads[THREADS];
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, hold_and_settle, stress), 0);
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(stress->turns, THREADS * TURNS);
}

static void eight_threads_at_a_budget_worth_ten_are_never_more_than_ten(void **state)
{
    (void)state;
    static struct stress stress = {.turns_of_a_window = UINT64_MAX};
    run_stress(&stress);
    assert_int_equal(stress.most, 10);
    assert_true(stress.refused > 0);
    assert_state(&stress.budget, 1, 0, 0);
}

static void windows_that_end_under_eight_threads_lose_nothing(void **state)
{
    (void)state;
    static struct stress stress = {.turns_of_a_window = TURNS_OF_A_WINDOW};
    run_stress(&stress);
    assert_int_equal(stress.most, 10);
    assert_true(stress.refused > 0);
    const uint64_t last = 1 + (THREADS * TURNS - 1) / TURNS_OF_A_WINDOW;
    assert_state(&stress.budget, last, 0, 0);
    assert_state(&stress.budget, last - 1, 0, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(holds_add_up_to_the_limit_and_no_further),
        cmocka_unit_test(what_costs_nothing_always_fits),
        cmocka_unit_test(a_new_window_begins_at_nothing_and_the_former_is_kept),
        cmocka_unit_test(what_settles_after_its_window_is_gone_changes_nothing),
        cmocka_unit_test(a_clock_that_goes_forth_and_back_finds_its_window),
        cmocka_unit_test(a_moment_older_than_both_windows_is_counted_in_the_older),
        cmocka_unit_test(a_generation_that_comes_again_is_not_mistaken),
        cmocka_unit_test(amounts_stop_at_the_largest_and_at_nothing),
        cmocka_unit_test(an_extension_obeys_the_limit_of_its_own_window),
        cmocka_unit_test(a_share_is_told_once_until_the_limit_changes),
        cmocka_unit_test(what_comes_late_is_added_where_its_window_is_counted),
        cmocka_unit_test(what_is_forgotten_begins_anew_and_holds_of_before_count_no_more),
        cmocka_unit_test(a_claim_that_somebody_left_is_finished_by_the_next),
        cmocka_unit_test(what_settles_while_its_window_goes_changes_nothing),
        cmocka_unit_test(eight_threads_at_a_budget_worth_ten_are_never_more_than_ten),
        cmocka_unit_test(windows_that_end_under_eight_threads_lose_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
