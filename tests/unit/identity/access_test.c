#include "identity/access.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "identity/entry_internal.h"
#include "unit/identity/making_rules.h"

static const unsigned char hash[KEY_HASH_SIZE] = {9};

/* What stands at a key, its user and its user's team. */
struct levels {
    struct identity_rules_spec key, user, team;
};

/* The entry, with the only reference to its user, which has the only one to its team. */
static struct identity_key *entry_of(struct identity_spec spec, const struct levels *levels)
{
    const struct id id = {{0}};
    struct identity_team *team = identity_team_create(&id, SLICE("t"), false);
    struct identity_user *user = identity_user_create(&id, SLICE("u"), false);
    assert_non_null(team);
    assert_non_null(user);
    spec.hash = hash;
    spec.rules = making_rules(&levels->key);
    atomic_store(&user->rules, making_rules(&levels->user));
    atomic_store(&team->rules, making_rules(&levels->team));
    atomic_store(&user->team, team);
    struct identity_key *key = identity_key_create(&spec, user);
    assert_non_null(key);
    identity_user_release(user);
    return key;
}

static bool allows(struct slice models, struct slice model)
{
    const struct levels levels = {.key = {.models = models}};
    struct identity_key *key = entry_of((struct identity_spec){0}, &levels);
    const bool allowed = identity_allows_model(key, model);
    identity_key_release(&key);
    return allowed;
}

struct disabled {
    bool user, team;
};

static enum identity_verdict verdict_of(struct identity_spec spec, struct disabled disabled,
                                        uint64_t now_us)
{
    const struct levels none = {.key = {.level = NULL}};
    struct identity_key *key = entry_of(spec, &none);
    atomic_store(&key->user->disabled, disabled.user);
    atomic_store(&identity_key_team(key)->disabled, disabled.team);
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
    const struct disabled none = {false, false};
    assert_int_equal(verdict_of(spec, none, 99), IDENTITY_VERDICT_VALID);
    assert_int_equal(verdict_of(spec, none, 100), IDENTITY_VERDICT_EXPIRED);
    const struct identity_spec endless = {.expires_at_us = 0};
    assert_int_equal(verdict_of(endless, none, UINT64_MAX), IDENTITY_VERDICT_VALID);
}

static void what_an_administrator_did_is_the_first_reason(void **state)
{
    (void)state;
    struct identity_spec spec = {.expires_at_us = 1};
    struct disabled disabled = {false, false};
    assert_int_equal(verdict_of(spec, disabled, 2), IDENTITY_VERDICT_EXPIRED);
    disabled.team = true;
    assert_int_equal(verdict_of(spec, disabled, 2), IDENTITY_VERDICT_TEAM_DISABLED);
    disabled.user = true;
    assert_int_equal(verdict_of(spec, disabled, 2), IDENTITY_VERDICT_USER_DISABLED);
    spec.disabled = true;
    assert_int_equal(verdict_of(spec, disabled, 2), IDENTITY_VERDICT_DISABLED);
    spec.revoked = true;
    assert_int_equal(verdict_of(spec, disabled, 2), IDENTITY_VERDICT_REVOKED);
}

static void every_verdict_has_a_name(void **state)
{
    (void)state;
    for (int i = IDENTITY_VERDICT_VALID; i <= IDENTITY_VERDICT_EXPIRED; i++)
        assert_non_null(identity_verdict_name((enum identity_verdict)i));
}

/* Each level alone refuses what the other two allow. */
static void the_narrowest_of_key_user_and_team_holds(void **state)
{
    (void)state;
    static const unsigned char ours[16] = {[10] = 0xff, [11] = 0xff, [12] = 10};
    static const unsigned char theirs[16] = {[10] = 0xff, [11] = 0xff, [12] = 11};
    const struct identity_rules_spec narrow = {
        .models = SLICE("a"), .routes = SLICE("/v1/models"), .networks = SLICE("10.0.0.0/8")};
    for (int at = 0; at < 3; at++) {
        struct levels levels = {.key = {.models = SLICE("*")}, .team = {.routes = SLICE("/v1/*")}};
        *(at == 0 ? &levels.key : at == 1 ? &levels.user : &levels.team) = narrow;
        struct identity_key *key = entry_of((struct identity_spec){0}, &levels);
        assert_true(identity_allows_model(key, SLICE("a")));
        assert_false(identity_allows_model(key, SLICE("b")));
        assert_true(identity_allows_route(key, SLICE("/v1/models")));
        assert_false(identity_allows_route(key, SLICE("/v1/embeddings")));
        assert_true(identity_has_networks(key));
        assert_true(identity_allows_address(key, ours));
        assert_false(identity_allows_address(key, theirs));
        assert_false(identity_allows_address(key, NULL));
        identity_key_release(&key);
    }
}

static void levels_without_rules_allow_everything(void **state)
{
    (void)state;
    const struct levels none = {.key = {.level = NULL}};
    struct identity_key *key = entry_of((struct identity_spec){0}, &none);
    struct identity_team *team = identity_key_team(key);
    for (int round = 0; round < 2; round++) {
        assert_true(identity_allows_model(key, SLICE("a")));
        assert_true(identity_allows_route(key, SLICE("/v1/models")));
        assert_false(identity_has_networks(key));
        assert_true(identity_allows_address(key, NULL));
        assert_int_equal(identity_check(key, 1), IDENTITY_VERDICT_VALID);
        atomic_store(&key->user->team, NULL); /* the same without a team */
    }
    identity_key_release(&key);
    identity_team_release(team);
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
        cmocka_unit_test(the_narrowest_of_key_user_and_team_holds),
        cmocka_unit_test(levels_without_rules_allow_everything),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
