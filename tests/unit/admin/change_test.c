#include "admin/change.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "admin/member_writer.h"
#include "admin/user_change.h"
#include "base/alloc.h"
#include "unit/admin/data_dir.h"
#include "unit/admin/entries.h"

static int open_context(void **state)
{
    if (data_dir_make(state) != 0)
        return -1;
    *state = data_dir_open(false);
    return 0;
}

static int close_context(void **state)
{
    struct admin_context *context = *state;
    admin_context_close(&context);
    return data_dir_remove(state);
}

static const struct store_user ada = {
    .id = {{1}}, .name = {"ada", 3}, .created_at_us = 1, .updated_at_us = 1};

static bool has_ada(struct admin_context *context)
{
    char memory[512];
    struct arena arena;
    struct store_user user;
    arena_init(&arena, memory, sizeof(memory), 0);
    const enum status status = store_user_find(context->store, ada.name, &arena, &user, NULL);
    arena_fini(&arena);
    return status == STATUS_OK;
}

static void a_change_and_its_entry_hold_together(void **state)
{
    struct admin_context *context = *state;
    struct change change;
    context->actor = SLICE("uid=7");
    assert_int_equal(change_begin(context, SLICE("user.create"), &change, NULL), STATUS_OK);
    assert_int_equal(store_user_create(context->store, &ada, NULL), STATUS_OK);
    change_set_id(&change, &ada.id);
    member_write_text(&change.writer, SLICE("name"), ada.name);
    assert_int_equal(change_end(&change, STATUS_OK, NULL), STATUS_OK);
    assert_true(has_ada(context));
    assert_string_equal(entries_of(context),
                        "weir audit.begin  \n"
                        "uid=7 user.create 01000000-0000-0000-0000-000000000000 "
                        "{\"name\":\"ada\"}\n");
}

static void a_change_that_failed_leaves_no_entry_and_an_entry_no_change(void **state)
{
    struct admin_context *context = *state;
    struct change change;
    assert_int_equal(change_begin(context, SLICE("user.create"), &change, NULL), STATUS_OK);
    assert_int_equal(store_user_create(context->store, &ada, NULL), STATUS_OK);
    assert_int_equal(change_end(&change, STATUS_LIMITED, NULL), STATUS_LIMITED);
    assert_false(has_ada(context));
    assert_string_equal(entries_of(context), "");
}

static void a_change_survives_the_failure_of_each_allocation(void **state)
{
    struct admin_context *context = *state;
    for (int nth = 0;; nth++) {
        alloc_fail_nth(nth);
        const enum status status = user_enter(context, &ada, NULL);
        alloc_fail_nth(-1);
        if (status == STATUS_OK) {
            assert_true(nth > 0);
            break;
        }
        assert_false(has_ada(context));
        assert_string_equal(entries_of(context), "");
    }
    assert_true(has_ada(context));
    assert_non_null(strstr(entries_of(context), "user.create"));
}

static void the_head_is_saved_at_once_where_no_server_will(void **state)
{
    assert_int_equal(user_enter(*state, &ada, NULL), STATUS_OK);
    assert_int_equal(access(data_dir_path("secrets/audit.head"), R_OK), 0);
}

static void nothing_changes_under_the_key_of_another_chain(void **state)
{
    struct admin_context *context = *state;
    struct reason reason = {""};
    FILE *key;
    assert_int_equal(user_enter(context, &ada, NULL), STATUS_OK);
    admin_context_close(&context);
    unlink(data_dir_path("secrets/audit.pub"));
    key = fopen(data_dir_path("secrets/audit.key"), "w");
    assert_non_null(key);
    for (int i = 0; i < 64; i++)
        (void)fputc('0', key);
    assert_int_equal(fclose(key), 0);
    *state = context = data_dir_open(false);
    assert_int_equal(user_remove(context, &ada, &(uint64_t){0}, &reason), STATUS_DENIED);
    assert_non_null(strstr(reason.text, "audit.key"));
    assert_true(has_ada(context));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_context, close_context)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_change_and_its_entry_hold_together),
        TEST(a_change_that_failed_leaves_no_entry_and_an_entry_no_change),
        TEST(a_change_survives_the_failure_of_each_allocation),
        TEST(the_head_is_saved_at_once_where_no_server_will),
        TEST(nothing_changes_under_the_key_of_another_chain),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
