#include "admin/spec.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void the_map_is_told_what_the_store_knows(void **state)
{
    (void)state;
    struct identity_spec spec;
    const struct store_key key = {
        .id = {{1}},
        .user_id = {{2}},
        .user_name = SLICE("ada"),
        .user_disabled = true,
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
    assert_true(slice_equal(spec.user_name, SLICE("ada")));
    assert_true(slice_equal(spec.models, SLICE("a")));
    assert_true(spec.user_disabled && spec.disabled && spec.revoked);
    assert_int_equal(spec.expires_at_us, 4);
}

static void what_the_map_cannot_hold_is_refused(void **state)
{
    (void)state;
    static const char text[IDENTITY_MODELS_SIZE_MAX + 1];
    struct identity_spec spec;
    struct store_key key = {.user_name = slice_of(text, IDENTITY_NAME_SIZE_MAX)};
    assert_int_equal(admin_spec_of(&key, &spec), STATUS_OK);
    key.user_name.size++;
    assert_int_equal(admin_spec_of(&key, &spec), STATUS_TOO_LARGE);
    key.user_name.size = 1;
    key.models = slice_of(text, IDENTITY_MODELS_SIZE_MAX + 1);
    assert_int_equal(admin_spec_of(&key, &spec), STATUS_TOO_LARGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_map_is_told_what_the_store_knows),
        cmocka_unit_test(what_the_map_cannot_hold_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
