#include "admin/seed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "gateway/snapshot_levels.h"
#include "policy/admission.h"
#include "unit/admin/data_dir.h"
#include "unit/config/loading.h"

static const struct id team_id = {{1}}, user_id = {{2}}, key_id = {{3}}, other_id = {{4}};

static const char yaml[] = "providers:\n"
                           "  ours: { base_url: http://ours/v1, api_key: k, limits: [4usd/day] }\n"
                           "models:\n"
                           "  - { name: 'big*', targets: [ours], limits: [5usd/total, 9req/min] }\n"
                           "  - { name: '*', targets: [ours] }\n"
                           "limits: [6usd/month]\n";

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
    snapshot_unref(&context->snapshot);
    admin_context_close(&context);
    return data_dir_remove(state);
}

static void make(struct admin_context *context, const char *path, const char *body)
{
    assert_int_equal(operate(context, "POST", path, body, NULL), 201);
}

/* What the key of that user spent in an hour before now. */
static void spend(struct admin_context *context, const struct id *key, const struct id *user,
                  const char *model, uint64_t hours_ago, int64_t cost_nanousd)
{
    const struct store_sum sum = {
        .hour_us = data_dir_now_us / STORE_HOUR_US * STORE_HOUR_US - hours_ago * STORE_HOUR_US,
        .key_id = *key,
        .user_id = *user,
        .team_id = team_id,
        .model = slice_from_text(model),
        .provider = SLICE("ours"),
        .requests = 1,
        .cost_nanousd = cost_nanousd,
    };
    assert_int_equal(store_begin(context->store, NULL), STATUS_OK);
    assert_int_equal(store_sum_add(context->store, &sum, NULL), STATUS_OK);
    assert_int_equal(store_commit(context->store, NULL), STATUS_OK);
}

static uint64_t spent(const struct level *level, size_t index, const struct zone *zone)
{
    struct level_state state;
    level_state(level, index, zone, 1, data_dir_now_us, &state);
    return state.used;
}

static void use_snapshot(struct admin_context *context)
{
    static struct loading loading;
    struct reason reason;
    loading = (struct loading){0};
    const struct config *config = config_ref(loading_sound(&loading, yaml));
    loading_end(&loading);
    snapshot_unref(&context->snapshot);
    assert_int_equal(snapshot_create_for_prices(&config, &context->snapshot, &reason), STATUS_OK);
    assert_int_equal(snapshot_levels_make(context->snapshot, context->counters, NULL), STATUS_OK);
}

static struct level *level_of_limits(struct admin_context *context, const char *text)
{
    struct limits limits;
    struct level *level;
    assert_int_equal(limits_parse(slice_from_text(text), &limits, NULL), STATUS_OK);
    assert_int_equal(level_create(context->counters, &limits, false, NULL, &level), STATUS_OK);
    return level;
}

static void a_new_budget_begins_with_what_its_window_has_seen(void **state)
{
    struct admin_context *context = *state;
    struct level *level = level_of_limits(context, "1usd/day,1usd/month,1usd/total,9req/min");
    const struct seed_owner owner = {STORE_GROUP_KEY, &key_id, NULL, false};
    spend(context, &key_id, &user_id, "big", 1, 3);         /* today */
    spend(context, &key_id, &user_id, "big", 20, 40);       /* yesterday */
    spend(context, &key_id, &user_id, "big", 24 * 40, 500); /* the month before last */
    spend(context, &other_id, &user_id, "big", 1, 7000);
    assert_int_equal(seed_level(context, &owner, level, NULL, NULL), STATUS_OK);
    assert_int_equal(spent(level, 0, NULL), 3);
    assert_int_equal(spent(level, 1, NULL), 43);
    assert_int_equal(spent(level, 2, NULL), 543);
    level_unref(&level);
}

static void a_day_is_that_of_the_zone(void **state)
{
    struct admin_context *context = *state;
    struct level *level = level_of_limits(context, "1usd/day");
    const struct zone *zone;
    assert_int_equal(zone_find(SLICE("Pacific/Auckland"), &zone, NULL), STATUS_OK);
    const struct seed_owner owner = {STORE_GROUP_KEY, &key_id, zone, false};
    spend(context, &key_id, &user_id, "big", 0, 3);  /* 12:00 UTC: 01:00 of the next day there */
    spend(context, &key_id, &user_id, "big", 2, 40); /* 10:00 UTC: 23:00 of the day before */
    assert_int_equal(seed_level(context, &owner, level, NULL, NULL), STATUS_OK);
    assert_int_equal(spent(level, 0, zone), 3);
    level_unref(&level);
}

