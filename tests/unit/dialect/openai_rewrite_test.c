#include "dialect/openai_rewrite.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "json/read.h"

static char first[8192];
static struct arena arena;
static struct openai_request request;

static void read_body(enum openai_route route, const char *body)
{
    struct openai_error error;
    arena_init(&arena, first, sizeof(first), 0);
    if (openai_request_read(route, slice_from_text(body), &JSON_LIMITS_DEFAULT, &arena, &request,
                            &error) != STATUS_OK)
        fail_msg("%s: %s", body, error.message);
}

static void assert_rewritten(const struct openai_rewrite *rewrite, const char *text)
{
    struct json_pieces pieces;
    struct buffer buffer;
    struct json_value value;
    struct json_error error;
    buffer_init(&buffer, 4096);
    assert_int_equal(openai_request_rewrite(&request, rewrite, &arena, &pieces), STATUS_OK);
    assert_int_equal(json_pieces_append(&pieces, &buffer), STATUS_OK);
    if (!slice_equal(buffer_slice(&buffer), slice_from_text(text)))
        fail_msg("'%.*s' is not '%s'", SLICE_ARGS(buffer_slice(&buffer)), text);
    assert_int_equal(json_check(buffer_slice(&buffer), &JSON_LIMITS_DEFAULT, &value, &error),
                     STATUS_OK);
    buffer_fini(&buffer);
}

static void nothing_to_change_leaves_every_byte(void **state)
{
    (void)state;
    static const char body[] =
        " {\"model\":\"m\", \"messages\":[ {\"a\":1.10e0} ],\"\\u0078\":-0,\"stream\":true}\n";
    const struct openai_rewrite rewrite = {0};
    read_body(OPENAI_ROUTE_CHAT, body);
    assert_rewritten(&rewrite, body);
}

static void only_the_model_changes(void **state)
{
    (void)state;
    const struct openai_rewrite rewrite = {.model = SLICE("other\"\xC3\xA9")};
    read_body(OPENAI_ROUTE_CHAT, "{\"x\":[1.0] , \"mo\\u0064el\" : \"m\" ,\"messages\":[]}");
    assert_rewritten(&rewrite, "{\"x\":[1.0] , \"mo\\u0064el\" : \"other\\\"\xC3\xA9\" ,"
                               "\"messages\":[]}");
    read_body(OPENAI_ROUTE_MODERATIONS, "{\"input\":\"x\",\"model\":null}");
    assert_rewritten(&rewrite, "{\"input\":\"x\",\"model\":\"other\\\"\xC3\xA9\"}");
    read_body(OPENAI_ROUTE_MODERATIONS, "{\"input\":\"x\"}");
    assert_rewritten(&rewrite, "{\"model\":\"other\\\"\xC3\xA9\",\"input\":\"x\"}");
}

