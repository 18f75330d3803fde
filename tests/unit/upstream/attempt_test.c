#include "upstream/attempt.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "support/time_warp.h"
#include "support/upstream_fixture.h"

#define BODY_BYTES_MAX  ((size_t)1 << 20)
#define ARENA_BYTES_MAX ((size_t)64 << 10)
#define HEAD_MS         3000
#define WRITE_MS        2000

/* One attempt from its start to its end, in a task. */
struct trying {
    struct upstream_fixture *fixture;
    struct slice request;
    bool is_head;
    struct task *task;
    struct upstream_attempt attempt;
    struct reason reason;
    enum status started, read; /* what starting and the last read came to */
    struct buffer body;
    bool is_over;
};

static void read_all(struct trying *trying)
{
    struct upstream_attempt *attempt = &trying->attempt;
    trying->read = STATUS_OK;
    while (trying->read == STATUS_OK && !attempt->is_ended) {
        struct slice payload;
        trying->read = upstream_attempt_read(attempt, loop_deadline(trying->fixture->loop, HEAD_MS),
                                             &payload, &trying->reason);
        buffer_append(&trying->body, payload);
    }
}

static void try_task(void *argument)
{
    struct trying *trying = argument;
    struct upstream_fixture *fixture = trying->fixture;
    struct arena arena;
    arena_init(&arena, NULL, 0, ARENA_BYTES_MAX);
    const struct upstream_request request = {
        .pieces = {{(char *)(uintptr_t)trying->request.data, trying->request.size}},
        .piece_count = 1,
        .is_head = trying->is_head,
        .answer_head_bytes_max = 4096,
        .answer_headers_max = 10,
        .write_ms = WRITE_MS,
        .head_deadline_ms = loop_deadline(fixture->loop, HEAD_MS),
    };
    trying->task = task_current(fixture->loop);
    trying->started = upstream_attempt_start(&trying->attempt, &fixture->endpoint, &request,
                                             fixture->scratch, &arena, &trying->reason);
    if (trying->started == STATUS_OK)
        read_all(trying);
    upstream_attempt_finish(&trying->attempt);
    arena_fini(&arena);
    trying->is_over = true;
}

static void begin_with(struct trying *trying, struct upstream_fixture *fixture,
                       struct slice request, bool is_head)
{
    *trying = (struct trying){.fixture = fixture, .request = request, .is_head = is_head};
    buffer_init(&trying->body, BODY_BYTES_MAX);
    loop_fixture_run(fixture->loop, try_task, trying);
}

static void begin(struct trying *trying, struct upstream_fixture *fixture)
{
    begin_with(trying, fixture, SLICE("POST / HTTP/1.1\r\n\r\nask"), false);
}

static void finish(struct trying *trying)
{
    loop_fixture_until_set(trying->fixture->loop, &trying->is_over);
}

/* Begins, and accepts the connection unless one was kept. The request has come. */
static void ask(struct trying *trying, struct upstream_fixture *fixture, struct peer *peer)
{
    const bool is_kept = fixture->idle > 0;
    begin(trying, fixture);
    if (!is_kept)
        upstream_fixture_accept(fixture, peer);
    peer_expect(peer, "\r\n\r\nask");
    peer_forget(peer);
}

static void end(struct trying *trying)
{
    buffer_fini(&trying->body);
}

/* --- Answers in pieces --- */

static const struct answer {
    const char *text;
    bool closes; /* its end is that of the connection */
    bool is_kept;
} answers[] = {
    {"HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nhello world", false, true},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n1;x=\"y\"\r\n \r\n"
     "5\r\nworld\r\n0\r\nTrailer: t\r\n\r\n",
     false, true},
    {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
     "HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nhello world",
     false, true},
    {"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 11\r\n\r\nhello world", false, false},
    {"HTTP/1.0 200 OK\r\nContent-Length: 11\r\n\r\nhello world", false, false},
    {"HTTP/1.1 200 OK\r\n\r\nhello world", true, false},
};

#define ANSWER_COUNT (sizeof(answers) / sizeof(answers[0]))

static void assert_answered(struct upstream_fixture *fixture, struct trying *trying,
                            const struct answer *answer)
{
    finish(trying);
    assert_int_equal(trying->started, STATUS_OK);
    assert_int_equal(trying->read, STATUS_OK);
    assert_int_equal(trying->attempt.head.status, 200);
    assert_int_equal(trying->attempt.failure, UPSTREAM_FAILURE_NONE);
    assert_true(slice_equal(buffer_slice(&trying->body), SLICE("hello world")));
    assert_int_equal(fixture->idle, answer->is_kept);
    end(trying);
}

