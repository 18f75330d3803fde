#include "cli/level_options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "json/read.h"

#define PRESENT                                                                                    \
    "{\"name\":\"x\",\"limits\":[\"60req/min\",\"20parallel\"],\"budgets\":[\"10usd/month\","      \
    "\"1usd/day\"]}"

static char arena_memory[16384];
static struct arena arena;

static int reset(void **state)
{
    (void)state;
    arena_init(&arena, arena_memory, sizeof(arena_memory), 0);
    return 0;
}

/* The body that the options come to. */
static const char *body(const struct verb_options *options, const char *present)
{
    static char text[4096];
    struct level_edit edit;
    struct reason reason = {""};
    struct buffer buffer;
    struct json_writer writer;
    struct json_object object;
    struct json_error error;
    if (!level_options_read(options, &edit, &reason))
        fail_msg("%s", reason.text);
    if (present != NULL)
        assert_int_equal(json_read_object(slice_from_text(present), &JSON_LIMITS_DEFAULT, &arena,
                                          &object, &error),
                         STATUS_OK);
    buffer_init(&buffer, sizeof(text) - 1);
    json_writer_init(&writer, &buffer);
    json_write_object(&writer);
    const enum status status =
        level_options_write(&edit, present != NULL ? &object : NULL, &arena, &writer);
    if (status == STATUS_OK)
        json_write_end(&writer);
    memcpy(text, buffer.data, buffer.size);
    text[buffer.size] = '\0';
    buffer_fini(&buffer);
    return status == STATUS_OK ? text : NULL;
}

static const char *why_not(const struct verb_options *options)
{
    static struct reason reason;
    struct level_edit edit;
    reason = (struct reason){""};
    assert_false(level_options_read(options, &edit, &reason));
    return reason.text;
}

static void a_new_thing_gets_what_was_given(void **state)
{
    (void)state;
    const struct verb_options options = {
        .limits = {{"60req/min", "5parallel"}, 2},
        .budgets = {{"10usd/month"}, 1},
        .tpm = "1000",
        .warn_only = true,
        .models = "a, b*",
        .routes = "none",
        .networks = "10.0.0.0/8",
        .tags = "x,y",
    };
    assert_string_equal(body(&options, NULL),
                        "{\"models\":[\"a\",\"b*\"],\"routes\":null,\"networks\":[\"10.0.0.0/8\"],"
                        "\"tags\":[\"x\",\"y\"],\"warn_only\":true,"
                        "\"limits\":[\"60req/min\",\"5parallel\",\"1000tok/min\"],"
                        "\"budgets\":[\"10usd/month\"]}");
    assert_string_equal(body(&(struct verb_options){.no_warn_only = true}, NULL),
                        "{\"warn_only\":false}");
    assert_string_equal(body(&(struct verb_options){.json = true}, NULL), "{}");
}

static void a_limit_takes_the_place_of_the_one_of_its_kind_and_window(void **state)
{
    (void)state;
    const struct verb_options one = {.limits = {{"30req/min"}, 1}};
    assert_string_equal(body(&one, PRESENT), "{\"limits\":[\"30req/min\",\"20parallel\"]}");
    const struct verb_options more = {
        .limits = {{"5req/hour"}, 1}, .max_parallel = "7", .budgets = {{"2usd/day"}, 1}};
    assert_string_equal(body(&more, PRESENT),
                        "{\"limits\":[\"60req/min\",\"7parallel\",\"5req/hour\"],"
                        "\"budgets\":[\"10usd/month\",\"2usd/day\"]}");
}

static void none_removes_all_or_the_one(void **state)
{
    (void)state;
    assert_string_equal(body(&(struct verb_options){.limits = {{"none"}, 1}}, PRESENT),
                        "{\"limits\":[]}");
    assert_string_equal(body(&(struct verb_options){.budgets = {{"none"}, 1}}, PRESENT),
                        "{\"budgets\":[]}");
    assert_string_equal(body(&(struct verb_options){.limits = {{"none", "1req/day"}, 2}}, PRESENT),
                        "{\"limits\":[\"1req/day\"]}");
    assert_string_equal(body(&(struct verb_options){.limits = {{"1req/day", "none"}, 2}}, PRESENT),
                        "{\"limits\":[]}");
    assert_string_equal(body(&(struct verb_options){.rpm = "none"}, PRESENT),
                        "{\"limits\":[\"20parallel\"]}");
    assert_string_equal(
        body(&(struct verb_options){.max_parallel = "none", .tpm = "none"}, PRESENT),
        "{\"limits\":[\"60req/min\"]}");
}

static void what_cannot_be_is_refused_with_a_reason(void **state)
{
    (void)state;
    assert_non_null(strstr(why_not(&(struct verb_options){.limits = {{"10usd/month"}, 1}}),
                           "--budget 10usd/month"));
    assert_non_null(strstr(why_not(&(struct verb_options){.budgets = {{"60req/min"}, 1}}),
                           "--limit 60req/min"));
    assert_non_null(strstr(why_not(&(struct verb_options){.limits = {{"60"}, 1}}), "60"));
    assert_true(why_not(&(struct verb_options){.limits = {{""}, 1}})[0] != '\0');
    assert_true(why_not(&(struct verb_options){.limits = {{"1req/min", "2req/min"}, 2}})[0] !=
                '\0');
    assert_true(why_not(&(struct verb_options){.limits = {{"1req/min"}, 1}, .rpm = "2"})[0] !=
                '\0');
    static const char *const numbers[] = {
        "", "0", "-1", "1.5", "many", "99999999999999999999", "9999999999999999"};
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        assert_true(why_not(&(struct verb_options){.rpm = numbers[i]})[0] != '\0');
        assert_true(why_not(&(struct verb_options){.max_parallel = numbers[i]})[0] != '\0');
    }
    assert_non_null(strstr(why_not(&(struct verb_options){.warn_only = true, .no_warn_only = true}),
                           "opposites"));
}

static void limits_that_nobody_can_read_are_not_written_over(void **state)
{
    (void)state;
    const struct verb_options options = {.limits = {{"30req/min"}, 1}};
    assert_null(body(&options, "{\"limits\":[\"fast\"]}"));
    assert_null(body(&options, "{\"limits\":[7]}"));
    assert_string_equal(body(&options, "{\"limits\":null}"), "{\"limits\":[\"30req/min\"]}");
    assert_string_equal(body(&options, "{}"), "{\"limits\":[\"30req/min\"]}");
}

static void what_was_given_is_known(void **state)
{
    (void)state;
    assert_false(level_options_are_given(&(struct verb_options){.name = "x"}));
    assert_true(level_options_are_given(&(struct verb_options){.tags = "x"}));
    assert_true(level_options_are_given(&(struct verb_options){.no_warn_only = true}));
    assert_true(level_options_change_limits(&(struct verb_options){.rpm = "1"}));
    assert_true(level_options_change_limits(&(struct verb_options){.budgets = {{"none"}, 1}}));
    assert_false(level_options_change_limits(&(struct verb_options){.models = "x"}));
}

#define TEST(name) cmocka_unit_test_setup(name, reset)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_new_thing_gets_what_was_given),
        TEST(a_limit_takes_the_place_of_the_one_of_its_kind_and_window),
        TEST(none_removes_all_or_the_one),
        TEST(what_cannot_be_is_refused_with_a_reason),
        TEST(limits_that_nobody_can_read_are_not_written_over),
        TEST(what_was_given_is_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
