#include "models/chat_count.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "json/read.h"

/* The examples of OpenAI's cookbook, "How to count tokens with tiktoken". */
#define COOKBOOK_MESSAGES                                                                          \
    "{\"messages\":["                                                                              \
    "{\"role\":\"system\",\"content\":\"You are a helpful, pattern-following assistant that "      \
    "translates corporate jargon into plain English.\"},"                                          \
    "{\"role\":\"system\",\"name\":\"example_user\",\"content\":\"New synergies will help drive "  \
    "top-line growth.\"},"                                                                         \
    "{\"role\":\"system\",\"name\":\"example_assistant\",\"content\":\"Things working well "       \
    "together will increase revenue.\"},"                                                          \
    "{\"role\":\"system\",\"name\":\"example_user\",\"content\":\"Let's circle back when we have " \
    "more bandwidth to touch base on opportunities for increased leverage.\"},"                    \
    "{\"role\":\"system\",\"name\":\"example_assistant\",\"content\":\"Let's talk later when "     \
    "we're less busy about how to do better.\"},"                                                  \
    "{\"role\":\"user\",\"content\":\"This late pivot means we don't have time to boil the ocean " \
    "for the client deliverable.\"}]}"
#define COOKBOOK_TOOLS                                                                             \
    "{\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"get_current_weather\","           \
    "\"description\":\"Get the current weather in a given location\",\"parameters\":{"             \
    "\"type\":\"object\",\"properties\":{\"location\":{\"type\":\"string\",\"description\":"       \
    "\"The city and state, e.g. San Francisco, CA\"},\"unit\":{\"type\":\"string\","               \
    "\"description\":\"The unit of temperature to return\",\"enum\":[\"celsius\",\"fahrenheit\"]"  \
    "}},\"required\":[\"location\"]}}}],\"messages\":["                                            \
    "{\"role\":\"system\",\"content\":\"You are a helpful assistant that can answer to "           \
    "questions about the weather.\"},"                                                             \
    "{\"role\":\"user\",\"content\":\"What's the weather like in San Francisco?\"}]}"

#define MESSAGES_MAX 16

struct fixture {
    char room[8192];
    struct arena arena;
    struct json_object body;
    struct context_message items[MESSAGES_MAX];
    struct chat_messages messages;
    struct input_count count;
    unsigned pauses;
};

static void count_pause(void *context)
{
    ++*(unsigned *)context;
}

static int load_encodings(void **state)
{
    (void)state;
    struct reason reason;
    return tokenizer_load(TOKEN_ENCODING_O200K, &reason) != STATUS_OK ||
           tokenizer_load(TOKEN_ENCODING_CL100K, &reason) != STATUS_OK;
}

static enum status count_body(struct fixture *fixture, const char *model, struct slice text)
{
    struct json_limits limits = JSON_LIMITS_DEFAULT;
    struct json_error error;
    limits.pause = count_pause;
    limits.pause_context = &fixture->pauses;
    fixture->pauses = 0;
    arena_init(&fixture->arena, fixture->room, sizeof(fixture->room), 0);
    assert_int_equal(json_read_object(text, &limits, &fixture->arena, &fixture->body, &error),
                     STATUS_OK);
    fixture->pauses = 0;
    fixture->messages = (struct chat_messages){.items = fixture->items, .capacity = MESSAGES_MAX};
    const enum status status = count_chat(model_tokens_find(slice_from_text(model)), &fixture->body,
                                          &limits, &fixture->messages, &fixture->count);
    arena_fini(&fixture->arena);
    return status;
}

static uint64_t tokens_of(struct fixture *fixture, const char *model, const char *text)
{
    assert_int_equal(count_body(fixture, model, slice_from_text(text)), STATUS_OK);
    uint64_t sum = fixture->messages.besides_tokens;
    for (size_t i = 0; i < fixture->messages.count; i++)
        sum += fixture->items[i].tokens;
    assert_int_equal(sum, fixture->count.input_tokens);
    return sum;
}

