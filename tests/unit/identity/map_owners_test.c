#include "unit/identity/map_fixture.h"

#include "base/alloc.h"
#include "identity/access.h"

static const struct id red = {{1}}, blue = {{2}};

static void put_team(struct identity_map *map, const struct id *id, struct slice models)
{
    const struct identity_team_spec spec = {
        .id = *id, .name = SLICE("team"), .rules = making_models(models)};
    assert_int_equal(identity_map_put_team(map, &spec), STATUS_OK);
}

static void put_user(struct identity_map *map, uint64_t number, const struct id *team,
                     struct slice models)
{
    const struct identity_user_spec spec = {
        .id = id_of(number), .name = SLICE("ada"), .team_id = team, .rules = making_models(models)};
    assert_int_equal(identity_map_put_user(map, &spec), STATUS_OK);
}

static const struct slice all = {NULL, 0};

static void disabling_a_user_holds_for_all_its_keys_at_once(void **state)
{
    const struct fixture *fixture = *state;
    const struct id user = id_of(0), stranger = id_of(77);
    map_put(fixture->map, 1, slice_of(NULL, 0));
    map_put(fixture->map, 2, slice_of(NULL, 0));
    map_put(fixture->map, 11, slice_of(NULL, 0)); /* another user's */
    const struct identity_key *first = identity_find(fixture->reader, hash_of(1));
    const struct identity_key *second = identity_find(fixture->reader, hash_of(2));
    const struct identity_key *other = identity_find(fixture->reader, hash_of(11));

    identity_map_set_user_disabled(fixture->map, &user, true);
    identity_map_set_user_disabled(fixture->map, &stranger, true);
    assert_int_equal(identity_check(first, 1), IDENTITY_VERDICT_USER_DISABLED);
    assert_int_equal(identity_check(second, 1), IDENTITY_VERDICT_USER_DISABLED);
    assert_int_equal(identity_check(other, 1), IDENTITY_VERDICT_VALID);
    identity_map_set_user_disabled(fixture->map, &user, false);
    assert_int_equal(identity_check(first, 1), IDENTITY_VERDICT_VALID);
}

static void removing_a_user_removes_its_keys_and_no_others(void **state)
{
    const struct fixture *fixture = *state;
    const struct id user = id_of(0);
    for (uint64_t i = 0; i < 20; i++)
        map_put(fixture->map, i, slice_of(NULL, 0));
    identity_map_remove_user(fixture->map, &user);
    identity_map_remove_user(fixture->map, &user);
    for (uint64_t i = 0; i < 10; i++)
        assert_null(identity_find(fixture->reader, hash_of(i)));
    for (uint64_t i = 10; i < 20; i++)
        assert_non_null(identity_find(fixture->reader, hash_of(i)));
    assert_int_equal(identity_map_key_count(fixture->map), 10);
}

static void each_thing_that_is_published_is_a_change_that_readers_see(void **state)
{
    const struct fixture *fixture = *state;
    const uint64_t before = identity_reader_changes(fixture->reader);
    put_team(fixture->map, &red, all);
    assert_int_equal(identity_reader_changes(fixture->reader), before + 1);
    put_user(fixture->map, 0, &red, all);
    assert_int_equal(identity_reader_changes(fixture->reader), before + 2);
    map_put(fixture->map, 1, slice_of(NULL, 0));
    map_put(fixture->map, 1, slice_of(NULL, 0));
    assert_true(identity_reader_changes(fixture->reader) >= before + 4);
    const uint64_t after = identity_reader_changes(fixture->reader);
    assert_non_null(identity_find(fixture->reader, hash_of(1)));
    assert_int_equal(identity_reader_changes(fixture->reader), after);
    identity_map_remove_team(fixture->map, &red);
    assert_int_equal(identity_reader_changes(fixture->reader), after + 1);
}

