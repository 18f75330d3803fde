#include "base/cidr.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

static bool parses(const char *text)
{
    struct cidr cidr;
    struct reason reason = {""};
    const enum status status = cidr_parse(slice_from_text(text), &cidr, &reason);
    assert_true(status == STATUS_OK || status == STATUS_INVALID);
    assert_int_equal(status == STATUS_OK, reason.text[0] == '\0');
    return status == STATUS_OK;
}

static struct cidr network(const char *text)
{
    struct cidr cidr;
    assert_int_equal(cidr_parse(slice_from_text(text), &cidr, NULL), STATUS_OK);
    return cidr;
}

static bool contains(const char *text, const char *address_text)
{
    const struct cidr cidr = network(text);
    unsigned char address[16];
    assert_int_equal(cidr_parse_address(slice_from_text(address_text), address), STATUS_OK);
    return cidr_contains(&cidr, address);
}

/* Parses, formats, and expects `shown`, which parses to the same. */
static void assert_shown(const char *text, const char *shown)
{
    const struct cidr cidr = network(text);
    char out[CIDR_TEXT_BYTES];
    const unsigned size = cidr_format(&cidr, out);
    assert_int_equal(size, strlen(shown));
    assert_memory_equal(out, shown, size);
    struct cidr again;
    assert_int_equal(cidr_parse(slice_of(out, size), &again, NULL), STATUS_OK);
    assert_memory_equal(&again, &cidr, sizeof(cidr));
}

static void both_sorts_of_networks_and_addresses_are_read(void **state)
{
    (void)state;
    const struct cidr ten = network("10.0.0.0/8");
    static const unsigned char expected[16] = {[10] = 0xff, [11] = 0xff, [12] = 10};
    assert_memory_equal(ten.address, expected, 16);
    assert_int_equal(ten.prefix, 104);
    assert_int_equal(network("10.1.2.3").prefix, 128);
    assert_int_equal(network("0.0.0.0/0").prefix, 96);
    assert_int_equal(network("2001:db8::/32").prefix, 32);
    assert_int_equal(network("2001:db8::1").prefix, 128);
    assert_int_equal(network("::/0").prefix, 0);
}

