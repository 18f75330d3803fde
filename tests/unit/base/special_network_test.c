#include "base/special_network.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/cidr.h"

static struct slice sort_of(const char *text)
{
    unsigned char address[16];
    assert_int_equal(cidr_parse_address(slice_from_text(text), address), STATUS_OK);
    return special_network_of(address);
}

static void expect(const char *text, const char *sort)
{
    const struct slice got = sort_of(text);
    if (!slice_equal(got, slice_from_text(sort)))
        fail_msg("%s: '%.*s' instead of '%s'", text, SLICE_ARGS(got), sort);
}

static void each_special_network_is_known_to_its_edges(void **state)
{
    (void)state;
    static const struct {
        const char *before, *first, *last, *after, *sort;
    } networks[] = {
        {NULL, "0.0.0.0", "0.255.255.255", "1.0.0.0", "unspecified"},
        {"9.255.255.255", "10.0.0.0", "10.255.255.255", "11.0.0.0", "private"},
        {"100.63.255.255", "100.64.0.0", "100.127.255.255", "100.128.0.0", "carrier-grade NAT"},
        {"126.255.255.255", "127.0.0.0", "127.255.255.255", "128.0.0.0", "loopback"},
        {"168.63.129.15", "168.63.129.16", "168.63.129.16", "168.63.129.17", "cloud metadata"},
        {"169.253.255.255", "169.254.0.0", "169.254.255.255", "169.255.0.0", "link-local"},
        {"172.15.255.255", "172.16.0.0", "172.31.255.255", "172.32.0.0", "private"},
        {"192.167.255.255", "192.168.0.0", "192.168.255.255", "192.169.0.0", "private"},
        {"223.255.255.255", "224.0.0.0", "239.255.255.255", NULL, "multicast"},
        {NULL, "240.0.0.0", "255.255.255.255", NULL, "reserved"},
        {"fbff:ffff::", "fc00::", "fdff:ffff:ffff:ffff::1", "fe00::", "private"},
        {"fe7f:ffff::", "fe80::", "febf:ffff::", NULL, "link-local"},
        {NULL, "ff00::", "ffff:ffff::", NULL, "multicast"},
        {NULL, "fec0::", "feff:ffff::", NULL, "site-local"},
        {NULL, "::1", "::1", NULL, "loopback"},
        {NULL, "::", "::", NULL, "unspecified"},
    };
    for (size_t i = 0; i < sizeof(networks) / sizeof(networks[0]); i++) {
        expect(networks[i].first, networks[i].sort);
        expect(networks[i].last, networks[i].sort);
        if (networks[i].before != NULL)
            expect(networks[i].before, "");
        if (networks[i].after != NULL)
            expect(networks[i].after, "");
    }
}

static void an_ipv4_address_within_one_of_ipv6_is_what_counts(void **state)
{
    (void)state;
    expect("::ffff:169.254.169.254", "link-local");
    expect("2002:a9fe:a9fe::1", "link-local");
    expect("2002:7f00:1::", "loopback");
    expect("64:ff9b::127.0.0.1", "loopback");
    expect("::ffff:0:10.0.0.1", "private");
    expect("::10.0.0.1", "IPv4-compatible");
    expect("2001:0:4136:e378:8000:63bf:3fff:fdd2", "reserved"); /* Teredo */
    expect("64:ff9b:1::8.8.8.8", "local NAT64");
    expect("2002:101:101::1", "");
    expect("64:ff9b::1.1.1.1", "");
}

static void the_public_internet_is_none_of_them(void **state)
{
    (void)state;
    static const char *const public[] = {"1.1.1.1", "8.8.8.8", "104.18.7.192", "2606:4700::1111",
                                         "2a00:1450:4001:80b::200e"};
    for (size_t i = 0; i < sizeof(public) / sizeof(public[0]); i++)
        expect(public[i], "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_special_network_is_known_to_its_edges),
        cmocka_unit_test(an_ipv4_address_within_one_of_ipv6_is_what_counts),
        cmocka_unit_test(the_public_internet_is_none_of_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
