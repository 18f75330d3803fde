#include "gateway/estimate.h"

#include "unit/gateway/calling_fixture.h"

#include "base/alloc.h"
#include "gateway/account.h"
#include "gateway/request.h"
#include "models/tokens/counter.h"

#define CHAT   "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]%s}"
#define PROMPT 8 /* tokens of it */
#define STREAM ",\"stream\":true"

/* Nine words that are a token each, in events. */
#define EVENT(text) "data: {\"choices\":[{\"delta\":{\"content\":\"" text "\"}}]}\n\n"
#define EVENTS      EVENT("one two") EVENT(" thr") EVENT("ee four five") EVENT(" six seven eight nine")
#define TOKENS      9

static int load(void **state)
{
    (void)state;
    return tokenizer_load(TOKEN_ENCODING_O200K, NULL) != STATUS_OK;
}

static int unload(void **state)
{
    (void)state;
    tokenizer_unload_all();
    return 0;
}

/* --- What passes ----------------------------------------------------------------------------------------- */

static void begin(struct account *account)
{
    *account = (struct account){.counter = alloc_bytes(sizeof(struct token_counter))};
    assert_non_null(account->counter);
    token_counter_init(account->counter, tokenizer_get(TOKEN_ENCODING_O200K),
                       (struct token_pause){0});
}

static void end(struct account *account)
{
    if (account->counter != NULL)
        token_counter_fini(account->counter);
    alloc_free(account->counter);
}

static void a_word_is_counted_once_however_it_is_cut(void **state)
{
    (void)state;
    struct account account;
    begin(&account);
    estimate_relayed(&account, SLICE(EVENTS "data: [DONE]\n\n"));
    assert_int_equal(token_counter_finish(account.counter), STATUS_OK);
    assert_int_equal(token_counter_total(account.counter), TOKENS);
    end(&account);
}

static void what_is_no_event_of_a_chat_counts_nothing(void **state)
{
    (void)state;
    static const char *const runs[] = {"",          ": data\n\n",       "data: {\"choices\":[",
                                       "data:\n\n", "data: [DONE]\n\n", "event: x\rdata: y\r\r"};
    for (size_t i = 0; i < sizeof(runs) / sizeof(runs[0]); i++) {
        struct account account;
        begin(&account);
        estimate_relayed(&account, slice_from_text(runs[i]));
        assert_int_equal(token_counter_finish(account.counter), STATUS_OK);
        assert_int_equal(token_counter_total(account.counter), 0);
        end(&account);
    }
}

static void a_word_without_an_end_does_not_pile_up(void **state)
{
    (void)state;
    struct account account;
    begin(&account);
    for (int i = 0; i < 4000; i++) {
        estimate_relayed(&account, SLICE(EVENT("abcdefghijklmnopqrstuvwxyz")));
        assert_true(account.counter->carry.capacity < (size_t)64 * 1024);
    }
    end(&account);
}

static void too_large_a_run_is_left_to_the_sample(void **state)
{
    (void)state;
    static char run[256 * 1024 + 1];
    struct account account;
    begin(&account);
    memset(run, ' ', sizeof(run));
    estimate_relayed(&account, slice_of(run, sizeof(run)));
    assert_null(account.counter);
    end(&account);
}

static void without_memory_the_sample_has_to_do(void **state)
{
    (void)state;
    struct account account;
    begin(&account);
    alloc_fail_nth(0);
    estimate_relayed(&account, SLICE(EVENT("abcdefgh")));
    alloc_fail_nth(-1);
    assert_null(account.counter);
    end(&account);
}

/* --- Bills ------------------------------------------------------------------------------------------------ */

struct billed {
    uint64_t input, output, estimated;
};

