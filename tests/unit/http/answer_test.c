#include "http/answer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>
#include <sys/socket.h>

#include "base/alloc.h"
#include "support/http_fixture.h"
#include "support/time_warp.h"

#define GET  "GET /a HTTP/1.1\r\nHost: x\r\n\r\n"
#define HEAD "HEAD /a HTTP/1.1\r\nHost: x\r\n\r\n"
#define OLD  "GET /a HTTP/1.0\r\n\r\n"

/* What the handlers saw. */
struct outcome {
    enum status statuses[8];
    unsigned count;
    uint64_t answer_bytes;
    uint64_t begun_ns, first_byte_ns;
    bool is_ended, closes;
    bool is_over;
};

static void note(struct outcome *outcome, enum status status)
{
    outcome->statuses[outcome->count++] = status;
}

static void note_end(struct outcome *outcome, const struct http_exchange *exchange)
{
    outcome->answer_bytes = exchange->answer_bytes;
    outcome->begun_ns = exchange->begun_ns;
    outcome->first_byte_ns = exchange->first_byte_ns;
    outcome->is_ended = exchange->is_ended;
    outcome->closes = exchange->closes;
    outcome->is_over = true;
}

typedef void handler(struct http_exchange *exchange, struct http_fixture *fixture);

static struct outcome outcome;

static void open_with(struct http_fixture *fixture, handler *handle)
{
    outcome = (struct outcome){0};
    http_fixture_open(fixture, handle);
    fixture->context = &outcome;
}

/* What is received in answer to one request, when all is quiet, without its Date. */
static struct slice answer_of(struct http_fixture *fixture, const char *request)
{
    static char text[4096];
    peer_forget(&fixture->client);
    peer_send_text(&fixture->client, request);
    loop_fixture_settle(fixture->loop);
    peer_read(&fixture->client);
    const struct slice received = buffer_slice(&fixture->client.received);
    const size_t date = slice_find(received, SLICE("date: "));
    assert_true(received.size < sizeof(text) && date < received.size);
    const struct slice rest =
        slice_from(received, date + sizeof("date: ") - 1 + HTTP_DATE_BYTES + 2);
    memcpy(text, received.data, date);
    memcpy(text + date, rest.data, rest.size);
    return slice_of(text, date + rest.size);
}

static void assert_answer(handler *handle, const char *request, const char *expected)
{
    struct http_fixture fixture;
    open_with(&fixture, handle);
    const struct slice answer = answer_of(&fixture, request);
    if (!slice_equal(answer, slice_from_text(expected)))
        print_error("%.*s\n", SLICE_ARGS(answer));
    assert_true(slice_equal(answer, slice_from_text(expected)));
    http_fixture_close(&fixture);
}

/* --- Whole answers --- */

static void send_whole(struct http_exchange *exchange, struct http_fixture *fixture)
{
    struct outcome *seen = fixture->context;
    http_answer_begin(exchange, 200);
    http_answer_header(exchange, SLICE("x-a"), SLICE("b"));
    http_answer_header_number(exchange, SLICE("x-n"), 42);
    http_answer_lines(exchange, SLICE("x-c: d\r\nx-e: f\r\n"));
    note(seen, http_answer_send(exchange, SLICE("hello")));
    note_end(seen, exchange);
}

#define FIELDS "x-a: b\r\nx-n: 42\r\nx-c: d\r\nx-e: f\r\n"

static void a_whole_answer_states_its_length(void **state)
{
    (void)state;
    assert_answer(send_whole, GET, "HTTP/1.1 200 OK\r\n" FIELDS "content-length: 5\r\n\r\nhello");
    assert_int_equal(outcome.answer_bytes, 5);
    assert_int_equal(outcome.first_byte_ns, outcome.begun_ns);
    assert_true(outcome.is_ended);
}

static void an_answer_to_head_states_the_length_and_has_no_body(void **state)
{
    (void)state;
    assert_answer(send_whole, HEAD, "HTTP/1.1 200 OK\r\n" FIELDS "content-length: 5\r\n\r\n");
    assert_int_equal(outcome.answer_bytes, 0);
    assert_int_equal(outcome.first_byte_ns, 0);
    assert_true(outcome.is_ended);
}

static void send_no_content(struct http_exchange *exchange, struct http_fixture *fixture)
{
    http_answer_begin(exchange, 204);
    note(fixture->context, http_answer_send_empty(exchange));
    note_end(fixture->context, exchange);
}