static void users_and_teams_are_there_without_keys(void **state)
{
    const struct fixture *fixture = *state;
    const struct id ada = id_of(0);
    assert_null(identity_map_find_user(fixture->map, &ada));
    assert_null(identity_map_find_team(fixture->map, &red));
    put_team(fixture->map, &red, all);
    put_user(fixture->map, 0, &red, all);
    const struct identity_user *user = identity_map_find_user(fixture->map, &ada);
    const struct identity_team *team = identity_map_find_team(fixture->map, &red);
    assert_ptr_equal(identity_user_team(user), team);
    assert_true(slice_equal(identity_user_name(user), SLICE("ada")));
    assert_true(slice_equal(identity_team_name(team), SLICE("team")));
    map_put(fixture->map, 1, all);
    identity_map_remove(fixture->map, hash_of(1));
    assert_ptr_equal(identity_map_find_user(fixture->map, &ada), user);
    identity_map_remove_user(fixture->map, &ada);
    assert_null(identity_map_find_user(fixture->map, &ada));
    assert_ptr_equal(identity_map_find_team(fixture->map, &red), team);
}

static void a_user_needs_its_team_and_keeps_its_name(void **state)
{
    const struct fixture *fixture = *state;
    struct identity_user_spec spec = {.id = id_of(0), .name = SLICE("ada"), .team_id = &red};
    assert_int_equal(identity_map_put_user(fixture->map, &spec), STATUS_NOT_FOUND);
    assert_null(identity_map_find_user(fixture->map, &spec.id));
    spec.team_id = NULL;
    assert_int_equal(identity_map_put_user(fixture->map, &spec), STATUS_OK);
    spec.name = SLICE("eve");
    assert_int_equal(identity_map_put_user(fixture->map, &spec), STATUS_UNSUPPORTED);
    put_team(fixture->map, &red, all);
    const struct identity_team_spec team = {.id = red, .name = SLICE("other")};
    assert_int_equal(identity_map_put_team(fixture->map, &team), STATUS_UNSUPPORTED);
}

static void disabling_a_team_holds_for_all_keys_of_its_users_at_once(void **state)
{
    const struct fixture *fixture = *state;
    put_team(fixture->map, &red, all);
    put_user(fixture->map, 0, &red, all);
    put_user(fixture->map, 1, &red, all);
    put_user(fixture->map, 2, NULL, all);
    for (uint64_t i = 0; i < 30; i++)
        map_put(fixture->map, i, all);
    for (int disabled = 1; disabled >= 0; disabled--) {
        identity_map_set_team_disabled(fixture->map, &red, disabled);
        identity_map_set_team_disabled(fixture->map, &blue, disabled); /* there is none */
        for (uint64_t i = 0; i < 30; i++)
            assert_int_equal(identity_check(identity_find(fixture->reader, hash_of(i)), 1),
                             disabled && i < 20 ? IDENTITY_VERDICT_TEAM_DISABLED
                                                : IDENTITY_VERDICT_VALID);
    }
}

static void a_change_of_a_user_reaches_the_entries_that_are_held(void **state)
{
    const struct fixture *fixture = *state;
    put_team(fixture->map, &red, SLICE("r*"));
    put_team(fixture->map, &blue, SLICE("b*"));
    put_user(fixture->map, 0, &red, all);
    map_put(fixture->map, 1, all);
    const struct identity_key *key = identity_find(fixture->reader, hash_of(1));
    assert_true(identity_allows_model(key, SLICE("r1")));
    assert_false(identity_allows_model(key, SLICE("b1")));
    put_user(fixture->map, 0, &blue, SLICE("b1"));
    assert_true(identity_allows_model(key, SLICE("b1")));
    assert_false(identity_allows_model(key, SLICE("b2")));
    put_user(fixture->map, 0, NULL, all);
    assert_true(identity_allows_model(key, SLICE("any")));
    assert_null(identity_key_team(key));
}

