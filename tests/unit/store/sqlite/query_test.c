#include "store/sqlite/query.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "unit/store/sqlite/database.h"

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

static void every_statement_is_one_that_sqlite_understands(void **state)
{
    struct connection *connection = connection_of(*state);
    for (int i = 0; i < STATEMENT_COUNT; i++) {
        struct query query = query_start(connection, (enum statement)i);
        assert_int_equal(query.code, SQLITE_OK);
        assert_non_null(query.statement);
        assert_int_equal(query_finish(&query, NULL), STATUS_OK);
    }
}

static void the_first_failure_stays_and_nothing_runs_after_it(void **state)
{
    struct connection *connection = connection_of(*state);
    struct reason reason = {""};
    struct query query = query_start(connection, STATEMENT_USER_DELETE);
    query_bind_u64(&query, 99, 1); /* there is no such parameter */
    query_bind_u64(&query, 1, 1);
    assert_int_equal(query.code, SQLITE_RANGE);
    assert_false(query_next(&query));
    assert_int_equal(query_finish(&query, &reason), STATUS_IO);
    assert_true(reason.text[0] != '\0');
}

static void a_number_beyond_the_signed_range_is_kept_at_its_end(void **state)
{
    struct connection *connection = connection_of(*state);
    struct store_user user = database_user(1, "ada");
    user.created_at_us = UINT64_MAX;
    assert_int_equal(store_user_create(*state, &user, NULL), STATUS_OK);
    struct query query = query_start(connection, STATEMENT_USER_BY_NAME);
    query_bind_text(&query, 1, SLICE("ada"));
    assert_true(query_next(&query));
    assert_true(query_read_u64(&query, 5) == INT64_MAX); /* created_at */
    assert_int_equal(query_finish(&query, NULL), STATUS_OK);
}

static void a_value_of_the_wrong_size_is_damage(void **state)
{
    struct connection *connection = connection_of(*state);
    unsigned char bytes[8];
    database_add_user(*state, 1, "ada");
    struct query query = query_start(connection, STATEMENT_USER_BY_NAME);
    query_bind_text(&query, 1, SLICE("ada"));
    assert_true(query_next(&query));
    query_read_blob(&query, 0, bytes, sizeof(bytes));
    assert_false(query_next(&query));
    assert_int_equal(query_finish(&query, NULL), STATUS_IO);
}

static void a_statement_can_be_run_again_with_other_parameters(void **state)
{
    struct connection *connection = connection_of(*state);
    database_add_user(*state, 1, "ada");
    for (int i = 0; i < 3; i++) {
        struct query query = query_start(connection, STATEMENT_USER_BY_NAME);
        query_bind_text(&query, 1, i == 1 ? SLICE("bob") : SLICE("ada"));
        assert_int_equal(query_next(&query), i != 1);
        assert_int_equal(query_finish(&query, NULL), STATUS_OK);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_store, close_store)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_statement_is_one_that_sqlite_understands),
        TEST(the_first_failure_stays_and_nothing_runs_after_it),
        TEST(a_number_beyond_the_signed_range_is_kept_at_its_end),
        TEST(a_value_of_the_wrong_size_is_damage),
        TEST(a_statement_can_be_run_again_with_other_parameters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
