#include "policy/gcra.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "unit/policy/numbers.h"

#define NS_PER_S UINT64_C(1000000000)
#define MINUTE   (60 * NS_PER_S)
#define DAY      (86400 * NS_PER_S)
#define NOW      (12345 * NS_PER_S)

__extension__ typedef unsigned __int128 wide;

static void a_whole_burst_fits_and_no_more(void **state)
{
    (void)state;
    static const uint64_t limits[] = {1, 2, 3, 7, 9, 59, 60, 61, 997, 9973, 99991};
    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
        const struct gcra gcra = {limits[i], MINUTE};
        _Atomic uint64_t word = 0;
        for (uint64_t j = 0; j < limits[i]; j++) {
            assert_int_equal(gcra_remaining(&gcra, &word, NOW), limits[i] - j);
            assert_int_equal(gcra_take(&gcra, &word, 1, NOW), 0);
        }
        assert_int_equal(gcra_remaining(&gcra, &word, NOW), 0);
        assert_true(gcra_take(&gcra, &word, 1, NOW) > 0);
        assert_in_range(gcra_reset_ns(&word, NOW), MINUTE - limits[i], MINUTE);
    }
}

static void the_whole_limit_fits_at_once(void **state)
{
    (void)state;
    static const uint64_t limits[] = {1, 7, 1000000, 999983, UINT64_C(1000000000000)};
    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
        const struct gcra gcra = {limits[i], DAY};
        _Atomic uint64_t word = 0;
        assert_int_equal(gcra_remaining(&gcra, &word, NOW), limits[i]);
        assert_int_equal(gcra_take(&gcra, &word, limits[i], NOW), 0);
        assert_int_equal(gcra_remaining(&gcra, &word, NOW), 0);
        assert_int_equal(gcra_reset_ns(&word, NOW), DAY);
        assert_int_equal(gcra_take(&gcra, &word, limits[i], NOW + DAY), 0);
    }
}

/* A bucket in exact fractions: what is in it, times the window. */
struct exact {
    wide level; /* count × window_ns */
    uint64_t now_ns;
};

static void exact_advance(struct exact *exact, const struct gcra *gcra, uint64_t now_ns)
{
    const wide left = (wide)(now_ns - exact->now_ns) * gcra->limit;
    exact->level = exact->level > left ? exact->level - left : 0;
    exact->now_ns = now_ns;
}

/* Each request rounds less than 1 ns in the client's favour, so the word may be that much ahead. */
static void it_does_what_an_exact_bucket_does(void **state)
{
    (void)state;
    uint64_t seed = 3;
    for (unsigned round = 0; round < 200; round++) {
        const struct gcra gcra = {1 + number_below(&seed, round % 2 ? 100 : 1000000),
                                  round % 3 ? MINUTE : DAY};
        _Atomic uint64_t word = 0;
        struct exact exact = {0, NOW};
        uint64_t now_ns = NOW, takes = 0, differ = 0;
        for (unsigned i = 0; i < 500; i++) {
            now_ns += number_below(&seed, gcra.window_ns / (1 + number_below(&seed, 50)));
            const uint64_t count = number_below(&seed, gcra.limit) / 3 + 1;
            exact_advance(&exact, &gcra, now_ns);
            const wide after = exact.level + (wide)count * gcra.window_ns;
            const bool fits = after <= (wide)gcra.limit * gcra.window_ns;
            const bool took = gcra_take(&gcra, &word, count, now_ns) == 0;
            if (took) {
                takes++;
                exact.level = after;
            }
            if (took != fits) {
                /* Only ever admitted too early, and by less than 1 ns for each take. */
                assert_true(took);
                assert_true(after - (wide)gcra.limit * gcra.window_ns <= (wide)takes * gcra.limit);
                differ++;
            }
        }
        assert_true(differ < 5);
    }
}