/* What a request is billed that upstream answers so. */
static struct billed bill(const char *settings, const char *members, const char *type,
                          const char *answer)
{
    struct calling_fixture fixture;
    char text[2048];
    calling_fixture_open_rule(&fixture, settings, "gpt-4o", "", "");
    (void)snprintf(text, sizeof(text), CHAT, members);
    calling_fixture_call(&fixture, "", text);
    (void)snprintf(text, sizeof(text),
                   "HTTP/1.1 200 OK\r\nContent-Type: %s\r\nContent-Length: %zu\r\n\r\n%s", type,
                   strlen(answer), answer);
    peer_send_text(&fixture.upstream, text);
    peer_expect(&fixture.client, answer[0] == '{' ? answer : "[DONE]");
    loop_fixture_settle(fixture.loop);
    peer_close(&fixture.client);
    loop_fixture_until(fixture.loop, calling_fixture_is_idle, &fixture);
    const struct metrics_target *target =
        &fixture.gateway.worker->metrics
             ->targets[fixture.gateway.worker->calling->snapshot->target_metrics[0][0]];
    const struct billed billed = {target->tokens[0], target->tokens[1], target->estimated};
    calling_fixture_close(&fixture);
    return billed;
}

static void assert_bill(struct billed billed, uint64_t input, uint64_t output, bool estimated)
{
    if (billed.input != input || billed.output != output || billed.estimated != estimated)
        fail_msg("%llu, %llu, %llu", (unsigned long long)billed.input,
                 (unsigned long long)billed.output, (unsigned long long)billed.estimated);
}

#define SSE     "text/event-stream"
#define NEVER   ", stream_usage: never"
#define FINISH  "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n"
#define USAGE   "\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":4,\"total_tokens\":7}"
#define MESSAGE "\"choices\":[{\"message\":{\"content\":\"one two three four\"}}]"

static void a_stream_that_never_tells_is_counted_and_marked(void **state)
{
    (void)state;
    assert_bill(bill(NEVER, STREAM, SSE, EVENTS FINISH), PROMPT, TOKENS, true);
}

static void what_the_provider_tells_goes_first(void **state)
{
    (void)state;
    assert_bill(bill(NEVER, STREAM, SSE, EVENTS "data: {\"choices\":[]," USAGE "}\n\n" FINISH), 3,
                4, false);
    assert_bill(bill("", "", "application/json", "{" MESSAGE "," USAGE "}"), 3, 4, false);
}

static void a_stream_that_should_have_told_is_guessed(void **state)
{
    (void)state;
    const struct billed billed = bill("", STREAM, SSE, EVENTS FINISH);
    assert_int_equal(billed.estimated, 1);
    assert_true(billed.output > 0 && billed.input > 0);
}

static void a_whole_answer_without_usage_is_counted_and_marked(void **state)
{
    (void)state;
    assert_bill(bill("", "", "application/json", "{" MESSAGE "}"), PROMPT, 4, true);
}

static void without_the_encodings_it_is_guessed_and_marked(void **state)
{
    (void)state;
    tokenizer_unload_all();
    const struct billed streamed = bill(NEVER, STREAM, SSE, EVENTS FINISH);
    const struct billed whole = bill("", "", "application/json", "{" MESSAGE "}");
    assert_int_equal(streamed.estimated, 1);
    assert_true(streamed.output > 0 && streamed.input > 0);
    assert_bill(whole, sizeof("[{\"role\":\"user\",\"content\":\"Hi\"}]") / 4, 18 / 4, true);
    load(NULL);
}

/* --- Of a process that died ------------------------------------------------------------------------------ */

static struct openai_usage orphan_of(struct openai_request openai, struct admit admit)
{
    static struct request request;
    struct openai_usage usage;
    openai.route = OPENAI_ROUTE_CHAT;
    request = (struct request){.openai = openai, .admit = admit};
    estimate_orphan(&request, &usage);
    return usage;
}

static uint64_t orphan_output_of(struct openai_request openai, struct admit admit)
{
    return orphan_of(openai, admit).tokens[OPENAI_TOKENS_OUTPUT];
}