static void the_cookbooks_chat_counts_as_the_cookbook_says(void **state)
{
    (void)state;
    struct fixture fixture;
    assert_int_equal(tokens_of(&fixture, "gpt-3.5-turbo", COOKBOOK_MESSAGES), 129);
    assert_false(fixture.count.is_estimate);
    assert_int_equal(tokens_of(&fixture, "gpt-4", COOKBOOK_MESSAGES), 129);
    assert_int_equal(tokens_of(&fixture, "gpt-3.5-turbo-0301", COOKBOOK_MESSAGES), 127);
    assert_int_equal(tokens_of(&fixture, "gpt-4o", COOKBOOK_MESSAGES), 124);
    assert_int_equal(tokens_of(&fixture, "gpt-4o-mini", COOKBOOK_MESSAGES), 124);
    assert_false(fixture.count.is_estimate);
}

static void the_cookbooks_tools_count_as_the_cookbook_says(void **state)
{
    (void)state;
    struct fixture fixture;
    assert_int_equal(tokens_of(&fixture, "gpt-3.5-turbo", COOKBOOK_TOOLS), 105);
    assert_int_equal(tokens_of(&fixture, "gpt-4", COOKBOOK_TOOLS), 105);
    assert_int_equal(tokens_of(&fixture, "gpt-4o", COOKBOOK_TOOLS), 101);
    assert_false(fixture.count.is_estimate);
}

#define MESSAGE(content) "{\"messages\":[{\"role\":\"user\",\"content\":" content "}]}"

static void parts_and_plain_strings_of_a_content_count_alike(void **state)
{
    (void)state;
    struct fixture fixture;
    const uint64_t plain = tokens_of(&fixture, "gpt-4o", MESSAGE("\"Hello, world!\""));
    assert_int_equal(plain, 3 + 3 + 1 + 4);
    assert_int_equal(
        tokens_of(&fixture, "gpt-4o", MESSAGE("[{\"type\":\"text\",\"text\":\"Hello, world!\"}]")),
        plain);
    assert_false(fixture.count.is_estimate);
    assert_int_equal(tokens_of(&fixture, "gpt-4o", MESSAGE("null")), plain - 4);
    assert_int_equal(tokens_of(&fixture, "gpt-4o", MESSAGE("\"\"")), plain - 4);
    assert_int_equal(tokens_of(&fixture, "gpt-4o", MESSAGE("\"Hell\\u006f, w\\u006frld!\"")),
                     plain);
}

static void a_text_beside_something_else_does_not_tell_what_that_is(void **state)
{
    (void)state;
    static const char *const parts[] = {
        MESSAGE("[{\"type\":\"file\",\"text\":\"a\",\"file\":{\"file_id\":\"f\"}}]"),
        MESSAGE("[{\"type\":\"file\",\"refusal\":\"a\"}]"),
        MESSAGE("[{\"type\":\"text\",\"text\":\"a\",\"file\":{}}]"),
        MESSAGE("[{\"text\":\"a\",\"video_url\":{}}]"),
    };
    struct fixture fixture;
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        assert_int_equal(tokens_of(&fixture, "gpt-4o", parts[i]), 3 + 3 + 1 + 1);
        assert_true(fixture.count.is_unbounded);
    }
    (void)tokens_of(&fixture, "gpt-4o", MESSAGE("[{\"text\":\"a\"}]"));
    assert_false(fixture.count.is_unbounded);
}

static uint64_t most_of(const char *text)
{
    char room[8192];
    struct arena arena;
    struct json_object body;
    struct json_error error;
    struct input_count count;
    arena_init(&arena, room, sizeof(room), 0);
    assert_int_equal(
        json_read_object(slice_from_text(text), &JSON_LIMITS_DEFAULT, &arena, &body, &error),
        STATUS_OK);
    assert_int_equal(
        count_chat_most(model_tokens_find(SLICE("gpt-4o")), &body, &JSON_LIMITS_DEFAULT, &count),
        STATUS_OK);
    arena_fini(&arena);
    return count.input_tokens;
}

