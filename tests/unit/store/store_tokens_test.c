#include "store/store_tokens.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "unit/store/sqlite/database.h"

static char arena_memory[8192];
static struct arena arena;

static int open_store(void **state)
{
    if (database_make_folder(state) != 0)
        return -1;
    arena_init(&arena, arena_memory, sizeof(arena_memory), 65536);
    *state = database_open();
    return 0;
}

static int close_store(void **state)
{
    struct store *store = *state;
    store_close(&store);
    arena_fini(&arena);
    return database_remove_folder(state);
}

static struct store_token make_token(unsigned number, const char *name)
{
    struct store_token token = {.id = database_id(number),
                                .name = slice_from_text(name),
                                .hint = SLICE("wxyz"),
                                .role = SLICE("operator"),
                                .created_at_us = 1000,
                                .updated_at_us = 2000};
    token.hash[0] = (unsigned char)number;
    return token;
}

static enum status find(struct store *store, const char *id_or_name, struct store_token *token_out)
{
    return store_token_find(store, slice_from_text(id_or_name), &arena, token_out, NULL);
}

static void a_token_is_found_by_name_and_by_id_with_all_that_was_stored(void **state)
{
    struct store_token token = make_token(1, "ci"), found;
    char id[ID_TEXT_SIZE + 1] = "";
    token.expires_at_us = 5000;
    assert_int_equal(store_token_create(*state, &token, NULL), STATUS_OK);
    id_format(&token.id, id);
    const char *const names[] = {"ci", id};
    for (int i = 0; i < 2; i++) {
        assert_int_equal(find(*state, names[i], &found), STATUS_OK);
        assert_memory_equal(&found.id, &token.id, sizeof(token.id));
        assert_memory_equal(found.hash, token.hash, STORE_HASH_SIZE);
        assert_true(slice_equal(found.name, token.name));
        assert_true(slice_equal(found.hint, token.hint));
        assert_true(slice_equal(found.role, token.role));
        assert_null(found.team_name.data);
        assert_int_equal(found.expires_at_us, 5000);
        assert_int_equal(found.revoked_at_us, 0);
        assert_int_equal(found.created_at_us, 1000);
        assert_int_equal(found.updated_at_us, 2000);
        assert_int_equal(found.last_used_at_us, 0);
    }
    assert_int_equal(find(*state, "CI", &found), STATUS_NOT_FOUND);
    assert_int_equal(find(*state, "' OR 1=1 --", &found), STATUS_NOT_FOUND);
}

static void a_name_is_taken_until_its_token_is_revoked(void **state)
{
    struct store_token first = make_token(1, "ci"), second = make_token(2, "ci"), found;
    struct store_token third = make_token(3, "ci");
    struct reason reason = {""};
    assert_int_equal(store_token_create(*state, &first, NULL), STATUS_OK);
    assert_int_equal(store_token_create(*state, &second, &reason), STATUS_EXISTS);
    assert_string_equal(reason.text, "there is a token named ci already");
    first.revoked_at_us = 3000;
    assert_int_equal(store_token_update(*state, &first, NULL), STATUS_OK);
    assert_int_equal(store_token_create(*state, &second, NULL), STATUS_OK);
    assert_int_equal(find(*state, "ci", &found), STATUS_OK);
    assert_memory_equal(&found.id, &second.id, sizeof(found.id));
    /* Of two that were revoked only an id tells which is meant. */
    second.revoked_at_us = 3000;
    assert_int_equal(store_token_update(*state, &second, NULL), STATUS_OK);
    assert_int_equal(find(*state, "ci", &found), STATUS_EXISTS);
    third.hash[0] = 1;
    assert_int_equal(store_token_create(*state, &third, NULL), STATUS_EXISTS);
}

static void a_team_admin_has_a_team_and_nobody_else(void **state)
{
    struct store_token token = make_token(1, "t");
    token.role = SLICE("team_admin");
    token.team_id = database_id(9);
    assert_int_equal(store_token_create(*state, &token, NULL), STATUS_NOT_FOUND);
    token.team_id = (struct id){{0}};
    assert_int_not_equal(store_token_create(*state, &token, NULL), STATUS_OK);
    token.role = SLICE("owner");
    assert_int_not_equal(store_token_create(*state, &token, NULL), STATUS_OK);
}

static enum status count(void *context, const struct store_token *token)
{
    unsigned *numbers = context;
    numbers[0]++;
    numbers[1] = token->hash[0];
    return STATUS_OK;
}

static void lists_come_in_pages_and_loads_pass_over_the_revoked(void **state)
{
    struct store_page page = {.limit = 3};
    unsigned seen[2] = {0};
    for (unsigned i = 1; i <= 5; i++) {
        const char name[] = {(char)('a' + i), '\0'};
        struct store_token token = make_token(i, name);
        token.revoked_at_us = i % 2 == 0 ? 3000 : 0;
        assert_int_equal(store_token_create(*state, &token, NULL), STATUS_OK);
    }
    assert_int_equal(store_tokens_list(*state, &page, count, seen, NULL), STATUS_OK);
    assert_int_equal(seen[0], 3);
    page.after = database_id(seen[1]);
    assert_int_equal(store_tokens_list(*state, &page, count, seen, NULL), STATUS_OK);
    assert_int_equal(seen[0], 5);
    seen[0] = 0;
    assert_int_equal(store_tokens_load(*state, count, seen, NULL), STATUS_OK);
    assert_int_equal(seen[0], 3);
}

static void the_last_use_only_moves_forward(void **state)
{
    const struct store_token token = make_token(1, "ci");
    struct store_token found;
    assert_int_equal(store_token_create(*state, &token, NULL), STATUS_OK);
    const uint64_t times[] = {7000, 6000};
    for (int i = 0; i < 2; i++) {
        const struct store_use use = {token.id, times[i]};
        assert_int_equal(store_token_used(*state, &use, NULL), STATUS_OK);
    }
    assert_int_equal(find(*state, "ci", &found), STATUS_OK);
    assert_int_equal(found.last_used_at_us, 7000);
    const struct store_use unknown = {database_id(8), 1};
    assert_int_equal(store_token_used(*state, &unknown, NULL), STATUS_OK);
}

static void what_is_gone_cannot_be_changed(void **state)
{
    const struct store_token token = make_token(1, "ci");
    struct reason reason = {""};
    assert_int_equal(store_token_create(*state, &token, NULL), STATUS_OK);
    assert_int_equal(store_token_delete(*state, &token.id, NULL), STATUS_OK);
    assert_int_equal(store_token_delete(*state, &token.id, &reason), STATUS_NOT_FOUND);
    assert_string_equal(reason.text, "there is no such token any more");
    assert_int_equal(store_token_update(*state, &token, NULL), STATUS_NOT_FOUND);
}

static void reading_without_memory_is_told(void **state)
{
    const struct store_token token = make_token(1, "ci");
    struct store_token found;
    struct arena full;
    assert_int_equal(store_token_create(*state, &token, NULL), STATUS_OK);
    arena_init(&full, NULL, 0, 0);
    assert_int_equal(store_token_find(*state, SLICE("ci"), &full, &found, NULL), STATUS_NO_MEMORY);
    arena_fini(&full);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_store, close_store)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_token_is_found_by_name_and_by_id_with_all_that_was_stored),
        TEST(a_name_is_taken_until_its_token_is_revoked),
        TEST(a_team_admin_has_a_team_and_nobody_else),
        TEST(lists_come_in_pages_and_loads_pass_over_the_revoked),
        TEST(the_last_use_only_moves_forward),
        TEST(what_is_gone_cannot_be_changed),
        TEST(reading_without_memory_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