static void a_change_of_a_team_replaces_its_rules_zone_and_state(void **state)
{
    const struct fixture *fixture = *state;
    static const char zone[] = "stands for one";
    put_team(fixture->map, &red, SLICE("r*"));
    put_user(fixture->map, 0, &red, all);
    map_put(fixture->map, 1, all);
    const struct identity_key *key = identity_find(fixture->reader, hash_of(1));
    assert_null(identity_team_zone(identity_key_team(key)));
    const struct identity_team_spec spec = {.id = red,
                                            .name = SLICE("team"),
                                            .disabled = true,
                                            .zone = (const struct zone *)(const void *)zone};
    assert_int_equal(identity_map_put_team(fixture->map, &spec), STATUS_OK);
    assert_ptr_equal(identity_team_zone(identity_key_team(key)), zone);
    assert_true(identity_allows_model(key, SLICE("any")));
    assert_int_equal(identity_check(key, 1), IDENTITY_VERDICT_TEAM_DISABLED);
}

/* What would be freed too early, the address sanitizer tells. */
static void former_rules_stay_whole_until_the_turn_ends(void **state)
{
    const struct fixture *fixture = *state;
    put_team(fixture->map, &red, SLICE("a"));
    put_user(fixture->map, 0, &red, SLICE("a"));
    map_put(fixture->map, 1, all);
    const struct identity_key *key = identity_find(fixture->reader, hash_of(1));
    const struct identity_rules *of_user = identity_key_user_rules(key);
    const struct identity_rules *of_team = identity_team_rules(identity_key_team(key));
    put_team(fixture->map, &red, SLICE("b"));
    put_user(fixture->map, 0, &red, SLICE("b"));
    identity_map_reclaim(fixture->map);
    assert_true(identity_rules_allow_model(of_user, SLICE("a")));
    assert_true(identity_rules_allow_model(of_team, SLICE("a")));
    assert_false(identity_allows_model(key, SLICE("a")));
}

static void the_users_of_a_removed_team_have_none(void **state)
{
    const struct fixture *fixture = *state;
    put_team(fixture->map, &red, SLICE("r*"));
    put_user(fixture->map, 0, &red, all);
    put_user(fixture->map, 1, &red, all);
    map_put(fixture->map, 1, all);
    const struct identity_key *key = identity_find(fixture->reader, hash_of(1));
    const struct identity_team *team = identity_key_team(key);
    identity_map_remove_team(fixture->map, &red);
    identity_map_remove_team(fixture->map, &red);
    identity_map_reclaim(fixture->map);
    assert_null(identity_key_team(key));
    assert_true(identity_allows_model(key, SLICE("any")));
    assert_null(identity_map_find_team(fixture->map, &red));
    /* Whoever found it before still sees it whole. */
    assert_true(identity_rules_allow_model(identity_team_rules(team), SLICE("r1")));
    assert_true(slice_equal(identity_team_name(team), SLICE("team")));
}

/* A held key, its user and the user's team go from the map in every order; the key keeps both as they
 * were when the user went. */
static void a_held_key_is_whole_in_whatever_order_all_is_removed(void **state)
{
    static const char orders[][4] = {"kut", "ktu", "ukt", "utk", "tku", "tuk"};
    const struct fixture *fixture = *state;
    const struct id ada = id_of(0);
    for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
        put_team(fixture->map, &red, SLICE("a*"));
        put_user(fixture->map, 0, &red, SLICE("ab*"));
        map_put(fixture->map, 1, SLICE("abc*"));
        struct identity_key *key = identity_find(fixture->reader, hash_of(1));
        identity_key_acquire(key);
        for (const char *what = orders[i]; *what != '\0'; what++) {
            if (*what == 'k')
                identity_map_remove(fixture->map, hash_of(1));
            else if (*what == 'u')
                identity_map_remove_user(fixture->map, &ada);
            else
                identity_map_remove_team(fixture->map, &red);
            identity_reader_turn(fixture->reader);
            identity_map_reclaim(fixture->map);
            assert_true(identity_allows_model(key, SLICE("abcd")));
            assert_false(identity_allows_model(key, SLICE("abd")));
            assert_true(slice_equal(identity_user_name(key->user), SLICE("ada")));
        }
        const bool user_went_first = strchr(orders[i], 'u') < strchr(orders[i], 't');
        assert_int_equal(identity_key_team(key) != NULL, user_went_first);
        identity_key_release(&key);
    }
}

