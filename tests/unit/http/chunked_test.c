#include "http/chunked.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/buffer.h"

/* Decodes the bytes in pieces: the first ends at `first`, the others have `step` bytes. The payload
 * is gathered in `payload`; *used_out bytes were consumed. Each piece lies in a block of its own
 * size. */
static enum status decode(struct slice bytes, size_t first, size_t step, struct buffer *payload,
                          size_t *used_out)
{
    struct chunked chunked;
    enum status status = STATUS_AGAIN;
    chunked_init(&chunked);
    buffer_clear(payload);
    *used_out = 0;
    size_t size = first;
    while (status == STATUS_AGAIN && *used_out < bytes.size) {
        const size_t left = bytes.size - *used_out;
        size = size < left ? size : left;
        char *piece = alloc_bytes(size + 1);
        size_t consumed, decoded;
        memcpy(piece, bytes.data + *used_out, size);
        status = chunked_decode(&chunked, piece, size, &consumed, &decoded);
        assert_true(decoded <= consumed && consumed <= size);
        assert_true(status != STATUS_AGAIN || consumed == size);
        assert_memory_equal(piece + consumed, bytes.data + *used_out + consumed, size - consumed);
        buffer_append(payload, slice_of(piece, decoded));
        *used_out += consumed;
        size = step;
        alloc_free(piece);
    }
    assert_int_equal(chunked_is_done(&chunked), status == STATUS_OK);
    return status;
}

struct chunked_case {
    const char *what;
    struct slice bytes;
    enum status status;
    const char *payload;
    size_t left; /* bytes that belong to the next message */
};

#define CASE(what, literal, status, payload, left)                                                 \
    {what, {literal, sizeof(literal) - 1}, status, payload, left}

