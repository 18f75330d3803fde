#include "gateway/hold.h"

#include "unit/config/loading.h"

#include "base/alloc.h"
#include "json/read.h"
#include "models/tokens/tokenizer.h"

static const char yaml[] =
    "providers:\n"
    "  ours: { base_url: http://ours/v1, api_key: k }\n"
    "models:\n"
    "  - { name: known, targets: [ours], max_output: 1000, window: 16000 }\n"
    "  - { name: spoken, targets: [ours], max_output: 1000, window: 16000 }\n"
    "  - { name: '*', targets: [ours] }\n"
    "prices:\n"
    "  - { provider: ours, model: known, input: 1usd, output: 10usd, cache_write: 2usd, "
    "reasoning: 20usd }\n"
    "  - { provider: ours, model: spoken, input: 1usd, output: 1usd, audio_input: 100usd, "
    "audio_output: 50usd }\n"
    "  - { provider: ours, model: plain, input: 1usd, output: 1usd }\n";

struct fixture {
    struct metrics *metrics;
    struct snapshot *snapshot;
    struct pricing pricing;
    struct arena arena;
    struct openai_request openai;
    struct json_limits json;
};

static int set_up(void **state)
{
    static struct fixture fixture;
    static struct loading loading;
    const struct metrics_config metrics = {.version = "1"};
    struct reason reason;
    loading = (struct loading){0};
    const struct config *config = config_ref(loading_sound(&loading, yaml));
    loading_end(&loading);
    fixture = (struct fixture){.json = {.depth_max = 64, .members_max = 1024}};
    arena_init(&fixture.arena, NULL, 0, (size_t)1 << 20);
    *state = &fixture;
    assert_int_equal(tokenizer_load(TOKEN_ENCODING_O200K, &reason), STATUS_OK);
    return metrics_create(&metrics, &fixture.metrics) == STATUS_OK &&
                   snapshot_create(&config, fixture.metrics, &fixture.snapshot, NULL) == STATUS_OK
               ? 0
               : -1;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    pricing_fini(&f->pricing);
    snapshot_unref(&f->snapshot);
    metrics_destroy(&f->metrics);
    arena_fini(&f->arena);
    return 0;
}

static struct hold_subject subject(struct fixture *f, enum openai_route route, const char *body)
{
    struct openai_error error;
    assert_int_equal(
        openai_request_read(route, slice_from_text(body), &f->json, &f->arena, &f->openai, &error),
        STATUS_OK);
    const struct rule *rule = rules_match(&f->snapshot->config->rules, f->openai.model);
    return (struct hold_subject){
        .snapshot = f->snapshot,
        .provider = &f->snapshot->providers[rule->targets[0].provider],
        .rule = rule,
        .target_model = f->openai.model,
        .openai = &f->openai,
        .pricing = &f->pricing,
        .json = &f->json,
        .time_us = UINT64_C(1770000000000000),
        .counted_input = UINT64_MAX,
    };
}

static struct hold bound(struct fixture *f, enum openai_route route, const char *body,
                         uint64_t affordable)
{
    const struct hold_subject of = subject(f, route, body);
    struct hold hold;
    hold_bound(&of, affordable, &hold);
    return hold;
}

#define CHAT(members)                                                                              \
    "{\"model\":\"known\",\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]" members "}"

static void what_is_not_stated_is_the_models_and_the_dearest_kind_of_token(void **state)
{
    const struct hold hold = bound(*state, OPENAI_ROUTE_CHAT, CHAT(""), UINT64_MAX);
    assert_int_equal(hold.output, HOLD_OUTPUT_MODEL);
    assert_int_equal(hold.output_tokens, 1000);
    assert_int_equal(hold.input, HOLD_INPUT_BYTES);
    assert_true(hold.input_tokens >= sizeof(CHAT("")) - 1);
    /* All of the input may be written to a cache, all of the output may be reasoning. */
    assert_int_equal(hold.cost_nanousd, hold.input_tokens * 2000 + 1000 * 20000);
    assert_int_equal(hold.written_output, 0);
}

static void a_request_says_its_maximum_for_each_choice(void **state)
{
    struct hold hold =
        bound(*state, OPENAI_ROUTE_CHAT,
              CHAT(",\"max_tokens\":10,\"max_completion_tokens\":50,\"n\":8"), UINT64_MAX);
    assert_int_equal(hold.output, HOLD_OUTPUT_REQUEST);
    assert_int_equal(hold.output_tokens, 400);
    assert_int_equal(hold.choices, 8);
    hold = bound(*state, OPENAI_ROUTE_COMPLETIONS,
                 "{\"model\":\"known\",\"prompt\":[\"a\",\"b\",\"c\"],\"max_tokens\":7,\"n\":2,"
                 "\"best_of\":4}",
                 UINT64_MAX);
    assert_int_equal(hold.output_tokens, 7 * 4 * 3);
    hold = bound(*state, OPENAI_ROUTE_COMPLETIONS,
                 "{\"model\":\"known\",\"prompt\":[1,2,3],\"max_tokens\":7}", UINT64_MAX);
    assert_int_equal(hold.output_tokens, 7); /* one prompt, as tokens */
}

