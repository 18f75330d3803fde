#include "admin/precondition.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void a_tag_is_the_version_in_hexadecimal(void **state)
{
    (void)state;
    char text[PRECONDITION_TAG_BYTES];
    assert_true(slice_equal(precondition_tag(0x1a2b, text), SLICE("\"1a2b\"")));
    assert_true(slice_equal(precondition_tag(UINT64_MAX, text), SLICE("\"ffffffffffffffff\"")));
}

static void a_list_matches_where_one_of_it_is_the_version(void **state)
{
    (void)state;
    static const char *const matching[] = {"\"1a\"",       "*",          " * ", "\"0\", \"1a\"",
                                           "\"1a\",\"2\"", ",, \"1a\" ,"};
    for (size_t i = 0; i < sizeof(matching) / sizeof(matching[0]); i++)
        assert_true(precondition_matches(slice_from_text(matching[i]), 0x1a));
}

static void what_is_malformed_weak_or_of_another_version_does_not(void **state)
{
    (void)state;
    static const char *const others[] = {"",        "\"1b\"",  "1a",         "W/\"1a\"", "\"1A\"",
                                         "\"1a",    "1a\"",    "\"0\", *",   "**",       "\"01a\"",
                                         "\"1a\"x", "\"1a \"", "\"a,\"1a\"b"};
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        assert_false(precondition_matches(slice_from_text(others[i]), 0x1a));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tag_is_the_version_in_hexadecimal),
        cmocka_unit_test(a_list_matches_where_one_of_it_is_the_version),
        cmocka_unit_test(what_is_malformed_weak_or_of_another_version_does_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