static const struct chunked_case cases[] = {
    CASE("an empty body", "0\r\n\r\n", STATUS_OK, "", 0),
    CASE("one chunk", "5\r\nhello\r\n0\r\n\r\n", STATUS_OK, "hello", 0),
    CASE("many chunks", "1\r\na\r\n2\r\nbc\r\n00a\r\n0123456789\r\n0\r\n\r\n", STATUS_OK,
         "abc0123456789", 0),
    CASE("digits of both cases", "0A\r\n0123456789\r\nb\r\n0123456789a\r\n000\r\n\r\n", STATUS_OK,
         "01234567890123456789a", 0),
    CASE("a request behind it", "1\r\na\r\n0\r\n\r\nGET /", STATUS_OK, "a", 5),
    CASE("CRLF in the payload", "4\r\n\r\n\r\n\r\n0\r\n\r\n", STATUS_OK, "\r\n\r\n", 0),
    CASE("extensions", "1;a\r\nx\r\n1;b=\"c;\td\"\r\ny\r\n0;e\r\n\r\n", STATUS_OK, "xy", 0),
    CASE("trailers", "1\r\nx\r\n0\r\nA: b\r\nC: d\r\n\r\nrest", STATUS_OK, "x", 4),
    CASE("16 digits", "0000000000000001\r\na\r\n0\r\n\r\n", STATUS_OK, "a", 0),
    CASE("the largest size", "4000000000000000\r\nab", STATUS_AGAIN, "ab", 0),
    CASE("no end", "5\r\nhello\r\n", STATUS_AGAIN, "hello", 0),
    CASE("no empty line at the end", "0\r\n", STATUS_AGAIN, "", 0),
    CASE("a size over 2^62", "4000000000000001\r\n", STATUS_PROTOCOL, "", 0),
    CASE("the largest 64 bits", "ffffffffffffffff\r\n", STATUS_PROTOCOL, "", 0),
    CASE("17 digits", "00000000000000001\r\na", STATUS_PROTOCOL, "", 0),
    CASE("17 digits that overflow", "10000000000000001\r\na", STATUS_PROTOCOL, "", 0),
    CASE("no size", "\r\nabc", STATUS_PROTOCOL, "", 0),
    CASE("only an extension", ";a\r\nabc", STATUS_PROTOCOL, "", 0),
    CASE("a sign", "+1\r\na\r\n", STATUS_PROTOCOL, "", 0),
    CASE("a minus", "-1\r\na\r\n", STATUS_PROTOCOL, "", 0),
    CASE("0x", "0x1\r\na\r\n", STATUS_PROTOCOL, "", 0),
    CASE("a space before the size", " 1\r\na\r\n", STATUS_PROTOCOL, "", 0),
    CASE("a space after the size", "1 \r\na\r\n", STATUS_PROTOCOL, "", 0),
    CASE("a space before an extension", "1 ;a\r\na\r\n", STATUS_PROTOCOL, "", 0),
    CASE("HTAB after the size", "1\t\r\na\r\n", STATUS_PROTOCOL, "", 0),
    CASE("another letter", "1g\r\na\r\n", STATUS_PROTOCOL, "", 0),
    CASE("an underscore", "1_0\r\na\r\n", STATUS_PROTOCOL, "", 0),
    CASE("a bare LF after the size", "1\na\r\n0\r\n\r\n", STATUS_PROTOCOL, "", 0),
    CASE("a bare CR after the size", "1\ra\r\n", STATUS_PROTOCOL, "", 0),
    CASE("a bare LF in an extension", "1;a\nb\r\n", STATUS_PROTOCOL, "", 0),
    CASE("a bare CR in an extension", "1;a\rb\r\n", STATUS_PROTOCOL, "", 0),
    CASE("NUL in an extension", "1;a\0b\r\n", STATUS_PROTOCOL, "", 0),
    CASE("a payload longer than its size", "1\r\nab\r\n0\r\n\r\n", STATUS_PROTOCOL, "a", 0),
    CASE("a payload shorter than its size", "3\r\nab\r\n0\r\n\r\n", STATUS_PROTOCOL, "ab\r", 0),
    CASE("a bare LF after the payload", "1\r\na\n0\r\n\r\n", STATUS_PROTOCOL, "a", 0),
    CASE("a bare CR after the payload", "1\r\na\r0\r\n\r\n", STATUS_PROTOCOL, "a", 0),
    CASE("nothing after the payload", "1\r\na0\r\n\r\n", STATUS_PROTOCOL, "a", 0),
    CASE("a bare LF at the end", "0\r\n\n", STATUS_PROTOCOL, "", 0),
    CASE("a bare CR at the end", "0\r\n\rx", STATUS_PROTOCOL, "", 0),
    CASE("a bare LF in a trailer", "0\r\nA: b\nC: d\r\n\r\n", STATUS_PROTOCOL, "", 0),
    CASE("a folded trailer", "0\r\nA: b\r\n c\r\n\r\n", STATUS_PROTOCOL, "", 0),
    CASE("a folded first trailer", "0\r\n A: b\r\n\r\n", STATUS_PROTOCOL, "", 0),
    CASE("a trailer without a colon", "0\r\nA\r\n\r\n", STATUS_PROTOCOL, "", 0),
    CASE("a trailer without a name", "0\r\n: a\r\n\r\n", STATUS_PROTOCOL, "", 0),
    CASE("a space before a trailer's colon", "0\r\nA : b\r\n\r\n", STATUS_PROTOCOL, "", 0),
    CASE("DEL in a trailer", "0\r\nA: \x7f\r\n\r\n", STATUS_PROTOCOL, "", 0),
};

#define CASE_COUNT (sizeof(cases) / sizeof(cases[0]))

static void check(const struct chunked_case *it, size_t first, size_t step)
{
    struct buffer payload;
    size_t used;
    buffer_init(&payload, 1024);
    const enum status status = decode(it->bytes, first, step, &payload, &used);
    if (status != it->status)
        fail_msg("%s (%zu, %zu): %s", it->what, first, step, status_name(status));
    /* How much payload was passed on before an error was found may differ. */
    if (status == STATUS_OK || status == STATUS_AGAIN) {
        assert_true(slice_equal(buffer_slice(&payload), slice_from_text(it->payload)));
        assert_int_equal(used, it->bytes.size - it->left);
    }
    buffer_fini(&payload);
}

static void a_body_is_decoded_and_what_is_no_chunk_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < CASE_COUNT; i++)
        check(&cases[i], cases[i].bytes.size, 1);
}

static void decoding_does_not_depend_on_how_the_bytes_are_split(void **state)
{
    (void)state;
    for (size_t i = 0; i < CASE_COUNT; i++) {
        for (size_t first = 1; first < cases[i].bytes.size; first++) {
            check(&cases[i], first, cases[i].bytes.size);
            check(&cases[i], first, 1);
            check(&cases[i], first, 3);
        }
    }
}

