#include "store/sqlite/operations.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "unit/store/ledger.h"

static char arena_memory[8192];
static struct arena arena;

static int open_store(void **state)
{
    if (database_make_folder(state) != 0)
        return -1;
    arena_init(&arena, arena_memory, sizeof(arena_memory), 0);
    *state = database_open();
    return 0;
}

static int close_store(void **state)
{
    struct store *store = *state;
    store_close(&store);
    return database_remove_folder(state);
}

static struct store_rules full_rules(void)
{
    return (struct store_rules){
        .models = SLICE("a,b*"),
        .routes = SLICE("/v1/chat*"),
        .networks = SLICE("10.0.0.0/8"),
        .tags = SLICE("x"),
        .limits = SLICE("60req/min,10usd/month"),
        .warn_only = true,
    };
}

static void assert_rules_equal(const struct store_rules *a, const struct store_rules *b)
{
    assert_true(slice_equal(a->models, b->models));
    assert_true(slice_equal(a->routes, b->routes));
    assert_true(slice_equal(a->networks, b->networks));
    assert_true(slice_equal(a->tags, b->tags));
    assert_true(slice_equal(a->limits, b->limits));
    assert_int_equal(a->warn_only, b->warn_only);
}

static struct store_team make_team(unsigned number, const char *name)
{
    return (struct store_team){.id = database_id(number),
                               .name = slice_from_text(name),
                               .created_at_us = 1000,
                               .updated_at_us = 2000};
}

static void add_team(struct store *store, unsigned number, const char *name)
{
    const struct store_team team = make_team(number, name);
    assert_int_equal(store_team_create(store, &team, NULL), STATUS_OK);
}

static enum status find_team(struct store *store, const char *name, struct store_team *team_out)
{
    return store_team_find(store, slice_from_text(name), &arena, team_out, NULL);
}

static void a_team_is_found_with_all_that_was_stored(void **state)
{
    struct store *store = *state;
    struct store_team team = make_team(1, "research"), found;
    char id[ID_TEXT_SIZE];
    team.disabled = true;
    team.timezone = SLICE("Europe/Berlin");
    team.rules = full_rules();
    assert_int_equal(store_team_create(store, &team, NULL), STATUS_OK);
    assert_int_equal(find_team(store, "research", &found), STATUS_OK);
    assert_memory_equal(&found.id, &team.id, sizeof(team.id));
    assert_true(found.disabled);
    assert_true(slice_equal(found.timezone, team.timezone));
    assert_rules_equal(&found.rules, &team.rules);
    assert_int_equal(found.created_at_us, 1000);
    assert_int_equal(found.updated_at_us, 2000);
    id_format(&team.id, id);
    assert_int_equal(store_team_find(store, slice_of(id, sizeof(id)), &arena, &found, NULL),
                     STATUS_OK);
    assert_true(slice_equal(found.name, team.name));
}

static void what_was_not_stored_is_null(void **state)
{
    struct store_team found;
    add_team(*state, 1, "research");
    assert_int_equal(find_team(*state, "research", &found), STATUS_OK);
    assert_null(found.timezone.data);
    assert_null(found.rules.models.data);
    assert_null(found.rules.limits.data);
    assert_false(found.rules.warn_only);
    assert_int_equal(find_team(*state, "other", &found), STATUS_NOT_FOUND);
}

static void names_and_ids_are_unique(void **state)
{
    struct reason reason = {""};
    add_team(*state, 1, "research");
    add_team(*state, 2, "sales");
    struct store_team team = make_team(3, "research");
    assert_int_equal(store_team_create(*state, &team, &reason), STATUS_EXISTS);
    assert_non_null(strstr(reason.text, "research"));
    team = make_team(1, "other");
    assert_int_equal(store_team_create(*state, &team, NULL), STATUS_EXISTS);
    team = make_team(2, "research");
    assert_int_equal(store_team_update(*state, &team, 0, NULL), STATUS_EXISTS);
}

static void an_update_writes_all_unless_it_changed_since_it_was_seen(void **state)
{
    struct reason reason = {""};
    struct store_team team = make_team(1, "renamed"), found;
    add_team(*state, 1, "research");
    team.disabled = true;
    team.timezone = SLICE("UTC");
    team.rules = full_rules();
    team.updated_at_us = 2001;
    team.created_at_us = 7;
    assert_int_equal(store_team_update(*state, &team, 1999, &reason), STATUS_AGAIN);
    assert_non_null(strstr(reason.text, "team"));
    assert_int_equal(find_team(*state, "research", &found), STATUS_OK);
    assert_int_equal(store_team_update(*state, &team, 2000, NULL), STATUS_OK);
    assert_int_equal(find_team(*state, "renamed", &found), STATUS_OK);
    assert_true(found.disabled);
    assert_rules_equal(&found.rules, &team.rules);
    assert_int_equal(found.updated_at_us, 2001);
    assert_int_equal(found.created_at_us, 1000);
    team.id = database_id(9);
    assert_int_equal(store_team_update(*state, &team, 0, NULL), STATUS_NOT_FOUND);
    assert_int_equal(store_team_update(*state, &team, 2000, NULL), STATUS_NOT_FOUND);
}

