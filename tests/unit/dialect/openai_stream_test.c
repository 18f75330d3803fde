#include "dialect/openai_stream.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "unit/dialect/fixture.h"

static struct openai_stream stream;

static void start(bool include_usage)
{
    static struct json_limits limits;
    limits = JSON_LIMITS_DEFAULT;
    openai_stream_init(&stream, include_usage, &limits);
}

static void assert_event(const char *data, enum openai_event expected)
{
    const enum openai_event event = openai_stream_event(&stream, slice_from_text(data));
    if (event != expected)
        fail_msg("%d: %s", (int)event, data);
}

static void an_ordinary_event_passes_and_says_nothing(void **state)
{
    (void)state;
    static const char *const events[] = {
        "{\"choices\":[{\"finish_reason\":null,\"index\":0,\"delta\":{\"content\":\"Hello\"}}]}",
        "{\"choices\": [{\"finish_reason\" : null, \"delta\": {}}], \"usage\" :\tnull}",
        "{\"choices\":[],\"prompt_filter_results\":[{\"x\":1}]}",
        "{\"choices\":[{\"delta\":{\"content\":\"{\\\"usage\\\":{\\\"prompt_tokens\\\":1}}\"}}]}",
        "{\"choices\":[{\"delta\":{\"content\":\"usage\"}}]}",
        "{\"choices\":[{\"delta\":{\"content\":\"error\",\"finish_reason\":\"stop\"}}]}",
        "{\"choices\":[{\"delta\":{\"content\":\"[DONE]\"}}]}",
        "{\"choices\":[{\"finish_reason\":\"\",\"delta\":{}}]}",
        "{\"choices\":[{\"delta\":{\"error\":1}}],\"error\":null}",
        "{\"usage\":{\"prompt_tokens\":1}",
        "[{\"usage\":{\"prompt_tokens\":1}}]",
        "not JSON, \"usage\":",
        "\"usage\"",
    };
    start(false);
    for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++)
        assert_event(events[i], OPENAI_EVENT_PASS);
    assert_false(stream.has_usage || stream.is_finished || stream.is_done || stream.has_error);
    assert_false(openai_stream_is_whole(&stream));
    assert_event("", OPENAI_EVENT_EMPTY);
}

static void the_usage_chunk_is_withheld_unless_the_client_asked(void **state)
{
    (void)state;
    static const char chunk[] = "{\"id\":\"x\",\"choices\": [ ],\"usage\":{\"prompt_tokens\":7,"
                                "\"completion_tokens\":3,\"total_tokens\":10}}";
    start(false);
    assert_event(chunk, OPENAI_EVENT_WITHHOLD);
    assert_true(stream.has_usage);
    assert_true(stream.usage.tokens[OPENAI_TOKENS_INPUT] == 7);
    start(true);
    assert_event(chunk, OPENAI_EVENT_PASS);
    assert_true(stream.has_usage);
    start(false);
    assert_event("{\"choices\":[],\"usage\":{}}", OPENAI_EVENT_WITHHOLD);
    assert_false(stream.has_usage);
}

static void usage_beside_a_choice_or_without_choices_passes(void **state)
{
    (void)state;
    start(false);
    assert_event("{\"choices\":[{\"delta\":{\"content\":\"a\"}}],\"usage\":{\"prompt_tokens\":1}}",
                 OPENAI_EVENT_PASS);
    assert_event("{\"choices\":[{\"delta\":{\"content\":\"b\"}}],\"usage\":{\"prompt_tokens\":2}}",
                 OPENAI_EVENT_PASS);
    assert_true(stream.usage.tokens[OPENAI_TOKENS_INPUT] == 2);
    assert_event("{\"usage\":{\"prompt_tokens\":3}}", OPENAI_EVENT_PASS);
    assert_event("{\"choices\":null,\"usage\":{\"prompt_tokens\":4}}", OPENAI_EVENT_PASS);
    assert_event("{\"choices\":{},\"usage\":{\"prompt_tokens\":5}}", OPENAI_EVENT_PASS);
    assert_event("{\"choices\":[],\"usage\":5}", OPENAI_EVENT_PASS);
    assert_true(stream.usage.tokens[OPENAI_TOKENS_INPUT] == 5);
}