static void the_most_is_what_anybody_may_find(void **state)
{
    (void)state;
    static const char *const chats[] = {COOKBOOK_MESSAGES, COOKBOOK_TOOLS, MESSAGE("null"),
                                        MESSAGE("[{\"type\":\"text\",\"text\":\"a\"}]")};
    struct fixture fixture;
    for (size_t i = 0; i < sizeof(chats) / sizeof(chats[0]); i++) {
        const uint64_t usual = tokens_of(&fixture, "gpt-4o", chats[i]);
        assert_in_range(most_of(chats[i]), usual, 2 * usual);
    }
    const uint64_t plain = most_of(MESSAGE("\"a\""));
    assert_int_equal(most_of(MESSAGE("\"a\",\"Content\":\"Hello, world!\"")), plain + 4);
    assert_true(most_of(MESSAGE("\"a\",\"function_call\":{\"x\":\"Hello, world!\"}")) > plain + 4);
    assert_true(most_of("{\"messages\":[],\"response_format\":{\"x\":\"Hello, world!\"}}") > 3 + 4);
}

static void a_model_of_unpublished_format_is_estimated(void **state)
{
    (void)state;
    struct fixture fixture;
    assert_int_equal(tokens_of(&fixture, "gpt-4.1", MESSAGE("\"Hello, world!\"")), 11);
    assert_true(fixture.count.is_estimate);
    assert_int_equal(tokens_of(&fixture, "claude-3-opus", MESSAGE("\"Hello, world!\"")), 13);
    assert_true(fixture.count.is_estimate);
}

static void messages_are_known_by_role_and_by_what_they_call(void **state)
{
    (void)state;
    struct fixture fixture;
    (void)tokens_of(&fixture, "gpt-4o",
                    "{\"messages\":[{\"role\":\"developer\",\"content\":\"a\"},"
                    "{\"content\":\"a\",\"role\":\"user\"},"
                    "{\"role\":\"assistant\",\"content\":null,\"tool_calls\":[{\"id\":\"c1\","
                    "\"type\":\"function\",\"function\":{\"name\":\"f\",\"arguments\":\"{}\"}}]},"
                    "{\"role\":\"tool\",\"tool_call_id\":\"c1\",\"content\":\"a\"},"
                    "{\"role\":\"assistant\",\"function_call\":{\"name\":\"f\"}},"
                    "{\"role\":\"function\",\"name\":\"f\",\"content\":\"a\"},"
                    "{\"role\":\"assistant\",\"tool_calls\":[],\"function_call\":null},"
                    "{\"role\":\"\",\"tool_calls\":[{}]}, 7]}");
    static const enum context_role roles[] = {
        CONTEXT_ROLE_SYSTEM,    CONTEXT_ROLE_USER,      CONTEXT_ROLE_ASSISTANT,
        CONTEXT_ROLE_TOOL,      CONTEXT_ROLE_ASSISTANT, CONTEXT_ROLE_TOOL,
        CONTEXT_ROLE_ASSISTANT, CONTEXT_ROLE_USER,      CONTEXT_ROLE_USER};
    assert_int_equal(fixture.messages.count, 9);
    for (size_t i = 0; i < 9; i++) {
        assert_int_equal(fixture.items[i].role, roles[i]);
        assert_int_equal(fixture.items[i].calls_tools, i == 2 || i == 4);
    }
    assert_true(fixture.count.is_estimate);
}

static void messages_without_room_are_counted_all_the_same(void **state)
{
    (void)state;
    struct json_limits limits = JSON_LIMITS_DEFAULT;
    struct json_error error;
    struct arena arena;
    char room[4096];
    struct json_object body;
    struct input_count count;
    arena_init(&arena, room, sizeof(room), 0);
    assert_int_equal(
        json_read_object(slice_from_text(COOKBOOK_MESSAGES), &limits, &arena, &body, &error),
        STATUS_OK);
    assert_int_equal(count_chat(model_tokens_find(SLICE("gpt-4o")), &body, &limits, NULL, &count),
                     STATUS_OK);
    assert_int_equal(count.input_tokens, 124);
    arena_fini(&arena);
}

/* --- prompts --- */

static uint64_t prompt_tokens(const char *model, const char *prompt)
{
    struct json_value value;
    struct json_error error;
    struct input_count count;
    assert_int_equal(json_check(slice_from_text(prompt), &JSON_LIMITS_DEFAULT, &value, &error),
                     STATUS_OK);
    assert_int_equal(count_prompt(model_tokens_find(slice_from_text(model)), value,
                                  &JSON_LIMITS_DEFAULT, &count),
                     STATUS_OK);
    return count.input_tokens;
}