static void a_maximum_under_another_name_is_held_if_it_is_larger(void **state)
{
    struct hold hold =
        bound(*state, OPENAI_ROUTE_CHAT, CHAT(",\"max_tokens\":10,\"n_predict\":70"), UINT64_MAX);
    assert_int_equal(hold.output_tokens, 70);
    hold = bound(*state, OPENAI_ROUTE_CHAT, CHAT(",\"n_predict\":70"), 1);
    assert_int_equal(hold.output_tokens, 1000);
    assert_int_equal(hold.written_output, 0); /* that would be passed over */
}

static void a_maximum_of_zero_is_none(void **state)
{
    const struct hold hold =
        bound(*state, OPENAI_ROUTE_CHAT, CHAT(",\"max_tokens\":0"), UINT64_MAX);
    assert_int_equal(hold.output, HOLD_OUTPUT_MODEL);
}

static void numbers_that_are_too_large_stay_at_their_end(void **state)
{
    const struct hold hold =
        bound(*state, OPENAI_ROUTE_CHAT,
              CHAT(",\"max_tokens\":18446744073709551614,\"n\":18446744073709551614"), UINT64_MAX);
    assert_int_equal(hold.output_tokens, UINT64_MAX);
    assert_int_equal(hold.cost_nanousd, INT64_MAX);
}

static void the_affordable_maximum_is_written_down_to_the_least(void **state)
{
    struct hold hold = bound(*state, OPENAI_ROUTE_CHAT, CHAT(""), 10000000);
    assert_int_equal(hold.output, HOLD_OUTPUT_WRITTEN);
    assert_in_range(hold.written_output, 256, 999);
    assert_true(hold.cost_nanousd <= 10000000);
    assert_true(hold.cost_nanousd + 20000 > 10000000); /* a token more would not fit */
    hold = bound(*state, OPENAI_ROUTE_CHAT, CHAT(",\"n\":3"), 20000000);
    assert_int_equal(hold.output_tokens, 3 * hold.written_output);
    hold = bound(*state, OPENAI_ROUTE_CHAT, CHAT(""), 1000);
    assert_int_equal(hold.written_output, 256);
    assert_true(hold.cost_nanousd > 1000); /* so it will be refused */
}

static void what_a_request_states_is_never_changed(void **state)
{
    const struct hold hold = bound(*state, OPENAI_ROUTE_CHAT, CHAT(",\"max_tokens\":900"), 1000);
    assert_int_equal(hold.written_output, 0);
    assert_int_equal(hold.output_tokens, 900);
}

static void input_is_counted_only_where_its_bytes_do_not_fit(void **state)
{
    static char body[4096] =
        "{\"model\":\"known\",\"max_tokens\":1,\"messages\":[{\"role\":\"user\","
        "\"content\":\"";
    const size_t start = strlen(body);
    for (size_t i = 0; i < 300; i++)
        memcpy(body + start + i * 10, "the words ", 10);
    memcpy(body + start + 3000, "\"}]}", 5);
    struct hold hold = bound(*state, OPENAI_ROUTE_CHAT, body, UINT64_MAX);
    assert_int_equal(hold.input, HOLD_INPUT_BYTES);
    assert_in_range(hold.input_tokens, 3000, 3200);
    hold = bound(*state, OPENAI_ROUTE_CHAT, body, 3000000);
    assert_int_equal(hold.input, HOLD_INPUT_COUNTED);
    assert_in_range(hold.input_tokens, 600, 900); /* 600 words, and a margin for another encoding */
}

#define PART(part)                                                                                 \
    "{\"model\":\"known\",\"max_tokens\":1,\"messages\":[{\"role\":\"user\",\"content\":[" part    \
    "]}]}"

static void what_has_no_bound_holds_the_whole_window(void **state)
{
    static const char *const bodies[] = {
        PART("{\"type\":\"file\",\"file\":{\"file_id\":\"f\"}}"),
        PART("{\"type\":\"file\",\"text\":\"a\",\"file\":{\"file_id\":\"f\"}}"),
        PART("{\"type\":\"input_audio\",\"input_audio\":{\"data\":\"AAAA\",\"format\":\"mp3\"}}"),
        PART("{\"text\":\"a\"}"),
        PART("{\"type\":\"video_url\",\"video_url\":{\"url\":\"u\"}}"),
        PART("{\"type\":\"\\u0066ile\",\"file\":{\"file_id\":\"f\"}}"),
        CHAT(",\"web_search_options\":{}"),
        CHAT(",\"tools\":[{\"type\":\"web_search\"}]"),
        CHAT(",\"tools\":[{\"type\":\"function\",\"function\":{}},{\"type\":\"mcp\"}]"),
    };
    for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        const struct hold hold = bound(*state, OPENAI_ROUTE_CHAT, bodies[i], UINT64_MAX);
        assert_int_equal(hold.input, HOLD_INPUT_WINDOW);
        assert_int_equal(hold.input_tokens, 16000);
    }
}