static void send_not_modified(struct http_exchange *exchange, struct http_fixture *fixture)
{
    http_answer_begin(exchange, 304);
    note(fixture->context, http_answer_send(exchange, SLICE("left out")));
    note_end(fixture->context, exchange);
}

static void answers_that_have_no_body_get_none(void **state)
{
    (void)state;
    assert_answer(send_no_content, GET, "HTTP/1.1 204 No Content\r\n\r\n");
    assert_answer(send_not_modified, GET, "HTTP/1.1 304 Not Modified\r\ncontent-length: 8\r\n\r\n");
    assert_int_equal(outcome.answer_bytes, 0);
}

static void send_nothing(struct http_exchange *exchange, struct http_fixture *fixture)
{
    http_answer_begin(exchange, 200);
    note(fixture->context, http_answer_send(exchange, (struct slice){0}));
}

static void an_empty_body_has_length_0(void **state)
{
    (void)state;
    assert_answer(send_nothing, GET, "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
}

/* --- Headers from outside --- */

static void send_odd_headers(struct http_exchange *exchange, struct http_fixture *fixture)
{
    http_answer_begin(exchange, 200);
    http_answer_header(exchange, SLICE("x-split"), SLICE("a\r\nx-evil: b"));
    http_answer_header(exchange, SLICE("x-lf"), SLICE("a\nb"));
    http_answer_header(exchange, SLICE("x-zero"), SLICE("a\0b"));
    http_answer_header(exchange, SLICE("x evil"), SLICE("a"));
    http_answer_header(exchange, SLICE(""), SLICE("a"));
    http_answer_header(exchange, SLICE("x:y"), SLICE("a"));
    http_answer_header(exchange, SLICE("x-sound"), SLICE("a\tb \xc3\xa4"));
    http_answer_header(exchange, SLICE("x-empty"), SLICE(""));
    note(fixture->context, http_answer_send(exchange, SLICE("ok")));
}

static void what_may_not_stand_in_a_head_is_left_out(void **state)
{
    (void)state;
    assert_answer(send_odd_headers, GET,
                  "HTTP/1.1 200 OK\r\nx-sound: a\tb \xc3\xa4\r\nx-empty: \r\n"
                  "content-length: 2\r\n\r\nok");
}

/* Each size of what was there before, so that the last one ends in every place near the end. */
static size_t filling;

static void send_too_many_headers(struct http_exchange *exchange, struct http_fixture *fixture)
{
    static const char value[SCRATCH_HEAD_BYTES];
    http_answer_begin(exchange, 200);
    for (int i = 0; i < 60; i++)
        http_answer_checked(exchange, SLICE("x-much"), slice_of(value, 1000));
    http_answer_checked(exchange, SLICE("x-rest"), slice_of(value, filling));
    http_answer_lines(exchange, slice_of(value, 200));
    http_answer_checked(exchange, SLICE("x-more"), slice_of(value, SCRATCH_HEAD_BYTES));
    note(fixture->context,
         http_answer_start(exchange, ANSWER_SIZE_UNKNOWN, SLICE("ok"), ANSWER_LAST));
}

static void headers_beyond_the_room_are_left_out_and_the_head_has_its_end(void **state)
{
    (void)state;
    struct http_fixture fixture;
    open_with(&fixture, send_too_many_headers);
    for (filling = 0; filling < 1200; filling += filling > 700 ? 1 : 50) {
        outcome.count = 0;
        peer_forget(&fixture.client);
        http_fixture_ask(&fixture, GET, "\r\n\r\n2\r\nok\r\n0\r\n\r\n");
        assert_int_equal(outcome.statuses[0], STATUS_OK);
        assert_true(peer_count(&fixture.client, "x-much") < 60);
    }
    http_fixture_close(&fixture);
}

/* --- Streams --- */

static void stream(struct http_exchange *exchange, struct http_fixture *fixture)
{
    struct outcome *seen = fixture->context;
    http_answer_begin(exchange, 200);
    note(seen, http_answer_start(exchange, ANSWER_SIZE_UNKNOWN, (struct slice){0}, ANSWER_MORE));
    note(seen, http_answer_write(exchange, SLICE("one"), ANSWER_MORE));
    note(seen, http_answer_write(exchange, (struct slice){0}, ANSWER_MORE));
    note(seen, http_answer_write(exchange, SLICE("sixteen bytes..."), ANSWER_MORE));
    note(seen, http_answer_end(exchange));
    note_end(seen, exchange);
}

static void a_stream_of_unknown_size_is_chunked(void **state)
{
    (void)state;
    assert_answer(stream, GET,
                  "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
                  "3\r\none\r\n10\r\nsixteen bytes...\r\n0\r\n\r\n");
    assert_int_equal(outcome.answer_bytes, 19);
    assert_true(outcome.is_ended);
    assert_false(outcome.closes);
    assert_answer(stream, HEAD, "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n");
    assert_int_equal(outcome.answer_bytes, 0);
    assert_true(outcome.is_ended);
}

static void to_http_1_0_the_end_of_a_stream_is_the_end_of_the_connection(void **state)
{
    (void)state;
    assert_answer(stream, "GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
                  "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nonesixteen bytes...");
    assert_true(outcome.closes);
    assert_true(outcome.is_ended);
}

static void stream_with_last_piece(struct http_exchange *exchange, struct http_fixture *fixture)
{
    struct outcome *seen = fixture->context;
    http_answer_begin(exchange, 200);
    note(seen, http_answer_start(exchange, ANSWER_SIZE_UNKNOWN, SLICE("one"), ANSWER_MORE));
    note(seen, http_answer_write(exchange, SLICE("two"), ANSWER_LAST));
    note_end(seen, exchange);
}

static void the_last_piece_may_end_the_answer(void **state)
{
    (void)state;
    assert_answer(stream_with_last_piece, GET,
                  "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
                  "3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n");
    assert_true(outcome.is_ended);
    assert_int_equal(outcome.answer_bytes, 6);
}

static void stream_of_known_size(struct http_exchange *exchange, struct http_fixture *fixture)
{
    struct outcome *seen = fixture->context;
    http_answer_begin(exchange, 201);
    note(seen, http_answer_start(exchange, 6, SLICE("one"), ANSWER_MORE));
    note(seen, http_answer_write(exchange, SLICE("two"), ANSWER_LAST));
    note_end(seen, exchange);
}

static void a_stream_of_known_size_states_it(void **state)
{
    (void)state;
    assert_answer(stream_of_known_size, GET,
                  "HTTP/1.1 201 Created\r\ncontent-length: 6\r\n\r\nonetwo");
    assert_answer(stream_of_known_size, OLD,
                  "HTTP/1.1 201 Created\r\ncontent-length: 6\r\nconnection: close\r\n\r\nonetwo");
    assert_true(outcome.is_ended);
}

static void break_off(struct http_exchange *exchange, struct http_fixture *fixture)
{
    struct outcome *seen = fixture->context;
    http_answer_begin(exchange, 200);
    note(seen, http_answer_start(exchange, ANSWER_SIZE_UNKNOWN, SLICE("one"), ANSWER_MORE));
    http_answer_break(exchange);
    note_end(seen, exchange);
}

static void a_broken_stream_has_no_last_chunk_and_ends_the_connection(void **state)
{
    (void)state;
    struct http_fixture fixture;
    open_with(&fixture, break_off);
    peer_send_text(&fixture.client, GET GET);
    peer_expect_end(&fixture.client);
    assert_true(peer_has(&fixture.client, "3\r\none\r\n"));
    assert_false(peer_has(&fixture.client, "0\r\n\r\n"));
    assert_int_equal(fixture.handled, 1);
    assert_false(outcome.is_ended);
    http_fixture_close(&fixture);
}

static void pause_in_stream(struct http_exchange *exchange, struct http_fixture *fixture)
{
    struct outcome *seen = fixture->context;
    http_answer_begin(exchange, 200);
    note(seen, http_answer_start(exchange, ANSWER_SIZE_UNKNOWN, (struct slice){0}, ANSWER_MORE));
    note_end(seen, exchange);
    seen->is_over = false;
    note(seen, task_sleep(fixture->loop, 1000));
    note(seen, http_answer_write(exchange, SLICE("late"), ANSWER_LAST));
    note_end(seen, exchange);
}

static void the_head_goes_out_before_the_first_bytes_are_there(void **state)
{
    (void)state;
    struct http_fixture fixture;
    open_with(&fixture, pause_in_stream);
    http_fixture_ask(&fixture, GET, "transfer-encoding: chunked\r\n\r\n");
    assert_int_equal(outcome.first_byte_ns, 0);
    time_warp_forward(1100);
    peer_expect(&fixture.client, "4\r\nlate\r\n0\r\n\r\n");
    assert_int_not_equal(outcome.first_byte_ns, 0);
    http_fixture_close(&fixture);
}

/* --- Slow clients --- */

#define MUCH ((size_t)2 << 20)

static char much[MUCH];

static void fill_much(void)
{
    for (size_t i = 0; i < MUCH; i++)
        much[i] = (char)('a' + (i * 7 + i / 1000) % 26);
}

/* Little room in the kernel, so that a write takes several waits; but for several segments of the
 * loopback, or TCP waits for more room before it sends. */
static void narrow(struct http_fixture *fixture)
{
    const int bytes = 200000;
    struct http_connection *connection =
        LIST_ENTRY(fixture->server.connections.next, struct http_connection, node);
    setsockopt(connection->socket.fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
    setsockopt(fixture->client.fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
}

/* The pieces lie in the scratch, which others use while this one waits. */
static void send_from_scratch(struct http_exchange *exchange, struct http_fixture *fixture)
{
    struct outcome *seen = fixture->context;
    char *scratch = fixture->scratch->read;
    http_answer_begin(exchange, 200);
    enum status status =
        http_answer_start(exchange, ANSWER_SIZE_UNKNOWN, (struct slice){0}, ANSWER_MORE);
    for (size_t at = 0; at < MUCH && status == STATUS_OK; at += SCRATCH_READ_BYTES) {
        memcpy(scratch, much + at, SCRATCH_READ_BYTES);
        status = http_answer_write(exchange, slice_of(scratch, SCRATCH_READ_BYTES), ANSWER_MORE);
    }
    note(seen, status);
    if (status == STATUS_OK)
        note(seen, http_answer_end(exchange));
    note_end(seen, exchange);
}

static bool spoil_and_read(void *argument)
{
    struct http_fixture *fixture = argument;
    memset(fixture->scratch, 'X', sizeof(*fixture->scratch));
    peer_read(&fixture->client);
    return outcome.is_over;
}

static void a_client_that_reads_slowly_gets_every_byte(void **state)
{
    (void)state;
    struct http_fixture fixture;
    fill_much();
    open_with(&fixture, send_from_scratch);
    narrow(&fixture);
    peer_send_text(&fixture.client, GET);
    loop_fixture_settle(fixture.loop);
    assert_false(outcome.is_over);
    assert_in_range(body_memory_used(), 1, SCRATCH_READ_BYTES + 100); /* no more than a piece */
    loop_fixture_until(fixture.loop, spoil_and_read, &fixture);
    peer_expect(&fixture.client, "\r\n0\r\n\r\n");
    assert_int_equal(outcome.statuses[0], STATUS_OK);
    assert_int_equal(outcome.answer_bytes, MUCH);
    assert_int_equal(body_memory_used(), 0);

    struct slice rest = buffer_slice(&fixture.client.received);
    const struct slice mark = SLICE("10000\r\n"); /* 64 KiB */
    for (size_t at = 0; at < MUCH; at += SCRATCH_READ_BYTES) {
        rest = slice_from(rest, slice_find(rest, mark) + mark.size);
        assert_memory_equal(rest.data, much + at, SCRATCH_READ_BYTES);
        rest = slice_from(rest, SCRATCH_READ_BYTES);
    }
    http_fixture_close(&fixture);
}

static void send_much(struct http_exchange *exchange, struct http_fixture *fixture)
{
    struct outcome *seen = fixture->context;
    http_answer_begin(exchange, 200);
    note(seen, http_answer_send(exchange, slice_of(much, MUCH)));
    note_end(seen, exchange);
}

static void a_whole_answer_goes_out_as_the_client_takes_it(void **state)
{
    (void)state;
    struct http_fixture fixture;
    fill_much();
    open_with(&fixture, send_much);
    narrow(&fixture);
    peer_send_text(&fixture.client, GET);
    loop_fixture_settle(fixture.loop);
    assert_false(outcome.is_over);
    assert_int_equal(body_memory_used(), 0); /* what stays where it is, is not copied */
    loop_fixture_until(fixture.loop, spoil_and_read, &fixture);
    peer_expect(&fixture.client, "\r\n\r\n");
    const size_t head = slice_find(buffer_slice(&fixture.client.received), SLICE("\r\n\r\n")) + 4;
    peer_expect_size(&fixture.client, head + MUCH);
    assert_memory_equal(fixture.client.received.data + head, much, MUCH);
    assert_true(outcome.is_ended);
    http_fixture_close(&fixture);
}

static void a_client_that_takes_nothing_is_given_up(void **state)
{
    (void)state;
    struct http_fixture fixture;
    open_with(&fixture, send_much);
    narrow(&fixture);
    fixture.server.limits.write_ms = 5000;
    peer_send_text(&fixture.client, GET);
    loop_fixture_settle(fixture.loop);
    time_warp_forward(4900);
    loop_fixture_settle(fixture.loop);
    assert_false(outcome.is_over);
    time_warp_forward(200);
    loop_fixture_settle(fixture.loop);
    assert_true(outcome.is_over);
    assert_int_equal(outcome.statuses[0], STATUS_TIMED_OUT);
    assert_false(outcome.is_ended);
    assert_true(outcome.closes);
    assert_int_equal(fixture.server.connection_count, 0);
    http_fixture_close(&fixture);
}

static void a_client_that_takes_little_by_little_is_not(void **state)
{
    (void)state;
    struct http_fixture fixture;
    fill_much();
    open_with(&fixture, send_much);
    narrow(&fixture);
    fixture.server.limits.write_ms = 5000;
    peer_send_text(&fixture.client, GET);
    for (int i = 0; i < 10; i++) {
        loop_fixture_settle(fixture.loop);
        time_warp_forward(4000);
        peer_read(&fixture.client);
    }
    loop_fixture_settle(fixture.loop);
    assert_false(outcome.is_over && outcome.statuses[0] != STATUS_OK);
    loop_fixture_until(fixture.loop, spoil_and_read, &fixture);
    assert_int_equal(outcome.statuses[0], STATUS_OK);
    http_fixture_close(&fixture);
}

static void a_client_that_goes_away_ends_the_answer(void **state)
{
    (void)state;
    struct http_fixture fixture;
    open_with(&fixture, send_much);
    narrow(&fixture);
    peer_send_text(&fixture.client, GET);
    loop_fixture_settle(fixture.loop);
    assert_false(outcome.is_over);
    peer_reset(&fixture.client);
    loop_fixture_until_quiet(fixture.loop);
    assert_true(outcome.statuses[0] == STATUS_CLOSED || outcome.statuses[0] == STATUS_CANCELLED);
    assert_false(outcome.is_ended);
    assert_int_equal(fixture.server.connection_count, 0);
    http_fixture_close(&fixture);
}

/* --- Memory --- */

static void without_memory_for_the_rest_the_connection_is_given_up(void **state)
{
    (void)state;
    for (int by_bound = 0; by_bound < 2; by_bound++) {
        struct http_fixture fixture;
        fill_much();
        open_with(&fixture, send_from_scratch);
        narrow(&fixture);
        if (by_bound)
            body_memory_set_max(1);
        peer_send_text(&fixture.client, GET);
        alloc_fail_nth(by_bound ? -1 : 1); /* after the exchange's block */
        loop_fixture_until_set(fixture.loop, &outcome.is_over);
        alloc_fail_nth(-1);
        assert_int_equal(outcome.statuses[0], STATUS_NO_MEMORY);
        assert_false(outcome.is_ended);
        peer_expect_end(&fixture.client);
        http_fixture_close(&fixture);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_answer_states_its_length),
        cmocka_unit_test(an_answer_to_head_states_the_length_and_has_no_body),
        cmocka_unit_test(answers_that_have_no_body_get_none),
        cmocka_unit_test(an_empty_body_has_length_0),
        cmocka_unit_test(what_may_not_stand_in_a_head_is_left_out),
        cmocka_unit_test(headers_beyond_the_room_are_left_out_and_the_head_has_its_end),
        cmocka_unit_test(a_stream_of_unknown_size_is_chunked),
        cmocka_unit_test(to_http_1_0_the_end_of_a_stream_is_the_end_of_the_connection),
        cmocka_unit_test(the_last_piece_may_end_the_answer),
        cmocka_unit_test(a_stream_of_known_size_states_it),
        cmocka_unit_test(a_broken_stream_has_no_last_chunk_and_ends_the_connection),
        cmocka_unit_test(the_head_goes_out_before_the_first_bytes_are_there),
        cmocka_unit_test(a_client_that_reads_slowly_gets_every_byte),
        cmocka_unit_test(a_whole_answer_goes_out_as_the_client_takes_it),
        cmocka_unit_test(a_client_that_takes_nothing_is_given_up),
        cmocka_unit_test(a_client_that_takes_little_by_little_is_not),
        cmocka_unit_test(a_client_that_goes_away_ends_the_answer),
        cmocka_unit_test(without_memory_for_the_rest_the_connection_is_given_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