static void a_finish_or_done_makes_the_stream_whole(void **state)
{
    (void)state;
    start(false);
    assert_event("{\"choices\":[{\"index\":0,\"finish_reason\":null},{\"index\":1,"
                 "\"finish_reason\":\"stop\"}]}",
                 OPENAI_EVENT_PASS);
    assert_true(stream.is_finished);
    assert_true(openai_stream_is_whole(&stream));
    start(false);
    assert_event("[DONE]", OPENAI_EVENT_DONE);
    assert_true(stream.is_done);
    assert_true(openai_stream_is_whole(&stream));
    start(false);
    assert_event(" [DONE] ", OPENAI_EVENT_DONE);
    start(false);
    assert_event("[DONE", OPENAI_EVENT_PASS);
    assert_event("[DONE]x", OPENAI_EVENT_PASS);
    assert_false(openai_stream_is_whole(&stream));
}

static void an_error_event_is_one_even_after_the_finish(void **state)
{
    (void)state;
    static const char *const events[] = {
        "{\"error\":{\"message\":\"no\",\"code\":500}}",
        "{\"error\":\"no\"}",
        "{\"object\":\"error\",\"message\":\"no\"}",
        "{\"id\":\"x\",\"error\":{},\"choices\":[{\"finish_reason\":\"error\",\"delta\":{}}]}",
    };
    for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
        start(false);
        assert_event("{\"choices\":[{\"finish_reason\":\"stop\"}]}", OPENAI_EVENT_PASS);
        assert_event(events[i], OPENAI_EVENT_ERROR);
        assert_true(stream.has_error);
        assert_false(openai_stream_is_whole(&stream));
    }
}

/* --- many events at once --- */

static void the_search_stops_at_what_matters_wherever_it_stands(void **state)
{
    (void)state;
    static const char *const words[] = {
        "\"usage\":{",      "\"finish_reason\":\"stop\"", "\"error\":{",      "[DONE]",
        "\"usage\"}",       "\"finish_reason\" :1",       "[DONE]\n\n: null", "\"usage\"\n: null",
        "\"error\":\n null"};
    char text[200];
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        for (size_t place = 0; place < 100; place++) {
            memset(text, 'x', sizeof(text));
            memcpy(text + place, words[i], strlen(words[i]));
            for (size_t size = place + 1; size < place + 60; size++)
                assert_int_equal(openai_stream_quiet(slice_of(text, size)), place);
        }
    }
}

static void the_search_passes_what_does_not_matter_wherever_it_stands(void **state)
{
    (void)state;
    static const char *const words[] = {"\"usage\":null,",   "\"finish_reason\" : null}",
                                        "\\\"usage\\\":{",   "\"user\":1",
                                        "\"fingerprint\":1", "[Done]",
                                        "usage\":",          "\"\"u\"f\"e[D]"};
    char text[200];
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        for (size_t place = 0; place < 100; place++) {
            memset(text, 'x', sizeof(text));
            memcpy(text + place, words[i], strlen(words[i]));
            for (size_t size = place + strlen(words[i]); size < place + 60; size++)
                assert_int_equal(openai_stream_quiet(slice_of(text, size)), size);
        }
    }
    assert_int_equal(openai_stream_quiet((struct slice){0}), 0);
}

static void the_search_stops_where_a_word_is_cut_off(void **state)
{
    (void)state;
    assert_int_equal(openai_stream_quiet(SLICE("xx\"finish_reas")), 2);
    assert_int_equal(openai_stream_quiet(SLICE("xx\"usage\":nul")), 2);
    assert_int_equal(openai_stream_quiet(SLICE("xx\"usage\"")), 2);
    assert_int_equal(openai_stream_quiet(SLICE("xx[DO")), 2);
    assert_int_equal(openai_stream_quiet(SLICE("xx\"")), 2);
}

