#include "admin/target.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static char memory[4096];
static struct arena arena;
static struct target target;

static enum status parse(const char *path)
{
    arena_init(&arena, memory, sizeof(memory), 0);
    return target_parse(slice_from_text(path), &arena, &target);
}

static void assert_part(struct slice part, const char *expected)
{
    if (expected == NULL)
        assert_null(part.data);
    else
        assert_true(slice_equal(part, slice_from_text(expected)));
}

static void a_path_has_one_to_three_parts(void **state)
{
    (void)state;
    assert_int_equal(parse("/admin/v1/users"), STATUS_OK);
    assert_part(target.collection, "users");
    assert_part(target.item, NULL);
    assert_int_equal(parse("/admin/v1/users/ada"), STATUS_OK);
    assert_part(target.item, "ada");
    assert_part(target.action, NULL);
    assert_int_equal(parse("/admin/v1/users/ada/disable"), STATUS_OK);
    assert_part(target.action, "disable");
}

static void parts_are_percent_decoded_after_they_were_split(void **state)
{
    (void)state;
    assert_int_equal(parse("/admin/v1/users/a%2Fb%20c%c3%A9+"), STATUS_OK);
    assert_part(target.item, "a/b c\xc3\xa9+");
    assert_part(target.action, NULL);
}

static void what_is_no_such_path_is_not_found(void **state)
{
    (void)state;
    static const char *const wrong[] = {"",
                                        "/",
                                        "/admin/v1",
                                        "/admin/v1/",
                                        "/admin/v2/users",
                                        "admin/v1/users",
                                        "/admin/v1/users/",
                                        "/admin/v1//x",
                                        "/admin/v1/users/a/b/c",
                                        "/admin/v1/users/a//",
                                        "/admin/v1/?x=1",
                                        "/admin/v1/users/a/b/"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        assert_int_equal(parse(wrong[i]), STATUS_NOT_FOUND);
    arena_init(&arena, memory, sizeof(memory), 0);
    assert_int_equal(target_parse(slice_of(NULL, 0), &arena, &target), STATUS_NOT_FOUND);
}

static void a_bad_percent_encoding_is_invalid(void **state)
{
    (void)state;
    assert_int_equal(parse("/admin/v1/users/%"), STATUS_INVALID);
    assert_int_equal(parse("/admin/v1/users/%4"), STATUS_INVALID);
    assert_int_equal(parse("/admin/v1/users/%4/1"), STATUS_INVALID);
    assert_int_equal(parse("/admin/v1/users/%zz"), STATUS_INVALID);
    assert_int_equal(parse("/admin/v1/users?a=%g1"), STATUS_INVALID);
}

static void parameters_are_found_by_name(void **state)
{
    (void)state;
    assert_int_equal(parse("/admin/v1/keys?limit=10&user=a%26b%3D&after="), STATUS_OK);
    assert_part(target_parameter(&target, SLICE("limit")), "10");
    assert_part(target_parameter(&target, SLICE("user")), "a&b=");
    assert_part(target_parameter(&target, SLICE("after")), "");
    assert_part(target_parameter(&target, SLICE("other")), NULL);
}

static void a_parameter_twice_or_without_a_value_is_invalid(void **state)
{
    (void)state;
    assert_int_equal(parse("/admin/v1/keys?a=1&a=2"), STATUS_INVALID);
    assert_int_equal(parse("/admin/v1/keys?a"), STATUS_INVALID);
    assert_int_equal(parse("/admin/v1/keys?a=1&&b=2"), STATUS_INVALID);
    assert_int_equal(parse("/admin/v1/keys?"), STATUS_OK);
}

static void more_parameters_than_there_are_names_for_are_too_many(void **state)
{
    (void)state;
    assert_int_equal(parse("/admin/v1/keys?a=1&b=1&c=1&d=1&e=1&f=1&g=1&h=1"), STATUS_OK);
    assert_int_equal(parse("/admin/v1/keys?a=1&b=1&c=1&d=1&e=1&f=1&g=1&h=1&i=1"), STATUS_TOO_LARGE);
}

static void parsing_without_memory_says_so(void **state)
{
    (void)state;
    arena_init(&arena, NULL, 0, 0);
    assert_int_equal(target_parse(SLICE("/admin/v1/users"), &arena, &target), STATUS_NO_MEMORY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_path_has_one_to_three_parts),
        cmocka_unit_test(parts_are_percent_decoded_after_they_were_split),
        cmocka_unit_test(what_is_no_such_path_is_not_found),
        cmocka_unit_test(a_bad_percent_encoding_is_invalid),
        cmocka_unit_test(parameters_are_found_by_name),
        cmocka_unit_test(a_parameter_twice_or_without_a_value_is_invalid),
        cmocka_unit_test(more_parameters_than_there_are_names_for_are_too_many),
        cmocka_unit_test(parsing_without_memory_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
