#include "http/response_head.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/alloc.h"

static const struct http_head_limits limits = {.headers_max = 20};

struct parsed {
    enum status status;
    struct reason reason;
    struct http_response_head head;
    struct arena arena;
    char memory[2048];
};

static void parse(struct parsed *parsed, struct slice bytes, bool to_head)
{
    memset(parsed, 0, sizeof(*parsed));
    arena_init(&parsed->arena, parsed->memory, sizeof(parsed->memory), 0);
    parsed->status = http_response_head_parse(bytes, to_head, &limits, &parsed->arena,
                                              &parsed->head, &parsed->reason);
}

static bool is(struct slice slice, const char *text)
{
    return slice_equal(slice, slice_from_text(text));
}

static void an_answer_of_a_model_is_read_whole(void **state)
{
    (void)state;
    struct parsed parsed;
    parse(&parsed,
          SLICE("HTTP/1.1 200 OK\r\nServer: llama.cpp\r\nContent-Type: application/json\r\n"
                "content-encoding: gzip\r\nContent-Length: 621\r\n\r\n"),
          false);
    const struct http_response_head *head = &parsed.head;
    assert_int_equal(parsed.status, STATUS_OK);
    assert_int_equal(head->status, 200);
    assert_int_equal(head->minor, 1);
    assert_true(is(head->reason_phrase, "OK"));
    assert_int_equal(head->framing, HTTP_FRAMING_LENGTH);
    assert_int_equal(head->content_length, 621);
    assert_true(head->has_content_length && head->keep_alive);
    assert_true(is(http_response_head_get(head, HTTP_HEADER_CONTENT_ENCODING), "gzip"));
    assert_int_equal(head->fields.count, 4);
}

struct accepted_case {
    const char *text;
    bool to_head;
    unsigned status;
    enum http_framing framing;
    bool keep_alive;
    const char *reason_phrase;
};

#define CL3     "Content-Length: 3\r\n\r\n"
#define CHUNKED "Transfer-Encoding: chunked\r\n\r\n"

/* RFC 9112 section 6.3, line by line. */
static const struct accepted_case accepted_cases[] = {
    {"HTTP/1.1 200 OK\r\n" CL3, true, 200, HTTP_FRAMING_NONE, true, "OK"},
    {"HTTP/1.1 200 OK\r\n" CHUNKED, true, 200, HTTP_FRAMING_NONE, true, "OK"},
    {"HTTP/1.1 200 OK\r\n\r\n", true, 200, HTTP_FRAMING_NONE, true, "OK"},
    {"HTTP/1.1 100 Continue\r\n\r\n", false, 100, HTTP_FRAMING_NONE, true, "Continue"},
    {"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n", false, 103, HTTP_FRAMING_NONE, true,
     "Early Hints"},
    {"HTTP/1.1 204 No Content\r\n\r\n", false, 204, HTTP_FRAMING_NONE, true, "No Content"},
    {"HTTP/1.1 204 x\r\nContent-Length: 0\r\n\r\n", false, 204, HTTP_FRAMING_NONE, true, "x"},
    {"HTTP/1.1 204 x\r\n" CL3, false, 204, HTTP_FRAMING_NONE, false, "x"},
    {"HTTP/1.1 204 x\r\n" CHUNKED, false, 204, HTTP_FRAMING_NONE, false, "x"},
    {"HTTP/1.1 100 x\r\n" CL3, false, 100, HTTP_FRAMING_NONE, false, "x"},
    {"HTTP/1.1 304 x\r\n" CL3, false, 304, HTTP_FRAMING_NONE, true, "x"},
    {"HTTP/1.1 200 OK\r\n" CHUNKED, false, 200, HTTP_FRAMING_CHUNKED, true, "OK"},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: CHUNKED\r\n\r\n", false, 200, HTTP_FRAMING_CHUNKED,
     true, "OK"},
    {"HTTP/1.1 500 OK\r\n" CL3, false, 500, HTTP_FRAMING_LENGTH, true, "OK"},
    {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", false, 200, HTTP_FRAMING_NONE, true, "OK"},
    {"HTTP/1.1 200 OK\r\n\r\n", false, 200, HTTP_FRAMING_CLOSE, false, "OK"},
    {"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\n", false, 200, HTTP_FRAMING_CLOSE, false,
     "OK"},
    {"HTTP/1.0 200 OK\r\n" CL3, false, 200, HTTP_FRAMING_LENGTH, false, "OK"},
    {"HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\n" CL3, false, 200, HTTP_FRAMING_LENGTH, true,
     "OK"},
    {"HTTP/1.1 200 OK\r\nConnection: close\r\n" CL3, false, 200, HTTP_FRAMING_LENGTH, false, "OK"},
    {"HTTP/1.1 200\r\n" CL3, false, 200, HTTP_FRAMING_LENGTH, true, ""},
    {"HTTP/1.1 200 \r\n" CL3, false, 200, HTTP_FRAMING_LENGTH, true, ""},
    {"HTTP/1.1 599 a \xc3\xa9\tb\r\n" CL3, false, 599, HTTP_FRAMING_LENGTH, true, "a \xc3\xa9\tb"},
};