static void an_orphan_is_taken_to_have_used_a_little_for_each_choice(void **state)
{
    (void)state;
    const struct admit none = {0};
    const uint64_t most = ESTIMATE_OUTPUT_TOKENS;
    assert_int_equal(orphan_output_of((struct openai_request){.n = 1, .max_tokens = 9}, none), 9);
    assert_int_equal(orphan_output_of((struct openai_request){.n = 8, .max_tokens = 9}, none), 72);
    assert_int_equal(orphan_output_of((struct openai_request){.n = 8, .max_tokens = 9999}, none),
                     8 * most);
    assert_int_equal(
        orphan_output_of((struct openai_request){.n = UINT64_MAX, .max_tokens = UINT64_MAX}, none),
        1024 * most);
}

static void an_orphan_of_a_hard_budget_is_taken_to_have_used_all_that_was_held(void **state)
{
    (void)state;
    const struct openai_request openai = {.n = 8, .max_tokens = 9999};
    for (int output = HOLD_OUTPUT_REQUEST; output <= HOLD_OUTPUT_WRITTEN; output++) {
        struct admit admit = {.is_granted = true,
                              .has_hold = true,
                              .hold = {.output = (enum hold_output)output,
                                       .input_tokens = 16000,
                                       .output_tokens = 79992}};
        const struct openai_usage usage = orphan_of(openai, admit);
        assert_int_equal(usage.tokens[OPENAI_TOKENS_INPUT], 16000);
        assert_int_equal(usage.tokens[OPENAI_TOKENS_OUTPUT], 79992);
        admit.hold.output_tokens = UINT64_MAX;
        assert_int_equal(orphan_output_of(openai, admit), OPENAI_USAGE_TOKENS_MAX);
        admit.has_hold = false; /* its budgets only warn */
        assert_int_equal(orphan_output_of(openai, admit), (uint64_t)8 * ESTIMATE_OUTPUT_TOKENS);
    }
}

/* --- Of a stream that a budget may end --------------------------------------------------------------------- */

static const char *const line_ends[] = {"\n\n", "\r\n\r\n", "\r\r"};
static const size_t words_of_events[] = {1, 2, 20, 100, 1000};

#define STREAM_WORDS 4000

/* One of so many words of five letters, with bytes beside them. */
static size_t write_event(char *text, size_t size, size_t words, size_t beside, const char *end)
{
    int used =
        snprintf(text, size, "data: {\"id\":\"%0*d\",\"choices\":[{\"delta\":{\"content\":\"",
                 (int)beside, 0);
    for (size_t i = 0; i < words; i++)
        used += snprintf(text + used, size - (size_t)used, " word");
    used += snprintf(text + used, size - (size_t)used, "\"}}]}%s", end);
    assert_true(used > 0 && (size_t)used < size);
    return (size_t)used;
}

/* What such a stream is taken to have come to, when so many events come at a time, and all are looked
 * into from one of these times on. */
static uint64_t tokens_of(size_t words, size_t beside, const char *end, size_t at_once,
                          size_t followed_from)
{
    static char run[128 * 1024];
    struct request request = {.target_model = SLICE("gpt-4o"), .account = {.is_watched = true}};
    const size_t runs = STREAM_WORDS / words / at_once;
    for (size_t i = 0; i < runs; i++) {
        size_t size = 0;
        for (size_t j = 0; j < at_once; j++)
            size += write_event(run + size, sizeof(run) - size, words, beside, end);
        if (i >= followed_from)
            estimate_follow(&request);
        account_relayed(&request.account, slice_of(run, size));
        (void)estimate_output_so_far(&request);
    }
    estimate_finish(&request);
    return estimate_output_so_far(&request);
}

static void assert_tokens(size_t words, size_t beside, const char *end, size_t at_once)
{
    static const size_t followed_from[] = {0, 3, SIZE_MAX};
    for (size_t i = 0; i < sizeof(followed_from) / sizeof(followed_from[0]); i++) {
        const uint64_t tokens = tokens_of(words, beside, end, at_once, followed_from[i]);
        if (tokens < STREAM_WORDS || tokens > STREAM_WORDS * 13 / 10 + 2 * STREAM_WORDS / words)
            fail_msg("%zu words, %zu bytes beside them, %zu at once, from %zu on: %llu", words,
                     beside, at_once, followed_from[i], (unsigned long long)tokens);
    }
}

