#include "admin/role.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void each_role_may_all_that_the_one_below_it_may(void **state)
{
    (void)state;
    for (int role = ROLE_VIEWER; role <= ROLE_ADMIN; role++) {
        for (int least = ROLE_VIEWER; least <= ROLE_ADMIN; least++) {
            const struct operation_actor actor = {.role = (enum role)role};
            assert_int_equal(role_allows(&actor, (enum role)least, SCOPE_ALL), role >= least);
            assert_int_equal(role_allows(&actor, (enum role)least, SCOPE_TEAM), role >= least);
        }
    }
}

static void a_team_admin_may_what_is_open_to_teams_and_nothing_else(void **state)
{
    (void)state;
    const struct operation_actor actor = {.role = ROLE_TEAM_ADMIN};
    for (int least = ROLE_VIEWER; least <= ROLE_ADMIN; least++) {
        assert_true(role_allows(&actor, (enum role)least, SCOPE_TEAM));
        assert_false(role_allows(&actor, (enum role)least, SCOPE_ALL));
    }
}

static void without_a_role_on_either_side_nothing_is_allowed(void **state)
{
    (void)state;
    const struct operation_actor nobody = {.role = ROLE_NONE};
    const struct operation_actor admin = {.role = ROLE_ADMIN};
    assert_false(role_allows(&nobody, ROLE_VIEWER, SCOPE_TEAM));
    assert_false(role_allows(&nobody, ROLE_NONE, SCOPE_TEAM));
    assert_false(role_allows(&admin, ROLE_NONE, SCOPE_ALL));
}

static void names_are_read_as_they_are_written(void **state)
{
    (void)state;
    enum role found;
    for (int role = ROLE_TEAM_ADMIN; role <= ROLE_ADMIN; role++) {
        assert_int_equal(role_find(role_name((enum role)role), &found), STATUS_OK);
        assert_int_equal(found, role);
    }
    assert_int_equal(role_find(SLICE("none"), &found), STATUS_INVALID);
    assert_int_equal(role_find(SLICE("Admin"), &found), STATUS_INVALID);
    assert_int_equal(role_find(SLICE(""), &found), STATUS_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_role_may_all_that_the_one_below_it_may),
        cmocka_unit_test(a_team_admin_may_what_is_open_to_teams_and_nothing_else),
        cmocka_unit_test(without_a_role_on_either_side_nothing_is_allowed),
        cmocka_unit_test(names_are_read_as_they_are_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
