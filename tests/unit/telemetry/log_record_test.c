#include "telemetry/log_record.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define CAPACITY 16384

static char long_text[4096];

__attribute__((format(printf, 2, 3))) static void append_message(struct log_ring *ring,
                                                                 const char *format, ...)
{
    va_list args;
    va_start(args, format);
    log_record_message(ring, 7, LOG_LEVEL_WARN, "part", format, args);
    va_end(args);
}

static void read_one(struct log_ring *ring, struct log_view *view_out)
{
    struct slice record;
    assert_true(log_ring_peek(ring, &record));
    log_record_read(record, view_out);
    assert_int_equal(log_record_time_us(record), view_out->time_us);
    log_ring_consume(ring, record);
}

static void an_access_record_is_read_as_it_was_written(void **state)
{
    (void)state;
    static const char *const words = "abcdefghijklmnopqrstuvwxyz";
    struct log_ring ring;
    struct log_access access;
    struct log_view view;
    assert_int_equal(log_ring_init(&ring, CAPACITY), STATUS_OK);
    log_access_init(&access);
    access.time_us = 1700000000123456;
    access.figures.duration_ns = 812000000;
    access.figures.status = 200;
    for (unsigned i = 0; i < ACCESS_TEXT_COUNT; i++)
        access.text[i] = slice_of(words + i, i); /* the first one is empty */
    log_record_access(&ring, LOG_LEVEL_INFO, &access);

    read_one(&ring, &view);
    assert_int_equal(view.kind, LOG_KIND_ACCESS);
    assert_int_equal(view.level, LOG_LEVEL_INFO);
    assert_int_equal(view.time_us, access.time_us);
    assert_memory_equal(&view.figures, &access.figures, sizeof(view.figures));
    for (unsigned i = 0; i < ACCESS_TEXT_COUNT; i++) {
        assert_true(slice_equal(view.text[i].bytes, access.text[i]));
        assert_false(view.text[i].is_cut);
    }
    log_ring_fini(&ring);
}

/* At each text's bound and one byte above it; the bounds are those of access.h. */
static void texts_are_cut_at_their_bounds(void **state)
{
    (void)state;
    const size_t bounds[ACCESS_TEXT_COUNT] = {16, 256, 192, 64,  128, 64, 128,
                                              64, 128, 128, 128, 32,  64, 320};
    struct log_ring ring;
    struct log_access access;
    struct log_view view;
    size_t sum = 0;
    assert_int_equal(log_ring_init(&ring, CAPACITY), STATUS_OK);
    for (size_t more = 0; more <= 1; more++) {
        log_access_init(&access);
        for (unsigned i = 0; i < ACCESS_TEXT_COUNT; i++)
            access.text[i] = slice_of(long_text, bounds[i] + more);
        log_record_access(&ring, LOG_LEVEL_INFO, &access);
        read_one(&ring, &view);
        for (unsigned i = 0; i < ACCESS_TEXT_COUNT; i++) {
            assert_int_equal(view.text[i].bytes.size, bounds[i]);
            assert_int_equal(view.text[i].is_cut, more == 1);
            sum += bounds[i];
        }
    }
    assert_true(sum / 2 <= LOG_RECORD_TEXT_MAX);
    log_ring_fini(&ring);
}

static void a_text_of_any_size_is_bounded(void **state)
{
    (void)state;
    struct log_ring ring;
    struct log_access access;
    struct log_view view;
    assert_int_equal(log_ring_init(&ring, CAPACITY), STATUS_OK);
    log_access_init(&access);
    access.text[ACCESS_TEXT_MODEL] = slice_of(long_text, sizeof(long_text));
    log_record_access(&ring, LOG_LEVEL_INFO, &access);
    read_one(&ring, &view);
    assert_int_equal(view.text[ACCESS_TEXT_MODEL].bytes.size, 128);
    assert_true(view.text[ACCESS_TEXT_MODEL].is_cut);
    log_ring_fini(&ring);
}

static void a_message_is_printed_into_its_record(void **state)
{
    (void)state;
    struct log_ring ring;
    struct log_view view;
    assert_int_equal(log_ring_init(&ring, CAPACITY), STATUS_OK);
    append_message(&ring, "%s is %d", "answer", 42);
    read_one(&ring, &view);
    assert_int_equal(view.kind, LOG_KIND_MESSAGE);
    assert_int_equal(view.level, LOG_LEVEL_WARN);
    assert_int_equal(view.time_us, 7);
    assert_true(slice_equal(view.part, SLICE("part")));
    assert_true(slice_equal(view.message.bytes, SLICE("answer is 42")));
    assert_false(view.message.is_cut);
    log_ring_fini(&ring);
}

static void a_long_message_is_cut(void **state)
{
    (void)state;
    struct log_ring ring;
    struct log_view view;
    assert_int_equal(log_ring_init(&ring, CAPACITY), STATUS_OK);
    append_message(&ring, "%.*s", LOG_MESSAGE_SIZE - 1, long_text);
    read_one(&ring, &view);
    assert_int_equal(view.message.bytes.size, LOG_MESSAGE_SIZE - 1);
    assert_false(view.message.is_cut);
    append_message(&ring, "%.*s", LOG_MESSAGE_SIZE, long_text);
    read_one(&ring, &view);
    assert_int_equal(view.message.bytes.size, LOG_MESSAGE_SIZE - 1);
    assert_true(view.message.is_cut);
    append_message(&ring, "%s", "");
    read_one(&ring, &view);
    assert_int_equal(view.message.bytes.size, 0);
    log_ring_fini(&ring);
}

static void the_largest_records_fit_the_smallest_ring(void **state)
{
    (void)state;
    struct log_ring ring;
    struct log_access access;
    struct log_view view;
    assert_int_equal(log_ring_init(&ring, LOG_RING_BYTES_MIN), STATUS_OK);
    log_access_init(&access);
    for (unsigned i = 0; i < ACCESS_TEXT_COUNT; i++)
        access.text[i] = slice_of(long_text, sizeof(long_text));
    for (int i = 0; i < 50; i++) {
        log_record_access(&ring, LOG_LEVEL_INFO, &access);
        read_one(&ring, &view);
        append_message(&ring, "%s", long_text);
        read_one(&ring, &view);
    }
    assert_int_equal(log_ring_dropped(&ring), 0);
    log_ring_fini(&ring);
}

int main(void)
{
    memset(long_text, 'x', sizeof(long_text) - 1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_access_record_is_read_as_it_was_written),
        cmocka_unit_test(texts_are_cut_at_their_bounds),
        cmocka_unit_test(a_text_of_any_size_is_bounded),
        cmocka_unit_test(a_message_is_printed_into_its_record),
        cmocka_unit_test(a_long_message_is_cut),
        cmocka_unit_test(the_largest_records_fit_the_smallest_ring),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
