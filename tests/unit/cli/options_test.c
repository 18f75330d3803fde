#include "cli/options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "unit/cli/capture.h"

static const char *user, *name;
static bool json, verbose;
static struct option_texts tags;

static const struct option_spec specs[] = {
    OPTION_TEXT("user", &user), OPTION_TEXT("name", &name),
    OPTION_FLAG("json", &json), OPTION_FLAG_LETTER("verbose", &verbose, 'v'),
    OPTION_LATER("limit"),      OPTION_TEXTS("tag", &tags)};
#define SPEC_COUNT 6

static struct option_words words;
static struct reason reason;

#define READ(...)                                                                                  \
    read_all((char *[]){"command", __VA_ARGS__, NULL},                                             \
             (int)(sizeof((char *[]){"command", __VA_ARGS__}) / sizeof(char *)))

static enum status read_all(char **argv, int argc)
{
    user = name = NULL;
    json = verbose = false;
    tags = (struct option_texts){.count = 0};
    words = (struct option_words){.count = 0};
    reason = (struct reason){""};
    return options_read(argc, argv, specs, SPEC_COUNT, &words, &reason);
}

static void a_value_follows_or_stands_behind_an_equals_sign(void **state)
{
    (void)state;
    assert_int_equal(READ("--user", "alice", "--name=lap=top"), STATUS_OK);
    assert_string_equal(user, "alice");
    assert_string_equal(name, "lap=top");
    assert_int_equal(READ("--user=", "--name", "-1d"), STATUS_OK);
    assert_string_equal(user, "");
    assert_string_equal(name, "-1d");
    assert_int_equal(READ("--user=--json"), STATUS_OK);
    assert_string_equal(user, "--json");
}

static void an_option_of_texts_may_be_given_often_but_not_without_end(void **state)
{
    (void)state;
    char *many[2 * OPTION_TEXTS_MAX + 3] = {"command"};
    assert_int_equal(READ("--tag", "a", "word", "--tag=b"), STATUS_OK);
    assert_int_equal(tags.count, 2);
    assert_string_equal(tags.items[0], "a");
    assert_string_equal(tags.items[1], "b");
    assert_true(option_is_set(&specs[5]));
    assert_int_equal(READ("--tag"), STATUS_INVALID);
    assert_false(option_is_set(&specs[5]));
    for (int i = 0; i <= OPTION_TEXTS_MAX; i++) {
        many[1 + 2 * i] = "--tag";
        many[2 + 2 * i] = "x";
    }
    assert_int_equal(read_all(many, 1 + 2 * OPTION_TEXTS_MAX), STATUS_OK);
    assert_int_equal(read_all(many, 3 + 2 * OPTION_TEXTS_MAX), STATUS_INVALID);
    assert_non_null(strstr(reason.text, "--tag"));
}

static void words_and_options_stand_in_any_order(void **state)
{
    (void)state;
    assert_int_equal(READ("create", "--json", "bob", "--user", "alice", "-"), STATUS_OK);
    assert_int_equal(words.count, 3);
    assert_string_equal(words.items[0], "create");
    assert_string_equal(words.items[1], "bob");
    assert_string_equal(words.items[2], "-");
    assert_true(json);
}

static void all_behind_two_dashes_are_words(void **state)
{
    (void)state;
    assert_int_equal(READ("show", "--", "--json", "--help", "--"), STATUS_OK);
    assert_int_equal(words.count, 4);
    assert_string_equal(words.items[1], "--json");
    assert_string_equal(words.items[3], "--");
    assert_false(json);
}

static void a_letter_stands_for_a_flag(void **state)
{
    (void)state;
    assert_int_equal(READ("-v"), STATUS_OK);
    assert_true(verbose);
    assert_int_equal(READ("-x"), STATUS_INVALID);
    assert_int_equal(READ("-vv"), STATUS_INVALID);
    assert_int_equal(READ("-user"), STATUS_INVALID);
}

static void a_value_that_is_missing_is_a_mistake(void **state)
{
    (void)state;
    assert_int_equal(READ("--user"), STATUS_INVALID);
    assert_non_null(strstr(reason.text, "--user needs a value"));
    assert_int_equal(READ("--user", "--json"), STATUS_INVALID);
    assert_non_null(strstr(reason.text, "--user needs a value"));
}

static void an_option_stands_once(void **state)
{
    (void)state;
    assert_int_equal(READ("--user", "a", "--user=b"), STATUS_INVALID);
    assert_string_equal(reason.text, "--user is given twice");
    assert_int_equal(READ("--json", "--json"), STATUS_OK);
}

