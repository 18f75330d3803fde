#include "io/address.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct address parsed(const char *host, uint16_t port)
{
    struct address address;
    assert_int_equal(address_parse(slice_from_text(host), port, &address), STATUS_OK);
    return address;
}

static void assert_shown(const struct address *address, const char *expected)
{
    char text[ADDRESS_TEXT_BYTES];
    address_format(address, text);
    assert_string_equal(text, expected);
}

static void numeric_addresses_go_there_and_back(void **state)
{
    (void)state;
    static const char *const hosts[] = {
        "127.0.0.1", "255.255.255.255",         "::",
        "::1",       "2001:db8::8a2e:370:7334", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"};
    for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
        const struct address address = parsed(hosts[i], 1);
        assert_shown(&address, hosts[i]);
    }
}

static void the_port_is_kept_in_network_order(void **state)
{
    (void)state;
    const struct address v4 = parsed("127.0.0.1", 8000), v6 = parsed("::1", 65535);
    assert_int_equal(v4.size, sizeof(struct sockaddr_in));
    assert_int_equal(v4.socket.any.sa_family, AF_INET);
    assert_int_equal(v4.socket.v4.sin_port, htons(8000));
    assert_int_equal(v6.size, sizeof(struct sockaddr_in6));
    assert_int_equal(v6.socket.any.sa_family, AF_INET6);
    assert_int_equal(v6.socket.v6.sin6_port, htons(65535));
}

static void what_is_not_numeric_is_refused(void **state)
{
    (void)state;
    static const char *const hosts[] = {
        "",
        "localhost",
        "127.0.0",
        "127.0.0.1.1",
        "127.0.0.256",
        "127.1",
        "0x7f.0.0.1",
        "[::1]",
        ":",
        ":::",
        "::1::",
        "1:2:3:4:5:6:7:8:9",
        "::g",
        "127.0.0.1 ",
        " ::1",
        "127.0.0.1:80",
        "fe80::1%lo",
        "2130706433",
        "1234567890123456789012345678901234567890123456789012345678901234567890",
    };
    for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
        struct address address;
        assert_int_equal(address_parse(slice_from_text(hosts[i]), 1, &address), STATUS_INVALID);
    }
}

static void an_address_ends_with_its_slice_not_at_a_zero_byte(void **state)
{
    (void)state;
    struct address address;
    assert_int_equal(address_parse(slice_of("127.0.0.12", 9), 1, &address), STATUS_OK);
    assert_shown(&address, "127.0.0.1");
}

static void ipv4_in_ipv6_is_shown_as_ipv4(void **state)
{
    (void)state;
    const struct address address = parsed("::ffff:192.0.2.7", 1);
    assert_shown(&address, "192.0.2.7");
}

static void the_loopback_is_known_in_each_form(void **state)
{
    (void)state;
    static const struct {
        const char *host;
        bool is_loopback;
    } cases[] = {
        {"127.0.0.1", true},
        {"127.255.255.254", true},
        {"128.0.0.1", false},
        {"126.255.255.255", false},
        {"0.0.0.0", false},
        {"::1", true},
        {"::", false},
        {"::2", false},
        {"::ffff:127.0.0.1", true},
        {"::ffff:128.0.0.1", false},
        {"::127.0.0.1", false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct address address = parsed(cases[i].host, 1);
        assert_int_equal(address_is_loopback(&address), cases[i].is_loopback);
    }
}

static void both_families_have_sixteen_bytes(void **state)
{
    (void)state;
    static const unsigned char v4[16] = {[10] = 0xff, [11] = 0xff, 192, 0, 2, 7};
    static const unsigned char v6[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = 7};
    const struct address addresses[] = {parsed("192.0.2.7", 1), parsed("::ffff:192.0.2.7", 2),
                                        parsed("2001:db8::7", 3)};
    const struct address none = {0};
    unsigned char bytes[16];
    for (size_t i = 0; i < 3; i++) {
        assert_true(address_to_bytes(&addresses[i], bytes));
        assert_memory_equal(bytes, i < 2 ? v4 : v6, sizeof(bytes));
    }
    assert_false(address_to_bytes(&none, bytes));
}

static void a_unix_socket_has_no_numeric_address(void **state)
{
    (void)state;
    const struct sockaddr_un name = {.sun_family = AF_UNIX, .sun_path = "/tmp/x"};
    const struct address address = address_from((const struct sockaddr *)&name, sizeof(name));
    assert_int_equal(address.size, 0);
    assert_shown(&address, "unix");
    assert_false(address_is_loopback(&address));
}

static void an_address_of_the_kernel_is_copied(void **state)
{
    (void)state;
    const struct address given = parsed("192.0.2.7", 443);
    const struct address address = address_from(&given.socket.any, given.size);
    assert_int_equal(address.size, given.size);
    assert_memory_equal(&address.socket, &given.socket, given.size);
    const struct address too_large = address_from(&given.socket.any, sizeof(given.socket) + 1);
    assert_int_equal(too_large.size, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numeric_addresses_go_there_and_back),
        cmocka_unit_test(the_port_is_kept_in_network_order),
        cmocka_unit_test(what_is_not_numeric_is_refused),
        cmocka_unit_test(an_address_ends_with_its_slice_not_at_a_zero_byte),
        cmocka_unit_test(ipv4_in_ipv6_is_shown_as_ipv4),
        cmocka_unit_test(the_loopback_is_known_in_each_form),
        cmocka_unit_test(both_families_have_sixteen_bytes),
        cmocka_unit_test(a_unix_socket_has_no_numeric_address),
        cmocka_unit_test(an_address_of_the_kernel_is_copied),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
