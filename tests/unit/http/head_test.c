#include "http/head.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/alloc.h"

/* Scans all at once. */
static enum status scan(const char *bytes, size_t size, size_t *head_size)
{
    size_t scanned = 0;
    *head_size = 0;
    return http_head_find_end(slice_of(bytes, size), &scanned, head_size);
}

/* Scans with the first `first` bytes, then byte by byte; says how many bytes there were in the end.
 * The bytes lie in a block of just their size, so that a sanitizer sees a look beyond them. */
static enum status scan_split(const char *bytes, size_t size, size_t first, size_t *seen,
                              size_t *head_size)
{
    size_t scanned = 0;
    enum status status = STATUS_AGAIN;
    for (*seen = first; status == STATUS_AGAIN && *seen <= size; ++*seen) {
        char *copy = alloc_bytes(*seen + 1);
        memcpy(copy, bytes, *seen);
        status = http_head_find_end(slice_of(copy, *seen), &scanned, head_size);
        alloc_free(copy);
    }
    --*seen;
    return status;
}

struct scan_case {
    const char *what;
    struct slice bytes;
    enum status status;
    size_t size;
};

#define CASE(what, literal, status, size) {what, {literal, sizeof(literal) - 1}, status, size}

static const struct scan_case scan_cases[] = {
    CASE("nothing", "", STATUS_AGAIN, 0),
    CASE("a whole head", "GET / HTTP/1.1\r\nHost: a\r\n\r\n", STATUS_OK, 27),
    CASE("a whole head and more", "GET / HTTP/1.1\r\n\r\nGET / H\n", STATUS_OK, 18),
    CASE("no empty line", "GET / HTTP/1.1\r\nHost: a\r\n", STATUS_AGAIN, 0),
    CASE("half an empty line", "GET / HTTP/1.1\r\nHost: a\r\n\r", STATUS_AGAIN, 0),
    CASE("one empty line before", "\r\nGET / HTTP/1.1\r\n\r\n", STATUS_OK, 20),
    CASE("two empty lines before", "\r\n\r\nGET / HTTP/1.1\r\n\r\n", STATUS_OK, 22),
    CASE("three empty lines are a head, which no parser takes", "\r\n\r\n\r\n\r\nG", STATUS_OK, 8),
    CASE("only an empty line", "\r\n", STATUS_AGAIN, 0),
    CASE("only two empty lines", "\r\n\r\n", STATUS_AGAIN, 0),
    CASE("HTAB in a value", "A: b\tc\r\n\r\n", STATUS_OK, 10),
    CASE("bytes from 0x80 on", "A: \x80\xff\r\n\r\n", STATUS_OK, 9),
    CASE("a bare LF", "GET / HTTP/1.1\nHost: a\r\n\r\n", STATUS_PROTOCOL, 0),
    CASE("a bare LF as the end", "GET / HTTP/1.1\r\nHost: a\r\n\n", STATUS_PROTOCOL, 0),
    CASE("a bare LF at the front", "\nGET / HTTP/1.1\r\n\r\n", STATUS_PROTOCOL, 0),
    CASE("a bare CR", "A: b\rc\r\n\r\n", STATUS_PROTOCOL, 0),
    CASE("a bare CR at the front", "\rGET / HTTP/1.1\r\n\r\n", STATUS_PROTOCOL, 0),
    CASE("a bare CR before CRLF", "A: b\r\r\n\r\n", STATUS_PROTOCOL, 0),
    CASE("a bare CR instead of an empty line", "A: b\r\n\rX: y\r\n\r\n", STATUS_PROTOCOL, 0),
    CASE("a line folded with a space", "A: b\r\n c\r\n\r\n", STATUS_PROTOCOL, 0),
    CASE("a line folded with HTAB", "A: b\r\n\tc\r\n\r\n", STATUS_PROTOCOL, 0),
    CASE("white space before the first field", "GET / HTTP/1.1\r\n A: b\r\n\r\n", STATUS_PROTOCOL,
         0),
    CASE("NUL", "A: b\0c\r\n\r\n", STATUS_PROTOCOL, 0),
    CASE("DEL",
         "A: b\x7f"
         "c\r\n\r\n",
         STATUS_PROTOCOL, 0),
    CASE("a control byte late in a long line",
         "A: 0123456789012345678901234567890123456789\x01\r\n\r\n", STATUS_PROTOCOL, 0),
};