static void a_response_is_framed_as_the_standard_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(accepted_cases) / sizeof(accepted_cases[0]); i++) {
        const struct accepted_case *it = &accepted_cases[i];
        struct parsed parsed;
        parse(&parsed, slice_from_text(it->text), it->to_head);
        if (parsed.status != STATUS_OK)
            fail_msg("%s: %s", it->text, parsed.reason.text);
        if (parsed.head.framing != it->framing || parsed.head.keep_alive != it->keep_alive)
            fail_msg("%s: framing %d, kept %d", it->text, (int)parsed.head.framing,
                     parsed.head.keep_alive);
        assert_int_equal(parsed.head.status, it->status);
        assert_true(is(parsed.head.reason_phrase, it->reason_phrase));
    }
}

struct refused_case {
    const char *what;
    struct slice bytes;
    enum status status;
};

#define REFUSED(what, literal, status) {what, {literal, sizeof(literal) - 1}, status}
#define AFTER_OK(what, fields)                                                                     \
    REFUSED(what, "HTTP/1.1 200 OK\r\n" fields "\r\n\r\n", STATUS_PROTOCOL)

static const struct refused_case refused_cases[] = {
    AFTER_OK("CL and TE", "Content-Length: 4\r\nTransfer-Encoding: chunked"),
    AFTER_OK("TE and CL", "Transfer-Encoding: chunked\r\nContent-Length: 4"),
    AFTER_OK("two different CL", "Content-Length: 4\r\nContent-Length: 5"),
    AFTER_OK("two equal CL", "Content-Length: 4\r\nContent-Length: 4"),
    AFTER_OK("a list of CL", "Content-Length: 4, 4"),
    AFTER_OK("CL with a sign", "Content-Length: +4"),
    AFTER_OK("an empty CL", "Content-Length:"),
    AFTER_OK("CL of 2^63", "Content-Length: 9223372036854775808"),
    AFTER_OK("TE other than chunked", "Transfer-Encoding: gzip"),
    AFTER_OK("TE with another before", "Transfer-Encoding: gzip, chunked"),
    AFTER_OK("TE with another after", "Transfer-Encoding: chunked, gzip"),
    AFTER_OK("an empty TE", "Transfer-Encoding:"),
    AFTER_OK("chunked twice", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"),
    AFTER_OK("a space before the colon", "Content-Length : 4"),
    AFTER_OK("a folded line", "A: b\r\n c"),
    AFTER_OK("a line folded with HTAB", "A: b\r\n\tc"),
    AFTER_OK("white space before the first field", " A: b"),
    AFTER_OK("NUL", "A: b\0c"),
    AFTER_OK("DEL", "A: b\x7f"),
    AFTER_OK("a bare CR", "A: b\rc"),
    AFTER_OK("a bare LF", "A: b\nc: d"),
    AFTER_OK("no colon", "Content-Length"),
    AFTER_OK("a byte from 0x80 on in a name", "A\x80: b"),
    REFUSED("CL and TE of no body", "HTTP/1.1 304 x\r\nContent-Length: 4\r\n" CHUNKED,
            STATUS_PROTOCOL),
    REFUSED("TE in HTTP/1.0", "HTTP/1.0 200 OK\r\n" CHUNKED, STATUS_PROTOCOL),
    REFUSED("nothing", "", STATUS_PROTOCOL),
    REFUSED("an empty line before", "\r\nHTTP/1.1 200 OK\r\n\r\n", STATUS_PROTOCOL),
    REFUSED("a request", "GET / HTTP/1.1\r\nHost: h\r\n\r\n", STATUS_PROTOCOL),
    REFUSED("HTTP/0.9", "<html>\r\n\r\n", STATUS_PROTOCOL),
    REFUSED("two spaces", "HTTP/1.1  200 OK\r\n\r\n", STATUS_PROTOCOL),
    REFUSED("HTAB", "HTTP/1.1\t200 OK\r\n\r\n", STATUS_PROTOCOL),
    REFUSED("two digits", "HTTP/1.1 20 OK\r\n\r\n", STATUS_PROTOCOL),
    REFUSED("four digits", "HTTP/1.1 2000 OK\r\n\r\n", STATUS_PROTOCOL),
    REFUSED("a letter", "HTTP/1.1 20x OK\r\n\r\n", STATUS_PROTOCOL),
    REFUSED("099", "HTTP/1.1 099 OK\r\n\r\n", STATUS_PROTOCOL),
    REFUSED("600", "HTTP/1.1 600 OK\r\n\r\n", STATUS_PROTOCOL),
    REFUSED("101", "HTTP/1.1 101 x\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n", STATUS_PROTOCOL),
    REFUSED("a control byte in the phrase", "HTTP/1.1 200 O\x01K\r\n\r\n", STATUS_PROTOCOL),
    REFUSED("another protocol", "RTSP/1.0 200 OK\r\n\r\n", STATUS_PROTOCOL),
    REFUSED("bytes of the body", "HTTP/1.1 200 OK\r\n" CL3 "abc", STATUS_PROTOCOL),
    REFUSED("HTTP/2", "HTTP/2.0 200 OK\r\n\r\n", STATUS_UNSUPPORTED),
    REFUSED("HTTP/1.2", "HTTP/1.2 200 OK\r\n\r\n", STATUS_UNSUPPORTED),
    REFUSED("21 fields",
            "HTTP/1.1 200 OK\r\na:\r\n"
            "a:\r\na:\r\na:\r\na:\r\na:\r\na:\r\na:\r\na:\r\na:\r\na:\r\n"
            "a:\r\na:\r\na:\r\na:\r\na:\r\na:\r\na:\r\na:\r\na:\r\na:\r\n\r\n",
            STATUS_TOO_LARGE),
};

static void a_response_that_could_be_read_in_two_ways_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(refused_cases) / sizeof(refused_cases[0]); i++) {
        const struct refused_case *it = &refused_cases[i];
        struct parsed parsed;
        parse(&parsed, it->bytes, false);
        if (parsed.status != it->status)
            fail_msg("%s: %s", it->what, status_name(parsed.status));
        assert_false(parsed.head.keep_alive);
        assert_true(strlen(parsed.reason.text) > 0);
    }
}

