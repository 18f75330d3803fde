#include "models/rules.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct rule rule_of(const char *name)
{
    struct rule rule = {0};
    assert_int_equal(rule_parse_name(slice_from_text(name), &rule), STATUS_OK);
    return rule;
}

static bool matches(const char *name, const char *model)
{
    const struct rule rule = rule_of(name);
    return rule_matches(&rule, slice_from_text(model));
}

static bool covers(const char *earlier, const char *later)
{
    const struct rule one = rule_of(earlier);
    const struct rule other = rule_of(later);
    return rule_covers(&one, &other);
}

static void an_exact_name_matches_itself_and_nothing_longer_or_shorter(void **state)
{
    (void)state;
    assert_true(matches("gpt-4o", "gpt-4o"));
    assert_false(matches("gpt-4o", "gpt-4o-mini"));
    assert_false(matches("gpt-4o", "gpt-4"));
    assert_false(matches("gpt-4o", "GPT-4o"));
    assert_false(matches("gpt-4o", ""));
}

static void a_star_matches_what_begins_so_the_bare_beginning_too(void **state)
{
    (void)state;
    assert_true(matches("gpt*", "gpt-4o"));
    assert_true(matches("gpt*", "gpt"));
    assert_true(matches("gpt*", "gpt*"));
    assert_false(matches("gpt*", "gp"));
    assert_false(matches("gpt*", "my-gpt"));
}

static void a_star_alone_matches_everything(void **state)
{
    (void)state;
    assert_true(matches("*", "anything"));
    assert_true(matches("*", ""));
}

static void names_that_are_none_are_refused(void **state)
{
    (void)state;
    char long_name[RULE_NAME_BYTES_MAX + 1];
    struct rule rule;
    memset(long_name, 'a', sizeof(long_name));

    assert_int_equal(rule_parse_name(SLICE(""), &rule), STATUS_INVALID);
    assert_int_equal(rule_parse_name(SLICE("a*b"), &rule), STATUS_INVALID);
    assert_int_equal(rule_parse_name(SLICE("**"), &rule), STATUS_INVALID);
    assert_int_equal(rule_parse_name(SLICE("*a"), &rule), STATUS_INVALID);
    assert_int_equal(rule_parse_name(SLICE("a\nb"), &rule), STATUS_INVALID);
    assert_int_equal(rule_parse_name(SLICE("a\0b"), &rule), STATUS_INVALID);
    assert_int_equal(rule_parse_name(SLICE("a\x7f"), &rule), STATUS_INVALID);
    assert_int_equal(rule_parse_name(slice_of(long_name, sizeof(long_name)), &rule),
                     STATUS_TOO_LARGE);
    assert_int_equal(rule_parse_name(slice_of(long_name, sizeof(long_name) - 1), &rule), STATUS_OK);
}

static void a_name_keeps_its_star_and_its_literal_loses_it(void **state)
{
    (void)state;
    const struct rule prefix = rule_of("gpt*");
    const struct rule exact = rule_of("gpt");

    assert_true(prefix.is_prefix);
    assert_true(slice_equal(prefix.name, SLICE("gpt*")));
    assert_true(slice_equal(prefix.literal, SLICE("gpt")));
    assert_false(exact.is_prefix);
    assert_true(slice_equal(exact.literal, SLICE("gpt")));
}

static void a_rule_covers_what_matches_only_where_it_does(void **state)
{
    (void)state;
    assert_true(covers("*", "gpt*"));
    assert_true(covers("gpt*", "gpt-4*"));
    assert_true(covers("gpt*", "gpt-4o"));
    assert_true(covers("gpt-4o", "gpt-4o"));
    assert_false(covers("gpt-4*", "gpt*"));
    assert_false(covers("gpt-4o", "gpt-4o*"));
    assert_false(covers("gpt*", "*"));
    assert_false(covers("claude*", "gpt*"));
}

static void the_first_rule_that_matches_wins(void **state)
{
    (void)state;
    const struct rule items[] = {rule_of("gpt-4o"), rule_of("gpt*"), rule_of("*")};
    const struct rules all = {items, 3};
    const struct rules two = {items, 2};
    const struct rules none = {NULL, 0};

    assert_ptr_equal(rules_match(&all, SLICE("gpt-4o")), &items[0]);
    assert_ptr_equal(rules_match(&all, SLICE("gpt-4")), &items[1]);
    assert_ptr_equal(rules_match(&all, SLICE("claude")), &items[2]);
    assert_null(rules_match(&two, SLICE("claude")));
    assert_null(rules_match(&none, SLICE("gpt-4o")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_exact_name_matches_itself_and_nothing_longer_or_shorter),
        cmocka_unit_test(a_star_matches_what_begins_so_the_bare_beginning_too),
        cmocka_unit_test(a_star_alone_matches_everything),
        cmocka_unit_test(names_that_are_none_are_refused),
        cmocka_unit_test(a_name_keeps_its_star_and_its_literal_loses_it),
        cmocka_unit_test(a_rule_covers_what_matches_only_where_it_does),
        cmocka_unit_test(the_first_rule_that_matches_wins),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
