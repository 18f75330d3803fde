#include "base/status.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <ctype.h>
#include <string.h>

static void every_status_has_words_of_its_own(void **state)
{
    (void)state;
    for (enum status status = STATUS_OK; status < STATUS_COUNT; status++) {
        const char *name = status_name(status);
        assert_non_null(name);
        assert_true(strlen(name) > 1);
        for (const char *at = name; *at != '\0'; at++)
            assert_true(islower((unsigned char)*at) || *at == ' ' || *at == '/');
        for (enum status other = STATUS_OK; other < status; other++)
            assert_string_not_equal(name, status_name(other));
    }
}

static void success_is_zero_and_so_what_is_zeroed_has_not_failed(void **state)
{
    (void)state;
    assert_int_equal(STATUS_OK, 0);
    assert_string_equal(status_name(STATUS_TIMED_OUT), "timed out");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_status_has_words_of_its_own),
        cmocka_unit_test(success_is_zero_and_so_what_is_zeroed_has_not_failed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
