#include "http/sse.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/alloc.h"

/* Describes one event in a line: raw size, lines of data, name, data. */
static void describe(const struct sse_event *event, struct buffer *text)
{
    struct buffer scratch;
    struct slice data;
    buffer_init(&scratch, 4096);
    assert_int_equal(sse_event_data(event, &scratch, &data), STATUS_OK);
    buffer_printf(text, "%zu %u %s[%.*s][", event->raw.size, (unsigned)event->data_lines,
                  event->has_fields ? "" : "- ", SLICE_ARGS(event->name));
    buffer_append(text, data);
    buffer_append(text, SLICE("]\n"));
    buffer_fini(&scratch);
}

/* Feeds the stream in pieces as a relay does: what is complete is dropped, what is not is kept, in
 * memory that moves each time. What is relayed must be what came. */
static void run(struct slice stream, size_t first, size_t step, struct buffer *text,
                size_t *left_out)
{
    struct sse sse;
    struct sse_event event;
    size_t front = 0, end = first < stream.size ? first : stream.size;
    sse_init(&sse);
    buffer_clear(text);
    for (;;) {
        const size_t size = end - front;
        char *unread = alloc_bytes(size + 1);
        memcpy(unread, stream.data + front, size);
        while (sse_next(&sse, slice_of(unread, size), &event)) {
            assert_ptr_equal(event.raw.data + event.raw.size, unread + sse_complete(&sse));
            describe(&event, text);
        }
        assert_false(sse_next(&sse, slice_of(unread, size), &event));
        front += sse_complete(&sse);
        sse_drop(&sse, sse_complete(&sse));
        alloc_free(unread);
        if (end == stream.size)
            break;
        end = step < stream.size - end ? end + step : stream.size;
    }
    *left_out = stream.size - front;
}

struct sse_case {
    const char *what;
    struct slice stream;
    const char *events; /* as describe() writes them */
    size_t left;
};

#define CASE(what, literal, events, left) {what, {literal, sizeof(literal) - 1}, events, left}

