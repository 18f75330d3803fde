#include "gateway/fit.h"

#include "unit/gateway/calling_fixture.h"

#include "base/alloc.h"
#include "json/read.h"
#include "models/chat_count.h"

#define WINDOW ", window: 60, context: { strategy: drop_oldest }"
#define WORDS  "one two three four five six seven eight nine ten one two three four five six seven"

static int load(void **state)
{
    (void)state;
    return tokenizer_load(TOKEN_ENCODING_O200K, NULL) != STATUS_OK ||
           tokenizer_load(TOKEN_ENCODING_CL100K, NULL) != STATUS_OK;
}

static int unload(void **state)
{
    (void)state;
    tokenizer_unload_all();
    return 0;
}

/* --- The bound ------------------------------------------------------------------------------------------- */

struct body {
    char room[16384];
    struct arena arena;
    struct json_object object;
    size_t message_count;
};

static void read_body(struct body *body, struct slice text)
{
    struct json_error error;
    arena_init(&body->arena, body->room, sizeof(body->room), 0);
    assert_int_equal(
        json_read_object(text, &JSON_LIMITS_DEFAULT, &body->arena, &body->object, &error),
        STATUS_OK);
    body->message_count = 0;
    for (size_t i = 0; i < body->object.count; i++) {
        if (slice_equal(body->object.members[i].key, SLICE("messages")))
            body->message_count = body->object.members[i].element_count;
    }
}

static void assert_bounded(struct slice text)
{
    static const char *const models[] = {"gpt-4o", "gpt-4", "gpt-3.5-turbo-0301", "claude-x", "?"};
    struct body body;
    read_body(&body, text);
    for (size_t i = 0; i < sizeof(models) / sizeof(models[0]); i++) {
        const struct model_tokens *model = model_tokens_find(slice_from_text(models[i]));
        struct input_count count;
        assert_int_equal(count_chat(model, &body.object, &JSON_LIMITS_DEFAULT, NULL, &count),
                         STATUS_OK);
        if (fit_bound(model, &body.object, body.message_count) < count.input_tokens)
            fail_msg("%.*s is over its bound for %s", SLICE_ARGS(text), models[i]);
    }
}

/* `before`, the repeated text as often as it goes with commas between, and `after`. */
static void assert_repeated_bounded(const char *before, const char *repeated, const char *after)
{
    struct buffer text;
    buffer_init(&text, (size_t)1 << 20);
    for (int times = 0; times < 300; times = times * 3 + 1) {
        buffer_clear(&text);
        buffer_append(&text, slice_from_text(before));
        for (int i = 0; i < times; i++)
            buffer_printf(&text, "%s%s", i > 0 ? "," : "", repeated);
        buffer_append(&text, slice_from_text(after));
        assert_int_equal(buffer_status(&text), STATUS_OK);
        assert_bounded(buffer_slice(&text));
    }
    buffer_fini(&text);
}

