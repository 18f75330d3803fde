#include "base/reason.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

static void a_reason_is_what_was_said_last(void **state)
{
    (void)state;
    struct reason reason;
    reason_set(&reason, "cannot open %s: %d", "x.yaml", 13);
    assert_string_equal(reason.text, "cannot open x.yaml: 13");
    reason_set(&reason, "no");
    assert_string_equal(reason.text, "no");
}

static void a_long_reason_is_cut(void **state)
{
    (void)state;
    struct {
        struct reason reason;
        char guard;
    } place = {.guard = '!'};
    char text[2 * sizeof(place.reason.text)];
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    reason_set(&place.reason, "%s", text);
    assert_int_equal(strlen(place.reason.text), sizeof(place.reason.text) - 1);
    assert_int_equal(place.guard, '!');
}

static void nobody_has_to_want_to_know(void **state)
{
    (void)state;
    reason_set(NULL, "%s", "unheard");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_reason_is_what_was_said_last),
        cmocka_unit_test(a_long_reason_is_cut),
        cmocka_unit_test(nobody_has_to_want_to_know),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
