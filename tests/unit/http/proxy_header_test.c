#include "http/proxy_header.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/crc32c.h"

#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"
#define SOURCE    "\xc0\x00\x02\x07"
#define TARGET    "\xc6\x33\x64\x02"
#define PORTS     "\x9c\x40\x01\xbb"
#define INET_PART SOURCE TARGET PORTS

/* A copy that ends where the bytes end, so that a sanitizer sees who reads on. */
static enum status parse(struct slice bytes, struct proxy_header *header, struct reason *reason)
{
    char *copy = alloc_bytes(bytes.size + 1);
    assert_non_null(copy);
    if (bytes.size > 0)
        memcpy(copy + 1, bytes.data, bytes.size);
    const enum status status = proxy_header_parse(slice_of(copy + 1, bytes.size), header, reason);
    alloc_free(copy);
    return status;
}

static void source_is(const struct proxy_header *header, const char *host, uint16_t port)
{
    char text[ADDRESS_TEXT_BYTES];
    assert_true(header->has_source);
    address_format(&header->source, text);
    assert_string_equal(text, host);
    const uint16_t found = header->source.socket.any.sa_family == AF_INET
                               ? header->source.socket.v4.sin_port
                               : header->source.socket.v6.sin6_port;
    assert_int_equal(ntohs(found), port);
}

static void malformed(struct slice bytes, const char *why)
{
    struct proxy_header header;
    struct reason reason = {0};
    const enum status status = parse(bytes, &header, &reason);
    if (status != STATUS_PROTOCOL || strstr(reason.text, why) == NULL)
        fail_msg("%.*s: %s, %s", SLICE_ARGS(bytes), status_name(status), reason.text);
}

static void malformed_line(const char *line, const char *why)
{
    malformed(slice_from_text(line), why);
}

static void a_line_names_the_client(void **state)
{
    (void)state;
    struct proxy_header header;
    const struct slice v4 = SLICE("PROXY TCP4 192.0.2.7 198.51.100.2 40000 443\r\nGET / HTTP/1.1");
    assert_int_equal(parse(v4, &header, NULL), STATUS_OK);
    assert_int_equal(header.size, slice_find(v4, SLICE("GET")));
    source_is(&header, "192.0.2.7", 40000);
    const struct slice v6 = SLICE("PROXY TCP6 2001:db8::7 ::1 0 65535\r\n");
    assert_int_equal(parse(v6, &header, NULL), STATUS_OK);
    assert_int_equal(header.size, v6.size);
    source_is(&header, "2001:db8::7", 0);
}

static void a_line_of_unknown_names_nobody(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "PROXY UNKNOWN\r\n", "PROXY UNKNOWN ffff:f...f:ffff ffff:f...f:ffff 65535 65535\r\n",
        "PROXY UNKNOWN  what ever stands here is ignored and more of it and more\r\n"};
    for (size_t i = 0; i < 3; i++) {
        struct proxy_header header;
        assert_int_equal(parse(slice_from_text(lines[i]), &header, NULL), STATUS_OK);
        assert_int_equal(header.size, strlen(lines[i]));
        assert_false(header.has_source);
    }
}