static void a_model_that_searches_by_its_name_holds_the_whole_window(void **state)
{
    const struct hold hold =
        bound(*state, OPENAI_ROUTE_CHAT,
              "{\"model\":\"plain:online\",\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]}",
              UINT64_MAX);
    assert_int_equal(hold.input, HOLD_INPUT_WINDOW);
    assert_int_equal(hold.input_tokens, HOLD_WINDOW_TOKENS);
}

static void a_picture_by_its_address_counts_as_the_largest(void **state)
{
    const struct hold hold =
        bound(*state, OPENAI_ROUTE_CHAT,
              PART("{\"type\":\"image_url\",\"image_url\":{\"url\":\"http://x/\"}}"), UINT64_MAX);
    assert_int_equal(hold.input, HOLD_INPUT_COUNTED);
    assert_true(hold.input_tokens > 700);
}

static void text_and_functions_have_a_bound(void **state)
{
    struct hold hold =
        bound(*state, OPENAI_ROUTE_CHAT, PART("{\"type\":\"text\",\"text\":\"Hi\"}"), UINT64_MAX);
    assert_int_equal(hold.input, HOLD_INPUT_BYTES);
    hold = bound(*state, OPENAI_ROUTE_CHAT,
                 CHAT(",\"tools\":[{\"type\":\"function\",\"function\":{}}]"), UINT64_MAX);
    assert_int_equal(hold.input, HOLD_INPUT_BYTES);
}

#define SPOKEN(content, members)                                                                   \
    "{\"model\":\"spoken\",\"max_tokens\":10,\"messages\":[{\"role\":\"user\","                    \
    "\"content\":" content "}]" members "}"

static void sound_that_may_be_made_is_held_at_its_price(void **state)
{
    struct hold hold = bound(*state, OPENAI_ROUTE_CHAT, SPOKEN("\"Hi\"", ""), UINT64_MAX);
    assert_int_equal(hold.cost_nanousd, hold.input_tokens * 1000 + 10 * 50000);
    hold = bound(*state, OPENAI_ROUTE_CHAT, SPOKEN("\"Hi\"", ",\"modalities\":[\"audio\"]"),
                 UINT64_MAX);
    assert_int_equal(hold.cost_nanousd, hold.input_tokens * 1000 + 10 * 50000);
    hold = bound(*state, OPENAI_ROUTE_CHAT, SPOKEN("\"Hi\"", ",\"modalities\":[\"text\"]"),
                 UINT64_MAX);
    assert_int_equal(hold.cost_nanousd, hold.input_tokens * 1000 + 10 * 1000);
}

static void sound_that_may_be_heard_is_held_at_its_price(void **state)
{
    struct hold hold = bound(
        *state, OPENAI_ROUTE_CHAT,
        SPOKEN("[{\"type\":\"input_audio\",\"input_audio\":{\"data\":\"AAAA\"}}]", ""), UINT64_MAX);
    assert_int_equal(hold.cost_nanousd, 16000 * 100000 + 10 * 50000);
    hold = bound(*state, OPENAI_ROUTE_CHAT, SPOKEN("[{\"type\":\"text\",\"text\":\"a\"}]", ""),
                 UINT64_MAX);
    assert_int_equal(hold.cost_nanousd, hold.input_tokens * 1000 + 10 * 50000);
}

static void what_is_predicted_of_the_answer_is_held_beside_it(void **state)
{
    static const char body[] =
        CHAT(",\"max_tokens\":10,\"n\":2,\"prediction\":{\"content\":\"abc\"}");
    struct hold hold = bound(*state, OPENAI_ROUTE_CHAT, body, UINT64_MAX);
    assert_int_equal(hold.output_tokens, 2 * (10 + sizeof("{\"content\":\"abc\"}") - 1));
    hold =
        bound(*state, OPENAI_ROUTE_CHAT, CHAT(",\"prediction\":{\"content\":\"abc\"}"), 10000000);
    assert_int_equal(hold.output, HOLD_OUTPUT_WRITTEN);
    assert_int_equal(hold.output_tokens, hold.written_output + sizeof("{\"content\":\"abc\"}") - 1);
    assert_true(hold.cost_nanousd <= 10000000);
}

