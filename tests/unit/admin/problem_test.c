#include "admin/problem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void write(unsigned http_status, struct slice detail, const char *expected)
{
    struct buffer answer;
    buffer_init(&answer, 4096);
    buffer_append(&answer, SLICE("{\"half\":"));
    problem_write(http_status, detail, &answer);
    assert_true(slice_equal(buffer_slice(&answer), slice_from_text(expected)));
    buffer_fini(&answer);
}

static void a_problem_takes_the_place_of_what_was_begun(void **state)
{
    (void)state;
    write(428, SLICE("say \"which\""),
          "{\"type\":\"about:blank\",\"title\":\"Precondition Required\",\"status\":428,"
          "\"detail\":\"say \\\"which\\\"\"}");
}

static void a_detail_that_was_cut_within_a_character_is_still_json(void **state)
{
    (void)state;
    write(404, SLICE("\xc3"),
          "{\"type\":\"about:blank\",\"title\":\"Not Found\",\"status\":404,"
          "\"detail\":\"\xef\xbf\xbd\"}");
}

static void a_status_without_a_phrase_has_a_title_too(void **state)
{
    (void)state;
    write(499, SLICE("x"),
          "{\"type\":\"about:blank\",\"title\":\"Error\",\"status\":499,\"detail\":\"x\"}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_problem_takes_the_place_of_what_was_begun),
        cmocka_unit_test(a_detail_that_was_cut_within_a_character_is_still_json),
        cmocka_unit_test(a_status_without_a_phrase_has_a_title_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
