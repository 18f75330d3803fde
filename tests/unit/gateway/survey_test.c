#include "gateway/survey.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "models/price.h"

static char room[16384];
static unsigned pauses;

static void count_pause(void *context)
{
    (void)context;
    pauses++;
}

static struct survey survey_of(enum openai_route route, const char *body)
{
    struct json_limits limits = JSON_LIMITS_DEFAULT;
    struct openai_request openai;
    struct openai_error error;
    struct survey survey;
    struct arena arena;
    arena_init(&arena, room, sizeof(room), 0);
    if (openai_request_read(route, slice_from_text(body), &limits, &arena, &openai, &error) !=
        STATUS_OK)
        fail_msg("%s: %s", body, error.message);
    limits.pause = count_pause;
    pauses = 0;
    survey_request(&openai, &limits, &survey);
    arena_fini(&arena);
    return survey;
}

static void assert_input(enum openai_route route, const char *const *bodies, size_t count,
                         enum survey_input input)
{
    for (size_t i = 0; i < count; i++) {
        if (survey_of(route, bodies[i]).input != input)
            fail_msg("%s is %d", bodies[i], survey_of(route, bodies[i]).input);
    }
}

#define ASSERT_INPUT(route, bodies, input)                                                         \
    assert_input(route, bodies, sizeof(bodies) / sizeof((bodies)[0]), input)

#define CHAT(members)                                                                              \
    "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]" members "}"
#define MESSAGE(members) "{\"model\":\"m\",\"messages\":[{\"role\":\"user\"," members "}]}"
#define PART(members)    MESSAGE("\"content\":[{" members "}]")
#define TEXT             "\"type\":\"text\",\"text\":\"a\""
#define IMAGE            "\"type\":\"image_url\",\"image_url\":{\"url\":\"u\"}"
#define TOOL(members)    CHAT(",\"tools\":[{" members "}]")

static void ordinary_requests_are_text(void **state)
{
    (void)state;
    static const char *const bodies[] = {
        CHAT(""),
        CHAT(",\"max_tokens\":1,\"temperature\":0.5,\"user\":\"u\",\"seed\":1,\"logprobs\":true"),
        CHAT(",\"response_format\":{\"type\":\"json_schema\",\"json_schema\":{\"name\":\"n\"}}"),
        CHAT(",\"stop\":[\"a\"],\"metadata\":{\"a\":\"b\"},\"logit_bias\":{\"1\":2}"),
        CHAT(",\"stream\":true,\"stream_options\":{\"include_usage\":true}"),
        CHAT(",\"modalities\":[\"text\"],\"plugins\":[],\"web_search_options\":null"),
        CHAT(",\"prediction\":{\"type\":\"content\",\"content\":\"a\"}"),
        CHAT(",\"functions\":[{\"name\":\"f\",\"parameters\":{}}],\"function_call\":{\"name\":"
             "\"f\"}"),
        CHAT(",\"tool_choice\":{\"type\":\"function\",\"function\":{\"name\":\"f\"}}"),
        TOOL("\"type\":\"function\",\"function\":{\"name\":\"f\",\"parameters\":{\"type\":"
             "\"object\"}}"),
        TOOL("\"type\":\"custom\",\"custom\":{\"name\":\"f\"}"),
        MESSAGE("\"content\":\"[{ \\\" \\n\""),
        MESSAGE("\"content\":null,\"refusal\":null,\"annotations\":[],\"audio\":null,"
                "\"tool_calls\":[{\"id\":\"1\",\"type\":\"function\",\"function\":{\"name\":\"f\","
                "\"arguments\":\"{}\"}}]"),
        PART(TEXT),
        PART(TEXT ",\"cache_control\":{\"type\":\"ephemeral\"},\"annotations\":[]"),
        PART("\"type\":\"refusal\",\"refusal\":\"a\""),
        PART("\"t\\u0079pe\":\"t\\u0065xt\",\"text\":\"a\""),
        MESSAGE("\"content\":[\"a\",\"b\"]"),
    };
    ASSERT_INPUT(OPENAI_ROUTE_CHAT, bodies, SURVEY_TEXT);
}

static void pictures_are_known_as_such(void **state)
{
    (void)state;
    static const char *const bodies[] = {
        PART(IMAGE),
        PART(TEXT "},{" IMAGE),
        PART("\"type\":\"image_url\",\"image_url\":\"u\""),
        PART("\"type\":\"image_url\",\"image_url\":{\"url\":\"u\",\"detail\":\"low\"}"),
    };
    ASSERT_INPUT(OPENAI_ROUTE_CHAT, bodies, SURVEY_PICTURES);
}