static void over_any_time_no_more_is_admitted_than_the_rate_says(void **state)
{
    (void)state;
    uint64_t seed = 5;
    for (unsigned round = 0; round < 100; round++) {
        const struct gcra gcra = {1 + number_below(&seed, 200), MINUTE};
        _Atomic uint64_t word = 0;
        uint64_t times[2000];
        uint64_t now_ns = NOW;
        size_t count = 0;
        for (unsigned i = 0; i < 2000; i++) {
            now_ns += number_below(&seed, MINUTE / gcra.limit);
            if (gcra_take(&gcra, &word, 1, now_ns) == 0)
                times[count++] = now_ns;
        }
        /* From each admitted one to each later one: limit × (1 + t / window). */
        for (size_t i = 0; i < count; i++) {
            for (size_t j = i; j < count; j++) {
                const wide took = (wide)(j - i + 1) * MINUTE;
                const wide may = (wide)gcra.limit * (MINUTE + times[j] - times[i] + (j - i + 1));
                assert_true(took <= may);
            }
        }
    }
}

static void waiting_exactly_as_long_as_told_is_enough_and_a_nanosecond_less_is_not(void **state)
{
    (void)state;
    uint64_t seed = 11;
    unsigned refused = 0;
    for (unsigned round = 0; round < 100; round++) {
        const struct gcra gcra = {1 + number_below(&seed, 1000), round % 2 ? MINUTE : DAY};
        _Atomic uint64_t word = 0;
        uint64_t now_ns = NOW;
        for (unsigned i = 0; i < 200; i++) {
            const uint64_t count = 1 + number_below(&seed, gcra.limit);
            const uint64_t wait_ns = gcra_wait_ns(&gcra, &word, count, now_ns);
            now_ns += number_below(&seed, gcra.window_ns / 20);
            const uint64_t told_ns = gcra_take(&gcra, &word, count, now_ns);
            if (told_ns == 0)
                continue;
            refused++;
            assert_true(told_ns <= wait_ns);
            assert_int_equal(gcra_wait_ns(&gcra, &word, count, now_ns), told_ns);
            assert_int_equal(gcra_take(&gcra, &word, count, now_ns + told_ns - 1), 1);
            assert_int_equal(gcra_take(&gcra, &word, count, now_ns + told_ns), 0);
            now_ns += told_ns;
        }
    }
    assert_true(refused > 5000);
}

static void what_remains_fits_and_one_more_does_not(void **state)
{
    (void)state;
    uint64_t seed = 13;
    for (unsigned round = 0; round < 20000; round++) {
        const struct gcra gcra = {1 + number_below(&seed, UINT64_C(1) << number_below(&seed, 40)),
                                  round % 2 ? MINUTE : DAY};
        _Atomic uint64_t word = NOW + number_below(&seed, gcra.window_ns * 5 / 4);
        const uint64_t remaining = gcra_remaining(&gcra, &word, NOW);
        assert_true(remaining <= gcra.limit);
        if (remaining > 0)
            assert_int_equal(gcra_wait_ns(&gcra, &word, remaining, NOW), 0);
        if (remaining < gcra.limit)
            assert_true(gcra_wait_ns(&gcra, &word, remaining + 1, NOW) > 0);
    }
}

static void what_is_given_back_was_never_taken(void **state)
{
    (void)state;
    const struct gcra gcra = {999983, MINUTE};
    _Atomic uint64_t word = 0;
    assert_int_equal(gcra_take(&gcra, &word, 1000, NOW), 0);
    const uint64_t before = word;
    assert_int_equal(gcra_take(&gcra, &word, 777, NOW), 0);
    gcra_correct(&gcra, &word, 777, 0, NOW);
    assert_int_equal(word, before);
    gcra_correct(&gcra, &word, 1000, 1000, NOW);
    assert_int_equal(word, before);
    gcra_correct(&gcra, &word, 1000, 1500, NOW);
    assert_int_equal(gcra_remaining(&gcra, &word, NOW), 999983 - 1500);
    _Atomic uint64_t fresh = 0;
    gcra_correct(&gcra, &fresh, 1000, 0, NOW);
    assert_int_equal(fresh, 0);
}

