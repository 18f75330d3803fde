#include "cli/verb.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "unit/cli/capture.h"

static struct verb_options seen;
static const char *seen_argument, *seen_word;
static int runs;

static int note(const struct verb_options *options, const char *argument)
{
    seen = *options;
    seen_argument = argument;
    seen_word = options->word_count > 0 ? options->words[0] : NULL;
    runs++;
    return 7;
}

static const struct verb verbs[] = {
    {"create", NULL, "--user U [--name TEXT]", "makes one", "weir things create", note},
    {"show", "T", "", "shows one", "weir things show x", note},
    {"swap", NULL, "[--user-name TEXT]", "swaps them", "weir things swap", note},
    {"rotate", "T", "", NULL, NULL, NULL},
    {"join", "T U", "", "joins them", "weir things join x y", note},
};

static const char notes[] = "  --user U        whose\n"
                            "                  it is, never --name\n"
                            "  T               which\n"
                            "  --name TEXT, --user-name TEXT\n"
                            "                  what it is called\n";

static int things(int argc, char **argv)
{
    static const struct verb_set set = {"things", "Things.", notes, verbs, 5};
    return verb_set_run(&set, argc, argv);
}

static int forget(void **state)
{
    (void)state;
    runs = 0;
    return 0;
}

static void a_verb_gets_its_argument_and_options_and_gives_the_exit_code(void **state)
{
    (void)state;
    assert_int_equal(capture_run(things, "things create --json --user alice")->code, 7);
    assert_null(seen_argument);
    assert_string_equal(seen.user, "alice");
    assert_true(seen.json);
    assert_null(seen.name);
    assert_int_equal(capture_run(things, "things --data-dir d show x --config c")->code, 7);
    assert_string_equal(seen_argument, "x");
    assert_string_equal(seen.data_dir, "d");
    assert_string_equal(seen.config, "c");
    assert_int_equal(capture_run(things, "things join x y")->code, 7);
    assert_string_equal(seen_argument, "x");
    assert_int_equal(seen.word_count, 1);
    assert_string_equal(seen_word, "y");
    assert_int_equal(runs, 3);
}

static void wrong(const char *line, const char *message)
{
    const struct capture *ran = capture_run(things, line);
    char expected[512];
    (void)snprintf(expected, sizeof(expected), "weir: %s (weir things --help says more)\n",
                   message);
    assert_int_equal(ran->code, 2);
    assert_string_equal(ran->out, "");
    assert_string_equal(ran->err, expected);
    assert_int_equal(runs, 0);
}

static void wrong_usage_says_what_is_wrong_and_runs_nothing(void **state)
{
    (void)state;
    wrong("things", "say what to do with things");
    wrong("things shwo x", "there is no `weir things shwo`; did you mean 'show'?");
    wrong("things frobnicate", "there is no `weir things frobnicate`");
    wrong("things show", "say which: `weir things show T`");
    wrong("things show x y", "`weir things show` takes one name");
    wrong("things create x", "`weir things create` takes no name");
    wrong("things join x", "say which: `weir things join T U`");
    wrong("things join x y z", "`weir things join` takes two names");
    wrong("things show x --limit 1req/min", "`weir things show` takes no --limit");
    wrong("things show x --priority 1", "--priority is not in this version");
    wrong("things rotate x", "`weir things rotate` is not in this version");
}

/* An option that is passed over would be a filter that does not filter. */
static void an_option_of_another_verb_is_refused(void **state)
{
    (void)state;
    wrong("things show x --user alice", "`weir things show` takes no --user");
    wrong("things create --user a --expires 90d", "`weir things create` takes no --expires");
    wrong("things create --user a --models x", "`weir things create` takes no --models");
    wrong("things show x --key-stdin", "`weir things show` takes no --key-stdin");
    wrong("things swap --user alice", "`weir things swap` takes no --user");
}

static void help_shows_all_verbs_of_this_version_with_examples(void **state)
{
    (void)state;
    const struct capture *ran = capture_run(things, "things --help");
    assert_int_equal(ran->code, 0);
    assert_string_equal(ran->err, "");
    assert_string_equal(ran->out, "Things.\n\n"
                                  "  weir things create --user U [--name TEXT]\n"
                                  "      makes one\n"
                                  "  weir things show T\n"
                                  "      shows one\n"
                                  "  weir things swap [--user-name TEXT]\n"
                                  "      swaps them\n"
                                  "  weir things join T U\n"
                                  "      joins them\n\n"
                                  "  --user U        whose\n"
                                  "                  it is, never --name\n"
                                  "  T               which\n"
                                  "  --name TEXT, --user-name TEXT\n"
                                  "                  what it is called\n"
                                  "  --config FILE, --data-dir DIR\n"
                                  "                  where the configuration and the data are\n"
                                  "  --json          an object, or an array for list\n\n"
                                  "Examples:\n"
                                  "  weir things create\n"
                                  "  weir things show x\n"
                                  "  weir things swap\n"
                                  "  weir things join x y\n");
    assert_int_equal(capture_run(things, "things rotate --help")->code, 0);
    assert_non_null(strstr(ran->out, "weir things create"));
    assert_int_equal(runs, 0);
}

static void help_of_one_verb_shows_that_one(void **state)
{
    (void)state;
    const struct capture *ran = capture_run(things, "things show --help");
    assert_int_equal(ran->code, 0);
    assert_non_null(strstr(ran->out, "Example:\n  weir things show x\n"));
    assert_null(strstr(ran->out, "things create"));
}

static void help_of_one_verb_shows_what_it_takes(void **state)
{
    static const struct {
        const char *line;
        bool has_user, has_which, has_name;
    } cases[] = {{"things create --help", true, false, true},
                 {"things show --help", false, true, false},
                 {"things swap --help", false, false, true},
                 {"things join --help", false, true, false},
                 {"things --help", true, true, true}};
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *out = capture_run(things, cases[i].line)->out;
        assert_int_equal(strstr(out, "  --user U        whose\n"
                                     "                  it is, never --name\n") != NULL,
                         cases[i].has_user);
        assert_int_equal(strstr(out, "it is, never") != NULL, cases[i].has_user);
        assert_int_equal(strstr(out, "  T               which\n") != NULL, cases[i].has_which);
        assert_int_equal(strstr(out, "what it is called\n") != NULL, cases[i].has_name);
        assert_non_null(strstr(out, "  --config FILE, --data-dir DIR\n"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_verb_gets_its_argument_and_options_and_gives_the_exit_code,
                               forget),
        cmocka_unit_test_setup(wrong_usage_says_what_is_wrong_and_runs_nothing, forget),
        cmocka_unit_test_setup(an_option_of_another_verb_is_refused, forget),
        cmocka_unit_test_setup(help_shows_all_verbs_of_this_version_with_examples, forget),
        cmocka_unit_test_setup(help_of_one_verb_shows_that_one, forget),
        cmocka_unit_test_setup(help_of_one_verb_shows_what_it_takes, forget),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
