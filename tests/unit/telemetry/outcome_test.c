#include "telemetry/outcome.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void every_outcome_has_a_name_of_its_own(void **state)
{
    (void)state;
    for (int i = 0; i < OUTCOME_COUNT; i++) {
        const char *name = outcome_name((enum outcome)i);
        assert_non_null(name);
        for (int j = 0; j < i; j++)
            assert_string_not_equal(name, outcome_name((enum outcome)j));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_outcome_has_a_name_of_its_own)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
