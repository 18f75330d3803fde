#include "cli/terminal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static void set(const char *all, const char *type, const char *lang)
{
    setenv("LC_ALL", all, 1);
    setenv("LC_CTYPE", type, 1);
    setenv("LANG", lang, 1);
}

static void the_first_locale_that_is_set_says_the_character_set(void **state)
{
    static const struct {
        const char *all, *type, *lang;
        bool has_utf8;
    } cases[] = {
        {"", "", "", false},
        {"", "", "en_US.UTF-8", true},
        {"", "", "en_US.utf8@euro", true},
        {"", "C.Utf-8", "C", true},
        {"C", "C.UTF-8", "C.UTF-8", false},
        {"C.UTF-8", "C", "C", true},
        {"POSIX", "", "", false},
        {"UTF-8", "", "", false},
        {"en_US.ISO-8859-1", "", "en_US.UTF-8", false},
        {"en_US.", "", "", false},
        {"en_US.UTF-88", "", "", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        set(cases[i].all, cases[i].type, cases[i].lang);
        assert_int_equal(terminal_has_utf8(), cases[i].has_utf8);
    }
    unsetenv("LC_ALL");
    unsetenv("LC_CTYPE");
    unsetenv("LANG");
    assert_false(terminal_has_utf8());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_locale_that_is_set_says_the_character_set),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
