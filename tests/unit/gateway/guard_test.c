#include "gateway/guard.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "config/config.h"

static bool may_connect(const struct config_networks *networks, const char *text,
                        struct reason *reason)
{
    struct address address;
    assert_int_equal(address_parse(slice_from_text(text), 443, &address), STATUS_OK);
    return guard_may_connect(networks, &address, reason);
}

static void an_address_of_either_family_is_looked_at_and_named(void **state)
{
    (void)state;
    struct cidr item;
    struct reason reason = {""};
    const struct config_networks none = {NULL, 0}, one = {&item, 1};
    assert_int_equal(cidr_parse(SLICE("127.0.0.0/8"), &item, NULL), STATUS_OK);
    assert_true(may_connect(&none, "1.1.1.1", &reason));
    assert_true(may_connect(&none, "2606:4700::1111", &reason));
    assert_false(may_connect(&none, "127.0.0.1", &reason));
    assert_non_null(strstr(reason.text, "127.0.0.1 is no public address (loopback)"));
    assert_false(may_connect(&none, "::ffff:127.0.0.1", &reason));
    assert_false(may_connect(&none, "fd00:ec2::254", &reason));
    assert_non_null(strstr(reason.text, "fd00:ec2::254 is no public address (private)"));
    assert_true(may_connect(&one, "127.0.0.1", &reason));
    assert_true(may_connect(&one, "::ffff:127.0.0.1", &reason));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_address_of_either_family_is_looked_at_and_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