static void a_network_contains_its_first_and_last_address_and_not_their_neighbours(void **state)
{
    (void)state;
    assert_true(contains("10.1.16.0/20", "10.1.16.0"));
    assert_true(contains("10.1.16.0/20", "10.1.31.255"));
    assert_false(contains("10.1.16.0/20", "10.1.15.255"));
    assert_false(contains("10.1.16.0/20", "10.1.32.0"));
    assert_true(contains("2001:db8:8000::/33", "2001:db8:8000::"));
    assert_true(contains("2001:db8:8000::/33", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"));
    assert_false(contains("2001:db8:8000::/33", "2001:db8:7fff:ffff:ffff:ffff:ffff:ffff"));
    assert_false(contains("2001:db8:8000::/33", "2001:db9:8000::"));
}

static void one_address_contains_itself_alone(void **state)
{
    (void)state;
    assert_true(contains("192.0.2.7", "192.0.2.7"));
    assert_true(contains("192.0.2.7/32", "192.0.2.7"));
    assert_false(contains("192.0.2.7/32", "192.0.2.6"));
    assert_true(contains("2001:db8::1/128", "2001:db8::1"));
    assert_false(contains("2001:db8::1/128", "2001:db8::"));
}

static void a_prefix_of_nothing_contains_every_address_of_its_sort(void **state)
{
    (void)state;
    assert_true(contains("0.0.0.0/0", "255.255.255.255"));
    assert_false(contains("0.0.0.0/0", "2001:db8::1"));
    assert_true(contains("::/0", "2001:db8::1"));
    assert_true(contains("::/0", "10.0.0.1")); /* it is ::ffff:10.0.0.1 */
}

static void an_ipv4_address_is_the_same_in_its_mapped_form(void **state)
{
    (void)state;
    assert_true(contains("10.0.0.0/8", "::ffff:10.1.2.3"));
    assert_true(contains("::ffff:10.0.0.0/104", "10.1.2.3"));
    assert_false(contains("10.0.0.0/8", "::10.1.2.3"));
    assert_shown("::ffff:10.0.0.0/104", "10.0.0.0/8");
    assert_shown("::ffff:0:0/96", "0.0.0.0/0");
}

/* Against the definition, bit by bit. */
static void every_length_of_a_prefix_compares_so_many_bits(void **state)
{
    (void)state;
    unsigned char address[16];
    for (unsigned prefix = 0; prefix <= 128; prefix++) {
        struct cidr cidr = {.prefix = (uint8_t)prefix};
        for (unsigned bit = 0; bit < prefix; bit += 3)
            cidr.address[bit / 8] |= (unsigned char)(0x80u >> bit % 8);
        for (unsigned bit = 0; bit < 128; bit++) {
            memcpy(address, cidr.address, sizeof(address));
            address[bit / 8] ^= (unsigned char)(0x80u >> bit % 8);
            assert_int_equal(cidr_contains(&cidr, address), bit >= prefix);
        }
        assert_true(cidr_contains(&cidr, cidr.address));
    }
}

static void what_is_written_reads_back_as_the_same(void **state)
{
    (void)state;
    assert_shown("10.0.0.0/8", "10.0.0.0/8");
    assert_shown("10.1.2.3/32", "10.1.2.3");
    assert_shown("0.0.0.0/0", "0.0.0.0/0");
    assert_shown("2001:DB8:0:0::/32", "2001:db8::/32");
    assert_shown("2001:db8::1/128", "2001:db8::1");
    assert_shown("::/0", "::/0");
    assert_shown("::", "::");
    assert_shown("::fffe:0:0/95", "::fffe:0:0/95");
    assert_shown("1111:2222:3333:4444:5555:6666:7777:8888/127",
                 "1111:2222:3333:4444:5555:6666:7777:8888/127");
}

static void bits_behind_the_prefix_are_noticed_and_the_right_text_is_shown(void **state)
{
    (void)state;
    struct cidr cidr;
    struct reason reason = {""};
    assert_int_equal(cidr_parse(SLICE("10.1.2.3/8"), &cidr, &reason), STATUS_INVALID);
    assert_non_null(strstr(reason.text, "'10.1.2.3/8'"));
    assert_non_null(strstr(reason.text, "write 10.0.0.0/8 for the network"));
    assert_non_null(strstr(reason.text, "or 10.1.2.3 for that one"));
    assert_false(parses("10.0.0.1/31"));
    assert_true(parses("10.0.0.2/31"));
    assert_false(parses("0.0.0.1/0"));
    assert_false(parses("2001:db8::1/64"));
    assert_false(parses("::1/0"));
    assert_false(parses("::ffff:10.0.0.0/95"));
}

static void whatever_else_is_no_network(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "/",
        "/8",
        "10",
        "10/8",
        "10.0.0/8",
        "10.0.0.0/",
        "10.0.0.0/33",
        "10.0.0.0/-1",
        "10.0.0.0/+8",
        "10.0.0.0/08",
        "10.0.0.0/ 8",
        "10.0.0.0/8 ",
        " 10.0.0.0/8",
        "10.0.0.0/8/8",
        "10.0.0.0//8",
        "10.0.0.0/8x",
        "010.0.0.0/8",
        "10.0.0.256",
        "0x0a.0.0.0",
        "167772160",
        "::/129",
        ":::/0",
        "2001:db8::/",
        "[::1]",
        "[::]/0",
        "fe80::1%eth0",
        "::1/0128",
        "12345::",
        "1:2:3:4:5:6:7:8:9",
        "localhost",
        "*",
        "10.0.0.0/4294967304",
        "10.0.0.0/18446744073709551624",
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        assert_false(parses(texts[i]));
}

static void an_address_has_no_prefix(void **state)
{
    (void)state;
    unsigned char address[16] = {9};
    assert_int_equal(cidr_parse_address(SLICE("10.0.0.0/8"), address), STATUS_INVALID);
    assert_int_equal(cidr_parse_address(SLICE("10.0.0.1:80"), address), STATUS_INVALID);
    assert_int_equal(cidr_parse_address(slice_of(NULL, 0), address), STATUS_INVALID);
    assert_int_equal(address[0], 9);
    assert_int_equal(cidr_parse_address(SLICE("::1"), address), STATUS_OK);
    assert_int_equal(address[15], 1);
}

/* A zero byte would end the text for the system's parser. */
static void bytes_that_are_no_text_are_refused_and_not_quoted(void **state)
{
    (void)state;
    struct cidr cidr;
    struct reason reason = {""};
    unsigned char address[16];
    assert_int_equal(cidr_parse(slice_of("10.0.0.1\0x", 10), &cidr, &reason), STATUS_INVALID);
    assert_int_equal(cidr_parse_address(slice_of("::1\0", 4), address), STATUS_INVALID);
    assert_int_equal(cidr_parse(SLICE("a\r\n\xff"), &cidr, &reason), STATUS_INVALID);
    assert_non_null(strstr(reason.text, "'a...'"));
    assert_int_equal(cidr_parse(slice_of(NULL, 0), &cidr, &reason), STATUS_INVALID);
    char huge[4096];
    memset(huge, '1', sizeof(huge));
    assert_int_equal(cidr_parse(slice_of(huge, sizeof(huge)), &cidr, &reason), STATUS_INVALID);
    assert_true(strlen(reason.text) < 250);
}

static void a_text_cut_anywhere_is_read_whole_or_refused(void **state)
{
    (void)state;
    static const char text[] = "1111:2222:3333:4444:5555:6666:123.123.123.122/127";
    for (size_t size = 0; size < sizeof(text); size++) {
        char *exact = test_malloc(size + 1); /* what lies behind is the sanitizer's */
        memcpy(exact, text, size);
        struct cidr cidr;
        const enum status status = cidr_parse(slice_of(exact, size), &cidr, NULL);
        assert_true(status == STATUS_OK || status == STATUS_INVALID);
        test_free(exact);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_sorts_of_networks_and_addresses_are_read),
        cmocka_unit_test(a_network_contains_its_first_and_last_address_and_not_their_neighbours),
        cmocka_unit_test(one_address_contains_itself_alone),
        cmocka_unit_test(a_prefix_of_nothing_contains_every_address_of_its_sort),
        cmocka_unit_test(an_ipv4_address_is_the_same_in_its_mapped_form),
        cmocka_unit_test(every_length_of_a_prefix_compares_so_many_bits),
        cmocka_unit_test(what_is_written_reads_back_as_the_same),
        cmocka_unit_test(bits_behind_the_prefix_are_noticed_and_the_right_text_is_shown),
        cmocka_unit_test(whatever_else_is_no_network),
        cmocka_unit_test(an_address_has_no_prefix),
        cmocka_unit_test(bytes_that_are_no_text_are_refused_and_not_quoted),
        cmocka_unit_test(a_text_cut_anywhere_is_read_whole_or_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