static void a_malformed_line_is_refused(void **state)
{
    (void)state;
    static const char *const ends[] = {
        "192.0.2.7 198.51.100.2 40000\r\n",      "192.0.2.7 198.51.100.2 40000 443 1\r\n",
        "192.0.2.7  198.51.100.2 40000 443\r\n", " 192.0.2.7 198.51.100.2 40000 443\r\n",
        "192.0.2.7 198.51.100.2 40000 443 \r\n", "\r\n",
    };
    static const char *const values[] = {
        "192.0.2.256 198.51.100.2 40000 443\r\n", "192.0.2.7 198.51.100 40000 443\r\n",
        "192.0.2.7 198.51.100.2 65536 443\r\n",   "192.0.2.7 198.51.100.2 40000 -1\r\n",
        "192.0.2.7 198.51.100.2 040000 443\r\n",  "192.0.2.7 198.51.100.2 01 443\r\n",
        "192.0.2.7 198.51.100.2 +1 443\r\n",      "2001:db8::7 198.51.100.2 1 443\r\n",
        "192.0.2.7 2001:db8::7 1 443\r\n",        "192.0.2.7 198.51.100.2 1 443\n\r\n",
        "192.0.2.7\t198.51.100.2 x 1 443\r\n",    "client.example 198.51.100.2 1 443\r\n",
    };
    char line[128];
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        snprintf(line, sizeof(line), "PROXY TCP4 %s", ends[i]);
        malformed_line(line, "");
    }
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        snprintf(line, sizeof(line), "PROXY TCP4 %s", values[i]);
        malformed_line(line, "malformed");
    }
    malformed_line("PROXY TCP6 192.0.2.7 198.51.100.2 1 443\r\n", "malformed");
    malformed_line("PROXY TCP 192.0.2.7 198.51.100.2 1 443\r\n", "none of TCP4");
    malformed_line("PROXY tcp4 192.0.2.7 198.51.100.2 1 443\r\n", "none of TCP4");
    malformed_line("PROXY UDP4 192.0.2.7 198.51.100.2 1 443\r\n", "none of TCP4");
    malformed_line("PROXY / HTTP/1.1\r\nHost: x\r\n\r\n", "none of TCP4");
    malformed_line("PROXY \r\n", "none of TCP4");
    malformed_line("PROXY TCP4 192.0.2.7 198.51.100.2 1 443\rX", "without its LF");
}

static void a_line_has_at_most_107_bytes(void **state)
{
    (void)state;
    char line[160];
    struct proxy_header header;
    memset(line, 'x', sizeof(line));
    memcpy(line, "PROXY UNKNOWN ", 14);
    assert_int_equal(parse(slice_of(line, 106), &header, NULL), STATUS_AGAIN);
    malformed(slice_of(line, 107), "longer than 107");
    malformed(slice_of(line, sizeof(line)), "longer than 107");
    memcpy(line + 105, "\r\n", 2);
    assert_int_equal(parse(slice_of(line, 106), &header, NULL), STATUS_AGAIN);
    assert_int_equal(parse(slice_of(line, sizeof(line)), &header, NULL), STATUS_OK);
    assert_int_equal(header.size, 107);
    memcpy(line + 105, "x\r\n", 3);
    malformed(slice_of(line, sizeof(line)), "longer than 107");
}

static void a_binary_header_names_the_client(void **state)
{
    (void)state;
    struct proxy_header header;
    const struct slice v4 = SLICE(SIGNATURE "\x21\x11\x00\x0c" INET_PART "GET /");
    assert_int_equal(parse(v4, &header, NULL), STATUS_OK);
    assert_int_equal(header.size, 28);
    source_is(&header, "192.0.2.7", 40000);
    const struct slice v6 = SLICE(SIGNATURE "\x21\x21\x00\x24"
                                            "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x07"
                                            "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01" PORTS);
    assert_int_equal(parse(v6, &header, NULL), STATUS_OK);
    assert_int_equal(header.size, 52);
    source_is(&header, "2001:db8::7", 40000);
}

static void what_has_no_internet_address_stays_the_peers(void **state)
{
    (void)state;
    static const struct slice headers[] = {
        {SIGNATURE "\x20\x00\x00\x00", 16},           /* LOCAL */
        {SIGNATURE "\x20\x11\x00\x0c" INET_PART, 28}, /* LOCAL with addresses */
        {SIGNATURE "\x20\xff\x00\x03"
                   "abc",
         19},                                         /* LOCAL, all else ignored */
        {SIGNATURE "\x21\x00\x00\x00", 16},           /* UNSPEC */
        {SIGNATURE "\x21\x12\x00\x0c" INET_PART, 28}, /* datagrams */
        {SIGNATURE "\x21\x10\x00\x0c" INET_PART, 28}, /* no protocol */
    };
    char local[16 + 216] = SIGNATURE "\x21\x31\x00\xd8";
    struct proxy_header header;
    for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
        assert_int_equal(parse(headers[i], &header, NULL), STATUS_OK);
        assert_int_equal(header.size, headers[i].size);
        assert_false(header.has_source);
    }
    assert_int_equal(parse(slice_of(local, sizeof(local)), &header, NULL), STATUS_OK);
    assert_int_equal(header.size, sizeof(local));
    assert_false(header.has_source);
}