static const struct sse_case cases[] = {
    CASE("nothing", "", "", 0),
    CASE("one event", "data: a\n\n", "9 1 [][a]\n", 0),
    CASE("CRLF", "data: a\r\n\r\ndata: b\r\n\r\n", "11 1 [][a]\n11 1 [][b]\n", 0),
    CASE("CR", "data: a\r\rdata: b\r\r", "9 1 [][a]\n9 1 [][b]\n", 0),
    CASE("LF, then CRLF", "data: a\n\r\ndata: b\r\n\n", "10 1 [][a]\n10 1 [][b]\n", 0),
    CASE("LF, then CR", "data: a\n\rdata: b\n\n", "9 1 [][a]\n9 1 [][b]\n", 0),
    CASE("CR, then CRLF is CR and a blank line", "data: a\r\r\ndata: b\n\n",
         "9 1 [][a]\n1 0 - [][]\n9 1 [][b]\n", 0),
    CASE("CR, then LF is one line end", "data: a\r\ndata: b\n\n", "18 2 [][a\nb]\n", 0),
    CASE("CRLF, then a blank CR that may be CRLF", "data: a\r\n\r", "", 10),
    CASE("CRLF, then a blank CR", "data: a\r\n\rdata: b\n\n", "10 1 [][a]\n9 1 [][b]\n", 0),
    CASE("no space after the colon", "data:a\n\n", "8 1 [][a]\n", 0),
    CASE("two spaces after the colon", "data:  a\n\n", "10 1 [][ a]\n", 0),
    CASE("no data in a data line", "data\n\n", "6 1 [][]\n", 0),
    CASE("an empty data line", "data:\n\n", "7 1 [][]\n", 0),
    CASE("two lines of data", "data: a\ndata: b\n\n", "17 2 [][a\nb]\n", 0),
    CASE("empty lines of data", "data\ndata:\ndata\n\n", "17 3 [][\n\n]\n", 0),
    CASE("an empty line of data, then some", "data\ndata: b\n\n", "14 2 [][\nb]\n", 0),
    CASE("data between other lines", "id: 1\ndata: a\n: c\ndatax: n\ndata:b\r\nretry: 9\n\n",
         "45 2 [][a\nb]\n", 0),
    CASE("a name", "event: error\ndata: {}\n\n", "23 1 [error][{}]\n", 0),
    CASE("a name after the data", "data: {}\nevent:x\n\n", "18 1 [x][{}]\n", 0),
    CASE("the last name counts", "event: x\nevent\ndata: a\n\n", "24 1 [][a]\n", 0),
    CASE("a comment", ": ping\n\n", "8 0 - [][]\n", 0),
    CASE("a comment and data", ":\n: x\ndata: a\n\n", "15 1 [][a]\n", 0),
    CASE("blank lines", "\n\r\n\n", "1 0 - [][]\n2 0 - [][]\n1 0 - [][]\n", 0),
    CASE("fields without data", "id: 1\nretry: 5\n\n", "16 0 [][]\n", 0),
    CASE("a name without data", "event: ping\n\n", "13 0 [ping][]\n", 0),
    CASE("a byte order mark",
         "\xEF\xBB\xBF"
         "data: a\n\ndata: b\n\n",
         "12 1 [][a]\n9 1 [][b]\n", 0),
    CASE("a byte order mark alone", "\xEF\xBB\xBF\n\ndata: b\n\n", "5 0 - [][]\n9 1 [][b]\n", 0),
    CASE("a name in a later event", "data: a\n\nevent: e\ndata: b\n\n", "9 1 [][a]\n18 1 [e][b]\n",
         0),
    CASE("a byte order mark in the second line",
         "data: a\n\xEF\xBB\xBF"
         "data: b\n\n",
         "20 1 [][a]\n", 0),
    CASE("a byte order mark later",
         "data: a\n\n\xEF\xBB\xBF"
         "data: b\n\n",
         "9 1 [][a]\n12 0 [][]\n", 0),
    CASE("no blank line at the end", "data: a\n\ndata: b\n", "9 1 [][a]\n", 8),
    CASE("half a line at the end", "data: a\n\ndat", "9 1 [][a]\n", 3),
    CASE("NUL and UTF-8 in data", "data: \0\xc3\xa9\n\n", "11 1 [][\0\xc3\xa9]\n", 0),
    CASE("a longer stream",
         "data: "
         "{\"id\":\"chatcmpl-1\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Hi\"}}]}\n\n"
         "data: "
         "{\"id\":\"chatcmpl-1\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"!\"}}]}\n\n"
         "data: [DONE]\n\n",
         "76 1 "
         "[][{\"id\":\"chatcmpl-1\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Hi\"}}]}]\n"
         "75 1 "
         "[][{\"id\":\"chatcmpl-1\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"!\"}}]}]\n"
         "14 1 [][[DONE]]\n",
         0),
};

#define CASE_COUNT (sizeof(cases) / sizeof(cases[0]))

static void check(const struct sse_case *it, size_t first, size_t step)
{
    struct buffer text;
    size_t left;
    buffer_init(&text, 65536);
    run(it->stream, first, step, &text, &left);
    /* NUL cannot stand in the expected text. */
    for (size_t i = 0; i < text.size; i++)
        if (text.data[i] == '\0')
            text.data[i] = '0';
    struct slice expected = slice_from_text(it->events);
    if (strcmp(it->what, "NUL and UTF-8 in data") == 0)
        expected = SLICE("11 1 [][0\xc3\xa9]\n");
    if (!slice_equal(buffer_slice(&text), expected) || left != it->left)
        fail_msg("%s (%zu, %zu): %zu left\n%.*s", it->what, first, step, left,
                 SLICE_ARGS(buffer_slice(&text)));
    buffer_fini(&text);
}

static void a_stream_is_cut_at_its_blank_lines(void **state)
{
    (void)state;
    for (size_t i = 0; i < CASE_COUNT; i++)
        check(&cases[i], cases[i].stream.size, 1);
}

static void events_do_not_depend_on_how_the_stream_is_split(void **state)
{
    (void)state;
    for (size_t i = 0; i < CASE_COUNT; i++) {
        for (size_t first = 0; first < cases[i].stream.size; first++) {
            check(&cases[i], first, cases[i].stream.size);
            check(&cases[i], first, 1);
            check(&cases[i], first, 7);
        }
    }
}

/* The relay of a stream must not wait for the next event to send this one. */
static void an_event_is_complete_with_its_last_byte(void **state)
{
    (void)state;
    static const struct slice streams[] = {
        {"data: a\n\n", 9}, {"data: a\r\n\r\n", 11}, {"data: a\r\r", 9}, {": x\r\r", 5}};
    for (size_t i = 0; i < sizeof(streams) / sizeof(streams[0]); i++) {
        struct sse sse;
        struct sse_event event;
        sse_init(&sse);
        for (size_t size = 0; size < streams[i].size; size++)
            assert_false(sse_next(&sse, slice_of(streams[i].data, size), &event));
        assert_true(sse_next(&sse, streams[i], &event));
        assert_int_equal(event.raw.size, streams[i].size);
    }
}

