#include "http/exchange.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <brotli/encode.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <zlib.h>
#include <zstd.h>

#include "base/alloc.h"
#include "support/http_fixture.h"
#include "support/time_warp.h"

#define CHUNKED "POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
#define NEXT    "GET /next HTTP/1.1\r\nHost: x\r\n\r\n"

/* --- Framing --- */

static void send_in_two(struct http_fixture *fixture, const char *text, size_t at)
{
    peer_send(&fixture->client, slice_of(text, at));
    loop_turn(fixture->loop, 0);
    loop_turn(fixture->loop, 0);
    peer_send(&fixture->client, slice_from(slice_from_text(text), at));
}

/* Wherever the bytes are split: the body is the same, and so is the request behind it. */
static void assert_same_in_pieces(const char *request, const char *echoed)
{
    struct http_fixture fixture;
    http_fixture_open(&fixture, NULL);
    for (size_t at = 0; at <= strlen(request); at++) {
        send_in_two(&fixture, request, at);
        peer_expect(&fixture.client, "GET /next\n");
        assert_int_equal(peer_count(&fixture.client, echoed), 1);
        assert_int_equal(peer_count(&fixture.client, "HTTP/1.1 200 "), 2);
        peer_forget(&fixture.client);
    }
    assert_int_equal(fixture.refused, 0);
    http_fixture_close(&fixture);
}

static void a_body_with_a_length_is_the_same_in_any_pieces(void **state)
{
    (void)state;
    assert_same_in_pieces("POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 11\r\n\r\n"
                          "hello world" NEXT,
                          "\r\n\r\nPOST /a\nhello worldHTTP/1.1 ");
}

static void a_chunked_body_is_the_same_in_any_pieces(void **state)
{
    (void)state;
    assert_same_in_pieces(CHUNKED "5\r\nhello\r\n1;a=\"b\"\r\n \r\n0005\r\nworld\r\n0\r\n"
                                  "X-Trailer: y\r\n\r\n" NEXT,
                          "\r\n\r\nPOST /a\nhello worldHTTP/1.1 ");
}

static void an_empty_body_is_the_same_in_any_pieces(void **state)
{
    (void)state;
    assert_same_in_pieces("POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n" NEXT,
                          "\r\n\r\nPOST /a\nHTTP/1.1 ");
    assert_same_in_pieces(CHUNKED "0\r\n\r\n" NEXT, "\r\n\r\nPOST /a\nHTTP/1.1 ");
}

#define LARGE 90000

static char large[LARGE];

static void fill_large(void)
{
    for (size_t i = 0; i < sizeof(large); i++)
        large[i] = (char)('a' + i % 25);
}

static void assert_large_echoed(struct http_fixture *fixture)
{
    peer_expect(&fixture->client, "\r\n\r\nPOST /a\n");
    const struct slice received = buffer_slice(&fixture->client.received);
    const struct slice mark = SLICE("POST /a\n");
    const size_t from = slice_find(received, mark) + mark.size;
    peer_expect_size(&fixture->client, from + LARGE);
    assert_memory_equal(fixture->client.received.data + from, large, LARGE);
    peer_forget(&fixture->client);
}

static void a_large_body_of_either_framing_arrives_whole(void **state)
{
    (void)state;
    static const size_t chunk_sizes[] = {LARGE, 30000, 4096, 1000};
    struct http_fixture fixture;
    char text[64];
    fill_large();
    http_fixture_open(&fixture, NULL);
    (void)snprintf(text, sizeof(text), "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: %u\r\n\r\n",
                   LARGE);
    peer_send_text(&fixture.client, text);
    peer_send(&fixture.client, slice_of(large, LARGE));
    assert_large_echoed(&fixture);
    for (size_t i = 0; i < sizeof(chunk_sizes) / sizeof(chunk_sizes[0]); i++) {
        peer_send_text(&fixture.client, CHUNKED);
        for (size_t at = 0; at < LARGE; at += chunk_sizes[i]) {
            const size_t size = LARGE - at < chunk_sizes[i] ? LARGE - at : chunk_sizes[i];
            (void)snprintf(text, sizeof(text), "%zx\r\n", size);
            peer_send_text(&fixture.client, text);
            peer_send(&fixture.client, slice_of(large + at, size));
            peer_send_text(&fixture.client, "\r\n");
        }
        peer_send_text(&fixture.client, "0\r\n\r\n");
        assert_large_echoed(&fixture);
    }
    http_fixture_close(&fixture);
}

