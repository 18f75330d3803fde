#include "telemetry/histogram.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const struct histogram_scale *const scales[] = {&histogram_requests, &histogram_turns};

static void bounds_ascend_and_requests_reach_ten_minutes(void **state)
{
    (void)state;
    for (size_t s = 0; s < 2; s++) {
        assert_true(scales[s]->count <= HISTOGRAM_BOUNDS_MAX);
        for (size_t i = 1; i < scales[s]->count; i++)
            assert_true(scales[s]->bounds_ns[i] > scales[s]->bounds_ns[i - 1]);
    }
    const uint64_t last_ns = histogram_requests.bounds_ns[histogram_requests.count - 1];
    assert_int_equal(last_ns, UINT64_C(600000000000));
}

/* A bucket's bound belongs to it (`le` is "less or equal"). */
static void a_value_falls_into_the_first_bucket_that_holds_it(void **state)
{
    (void)state;
    for (size_t s = 0; s < 2; s++) {
        for (size_t i = 0; i < scales[s]->count; i++) {
            struct histogram histogram = {0};
            histogram_observe(&histogram, scales[s], scales[s]->bounds_ns[i]);
            histogram_observe(&histogram, scales[s], scales[s]->bounds_ns[i] + 1);
            assert_int_equal(metric_read(&histogram.buckets[i]), 1);
            assert_int_equal(metric_read(&histogram.buckets[i + 1]), 1);
        }
    }
}

static void the_smallest_and_the_largest_have_buckets(void **state)
{
    (void)state;
    struct histogram histogram = {0};
    histogram_observe(&histogram, &histogram_turns, 0);
    histogram_observe(&histogram, &histogram_turns, UINT64_MAX);
    assert_int_equal(metric_read(&histogram.buckets[0]), 1);
    assert_int_equal(metric_read(&histogram.buckets[histogram_turns.count]), 1);
}

static void the_sum_is_exact(void **state)
{
    (void)state;
    struct histogram histogram = {0};
    for (uint64_t value_ns = 1; value_ns <= 1000; value_ns++)
        histogram_observe(&histogram, &histogram_turns, value_ns);
    assert_int_equal(metric_read(&histogram.sum_ns), 500500);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bounds_ascend_and_requests_reach_ten_minutes),
        cmocka_unit_test(a_value_falls_into_the_first_bucket_that_holds_it),
        cmocka_unit_test(the_smallest_and_the_largest_have_buckets),
        cmocka_unit_test(the_sum_is_exact),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
