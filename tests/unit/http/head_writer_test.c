#include "http/head_writer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <inttypes.h>
#include <stdio.h>

static void write_sample(struct head_writer *writer)
{
    head_writer_status_line(writer, 200);
    head_writer_lines(writer, SLICE("server: weir\r\n"));
    head_writer_add(writer, SLICE("content-type"), SLICE("text/plain; a=\"\t\xc3\xa9\""));
    head_writer_add_checked(writer, SLICE("x-empty"), (struct slice){0});
    head_writer_add_u64(writer, SLICE("content-length"), UINT64_MAX);
}

static const char sample[] = "HTTP/1.1 200 OK\r\n"
                             "server: weir\r\n"
                             "content-type: text/plain; a=\"\t\xc3\xa9\"\r\n"
                             "x-empty: \r\n"
                             "content-length: 18446744073709551615\r\n\r\n";

static void a_head_is_written_line_by_line(void **state)
{
    (void)state;
    char area[sizeof(sample) - 1];
    struct head_writer writer;
    struct slice head;
    head_writer_init(&writer, area, sizeof(area)); /* it fits exactly */
    write_sample(&writer);
    assert_int_equal(head_writer_finish(&writer, &head), STATUS_OK);
    assert_true(slice_equal(head, slice_of(sample, sizeof(sample) - 1)));
}

static void a_head_that_does_not_fit_is_not_given_out(void **state)
{
    (void)state;
    for (size_t size = 0; size < sizeof(sample) - 1; size++) {
        char area[sizeof(sample)];
        struct head_writer writer;
        struct slice head;
        memset(area, '?', sizeof(area));
        head_writer_init(&writer, area, size);
        write_sample(&writer);
        assert_int_equal(head_writer_finish(&writer, &head), STATUS_TOO_LARGE);
        assert_int_equal(area[size], '?');
    }
}

static enum status status_of_field(struct slice name, struct slice value)
{
    char area[256];
    struct head_writer writer;
    struct slice head;
    head_writer_init(&writer, area, sizeof(area));
    head_writer_add(&writer, name, value);
    head_writer_add(&writer, SLICE("a"), SLICE("b"));
    return head_writer_finish(&writer, &head);
}

static void no_value_can_add_a_line_to_a_head(void **state)
{
    (void)state;
    for (unsigned value = 0; value < 256; value++) {
        const bool is_control = (value < 32 && value != '\t') || value == 127;
        char text[20];
        for (size_t at = 0; at < sizeof(text); at++) {
            memset(text, 'x', sizeof(text));
            text[at] = (char)value;
            assert_int_equal(status_of_field(SLICE("a"), slice_of(text, sizeof(text))),
                             is_control ? STATUS_INVALID : STATUS_OK);
        }
    }
    assert_int_equal(status_of_field(SLICE("a b"), SLICE("c")), STATUS_INVALID);
    assert_int_equal(status_of_field(SLICE("a:"), SLICE("c")), STATUS_INVALID);
    assert_int_equal(status_of_field(SLICE(""), SLICE("c")), STATUS_INVALID);
    assert_int_equal(status_of_field(SLICE("a\r\nb"), SLICE("c")), STATUS_INVALID);
}

static enum status request_line(struct slice method, struct slice target, const char *expected)
{
    char area[64];
    struct head_writer writer;
    struct slice head;
    head_writer_init(&writer, area, sizeof(area));
    head_writer_request_line(&writer, method, target);
    const enum status status = head_writer_finish(&writer, &head);
    if (status == STATUS_OK)
        assert_true(slice_equal(head, slice_from_text(expected)));
    return status;
}

static void a_request_line_is_one_line_of_three_parts(void **state)
{
    (void)state;
    assert_int_equal(request_line(SLICE("GET"), SLICE("/a?b"), "GET /a?b HTTP/1.1\r\n\r\n"),
                     STATUS_OK);
    assert_int_equal(request_line(SLICE("GET"), SLICE("/a b"), ""), STATUS_INVALID);
    assert_int_equal(request_line(SLICE("GET"), SLICE("/a\tb"), ""), STATUS_INVALID);
    assert_int_equal(request_line(SLICE("GET"), SLICE("/a\r\nb"), ""), STATUS_INVALID);
    assert_int_equal(request_line(SLICE("GET"), SLICE(""), ""), STATUS_INVALID);
    assert_int_equal(request_line(SLICE("G T"), SLICE("/"), ""), STATUS_INVALID);
    assert_int_equal(request_line(SLICE(""), SLICE("/"), ""), STATUS_INVALID);
    assert_int_equal(request_line(SLICE("GET"),
                                  SLICE("/0123456789012345678901234567890123456789012345678901"),
                                  ""),
                     STATUS_TOO_LARGE);
}

static void each_status_has_a_line_of_its_own_number(void **state)
{
    (void)state;
    unsigned named = 0;
    for (unsigned status = 100; status <= 599; status++) {
        char area[64];
        struct head_writer writer;
        struct slice head;
        uint64_t number;
        head_writer_init(&writer, area, sizeof(area));
        head_writer_status_line(&writer, status);
        assert_int_equal(head_writer_finish(&writer, &head), STATUS_OK);
        assert_true(slice_starts_with(head, SLICE("HTTP/1.1 ")));
        assert_int_equal(slice_to_u64(slice_of(head.data + 9, 3), &number), STATUS_OK);
        assert_int_equal(number, status);
        assert_true(slice_ends_with(head, SLICE("\r\n\r\n")) && head.data[12] == ' ');
        named += http_status_line(status).size > 0;
    }
    assert_true(named > 40);
    assert_true(slice_equal(http_status_line(429), SLICE("HTTP/1.1 429 Too Many Requests\r\n")));
    assert_int_equal(http_status_line(299).size, 0);
}

static void a_number_is_written_in_as_many_digits_as_it_has(void **state)
{
    (void)state;
    char digits[20];
    assert_int_equal(http_write_number(0, digits), 1);
    assert_memory_equal(digits, "0", 1);
    assert_int_equal(http_write_number(1030, digits), 4);
    assert_memory_equal(digits, "1030", 4);
    assert_int_equal(http_write_number(UINT64_MAX, digits), 20);
    assert_memory_equal(digits, "18446744073709551615", 20);
    for (uint64_t power = 1; power <= UINT64_MAX / 100; power *= 10) {
        const uint64_t numbers[] = {power - 1, power, power + 1, 5 * power, 12 * power + 7};
        for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
            char expected[24];
            const int size = snprintf(expected, sizeof(expected), "%" PRIu64, numbers[i]);
            assert_int_equal(http_write_number(numbers[i], digits), size);
            assert_memory_equal(digits, expected, (size_t)size);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_head_is_written_line_by_line),
        cmocka_unit_test(a_head_that_does_not_fit_is_not_given_out),
        cmocka_unit_test(no_value_can_add_a_line_to_a_head),
        cmocka_unit_test(a_request_line_is_one_line_of_three_parts),
        cmocka_unit_test(each_status_has_a_line_of_its_own_number),
        cmocka_unit_test(a_number_is_written_in_as_many_digits_as_it_has),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