static void many_small_chunks_become_one_payload_in_place(void **state)
{
    (void)state;
    static char bytes[16384], expected[16384];
    size_t size = 0, expected_size = 0, consumed, payload;
    struct chunked chunked;
    for (unsigned i = 0; i < 60; i++) {
        char event[256];
        const int event_size = snprintf(event, sizeof(event), "data: %0*u\n\n", (int)i + 1, i);
        size += chunked_header((uint64_t)event_size, bytes + size);
        memcpy(bytes + size, event, (size_t)event_size);
        size += (size_t)event_size;
        memcpy(bytes + size, "\r\n", 2);
        size += 2;
        memcpy(expected + expected_size, event, (size_t)event_size);
        expected_size += (size_t)event_size;
    }
    chunked_init(&chunked);
    assert_int_equal(chunked_decode(&chunked, bytes, size, &consumed, &payload), STATUS_AGAIN);
    assert_int_equal(consumed, size);
    assert_int_equal(payload, expected_size);
    assert_memory_equal(bytes, expected, expected_size);
}

/* `what` is repeated until the decoder refuses it. */
static enum status decode_repeated(const char *front, const char *what, unsigned *count_out)
{
    struct chunked chunked;
    size_t consumed, payload;
    char bytes[64];
    chunked_init(&chunked);
    memcpy(bytes, front, strlen(front));
    enum status status = chunked_decode(&chunked, bytes, strlen(front), &consumed, &payload);
    for (*count_out = 0; status == STATUS_AGAIN && *count_out < 100000; ++*count_out) {
        memcpy(bytes, what, strlen(what));
        status = chunked_decode(&chunked, bytes, strlen(what), &consumed, &payload);
    }
    return status;
}

static void extensions_and_trailers_are_bounded(void **state)
{
    (void)state;
    unsigned count;
    assert_int_equal(decode_repeated("1;", "a", &count), STATUS_TOO_LARGE);
    assert_int_equal(count, CHUNKED_EXTENSION_BYTES_MAX); /* with the semicolon */
    assert_int_equal(decode_repeated("0\r\n", "Name: value\r\n", &count), STATUS_TOO_LARGE);
    assert_int_equal(count, CHUNKED_TRAILER_BYTES_MAX / 11 + 1);
    /* Not each chunk, but the body: or bytes that are no payload could go on for ever. */
    assert_int_equal(decode_repeated("", "1;aaaaaaa\r\nx\r\n", &count), STATUS_TOO_LARGE);
    assert_int_equal(count, CHUNKED_EXTENSION_BYTES_MAX / 8 + 1);
    assert_int_equal(decode_repeated("", "1\r\nx\r\n", &count), STATUS_AGAIN);
}

static void a_decoder_that_failed_or_is_done_stays_so(void **state)
{
    (void)state;
    struct chunked chunked;
    char bad[] = "x", good[] = "0\r\n\r\n";
    size_t consumed, payload;
    chunked_init(&chunked);
    assert_int_equal(chunked_decode(&chunked, bad, 1, &consumed, &payload), STATUS_PROTOCOL);
    assert_int_equal(chunked_decode(&chunked, good, 5, &consumed, &payload), STATUS_PROTOCOL);
    assert_int_equal(consumed, 0);
    chunked_init(&chunked);
    assert_int_equal(chunked_decode(&chunked, good, 5, &consumed, &payload), STATUS_OK);
    assert_int_equal(chunked_decode(&chunked, good, 5, &consumed, &payload), STATUS_OK);
    assert_int_equal(consumed, 0);
    assert_int_equal(payload, 0);
}

static void the_largest_sizes_are_written_and_read_again(void **state)
{
    (void)state;
    for (unsigned bit = 0; bit < 64; bit++) {
        for (unsigned less = 0; less < 2; less++) {
            const uint64_t size = (UINT64_C(1) << bit) - less;
            char header[CHUNKED_HEADER_BYTES], expected[32];
            if (size == 0)
                continue;
            snprintf(expected, sizeof(expected), "%llx\r\n", (unsigned long long)size);
            assert_int_equal(chunked_header(size, header), strlen(expected));
            assert_memory_equal(header, expected, strlen(expected));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_body_is_decoded_and_what_is_no_chunk_refused),
        cmocka_unit_test(decoding_does_not_depend_on_how_the_bytes_are_split),
        cmocka_unit_test(many_small_chunks_become_one_payload_in_place),
        cmocka_unit_test(extensions_and_trailers_are_bounded),
        cmocka_unit_test(a_decoder_that_failed_or_is_done_stays_so),
        cmocka_unit_test(the_largest_sizes_are_written_and_read_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