static void many_requests_behind_a_large_chunked_body_are_all_served(void **state)
{
    (void)state;
    struct http_fixture fixture;
    fill_large();
    http_fixture_open(&fixture, NULL);
    peer_send_text(&fixture.client, CHUNKED "15f90\r\n");
    peer_send(&fixture.client, slice_of(large, LARGE));
    peer_send_text(&fixture.client, "\r\n0\r\n\r\n");
    for (unsigned i = 0; i < 500; i++)
        peer_send_text(&fixture.client, NEXT);
    assert_large_echoed(&fixture);
    http_fixture_settle(&fixture);
    peer_read(&fixture.client);
    assert_int_equal(fixture.handled, 501);
    assert_int_equal(fixture.refused, 0);
    http_fixture_close(&fixture);
}

/* --- What is refused --- */

/* The body is refused with that status, and the connection ends. */
static void assert_refused_by(struct http_fixture *fixture, unsigned http_status)
{
    char line[32];
    (void)snprintf(line, sizeof(line), "HTTP/1.1 %u ", http_status);
    peer_expect(&fixture->client, line);
    peer_expect_end(&fixture->client);
    assert_false(fixture->client.was_reset);
    assert_true(peer_has(&fixture->client, "connection: close\r\n"));
    assert_int_equal(fixture->last_status, http_status);
    assert_int_equal(fixture->handled, 1);
}

static void assert_refused(const char *request, unsigned http_status)
{
    struct http_fixture fixture;
    http_fixture_open(&fixture, NULL);
    peer_send_text(&fixture.client, request);
    assert_refused_by(&fixture, http_status);
    http_fixture_close(&fixture);
}

static void a_body_that_says_that_it_is_too_large_is_refused_before_it_comes(void **state)
{
    (void)state;
    assert_refused("POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 100001\r\n\r\n", 413);
    assert_refused("POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 9223372036854775807\r\n\r\n",
                   413);
    assert_refused("POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 100001\r\n"
                   "Expect: 100-continue\r\n\r\n",
                   413);
}

static void the_limit_of_a_body_is_met_to_the_byte(void **state)
{
    (void)state;
    static const char *const heads[] = {
        "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 90000\r\n\r\n", CHUNKED "15f90\r\n"};
    fill_large();
    for (size_t i = 0; i < 2; i++) {
        for (unsigned less = 0; less < 2; less++) {
            struct http_fixture fixture;
            http_fixture_open(&fixture, NULL);
            fixture.server.limits.body_bytes = LARGE - less;
            peer_send_text(&fixture.client, heads[i]);
            peer_send(&fixture.client, slice_of(large, LARGE));
            if (i == 1)
                peer_send_text(&fixture.client, "\r\n0\r\n\r\n");
            if (less == 0)
                assert_large_echoed(&fixture);
            else
                assert_refused_by(&fixture, 413);
            http_fixture_close(&fixture);
        }
    }
}

/* The limit holds for what was decoded; the chunks around it are bounded with it. */
static void endless_chunks_are_refused(void **state)
{
    (void)state;
    struct http_fixture fixture;
    fill_large();
    http_fixture_open(&fixture, NULL);
    peer_send_text(&fixture.client, CHUNKED "ffffffffff\r\n");
    for (int i = 0; i < 2; i++)
        peer_send(&fixture.client, slice_of(large, LARGE));
    assert_refused_by(&fixture, 413);
    http_fixture_close(&fixture);
}

static void a_body_that_is_framed_wrongly_is_refused(void **state)
{
    (void)state;
    assert_refused(CHUNKED "x\r\n", 400);
    assert_refused(CHUNKED "5\r\nhelloX\r\n", 400);
    assert_refused(CHUNKED "5\nhello\r\n", 400);
    assert_refused(CHUNKED "-1\r\n", 400);
    assert_refused(CHUNKED "0\r\nBad Trailer: x\r\n\r\n", 400);
}

