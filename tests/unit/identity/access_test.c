#include "identity/access.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "identity/entry_internal.h"

static const unsigned char hash[KEY_HASH_SIZE] = {9};

/* The entry, with the only reference to its user. */
static struct identity_key *entry_of(const struct identity_spec *spec)
{
    struct identity_user *user =
        identity_user_create(&spec->user_id, spec->user_name, spec->user_disabled);
    assert_non_null(user);
    struct identity_key *key = identity_key_create(spec, user);
    assert_non_null(key);
    identity_user_release(user);
    return key;
}

static bool allows(struct slice models, struct slice model)
{
    const struct identity_spec spec = {.hash = hash, .models = models};
    struct identity_key *key = entry_of(&spec);
    const bool allowed = identity_allows_model(key, model);
    identity_key_release(&key);
    return allowed;
}

static enum identity_verdict verdict_of(struct identity_spec spec, uint64_t now_us)
{
    spec.hash = hash;
    struct identity_key *key = entry_of(&spec);
    const enum identity_verdict verdict = identity_check(key, now_us);
    identity_key_release(&key);
    return verdict;
}

static void a_key_without_a_list_may_use_every_model(void **state)
{
    (void)state;
    assert_true(allows(slice_of(NULL, 0), SLICE("gpt-4o")));
    assert_true(allows(slice_of(NULL, 0), SLICE("")));
}

static void a_name_allows_exactly_that_model(void **state)
{
    (void)state;
    assert_true(allows(SLICE("gpt-4o"), SLICE("gpt-4o")));
    assert_false(allows(SLICE("gpt-4o"), SLICE("gpt-4o-mini")));
    assert_false(allows(SLICE("gpt-4o"), SLICE("gpt-4")));
    assert_false(allows(SLICE("gpt-4o"), SLICE("GPT-4o")));
    assert_false(allows(SLICE("gpt-4o"), SLICE("")));
}

static void a_star_allows_what_begins_with_the_rest(void **state)
{
    (void)state;
    assert_true(allows(SLICE("gpt*"), SLICE("gpt-4o")));
    assert_true(allows(SLICE("gpt*"), SLICE("gpt")));
    assert_false(allows(SLICE("gpt*"), SLICE("gp")));
    assert_false(allows(SLICE("gpt*"), SLICE("xgpt")));
    assert_true(allows(SLICE("*"), SLICE("anything")));
}

static void any_pattern_of_the_list_will_do(void **state)
{
    (void)state;
    const struct slice models = SLICE("a,bb*,c");
    assert_true(allows(models, SLICE("a")));
    assert_true(allows(models, SLICE("bbb")));
    assert_true(allows(models, SLICE("c")));
    assert_false(allows(models, SLICE("b")));
    assert_false(allows(models, SLICE("a,bb")));
    assert_false(allows(models, SLICE("a,bb*,c")));
}

static void a_comma_in_the_model_matches_no_neighbours(void **state)
{
    (void)state;
    assert_false(allows(SLICE("a,b"), SLICE("a,b")));
}

static void an_empty_list_allows_nothing(void **state)
{
    (void)state;
    assert_false(allows(SLICE(""), SLICE("a")));
    assert_false(allows(SLICE(""), SLICE("")));
}

static void a_key_works_until_the_moment_it_expires(void **state)
{
    (void)state;
    const struct identity_spec spec = {.expires_at_us = 100};
    assert_int_equal(verdict_of(spec, 99), IDENTITY_VERDICT_VALID);
    assert_int_equal(verdict_of(spec, 100), IDENTITY_VERDICT_EXPIRED);
    const struct identity_spec endless = {.expires_at_us = 0};
    assert_int_equal(verdict_of(endless, UINT64_MAX), IDENTITY_VERDICT_VALID);
}

static void what_an_administrator_did_is_the_first_reason(void **state)
{
    (void)state;
    struct identity_spec spec = {.expires_at_us = 1};
    assert_int_equal(verdict_of(spec, 2), IDENTITY_VERDICT_EXPIRED);
    spec.user_disabled = true;
    assert_int_equal(verdict_of(spec, 2), IDENTITY_VERDICT_USER_DISABLED);
    spec.disabled = true;
    assert_int_equal(verdict_of(spec, 2), IDENTITY_VERDICT_DISABLED);
    spec.revoked = true;
    assert_int_equal(verdict_of(spec, 2), IDENTITY_VERDICT_REVOKED);
}

static void every_verdict_has_a_name(void **state)
{
    (void)state;
    for (int i = IDENTITY_VERDICT_VALID; i <= IDENTITY_VERDICT_EXPIRED; i++)
        assert_non_null(identity_verdict_name((enum identity_verdict)i));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_without_a_list_may_use_every_model),
        cmocka_unit_test(a_name_allows_exactly_that_model),
        cmocka_unit_test(a_star_allows_what_begins_with_the_rest),
        cmocka_unit_test(any_pattern_of_the_list_will_do),
        cmocka_unit_test(a_comma_in_the_model_matches_no_neighbours),
        cmocka_unit_test(an_empty_list_allows_nothing),
        cmocka_unit_test(a_key_works_until_the_moment_it_expires),
        cmocka_unit_test(what_an_administrator_did_is_the_first_reason),
        cmocka_unit_test(every_verdict_has_a_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
