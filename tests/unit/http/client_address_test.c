#include "http/client_address.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "http/request_head.h"

static const struct http_head_limits limits = {.headers_max = 100};

static struct cidr network(const char *text)
{
    struct cidr cidr;
    assert_int_equal(cidr_parse(slice_from_text(text), &cidr, NULL), STATUS_OK);
    return cidr;
}

/* The client's address where 10.0.0.0/8, 192.0.2.10 and 2001:db8:7::/48 are trusted; `lines` are
 * fields with their line ends. */
static void client_is(const char *peer, const char *lines, const char *client)
{
    const struct cidr networks[] = {network("10.0.0.0/8"), network("192.0.2.10"),
                                    network("2001:db8:7::/48")};
    const struct http_trust trust = {networks, 3};
    static char text[16384], room[16384];
    unsigned char found[16], wanted[16];
    unsigned http_status;
    struct arena arena;
    struct http_request_head head;
    snprintf(text, sizeof(text), "GET / HTTP/1.1\r\nHost: x\r\n%s\r\n", lines);
    arena_init(&arena, room, sizeof(room), 0);
    assert_int_equal(
        http_request_head_parse(slice_from_text(text), &limits, &arena, &head, &http_status, NULL),
        STATUS_OK);
    assert_int_equal(cidr_parse_address(slice_from_text(peer), found), STATUS_OK);
    assert_int_equal(cidr_parse_address(slice_from_text(client), wanted), STATUS_OK);
    http_client_address_find(&trust, &head.fields, found);
    if (memcmp(found, wanted, sizeof(found)) != 0)
        fail_msg("from %s, '%s' does not come to %s", peer, lines, client);
}

#define XFF "X-Forwarded-For: "
#define END "\r\n"

static void who_is_not_trusted_is_not_believed(void **state)
{
    (void)state;
    client_is("203.0.113.5", XFF "198.51.100.1" END, "203.0.113.5");
    client_is("192.0.2.11", XFF "198.51.100.1" END, "192.0.2.11");
    client_is("2001:db8:8::1", XFF "198.51.100.1" END, "2001:db8:8::1");
}

static void a_trusted_proxy_says_who_calls(void **state)
{
    (void)state;
    client_is("10.0.0.1", XFF "198.51.100.1" END, "198.51.100.1");
    client_is("192.0.2.10", "x-forwarded-for:198.51.100.1" END, "198.51.100.1");
    client_is("2001:db8:7::1", XFF "2001:db8::5" END, "2001:db8::5");
    client_is("10.0.0.1", "Accept: x" END, "10.0.0.1");
    client_is("10.0.0.1", "", "10.0.0.1");
}

static void what_a_client_invented_stands_left_of_what_is_believed(void **state)
{
    (void)state;
    client_is("10.0.0.1", XFF "1.1.1.1, 198.51.100.1" END, "198.51.100.1");
    client_is("10.0.0.1", XFF "10.9.9.9, 198.51.100.1, 10.0.0.2" END, "198.51.100.1");
    client_is("10.0.0.1", XFF "nonsense, 198.51.100.1,10.0.0.2,10.0.0.3" END, "198.51.100.1");
}

static void where_all_are_trusted_the_first_one_called(void **state)
{
    (void)state;
    client_is("10.0.0.1", XFF "10.0.0.5, 10.0.0.4" END, "10.0.0.5");
}

static void several_lines_are_one_list(void **state)
{
    (void)state;
    client_is("10.0.0.1", XFF "1.1.1.1" END XFF "198.51.100.1" END, "198.51.100.1");
    client_is("10.0.0.1", XFF "198.51.100.1" END "Accept: x" END XFF "10.0.0.2, 10.0.0.3" END,
              "198.51.100.1");
    client_is("10.0.0.1", XFF "198.51.100.1" END XFF END XFF "10.0.0.3" END, "198.51.100.1");
}

