#include "admin/map_follow.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "identity/access.h"
#include "policy/admission.h"
#include "unit/admin/data_dir.h"

static int open_context(void **state)
{
    if (data_dir_make(state) != 0)
        return -1;
    *state = data_dir_open(true);
    return 0;
}

static int close_context(void **state)
{
    struct admin_context *context = *state;
    admin_context_close(&context);
    return data_dir_remove(state);
}

static const struct id key_id = {{3}};
static const unsigned char hash[KEY_HASH_SIZE] = {1}, new_hash[KEY_HASH_SIZE] = {2};

static struct store_key make_key(void)
{
    struct store_key key = {.id = key_id, .user_id = {{2}}, .rules = {.limits = SLICE("2req/day")}};
    memcpy(key.hash, hash, sizeof(hash));
    return key;
}

static void put_team(struct admin_context *context, const struct store_team *team)
{
    struct map_change change;
    assert_int_equal(map_prepare_team(context, team, &change, NULL), STATUS_OK);
    assert_int_equal(map_end(&change, STATUS_OK), STATUS_OK);
}

static void put_user(struct admin_context *context, const struct store_user *user)
{
    struct map_change change;
    assert_int_equal(map_prepare_user(context, user, &change, NULL), STATUS_OK);
    assert_int_equal(map_end(&change, STATUS_OK), STATUS_OK);
}

static void put_key(struct admin_context *context, const struct store_key *before,
                    const struct store_key *key)
{
    struct map_change change;
    assert_int_equal(map_prepare_key(context, before, key, &change, NULL), STATUS_OK);
    assert_int_equal(map_end(&change, STATUS_OK), STATUS_OK);
}

static void remove_team(struct admin_context *context, const struct id *team_id)
{
    struct map_change change;
    assert_int_equal(map_prepare_team_removal(context, team_id, &change, NULL), STATUS_OK);
    assert_int_equal(map_end(&change, STATUS_OK), STATUS_OK);
}

static const struct identity_key *find(struct admin_context *context, const unsigned char *by_hash)
{
    return identity_map_find_key(context->map, by_hash);
}

/* Takes one request of the entry's own limits. */
static enum admission_verdict take_one(const struct identity_key *entry)
{
    struct admission_take takes[LIMITS_MAX];
    struct admission_grant grant = {.takes = takes};
    struct admission_refusal refusal;
    const struct admission_levels levels = {.of = {identity_rules_level(entry->rules)}};
    const struct admission_demand demand = {.now_ns = (MS_PER_S * NS_PER_MS), .now_us = US_PER_S};
    const enum admission_verdict verdict = admission_take(&levels, &demand, &grant, &refusal);
    const struct admission_actual actual = {.now_ns = (MS_PER_S * NS_PER_MS)};
    if (verdict == ADMISSION_ADMITTED)
        admission_settle(&grant, &actual, NULL);
    return verdict;
}

static void rules_of_all_levels_hold(void **state)
{
    struct admin_context *context = *state;
    const struct store_team team = {
        .id = {{1}}, .name = SLICE("a"), .rules = {.models = SLICE("gpt*")}};
    const struct store_user user = {.id = {{2}},
                                    .name = SLICE("ada"),
                                    .team_id = team.id,
                                    .rules = {.routes = SLICE("/v1/chat*")}};
    struct store_key key = make_key();
    key.rules.models = SLICE("gpt-4o,llama");
    put_team(context, &team);
    put_user(context, &user);
    put_key(context, NULL, &key);
    const struct identity_key *entry = find(context, hash);
    assert_true(identity_allows_model(entry, SLICE("gpt-4o")));
    assert_false(identity_allows_model(entry, SLICE("llama")));
    assert_true(identity_allows_route(entry, SLICE("/v1/chat")));
    assert_false(identity_allows_route(entry, SLICE("/v1/embeddings")));
}

static void counting_goes_on_when_limits_change_and_over_a_rotation(void **state)
{
    struct admin_context *context = *state;
    const struct store_user user = {.id = {{2}}, .name = SLICE("ada")};
    struct store_key before = make_key(), key = before;
    put_user(context, &user);
    put_key(context, NULL, &key);
    assert_int_equal(take_one(find(context, hash)), ADMISSION_ADMITTED);
    key.rules.tags = SLICE("x");
    put_key(context, &before, &key);
    assert_int_equal(take_one(find(context, hash)), ADMISSION_ADMITTED);
    assert_int_equal(take_one(find(context, hash)), ADMISSION_RATE);

    before = key;
    memcpy(key.former_hash, hash, sizeof(hash));
    memcpy(key.hash, new_hash, sizeof(new_hash));
    key.former_until_us = data_dir_now_us + 5;
    put_key(context, &before, &key);
    assert_int_equal(take_one(find(context, new_hash)), ADMISSION_RATE);
    assert_int_equal(take_one(find(context, hash)), ADMISSION_RATE);
    assert_ptr_equal(find(context, hash)->rules, find(context, new_hash)->rules);
    before = key;
    key.rules.limits = slice_of(NULL, 0);
    put_key(context, &before, &key);
    assert_int_equal(take_one(find(context, new_hash)), ADMISSION_ADMITTED);
    assert_int_equal(counters_used(context->counters), 0);
}