static void a_body_that_takes_too_long_is_refused(void **state)
{
    (void)state;
    static const char *const beginnings[] = {
        "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhello", CHUNKED "a\r\nhello"};
    for (size_t i = 0; i < 2; i++) {
        struct http_fixture fixture;
        http_fixture_open(&fixture, NULL);
        fixture.server.limits.body_ms = 5000;
        peer_send_text(&fixture.client, beginnings[i]);
        loop_fixture_settle(fixture.loop);
        for (int j = 0; j < 4; j++) { /* single bytes buy no time */
            time_warp_forward(1000);
            peer_send_text(&fixture.client, "x");
            loop_fixture_settle(fixture.loop);
        }
        assert_int_equal(fixture.client.received.size, 0);
        time_warp_forward(1100);
        assert_refused_by(&fixture, 408);
        http_fixture_close(&fixture);
    }
}

/* 16,000 bytes are worth a second. */
static void a_large_body_has_time_for_its_bytes(void **state)
{
    (void)state;
    struct http_fixture fixture;
    fill_large();
    http_fixture_open(&fixture, NULL);
    fixture.server.limits.body_ms = 2000;
    peer_send_text(&fixture.client, "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 90000\r\n\r\n");
    for (int i = 0; i < 5; i++) {
        peer_send(&fixture.client, slice_of(large + (size_t)i * 18000, 18000));
        loop_fixture_settle(fixture.loop);
        time_warp_forward(1000);
        loop_fixture_settle(fixture.loop);
    }
    assert_large_echoed(&fixture);
    http_fixture_close(&fixture);
}

static void a_client_that_goes_away_within_its_body_is_told_nothing(void **state)
{
    (void)state;
    static const char *const beginnings[] = {
        "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhello", CHUNKED "a\r\nhello"};
    for (size_t i = 0; i < 2; i++) {
        struct http_fixture fixture;
        http_fixture_open(&fixture, NULL);
        fixture.last_status = 999;
        peer_send_text(&fixture.client, beginnings[i]);
        loop_fixture_settle(fixture.loop);
        shutdown(fixture.client.fd, SHUT_WR);
        peer_expect_end(&fixture.client);
        assert_int_equal(fixture.client.received.size, 0);
        assert_int_equal(fixture.last_status, 0);
        http_fixture_close(&fixture);
    }
}

/* --- 100 (Continue) --- */

#define EXPECTS "POST /a HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"

static void a_client_that_waits_for_100_gets_it_before_its_body(void **state)
{
    (void)state;
    static const struct {
        const char *head, *body;
    } cases[] = {
        {EXPECTS "Content-Length: 5\r\n\r\n", "hello"},
        {EXPECTS "Transfer-Encoding: chunked\r\n\r\n", "5\r\nhello\r\n0\r\n\r\n"},
    };
    for (size_t i = 0; i < 2; i++) {
        struct http_fixture fixture;
        http_fixture_open(&fixture, NULL);
        http_fixture_ask(&fixture, cases[i].head, "HTTP/1.1 100 Continue\r\n\r\n");
        assert_int_equal(peer_count(&fixture.client, "HTTP/1.1 "), 1);
        http_fixture_ask(&fixture, cases[i].body, "POST /a\nhello");
        assert_int_equal(peer_count(&fixture.client, "HTTP/1.1 "), 2);
        http_fixture_ask(&fixture, NEXT, "GET /next\n");
        http_fixture_close(&fixture);
    }
}

static void who_needs_no_100_gets_none(void **state)
{
    (void)state;
    static const char *const cases[] = {
        EXPECTS "Content-Length: 5\r\n\r\nhello", /* it is here already */
        EXPECTS "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        EXPECTS "Content-Length: 0\r\n\r\n",
        "POST /a HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\nhello",
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct http_fixture fixture;
        http_fixture_open(&fixture, NULL);
        http_fixture_ask(&fixture, cases[i], "POST /a\n");
        assert_false(peer_has(&fixture.client, " 100 "));
        http_fixture_close(&fixture);
    }
}