static void the_last_good_address_holds_where_one_is_malformed(void **state)
{
    (void)state;
    static const char *const items[] = {
        "unknown",
        "_hidden",
        "198.51.100",
        "198.51.100.256",
        "198.51.100.1:",
        "198.51.100.1:65536",
        "198.51.100.1:x",
        "198.51.100.1:1:2",
        "[2001:db8::5",
        "[2001:db8::5]x",
        "[2001:db8::5]:",
        "[2001:db8::5]:99999",
        "[]",
        "2001:db8::5]",
        "2001:db8:::5",
        "\"198.51.100.1\"",
        "198.51.100.1 x",
        "fe80::1%eth0",
        "for=198.51.100.1",
        "[198.51.100.1",
        "::ffff:1.2.3",
        ":",
        "[",
    };
    for (size_t i = 0; i < sizeof(items) / sizeof(items[0]); i++) {
        char lines[256];
        snprintf(lines, sizeof(lines), XFF "203.0.113.9, %s, 10.0.0.2" END, items[i]);
        client_is("10.0.0.1", lines, "10.0.0.2");
        snprintf(lines, sizeof(lines), XFF "%s" END, items[i]);
        client_is("10.0.0.1", lines, "10.0.0.1");
    }
}

static void ports_and_brackets_are_taken_off(void **state)
{
    (void)state;
    client_is("10.0.0.1", XFF "198.51.100.1:4711" END, "198.51.100.1");
    client_is("10.0.0.1", XFF "[2001:db8::5]" END, "2001:db8::5");
    client_is("10.0.0.1", XFF "[2001:db8::5]:4711" END, "2001:db8::5");
    client_is("10.0.0.1", XFF "198.51.100.1, [2001:db8:7::3]:1" END, "198.51.100.1");
    client_is("10.0.0.1", XFF "::ffff:198.51.100.1" END, "198.51.100.1");
}

static void empty_items_are_none(void **state)
{
    (void)state;
    client_is("10.0.0.1", XFF ",198.51.100.1, ,\t,10.0.0.2, ," END, "198.51.100.1");
    client_is("10.0.0.1", XFF "," END, "10.0.0.1");
    client_is("10.0.0.1", XFF END, "10.0.0.1");
}

/* `count` items behind the first one. */
static void client_of_many_is(const char *first, const char *item, unsigned count,
                              const char *client)
{
    char lines[8192];
    size_t size = (size_t)snprintf(lines, sizeof(lines), XFF "%s", first);
    for (unsigned i = 0; i < count; i++)
        size += (size_t)snprintf(lines + size, sizeof(lines) - size, ",%s", item);
    snprintf(lines + size, sizeof(lines) - size, END);
    client_is("10.0.0.1", lines, client);
}

static void the_walk_has_an_end(void **state)
{
    (void)state;
    client_of_many_is("198.51.100.1", "10.0.0.2", HTTP_HOPS_MAX - 1, "198.51.100.1");
    client_of_many_is("198.51.100.1", "10.0.0.2", HTTP_HOPS_MAX, "10.0.0.2");
    client_of_many_is("198.51.100.1", "10.0.0.2", 500, "10.0.0.2");
    client_of_many_is("198.51.100.1", "", 1000, "10.0.0.1");
}

static void without_trust_nothing_is_looked_at(void **state)
{
    (void)state;
    const struct http_trust trust = {0};
    unsigned char address[16] = {[10] = 0xff, [11] = 0xff, 10, 0, 0, 1};
    assert_false(http_trust_contains(&trust, address));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_is_not_trusted_is_not_believed),
        cmocka_unit_test(a_trusted_proxy_says_who_calls),
        cmocka_unit_test(what_a_client_invented_stands_left_of_what_is_believed),
        cmocka_unit_test(where_all_are_trusted_the_first_one_called),
        cmocka_unit_test(several_lines_are_one_list),
        cmocka_unit_test(the_last_good_address_holds_where_one_is_malformed),
        cmocka_unit_test(ports_and_brackets_are_taken_off),
        cmocka_unit_test(empty_items_are_none),
        cmocka_unit_test(the_walk_has_an_end),
        cmocka_unit_test(without_trust_nothing_is_looked_at),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
