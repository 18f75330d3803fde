#include "telemetry/log_ring.h"

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/alloc.h"

#define CAPACITY 4096

static bool append(struct log_ring *ring, uint64_t number, size_t size)
{
    char *at = log_ring_reserve(ring, size);
    if (at == NULL)
        return false;
    memset(at, (int)(number & 0xff), size);
    memcpy(at, &number, sizeof(number));
    log_ring_commit(ring, size);
    return true;
}

/* The record's number; each byte after it must be the number's last. */
static uint64_t take(struct log_ring *ring, size_t *size_out)
{
    struct slice record;
    uint64_t number;
    assert_true(log_ring_peek(ring, &record));
    assert_true(record.size >= sizeof(number));
    assert_int_equal((uintptr_t)record.data % 8, 0);
    memcpy(&number, record.data, sizeof(number));
    for (size_t i = sizeof(number); i < record.size; i++) {
        if ((unsigned char)record.data[i] != (number & 0xff))
            fail_msg("record %llu is torn", (unsigned long long)number);
    }
    *size_out = record.size;
    log_ring_consume(ring, record);
    return number;
}

static void records_come_out_as_they_went_in(void **state)
{
    (void)state;
    struct log_ring ring;
    struct slice record;
    size_t size;
    assert_int_equal(log_ring_init(&ring, CAPACITY), STATUS_OK);
    assert_false(log_ring_peek(&ring, &record));

    assert_true(append(&ring, 1, 8));
    assert_true(append(&ring, 2, 13));
    assert_int_equal(take(&ring, &size), 1);
    assert_int_equal(size, 8);
    assert_int_equal(take(&ring, &size), 2);
    assert_int_equal(size, 13);
    assert_false(log_ring_peek(&ring, &record));
    assert_int_equal(log_ring_dropped(&ring), 0);
    log_ring_fini(&ring);
}

/* Sizes that share no factor with the capacity, so that the end is met at every distance. */
static void the_end_of_the_memory_is_met_at_every_distance(void **state)
{
    (void)state;
    struct log_ring ring;
    assert_int_equal(log_ring_init(&ring, CAPACITY), STATUS_OK);
    for (uint64_t number = 0; number < 5000; number++) {
        size_t size;
        const size_t wanted = 8 + number * 37 % 1500;
        assert_true(append(&ring, number, wanted));
        assert_int_equal(take(&ring, &size), number);
        assert_int_equal(size, wanted);
    }
    log_ring_fini(&ring);
}

static void a_full_ring_drops_counts_and_recovers(void **state)
{
    (void)state;
    struct log_ring ring;
    size_t size;
    uint64_t accepted = 0;
    assert_int_equal(log_ring_init(&ring, CAPACITY), STATUS_OK);
    while (append(&ring, accepted, 100))
        accepted++;
    assert_int_equal(accepted, CAPACITY / (8 + 104));
    assert_int_equal(log_ring_dropped(&ring), 1);
    assert_false(append(&ring, accepted, 100));
    assert_int_equal(log_ring_dropped(&ring), 2);

    assert_int_equal(take(&ring, &size), 0);
    assert_int_equal(take(&ring, &size), 1);
    assert_true(append(&ring, accepted, 100));
    for (uint64_t number = 2; number <= accepted; number++)
        assert_int_equal(take(&ring, &size), number);
    assert_int_equal(log_ring_dropped(&ring), 2);
    log_ring_fini(&ring);
}

static void a_record_larger_than_half_of_the_ring_is_dropped(void **state)
{
    (void)state;
    struct log_ring ring;
    size_t size;
    assert_int_equal(log_ring_init(&ring, CAPACITY), STATUS_OK);
    assert_null(log_ring_reserve(&ring, CAPACITY / 2 - 7));
    assert_null(log_ring_reserve(&ring, CAPACITY));
    assert_null(log_ring_reserve(&ring, SIZE_MAX));
    assert_int_equal(log_ring_dropped(&ring), 3);
    /* What is not larger finds room in an empty ring wherever that stands. */
    for (uint64_t number = 0; number < 600; number++) {
        assert_true(append(&ring, number, 8 + number % 40));
        assert_int_equal(take(&ring, &size), number);
        assert_true(append(&ring, number, CAPACITY / 2 - 8));
        assert_int_equal(take(&ring, &size), number);
    }
    log_ring_fini(&ring);
}