#define SCAN_CASE_COUNT (sizeof(scan_cases) / sizeof(scan_cases[0]))

static void a_head_ends_with_its_empty_line_and_holds_no_control_bytes(void **state)
{
    (void)state;
    for (size_t i = 0; i < SCAN_CASE_COUNT; i++) {
        const struct scan_case *it = &scan_cases[i];
        size_t size;
        const enum status status = scan(it->bytes.data, it->bytes.size, &size);
        if (status != it->status || size != it->size)
            fail_msg("%s: %s, %zu bytes", it->what, status_name(status), size);
    }
}

static void the_end_of_a_head_does_not_depend_on_how_it_is_split(void **state)
{
    (void)state;
    for (size_t i = 0; i < SCAN_CASE_COUNT; i++) {
        const struct scan_case *it = &scan_cases[i];
        for (size_t first = 0; first <= it->bytes.size; first++) {
            size_t seen, size = 0;
            const enum status status =
                scan_split(it->bytes.data, it->bytes.size, first, &seen, &size);
            if (status != it->status || size != it->size)
                fail_msg("%s, split at %zu: %s", it->what, first, status_name(status));
            if (status == STATUS_OK && first < size)
                assert_int_equal(seen, size); /* as soon as the last byte is there */
        }
    }
}

static void every_control_byte_is_found_at_every_place(void **state)
{
    (void)state;
    char bytes[70];
    for (unsigned value = 0; value < 256; value++) {
        const bool is_control = (value < 32 && value != '\t') || value == 127;
        for (size_t at = 0; at < sizeof(bytes); at++) {
            memset(bytes, 'a', sizeof(bytes));
            bytes[at] = (char)value;
            assert_int_equal(http_find_control(slice_of(bytes, sizeof(bytes))),
                             is_control ? at : sizeof(bytes));
        }
    }
    assert_int_equal(http_find_control((struct slice){0}), 0);
}

static void each_known_name_is_found_in_any_case_and_no_near_miss(void **state)
{
    (void)state;
    for (unsigned id = 1; id < HTTP_HEADER_COUNT; id++) {
        const struct slice name = http_header_name((enum http_header_id)id);
        char text[32];
        memcpy(text, name.data, name.size);
        assert_int_equal(http_header_identify(name), id);
        for (size_t i = 0; i < name.size; i++) {
            text[i] = name.data[i] >= 'a' ? (char)(name.data[i] - 32) : name.data[i];
            assert_int_equal(http_header_identify(slice_of(text, name.size)), id);
        }
        for (size_t i = 0; i < name.size; i++) {
            const char kept = text[i];
            text[i] = '!';
            assert_int_equal(http_header_identify(slice_of(text, name.size)), HTTP_HEADER_OTHER);
            text[i] = kept;
        }
        assert_int_equal(http_header_identify(slice_of(text, name.size - 1)), HTTP_HEADER_OTHER);
    }
}

static void names_of_any_size_are_safe_to_ask_for(void **state)
{
    (void)state;
    char text[100];
    memset(text, 'x', sizeof(text));
    for (size_t size = 0; size <= sizeof(text); size++)
        assert_int_equal(http_header_identify(slice_of(text, size)), HTTP_HEADER_OTHER);
}

static void a_token_is_made_of_the_bytes_of_the_standard(void **state)
{
    (void)state;
    static const char others[] = "!#$%&'*+-.^_`|~";
    for (unsigned value = 0; value < 256; value++) {
        const char byte = (char)value;
        const bool expected = (value >= '0' && value <= '9') || (value >= 'a' && value <= 'z') ||
                              (value >= 'A' && value <= 'Z') ||
                              (value != 0 && strchr(others, byte) != NULL);
        assert_int_equal(http_is_token(slice_of(&byte, 1)), expected);
    }
    assert_false(http_is_token(SLICE("")));
    assert_false(http_is_token(SLICE("a b")));
}