static void a_line_end_is_found_at_any_place(void **state)
{
    (void)state;
    char stream[300];
    for (size_t size = 7; size + 3 < sizeof(stream); size++) {
        struct sse sse;
        struct sse_event event;
        memset(stream, 'x', sizeof(stream));
        memcpy(stream, "data: ", 6);
        memcpy(stream + size, size % 2 == 0 ? "\r\n\r\n" : "\n\n: \n", 4);
        sse_init(&sse);
        assert_true(sse_next(&sse, slice_of(stream, sizeof(stream)), &event));
        assert_int_equal(event.data.size, size - 6);
        assert_int_equal(event.raw.size, size + (size % 2 == 0 ? 4 : 2));
    }
}

static void all_complete_events_are_found_in_one_go_and_dropped_in_parts(void **state)
{
    (void)state;
    const struct slice stream = SLICE("data: a\n\ndata: b\n\ndata: c\ndata: d");
    struct sse sse;
    struct sse_event event;
    sse_init(&sse);
    assert_int_equal(sse_scan_all(&sse, stream), 18);
    assert_int_equal(sse_scan_all(&sse, stream), 18);
    sse_drop(&sse, 9);
    assert_int_equal(sse_complete(&sse), 9);
    char rest[] = "data: b\n\ndata: c\ndata: d\n\n";
    assert_true(sse_next(&sse, slice_of(rest, sizeof(rest) - 1), &event));
    assert_true(slice_equal(event.raw, SLICE("data: c\ndata: d\n\n")));
    assert_true(slice_equal(event.data, SLICE("c")));
    assert_int_equal(event.data_lines, 2);
    assert_int_equal(sse_complete(&sse), sizeof(rest) - 1);
}

static void events_that_were_skipped_are_complete_and_the_next_one_is_read(void **state)
{
    (void)state;
    const struct slice stream = SLICE("data: a\n\ndata: b\n\nevent: c\ndata: c\n\n: d");
    struct sse sse;
    struct sse_event event;
    sse_init(&sse);
    assert_true(sse_is_between(&sse));
    assert_true(sse_next(&sse, stream, &event));
    assert_true(sse_is_between(&sse));
    sse_skip(&sse, 9);
    assert_true(sse_is_between(&sse));
    assert_int_equal(sse_complete(&sse), 18);
    sse_drop(&sse, 18);
    assert_true(sse_next(&sse, slice_from(stream, 18), &event));
    assert_true(slice_equal(event.name, SLICE("c")) && slice_equal(event.data, SLICE("c")));
    assert_false(sse_next(&sse, slice_from(stream, 18), &event));
    assert_false(sse_is_between(&sse));
}

static void joined_data_is_bounded_by_its_buffer(void **state)
{
    (void)state;
    struct sse sse;
    struct sse_event event;
    struct buffer scratch;
    struct slice data;
    sse_init(&sse);
    assert_true(sse_next(&sse, SLICE("data: abc\ndata: def\n\n"), &event));
    buffer_init(&scratch, 6);
    assert_int_equal(sse_event_data(&event, &scratch, &data), STATUS_TOO_LARGE);
    buffer_fini(&scratch);
    buffer_init(&scratch, 7);
    alloc_fail_nth(0);
    assert_int_equal(sse_event_data(&event, &scratch, &data), STATUS_NO_MEMORY);
    alloc_fail_nth(-1);
    assert_int_equal(sse_event_data(&event, &scratch, &data), STATUS_OK);
    assert_true(slice_equal(data, SLICE("abc\ndef")));
    buffer_fini(&scratch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stream_is_cut_at_its_blank_lines),
        cmocka_unit_test(events_do_not_depend_on_how_the_stream_is_split),
        cmocka_unit_test(an_event_is_complete_with_its_last_byte),
        cmocka_unit_test(a_line_end_is_found_at_any_place),
        cmocka_unit_test(all_complete_events_are_found_in_one_go_and_dropped_in_parts),
        cmocka_unit_test(events_that_were_skipped_are_complete_and_the_next_one_is_read),
        cmocka_unit_test(joined_data_is_bounded_by_its_buffer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
