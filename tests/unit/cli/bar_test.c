#include "cli/bar.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void draws(uint64_t value, uint64_t whole, unsigned chars, bool is_utf8,
                  const char *expected)
{
    char text[BAR_BYTES];
    const struct slice bar = bar_draw(value, whole, chars, is_utf8, text);
    if (!slice_equal(bar, slice_from_text(expected)))
        fail_msg("\"%.*s\" is not \"%s\"", SLICE_ARGS(bar), expected);
}

static void a_bar_is_as_long_as_its_part(void **state)
{
    (void)state;
    draws(10, 10, 5, true, "█████");
    draws(5, 10, 5, true, "██▌");
    draws(1, 10, 5, true, "▌");
    draws(0, 10, 5, true, "");
    draws(0, 0, 5, true, "");
    draws(10, 10, 5, false, "#####");
    draws(5, 10, 5, false, "##");
}

static void what_is_not_nothing_shows(void **state)
{
    (void)state;
    draws(1, UINT64_MAX, 5, true, "▏");
    draws(1, 1000, 5, false, "#");
}

static void the_largest_numbers_do_not_overflow(void **state)
{
    (void)state;
    draws(UINT64_MAX, UINT64_MAX, 3, true, "███");
    draws(UINT64_C(1) << 62, UINT64_C(1) << 63, 4, true, "██");
    draws(INT64_MAX, INT64_MAX, BAR_CHARS_MAX, false,
          "############################################################");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bar_is_as_long_as_its_part),
        cmocka_unit_test(what_is_not_nothing_shows),
        cmocka_unit_test(the_largest_numbers_do_not_overflow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