static void a_user_is_of_one_team_or_none(void **state)
{
    struct store *store = *state;
    struct store_user user = database_user(10, "ada"), found;
    add_team(store, 1, "research");
    user.team_id = database_id(1);
    user.rules = full_rules();
    assert_int_equal(store_user_create(store, &user, NULL), STATUS_OK);
    assert_int_equal(store_user_find(store, SLICE("ada"), &arena, &found, NULL), STATUS_OK);
    assert_true(slice_equal(found.team_name, SLICE("research")));
    assert_memory_equal(&found.team_id, &user.team_id, sizeof(user.team_id));
    assert_rules_equal(&found.rules, &user.rules);
    user.team_id = (struct id){{0}};
    assert_int_equal(store_user_update(store, &user, 0, NULL), STATUS_OK);
    assert_int_equal(store_user_find(store, SLICE("ada"), &arena, &found, NULL), STATUS_OK);
    assert_null(found.team_name.data);
    user.team_id = database_id(7);
    assert_int_equal(store_user_update(store, &user, 0, NULL), STATUS_NOT_FOUND);
    user = database_user(11, "bob");
    user.team_id = database_id(7);
    assert_int_equal(store_user_create(store, &user, NULL), STATUS_NOT_FOUND);
}

static void a_deleted_team_leaves_its_users_without_one(void **state)
{
    struct store *store = *state;
    struct store_user user = database_user(10, "ada"), found;
    uint64_t users = 99;
    const struct id team = database_id(1);
    add_team(store, 1, "research");
    database_add_user(store, 11, "bob");
    user.team_id = team;
    assert_int_equal(store_user_create(store, &user, NULL), STATUS_OK);
    assert_int_equal(store_team_delete(store, &team, 1500, &users, NULL), STATUS_OK);
    assert_int_equal(users, 1);
    assert_int_equal(store_user_find(store, SLICE("ada"), &arena, &found, NULL), STATUS_OK);
    assert_null(found.team_name.data);
    assert_int_equal(found.updated_at_us, 2001); /* later than before, whatever the clock says */
    assert_int_equal(store_user_find(store, SLICE("bob"), &arena, &found, NULL), STATUS_OK);
    assert_int_equal(found.updated_at_us, 2000);
    users = 99;
    assert_int_equal(store_team_delete(store, &team, 1500, &users, NULL), STATUS_NOT_FOUND);
    assert_int_equal(users, 99);
    add_team(store, 1, "research"); /* no transaction was left open */
}

static enum status note_team(void *context, const struct store_team *team)
{
    unsigned *seen = context;
    *seen = *seen * 10 + team->id.bytes[15];
    return STATUS_OK;
}

static enum status note_user(void *context, const struct store_user *user)
{
    unsigned *seen = context;
    *seen = *seen * 100 + user->id.bytes[15];
    return STATUS_OK;
}

static void lists_come_in_pages_and_users_by_their_team(void **state)
{
    struct store *store = *state;
    const struct id second = database_id(2);
    unsigned seen = 0;
    add_team(store, 3, "c");
    add_team(store, 1, "a");
    add_team(store, 2, "b");
    struct store_page page = {.limit = 2};
    assert_int_equal(store_teams_list(store, &page, note_team, &seen, NULL), STATUS_OK);
    assert_int_equal(seen, 12);
    page.after = database_id(2);
    assert_int_equal(store_teams_list(store, &page, note_team, &seen, NULL), STATUS_OK);
    assert_int_equal(seen, 123);

    for (unsigned i = 10; i < 16; i++) {
        struct store_user user = database_user(i, (const char[]){(char)('a' + i), '\0'});
        user.team_id = database_id(i % 2 == 0 ? 2 : 1);
        assert_int_equal(store_user_create(store, &user, NULL), STATUS_OK);
    }
    page = (struct store_page){.limit = 2};
    seen = 0;
    assert_int_equal(store_users_list(store, &second, &page, note_user, &seen, NULL), STATUS_OK);
    assert_int_equal(seen, 1012);
    page.after = database_id(12);
    assert_int_equal(store_users_list(store, &second, &page, note_user, &seen, NULL), STATUS_OK);
    assert_int_equal(seen, 101214);
}

static void a_key_knows_the_team_of_its_user(void **state)
{
    struct store *store = *state;
    struct store_user user = database_user(10, "ada");
    struct store_team team = make_team(1, "research");
    struct store_key found;
    team.disabled = true;
    assert_int_equal(store_team_create(store, &team, NULL), STATUS_OK);
    user.team_id = team.id;
    assert_int_equal(store_user_create(store, &user, NULL), STATUS_OK);
    database_add_key(store, 20, 10, "laptop");
    assert_int_equal(store_key_find(store, SLICE("laptop"), &arena, &found, NULL), STATUS_OK);
    assert_memory_equal(&found.team_id, &team.id, sizeof(team.id));
    assert_true(found.team_disabled);
}

static void a_report_knows_the_names_of_teams(void **state)
{
    struct store_usage row = ledger_usage(1), other = ledger_usage(2);
    struct ledger_lines lines = {.count = 0};
    const struct store_report report = {.by = STORE_GROUP_TEAM};
    add_team(*state, 1, "research");
    row.team_id = database_id(1);
    ledger_add(*state, &row);
    other.team_id = database_id(2); /* was deleted */
    other.cost_nanousd = 7;
    ledger_add(*state, &other);
    assert_int_equal(store_report(*state, &report, ledger_keep_line, &lines, NULL), STATUS_OK);
    assert_int_equal(lines.count, 2);
    assert_non_null(strstr(lines.text[0], "/research 1 1 0 1500"));
    assert_non_null(strstr(lines.text[1], "/ 1 1 0 7"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_store, close_store)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_team_is_found_with_all_that_was_stored),
        TEST(what_was_not_stored_is_null),
        TEST(names_and_ids_are_unique),
        TEST(an_update_writes_all_unless_it_changed_since_it_was_seen),
        TEST(a_user_is_of_one_team_or_none),
        TEST(a_deleted_team_leaves_its_users_without_one),
        TEST(lists_come_in_pages_and_users_by_their_team),
        TEST(a_key_knows_the_team_of_its_user),
        TEST(a_report_knows_the_names_of_teams),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
