#include "config/guard.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static bool allows(const struct config_networks *networks, const char *text)
{
    unsigned char address[16];
    struct slice sort;
    assert_int_equal(cidr_parse_address(slice_from_text(text), address), STATUS_OK);
    return config_guard_allows(networks, address, &sort);
}

static void what_is_not_public_is_refused_unless_it_is_listed(void **state)
{
    (void)state;
    struct cidr items[2];
    const struct config_networks none = {NULL, 0}, two = {items, 2};
    assert_int_equal(cidr_parse(SLICE("10.1.0.0/16"), &items[0], NULL), STATUS_OK);
    assert_int_equal(cidr_parse(SLICE("::1"), &items[1], NULL), STATUS_OK);
    assert_true(allows(&none, "1.1.1.1"));
    assert_true(allows(&two, "1.1.1.1"));
    assert_false(allows(&none, "10.1.2.3"));
    assert_true(allows(&two, "10.1.2.3"));
    assert_true(allows(&two, "::ffff:10.1.2.3"));
    assert_true(allows(&two, "64:ff9b::10.1.2.3"));
    assert_false(allows(&two, "10.2.0.1"));
    assert_false(allows(&two, "2002:a02:1::"));
    assert_true(allows(&two, "::1"));
    assert_false(allows(&two, "127.0.0.1"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_public_is_refused_unless_it_is_listed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