static void a_part_that_some_reader_may_take_for_more_than_text_has_no_bound(void **state)
{
    (void)state;
    static const char *const bodies[] = {
        PART("\"type\":\"file\",\"text\":\"a\",\"file\":{\"file_id\":\"f\"}"),
        PART("\"type\":\"file\",\"refusal\":\"a\",\"file\":{\"file_id\":\"f\"}"),
        PART("\"type\":\"file\",\"text\":\"a\""),
        PART("\"type\":\"input_audio\",\"input_audio\":{\"data\":\"AAAA\",\"format\":\"mp3\"}"),
        PART(TEXT ",\"file\":{\"file_id\":\"f\"}"),
        PART(TEXT ",\"image_url\":{\"url\":\"u\"}"),
        PART(TEXT ",\"file_id\":\"f\""),
        PART("\"text\":\"a\""),
        PART(TEXT ",\"type\":\"file\""),
        PART("\"type\":\"file\"," TEXT),
        PART(TEXT ",\"Type\":\"file\""),
        PART(TEXT ",\"text\":\"b\""),
        PART("\"type\":\"image_url\",\"text\":\"a\""),
        PART(IMAGE ",\"text\":\"a\""),
        PART("\"type\":\"image_url\",\"image_url\":{\"url\":\"u\",\"detail\":\"low\",\"Detail\":"
             "\"high\"}"),
        PART("\"type\":\"image_url\",\"image_url\":{\"url\":\"u\",\"url\":\"v\"}"),
        PART("\"type\":\"image_url\",\"image_url\":null"),
        PART("\"type\":7,\"text\":\"a\""),
        MESSAGE("\"content\":[7]"),
        MESSAGE("\"content\":[[]]"),
        MESSAGE("\"content\":{\"type\":\"text\"}"),
        MESSAGE("\"content\":\"a\",\"content\":[{\"type\":\"file\"}]"),
        MESSAGE("\"content\":[{\"type\":\"file\"}],\"content\":\"a\""),
        MESSAGE("\"Content\":[{" TEXT "}]"),
        MESSAGE("\"content\":null,\"audio\":{\"id\":\"a\"}"),
        MESSAGE("\"content\":\"a\",\"images\":[\"a\"]"),
        MESSAGE("\"\\u0063ontent\":[{\"type\":\"\\u0066ile\"}]"),
    };
    ASSERT_INPUT(OPENAI_ROUTE_CHAT, bodies, SURVEY_UNKNOWN);
}

static void what_the_provider_looks_up_has_no_bound(void **state)
{
    (void)state;
    static const char *const bodies[] = {
        CHAT(",\"web_search_options\":{}"),
        CHAT(",\"plugins\":[{\"id\":\"web\"}]"),
        CHAT(",\"data_sources\":[{}]"),
        CHAT(",\"search_parameters\":{\"mode\":\"on\"}"),
        CHAT(",\"enable_search\":true"),
        CHAT(",\"Enable_Search\":false"),
        CHAT(",\"previous_response_id\":\"r\""),
        CHAT(",\"CONVERSATION\":\"c\""),
        CHAT(",\"chat_template\":\"{% for %}\""),
        CHAT(",\"extra_body\":{}"),
        CHAT(",\"Tools\":[{\"type\":\"function\",\"function\":{}}]"),
        CHAT(",\"tools\":[],\"tools\":[7]"),
        CHAT(",\"response_format\":{},\"response_format\":{}"),
        TOOL("\"type\":\"web_search\""),
        TOOL("\"function\":{}"),
        TOOL("\"type\":\"function\",\"type\":\"web_search\""),
        TOOL("\"type\":\"web_search\",\"type\":\"function\""),
        TOOL("\"type\":\"function\",\"Type\":\"web_search\""),
        TOOL("\"type\":\"function\",\"function\":{},\"google_search\":{}"),
        TOOL("\"type\":\"function\",\"function\":{}},{\"type\":\"mcp\""),
    };
    ASSERT_INPUT(OPENAI_ROUTE_CHAT, bodies, SURVEY_UNKNOWN);
}

static void prompts_are_texts_or_numbers(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "{\"model\":\"m\",\"input\":\"{a\"}",
        "{\"model\":\"m\",\"input\":[\"{a\"]}",
        "{\"model\":\"m\",\"input\":[[1,2],[3]]}",
    };
    static const char *const others[] = {
        "{\"model\":\"m\",\"input\":[{\"image\":\"u\"}]}",
        "{\"model\":\"m\",\"input\":[[{\"image\":\"u\"}]]}",
        "{\"model\":\"m\",\"input\":[\"a\"],\"messages\":[{}]}",
    };
    ASSERT_INPUT(OPENAI_ROUTE_EMBEDDINGS, texts, SURVEY_TEXT);
    ASSERT_INPUT(OPENAI_ROUTE_EMBEDDINGS, others, SURVEY_UNKNOWN);
}

static bool speaks(const char *body)
{
    return survey_of(OPENAI_ROUTE_CHAT, body).may_speak;
}

