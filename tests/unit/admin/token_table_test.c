#include "admin/token_table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "base/alloc.h"

#define NOW_US 1000

static struct store_token make_token(unsigned number, const char *name, const char *role)
{
    struct store_token token = {.name = slice_from_text(name), .role = slice_from_text(role)};
    (void)snprintf((char *)token.id.bytes, sizeof(token.id.bytes), "%u", number);
    (void)snprintf((char *)token.hash, sizeof(token.hash), "hash %u", number);
    return token;
}

static void enter(struct token_table *table, const struct store_token *token)
{
    assert_int_equal(token_table_reserve(table, NULL), STATUS_OK);
    token_table_put(table, token);
}

static struct token_table *make_table(void)
{
    struct token_table *table = NULL;
    assert_int_equal(token_table_create(&table), STATUS_OK);
    return table;
}

static bool lets_in(struct token_table *table, const struct store_token *token, uint64_t now_us)
{
    char name[TOKEN_ACTOR_BYTES_MAX];
    struct operation_actor actor;
    return token_table_find(table, token->hash, now_us, name, &actor) == STATUS_OK;
}

static void a_token_says_who_holds_it(void **state)
{
    (void)state;
    struct token_table *table = make_table();
    struct store_token token = make_token(1, "ci", "team_admin");
    char name[TOKEN_ACTOR_BYTES_MAX];
    struct operation_actor actor;
    token.team_id.bytes[0] = 7;
    enter(table, &token);
    assert_int_equal(token_table_find(table, token.hash, NOW_US, name, &actor), STATUS_OK);
    assert_int_equal(actor.role, ROLE_TEAM_ADMIN);
    assert_memory_equal(&actor.team_id, &token.team_id, sizeof(token.team_id));
    assert_true(slice_equal(actor.name, SLICE("token:ci")));
    token.hash[31] ^= 1;
    assert_false(lets_in(table, &token, NOW_US));
    token_table_destroy(&table);
    assert_null(table);
}

static void a_name_as_long_as_names_get_is_kept_whole(void **state)
{
    (void)state;
    struct token_table *table = make_table();
    char longest[TOKEN_NAME_BYTES_MAX + 1], name[TOKEN_ACTOR_BYTES_MAX];
    struct operation_actor actor;
    memset(longest, 'n', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    const struct store_token token = make_token(1, longest, "viewer");
    enter(table, &token);
    assert_int_equal(token_table_find(table, token.hash, NOW_US, name, &actor), STATUS_OK);
    assert_int_equal(actor.name.size, TOKEN_ACTOR_BYTES_MAX);
    token_table_destroy(&table);
}

static void an_expired_one_lets_nobody_in(void **state)
{
    (void)state;
    struct token_table *table = make_table();
    struct store_token token = make_token(1, "short", "admin");
    token.expires_at_us = NOW_US;
    enter(table, &token);
    assert_true(lets_in(table, &token, NOW_US - 1));
    assert_false(lets_in(table, &token, NOW_US));
    token_table_destroy(&table);
}

static void a_role_that_this_version_does_not_know_lets_nobody_in(void **state)
{
    (void)state;
    struct token_table *table = make_table();
    const struct store_token token = make_token(1, "odd", "owner");
    enter(table, &token);
    assert_false(lets_in(table, &token, NOW_US));
    token_table_destroy(&table);
}

static void what_is_removed_is_gone_alone(void **state)
{
    (void)state;
    struct token_table *table = make_table();
    struct store_token tokens[20];
    for (unsigned i = 0; i < 20; i++) {
        tokens[i] = make_token(i, "many", i < 10 ? "admin" : "team_admin");
        tokens[i].team_id.bytes[0] = i < 10 ? 0 : (unsigned char)(1 + i % 2);
        enter(table, &tokens[i]);
    }
    token_table_remove(table, &tokens[3].id);
    token_table_remove_team(table, &tokens[11].team_id);
    for (unsigned i = 0; i < 20; i++)
        assert_int_equal(lets_in(table, &tokens[i], NOW_US), i != 3 && (i < 10 || i % 2 == 0));
    token_table_destroy(&table);
}

static void each_use_is_taken_once_with_its_time(void **state)
{
    (void)state;
    struct token_table *table = make_table();
    const struct store_token a = make_token(1, "a", "admin"), b = make_token(2, "b", "viewer");
    struct store_use use;
    enter(table, &a);
    enter(table, &b);
    assert_false(token_table_take_used(table, &use));
    assert_true(lets_in(table, &b, NOW_US));
    assert_true(lets_in(table, &b, NOW_US + 5));
    assert_true(token_table_take_used(table, &use));
    assert_memory_equal(&use.key_id, &b.id, sizeof(b.id));
    assert_int_equal(use.used_at_us, NOW_US + 5);
    assert_false(token_table_take_used(table, &use));
    token_table_destroy(&table);
}

static void there_are_no_more_than_the_maximum(void **state)
{
    (void)state;
    struct token_table *table = make_table();
    struct reason reason = {""};
    for (unsigned i = 0; i < TOKEN_TABLE_MAX; i++) {
        const struct store_token token = make_token(i, "many", "viewer");
        enter(table, &token);
    }
    assert_int_equal(token_table_reserve(table, &reason), STATUS_LIMITED);
    assert_string_equal(reason.text, "there are 1000 tokens already; revoke some");
    const struct store_token first = make_token(0, "many", "viewer");
    token_table_remove(table, &first.id);
    assert_int_equal(token_table_reserve(table, NULL), STATUS_OK);
    token_table_destroy(&table);
}

static void without_memory_nothing_is_lost(void **state)
{
    (void)state;
    struct token_table *table = NULL;
    alloc_fail_nth(0);
    assert_int_equal(token_table_create(&table), STATUS_NO_MEMORY);
    alloc_fail_nth(-1);
    table = make_table();
    alloc_fail_nth(0);
    assert_int_equal(token_table_reserve(table, NULL), STATUS_NO_MEMORY);
    alloc_fail_nth(-1);
    const struct store_token token = make_token(1, "a", "admin");
    enter(table, &token);
    assert_true(lets_in(table, &token, NOW_US));
    token_table_destroy(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_token_says_who_holds_it),
        cmocka_unit_test(a_name_as_long_as_names_get_is_kept_whole),
        cmocka_unit_test(an_expired_one_lets_nobody_in),
        cmocka_unit_test(a_role_that_this_version_does_not_know_lets_nobody_in),
        cmocka_unit_test(what_is_removed_is_gone_alone),
        cmocka_unit_test(each_use_is_taken_once_with_its_time),
        cmocka_unit_test(there_are_no_more_than_the_maximum),
        cmocka_unit_test(without_memory_nothing_is_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