static void usage_is_asked_for_in_whatever_stream_options_there_are(void **state)
{
    (void)state;
    static const struct {
        const char *from, *to;
    } cases[] = {
        {"{\"model\":\"m\",\"messages\":[],\"stream\":true}",
         "{\"stream_options\":{\"include_usage\":true},\"model\":\"m\",\"messages\":[],"
         "\"stream\":true}"},
        {"{\"stream_options\":null,\"model\":\"m\",\"messages\":[],\"stream\":true}",
         "{\"stream_options\":{\"include_usage\":true},\"model\":\"m\",\"messages\":[],"
         "\"stream\":true}"},
        {"{\"stream_options\":{ },\"model\":\"m\",\"messages\":[],\"stream\":true}",
         "{\"stream_options\":{\"include_usage\":true },\"model\":\"m\",\"messages\":[],"
         "\"stream\":true}"},
        {"{\"stream_options\":{\"x\":1},\"model\":\"m\",\"messages\":[],\"stream\":true}",
         "{\"stream_options\":{\"include_usage\":true,\"x\":1},\"model\":\"m\",\"messages\":[],"
         "\"stream\":true}"},
        {"{\"stream_options\":{\"include_usage\":false,\"x\":1},\"model\":\"m\",\"messages\":[],"
         "\"stream\":true}",
         "{\"stream_options\":{\"include_usage\":true,\"x\":1},\"model\":\"m\",\"messages\":[],"
         "\"stream\":true}"},
        {"{\"stream_options\":{\"include_usage\":null},\"model\":\"m\",\"messages\":[],"
         "\"stream\":true}",
         "{\"stream_options\":{\"include_usage\":true},\"model\":\"m\",\"messages\":[],"
         "\"stream\":true}"},
        {"{\"stream_options\":{\"include_usage\":true},\"model\":\"m\",\"messages\":[],"
         "\"stream\":true}",
         "{\"stream_options\":{\"include_usage\":true},\"model\":\"m\",\"messages\":[],"
         "\"stream\":true}"},
        {"{\"model\":\"m\",\"messages\":[],\"stream\":false}",
         "{\"model\":\"m\",\"messages\":[],\"stream\":false}"},
        {"{\"model\":\"m\",\"messages\":[]}", "{\"model\":\"m\",\"messages\":[]}"},
    };
    const struct openai_rewrite rewrite = {.usage = OPENAI_USAGE_ASK_YES};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        read_body(OPENAI_ROUTE_CHAT, cases[i].from);
        assert_rewritten(&rewrite, cases[i].to);
    }
}

static void stream_options_are_dropped_for_an_upstream_that_does_not_know_them(void **state)
{
    (void)state;
    const struct openai_rewrite rewrite = {.usage = OPENAI_USAGE_ASK_DROP};
    read_body(OPENAI_ROUTE_CHAT, "{\"model\":\"m\",\"messages\":[],\"stream\":true,"
                                 "\"stream_options\":{\"include_usage\":true}}");
    assert_rewritten(&rewrite, "{\"model\":\"m\",\"messages\":[],\"stream\":true}");
    read_body(OPENAI_ROUTE_CHAT,
              "{\"stream_options\":null,\"model\":\"m\",\"messages\":[],\"stream\":true}");
    assert_rewritten(&rewrite, "{\"model\":\"m\",\"messages\":[],\"stream\":true}");
    read_body(OPENAI_ROUTE_CHAT, "{\"model\":\"m\",\"messages\":[],\"stream\":true}");
    assert_rewritten(&rewrite, "{\"model\":\"m\",\"messages\":[],\"stream\":true}");
}

static void all_edits_at_once_fit(void **state)
{
    (void)state;
    const struct openai_rewrite rewrite = {
        .model = SLICE("t"),
        .usage = OPENAI_USAGE_ASK_YES,
        .stream = true,
        .messages = SLICE("[1]"),
        .max_output = {9,
                       1u << OPENAI_MEMBER_MAX_TOKENS | 1u << OPENAI_MEMBER_MAX_COMPLETION_TOKENS},
        .temperature = SLICE("0.7")};
    read_body(OPENAI_ROUTE_SIMPLE_CHAT, "{\"messages\":[]}");
    assert_rewritten(&rewrite, "{\"model\":\"t\",\"temperature\":0.7,\"max_tokens\":9,"
                               "\"max_completion_tokens\":9,\"stream\":true,"
                               "\"stream_options\":{\"include_usage\":true},\"messages\":[1]}");
    read_body(OPENAI_ROUTE_SIMPLE_CHAT,
              "{\"stream_options\":{\"a\":1},\"messages\":[],\"stream\":false,\"model\":\"m\","
              "\"max_tokens\":0,\"max_completion_tokens\":null,\"temperature\":null}");
    assert_rewritten(&rewrite, "{\"stream_options\":{\"include_usage\":true,\"a\":1},"
                               "\"messages\":[1],\"stream\":true,\"model\":\"t\","
                               "\"max_tokens\":9,\"max_completion_tokens\":9,"
                               "\"temperature\":null}");
}