static void a_malformed_binary_header_is_refused(void **state)
{
    (void)state;
    malformed(SLICE(SIGNATURE "\x11"), "not assigned");
    malformed(SLICE(SIGNATURE "\x22"), "not assigned");
    malformed(SLICE(SIGNATURE "\x2f"), "not assigned");
    malformed(SLICE(SIGNATURE "\x21\x41\x00\x00"), "not assigned");
    malformed(SLICE(SIGNATURE "\x21\xf1\x00\x00"), "not assigned");
    malformed(SLICE(SIGNATURE "\x21\x13\x00\x0c" INET_PART), "not assigned");
    malformed(SLICE(SIGNATURE "\x21\x11\x00\x0b" SOURCE TARGET "\x9c\x40\x01"), "no room");
    malformed(SLICE(SIGNATURE "\x21\x21\x00\x0c" INET_PART), "no room");
    malformed(SLICE(SIGNATURE "\x21\x31\x00\x0c" INET_PART), "no room");
    malformed(SLICE(SIGNATURE "\x21\x11\x00\x00"), "no room");
}

static void a_binary_header_has_at_most_536_bytes(void **state)
{
    (void)state;
    char bytes[PROXY_HEADER_BYTES_MAX + 1] = SIGNATURE "\x20\x00\x02\x08";
    struct proxy_header header;
    assert_int_equal(parse(slice_of(bytes, PROXY_HEADER_BYTES_MAX - 1), &header, NULL),
                     STATUS_AGAIN);
    assert_int_equal(parse(slice_of(bytes, PROXY_HEADER_BYTES_MAX), &header, NULL), STATUS_OK);
    assert_int_equal(header.size, PROXY_HEADER_BYTES_MAX);
    malformed(SLICE(SIGNATURE "\x20\x00\x02\x09"), "longer than 536");
    malformed(SLICE(SIGNATURE "\x21\x11\xff\xff"), "longer than 536");
}

static void additional_fields_are_passed_over(void **state)
{
    (void)state;
    struct proxy_header header;
    const struct slice sound = SLICE(SIGNATURE "\x21\x11\x00\x18" INET_PART "\x02\x00\x03"
                                               "a.b"
                                               "\xea\x00\x00"
                                               "\x04\0\0");
    assert_int_equal(parse(sound, &header, NULL), STATUS_OK);
    assert_int_equal(header.size, sound.size);
    source_is(&header, "192.0.2.7", 40000);
    malformed(SLICE(SIGNATURE "\x21\x11\x00\x0d" INET_PART "\x02"), "cut off");
    malformed(SLICE(SIGNATURE "\x21\x11\x00\x0e" INET_PART "\x02\x00"), "cut off");
    malformed(SLICE(SIGNATURE "\x21\x11\x00\x0f" INET_PART "\x02\x00\x01"),
              "longer than the header");
    malformed(SLICE(SIGNATURE "\x21\x11\x00\x0f" INET_PART "\x02\xff\xff"),
              "longer than the header");
    malformed(SLICE(SIGNATURE "\x21\x00\x00\x01"
                              "\x02"),
              "cut off");
}