static void a_flag_takes_no_value(void **state)
{
    (void)state;
    assert_int_equal(READ("--json=yes"), STATUS_INVALID);
    assert_string_equal(reason.text, "--json takes no value");
}

static void an_unknown_option_names_the_nearest(void **state)
{
    (void)state;
    assert_int_equal(READ("--uesr", "alice"), STATUS_INVALID);
    assert_string_equal(reason.text, "there is no option --uesr; did you mean --user?");
    assert_int_equal(READ("--somethingelse"), STATUS_INVALID);
    assert_string_equal(reason.text, "there is no option --somethingelse");
    assert_int_equal(READ("--=x"), STATUS_INVALID);
    assert_int_equal(READ("--u", "x"), STATUS_INVALID); /* no beginnings of names */
}

/* As many words as a command can have. */
#define EIGHT "1", "2", "3", "4", "5", "6", "7", "8"
#define FULL  EIGHT, EIGHT, EIGHT, EIGHT
_Static_assert(OPTIONS_WORDS_MAX == 32, "FULL has as many");

static void a_secret_in_the_wrong_place_is_not_repeated(void **state)
{
    (void)state;
    assert_int_equal(READ("--key=sk-weir-secret"), STATUS_INVALID);
    assert_null(strstr(reason.text, "secret"));
    assert_int_equal(READ(FULL, "sk-weir-secret"), STATUS_INVALID);
    assert_string_equal(reason.text, "'sk-...' is one word too many");
}

static void what_a_later_version_brings_says_so(void **state)
{
    (void)state;
    assert_int_equal(READ("--limit", "60req/min"), STATUS_UNSUPPORTED);
    assert_string_equal(reason.text, "--limit is not in this version");
}

static void help_ends_the_reading(void **state)
{
    (void)state;
    assert_int_equal(READ("create", "--help", "--bogus"), STATUS_CANCELLED);
    assert_int_equal(words.count, 1);
    assert_int_equal(READ("-h"), STATUS_CANCELLED);
}

static void words_beyond_the_last_are_refused(void **state)
{
    (void)state;
    assert_int_equal(READ(FULL), STATUS_OK);
    assert_int_equal(READ(FULL, "9"), STATUS_INVALID);
    assert_string_equal(reason.text, "'9' is one word too many");
}

static void it_is_known_which_options_were_given(void **state)
{
    (void)state;
    assert_int_equal(READ("--user", "", "-v"), STATUS_OK);
    const bool given[SPEC_COUNT] = {true, false, false, true, false};
    for (int i = 0; i < SPEC_COUNT; i++)
        assert_int_equal(option_is_set(&specs[i]), given[i]);
}

static int parse_none(int argc, char **argv)
{
    json = false;
    return options_parse(argc, argv, &specs[2], 1, NULL, "the help\n");
}

static void a_command_prints_help_to_the_output_and_mistakes_beside_it(void **state)
{
    (void)state;
    const struct capture *ran = capture_run(parse_none, "check --help");
    assert_int_equal(ran->code, 0);
    assert_string_equal(ran->out, "the help\n");
    assert_string_equal(ran->err, "");
    assert_int_equal(capture_run(parse_none, "check --jason")->code, 2);
    assert_string_equal(ran->out, "");
    assert_string_equal(ran->err, "weir: there is no option --jason; did you mean --json? "
                                  "(weir check --help says more)\n");
    assert_int_equal(capture_run(parse_none, "check word")->code, 2);
    assert_int_equal(capture_run(parse_none, "check --json")->code, -1);
    assert_true(json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_value_follows_or_stands_behind_an_equals_sign),
        cmocka_unit_test(an_option_of_texts_may_be_given_often_but_not_without_end),
        cmocka_unit_test(words_and_options_stand_in_any_order),
        cmocka_unit_test(all_behind_two_dashes_are_words),
        cmocka_unit_test(a_letter_stands_for_a_flag),
        cmocka_unit_test(a_value_that_is_missing_is_a_mistake),
        cmocka_unit_test(an_option_stands_once),
        cmocka_unit_test(a_flag_takes_no_value),
        cmocka_unit_test(an_unknown_option_names_the_nearest),
        cmocka_unit_test(a_secret_in_the_wrong_place_is_not_repeated),
        cmocka_unit_test(what_a_later_version_brings_says_so),
        cmocka_unit_test(help_ends_the_reading),
        cmocka_unit_test(words_beyond_the_last_are_refused),
        cmocka_unit_test(it_is_known_which_options_were_given),
        cmocka_unit_test(a_command_prints_help_to_the_output_and_mistakes_beside_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