/* --- Content codings --- */

#define PLAIN "the same words, the same words, the same words, the same words"

static size_t gzip_of(const char *plain, size_t size, unsigned char *out, size_t out_size)
{
    z_stream stream = {.next_in = (unsigned char *)(uintptr_t)plain,
                       .avail_in = (unsigned)size,
                       .next_out = out,
                       .avail_out = (unsigned)out_size};
    assert_int_equal(deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
    const size_t written = stream.total_out;
    deflateEnd(&stream);
    return written;
}

static size_t brotli_of(const char *plain, size_t size, unsigned char *out, size_t out_size)
{
    assert_true(BrotliEncoderCompress(5, 22, BROTLI_MODE_GENERIC, size,
                                      (const unsigned char *)plain, &out_size, out));
    return out_size;
}

static size_t zstd_of(const char *plain, size_t size, unsigned char *out, size_t out_size)
{
    const size_t written = ZSTD_compress(out, out_size, plain, size, 3);
    assert_false(ZSTD_isError(written));
    return written;
}

static const struct coding {
    const char *name;
    size_t (*encode)(const char *plain, size_t size, unsigned char *out, size_t out_size);
} codings[] = {{"gzip", gzip_of}, {"br", brotli_of}, {"zstd", zstd_of}};

#define CODING_COUNT (sizeof(codings) / sizeof(codings[0]))

static void send_encoded(struct http_fixture *fixture, const char *coding, const void *bytes,
                         size_t size)
{
    char head[160];
    (void)snprintf(head, sizeof(head),
                   "POST /a HTTP/1.1\r\nHost: x\r\nContent-Encoding: %s\r\n"
                   "Content-Length: %zu\r\n\r\n",
                   coding, size);
    peer_send_text(&fixture->client, head);
    peer_send(&fixture->client, slice_of(bytes, size));
}

static void an_encoded_body_is_decoded(void **state)
{
    (void)state;
    for (size_t i = 0; i < CODING_COUNT; i++) {
        struct http_fixture fixture;
        unsigned char bytes[256];
        const size_t size = codings[i].encode(PLAIN, sizeof(PLAIN) - 1, bytes, sizeof(bytes));
        http_fixture_open(&fixture, NULL);
        send_encoded(&fixture, codings[i].name, bytes, size);
        peer_expect(&fixture.client, "POST /a\n" PLAIN);
        http_fixture_ask(&fixture, NEXT, "GET /next\n");
        http_fixture_close(&fixture);
    }
}

static void an_encoded_body_may_be_chunked(void **state)
{
    (void)state;
    unsigned char bytes[256];
    char size_line[16];
    const size_t size = gzip_of(PLAIN, sizeof(PLAIN) - 1, bytes, sizeof(bytes));
    struct http_fixture fixture;
    http_fixture_open(&fixture, NULL);
    peer_send_text(&fixture.client, "POST /a HTTP/1.1\r\nHost: x\r\nContent-Encoding: gzip\r\n"
                                    "Transfer-Encoding: chunked\r\n\r\n");
    (void)snprintf(size_line, sizeof(size_line), "%zx\r\n", size);
    peer_send_text(&fixture.client, size_line);
    peer_send(&fixture.client, slice_of(bytes, size));
    http_fixture_ask(&fixture, "\r\n0\r\n\r\n", "POST /a\n" PLAIN);
    http_fixture_close(&fixture);
}

static void a_body_that_decodes_to_too_much_is_refused(void **state)
{
    (void)state;
    const size_t plain_size = (size_t)8 << 20;
    char *plain = alloc_zeroed(1, plain_size);
    unsigned char *bytes = alloc_bytes(100000);
    assert_non_null(plain);
    assert_non_null(bytes);
    for (size_t i = 0; i < CODING_COUNT; i++) {
        struct http_fixture fixture;
        const size_t size = codings[i].encode(plain, plain_size, bytes, 100000);
        http_fixture_open(&fixture, NULL);
        send_encoded(&fixture, codings[i].name, bytes, size);
        assert_refused_by(&fixture, 413);
        http_fixture_close(&fixture);
    }
    alloc_free(plain);
    alloc_free(bytes);
}

static void a_body_that_is_not_encoded_as_it_says_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < CODING_COUNT; i++) {
        struct http_fixture fixture;
        unsigned char bytes[256];
        const size_t size = codings[i].encode(PLAIN, sizeof(PLAIN) - 1, bytes, sizeof(bytes));
        http_fixture_open(&fixture, NULL);
        send_encoded(&fixture, codings[i].name, bytes, size - 1);
        assert_refused_by(&fixture, 400);
        http_fixture_close(&fixture);

        http_fixture_open(&fixture, NULL);
        send_encoded(&fixture, codings[i].name, "{\"model\":\"x\"}", 13);
        assert_refused_by(&fixture, 400);
        http_fixture_close(&fixture);
    }
}

