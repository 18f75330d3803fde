#include "identity/entry_internal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "unit/identity/making_rules.h"

static const unsigned char hash[KEY_HASH_SIZE] = {9};

static const struct id team_id = {{3}}, user_id = {{2}};

static struct identity_spec spec_of(struct identity_rules *rules)
{
    return (struct identity_spec){
        .key_id = {{1}},
        .hash = hash,
        .user_id = user_id,
        .rules = rules,
        .expires_at_us = 5,
    };
}

static struct identity_key *make(struct slice models, struct identity_user *user)
{
    const struct identity_spec spec = spec_of(making_models(models));
    struct identity_key *key = identity_key_create(&spec, user);
    assert_non_null(key);
    return key;
}

static void an_entry_holds_copies_of_all_it_was_made_of(void **state)
{
    (void)state;
    char name[] = "ada", models[] = "gpt*";
    struct identity_user *user = identity_user_create(&user_id, slice_from_text(name), false);
    struct identity_key *key = make(slice_from_text(models), user);
    memset(name, 0, sizeof(name));
    memset(models, 0, sizeof(models));
    assert_true(slice_equal(identity_user_name(key->user), SLICE("ada")));
    assert_true(identity_rules_allow_model(key->rules, SLICE("gpt-4o")));
    assert_false(identity_rules_allow_model(key->rules, SLICE("other")));
    assert_int_equal(key->id.bytes[0], 1);
    assert_int_equal(key->user->id.bytes[0], 2);
    assert_memory_equal(key->hash, hash, KEY_HASH_SIZE);
    identity_key_release(&key);
    assert_null(key);
    identity_user_release(user);
}

/* What would be freed too early or never, the address sanitizer tells. */
static void an_entry_keeps_its_user_and_the_team_until_the_last_reference_goes(void **state)
{
    (void)state;
    struct identity_team *team = identity_team_create(&team_id, SLICE("red"), false);
    struct identity_user *user = identity_user_create(&user_id, SLICE("ada"), false);
    atomic_store(&team->rules, making_models(SLICE("t*")));
    atomic_store(&user->rules, making_models(SLICE("u*")));
    atomic_store(&user->team, team);
    struct identity_key *key = make(slice_of(NULL, 0), user);
    identity_user_release(user);
    struct identity_key *held = key;
    identity_key_acquire(held);
    identity_key_release(&key);
    assert_null(held->rules);
    assert_true(slice_equal(identity_user_name(held->user), SLICE("ada")));
    assert_true(slice_equal(identity_team_name(identity_key_team(held)), SLICE("red")));
    assert_true(identity_rules_allow_model(identity_key_user_rules(held), SLICE("u1")));
    assert_true(
        identity_rules_allow_model(identity_team_rules(identity_key_team(held)), SLICE("t1")));
    identity_key_release(&held);
    identity_key_release(&held);
}

static void without_a_team_there_are_no_rules_and_no_zone_of_it(void **state)
{
    (void)state;
    struct identity_user *user = identity_user_create(&user_id, SLICE("ada"), false);
    assert_null(identity_user_team(user));
    assert_null(identity_team_rules(identity_user_team(user)));
    assert_null(identity_team_zone(identity_user_team(user)));
    identity_user_release(user);
}

static void entries_without_memory_are_null(void **state)
{
    (void)state;
    const struct identity_spec spec = spec_of(NULL);
    alloc_fail_nth(0);
    assert_null(identity_user_create(&user_id, SLICE("ada"), false));
    alloc_fail_nth(0);
    assert_null(identity_team_create(&team_id, SLICE("red"), false));
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
    assert_true(sizeof(struct identity_key) <= 120);
    assert_true(sizeof(struct identity_user) <= 72);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_entry_holds_copies_of_all_it_was_made_of),
        cmocka_unit_test(an_entry_keeps_its_user_and_the_team_until_the_last_reference_goes),
        cmocka_unit_test(without_a_team_there_are_no_rules_and_no_zone_of_it),
        cmocka_unit_test(entries_without_memory_are_null),
        cmocka_unit_test(an_entry_is_small),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