static void the_former_secret_ends_with_the_key_if_that_ends_first(void **state)
{
    struct admin_context *context = *state;
    const struct store_user user = {.id = {{2}}, .name = SLICE("ada")};
    struct store_key key = make_key();
    memcpy(key.former_hash, new_hash, sizeof(new_hash));
    key.former_until_us = data_dir_now_us + 50;
    put_user(context, &user);
    put_key(context, NULL, &key);
    assert_int_equal(find(context, new_hash)->expires_at_us, data_dir_now_us + 50);
    assert_int_equal(find(context, hash)->expires_at_us, 0);
    key.expires_at_us = data_dir_now_us + 20;
    put_key(context, &key, &key);
    assert_int_equal(find(context, new_hash)->expires_at_us, data_dir_now_us + 20);
}

static void what_the_store_refused_is_dropped(void **state)
{
    struct admin_context *context = *state;
    const struct store_user user = {.id = {{2}}, .name = SLICE("ada")};
    struct store_key key = make_key();
    struct map_change change;
    memcpy(key.former_hash, new_hash, sizeof(new_hash));
    key.former_until_us = data_dir_now_us + 50;
    put_user(context, &user);
    assert_int_equal(map_prepare_key(context, NULL, &key, &change, NULL), STATUS_OK);
    assert_int_equal(map_end(&change, STATUS_EXISTS), STATUS_EXISTS);
    assert_int_equal(identity_map_key_count(context->map), 0);
    assert_int_equal(counters_used(context->counters), 0);
}

static void want_of_memory_leaves_the_map_as_it_is(void **state)
{
    struct admin_context *context = *state;
    struct reason reason = {""};
    const struct store_user user = {.id = {{2}}, .name = SLICE("ada")};
    struct store_key key = make_key();
    struct map_change change;
    enum status status = STATUS_NO_MEMORY;
    memcpy(key.former_hash, new_hash, sizeof(new_hash));
    key.former_until_us = data_dir_now_us + 50;
    put_user(context, &user);
    for (int nth = 0; status == STATUS_NO_MEMORY; nth++) {
        assert_int_equal(identity_map_key_count(context->map), 0);
        assert_int_equal(counters_used(context->counters), 0);
        reason = (struct reason){""};
        alloc_fail_nth(nth);
        status = map_prepare_key(context, NULL, &key, &change, &reason);
        alloc_fail_nth(-1);
        assert_true(status == STATUS_OK || reason.text[0] != '\0');
        assert_true(nth < 20);
    }
    assert_int_equal(status, STATUS_OK);
    assert_int_equal(map_end(&change, STATUS_OK), STATUS_OK);
    assert_int_equal(identity_map_key_count(context->map), 2);
}

static void want_of_memory_leaves_no_part_of_a_user_or_a_team(void **state)
{
    struct admin_context *context = *state;
    const struct store_rules rules = {.tags = SLICE("x"), .limits = SLICE("60req/min")};
    const struct store_team team = {.id = {{1}}, .name = SLICE("a"), .rules = rules};
    const struct store_user user = {.id = {{2}}, .name = SLICE("ada"), .rules = rules};
    struct map_change change;
    for (int kind = 0; kind < 2; kind++) {
        enum status status = STATUS_NO_MEMORY;
        int nth = 0;
        for (; status == STATUS_NO_MEMORY; nth++) {
            assert_int_equal(counters_used(context->counters), 0);
            assert_true(nth < 20);
            alloc_fail_nth(nth);
            status = kind == 0 ? map_prepare_team(context, &team, &change, NULL)
                               : map_prepare_user(context, &user, &change, NULL);
            alloc_fail_nth(-1);
        }
        assert_int_equal(status, STATUS_OK);
        assert_true(nth > 3);
        assert_int_equal(counters_used(context->counters), 1);
        assert_int_equal(map_end(&change, STATUS_IO), STATUS_IO);
        assert_int_equal(counters_used(context->counters), 0);
    }
    assert_null(identity_map_find_team(context->map, &team.id));
    assert_null(identity_map_find_user(context->map, &user.id));
}