/* --- real streams --- */

/* Takes the data of the next event of a stream whose events are one data line each. */
static struct slice next_data(struct slice *rest)
{
    const size_t size = slice_find(*rest, SLICE("\n\n"));
    const struct slice event = slice_of(rest->data, size);
    assert_true(slice_starts_with(event, SLICE("data: ")));
    *rest = slice_from(*rest, size + 2);
    return slice_from(event, 6);
}

static void real_streams_are_understood(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        unsigned events, withheld;
        uint64_t input, output;
        bool is_finished;
    } cases[] = {
        {"llama.cpp-chat-stream.sse", 10, 1, 23, 6, true},
        {"llama.cpp-chat-stream-no-usage.sse", 9, 0, 0, 0, true},
        {"llama.cpp-chat-n2-stream.sse", 13, 2, 23, 3, true},
        {"llama.cpp-chat-tools-stream.sse", 12, 1, 150, 31, true},
        {"llama.cpp-chat-logprobs-stream.sse", 6, 1, 23, 2, true},
        {"llama.cpp-completions-stream.sse", 6, 0, 5, 4, true},
        {"llama-cpp-python-chat-stream.sse", 9, 0, 0, 0, true},
        {"llama-cpp-python-chat-stream-interrupted.sse", 2, 0, 0, 0, false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct slice rest = fixture(cases[i].name);
        unsigned events = 0;
        unsigned withheld = 0;
        start(false);
        while (rest.size > 0) {
            const enum openai_event event = openai_stream_event(&stream, next_data(&rest));
            assert_int_equal(event == OPENAI_EVENT_DONE, rest.size == 0);
            withheld += event == OPENAI_EVENT_WITHHOLD;
            events++;
        }
        assert_int_equal(events, cases[i].events);
        assert_int_equal(withheld, cases[i].withheld);
        assert_int_equal(stream.has_usage, cases[i].input > 0);
        assert_true(stream.usage.tokens[OPENAI_TOKENS_INPUT] == cases[i].input);
        assert_true(stream.usage.tokens[OPENAI_TOKENS_OUTPUT] == cases[i].output);
        assert_int_equal(stream.is_finished, cases[i].is_finished);
        assert_true(openai_stream_is_whole(&stream));
    }
}

/* In a real stream, the quiet front ends in the first event that is not simply passed. */
static void the_quiet_front_of_a_real_stream_ends_in_its_finish(void **state)
{
    (void)state;
    const struct slice bytes = fixture("llama.cpp-chat-stream.sse");
    const size_t quiet = openai_stream_quiet(bytes);
    assert_int_equal(quiet, slice_find(bytes, SLICE("\"finish_reason\":\"length\"")));
}

static void the_service_tier_of_the_usage_chunk_is_kept(void **state)
{
    (void)state;
    static const struct {
        const char *tier, *expected;
    } cases[] = {{"\"flex\"", "flex"},
                 {"\"a name of 24 bytes, no one\"", "a name of 24 bytes, no one"},
                 {"\"\"", ""},
                 {"null", ""},
                 {"[\"flex\"]", ""}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char event[256];
        const size_t size = strlen(cases[i].expected);
        (void)snprintf(event, sizeof(event),
                       "{\"choices\":[],\"service_tier\":%s,\"usage\":{\"prompt_tokens\":1}}",
                       cases[i].tier);
        start(true);
        assert_event(event, OPENAI_EVENT_PASS);
        assert_int_equal(stream.service_tier_size, size <= sizeof(stream.service_tier) ? size : 0);
        assert_memory_equal(stream.service_tier, cases[i].expected, stream.service_tier_size);
    }
}

static void append(void *context, enum openai_content kind, struct json_value text)
{
    struct buffer *buffer = context;
    if (kind == OPENAI_CONTENT_MEDIA)
        buffer_append(buffer, SLICE("!"));
    buffer_append(buffer, text.raw);
}