static void a_prefix_is_compared_without_case(void **state)
{
    (void)state;
    assert_true(http_header_has_prefix(SLICE("OpenAI-Model"), SLICE("openai-")));
    assert_false(http_header_has_prefix(SLICE("OpenAI"), SLICE("openai-")));
    assert_false(http_header_has_prefix(SLICE("x-openai-model"), SLICE("openai-")));
}

/* Fields over an array of their own. */
struct sample {
    struct http_fields fields;
    struct arena arena;
    char memory[4096];
};

static void sample_init(struct sample *sample, unsigned capacity)
{
    char lines[2 * 64];
    for (unsigned i = 0; i < capacity + 2; i++)
        memcpy(lines + 2 * (size_t)i, "\r\n", 2);
    arena_init(&sample->arena, sample->memory, sizeof(sample->memory), 0);
    const struct http_head_limits limits = {.headers_max = 60};
    assert_int_equal(http_fields_init(&sample->fields, slice_of(lines, 2 * (capacity + 2)), &limits,
                                      &sample->arena),
                     STATUS_OK);
    assert_int_equal(sample->fields.capacity, capacity);
}

static void add(struct sample *sample, const char *name, const char *value)
{
    assert_int_equal(
        http_fields_add(&sample->fields, slice_from_text(name), slice_from_text(value)), STATUS_OK);
}

static void fields_are_found_by_id_and_by_name_in_their_order(void **state)
{
    (void)state;
    struct sample sample;
    sample_init(&sample, 5);
    add(&sample, "Host", "a");
    add(&sample, "X-Own", "1");
    add(&sample, "Cookie", "b");
    add(&sample, "x-own", "2");
    add(&sample, "cookie", "c");
    const struct http_fields *fields = &sample.fields;

    assert_true(slice_equal(http_fields_value(fields, HTTP_HEADER_COOKIE), SLICE("b")));
    assert_true(http_fields_repeated(fields, HTTP_HEADER_COOKIE));
    assert_false(http_fields_repeated(fields, HTTP_HEADER_HOST));
    const struct http_header *cookie = http_fields_get(fields, HTTP_HEADER_COOKIE);
    cookie = http_fields_next(fields, cookie);
    assert_true(slice_equal(cookie->value, SLICE("c")));
    assert_null(http_fields_next(fields, cookie));
    assert_true(slice_equal(http_fields_find(fields, SLICE("X-OWN"))->value, SLICE("1")));
    assert_true(slice_equal(http_fields_find(fields, SLICE("hOST"))->value, SLICE("a")));
    assert_null(http_fields_find(fields, SLICE("x-other")));
    assert_null(http_fields_get(fields, HTTP_HEADER_DATE));
    assert_null(http_fields_value(fields, HTTP_HEADER_DATE).data);
    assert_int_equal(http_fields_add(&sample.fields, SLICE("f"), SLICE("")), STATUS_TOO_LARGE);
}

static void room_for_fields_is_bounded_by_the_limit_and_the_arena(void **state)
{
    (void)state;
    struct http_fields fields;
    struct arena arena;
    const struct slice head = SLICE("GET / HTTP/1.1\r\na: b\r\nc: d\r\n\r\n");
    arena_init(&arena, NULL, 0, 0);
    assert_int_equal(
        http_fields_init(&fields, head, &(struct http_head_limits){.headers_max = 1}, &arena),
        STATUS_TOO_LARGE);
    assert_int_equal(
        http_fields_init(&fields, head, &(struct http_head_limits){.headers_max = 2}, &arena),
        STATUS_NO_MEMORY);
    assert_int_equal(http_fields_init(&fields, SLICE("GET / HTTP/1.1\r\n\r\n"),
                                      &(struct http_head_limits){.headers_max = 0}, &arena),
                     STATUS_OK);
}