/* 3,000 bytes of words, of which nobody knows whether they are read. */
static void a_count_leaves_out_nothing_that_may_be_read(void **state)
{
    static const struct {
        const char *before, *after;
    } forms[] = {
        {"\"messages\":[{\"Content\":\"", "\"}]}"},
        {"\"messages\":[],\"system\":\"", "\"}"},
        {"\"messages\":[],\"tools\":[{\"type\":\"function\",\"function\":{\"parameters\":{\"$"
         "defs\":"
         "{\"a\":\"",
         "\"}}}}]}"},
        {"\"messages\":[{\"tool_calls\":[{\"a\":\"", "\"}]}]}"},
    };
    static char words[3001], body[4096];
    for (size_t i = 0; i < 300; i++)
        memcpy(words + i * 10, "the words ", 11);
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        assert_true(snprintf(body, sizeof(body), "{\"model\":\"known\",\"max_tokens\":1,%s%s%s",
                             forms[i].before, words, forms[i].after) < (int)sizeof(body));
        const struct hold hold = bound(*state, OPENAI_ROUTE_CHAT, body, 1);
        assert_int_equal(hold.input, HOLD_INPUT_COUNTED);
        assert_true(hold.input_tokens >= 600);
    }
}

static void embeddings_make_no_text(void **state)
{
    const struct hold hold = bound(*state, OPENAI_ROUTE_EMBEDDINGS,
                                   "{\"model\":\"known\",\"input\":\"Hi\"}", UINT64_MAX);
    assert_int_equal(hold.output, HOLD_OUTPUT_NONE);
    assert_int_equal(hold.output_tokens, 0);
}

static void a_model_of_which_nothing_is_known_gets_a_maximum(void **state)
{
    const struct hold hold = bound(
        *state, OPENAI_ROUTE_CHAT,
        "{\"model\":\"plain\",\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]}", UINT64_MAX);
    assert_int_equal(hold.output, HOLD_OUTPUT_WRITTEN);
    assert_int_equal(hold.written_output, HOLD_OUTPUT_TOKENS);
}

static void what_nobody_prices_is_said(void **state)
{
    const struct hold hold = bound(
        *state, OPENAI_ROUTE_CHAT,
        "{\"model\":\"dark\",\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]}", UINT64_MAX);
    assert_true(hold.is_unpriced);
    assert_int_equal(hold.cost_nanousd, 0);
}

static void limits_of_tokens_take_what_is_expected(void **state)
{
    struct hold_subject of = subject(*state, OPENAI_ROUTE_CHAT, CHAT(""));
    const uint64_t few = hold_expect_tokens(&of, 100);
    assert_in_range(few, 100, 120);
    of = subject(*state, OPENAI_ROUTE_CHAT, CHAT(",\"max_tokens\":40,\"n\":2"));
    assert_in_range(hold_expect_tokens(&of, 100), 80, 100);
    of.counted_input = 500;
    assert_int_equal(hold_expect_tokens(&of, 100), 580);
}

static void more_output_costs_its_price(void **state)
{
    const struct hold_subject of = subject(*state, OPENAI_ROUTE_CHAT, CHAT(",\"max_tokens\":10"));
    struct hold hold;
    hold_bound(&of, UINT64_MAX, &hold);
    assert_int_equal(hold_more_output(&of, &hold, 5), 5 * 20000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_stated_is_the_models_and_the_dearest_kind_of_token),
        cmocka_unit_test(a_request_says_its_maximum_for_each_choice),
        cmocka_unit_test(a_maximum_under_another_name_is_held_if_it_is_larger),
        cmocka_unit_test(a_maximum_of_zero_is_none),
        cmocka_unit_test(numbers_that_are_too_large_stay_at_their_end),
        cmocka_unit_test(the_affordable_maximum_is_written_down_to_the_least),
        cmocka_unit_test(what_a_request_states_is_never_changed),
        cmocka_unit_test(input_is_counted_only_where_its_bytes_do_not_fit),
        cmocka_unit_test(what_has_no_bound_holds_the_whole_window),
        cmocka_unit_test(a_model_that_searches_by_its_name_holds_the_whole_window),
        cmocka_unit_test(a_picture_by_its_address_counts_as_the_largest),
        cmocka_unit_test(text_and_functions_have_a_bound),
        cmocka_unit_test(sound_that_may_be_made_is_held_at_its_price),
        cmocka_unit_test(sound_that_may_be_heard_is_held_at_its_price),
        cmocka_unit_test(what_is_predicted_of_the_answer_is_held_beside_it),
        cmocka_unit_test(a_count_leaves_out_nothing_that_may_be_read),
        cmocka_unit_test(embeddings_make_no_text),
        cmocka_unit_test(a_model_of_which_nothing_is_known_gets_a_maximum),
        cmocka_unit_test(what_nobody_prices_is_said),
        cmocka_unit_test(limits_of_tokens_take_what_is_expected),
        cmocka_unit_test(more_output_costs_its_price),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