static void the_bound_is_never_less_than_the_count(void **state)
{
    (void)state;
    static const struct {
        const char *before, *repeated, *after;
    } cases[] = {
        {"{\"messages\":[", "{}", "]}"},
        {"{\"messages\":[", "{\"name\":\"\"}", "]}"},
        {"{\"messages\":[", "{\"role\":\"x\",\"content\":\"\\u00e9\xF0\x9F\x98\x80 {}\"}", "]}"},
        {"{\"messages\":[{\"content\":[", "{\"input_audio\":{\"data\":\"\"}}", "]}]}"},
        {"{\"messages\":[{\"content\":[", "\"\\n\"", "]}]}"},
        {"{\"messages\":[{\"content\":\"", "\xE2\x82\xAC", "\"}]}"},
        {"{\"messages\":[{\"tool_calls\":[", "{\"function\":{}}", "]}]}"},
        {"{\"messages\":[{", "\"function_call\":{}", "}]}"},
        {"{\"messages\":[],\"functions\":[", "{}", "]}"},
        {"{\"messages\":[],\"tools\":[", "{\"function\":{}}", "]}"},
        {"{\"messages\":[],\"tools\":[", "1", "]}"},
        {"{\"messages\":[],\"functions\":[{\"parameters\":{\"properties\":{", "\"a\":{}", "}}}]}"},
        {"{\"messages\":[],\"functions\":[{\"parameters\":{\"properties\":{", "\"\":0", "}}}]}"},
        {"{\"messages\":[],\"functions\":[{\"parameters\":{\"properties\":{\"a\":{\"enum\":[", "1",
         "]}}}}]}"},
        {"{\"messages\":[],\"response_format\":{\"json_schema\":[", "1", "]}}"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_repeated_bounded(cases[i].before, cases[i].repeated, cases[i].after);
}

/* --- The messages that stay ------------------------------------------------------------------------------ */

static void assert_kept(const char *array, const char *kept, const char *expected)
{
    const struct slice text = slice_from_text(array);
    const size_t count = strlen(kept);
    struct context_message messages[8] = {0};
    struct body_memory memory = {0};
    const char *at = array;
    for (size_t i = 0; i < count; i++) {
        at = strchr(at, '{');
        messages[i].raw = slice_of(at++, 1);
        messages[i].is_kept = kept[i] == '1';
    }
    assert_int_equal(fit_write_kept(text, messages, count, &JSON_LIMITS_DEFAULT, &memory),
                     STATUS_OK);
    if (!slice_equal(slice_of(memory.data, memory.size), slice_from_text(expected)))
        fail_msg("'%.*s' is not '%s'", (int)memory.size, memory.data, expected);
    assert_int_equal(memory.capacity, strlen(expected));
    body_memory_free(&memory);
}

static void a_dropped_message_goes_with_its_comma_and_space(void **state)
{
    (void)state;
    body_memory_set_max(1 << 20);
    assert_kept("[ {a} , {b} ]", "11", "[ {a} , {b} ]");
    assert_kept("[ {a} , {b} ]", "01", "[ {b} ]");
    assert_kept("[{a},\n{b}\t,{c}]", "101", "[{a},\n{c}]");
    assert_kept("[{a},\n{b}\t,{c}]", "001", "[{c}]");
    assert_kept("[{a},{b},{c},{d} ,{e}]", "01001", "[{b},{e}]");
    assert_kept("[{a},{b},{c},{d} ,{e}]", "10101", "[{a},{c},{e}]");
    assert_kept("[{a}]", "1", "[{a}]");
}

static void what_stays_needs_memory_and_says_so(void **state)
{
    (void)state;
    static const char array[] = "[{a},{b}]";
    const struct context_message messages[] = {{.raw = {array + 1, 3}, .is_kept = false},
                                               {.raw = {array + 5, 3}, .is_kept = true}};
    struct body_memory memory = {0};
    body_memory_set_max(1 << 20);
    alloc_fail_nth(0);
    assert_int_equal(
        fit_write_kept(slice_from_text(array), messages, 2, &JSON_LIMITS_DEFAULT, &memory),
        STATUS_NO_MEMORY);
    alloc_fail_nth(-1);
    body_memory_set_max(4);
    assert_int_equal(
        fit_write_kept(slice_from_text(array), messages, 2, &JSON_LIMITS_DEFAULT, &memory),
        STATUS_NO_MEMORY);
    body_memory_free(&memory);
}

static void what_was_dropped_is_described(void **state)
{
    (void)state;
    char text[FIT_TEXT_BYTES];
    struct fit fit = {0};
    assert_int_equal(fit_describe(&fit, text).size, 0);
    fit.dropped_count = SIZE_MAX;
    assert_true(slice_equal(fit_describe(&fit, text), SLICE("dropped=18446744073709551615")));
}

/* --- Requests -------------------------------------------------------------------------------------------- */

#define OLD  "{\"role\":\"user\",\"content\":\"" WORDS WORDS WORDS WORDS "\"}"
#define LAST "{\"role\":\"user\",\"content\":\"Hi\"}"

static void ask(struct calling_fixture *fixture, const char *rule, const char *route,
                const char *body)
{
    calling_fixture_open_rule(fixture, "", "gpt-4o", rule, "");
    calling_fixture_ask(fixture, route, "", body);
}

static void assert_sent(struct calling_fixture *fixture, const char *body)
{
    peer_accept(&fixture->upstream, fixture->loop, fixture->listening_fd);
    peer_expect(&fixture->upstream, body);
    calling_fixture_close(fixture);
}

#define ANSWER_OF_MODEL "{\"role\":\"assistant\",\"content\":\"\"}"
#define BODY            "{\"model\":\"m\",\"messages\":[" OLD "," ANSWER_OF_MODEL "," LAST "],\"x\":1}"
#define WHOLE           "{\"model\":\"gpt-4o\",\"messages\":[" OLD "," ANSWER_OF_MODEL "," LAST "],\"x\":1}"
#define FITTED          "{\"model\":\"gpt-4o\",\"messages\":[" LAST "],\"x\":1}"

static void what_does_not_fit_is_left_out_and_the_client_is_told(void **state)
{
    (void)state;
    struct calling_fixture fixture;
    ask(&fixture, WINDOW, "/v1/chat/completions", BODY);
    peer_accept(&fixture.upstream, fixture.loop, fixture.listening_fd);
    peer_expect(&fixture.upstream, "\r\n\r\n" FITTED);
    peer_send_text(&fixture.upstream, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}");
    peer_expect(&fixture.client, "\r\n\r\n{}");
    assert_true(peer_has(&fixture.client, "x-weir-context: dropped=2\r\n"));
    calling_fixture_close(&fixture);
}

static void the_strategy_is_the_rules_or_the_routes(void **state)
{
    (void)state;
    static const struct {
        const char *rule, *route, *sent;
    } cases[] = {
        {", window: 60", "/v1/chat/completions", WHOLE},
        {", window: 60", "/v1/chat", "\"messages\":[" LAST "]"},
        {", window: 60, context: { strategy: pass }", "/v1/chat", OLD "," ANSWER_OF_MODEL "," LAST},
        {", context: { strategy: drop_oldest }", "/v1/chat/completions", WHOLE},
        {", window: 60, context: { strategy: middle_out }", "/v1/chat/completions", FITTED},
        {", window: 100000, context: { strategy: drop_oldest }", "/v1/chat/completions", WHOLE},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct calling_fixture fixture;
        ask(&fixture, cases[i].rule, cases[i].route, BODY);
        assert_sent(&fixture, cases[i].sent);
    }
}

static void refused(const char *rule, const char *members, const char *message)
{
    struct calling_fixture fixture;
    char body[1024];
    (void)snprintf(body, sizeof(body), "{\"model\":\"m\",\"messages\":[" LAST "]%s}", members);
    ask(&fixture, rule, "/v1/chat/completions", body);
    peer_expect(&fixture.client, "\"code\":\"context_length_exceeded\"}}");
    assert_true(peer_has(&fixture.client, "HTTP/1.1 400 "));
    assert_true(peer_has(&fixture.client, "\"param\":\"messages\""));
    if (!peer_has(&fixture.client, message))
        fail_msg("not in the answer: %s", message);
    calling_fixture_close(&fixture);
}

static void what_cannot_fit_is_refused_with_the_numbers(void **state)
{
    (void)state;
    refused(
        ", window: 5, context: { strategy: drop_oldest }", "",
        "\"This model's maximum context length is 5 tokens. However, your messages resulted in 8 "
        "tokens. Please reduce the length of the messages.\"");
    refused(
        WINDOW, ",\"max_tokens\":53",
        "\"This model's maximum context length is 60 tokens. However, you requested 61 tokens (8 "
        "in the messages, 53 in the completion). Please reduce the length of the messages or "
        "completion.\"");
    refused(WINDOW, ",\"max_completion_tokens\":18446744073709551614", "(8 in the messages, ");
}

static void without_memory_a_request_is_refused(void **state)
{
    (void)state;
    struct calling_fixture fixture;
    calling_fixture_open_rule(&fixture, "", "gpt-4o", WINDOW, "");
    body_memory_set_max(0);
    calling_fixture_ask(&fixture, "/v1/chat/completions", "", BODY);
    peer_expect(&fixture.client, "\"code\":\"overloaded\"");
    assert_true(peer_has(&fixture.client, "HTTP/1.1 503 "));
    assert_true(peer_has(&fixture.client, "retry-after: 1\r\n"));
    calling_fixture_close(&fixture);
}

static void before_the_encodings_are_loaded_nothing_is_fitted(void **state)
{
    (void)state;
    struct calling_fixture fixture;
    tokenizer_unload_all();
    ask(&fixture, WINDOW, "/v1/chat/completions", BODY);
    assert_sent(&fixture, WHOLE);
    load(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_bound_is_never_less_than_the_count),
        cmocka_unit_test(a_dropped_message_goes_with_its_comma_and_space),
        cmocka_unit_test(what_stays_needs_memory_and_says_so),
        cmocka_unit_test(what_was_dropped_is_described),
        cmocka_unit_test(what_does_not_fit_is_left_out_and_the_client_is_told),
        cmocka_unit_test(the_strategy_is_the_rules_or_the_routes),
        cmocka_unit_test(what_cannot_fit_is_refused_with_the_numbers),
        cmocka_unit_test(without_memory_a_request_is_refused),
        cmocka_unit_test(before_the_encodings_are_loaded_nothing_is_fitted),
    };
    return cmocka_run_group_tests(tests, load, unload);
}