static void a_change_that_the_store_refuses_leaves_rates_as_they_were(void **state)
{
    struct admin_context *context = *state;
    const struct store_user user = {.id = {{2}}, .name = SLICE("ada")};
    struct store_key key = make_key();
    struct map_change change;
    put_user(context, &user);
    key.rules.limits = SLICE("10req/day");
    put_key(context, NULL, &key);
    for (int i = 0; i < 3; i++)
        assert_int_equal(take_one(find(context, hash)), ADMISSION_ADMITTED);
    struct store_key changed = key;
    changed.rules.limits = SLICE("4req/day");
    assert_int_equal(map_prepare_key(context, &key, &changed, &change, NULL), STATUS_OK);
    assert_int_equal(map_end(&change, STATUS_EXISTS), STATUS_EXISTS);
    for (int i = 0; i < 7; i++)
        assert_int_equal(take_one(find(context, hash)), ADMISSION_ADMITTED);
    assert_int_equal(take_one(find(context, hash)), ADMISSION_RATE);
}

static void without_a_map_nothing_happens(void **state)
{
    struct admin_context bare = {.now_us = data_dir_clock};
    const struct store_team team = {.id = {{1}}, .name = SLICE("a")};
    const struct store_user user = {.id = {{2}}, .name = SLICE("ada")};
    const struct store_key key = make_key();
    (void)state;
    put_team(&bare, &team);
    put_user(&bare, &user);
    put_key(&bare, NULL, &key);
    map_remove_user(&bare, &user.id);
    remove_team(&bare, &team.id);
}

static void store_all(struct admin_context *context, struct store_team *team)
{
    const struct store_user user = {
        .id = {{2}}, .name = SLICE("ada"), .team_id = team->id, .disabled = true};
    struct store_key key = make_key();
    memcpy(key.former_hash, new_hash, sizeof(new_hash));
    key.former_until_us = data_dir_now_us + US_PER_S;
    assert_int_equal(store_team_create(context->store, team, NULL), STATUS_OK);
    assert_int_equal(store_user_create(context->store, &user, NULL), STATUS_OK);
    assert_int_equal(store_key_create(context->store, &key, NULL), STATUS_OK);
}

/* The clock of a context that opens is the real one. */
static void a_start_fills_the_map_with_teams_users_and_both_secrets(void **state)
{
    struct admin_context *context = *state;
    struct store_team team = {.id = {{1}},
                              .name = SLICE("a"),
                              .timezone = SLICE("Europe/Berlin"),
                              .rules = {.limits = SLICE("10usd/month")}};
    data_dir_now_us = clock_realtime_us() + 3600 * US_PER_S;
    store_all(context, &team);
    admin_context_close(&context);
    context = data_dir_open(true);
    *state = context;
    const struct identity_key *entry = find(context, new_hash);
    assert_non_null(entry);
    assert_ptr_equal(entry->rules, find(context, hash)->rules);
    assert_int_equal(identity_check(entry, 1), IDENTITY_VERDICT_USER_DISABLED);
    const struct identity_team *held = identity_key_team(entry);
    assert_non_null(identity_rules_level(identity_team_rules(held)));
    assert_true(slice_equal(zone_name(identity_team_zone(held)), SLICE("Europe/Berlin")));
}

static void what_weir_does_not_make_keeps_it_from_starting(void **state)
{
    struct admin_context *context = *state, *again = NULL;
    const struct admin_config config = {.data_dir = data_dir, .with_map = true};
    struct reason reason = {""};
    struct store_team team = {
        .id = {{1}}, .name = SLICE("a"), .rules = {.limits = SLICE("as many as you like")}};
    assert_int_equal(store_team_create(context->store, &team, NULL), STATUS_OK);
    assert_int_equal(admin_context_open(&config, &again, &reason), STATUS_INVALID);
    assert_non_null(strstr(reason.text, "damaged"));
    team.rules.limits = slice_of(NULL, 0);
    team.timezone = SLICE("Mars/Olympus");
    assert_int_equal(store_team_update(context->store, &team, 0, NULL), STATUS_OK);
    assert_int_equal(admin_context_open(&config, &again, &reason), STATUS_NOT_FOUND);
    assert_non_null(strstr(reason.text, "Mars/Olympus"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_context, close_context)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(rules_of_all_levels_hold),
        TEST(counting_goes_on_when_limits_change_and_over_a_rotation),
        TEST(the_former_secret_ends_with_the_key_if_that_ends_first),
        TEST(what_the_store_refused_is_dropped),
        TEST(want_of_memory_leaves_the_map_as_it_is),
        TEST(want_of_memory_leaves_no_part_of_a_user_or_a_team),
        TEST(a_change_that_the_store_refuses_leaves_rates_as_they_were),
        TEST(without_a_map_nothing_happens),
        TEST(a_start_fills_the_map_with_teams_users_and_both_secrets),
        TEST(what_weir_does_not_make_keeps_it_from_starting),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
