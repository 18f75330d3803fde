#include "admin/key_change.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "admin/user_change.h"
#include "base/alloc.h"
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
    assert_int_equal(store_user_delete(context->store, &key.user_id, NULL, NULL), STATUS_OK);
    assert_int_equal(key_enter(context, SLICE("0123456789abcdef"), &key, NULL), STATUS_NOT_FOUND);
    assert_int_equal(identity_map_key_count(context->map), 0);
    assert_int_equal(key_change(context, SLICE("key.set"), &key, NULL), STATUS_NOT_FOUND);
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
    key.models = SLICE("a"); /* the rules and the entry */
    for (int nth = 0; nth < 2; nth++) {
        alloc_fail_nth(nth);
        assert_int_equal(key_enter(context, SLICE("0123456789abcdef"), &key, NULL),
                         STATUS_NO_MEMORY);
        alloc_fail_nth(-1);
        assert_int_equal(store_key_find_hash(context->store, key.hash, &arena, &found, NULL),
                         STATUS_NOT_FOUND);
    }
    arena_fini(&arena);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_context, close_context)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_entered_key_is_in_the_store_and_in_the_map),
        TEST(what_cannot_be_a_key_enters_nowhere),
        TEST(what_the_store_refuses_does_not_reach_the_map),
        TEST(what_the_map_cannot_hold_does_not_reach_the_store),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
