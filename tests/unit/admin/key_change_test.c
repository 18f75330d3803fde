#include "admin/key_change.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "admin/user_change.h"
#include "base/alloc.h"
#include "identity/access.h"
#include "policy/level.h"
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

static struct store_key key_of_ada(struct admin_context *context)
{
    const struct store_user user = {.id = {{1}}, .name = SLICE("ada"), .created_at_us = 1};
    assert_int_equal(user_enter(context, &user, NULL), STATUS_OK);
    return (struct store_key){
        .id = {{2}}, .user_id = user.id, .user_name = user.name, .created_at_us = 1};
}

static void an_entered_key_is_in_the_store_and_in_the_map(void **state)
{
    struct admin_context *context = *state;
    struct store_key key = key_of_ada(context), found;
    char memory[512];
    struct arena arena;
    arena_init(&arena, memory, sizeof(memory), 0);
    assert_int_equal(key_enter(context, SLICE("0123456789abcdef"), &key, NULL), STATUS_OK);
    assert_true(slice_equal(key.hint, SLICE("cdef")));
    assert_int_equal(identity_map_key_count(context->map), 1);
    assert_int_equal(store_key_find_hash(context->store, key.hash, &arena, &found, NULL),
                     STATUS_OK);
    arena_fini(&arena);
}

static void what_cannot_be_a_key_enters_nowhere(void **state)
{
    struct admin_context *context = *state;
    struct store_key key = key_of_ada(context);
    assert_int_equal(key_enter(context, SLICE("short"), &key, NULL), STATUS_INVALID);
    assert_int_equal(identity_map_key_count(context->map), 0);
}

static void what_the_store_refuses_does_not_reach_the_map(void **state)
{
    struct admin_context *context = *state;
    struct store_key key = key_of_ada(context);
    const struct store_key before = key;
    assert_int_equal(store_user_delete(context->store, &key.user_id, NULL, NULL), STATUS_OK);
    assert_int_equal(key_enter(context, SLICE("0123456789abcdef"), &key, NULL), STATUS_NOT_FOUND);
    assert_int_equal(identity_map_key_count(context->map), 0);
    assert_int_equal(key_change(context, SLICE("key.set"), &before, &key, NULL), STATUS_NOT_FOUND);
    assert_int_equal(identity_map_key_count(context->map), 0);
}

/* The map is asked first: without memory for the entry the store is not touched. */
static void what_the_map_cannot_hold_does_not_reach_the_store(void **state)
{
    struct admin_context *context = *state;
    struct store_key key = key_of_ada(context), found;
    char memory[512];
    struct arena arena;
    arena_init(&arena, memory, sizeof(memory), 0);
    key.rules.limits = SLICE("60req/min"); /* the level, the rules and the entry */
    for (int nth = 0; nth < 3; nth++) {
        alloc_fail_nth(nth);
        assert_int_equal(key_enter(context, SLICE("0123456789abcdef"), &key, NULL),
                         STATUS_NO_MEMORY);
        alloc_fail_nth(-1);
        assert_int_equal(counters_used(context->counters), 0);
        assert_int_equal(store_key_find_hash(context->store, key.hash, &arena, &found, NULL),
                         STATUS_NOT_FOUND);
    }
    arena_fini(&arena);
}

/* What a secret is worth at the moment. */
static enum identity_verdict verdict(struct admin_context *context, const char *secret)
{
    unsigned char hash[KEY_HASH_SIZE];
    assert_int_equal(key_hasher_hash(context->hasher, slice_from_text(secret), hash), STATUS_OK);
    const struct identity_key *key = identity_map_find_key(context->map, hash);
    return key != NULL ? identity_check(key, data_dir_now_us) : IDENTITY_VERDICT_REVOKED;
}

#define FIRST  "first-0123456789"
#define SECOND "second-0123456789"
#define THIRD  "third-0123456789"

static void a_rotated_key_has_two_secrets_until_the_former_one_ends(void **state)
{
    struct admin_context *context = *state;
    struct store_key key = key_of_ada(context);
    assert_int_equal(key_enter(context, SLICE(FIRST), &key, NULL), STATUS_OK);
    assert_int_equal(key_rotate(context, SLICE(SECOND), data_dir_now_us + 100, &key, NULL),
                     STATUS_OK);
    assert_int_equal(identity_map_key_count(context->map), 2);
    assert_int_equal(verdict(context, FIRST), IDENTITY_VERDICT_VALID);
    assert_int_equal(verdict(context, SECOND), IDENTITY_VERDICT_VALID);
    data_dir_now_us += 100;
    assert_int_equal(verdict(context, FIRST), IDENTITY_VERDICT_EXPIRED);
    assert_int_equal(verdict(context, SECOND), IDENTITY_VERDICT_VALID);
}

static void what_is_done_to_a_rotated_key_is_done_to_both_secrets(void **state)
{
    struct admin_context *context = *state;
    struct store_key key = key_of_ada(context);
    assert_int_equal(key_enter(context, SLICE(FIRST), &key, NULL), STATUS_OK);
    assert_int_equal(key_rotate(context, SLICE(SECOND), data_dir_now_us + 100, &key, NULL),
                     STATUS_OK);
    const struct store_key before = key;
    key.disabled = true;
    assert_int_equal(key_change(context, SLICE("key.disable"), &before, &key, NULL), STATUS_OK);
    assert_int_equal(verdict(context, FIRST), IDENTITY_VERDICT_DISABLED);
    assert_int_equal(verdict(context, SECOND), IDENTITY_VERDICT_DISABLED);
}

static void rotating_again_or_without_overlap_ends_the_former_secret_at_once(void **state)
{
    struct admin_context *context = *state;
    struct store_key key = key_of_ada(context), other;
    assert_int_equal(key_enter(context, SLICE(FIRST), &key, NULL), STATUS_OK);
    assert_int_equal(key_rotate(context, SLICE(SECOND), data_dir_now_us + 100, &key, NULL),
                     STATUS_OK);
    assert_int_equal(key_rotate(context, SLICE(THIRD), data_dir_now_us, &key, NULL), STATUS_OK);
    assert_int_equal(identity_map_key_count(context->map), 1);
    assert_int_equal(verdict(context, FIRST), IDENTITY_VERDICT_REVOKED);
    assert_int_equal(verdict(context, SECOND), IDENTITY_VERDICT_REVOKED);
    assert_int_equal(verdict(context, THIRD), IDENTITY_VERDICT_VALID);
    /* It cannot be entered anew: whoever still has it shall not get in. */
    other = (struct store_key){.id = {{3}}, .user_id = key.user_id, .user_name = key.user_name};
    assert_int_equal(key_enter(context, SLICE(SECOND), &other, NULL), STATUS_EXISTS);
    assert_int_equal(verdict(context, SECOND), IDENTITY_VERDICT_REVOKED);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_context, close_context)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_entered_key_is_in_the_store_and_in_the_map),
        TEST(what_cannot_be_a_key_enters_nowhere),
        TEST(what_the_store_refuses_does_not_reach_the_map),
        TEST(what_the_map_cannot_hold_does_not_reach_the_store),
        TEST(a_rotated_key_has_two_secrets_until_the_former_one_ends),
        TEST(what_is_done_to_a_rotated_key_is_done_to_both_secrets),
        TEST(rotating_again_or_without_overlap_ends_the_former_secret_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
