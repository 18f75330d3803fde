#include "config/address.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct config_ip ip_of(const char *text)
{
    struct config_ip ip = {0};
    assert_int_equal(config_ip_parse(slice_from_text(text), &ip), STATUS_OK);
    return ip;
}

static struct config_address address_of(const char *text)
{
    struct config_address address = {0};
    assert_int_equal(config_address_parse(slice_from_text(text), &address), STATUS_OK);
    return address;
}

static enum status parse(const char *text)
{
    struct config_address address;
    return config_address_parse(slice_from_text(text), &address);
}

static void addresses_of_both_families_are_read(void **state)
{
    (void)state;
    const struct config_address four = address_of("127.0.0.1:8000");
    const struct config_address six = address_of("[::1]:80");

    assert_true(slice_equal(four.host, SLICE("127.0.0.1")));
    assert_int_equal(four.ip.size, 4);
    assert_memory_equal(four.ip.bytes, "\x7f\0\0\1", 4);
    assert_int_equal(four.port, 8000);
    assert_true(slice_equal(six.host, SLICE("::1")));
    assert_int_equal(six.ip.size, 16);
    assert_int_equal(six.ip.bytes[15], 1);
    assert_int_equal(six.port, 80);
}

static void localhost_is_127_0_0_1_and_port_0_is_let_through(void **state)
{
    (void)state;
    const struct config_address local = address_of("LocalHost:0");
    assert_true(slice_equal(local.host, SLICE("127.0.0.1")));
    assert_int_equal(local.port, 0);
    assert_int_equal(address_of("0.0.0.0:65535").port, 65535);
}

static void what_is_no_address_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {"",
                                        ":",
                                        "127.0.0.1",
                                        "8000",
                                        "127.0.0.1:",
                                        "127.0.0.1:65536",
                                        "127.0.0.1:-1",
                                        "127.0.0.1:8x",
                                        "::1:80",
                                        "[::1]",
                                        "[::1]80",
                                        "[::1:80",
                                        "::1]:80",
                                        "[127.0.0.1]:80",
                                        "256.0.0.1:80",
                                        "1.2.3:80",
                                        "[::g]:80",
                                        "[]:80",
                                        "127.0.0.1:8000:9",
                                        "127.0.0.1 :80",
                                        "[fe80::1%eth0]:80",
                                        "127.0.0.1:99999999999999999999"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (parse(texts[i]) == STATUS_OK)
            fail_msg("'%s' was read as an address", texts[i]);
    }
}

static void a_name_or_a_missing_host_is_told_from_nonsense(void **state)
{
    (void)state;
    assert_int_equal(parse("example.com:80"), STATUS_NOT_FOUND);
    assert_int_equal(parse("*:80"), STATUS_NOT_FOUND);
    assert_int_equal(parse(":80"), STATUS_NOT_FOUND);
    assert_int_equal(parse("256.0.0.1:80"), STATUS_INVALID);
}

static void a_zero_byte_does_not_end_an_address(void **state)
{
    (void)state;
    struct config_ip ip;
    struct config_address address;
    assert_int_equal(config_ip_parse(SLICE("127.0.0.1\0x"), &ip), STATUS_INVALID);
    assert_int_not_equal(config_address_parse(SLICE("127.0.0.1\0:80"), &address), STATUS_OK);
    assert_int_not_equal(config_address_parse(SLICE("127.0.0.1:80\0"), &address), STATUS_OK);
}

static bool is_loopback(const char *text)
{
    const struct config_ip ip = ip_of(text);
    return config_ip_is_loopback(&ip);
}

static void loopback_is_what_only_this_machine_reaches(void **state)
{
    (void)state;
    assert_true(is_loopback("127.0.0.1"));
    assert_true(is_loopback("127.255.255.255"));
    assert_true(is_loopback("::1"));
    assert_true(is_loopback("::ffff:127.0.0.1"));
    assert_false(is_loopback("0.0.0.0"));
    assert_false(is_loopback("128.0.0.1"));
    assert_false(is_loopback("::"));
    assert_false(is_loopback("::2"));
    assert_false(is_loopback("::ffff:10.0.0.1"));
    assert_false(config_ip_is_loopback(&(struct config_ip){0}));
}

static void addresses_are_equal_by_value(void **state)
{
    (void)state;
    const struct config_address a = address_of("[::1]:80");
    const struct config_address b = address_of("[0:0::1]:80");
    const struct config_address c = address_of("[::1]:81");
    const struct config_address d = address_of("127.0.0.1:80");
    assert_true(config_address_equal(&a, &b));
    assert_false(config_address_equal(&a, &c));
    assert_false(config_address_equal(&a, &d));
}

static bool contains(const char *network, const char *address)
{
    struct config_cidr cidr;
    const struct config_ip ip = ip_of(address);
    assert_int_equal(config_cidr_parse(slice_from_text(network), &cidr), STATUS_OK);
    return config_cidr_contains(&cidr, &ip);
}

static void a_network_contains_what_shares_its_prefix(void **state)
{
    (void)state;
    assert_true(contains("10.0.0.0/8", "10.255.0.1"));
    assert_false(contains("10.0.0.0/8", "11.0.0.0"));
    assert_true(contains("10.128.0.0/9", "10.200.0.1"));
    assert_false(contains("10.128.0.0/9", "10.127.255.255"));
    assert_true(contains("192.0.2.7", "192.0.2.7"));
    assert_false(contains("192.0.2.7", "192.0.2.6"));
    assert_true(contains("0.0.0.0/0", "8.8.8.8"));
    assert_false(contains("0.0.0.0/0", "::1"));
    assert_true(contains("fd00::/8", "fdff::1"));
    assert_false(contains("fd00::/8", "fe00::1"));
    assert_true(contains("::/0", "fe00::1"));
}

static void networks_with_bits_beyond_the_prefix_are_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {"10.0.0.1/8",  "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1",
                                        "fd00::1/8",   "::/129",      "",          "/8",
                                        "10.0.0.0/8x", "10.0.0/8",    "0.0.0.1/0", "name/8"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct config_cidr cidr;
        assert_int_equal(config_cidr_parse(slice_from_text(texts[i]), &cidr), STATUS_INVALID);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_of_both_families_are_read),
        cmocka_unit_test(localhost_is_127_0_0_1_and_port_0_is_let_through),
        cmocka_unit_test(what_is_no_address_is_refused),
        cmocka_unit_test(a_name_or_a_missing_host_is_told_from_nonsense),
        cmocka_unit_test(a_zero_byte_does_not_end_an_address),
        cmocka_unit_test(loopback_is_what_only_this_machine_reaches),
        cmocka_unit_test(addresses_are_equal_by_value),
        cmocka_unit_test(a_network_contains_what_shares_its_prefix),
        cmocka_unit_test(networks_with_bits_beyond_the_prefix_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
