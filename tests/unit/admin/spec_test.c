#include "admin/spec.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void the_map_is_told_what_the_store_knows_of_a_key(void **state)
{
    (void)state;
    struct identity_spec spec;
    const struct store_key key = {
        .id = {{1}},
        .user_id = {{2}},
        .hash = {3},
        .models = SLICE("a"),
        .disabled = true,
        .expires_at_us = 4,
        .revoked_at_us = 5,
    };
    assert_int_equal(admin_spec_of(&key, &spec), STATUS_OK);
    assert_int_equal(spec.key_id.bytes[0], 1);
    assert_int_equal(spec.user_id.bytes[0], 2);
    assert_int_equal(spec.hash[0], 3);
    assert_true(identity_rules_allow_model(spec.rules, SLICE("a")));
    assert_false(identity_rules_allow_model(spec.rules, SLICE("b")));
    assert_true(spec.disabled && spec.revoked);
    assert_int_equal(spec.expires_at_us, 4);
    identity_rules_unref(&spec.rules);
}

static void the_map_is_told_what_the_store_knows_of_a_user(void **state)
{
    (void)state;
    struct identity_user_spec spec;
    const struct store_user user = {.id = {{1}}, .name = SLICE("ada"), .disabled = true};
    assert_int_equal(admin_user_spec_of(&user, &spec), STATUS_OK);
    assert_int_equal(spec.id.bytes[0], 1);
    assert_true(slice_equal(spec.name, SLICE("ada")));
    assert_true(spec.disabled);
    assert_null(spec.rules);
    assert_null(spec.team_id);
}

static void what_the_map_cannot_hold_is_refused(void **state)
{
    (void)state;
    static const char text[IDENTITY_LIST_SIZE_MAX + 1];
    struct identity_user_spec user_spec;
    struct store_user user = {.name = slice_of(text, IDENTITY_NAME_SIZE_MAX)};
    assert_int_equal(admin_user_spec_of(&user, &user_spec), STATUS_OK);
    user.name.size++;
    assert_int_equal(admin_user_spec_of(&user, &user_spec), STATUS_TOO_LARGE);
    struct identity_spec spec;
    const struct store_key key = {.models = slice_of(text, IDENTITY_LIST_SIZE_MAX + 1)};
    assert_int_equal(admin_spec_of(&key, &spec), STATUS_TOO_LARGE);
    assert_null(spec.rules);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_map_is_told_what_the_store_knows_of_a_key),
        cmocka_unit_test(the_map_is_told_what_the_store_knows_of_a_user),
        cmocka_unit_test(what_the_map_cannot_hold_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