static void answers_split_anywhere_are_the_same(void **state)
{
    (void)state;
    for (size_t i = 0; i < ANSWER_COUNT; i++) {
        const struct answer *answer = &answers[i];
        const size_t size = strlen(answer->text);
        struct upstream_fixture fixture;
        struct peer peer = {.fd = -1};
        upstream_fixture_open(&fixture);
        for (size_t at = 0; at <= size; at++) {
            struct trying trying;
            ask(&trying, &fixture, &peer);
            peer_send(&peer, slice_of(answer->text, at));
            loop_turn(fixture.loop, 0);
            loop_turn(fixture.loop, 0);
            if (!trying.is_over)
                peer_send(&peer, slice_of(answer->text + at, size - at));
            if (answer->closes || !answer->is_kept)
                peer_close(&peer);
            assert_answered(&fixture, &trying, answer);
        }
        peer_close(&peer);
        upstream_fixture_close(&fixture);
    }
}

static void answers_byte_by_byte_are_the_same(void **state)
{
    (void)state;
    for (size_t i = 0; i < ANSWER_COUNT; i++) {
        struct upstream_fixture fixture;
        struct trying trying;
        struct peer peer;
        upstream_fixture_open(&fixture);
        ask(&trying, &fixture, &peer);
        peer_send_bytewise(&peer, slice_from_text(answers[i].text));
        if (answers[i].closes)
            peer_close(&peer);
        assert_answered(&fixture, &trying, &answers[i]);
        peer_close(&peer);
        upstream_fixture_close(&fixture);
    }
}

static void an_answer_cut_off_anywhere_is_broken(void **state)
{
    (void)state;
    for (size_t i = 0; i < ANSWER_COUNT; i++) {
        const size_t size = strlen(answers[i].text);
        for (size_t at = 0; at < size && !answers[i].closes; at++) {
            struct upstream_fixture fixture;
            struct trying trying;
            struct peer peer;
            upstream_fixture_open(&fixture);
            ask(&trying, &fixture, &peer);
            peer_send(&peer, slice_of(answers[i].text, at));
            peer_close(&peer);
            finish(&trying);
            assert_true(trying.started == STATUS_CLOSED || trying.read == STATUS_CLOSED);
            assert_int_equal(trying.attempt.failure, UPSTREAM_FAILURE_CLOSED);
            assert_non_null(strstr(trying.reason.text, "closed the connection"));
            assert_false(trying.attempt.was_replaced);
            end(&trying);
            upstream_fixture_close(&fixture);
        }
    }
}

static void a_body_up_to_the_end_that_a_reset_makes_is_broken(void **state)
{
    (void)state;
    struct upstream_fixture fixture;
    struct trying trying;
    struct peer peer;
    upstream_fixture_open(&fixture);
    ask(&trying, &fixture, &peer);
    peer_send_text(&peer, "HTTP/1.1 200 OK\r\n\r\nhello");
    loop_fixture_settle(fixture.loop);
    peer_reset(&peer);
    finish(&trying);
    assert_int_equal(trying.read, STATUS_CLOSED);
    assert_int_equal(trying.attempt.failure, UPSTREAM_FAILURE_CLOSED);
    end(&trying);
    upstream_fixture_close(&fixture);
}

static void an_answer_without_a_body_ends_with_its_head(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool is_head;
    } cases[] = {
        {"HTTP/1.1 204 No Content\r\n\r\n", false},
        {"HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n", false},
        {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", false},
        {"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n", true},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", true},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct upstream_fixture fixture;
        struct trying trying;
        struct peer peer;
        upstream_fixture_open(&fixture);
        begin_with(&trying, &fixture, SLICE("X / HTTP/1.1\r\n\r\n"), cases[i].is_head);
        upstream_fixture_accept(&fixture, &peer);
        peer_send_text(&peer, cases[i].text);
        finish(&trying);
        assert_int_equal(trying.started, STATUS_OK);
        assert_int_equal(trying.body.size, 0);
        assert_int_equal(fixture.idle, 1);
        end(&trying);
        peer_close(&peer);
        upstream_fixture_close(&fixture);
    }
}