static void events_of_every_size_are_reckoned(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(words_of_events) / sizeof(words_of_events[0]); i++) {
        for (size_t j = 0; j < sizeof(line_ends) / sizeof(line_ends[0]); j++) {
            assert_tokens(words_of_events[i], 20, line_ends[j], 1);
            assert_tokens(words_of_events[i], 900, line_ends[j], 1);
            assert_tokens(words_of_events[i], 20, line_ends[j], 4);
        }
    }
}

static void events_of_every_size_are_reckoned_without_the_encodings(void **state)
{
    tokenizer_unload_all();
    events_of_every_size_are_reckoned(state);
    load(NULL);
}

static void a_followed_stream_is_counted_to_the_token(void **state)
{
    (void)state;
    for (size_t j = 0; j < sizeof(line_ends) / sizeof(line_ends[0]); j++)
        assert_int_equal(tokens_of(20, 900, line_ends[j], 1, 0), STREAM_WORDS);
}

static void without_memory_for_a_counter_bytes_have_to_do(void **state)
{
    (void)state;
    struct request request = {.target_model = SLICE("gpt-4o"), .account = {.is_watched = true}};
    alloc_fail_nth(0);
    estimate_follow(&request);
    alloc_fail_nth(-1);
    assert_null(request.account.counter);
    account_relayed(&request.account, SLICE(EVENT("abcdefgh") EVENT("i")));
    assert_int_equal(estimate_output_so_far(&request), 9 / 4);
}

static void sound_is_reckoned_by_its_length(void **state)
{
    (void)state;
    static char sound[8192];
    static char run[16 * 1024];
    memset(sound, 'A', sizeof(sound) - 1);
    const int size =
        snprintf(run, sizeof(run),
                 "data: {\"choices\":[{\"delta\":{\"audio\":{\"data\":\"%s\"}}}]}\n\n", sound);
    for (int followed = 0; followed < 2; followed++) {
        struct request request = {.target_model = SLICE("gpt-4o"), .account = {.is_watched = true}};
        for (int i = 0; i < 16; i++) {
            if (followed)
                estimate_follow(&request);
            account_relayed(&request.account, slice_of(run, (size_t)size));
        }
        const uint64_t tokens = estimate_output_so_far(&request);
        assert_in_range(tokens, 16 * 7, 16 * 8 + 1);
        estimate_finish(&request);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_word_is_counted_once_however_it_is_cut),
        cmocka_unit_test(what_is_no_event_of_a_chat_counts_nothing),
        cmocka_unit_test(a_word_without_an_end_does_not_pile_up),
        cmocka_unit_test(too_large_a_run_is_left_to_the_sample),
        cmocka_unit_test(without_memory_the_sample_has_to_do),
        cmocka_unit_test(a_stream_that_never_tells_is_counted_and_marked),
        cmocka_unit_test(what_the_provider_tells_goes_first),
        cmocka_unit_test(a_stream_that_should_have_told_is_guessed),
        cmocka_unit_test(a_whole_answer_without_usage_is_counted_and_marked),
        cmocka_unit_test(without_the_encodings_it_is_guessed_and_marked),
        cmocka_unit_test(an_orphan_is_taken_to_have_used_a_little_for_each_choice),
        cmocka_unit_test(an_orphan_of_a_hard_budget_is_taken_to_have_used_all_that_was_held),
        cmocka_unit_test(events_of_every_size_are_reckoned),
        cmocka_unit_test(events_of_every_size_are_reckoned_without_the_encodings),
        cmocka_unit_test(a_followed_stream_is_counted_to_the_token),
        cmocka_unit_test(without_memory_for_a_counter_bytes_have_to_do),
        cmocka_unit_test(sound_is_reckoned_by_its_length),
    };
    return cmocka_run_group_tests(tests, load, unload);
}