static void an_answer_is_text_where_nothing_else_is_asked_for(void **state)
{
    (void)state;
    assert_true(speaks(CHAT("")));
    assert_false(speaks(CHAT(",\"modalities\":[\"text\"]")));
    assert_true(speaks(CHAT(",\"modalities\":[\"text\",\"audio\"]")));
    assert_true(speaks(CHAT(",\"modalities\":[\"text\",7]")));
    assert_true(speaks(CHAT(",\"modalities\":[\"text\"],\"audio\":{\"voice\":\"v\"}")));
    assert_true(speaks(CHAT(",\"modalities\":[\"audio\"],\"modalities\":[\"text\"]")));
    assert_true(speaks(CHAT(",\"Modalities\":[\"audio\"],\"modalities\":[\"text\"]")));
}

static uint32_t classes(const char *body)
{
    return survey_of(OPENAI_ROUTE_CHAT, body).classes;
}

static void a_service_class_is_read_however_it_is_written(void **state)
{
    (void)state;
    const uint32_t standard = 1u << PRICE_STANDARD, priority = 1u << PRICE_PRIORITY;
    const uint32_t any = (1u << PRICE_CLASSES) - 1;
    assert_int_equal(classes(CHAT("")), standard);
    assert_int_equal(classes(CHAT(",\"service_tier\":null")), standard);
    assert_int_equal(classes(CHAT(",\"service_tier\":\"auto\"")), standard);
    assert_int_equal(classes(CHAT(",\"service_tier\":\"priority\"")), standard | priority);
    assert_int_equal(classes(CHAT(",\"service_tier\":\"pri\\u006frity\"")), standard | priority);
    assert_int_equal(classes(CHAT(",\"Service_T\\u0069er\":\"priority\"")), standard | priority);
    assert_int_equal(classes(CHAT(",\"\xC5\xBF"
                                  "ervice_tier\":\"priority\"")),
                     standard | priority);
    assert_int_equal(classes(CHAT(",\"service_tier\":\"priority\",\"service_tier\":\"auto\"")),
                     standard | priority);
    assert_int_equal(classes(CHAT(",\"service_tier\":\"Priority\"")), any);
    assert_int_equal(
        classes(CHAT(",\"service_tier\":\"\\u0070\\u0072\\u0069\\u006f\\u0072\\u0069\\u0074\\u0079"
                     "\\u0070\\u0072\\u0069\"")),
        any);
}

static void what_is_predicted_is_known_by_its_bytes(void **state)
{
    (void)state;
    const uint64_t size = sizeof("{\"content\":\"abc\"}") - 1;
    struct survey survey =
        survey_of(OPENAI_ROUTE_CHAT, CHAT(",\"prediction\":{\"content\":\"abc\"}"));
    assert_int_equal(survey.predicted_bytes, size);
    survey = survey_of(OPENAI_ROUTE_CHAT,
                       CHAT(",\"prediction\":{},\"Prediction\":{\"content\":\"abc\"}"));
    assert_int_equal(survey.predicted_bytes, size + 2);
}

static uint64_t other_maximum(const char *body)
{
    return survey_of(OPENAI_ROUTE_CHAT, body).other_maximum;
}

static void a_maximum_under_another_name_is_seen(void **state)
{
    (void)state;
    assert_int_equal(other_maximum(CHAT(",\"max_tokens\":1,\"n\":2")), 0);
    assert_int_equal(other_maximum(CHAT(",\"n_predict\":7,\"N_Predict\":5")), 7);
    assert_true(other_maximum(CHAT(",\"n_predict\":-1")) == UINT64_MAX - 1);
    assert_true(other_maximum(CHAT(",\"n_predict\":1.5")) == UINT64_MAX - 1);
}

static void a_long_request_gives_way(void **state)
{
    (void)state;
    static const char head[] = "{\"model\":\"m\",\"messages\":[{\"content\":[\"";
    static const char tail[] = "\"]}]}";
    static char body[1000000];
    memset(body, 'a', sizeof(body));
    memcpy(body, head, sizeof(head) - 1);
    memcpy(body + sizeof(body) - sizeof(tail), tail, sizeof(tail));
    assert_int_equal(survey_of(OPENAI_ROUTE_CHAT, body).input, SURVEY_TEXT);
    assert_true(pauses >= 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ordinary_requests_are_text),
        cmocka_unit_test(pictures_are_known_as_such),
        cmocka_unit_test(a_part_that_some_reader_may_take_for_more_than_text_has_no_bound),
        cmocka_unit_test(what_the_provider_looks_up_has_no_bound),
        cmocka_unit_test(prompts_are_texts_or_numbers),
        cmocka_unit_test(an_answer_is_text_where_nothing_else_is_asked_for),
        cmocka_unit_test(a_service_class_is_read_however_it_is_written),
        cmocka_unit_test(what_is_predicted_is_known_by_its_bytes),
        cmocka_unit_test(a_maximum_under_another_name_is_seen),
        cmocka_unit_test(a_long_request_gives_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