static void more_than_the_burst_makes_a_debt_that_is_worked_off(void **state)
{
    (void)state;
    const struct gcra gcra = {60, MINUTE};
    _Atomic uint64_t word = 0;
    assert_int_equal(gcra_take(&gcra, &word, 1, NOW), 0);
    gcra_correct(&gcra, &word, 1, 180, NOW);
    assert_int_equal(gcra_remaining(&gcra, &word, NOW), 0);
    assert_int_equal(gcra_reset_ns(&word, NOW), 3 * MINUTE);
    assert_int_equal(gcra_take(&gcra, &word, 1, NOW), 2 * MINUTE + NS_PER_S);
    assert_int_equal(gcra_take(&gcra, &word, 0, NOW), 2 * MINUTE);
    assert_int_equal(gcra_take(&gcra, &word, 1, NOW + 2 * MINUTE + NS_PER_S), 0);
}

static void a_debt_never_wraps(void **state)
{
    (void)state;
    const struct gcra gcra = {1, DAY};
    _Atomic uint64_t word = 0;
    for (unsigned i = 0; i < 10; i++)
        gcra_correct(&gcra, &word, 0, UINT64_MAX, NOW);
    assert_int_equal(gcra_remaining(&gcra, &word, NOW), 0);
    assert_true(gcra_take(&gcra, &word, 1, NOW) > UINT64_MAX / 4);
    gcra_correct(&gcra, &word, UINT64_MAX, 0, NOW);
    assert_int_equal(word, 0);
}

static void what_was_taken_counts_as_much_of_another_limit(void **state)
{
    (void)state;
    const struct gcra small = {100, MINUTE}, large = {1000, MINUTE};
    _Atomic uint64_t word = 0;
    gcra_rescale(&word, 100, 1000, NOW);
    assert_int_equal(word, 0);
    assert_int_equal(gcra_take(&small, &word, 40, NOW), 0);
    gcra_rescale(&word, 100, 1000, NOW);
    assert_int_equal(gcra_remaining(&large, &word, NOW), 960);
    assert_int_equal(gcra_take(&large, &word, 160, NOW), 0);
    gcra_rescale(&word, 1000, 100, NOW);
    assert_int_equal(gcra_reset_ns(&word, NOW), 2 * MINUTE);
    gcra_rescale(&word, 100, 100, NOW);
    assert_int_equal(gcra_reset_ns(&word, NOW), 2 * MINUTE);
}

static void a_far_smaller_limit_makes_a_long_debt_that_does_not_wrap(void **state)
{
    (void)state;
    const struct gcra large = {UINT64_C(1000000000000), DAY}, small = {1, DAY};
    _Atomic uint64_t word = 0;
    assert_int_equal(gcra_take(&large, &word, large.limit, NOW), 0);
    gcra_rescale(&word, large.limit, small.limit, NOW);
    assert_int_equal(gcra_remaining(&small, &word, NOW), 0);
    assert_true(gcra_take(&small, &word, 1, NOW) > UINT64_MAX / 4);
    gcra_correct(&small, &word, 0, 1000, NOW);
    assert_true(gcra_take(&small, &word, 1, NOW) > UINT64_MAX / 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_burst_fits_and_no_more),
        cmocka_unit_test(the_whole_limit_fits_at_once),
        cmocka_unit_test(it_does_what_an_exact_bucket_does),
        cmocka_unit_test(over_any_time_no_more_is_admitted_than_the_rate_says),
        cmocka_unit_test(waiting_exactly_as_long_as_told_is_enough_and_a_nanosecond_less_is_not),
        cmocka_unit_test(what_remains_fits_and_one_more_does_not),
        cmocka_unit_test(what_is_given_back_was_never_taken),
        cmocka_unit_test(more_than_the_burst_makes_a_debt_that_is_worked_off),
        cmocka_unit_test(a_debt_never_wraps),
        cmocka_unit_test(what_was_taken_counts_as_much_of_another_limit),
        cmocka_unit_test(a_far_smaller_limit_makes_a_long_debt_that_does_not_wrap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