static void what_follows_an_answer_ends_its_connection(void **state)
{
    (void)state;
    static const char *const tails[] = {"x", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"};
    for (size_t i = 0; i < 2 * 2; i++) {
        struct upstream_fixture fixture;
        struct trying trying;
        struct peer peer;
        char text[512];
        upstream_fixture_open(&fixture);
        ask(&trying, &fixture, &peer);
        (void)snprintf(text, sizeof(text), "%s%s", answers[i / 2].text, tails[i % 2]);
        peer_send_text(&peer, text);
        finish(&trying);
        assert_int_equal(trying.read, STATUS_OK);
        assert_true(slice_equal(buffer_slice(&trying.body), SLICE("hello world")));
        assert_int_equal(fixture.idle, 0);
        end(&trying);
        peer_close(&peer);
        upstream_fixture_close(&fixture);
    }
}

/* --- What is no answer --- */

static void assert_protocol_failure(const char *text, const char *why)
{
    struct upstream_fixture fixture;
    struct trying trying;
    struct peer peer;
    upstream_fixture_open(&fixture);
    ask(&trying, &fixture, &peer);
    peer_send_text(&peer, text);
    finish(&trying);
    assert_true(trying.started != STATUS_OK || trying.read == STATUS_PROTOCOL);
    assert_int_equal(trying.attempt.failure, UPSTREAM_FAILURE_PROTOCOL);
    assert_non_null(strstr(trying.reason.text, why));
    assert_int_equal(fixture.open, 0);
    end(&trying);
    peer_close(&peer);
    upstream_fixture_close(&fixture);
}

static void what_is_no_answer_is_refused(void **state)
{
    (void)state;
    static char endless[6000], many[1024];
    memset(endless, 'x', sizeof(endless) - 1);
    memcpy(endless, "HTTP/1.1 200 OK\r\nA: ", 20);
    for (int i = 0; i < 12; i++)
        (void)snprintf(many + strlen(many), sizeof(many) - strlen(many), "%s",
                       "HTTP/1.1 102 Processing\r\n\r\n");
    assert_protocol_failure("SSH-2.0-OpenSSH\r\n\r\n", "");
    assert_protocol_failure("HTTP/1.1 200 OK\nA: b\n\n\r\n\r\n", "");
    assert_protocol_failure("HTTP/2 200 OK\r\n\r\n", "");
    assert_protocol_failure("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", "");
    assert_protocol_failure("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
                            "");
    assert_protocol_failure("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
                            "not framed as its head says");
    assert_protocol_failure(endless, "too large");
    assert_protocol_failure(many, "one interim answer after another");
}

/* --- Dead connections --- */

/* One connection that was used and is kept. */
static void keep_one(struct upstream_fixture *fixture, struct peer *peer)
{
    struct trying trying;
    upstream_fixture_open(fixture);
    ask(&trying, fixture, peer);
    peer_send_text(peer, answers[0].text);
    finish(&trying);
    assert_int_equal(fixture->idle, 1);
    end(&trying);
}

static void a_kept_connection_that_dies_is_replaced(void **state)
{
    (void)state;
    static void (*const deaths[])(struct peer *) = {peer_close, peer_reset};
    for (size_t i = 0; i < 2; i++) {
        struct upstream_fixture fixture;
        struct trying trying;
        struct peer old, new;
        keep_one(&fixture, &old);
        ask(&trying, &fixture, &old);
        deaths[i](&old);
        upstream_fixture_accept(&fixture, &new);
        peer_expect(&new, "\r\n\r\nask");
        peer_send_text(&new, answers[0].text);
        finish(&trying);
        assert_int_equal(trying.started, STATUS_OK);
        assert_true(trying.attempt.was_replaced);
        assert_false(trying.attempt.was_reused);
        assert_true(slice_equal(buffer_slice(&trying.body), SLICE("hello world")));
        assert_int_equal(fixture.idle, 1);
        end(&trying);
        peer_close(&new);
        upstream_fixture_close(&fixture);
    }
}

static void it_is_replaced_once(void **state)
{
    (void)state;
    struct upstream_fixture fixture;
    struct trying trying;
    struct peer old, new;
    keep_one(&fixture, &old);
    ask(&trying, &fixture, &old);
    peer_close(&old);
    upstream_fixture_accept(&fixture, &new);
    peer_expect(&new, "\r\n\r\nask");
    peer_close(&new);
    finish(&trying);
    assert_int_equal(trying.started, STATUS_CLOSED);
    assert_int_equal(trying.attempt.failure, UPSTREAM_FAILURE_CLOSED);
    assert_false(upstream_fixture_has_connection(&fixture));
    end(&trying);
    upstream_fixture_close(&fixture);
}

/* It may have been worked on: a request is not sent twice. */
static void one_that_lived_is_not_replaced(void **state)
{
    (void)state;
    for (int late = 0; late < 2; late++) {
        struct upstream_fixture fixture;
        struct trying trying;
        struct peer peer;
        keep_one(&fixture, &peer);
        ask(&trying, &fixture, &peer);
        if (late)
            time_warp_forward(1100);
        else
            peer_send_text(&peer, "H");
        loop_fixture_settle(fixture.loop);
        peer_close(&peer);
        finish(&trying);
        assert_int_equal(trying.started, STATUS_CLOSED);
        assert_false(trying.attempt.was_replaced);
        assert_false(upstream_fixture_has_connection(&fixture));
        end(&trying);
        upstream_fixture_close(&fixture);
    }
}

/* --- Sending --- */

static char large[4 << 20];

static void an_answer_before_the_request_is_taken_is_read(void **state)
{
    (void)state;
    struct upstream_fixture fixture;
    struct trying trying;
    struct peer peer;
    upstream_fixture_open(&fixture);
    begin_with(&trying, &fixture, slice_of(large, sizeof(large)), false);
    upstream_fixture_accept(&fixture, &peer);
    loop_fixture_settle(fixture.loop);
    peer_send_text(&peer, "HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno");
    finish(&trying);
    assert_int_equal(trying.started, STATUS_OK);
    assert_int_equal(trying.attempt.head.status, 413);
    assert_true(slice_equal(buffer_slice(&trying.body), SLICE("no")));
    assert_false(trying.attempt.request_was_sent);
    assert_int_equal(fixture.open, 0); /* the rest of the request was not sent */
    end(&trying);
    peer_close(&peer);
    upstream_fixture_close(&fixture);
}

static void a_large_request_is_sent_whole(void **state)
{
    (void)state;
    struct upstream_fixture fixture;
    struct trying trying;
    struct peer peer;
    upstream_fixture_open(&fixture);
    begin_with(&trying, &fixture, slice_of(large, sizeof(large)), false);
    upstream_fixture_accept(&fixture, &peer);
    peer_expect_size(&peer, sizeof(large));
    peer_send_text(&peer, answers[0].text);
    finish(&trying);
    assert_true(trying.attempt.request_was_sent);
    assert_int_equal(fixture.idle, 1);
    end(&trying);
    peer_close(&peer);
    upstream_fixture_close(&fixture);
}

/* --- Waits that end otherwise --- */

enum moment {
    MOMENT_SENDING,
    MOMENT_BEFORE_THE_HEAD,
    MOMENT_WITHIN_THE_BODY,
    MOMENT_COUNT,
};

static void come_to(struct trying *trying, struct upstream_fixture *fixture, struct peer *peer,
                    enum moment moment)
{
    upstream_fixture_open(fixture);
    if (moment == MOMENT_SENDING) {
        begin_with(trying, fixture, slice_of(large, sizeof(large)), false);
        upstream_fixture_accept(fixture, peer);
    } else {
        ask(trying, fixture, peer);
    }
    if (moment == MOMENT_WITHIN_THE_BODY)
        peer_send_text(peer, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab");
    loop_fixture_settle(fixture->loop);
    assert_false(trying->is_over);
}

static void whoever_is_too_slow_is_given_up(void **state)
{
    (void)state;
    static const char *const during[] = {"in taking the request", "before its answer began",
                                         "within its answer"};
    for (enum moment moment = 0; moment < MOMENT_COUNT; moment++) {
        struct upstream_fixture fixture;
        struct trying trying;
        struct peer peer;
        come_to(&trying, &fixture, &peer, moment);
        time_warp_forward(moment == MOMENT_SENDING ? WRITE_MS + 100 : HEAD_MS + 100);
        finish(&trying);
        const enum status status = moment == MOMENT_WITHIN_THE_BODY ? trying.read : trying.started;
        assert_int_equal(status, STATUS_TIMED_OUT);
        assert_int_equal(trying.attempt.failure, UPSTREAM_FAILURE_TIMED_OUT);
        assert_non_null(strstr(trying.reason.text, "upstream was too slow"));
        assert_non_null(strstr(trying.reason.text, during[moment]));
        assert_int_equal(fixture.open, 0);
        end(&trying);
        peer_close(&peer);
        upstream_fixture_close(&fixture);
    }
}

static void a_client_that_goes_away_ends_the_attempt(void **state)
{
    (void)state;
    for (enum moment moment = 0; moment < MOMENT_COUNT; moment++) {
        struct upstream_fixture fixture;
        struct trying trying;
        struct peer peer;
        come_to(&trying, &fixture, &peer, moment);
        task_cancel(trying.task);
        finish(&trying);
        assert_int_equal(trying.attempt.failure, UPSTREAM_FAILURE_CANCELLED);
        assert_non_null(strstr(trying.reason.text, "the client went away"));
        assert_int_equal(fixture.open, 0);
        end(&trying);
        peer_close(&peer);
        upstream_fixture_close(&fixture);
    }
}

/* --- Bounds and what cannot be reached --- */

static void a_head_in_pieces_without_memory_is_limited(void **state)
{
    (void)state;
    struct upstream_fixture fixture;
    struct trying trying;
    struct peer peer;
    upstream_fixture_open(&fixture);
    body_memory_set_max(10);
    ask(&trying, &fixture, &peer);
    peer_send_text(&peer, "HTTP/1.1 200 OK\r\n");
    finish(&trying);
    assert_int_equal(trying.started, STATUS_NO_MEMORY);
    assert_int_equal(trying.attempt.failure, UPSTREAM_FAILURE_LIMITED);
    assert_string_equal(trying.reason.text, "out of memory");
    end(&trying);
    peer_close(&peer);
    upstream_fixture_close(&fixture);
}

static void what_cannot_be_reached_says_where_it_failed(void **state)
{
    (void)state;
    struct upstream_fixture fixture;
    struct trying trying;
    upstream_fixture_open(&fixture);
    struct upstream_endpoint_config config = fixture.endpoint.config;

    config.connections_max = 0;
    upstream_fixture_reset(&fixture, &config);
    begin(&trying, &fixture);
    finish(&trying);
    assert_int_equal(trying.attempt.failure, UPSTREAM_FAILURE_LIMITED);
    end(&trying);

    config.connections_max = 10;
    config.host = SLICE("..");
    upstream_fixture_reset(&fixture, &config);
    begin(&trying, &fixture);
    finish(&trying);
    assert_int_equal(trying.attempt.failure, UPSTREAM_FAILURE_RESOLVE);
    end(&trying);

    close(fixture.listening_fd);
    fixture.listening_fd = -1;
    config.host = SLICE("127.0.0.1");
    upstream_fixture_reset(&fixture, &config);
    begin(&trying, &fixture);
    finish(&trying);
    assert_int_equal(trying.attempt.failure, UPSTREAM_FAILURE_CONNECT);
    end(&trying);

    alloc_fail_nth(0);
    begin(&trying, &fixture);
    alloc_fail_nth(-1);
    finish(&trying);
    assert_int_equal(trying.started, STATUS_NO_MEMORY);
    assert_int_equal(trying.attempt.failure, UPSTREAM_FAILURE_LIMITED);
    end(&trying);
    upstream_fixture_close(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_split_anywhere_are_the_same),
        cmocka_unit_test(answers_byte_by_byte_are_the_same),
        cmocka_unit_test(an_answer_cut_off_anywhere_is_broken),
        cmocka_unit_test(a_body_up_to_the_end_that_a_reset_makes_is_broken),
        cmocka_unit_test(an_answer_without_a_body_ends_with_its_head),
        cmocka_unit_test(what_follows_an_answer_ends_its_connection),
        cmocka_unit_test(what_is_no_answer_is_refused),
        cmocka_unit_test(a_kept_connection_that_dies_is_replaced),
        cmocka_unit_test(it_is_replaced_once),
        cmocka_unit_test(one_that_lived_is_not_replaced),
        cmocka_unit_test(an_answer_before_the_request_is_taken_is_read),
        cmocka_unit_test(a_large_request_is_sent_whole),
        cmocka_unit_test(whoever_is_too_slow_is_given_up),
        cmocka_unit_test(a_client_that_goes_away_ends_the_attempt),
        cmocka_unit_test(a_head_in_pieces_without_memory_is_limited),
        cmocka_unit_test(what_cannot_be_reached_says_where_it_failed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
