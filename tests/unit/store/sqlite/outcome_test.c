#include "store/sqlite/outcome.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store/sqlite/query.h"
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

/* Deletes the user of that number, and asks for the outcome on another. */
static enum status delete_and_ask(struct store *store, unsigned number, unsigned asked,
                                  struct reason *reason)
{
    struct connection *connection = connection_of(store);
    const struct id id = database_id(number), other = database_id(asked);
    struct query query = query_start(connection, STATEMENT_USER_DELETE);
    query_bind_id(&query, 1, &id);
    assert_int_equal(query_run(&query, NULL), STATUS_OK);
    return outcome_of(connection, STATEMENT_USER_BY_ID, &other, "user", reason);
}

static void a_change_hit_its_row_or_found_none_or_another(void **state)
{
    struct reason reason = {""};
    database_add_user(*state, 1, "ada");
    database_add_user(*state, 2, "bob");
    assert_int_equal(delete_and_ask(*state, 1, 1, &reason), STATUS_OK);
    assert_string_equal(reason.text, "");
    assert_int_equal(delete_and_ask(*state, 1, 1, &reason), STATUS_NOT_FOUND);
    assert_string_equal(reason.text, "there is no such user any more");
    assert_int_equal(delete_and_ask(*state, 1, 2, &reason), STATUS_AGAIN);
    assert_non_null(strstr(reason.text, "changed meanwhile"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_change_hit_its_row_or_found_none_or_another, open_store,
                                        close_store),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
