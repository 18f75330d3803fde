#include "admin/team_change.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "admin/user_change.h"
#include "base/alloc.h"
#include "policy/level.h"
#include "unit/admin/data_dir.h"
#include "unit/admin/entries.h"

#define TEAM "01000000-0000-0000-0000-000000000000"

static int open_context(void **state)
{
    if (data_dir_make(state) != 0)
        return -1;
    struct admin_context *context = data_dir_open(true);
    context->actor = SLICE("uid=7");
    *state = context;
    return 0;
}

static int close_context(void **state)
{
    struct admin_context *context = *state;
    admin_context_close(&context);
    return data_dir_remove(state);
}

static struct store_team make_team(void)
{
    return (struct store_team){
        .id = {{1}}, .name = SLICE("research"), .created_at_us = 1, .updated_at_us = 1};
}

static void each_change_has_its_entry_and_reaches_the_map(void **state)
{
    struct admin_context *context = *state;
    struct store_team before = make_team(), team = before;
    uint64_t users = 0;
    assert_int_equal(team_enter(context, &before, NULL), STATUS_OK);
    const struct identity_team *held = identity_map_find_team(context->map, &team.id);
    assert_non_null(held);
    team.timezone = SLICE("UTC");
    team.rules.limits = SLICE("10usd/month");
    assert_int_equal(team_change(context, SLICE("team.set"), &before, &team, NULL), STATUS_OK);
    assert_non_null(identity_rules_level(identity_team_rules(held)));
    const struct store_user user = {
        .id = {{2}}, .name = SLICE("ada"), .team_id = team.id, .created_at_us = 1};
    assert_int_equal(user_enter(context, &user, NULL), STATUS_OK);
    assert_int_equal(team_remove(context, &team, &users, NULL), STATUS_OK);
    assert_int_equal(users, 1);
    assert_null(identity_map_find_team(context->map, &team.id));
    assert_null(identity_user_team(identity_map_find_user(context->map, &user.id)));
    assert_non_null(strstr(entries_of(context),
                           "uid=7 team.create " TEAM " {\"name\":\"research\"}\n"
                           "uid=7 team.set " TEAM " {\"name\":\"research\",\"timezone\":\"UTC\","
                           "\"limits\":[],\"budgets\":[\"10usd/month\"]}\n"));
    assert_non_null(strstr(entries_of(context), "uid=7 team.delete " TEAM
                                                " {\"name\":\"research\",\"users_released\":1}\n"));
}

static void what_the_store_refuses_has_no_entry_and_does_not_reach_the_map(void **state)
{
    struct admin_context *context = *state;
    const struct store_team before = make_team();
    struct store_team team = before;
    uint64_t users = 0;
    assert_int_equal(team_change(context, SLICE("team.set"), &before, &team, NULL),
                     STATUS_NOT_FOUND);
    assert_int_equal(team_remove(context, &team, &users, NULL), STATUS_NOT_FOUND);
    assert_null(identity_map_find_team(context->map, &team.id));
    assert_string_equal(entries_of(context), "");
    assert_int_equal(team_enter(context, &before, NULL), STATUS_OK);
    team.id.bytes[0] = 9;
    assert_int_equal(team_enter(context, &team, NULL), STATUS_EXISTS);
    assert_null(identity_map_find_team(context->map, &team.id));
    team = before;
    team.disabled = true;
    assert_int_equal(team_change(context, SLICE("team.disable"), &before, &team, NULL), STATUS_OK);
    assert_int_equal(team_change(context, SLICE("team.set"), &before, &team, NULL), STATUS_AGAIN);
}

static void what_the_map_cannot_hold_does_not_reach_the_store(void **state)
{
    struct admin_context *context = *state;
    struct store_team team = make_team(), found;
    char memory[512];
    struct arena arena;
    arena_init(&arena, memory, sizeof(memory), 0);
    team.rules.limits = SLICE("60req/min");
    for (int nth = 0; nth < 3; nth++) {
        alloc_fail_nth(nth);
        assert_int_equal(team_enter(context, &team, NULL), STATUS_NO_MEMORY);
        alloc_fail_nth(-1);
        assert_int_equal(counters_used(context->counters), 0);
        assert_int_equal(store_team_find(context->store, team.name, &arena, &found, NULL),
                         STATUS_NOT_FOUND);
    }
    arena_fini(&arena);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_context, close_context)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_change_has_its_entry_and_reaches_the_map),
        TEST(what_the_store_refuses_has_no_entry_and_does_not_reach_the_map),
        TEST(what_the_map_cannot_hold_does_not_reach_the_store),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