static void an_unknown_coding_is_refused_before_its_body_is_read(void **state)
{
    (void)state;
    struct http_fixture fixture;
    static const char *const names[] = {"compress", "deflate", "gzip, br", "x"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        http_fixture_open(&fixture, NULL);
        peer_send_text(&fixture.client, EXPECTS "Content-Length: 5\r\nContent-Encoding: ");
        peer_send_text(&fixture.client, names[i]);
        peer_send_text(&fixture.client, "\r\n\r\n");
        assert_refused_by(&fixture, 415);
        assert_false(peer_has(&fixture.client, " 100 "));
        http_fixture_close(&fixture);
    }
}

/* --- Memory --- */

static void bodies_together_are_bounded(void **state)
{
    (void)state;
    static const char *const heads[] = {
        "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 90000\r\n\r\n", CHUNKED "15f90\r\n"};
    fill_large();
    for (size_t i = 0; i < 2; i++) {
        struct http_fixture fixture;
        http_fixture_open(&fixture, NULL);
        body_memory_set_max(40000);
        peer_send_text(&fixture.client, heads[i]);
        peer_send(&fixture.client, slice_of(large, LARGE));
        assert_refused_by(&fixture, 503);
        http_fixture_close(&fixture);
    }
}

static void the_memory_of_a_body_is_counted_while_it_is_read(void **state)
{
    (void)state;
    struct http_fixture fixture;
    http_fixture_open(&fixture, NULL);
    peer_send_text(&fixture.client,
                   "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 90000\r\n\r\nx");
    loop_fixture_settle(fixture.loop);
    assert_int_equal(body_memory_used(), 90000);
    peer_close(&fixture.client);
    loop_fixture_until_quiet(fixture.loop);
    assert_int_equal(body_memory_used(), 0);
    http_fixture_close(&fixture);
}

/* A head that promises megabytes holds no more memory for it than for a small body. */
static void the_memory_of_a_large_body_grows_with_what_came(void **state)
{
    (void)state;
    static char huge[3000000];
    static const struct {
        size_t sent, held;
    } steps[] = {
        {0, 256 << 10},     {262143, 256 << 10}, {262144, 512 << 10}, {524288, 1 << 20},
        {1 << 20, 2 << 20}, {2 << 20, 3000000},  {2999999, 3000000},
    };
    struct http_fixture fixture;
    memset(huge, 'h', sizeof(huge));
    http_fixture_open(&fixture, NULL);
    fixture.server.limits.body_bytes = sizeof(huge);
    peer_send_text(&fixture.client,
                   "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 3000000\r\n\r\n");
    size_t sent = 0;
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        peer_send(&fixture.client, slice_of(huge + sent, steps[i].sent - sent));
        sent = steps[i].sent;
        for (int turn = 0; turn < 50 && body_memory_used() != steps[i].held; turn++)
            loop_turn(fixture.loop, 1);
        assert_int_equal(body_memory_used(), steps[i].held);
    }
    peer_send_text(&fixture.client, "h" NEXT);
    peer_expect(&fixture.client, "GET /next\n");
    assert_true(fixture.client.received.size > sizeof(huge));
    http_fixture_close(&fixture);
}

