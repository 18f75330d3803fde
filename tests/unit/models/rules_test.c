#include "models/rules.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct rule rule_of(struct slice name)
{
    struct rule rule = {.target_count = 1};
    assert_int_equal(rule_parse_name(name, &rule), STATUS_OK);
    return rule;
}

static void the_first_rule_that_matches_answers(void **state)
{
    (void)state;
    const struct rule items[] = {rule_of(SLICE("gpt-4")), rule_of(SLICE("gpt*")),
                                 rule_of(SLICE("*"))};
    const struct rules rules = {items, 3};
    assert_ptr_equal(rules_match(&rules, SLICE("gpt-4")), &items[0]);
    assert_ptr_equal(rules_match(&rules, SLICE("gpt-4o")), &items[1]);
    assert_ptr_equal(rules_match(&rules, SLICE("gpt")), &items[1]);
    assert_ptr_equal(rules_match(&rules, SLICE("llama")), &items[2]);
    assert_ptr_equal(rules_match(&rules, SLICE("")), &items[2]);
    assert_null(rules_match(&(struct rules){items, 2}, SLICE("llama")));
}

static void names_with_a_star_elsewhere_or_control_bytes_are_refused(void **state)
{
    (void)state;
    struct rule rule;
    assert_int_equal(rule_parse_name(SLICE(""), &rule), STATUS_INVALID);
    assert_int_equal(rule_parse_name(SLICE("a*b"), &rule), STATUS_INVALID);
    assert_int_equal(rule_parse_name(SLICE("**"), &rule), STATUS_INVALID);
    assert_int_equal(rule_parse_name(SLICE("a\n"), &rule), STATUS_INVALID);
    static char longest[RULE_NAME_BYTES_MAX + 1];
    memset(longest, 'a', sizeof(longest));
    assert_int_equal(rule_parse_name(slice_of(longest, RULE_NAME_BYTES_MAX), &rule), STATUS_OK);
    assert_int_equal(rule_parse_name(slice_of(longest, RULE_NAME_BYTES_MAX + 1), &rule),
                     STATUS_TOO_LARGE);
}

static void a_rule_covers_what_it_always_matches_first(void **state)
{
    (void)state;
    const struct rule all = rule_of(SLICE("*")), gpt = rule_of(SLICE("gpt*"));
    const struct rule four = rule_of(SLICE("gpt-4"));
    assert_true(rule_covers(&all, &gpt));
    assert_true(rule_covers(&gpt, &four));
    assert_false(rule_covers(&gpt, &all));
    assert_false(rule_covers(&four, &gpt));
    assert_true(rule_covers(&four, &four));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_rule_that_matches_answers),
        cmocka_unit_test(names_with_a_star_elsewhere_or_control_bytes_are_refused),
        cmocka_unit_test(a_rule_covers_what_it_always_matches_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