static void what_the_former_level_counts_is_not_added_again(void **state)
{
    struct admin_context *context = *state;
    struct level *former = level_of_limits(context, "1usd/day");
    struct level *level;
    struct limits limits;
    const struct seed_owner owner = {STORE_GROUP_KEY, &key_id, NULL, false};
    spend(context, &key_id, &user_id, "big", 1, 3);
    assert_int_equal(seed_level(context, &owner, former, NULL, NULL), STATUS_OK);
    assert_int_equal(limits_parse(SLICE("2usd/day,9usd/total"), &limits, NULL), STATUS_OK);
    assert_int_equal(level_create(context->counters, &limits, false, former, &level), STATUS_OK);
    assert_int_equal(seed_level(context, &owner, level, former, NULL), STATUS_OK);
    assert_int_equal(spent(level, 0, NULL), 3);
    assert_int_equal(spent(level, 1, NULL), 3);
    level_unref(&level);
    level_unref(&former);
}

static void at_the_start_everybody_begins_with_the_ledger(void **state)
{
    struct admin_context *context = *state;
    char id[ID_TEXT_SIZE + 1] = "";
    const char *answer;
    struct id team, user, key;
    make(context, "/admin/v1/teams", "{\"name\":\"t\",\"budgets\":[\"9usd/month\"]}");
    make(context, "/admin/v1/users",
         "{\"name\":\"u\",\"team\":\"t\",\"budgets\":[\"9usd/total\"]}");
    assert_int_equal(operate(context, "POST", "/admin/v1/keys",
                             "{\"user\":\"u\",\"name\":\"k\",\"budgets\":[\"9usd/day\"]}", &answer),
                     201);
    answer_member(answer, "id", id, sizeof(id));
    assert_int_equal(id_parse(slice_of(id, ID_TEXT_SIZE), &key), STATUS_OK);
    operate(context, "GET", "/admin/v1/users/u", "", &answer);
    answer_member(answer, "id", id, sizeof(id));
    assert_int_equal(id_parse(slice_of(id, ID_TEXT_SIZE), &user), STATUS_OK);
    operate(context, "GET", "/admin/v1/teams/t", "", &answer);
    answer_member(answer, "id", id, sizeof(id));
    assert_int_equal(id_parse(slice_of(id, ID_TEXT_SIZE), &team), STATUS_OK);
    struct store_sum sum = {.hour_us = data_dir_now_us / STORE_HOUR_US * STORE_HOUR_US,
                            .key_id = key,
                            .user_id = user,
                            .team_id = team,
                            .model = SLICE("big-one"),
                            .provider = SLICE("ours"),
                            .requests = 1,
                            .cost_nanousd = 77};
    assert_int_equal(store_begin(context->store, NULL), STATUS_OK);
    assert_int_equal(store_sum_add(context->store, &sum, NULL), STATUS_OK);
    sum.hour_us -= 24 * STORE_HOUR_US;
    assert_int_equal(store_sum_add(context->store, &sum, NULL), STATUS_OK);
    assert_int_equal(store_commit(context->store, NULL), STATUS_OK);

    admin_context_close(&context);
    *state = context = data_dir_open(true);
    use_snapshot(context);
    assert_true(seed_is_needed(context, context->snapshot));
    assert_int_equal(seed_all_levels(context, context->snapshot, NULL), STATUS_OK);
    const struct identity_team *held_team = identity_map_find_team(context->map, &team);
    const struct identity_user *held_user = identity_map_find_user(context->map, &user);
    assert_int_equal(spent(identity_rules_level(identity_team_rules(held_team)), 0, NULL), 154);
    assert_int_equal(spent(identity_rules_level(identity_user_rules(held_user)), 0, NULL), 154);
    assert_int_equal(operate(context, "GET", "/admin/v1/budgets?level=key", "", &answer), 200);
    assert_non_null(strstr(answer, "\"spent_nanousd\":77,"));
    const struct snapshot_levels *levels = &context->snapshot->levels;
    assert_int_equal(spent(levels->rules[0], 0, NULL), 154);
    assert_null(levels->rules[1]);
    assert_int_equal(spent(levels->providers[0], 0, NULL), 77);
    assert_int_equal(spent(levels->gateway, 0, NULL), 154);
}

static void without_a_budget_nothing_is_needed(void **state)
{
    struct admin_context *context = *state;
    use_snapshot(context);
    assert_true(seed_is_needed(context, context->snapshot));
    snapshot_unref(&context->snapshot);
    static struct loading loading;
    struct reason reason;
    loading = (struct loading){0};
    const struct config *config = config_ref(loading_sound(&loading, "limits: [9req/min]\n"));
    loading_end(&loading);
    assert_int_equal(snapshot_create_for_prices(&config, &context->snapshot, &reason), STATUS_OK);
    assert_int_equal(snapshot_levels_make(context->snapshot, context->counters, NULL), STATUS_OK);
    assert_false(seed_is_needed(context, context->snapshot));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_context, close_context)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_new_budget_begins_with_what_its_window_has_seen),
        TEST(a_day_is_that_of_the_zone),
        TEST(what_the_former_level_counts_is_not_added_again),
        TEST(at_the_start_everybody_begins_with_the_ledger),
        TEST(without_a_budget_nothing_is_needed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