static void what_the_model_made_is_found_in_order(void **state)
{
    (void)state;
    static const struct {
        const char *data, *expected;
    } cases[] = {
        {"{\"choices\":[{\"delta\":{\"role\":\"assistant\",\"content\":\"a\"}}]}", "\"a\""},
        {"{\"choices\":[{\"text\":\"a\"},{\"text\":\"b\",\"finish_reason\":\"stop\"}]}",
         "\"a\"\"b\""},
        {"{\"choices\":[{\"message\":{\"content\":null,\"refusal\":\"no\",\"tool_calls\":[{"
         "\"id\":\"x\",\"type\":\"function\",\"function\":{\"name\":\"f\",\"arguments\":"
         "\"{}\"}}]}}]}",
         "\"no\"\"f\"\"{}\""},
        {"{\"choices\":[{\"delta\":{\"audio\":{\"id\":\"x\",\"data\":\"AAAA\",\"transcript\":"
         "\"hm\"}}}]}",
         "!\"AAAA\"\"hm\""},
        {"{\"choices\":[{\"delta\":{\"data\":\"AAAA\"}}]}", "\"AAAA\""},
        {"{\"choices\":[{\"delta\":{\"images\":[{\"image_url\":{\"url\":"
         "\"data:image/png;base64,AAAA\"}}]}}]}",
         "!\"data:image/png;base64,AAAA\""},
        {"{\"choices\":[{\"text\":\"data: of ;base64\"}]}", "\"data: of ;base64\""},
        {"{\"usage\":{\"a\":\"b\"}}", ""},
        {"[\"a\"]", ""},
        {"{\"choices\":[{\"text\":\"a\"}]", ""},
        {"", ""},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct slice data = slice_from_text(cases[i].data);
        struct buffer found;
        buffer_init(&found, 256);
        (void)openai_event_content(data, &JSON_LIMITS_DEFAULT, append, &found);
        assert_true(slice_equal(buffer_slice(&found), slice_from_text(cases[i].expected)));
        buffer_fini(&found);
    }
    assert_int_equal(
        openai_event_content_bytes(SLICE("{\"choices\":[{\"text\":\"abc\"},{\"text\":\"\\u0041\","
                                         "\"audio\":{\"data\":\"AAAA\"}}]}"),
                                   &JSON_LIMITS_DEFAULT),
        9);
}

static void events_are_counted_by_their_empty_lines(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        uint64_t events;
    } cases[] = {
        {"", 0},
        {"\n", 0},
        {"data: a\n", 0},
        {"data: a\n\n", 1},
        {"data: a\n\ndata: b\n\ndata", 2},
        {"data: a\r\n\r\ndata: b\r\n\r\n", 2},
        {"data: a\r\rdata: b\r\r", 2},
        {"event: x\ndata: a\n\nid: 1\ndata: b\ndata: c\n\n", 2},
        {"event: x\r\ndata: a\r\n\r\n", 1},
        {"data: a\r\n\r", 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(openai_stream_events(slice_from_text(cases[i].bytes)), cases[i].events);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_are_counted_by_their_empty_lines),
        cmocka_unit_test(an_ordinary_event_passes_and_says_nothing),
        cmocka_unit_test(the_usage_chunk_is_withheld_unless_the_client_asked),
        cmocka_unit_test(usage_beside_a_choice_or_without_choices_passes),
        cmocka_unit_test(a_finish_or_done_makes_the_stream_whole),
        cmocka_unit_test(an_error_event_is_one_even_after_the_finish),
        cmocka_unit_test(the_search_stops_at_what_matters_wherever_it_stands),
        cmocka_unit_test(the_search_passes_what_does_not_matter_wherever_it_stands),
        cmocka_unit_test(the_search_stops_where_a_word_is_cut_off),
        cmocka_unit_test(real_streams_are_understood),
        cmocka_unit_test(the_quiet_front_of_a_real_stream_ends_in_its_finish),
        cmocka_unit_test(the_service_tier_of_the_usage_chunk_is_kept),
        cmocka_unit_test(what_the_model_made_is_found_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
