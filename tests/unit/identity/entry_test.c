#include "identity/entry_internal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/alloc.h"

static const unsigned char hash[KEY_HASH_SIZE] = {9};

static struct identity_spec spec_of(struct slice models)
{
    return (struct identity_spec){
        .key_id = {{1}},
        .hash = hash,
        .user_id = {{2}},
        .user_name = SLICE("ada"),
        .models = models,
        .expires_at_us = 5,
    };
}

static struct identity_key *make(struct slice models, struct identity_user *user)
{
    const struct identity_spec spec = spec_of(models);
    struct identity_key *key = identity_key_create(&spec, user);
    assert_non_null(key);
    return key;
}

static void an_entry_holds_copies_of_all_it_was_made_of(void **state)
{
    (void)state;
    char name[] = "ada", models[] = "gpt*";
    const struct id user_id = {{2}};
    struct identity_user *user = identity_user_create(&user_id, slice_from_text(name), false);
    struct identity_key *key = make(slice_from_text(models), user);
    memset(name, 0, sizeof(name));
    memset(models, 0, sizeof(models));
    assert_true(slice_equal(identity_user_name(key->user), SLICE("ada")));
    assert_true(slice_equal(slice_of(key->models, key->models_size), SLICE("gpt*")));
    assert_true(
        slice_equal(identity_key_id_text(key), SLICE("01000000-0000-0000-0000-000000000000")));
    assert_true(slice_equal(identity_user_id_text(key->user),
                            SLICE("02000000-0000-0000-0000-000000000000")));
    assert_memory_equal(key->hash, hash, KEY_HASH_SIZE);
    assert_false(key->all_models);
    identity_key_release(&key);
    assert_null(key);
    identity_user_release(user);
}

/* What would be freed too early or never, the address sanitizer tells. */
static void an_entry_keeps_its_user_until_the_last_reference_goes(void **state)
{
    (void)state;
    const struct id user_id = {{2}};
    struct identity_user *user = identity_user_create(&user_id, SLICE("ada"), false);
    struct identity_key *key = make(slice_of(NULL, 0), user);
    identity_user_release(user);
    struct identity_key *held = key;
    identity_key_acquire(held);
    identity_key_release(&key);
    assert_true(held->all_models);
    assert_true(slice_equal(identity_user_name(held->user), SLICE("ada")));
    identity_key_release(&held);
    identity_key_release(&held);
}

static void entries_without_memory_are_null(void **state)
{
    (void)state;
    const struct id user_id = {{2}};
    const struct identity_spec spec = spec_of(SLICE("a"));
    alloc_fail_nth(0);
    assert_null(identity_user_create(&user_id, SLICE("ada"), false));
    alloc_fail_nth(-1);
    struct identity_user *user = identity_user_create(&user_id, SLICE("ada"), false);
    alloc_fail_nth(0);
    assert_null(identity_key_create(&spec, user));
    alloc_fail_nth(-1);
    identity_user_release(user);
}

static void an_entry_is_small(void **state)
{
    (void)state;
    assert_true(sizeof(struct identity_key) <= 192);
    assert_true(sizeof(struct identity_user) <= 96);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_entry_holds_copies_of_all_it_was_made_of),
        cmocka_unit_test(an_entry_keeps_its_user_until_the_last_reference_goes),
        cmocka_unit_test(entries_without_memory_are_null),
        cmocka_unit_test(an_entry_is_small),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