static void a_maximum_of_output_is_written_under_each_name_that_is_asked_for(void **state)
{
    (void)state;
    const unsigned older = 1u << OPENAI_MEMBER_MAX_TOKENS;
    const unsigned newer = 1u << OPENAI_MEMBER_MAX_COMPLETION_TOKENS;
    struct openai_rewrite rewrite = {.max_output = {.tokens = 5, .members = older}};
    read_body(OPENAI_ROUTE_CHAT, "{\"messages\":[],\"model\":\"m\",\"max_completion_tokens\":5}");
    assert_rewritten(&rewrite, "{\"max_tokens\":5,\"messages\":[],\"model\":\"m\","
                               "\"max_completion_tokens\":5}");
    rewrite.max_output.members = older | newer;
    read_body(OPENAI_ROUTE_CHAT, "{\"messages\":[],\"model\":\"m\",\"max_tokens\":0}");
    assert_rewritten(&rewrite, "{\"max_completion_tokens\":5,\"messages\":[],\"model\":\"m\","
                               "\"max_tokens\":5}");
    rewrite.max_output.members = 0;
    assert_rewritten(&rewrite, "{\"messages\":[],\"model\":\"m\",\"max_tokens\":0}");
}

static void other_messages_take_the_place_of_the_clients(void **state)
{
    (void)state;
    struct openai_rewrite rewrite = {.messages = SLICE("[ {} ]")};
    read_body(OPENAI_ROUTE_CHAT, "{\"messages\" : [{\"a\":1},{} ] , \"model\":\"m\"}");
    assert_rewritten(&rewrite, "{\"messages\" : [ {} ] , \"model\":\"m\"}");
    read_body(OPENAI_ROUTE_MODERATIONS, "{\"input\":\"x\"}");
    assert_rewritten(&rewrite, "{\"input\":\"x\"}");
    rewrite = (struct openai_rewrite){.model = SLICE("t"),
                                      .usage = OPENAI_USAGE_ASK_YES,
                                      .stream = true,
                                      .messages = SLICE("[]"),
                                      .temperature = SLICE("1")};
    read_body(OPENAI_ROUTE_SIMPLE_CHAT, "{\"stream_options\":{\"a\":1},\"messages\":[{}],"
                                        "\"stream\":false,\"model\":\"m\"}");
    assert_rewritten(&rewrite, "{\"temperature\":1,\"stream_options\":{\"include_usage\":true,"
                               "\"a\":1},\"messages\":[],\"stream\":true,\"model\":\"t\"}");
}

static void an_exhausted_arena_is_said(void **state)
{
    (void)state;
    static const struct openai_rewrite rewrites[] = {{.model = {"t", 1}},
                                                     {.temperature = {"1", 1}}};
    for (size_t i = 0; i < 2; i++) {
        struct json_pieces pieces;
        struct arena none;
        read_body(OPENAI_ROUTE_SIMPLE_CHAT, "{\"messages\":[]}");
        arena_init(&none, NULL, 0, 0);
        assert_int_equal(openai_request_rewrite(&request, &rewrites[i], &none, &pieces),
                         STATUS_NO_MEMORY);
        _Alignas(16) char room[24];
        arena_init(&none, room, sizeof(room), 0); /* enough for the quoted name alone */
        assert_int_equal(openai_request_rewrite(&request, &rewrites[i], &none, &pieces),
                         i == 0 ? STATUS_NO_MEMORY : STATUS_OK);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_to_change_leaves_every_byte),
        cmocka_unit_test(only_the_model_changes),
        cmocka_unit_test(usage_is_asked_for_in_whatever_stream_options_there_are),
        cmocka_unit_test(stream_options_are_dropped_for_an_upstream_that_does_not_know_them),
        cmocka_unit_test(all_edits_at_once_fit),
        cmocka_unit_test(a_maximum_of_output_is_written_under_each_name_that_is_asked_for),
        cmocka_unit_test(other_messages_take_the_place_of_the_clients),
        cmocka_unit_test(an_exhausted_arena_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