/* More LFs than a byte can count, in one lane of the vectors and in all. */
static void the_lines_of_a_large_head_are_counted_right(void **state)
{
    (void)state;
    static char head[32 * 1024];
    struct http_fields fields;
    struct arena arena;
    const struct http_head_limits limits = {.headers_max = 65535};
    for (size_t every = 1; every < 40; every++) {
        size_t count = 0;
        for (size_t i = 0; i < sizeof(head); i++) {
            head[i] = i % every == 0 ? '\n' : 'x';
            count += head[i] == '\n';
        }
        arena_init(&arena, NULL, 0, 8 * 1024 * 1024);
        assert_int_equal(http_fields_init(&fields, slice_of(head, sizeof(head)), &limits, &arena),
                         STATUS_OK);
        assert_int_equal(fields.capacity, count - 2);
        arena_fini(&arena);
    }
}

static bool keeps(unsigned minor, const char *first, const char *second)
{
    struct sample sample;
    sample_init(&sample, 2);
    if (first != NULL)
        add(&sample, "Connection", first);
    if (second != NULL)
        add(&sample, "connection", second);
    return http_fields_keep_alive(&sample.fields, minor);
}

static void a_connection_is_kept_as_its_fields_and_version_say(void **state)
{
    (void)state;
    assert_true(keeps(1, NULL, NULL));
    assert_false(keeps(0, NULL, NULL));
    assert_true(keeps(0, "Keep-Alive", NULL));
    assert_true(keeps(1, "upgrade, foo", NULL));
    assert_false(keeps(1, "CLOSE", NULL));
    assert_false(keeps(1, "foo ,close", NULL));
    assert_false(keeps(1, "keep-alive", "close"));
    assert_false(keeps(0, "close", "keep-alive"));
    assert_true(keeps(1, "closed", NULL));
}

/* The same is refused by llhttp before; these checks stand on their own. */
static void only_one_way_to_frame_a_body_is_taken(void **state)
{
    (void)state;
    struct sample sample;
    uint64_t length = 0;
    sample_init(&sample, 4);
    assert_int_equal(http_fields_content_length(&sample.fields, &length, NULL), STATUS_NOT_FOUND);
    assert_int_equal(http_fields_chunked(&sample.fields, 1, NULL), STATUS_NOT_FOUND);
    add(&sample, "Content-Length", "9223372036854775807");
    assert_int_equal(http_fields_content_length(&sample.fields, &length, NULL), STATUS_OK);
    assert_int_equal(length, INT64_MAX);
    add(&sample, "Transfer-Encoding", "chunked");
    assert_int_equal(http_fields_chunked(&sample.fields, 1, NULL), STATUS_PROTOCOL);
    add(&sample, "content-length", "9223372036854775807");
    assert_int_equal(http_fields_content_length(&sample.fields, &length, NULL), STATUS_PROTOCOL);

    sample_init(&sample, 2);
    add(&sample, "Transfer-Encoding", "chunked");
    assert_int_equal(http_fields_chunked(&sample.fields, 1, NULL), STATUS_OK);
    assert_int_equal(http_fields_chunked(&sample.fields, 0, NULL), STATUS_PROTOCOL);
    add(&sample, "Transfer-Encoding", "");
    assert_int_equal(http_fields_chunked(&sample.fields, 1, NULL), STATUS_PROTOCOL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_head_ends_with_its_empty_line_and_holds_no_control_bytes),
        cmocka_unit_test(the_end_of_a_head_does_not_depend_on_how_it_is_split),
        cmocka_unit_test(every_control_byte_is_found_at_every_place),
        cmocka_unit_test(each_known_name_is_found_in_any_case_and_no_near_miss),
        cmocka_unit_test(names_of_any_size_are_safe_to_ask_for),
        cmocka_unit_test(a_token_is_made_of_the_bytes_of_the_standard),
        cmocka_unit_test(a_prefix_is_compared_without_case),
        cmocka_unit_test(fields_are_found_by_id_and_by_name_in_their_order),
        cmocka_unit_test(room_for_fields_is_bounded_by_the_limit_and_the_arena),
        cmocka_unit_test(the_lines_of_a_large_head_are_counted_right),
        cmocka_unit_test(only_one_way_to_frame_a_body_is_taken),
        cmocka_unit_test(a_connection_is_kept_as_its_fields_and_version_say),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