static void what_was_prepared_of_owners_holds_only_once_it_is_published(void **state)
{
    const struct fixture *fixture = *state;
    const struct id ada = id_of(0);
    put_team(fixture->map, &red, SLICE("a"));
    const size_t bytes = identity_map_bytes(fixture->map);
    struct identity_change *prepared[2] = {NULL, NULL};
    for (int round = 0; round < 2; round++) {
        const struct identity_user_spec user = {
            .id = ada, .name = SLICE("ada"), .team_id = &red, .rules = making_models(SLICE("u"))};
        const struct identity_team_spec team = {
            .id = red, .name = SLICE("team"), .rules = making_models(SLICE("b"))};
        assert_int_equal(identity_map_prepare_user(fixture->map, &user, &prepared[0]), STATUS_OK);
        assert_int_equal(identity_map_prepare_team(fixture->map, &team, &prepared[1]), STATUS_OK);
        assert_null(identity_map_find_user(fixture->map, &ada));
        const struct identity_team *found = identity_map_find_team(fixture->map, &red);
        assert_true(identity_rules_allow_model(identity_team_rules(found), SLICE("a")));
        for (int i = 0; i < 2; i++) {
            if (round == 0)
                identity_map_abandon_change(fixture->map, &prepared[i]);
            else
                identity_map_publish_change(fixture->map, &prepared[i]);
            assert_null(prepared[i]);
        }
        identity_map_abandon_change(fixture->map, &prepared[0]);
        if (round == 0)
            assert_int_equal(identity_map_bytes(fixture->map), bytes);
    }
    const struct identity_user *user = identity_map_find_user(fixture->map, &ada);
    assert_true(identity_rules_allow_model(identity_user_rules(user), SLICE("u")));
    assert_true(
        identity_rules_allow_model(identity_team_rules(identity_user_team(user)), SLICE("b")));
}

/* First they are new, then changed; whatever fails changes nothing. */
static void owners_survive_the_failure_of_each_allocation(void **state)
{
    const struct fixture *fixture = *state;
    unsigned failures = 0;
    for (uint64_t i = 0; i < 2000; i++) {
        const struct id id = id_of(i % 1000);
        const struct identity_team_spec team = {
            .id = id, .name = SLICE("team"), .rules = making_models(SLICE("a"))};
        const struct identity_user_spec user = {
            .id = id, .name = SLICE("ada"), .team_id = &id, .rules = making_models(SLICE("a"))};
        for (int kind = 0; kind < 2; kind++) {
            for (int nth = 0;; nth++) {
                alloc_fail_nth(nth);
                const enum status status = kind == 0 ? identity_map_put_team(fixture->map, &team)
                                                     : identity_map_put_user(fixture->map, &user);
                alloc_fail_nth(-1);
                if (status == STATUS_OK)
                    break;
                assert_int_equal(status, STATUS_NO_MEMORY);
                if (i < 1000 && kind == 0)
                    assert_null(identity_map_find_team(fixture->map, &id));
                if (i < 1000 && kind == 1)
                    assert_null(identity_map_find_user(fixture->map, &id));
                failures++;
            }
        }
    }
    assert_true(failures >= 6000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(disabling_a_user_holds_for_all_its_keys_at_once),
        TEST(removing_a_user_removes_its_keys_and_no_others),
        TEST(each_thing_that_is_published_is_a_change_that_readers_see),
        TEST(users_and_teams_are_there_without_keys),
        TEST(a_user_needs_its_team_and_keeps_its_name),
        TEST(disabling_a_team_holds_for_all_keys_of_its_users_at_once),
        TEST(a_change_of_a_user_reaches_the_entries_that_are_held),
        TEST(a_change_of_a_team_replaces_its_rules_zone_and_state),
        TEST(former_rules_stay_whole_until_the_turn_ends),
        TEST(the_users_of_a_removed_team_have_none),
        TEST(a_held_key_is_whole_in_whatever_order_all_is_removed),
        TEST(what_was_prepared_of_owners_holds_only_once_it_is_published),
        TEST(owners_survive_the_failure_of_each_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