static void a_body_that_finds_no_room_to_grow_is_refused(void **state)
{
    (void)state;
    static char much[400000];
    struct http_fixture fixture;
    http_fixture_open(&fixture, NULL);
    fixture.server.limits.body_bytes = 3000000;
    body_memory_set_max(500000);
    peer_send_text(&fixture.client,
                   "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 3000000\r\n\r\n");
    peer_send(&fixture.client, slice_of(much, sizeof(much)));
    assert_refused_by(&fixture, 503);
    http_fixture_close(&fixture);
}

/* Whatever allocation fails: an answer or the end of the connection, and nothing is lost. */
static void assert_survives_each_failure(struct slice request)
{
    for (int nth = 0; nth < 16; nth++) {
        struct http_fixture fixture;
        http_fixture_open(&fixture, NULL);
        peer_send(&fixture.client, slice_of(request.data, 70));
        loop_fixture_settle(fixture.loop);
        alloc_fail_nth(nth);
        peer_send(&fixture.client, slice_from(request, 70));
        loop_fixture_settle(fixture.loop);
        alloc_fail_nth(-1);
        peer_read(&fixture.client);
        assert_true(fixture.client.has_ended || peer_has(&fixture.client, "HTTP/1.1 "));
        http_fixture_close(&fixture);
    }
}

static void every_failed_allocation_is_one_requests_own(void **state)
{
    (void)state;
    static unsigned char request[400];
    const char head[] = "POST /a HTTP/1.1\r\nHost: x\r\nContent-Encoding: gzip\r\n"
                        "Transfer-Encoding: chunked\r\n\r\n";
    unsigned char bytes[256];
    const size_t size = gzip_of(PLAIN, sizeof(PLAIN) - 1, bytes, sizeof(bytes));
    int used = snprintf((char *)request, sizeof(request), "%s%zx\r\n", head, size);
    memcpy(request + used, bytes, size);
    memcpy(request + used + size, "\r\n0\r\n\r\n" NEXT, sizeof("\r\n0\r\n\r\n" NEXT));
    assert_survives_each_failure(
        slice_of(request, (size_t)used + size + sizeof("\r\n0\r\n\r\n" NEXT) - 1));
    assert_survives_each_failure(SLICE("POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 40\r\n\r\n"
                                       "0123456789012345678901234567890123456789" NEXT));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_body_with_a_length_is_the_same_in_any_pieces),
        cmocka_unit_test(a_chunked_body_is_the_same_in_any_pieces),
        cmocka_unit_test(an_empty_body_is_the_same_in_any_pieces),
        cmocka_unit_test(a_large_body_of_either_framing_arrives_whole),
        cmocka_unit_test(many_requests_behind_a_large_chunked_body_are_all_served),
        cmocka_unit_test(a_body_that_says_that_it_is_too_large_is_refused_before_it_comes),
        cmocka_unit_test(the_limit_of_a_body_is_met_to_the_byte),
        cmocka_unit_test(endless_chunks_are_refused),
        cmocka_unit_test(a_body_that_is_framed_wrongly_is_refused),
        cmocka_unit_test(a_body_that_takes_too_long_is_refused),
        cmocka_unit_test(a_large_body_has_time_for_its_bytes),
        cmocka_unit_test(a_client_that_goes_away_within_its_body_is_told_nothing),
        cmocka_unit_test(a_client_that_waits_for_100_gets_it_before_its_body),
        cmocka_unit_test(who_needs_no_100_gets_none),
        cmocka_unit_test(an_encoded_body_is_decoded),
        cmocka_unit_test(an_encoded_body_may_be_chunked),
        cmocka_unit_test(a_body_that_decodes_to_too_much_is_refused),
        cmocka_unit_test(a_body_that_is_not_encoded_as_it_says_is_refused),
        cmocka_unit_test(an_unknown_coding_is_refused_before_its_body_is_read),
        cmocka_unit_test(bodies_together_are_bounded),
        cmocka_unit_test(the_memory_of_a_body_is_counted_while_it_is_read),
        cmocka_unit_test(the_memory_of_a_large_body_grows_with_what_came),
        cmocka_unit_test(a_body_that_finds_no_room_to_grow_is_refused),
        cmocka_unit_test(every_failed_allocation_is_one_requests_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