static const char sample[] = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nA: b\r\n\r\n";

static void a_head_cut_at_any_byte_is_refused(void **state)
{
    (void)state;
    for (size_t size = 0; size < sizeof(sample) - 1; size++) {
        struct parsed parsed;
        char *copy = alloc_bytes(size + 1);
        memcpy(copy, sample, size);
        parse(&parsed, slice_of(copy, size), false);
        assert_int_not_equal(parsed.status, STATUS_OK);
        alloc_free(copy);
    }
}

static void a_head_without_memory_for_its_fields_says_so(void **state)
{
    (void)state;
    struct http_response_head head;
    struct arena arena;
    struct reason reason = {""};
    const struct slice bytes = slice_of(sample, sizeof(sample) - 1);
    arena_init(&arena, NULL, 0, 4096);
    alloc_fail_nth(0);
    assert_int_equal(http_response_head_parse(bytes, false, &limits, &arena, &head, &reason),
                     STATUS_NO_MEMORY);
    alloc_fail_nth(-1);
    assert_string_equal(reason.text, "out of memory");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_of_a_model_is_read_whole),
        cmocka_unit_test(a_response_is_framed_as_the_standard_says),
        cmocka_unit_test(a_response_that_could_be_read_in_two_ways_is_refused),
        cmocka_unit_test(a_head_cut_at_any_byte_is_refused),
        cmocka_unit_test(a_head_without_memory_for_its_fields_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
