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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_cookbooks_chat_counts_as_the_cookbook_says),
        cmocka_unit_test(the_cookbooks_tools_count_as_the_cookbook_says),
    };
    return cmocka_run_group_tests(tests, load_encodings, NULL);
}