static void less_may_be_committed_than_was_reserved(void **state)
{
    (void)state;
    struct log_ring ring;
    struct slice record;
    assert_int_equal(log_ring_init(&ring, CAPACITY), STATUS_OK);
    for (int i = 0; i < 1000; i++) {
        char *at = log_ring_reserve(&ring, 1024);
        assert_non_null(at);
        memcpy(at, "short", 5);
        log_ring_commit(&ring, 5);
        assert_true(log_ring_peek(&ring, &record));
        assert_true(slice_equal(record, SLICE("short")));
        log_ring_consume(&ring, record);
    }
    log_ring_fini(&ring);
}

static void what_was_reserved_only_is_not_there(void **state)
{
    (void)state;
    struct log_ring ring;
    struct slice record;
    assert_int_equal(log_ring_init(&ring, CAPACITY), STATUS_OK);
    assert_non_null(log_ring_reserve(&ring, 100));
    assert_false(log_ring_peek(&ring, &record));
    log_ring_fini(&ring);
}

static void without_memory_there_is_no_ring(void **state)
{
    (void)state;
    struct log_ring ring;
    alloc_fail_nth(0);
    assert_int_equal(log_ring_init(&ring, CAPACITY), STATUS_NO_MEMORY);
    alloc_fail_nth(-1);
    log_ring_fini(&ring);
}

#define STRESS_RECORDS 100000

struct stress {
    struct log_ring ring;
    atomic_bool is_done;
};

static void *produce(void *argument)
{
    struct stress *stress = argument;
    for (uint64_t number = 1; number <= STRESS_RECORDS; number++) {
        append(&stress->ring, number, 8 + number * 53 % 400);
        if (number % 64 == 0)
            sched_yield();
    }
    atomic_store(&stress->is_done, true);
    return NULL;
}

static void two_threads_lose_only_what_is_counted(void **state)
{
    (void)state;
    static struct stress stress;
    pthread_t producer;
    struct slice record;
    uint64_t taken = 0;
    uint64_t last = 0;
    assert_int_equal(log_ring_init(&stress.ring, CAPACITY), STATUS_OK);
    assert_int_equal(pthread_create(&producer, NULL, produce, &stress), 0);
    for (;;) {
        const bool is_done = atomic_load(&stress.is_done);
        if (!log_ring_peek(&stress.ring, &record)) {
            if (is_done)
                break;
            sched_yield();
            continue;
        }
        size_t size;
        const uint64_t number = take(&stress.ring, &size);
        if (number <= last || size != 8 + number * 53 % 400)
            fail_msg("record %llu after %llu", (unsigned long long)number,
                     (unsigned long long)last);
        last = number;
        taken++;
    }
    assert_int_equal(pthread_join(producer, NULL), 0);
    assert_int_equal(taken + log_ring_dropped(&stress.ring), STRESS_RECORDS);
    assert_true(taken > 0);
    log_ring_fini(&stress.ring);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_come_out_as_they_went_in),
        cmocka_unit_test(the_end_of_the_memory_is_met_at_every_distance),
        cmocka_unit_test(a_full_ring_drops_counts_and_recovers),
        cmocka_unit_test(a_record_larger_than_half_of_the_ring_is_dropped),
        cmocka_unit_test(less_may_be_committed_than_was_reserved),
        cmocka_unit_test(what_was_reserved_only_is_not_there),
        cmocka_unit_test(without_memory_there_is_no_ring),
        cmocka_unit_test(two_threads_lose_only_what_is_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
