#include "store/sqlite/operations.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "unit/store/sqlite/database.h"

#define USER_COUNT 600 /* so that the table of users grows more than once */

static int open_store(void **state)
{
    if (database_make_folder(state) != 0)
        return -1;
    *state = database_open();
    return 0;
}

static int close_store(void **state)
{
    struct store *store = *state;
    store_close(&store);
    return database_remove_folder(state);
}

static const char *name_of(unsigned number)
{
    static char name[32];
    (void)snprintf(name, sizeof(name), "user-%u", number);
    return name;
}

/* User N has key N, is disabled if N is divisible by seven, and in a team if by three. */
static void fill(struct store *store)
{
    const struct store_team team = {.id = database_id(9999), .name = SLICE("team")};
    assert_int_equal(store_team_create(store, &team, NULL), STATUS_OK);
    for (unsigned i = 0; i < USER_COUNT; i++) {
        struct store_user user = database_user(i, name_of(i));
        user.disabled = i % 7 == 0;
        if (i % 3 == 0)
            user.team_id = database_id(9999);
        assert_int_equal(store_user_create(store, &user, NULL), STATUS_OK);
        database_add_key(store, i, i, i % 2 == 0 ? "named" : NULL);
    }
}

static enum status check_key(void *context, const struct store_key *key)
{
    unsigned *count = context;
    const unsigned number = (unsigned)key->hash[0] << 8 | key->hash[1];
    assert_memory_equal(&key->id, &key->user_id, sizeof(key->id));
    assert_true(slice_equal(key->user_name, slice_from_text(name_of(number))));
    assert_int_equal(key->user_disabled, number % 7 == 0);
    const struct id team_id = number % 3 == 0 ? database_id(9999) : (struct id){{0}};
    assert_memory_equal(&key->team_id, &team_id, sizeof(team_id));
    assert_true(slice_equal(key->name, number % 2 == 0 ? SLICE("named") : SLICE("")));
    assert_true(slice_equal(key->hint, SLICE("abcd")));
    assert_int_equal(key->created_at_us, 3000);
    ++*count;
    return STATUS_OK;
}

static void every_key_comes_with_its_user(void **state)
{
    unsigned count = 0;
    fill(*state);
    assert_int_equal(store_keys_load(*state, check_key, &count, NULL), STATUS_OK);
    assert_int_equal(count, USER_COUNT);
}

static void an_empty_database_gives_no_keys(void **state)
{
    unsigned count = 0;
    assert_int_equal(store_keys_load(*state, check_key, &count, NULL), STATUS_OK);
    assert_int_equal(count, 0);
}

static void a_key_without_a_user_is_damage(void **state)
{
    struct reason reason = {""};
    unsigned count = 0;
    fill(*state);
    database_execute("PRAGMA foreign_keys = OFF; DELETE FROM users WHERE name = 'user-5'");
    assert_int_equal(store_keys_load(*state, check_key, &count, &reason), STATUS_IO);
    assert_non_null(strstr(reason.text, "damaged"));
    database_execute("PRAGMA foreign_keys = OFF; DELETE FROM users");
    assert_int_equal(store_keys_load(*state, check_key, &count, &reason), STATUS_IO);
}

static void loading_survives_the_failure_of_each_allocation(void **state)
{
    fill(*state);
    for (int nth = 0;; nth++) {
        unsigned count = 0;
        alloc_fail_nth(nth);
        const enum status status = store_keys_load(*state, check_key, &count, NULL);
        alloc_fail_nth(-1);
        if (status == STATUS_OK) {
            assert_in_range(nth, 3, 50);
            assert_int_equal(count, USER_COUNT);
            return;
        }
        assert_int_equal(status, STATUS_NO_MEMORY);
        assert_int_equal(count, 0);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_store, close_store)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_key_comes_with_its_user),
        TEST(an_empty_database_gives_no_keys),
        TEST(a_key_without_a_user_is_damage),
        TEST(loading_survives_the_failure_of_each_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
