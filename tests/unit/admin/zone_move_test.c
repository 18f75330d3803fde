#include "admin/zone_move.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "admin/map_follow.h"
#include "base/alloc.h"
#include "base/clock.h"
#include "store/store_usage.h"
#include "unit/admin/data_dir.h"

static const struct id team_id = {{1}}, user_id = {{2}}, key_id = {{3}}, other_id = {{4}};
static const unsigned char hash[KEY_HASH_SIZE] = {1}, former_hash[KEY_HASH_SIZE] = {2};

/* The clock says 12:00 UTC. What the key spent then belongs in Auckland to the day that began an hour
 * ago; what it spent at 10:00, to the day before. */
static void spend(struct admin_context *context, uint64_t hours_ago, int64_t cost_nanousd)
{
    const struct store_sum sum = {
        .hour_us = data_dir_now_us / STORE_HOUR_US * STORE_HOUR_US - hours_ago * STORE_HOUR_US,
        .key_id = key_id,
        .user_id = user_id,
        .team_id = team_id,
        .model = SLICE("gpt"),
        .provider = SLICE("ours"),
        .requests = 1,
        .cost_nanousd = cost_nanousd,
    };
    assert_int_equal(store_begin(context->store, NULL), STATUS_OK);
    assert_int_equal(store_sum_add(context->store, &sum, NULL), STATUS_OK);
    assert_int_equal(store_commit(context->store, NULL), STATUS_OK);
}

static void put_user(struct admin_context *context, const struct id *id)
{
    struct map_change change;
    const struct store_user user = {.id = *id,
                                    .name = SLICE("ada"),
                                    .team_id = team_id,
                                    .rules = {.limits = SLICE("9usd/day")}};
    assert_int_equal(map_prepare_user(context, &user, &change, NULL), STATUS_OK);
    assert_int_equal(map_end(&change, STATUS_OK), STATUS_OK);
}

/* A team with a user, whose key is being rotated, and another user of no team. */
static int open_context(void **state)
{
    struct map_change change;
    if (data_dir_make(state) != 0)
        return -1;
    struct admin_context *context = *state = data_dir_open(true);
    const struct store_team team = {
        .id = team_id, .name = SLICE("a"), .rules = {.limits = SLICE("9usd/day,5req/min")}};
    struct store_key key = {.id = key_id,
                            .user_id = user_id,
                            .rules = {.limits = SLICE("9usd/day,9usd/total")},
                            .former_until_us = data_dir_now_us + STORE_HOUR_US};
    memcpy(key.hash, hash, sizeof(hash));
    memcpy(key.former_hash, former_hash, sizeof(former_hash));
    if (map_prepare_team(context, &team, &change, NULL) != STATUS_OK ||
        map_end(&change, STATUS_OK) != STATUS_OK)
        return -1;
    put_user(context, &user_id);
    if (map_prepare_key(context, NULL, &key, &change, NULL) != STATUS_OK ||
        map_end(&change, STATUS_OK) != STATUS_OK)
        return -1;
    spend(context, 0, 3);
    spend(context, 2, 40);
    return 0;
}

static int close_context(void **state)
{
    struct admin_context *context = *state;
    admin_context_close(&context);
    return data_dir_remove(state);
}

static const struct zone *auckland(void)
{
    const struct zone *zone;
    assert_int_equal(zone_find(SLICE("Pacific/Auckland"), &zone, NULL), STATUS_OK);
    return zone;
}

static const struct identity_team *team_of(const struct admin_context *context)
{
    return identity_map_find_team(context->map, &team_id);
}

static const struct identity_user *user_of(const struct admin_context *context)
{
    return identity_map_find_user(context->map, &user_id);
}

static uint64_t spent(const struct identity_rules *rules, const struct zone *zone)
{
    struct level_state state;
    level_state(identity_rules_level(rules), 0, zone, 1, data_dir_now_us, &state);
    return state.used;
}

static const struct identity_rules *key_rules(const struct admin_context *context)
{
    return identity_map_find_key(context->map, hash)->rules;
}

static void a_team_takes_its_users_and_their_keys_along(void **state)
{
    struct admin_context *context = *state;
    struct zone_move move;
    assert_int_equal(zone_move_prepare_team(context, team_of(context), auckland(), &move, NULL),
                     STATUS_OK);
    assert_int_equal(spent(identity_team_rules(team_of(context)), auckland()), 0);
    zone_move_apply(&move);
    zone_move_apply(&move); /* once more comes to the same */
    zone_move_free(&move);
    assert_int_equal(spent(identity_team_rules(team_of(context)), auckland()), 3);
    assert_int_equal(spent(identity_user_rules(user_of(context)), auckland()), 3);
    assert_int_equal(spent(key_rules(context), auckland()), 3);
}

static void a_user_takes_its_keys_along_and_nobody_else(void **state)
{
    struct admin_context *context = *state;
    struct zone_move move;
    put_user(context, &other_id);
    assert_int_equal(zone_move_prepare_user(context, user_of(context), auckland(), &move, NULL),
                     STATUS_OK);
    zone_move_apply(&move);
    zone_move_free(&move);
    assert_int_equal(spent(identity_team_rules(team_of(context)), auckland()), 0);
    assert_int_equal(spent(identity_user_rules(user_of(context)), auckland()), 3);
    assert_int_equal(spent(key_rules(context), auckland()), 3);
}

static void the_same_zone_moves_nothing(void **state)
{
    struct admin_context *context = *state;
    struct zone_move move;
    assert_int_equal(zone_move_prepare_team(context, team_of(context), zone_utc(), &move, NULL),
                     STATUS_OK);
    assert_int_equal(move.count, 0);
    zone_move_free(&move);
    assert_int_equal(zone_move_prepare_user(context, user_of(context), NULL, &move, NULL),
                     STATUS_OK);
    assert_int_equal(move.count, 0);
    zone_move_free(&move);
    assert_int_equal(zone_move_prepare_release(context, team_of(context), &move, NULL), STATUS_OK);
    assert_int_equal(move.count, 0);
    zone_move_free(&move);
}

static void without_memory_nothing_is_changed(void **state)
{
    struct admin_context *context = *state;
    enum status status = STATUS_NO_MEMORY;
    for (int nth = 0; status != STATUS_OK; nth++) {
        struct zone_move move;
        alloc_fail_nth(nth);
        status = zone_move_prepare_team(context, team_of(context), auckland(), &move, NULL);
        alloc_fail_nth(-1);
        assert_true(status == STATUS_OK || status == STATUS_NO_MEMORY);
        zone_move_free(&move);
    }
    assert_int_equal(spent(identity_team_rules(team_of(context)), auckland()), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_context, close_context)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_team_takes_its_users_and_their_keys_along),
        TEST(a_user_takes_its_keys_along_and_nobody_else),
        TEST(the_same_zone_moves_nothing),
        TEST(without_memory_nothing_is_changed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