static void prompts_of_every_form_are_counted_together(void **state)
{
    (void)state;
    const char *model = "text-embedding-3-small";
    assert_int_equal(prompt_tokens(model, "\"Hello, world!\""), 4);
    assert_int_equal(prompt_tokens(model, "[\"Hello, world!\", \"Hello, world!\"]"), 8);
    assert_int_equal(prompt_tokens(model, "[1, 2, 3]"), 3);
    assert_int_equal(prompt_tokens(model, "[[1, 2, 3], [4], []]"), 4);
    assert_int_equal(prompt_tokens(model, "null"), 0);
    assert_int_equal(prompt_tokens(model, "\"\""), 0);
    assert_int_equal(prompt_tokens(model, "[]"), 0);
}

static void a_plain_text_counts_as_its_tokens(void **state)
{
    (void)state;
    struct input_count count;
    assert_int_equal(count_text(model_tokens_find(SLICE("gpt-4")), SLICE("Hello, world!"),
                                &JSON_LIMITS_DEFAULT, &count),
                     STATUS_OK);
    assert_int_equal(count.input_tokens, 4);
    assert_false(count.is_estimate);
}

/* --- what can go wrong --- */

static void before_its_encoding_is_loaded_nothing_can_be_counted(void **state)
{
    struct fixture fixture;
    tokenizer_unload_all();
    assert_int_equal(count_body(&fixture, "gpt-4o", SLICE(COOKBOOK_MESSAGES)), STATUS_AGAIN);
    assert_int_equal(load_encodings(state), 0);
    assert_int_equal(count_body(&fixture, "gpt-4o", SLICE(COOKBOOK_MESSAGES)), STATUS_OK);
}

static char *long_message(size_t size)
{
    static const char head[] = "{\"messages\":[{\"role\":\"user\",\"content\":\"";
    static const char tail[] = "\"}]}";
    char *text = alloc_bytes(size + sizeof(head) + sizeof(tail));
    assert_non_null(text);
    memcpy(text, head, sizeof(head) - 1);
    memset(text + sizeof(head) - 1, 'a', size);
    memcpy(text + sizeof(head) - 1 + size, tail, sizeof(tail));
    return text;
}

static void a_long_chat_gives_way(void **state)
{
    (void)state;
    struct fixture fixture;
    char *text = long_message(1000000);
    assert_int_equal(count_body(&fixture, "gpt-4o", slice_from_text(text)), STATUS_OK);
    assert_true(fixture.pauses >= 15);
    assert_int_equal(count_body(&fixture, "gpt-4o", SLICE(COOKBOOK_MESSAGES)), STATUS_OK);
    assert_int_equal(fixture.pauses, 0);
    alloc_free(text);
}

static void without_memory_a_chat_says_so(void **state)
{
    (void)state;
    struct fixture fixture;
    char *text = long_message(40000);
    enum status status = STATUS_NO_MEMORY;
    int nth = 0;
    for (; status != STATUS_OK; nth++) {
        alloc_fail_nth(nth);
        status = count_body(&fixture, "gpt-4o", slice_from_text(text));
        alloc_fail_nth(-1);
        assert_true(status == STATUS_OK || status == STATUS_NO_MEMORY);
    }
    assert_true(nth > 2);
    alloc_free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_cookbooks_chat_counts_as_the_cookbook_says),
        cmocka_unit_test(the_cookbooks_tools_count_as_the_cookbook_says),
        cmocka_unit_test(parts_and_plain_strings_of_a_content_count_alike),
        cmocka_unit_test(a_text_beside_something_else_does_not_tell_what_that_is),
        cmocka_unit_test(the_most_is_what_anybody_may_find),
        cmocka_unit_test(a_model_of_unpublished_format_is_estimated),
        cmocka_unit_test(messages_are_known_by_role_and_by_what_they_call),
        cmocka_unit_test(messages_without_room_are_counted_all_the_same),
        cmocka_unit_test(prompts_of_every_form_are_counted_together),
        cmocka_unit_test(a_plain_text_counts_as_its_tokens),
        cmocka_unit_test(before_its_encoding_is_loaded_nothing_can_be_counted),
        cmocka_unit_test(a_long_chat_gives_way),
        cmocka_unit_test(without_memory_a_chat_says_so),
    };
    return cmocka_run_group_tests(tests, load_encodings, NULL);
}
