#include "admin/lookup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

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

#define ARENA_BYTES 65536

static void make(struct admin_context *context, const char *kind, const char *body)
{
    char path[64];
    (void)snprintf(path, sizeof(path), "/admin/v1/%s", kind);
    assert_int_equal(operate(context, "POST", path, body, NULL), 201);
}

static void make_teams(struct admin_context *context)
{
    make(context, "teams", "{\"name\":\"red\"}");
    make(context, "teams", "{\"name\":\"blue\"}");
    make(context, "users", "{\"name\":\"ruth\",\"team\":\"red\"}");
    make(context, "users", "{\"name\":\"ben\",\"team\":\"blue\"}");
    make(context, "users", "{\"name\":\"nobody's\"}");
    make(context, "keys", "{\"user\":\"ruth\",\"name\":\"hers\"}");
    make(context, "keys", "{\"user\":\"ruth\",\"name\":\"both\"}");
    make(context, "keys", "{\"user\":\"ben\",\"name\":\"both\"}");
    make(context, "keys", "{\"user\":\"ben\",\"name\":\"his\"}");
    make(context, "users", "{\"name\":\"rolf\",\"team\":\"red\"}");
    make(context, "keys", "{\"user\":\"rolf\",\"name\":\"twice\"}");
    make(context, "keys", "{\"user\":\"ruth\",\"name\":\"twice\"}");
}

/* An operation of the team's admin; the arena is the caller's. */
static struct operation as_admin_of(struct admin_context *context, const char *team,
                                    struct arena *arena)
{
    struct operation operation = {.context = context, .arena = arena, .now_us = data_dir_now_us};
    struct store_team found;
    arena_init(arena, NULL, 0, ARENA_BYTES);
    assert_int_equal(store_team_find(context->store, slice_from_text(team), arena, &found, NULL),
                     STATUS_OK);
    operation.actor = (struct operation_actor){.role = ROLE_TEAM_ADMIN, .team_id = found.id};
    return operation;
}

static void a_team_admin_finds_what_is_of_its_team(void **state)
{
    struct arena arena;
    make_teams(*state);
    struct operation red = as_admin_of(*state, "red", &arena);
    struct store_team team;
    struct store_user user;
    struct store_key key;
    assert_int_equal(lookup_team(&red, SLICE("red"), &team, NULL), STATUS_OK);
    assert_int_equal(lookup_user(&red, SLICE("ruth"), &user, NULL), STATUS_OK);
    assert_int_equal(lookup_key(&red, SLICE("hers"), &key, NULL), STATUS_OK);
    assert_memory_equal(lookup_own_team(&red), &team.id, sizeof(team.id));
    arena_fini(&arena);
}

static void all_else_is_not_there_in_the_same_words(void **state)
{
    struct arena arena;
    make_teams(*state);
    struct operation red = as_admin_of(*state, "red", &arena);
    struct store_team team;
    struct store_user user;
    struct store_key key;
    struct reason reason = {""};
    assert_int_equal(lookup_team(&red, SLICE("blue"), &team, &reason), STATUS_NOT_FOUND);
    assert_string_equal(reason.text, "there is no team blue");
    assert_int_equal(lookup_team(&red, SLICE("gone"), &team, &reason), STATUS_NOT_FOUND);
    assert_string_equal(reason.text, "there is no team gone");
    assert_int_equal(lookup_user(&red, SLICE("ben"), &user, &reason), STATUS_NOT_FOUND);
    assert_string_equal(reason.text, "there is no user ben");
    assert_int_equal(lookup_user(&red, SLICE("gone"), &user, &reason), STATUS_NOT_FOUND);
    assert_string_equal(reason.text, "there is no user gone");
    assert_int_equal(lookup_user(&red, SLICE("nobody's"), &user, &reason), STATUS_NOT_FOUND);
    assert_int_equal(lookup_key(&red, SLICE("his"), &key, &reason), STATUS_NOT_FOUND);
    assert_string_equal(reason.text, "there is no key his");
    assert_int_equal(lookup_key(&red, SLICE("gone"), &key, &reason), STATUS_NOT_FOUND);
    assert_string_equal(reason.text, "there is no key gone");
    arena_fini(&arena);
}

static void a_name_that_another_team_has_too_finds_ones_own(void **state)
{
    struct arena arena;
    make_teams(*state);
    struct operation red = as_admin_of(*state, "red", &arena);
    struct store_key key;
    struct reason reason = {""};
    assert_int_equal(lookup_key(&red, SLICE("both"), &key, &reason), STATUS_OK);
    assert_memory_equal(&key.team_id, lookup_own_team(&red), sizeof(key.team_id));
    assert_int_equal(lookup_key(&red, SLICE("twice"), &key, &reason), STATUS_EXISTS);
    assert_string_equal(reason.text, "several keys are named twice; give the id instead");
    arena_fini(&arena);
}

static void whoever_sees_all_teams_finds_everything(void **state)
{
    struct arena arena;
    make_teams(*state);
    struct operation all = as_admin_of(*state, "red", &arena);
    struct store_user user;
    struct store_key key;
    for (int role = ROLE_VIEWER; role <= ROLE_ADMIN; role++) {
        all.actor.role = (enum role)role;
        assert_null(lookup_own_team(&all));
        assert_int_equal(lookup_user(&all, SLICE("ben"), &user, NULL), STATUS_OK);
        assert_int_equal(lookup_user(&all, SLICE("nobody's"), &user, NULL), STATUS_OK);
        assert_int_equal(lookup_key(&all, SLICE("both"), &key, NULL), STATUS_EXISTS);
    }
    arena_fini(&arena);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_context, close_context)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_team_admin_finds_what_is_of_its_team),
        TEST(all_else_is_not_there_in_the_same_words),
        TEST(a_name_that_another_team_has_too_finds_ones_own),
        TEST(whoever_sees_all_teams_finds_everything),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
