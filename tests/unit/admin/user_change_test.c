#include "admin/user_change.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "unit/admin/data_dir.h"
#include "unit/admin/entries.h"

#define ADA "01000000-0000-0000-0000-000000000000"

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

static struct store_user make_ada(void)
{
    return (struct store_user){
        .id = {{1}}, .name = SLICE("ada"), .created_at_us = 1, .updated_at_us = 1};
}

static void each_change_has_its_entry(void **state)
{
    struct store_user before = make_ada(), user = before;
    uint64_t keys = 0;
    assert_int_equal(user_enter(*state, &before, NULL), STATUS_OK);
    user.disabled = true;
    assert_int_equal(user_change(*state, SLICE("user.disable"), &before, &user, NULL), STATUS_OK);
    before = user;
    user.rules.tags = SLICE("a,b");
    user.rules.limits = SLICE("60req/min,10usd/month");
    user.rules.warn_only = true;
    assert_int_equal(user_change(*state, SLICE("user.set"), &before, &user, NULL), STATUS_OK);
    assert_int_equal(user_remove(*state, &user, &keys, NULL), STATUS_OK);
    assert_string_equal(entries_of(*state),
                        "weir audit.begin  \n"
                        "uid=7 user.create " ADA " {\"name\":\"ada\"}\n"
                        "uid=7 user.disable " ADA " {\"name\":\"ada\"}\n"
                        "uid=7 user.set " ADA " {\"name\":\"ada\",\"tags\":[\"a\",\"b\"],"
                        "\"limits\":[\"60req/min\"],\"budgets\":[\"10usd/month\"],"
                        "\"warn_only\":true}\n"
                        "uid=7 user.delete " ADA " {\"keys_deleted\":0,\"name\":\"ada\"}\n");
}

static void what_the_store_refuses_has_none(void **state)
{
    const struct store_user before = make_ada();
    struct store_user user = before;
    uint64_t keys = 0;
    assert_int_equal(user_change(*state, SLICE("user.set"), &before, &user, NULL),
                     STATUS_NOT_FOUND);
    assert_int_equal(user_remove(*state, &user, &keys, NULL), STATUS_NOT_FOUND);
    assert_string_equal(entries_of(*state), "");
    assert_int_equal(user_enter(*state, &before, NULL), STATUS_OK);
    assert_int_equal(user_enter(*state, &before, NULL), STATUS_EXISTS);
    assert_string_equal(entries_of(*state), "weir audit.begin  \n"
                                            "uid=7 user.create " ADA " {\"name\":\"ada\"}\n");
}

static void a_change_is_later_than_the_one_before_and_refused_over_another(void **state)
{
    struct store_user before = make_ada(), user;
    before.updated_at_us = data_dir_now_us + 5; /* the clock was set back since */
    assert_int_equal(user_enter(*state, &before, NULL), STATUS_OK);
    user = before;
    user.disabled = true;
    assert_int_equal(user_change(*state, SLICE("user.disable"), &before, &user, NULL), STATUS_OK);
    assert_int_equal(user.updated_at_us, data_dir_now_us + 6);
    user = before;
    assert_int_equal(user_change(*state, SLICE("user.set"), &before, &user, NULL), STATUS_AGAIN);
}

static void an_entered_user_is_in_the_map_and_a_refused_one_is_not(void **state)
{
    struct admin_context *context = *state;
    struct store_user user = make_ada();
    assert_int_equal(user_enter(context, &user, NULL), STATUS_OK);
    assert_non_null(identity_map_find_user(context->map, &user.id));
    user.id.bytes[0] = 2;
    assert_int_equal(user_enter(context, &user, NULL), STATUS_EXISTS);
    assert_null(identity_map_find_user(context->map, &user.id));
}

/* Whatever fails, store and map agree: the name is free as long as the user is not in the map. */
static void entering_survives_the_failure_of_each_allocation(void **state)
{
    struct admin_context *context = *state;
    const struct store_user user = make_ada();
    for (int nth = 0;; nth++) {
        struct reason reason = {""};
        alloc_fail_nth(nth);
        const enum status status = user_enter(context, &user, &reason);
        alloc_fail_nth(-1);
        if (status == STATUS_OK) {
            assert_in_range(nth, 2, 100);
            break;
        }
        assert_int_equal(status, STATUS_NO_MEMORY);
        assert_true(reason.text[0] != '\0');
        assert_null(identity_map_find_user(context->map, &user.id));
    }
    assert_non_null(identity_map_find_user(context->map, &user.id));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_context, close_context)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_change_has_its_entry),
        TEST(what_the_store_refuses_has_none),
        TEST(a_change_is_later_than_the_one_before_and_refused_over_another),
        TEST(an_entered_user_is_in_the_map_and_a_refused_one_is_not),
        TEST(entering_survives_the_failure_of_each_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