/* The specification's own rule: the checksum of the header with zeros in its place. */
static void a_checksum_is_compared(void **state)
{
    (void)state;
    char bytes[] = SIGNATURE "\x21\x11\x00\x17" INET_PART "\x03\x00\x04"
                             "\0\0\0\0"
                             "\x04\x00\x01"
                             "z";
    const size_t size = sizeof(bytes) - 1, at = 31;
    struct proxy_header header;
    const uint32_t crc = crc32c_by_table(0, bytes, size);
    for (unsigned i = 0; i < 4; i++)
        bytes[at + i] = (char)(crc >> (24 - 8 * i));
    assert_int_equal(parse(slice_of(bytes, size), &header, NULL), STATUS_OK);
    source_is(&header, "192.0.2.7", 40000);
    for (size_t i = 16; i < size; i++) { /* whatever was changed on the way */
        if (i >= 28 && i < at)
            continue; /* then it is no checksum, or none of that size */
        bytes[i] = (char)(bytes[i] ^ 0x10);
        assert_int_equal(parse(slice_of(bytes, size), &header, NULL), STATUS_PROTOCOL);
        bytes[i] = (char)(bytes[i] ^ 0x10);
    }
    malformed(SLICE(SIGNATURE "\x21\x11\x00\x11" INET_PART "\x03\x00\x02"
                              "ab"),
              "checksum");
    malformed(SLICE(SIGNATURE "\x21\x11\x00\x0f" INET_PART "\x03\x00\x00"), "checksum");
}

static void of_any_part_of_a_header_more_is_wanted(void **state)
{
    (void)state;
    static const struct slice headers[] = {
        {"PROXY TCP4 192.0.2.7 198.51.100.2 40000 443\r\n", 45},
        {"PROXY UNKNOWN\r\n", 15},
        {SIGNATURE "\x21\x11\x00\x11" INET_PART "\x04\x00\x02"
                   "ab",
         33},
        {SIGNATURE "\x20\x00\x00\x00", 16},
    };
    for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
        struct proxy_header header;
        for (size_t size = 0; size < headers[i].size; size++)
            assert_int_equal(parse(slice_of(headers[i].data, size), &header, NULL), STATUS_AGAIN);
        assert_int_equal(parse(headers[i], &header, NULL), STATUS_OK);
        assert_int_equal(header.size, headers[i].size);
    }
}

static void what_differs_from_a_header_in_its_first_bytes_is_none(void **state)
{
    (void)state;
    static const struct slice starts[] = {{"PROXY ", 6}, {SIGNATURE, 12}};
    static const struct slice others[] = {{"GET / HTTP/1.1\r\n", 16},
                                          {"\x16\x03\x01", 3},
                                          {"\r\nGET / HTTP/1.1\r\n", 18},
                                          {"\r\n\r\nGET /", 9},
                                          {"PROPFIND / HTTP/1.1", 19},
                                          {"proxy TCP4 ", 11},
                                          {"PROXY/", 6},
                                          {"\0", 1}};
    struct proxy_header header;
    for (size_t i = 0; i < 2; i++) {
        for (size_t at = 0; at < starts[i].size; at++) {
            char bytes[12];
            memcpy(bytes, starts[i].data, starts[i].size);
            bytes[at] = (char)(bytes[at] ^ 0x40);
            assert_int_equal(parse(slice_of(bytes, at + 1), &header, NULL), STATUS_NOT_FOUND);
        }
    }
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        assert_int_equal(parse(others[i], &header, NULL), STATUS_NOT_FOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_names_the_client),
        cmocka_unit_test(a_line_of_unknown_names_nobody),
        cmocka_unit_test(a_malformed_line_is_refused),
        cmocka_unit_test(a_line_has_at_most_107_bytes),
        cmocka_unit_test(a_binary_header_names_the_client),
        cmocka_unit_test(what_has_no_internet_address_stays_the_peers),
        cmocka_unit_test(a_malformed_binary_header_is_refused),
        cmocka_unit_test(a_binary_header_has_at_most_536_bytes),
        cmocka_unit_test(additional_fields_are_passed_over),
        cmocka_unit_test(a_checksum_is_compared),
        cmocka_unit_test(of_any_part_of_a_header_more_is_wanted),
        cmocka_unit_test(what_differs_from_a_header_in_its_first_bytes_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
