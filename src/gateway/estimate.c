#include "gateway/estimate.h"

#include "base/alloc.h"
#include "dialect/openai_stream.h"
#include "gateway/limits.h"
#include "gateway/request.h"
#include "models/chat_count.h"
#include "models/json_tokens.h"

/* More choices than anybody asks for in earnest. */
#define ESTIMATE_CHOICES_MAX 1024

/* As the hold takes it: how far a count by another model's encoding may be off. */
#define ESTIMATE_MARGIN_PERCENT 30

/* Of English text in o200k_base; other text and JSON's own signs make it less. */
#define BYTES_PER_TOKEN 4

/* Sound as chats stream it (16 bits, 24,000 a second) takes 3,200 in base64 for its 50 ms; a picture
 * of a thousand tokens takes more. */
#define MEDIA_BYTES_PER_TOKEN 1024

#define RUN_BYTES_MAX         ((size_t)256 * 1024) /* of events that are counted without a pause */
#define LOOKS_MAX             8                    /* at events of a sample */
#define LOOKS_FEW             2                    /* ... of which all are much alike, */
#define RUNS_OF_LOOKS         UINT32_C(0x55555555) /* after the first, 4th, 16th … run */
#define WORD_BYTES_MAX        ((size_t)16 * 1024) /* of a text's end that is kept for what may follow */

static void give(struct openai_usage *usage, enum openai_tokens which, uint64_t tokens)
{
    usage->tokens[which] = tokens;
    usage->given |= 1u << which;
}

static bool makes_text(const struct request *request)
{
    return request->openai.route != OPENAI_ROUTE_EMBEDDINGS &&
           request->openai.route != OPENAI_ROUTE_MODERATIONS;
}

/* The bytes of the prompt as it stands in the body. */
static uint64_t prompt_bytes(const struct openai_request *openai)
{
    static const enum openai_member members[] = {OPENAI_MEMBER_MESSAGES, OPENAI_MEMBER_PROMPT,
                                                 OPENAI_MEMBER_INPUT};
    uint64_t bytes = 0;
    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
        const struct json_member *member = openai->members[members[i]];
        if (member != NULL)
            bytes += member->value.raw.size;
    }
    return bytes;
}

static uint64_t smaller(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t larger(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static void estimate_hold(const struct request *request, struct openai_usage *usage_out)
{
    const struct hold *hold = &request->admit.hold;
    give(usage_out, OPENAI_TOKENS_INPUT, smaller(hold->input_tokens, OPENAI_USAGE_TOKENS_MAX));
    if (makes_text(request))
        give(usage_out, OPENAI_TOKENS_OUTPUT,
             smaller(hold->output_tokens, OPENAI_USAGE_TOKENS_MAX));
}

void estimate_orphan(struct request *request, struct openai_usage *usage_out)
{
    const struct openai_request *openai = &request->openai;
    *usage_out = (struct openai_usage){0};
    request->account.prompt_tokens = request->fit.is_counted
                                         ? request->fit.input_tokens
                                         : prompt_bytes(openai) / BYTES_PER_TOKEN;
    if (admit_is_hard(&request->admit)) {
        estimate_hold(request, usage_out);
        return;
    }
    give(usage_out, OPENAI_TOKENS_INPUT, request->account.prompt_tokens);
    if (makes_text(request))
        give(usage_out, OPENAI_TOKENS_OUTPUT,
             smaller(openai->max_tokens, ESTIMATE_OUTPUT_TOKENS) *
                 smaller(hold_choices(openai), ESTIMATE_CHOICES_MAX));
}

/* --- Counting -------------------------------------------------------------------------------------------- */

static enum status count_request(const struct request *request, const struct model_tokens *model,
                                 struct input_count *count_out)
{
    const struct openai_request *openai = &request->openai;
    const struct json_limits limits = limits_for_json(request->worker);
    if (openai->route == OPENAI_ROUTE_CHAT || openai->route == OPENAI_ROUTE_SIMPLE_CHAT)
        return count_chat(model, &openai->body, &limits, NULL, count_out);
    const struct json_member *prompt = openai->members[OPENAI_MEMBER_PROMPT];
    if (prompt == NULL)
        prompt = openai->members[OPENAI_MEMBER_INPUT];
    if (prompt == NULL)
        return STATUS_NOT_FOUND;
    return count_prompt(model, prompt->value, &limits, count_out);
}

/* A moderation costs nothing, and never tells what it used. */
static void count_input(struct request *request, const struct model_tokens *model)
{
    struct account *account = &request->account;
    struct input_count count = {0};
    if (request->fit.is_counted) {
        account->prompt_tokens = request->fit.input_tokens;
    } else if (request->openai.route != OPENAI_ROUTE_MODERATIONS &&
               count_request(request, model, &count) == STATUS_OK) {
        account->prompt_tokens = count.input_tokens;
        account->prompt_is_counted = !count.is_unbounded;
    }
}

/* Where what the model made is added. */
struct content {
    struct token_counter *counter; /* NULL: bytes alone are added */
    struct account_content *found;
    bool is_whole; /* each string is a text of its own; else one goes on in the next */
    enum status status;
};

static void add_content(void *context, enum openai_content kind, struct json_value text)
{
    struct content *content = context;
    if (kind == OPENAI_CONTENT_MEDIA) {
        content->found->media_bytes += text.raw.size - 2;
        return;
    }
    content->found->text_bytes += text.raw.size - 2;
    if (content->counter != NULL && content->status == STATUS_OK)
        content->status = content->is_whole ? json_tokens_count(content->counter, text)
                                            : json_tokens_add(content->counter, text);
}

void estimate_answer(struct request *request, struct slice body)
{
    const struct model_tokens *model = model_tokens_find(request->target_model);
    const struct tokenizer *tokenizer = tokenizer_get(model->encoding);
    const struct json_limits limits = limits_for_json(request->worker);
    struct account *account = &request->account;
    struct token_counter counter;
    struct content content = {.counter = &counter, .found = &account->content, .is_whole = true};
    if (tokenizer == NULL)
        return;
    count_input(request, model);
    if (!makes_text(request))
        return;
    token_counter_init(&counter, tokenizer,
                       (struct token_pause){limits.pause, limits.pause_context});
    (void)openai_event_content(body, &limits, add_content, &content);
    account->content_is_counted = content.status == STATUS_OK;
    account->content_tokens = model_tokens_scale(model, token_counter_total(&counter)) +
                              account->content.media_bytes / MEDIA_BYTES_PER_TOKEN;
    token_counter_fini(&counter);
}

/* Without memory, or the encoding, bytes have to do. */
static void start_counter(struct account *account, const struct tokenizer *tokenizer)
{
    if (tokenizer == NULL || account->counter != NULL)
        return;
    account->counter = alloc_bytes(sizeof(*account->counter));
    if (account->counter != NULL)
        token_counter_init(account->counter, tokenizer, (struct token_pause){0});
}

void estimate_prepare(struct request *request)
{
    const struct model_tokens *model = model_tokens_find(request->target_model);
    const struct tokenizer *tokenizer = tokenizer_get(model->encoding);
    struct account *account = &request->account;
    if (tokenizer == NULL || account->counter != NULL)
        return;
    count_input(request, model);
    start_counter(account, tokenizer);
    account->is_followed = account->counter != NULL;
}

void estimate_follow(struct request *request)
{
    struct account *account = &request->account;
    if (account->is_followed)
        return;
    account->tokens_before = estimate_output_so_far(request);
    account->is_followed = true;
    start_counter(account, tokenizer_get(model_tokens_find(request->target_model)->encoding));
}

static void drop_counter(struct account *account)
{
    if (account->counter != NULL)
        token_counter_fini(account->counter);
    alloc_free(account->counter);
    account->counter = NULL;
}

static size_t line_size(struct slice text)
{
    const size_t end = slice_find_byte(text, '\n');
    return slice_find_byte(slice_of(text.data, end), '\r');
}

/* The next line with data; false: there is no whole one. *size_out is that of the line. */
static bool next_data(struct slice *rest, struct slice *data_out, size_t *size_out)
{
    const struct slice line = slice_from(*rest, slice_find(*rest, SLICE("data:")));
    const size_t end = line_size(line);
    if (end == line.size)
        return false;
    *data_out = slice_trim(slice_of(line.data + 5, end - 5));
    *size_out = end + 1;
    *rest = slice_from(line, end + 1);
    return true;
}

static uint64_t bytes_of(const struct account_content *found)
{
    return found->text_bytes + found->media_bytes + found->other_bytes;
}

static void look_into(struct slice data, struct content *content)
{
    struct account_content *found = content->found;
    const uint64_t before = bytes_of(found);
    if (!openai_event_content(data, &JSON_LIMITS_DEFAULT, add_content, content) &&
        !slice_equal(data, SLICE("[DONE]")))
        found->other_bytes += data.size;
    found->events += bytes_of(found) > before;
}

void estimate_relayed(struct account *account, struct slice events)
{
    struct content content = {.counter = account->counter, .found = &account->content};
    struct slice data;
    size_t size;
    if (events.size > RUN_BYTES_MAX) { /* bytes have to do */
        drop_counter(account);
        account->content.other_bytes += events.size;
        account->content.events++;
        return;
    }
    while (next_data(&events, &data, &size))
        look_into(data, &content);
    if (content.status == STATUS_OK && account->counter != NULL &&
        account->counter->carry.size > WORD_BYTES_MAX)
        content.status = token_counter_finish(account->counter);
    if (content.status != STATUS_OK)
        drop_counter(account);
}

static uint64_t followed_tokens(const struct request *request)
{
    const struct account *account = &request->account;
    const struct account_content *found = &account->content;
    const uint64_t other = account->is_watched ? found->other_bytes : 0;
    const uint64_t before = account->tokens_before + other / BYTES_PER_TOKEN +
                            found->media_bytes / MEDIA_BYTES_PER_TOKEN;
    if (account->counter == NULL)
        return before + larger(found->events, found->text_bytes / BYTES_PER_TOKEN);
    const uint64_t tokens =
        token_counter_total(account->counter) + account->counter->carry.size / BYTES_PER_TOKEN;
    return before + model_tokens_scale(model_tokens_find(request->target_model), tokens);
}

void estimate_finish(struct request *request)
{
    struct account *account = &request->account;
    if (account->counter == NULL)
        return;
    account->content_is_counted = token_counter_finish(account->counter) == STATUS_OK;
    if (account->content_is_counted)
        account->content_tokens = followed_tokens(request);
    drop_counter(account);
}

/* --- Guessing -------------------------------------------------------------------------------------------- */

/* What whole events hold: those with text, and all of them. */
struct sampled {
    uint64_t events, event_bytes, content_bytes;
    uint64_t all_events, overhead_bytes, media_bytes;
};

static struct sampled look_at(struct slice rest, uint64_t most)
{
    struct sampled sampled = {0};
    struct slice data;
    size_t size;
    while (sampled.all_events < most && next_data(&rest, &data, &size)) {
        struct account_content found = {0};
        struct content content = {.found = &found};
        look_into(data, &content);
        sampled.all_events++;
        sampled.overhead_bytes += size - (found.text_bytes + found.other_bytes);
        sampled.media_bytes += found.media_bytes;
        if (found.text_bytes == 0)
            continue;
        sampled.events++;
        sampled.event_bytes += size + 1; /* with the blank line */
        sampled.content_bytes += found.text_bytes;
    }
    return sampled;
}

static void note_overhead(struct account *account, struct slice events)
{
    const struct sampled sampled = look_at(events, LOOKS_FEW);
    const uint64_t all = larger(sampled.all_events, 1);
    account->event_overhead = sampled.overhead_bytes / all;
    account->event_media = sampled.media_bytes / all;
    account->overhead_is_old = false;
}

static struct slice sample_of(const struct account *account)
{
    return slice_of(account->sample, account->sample_bytes);
}

void estimate_sampled(struct account *account, struct slice events)
{
    account->overhead_is_old |= (account->runs & RUNS_OF_LOOKS) != 0;
    if (account->overhead_is_old && account->is_watched && events.size > account->sample_bytes &&
        events.size <= RUN_BYTES_MAX && openai_stream_events(sample_of(account)) < 2)
        note_overhead(account, events); /* the sample has no whole one */
}

/* Most servers send a token with each event; others send more, which the bytes show. Events of one
 * stream differ in little but their content. */
static uint64_t sampled_tokens(const struct request *request)
{
    const struct account *account = &request->account;
    const struct sampled sampled = look_at(sample_of(account), LOOKS_MAX);
    if (sampled.events == 0) /* events larger than the sample: at least one came in each run */
        return account->runs;
    const uint64_t events = account->relayed_bytes * sampled.events / sampled.event_bytes;
    const uint64_t by_bytes = events * sampled.content_bytes / sampled.events / BYTES_PER_TOKEN;
    return larger(by_bytes, events);
}

/* The same of a stream whose events were counted: what is not known to be something else is text. A
 * word may be twice as long as usual, and an event of one is one token. */
static uint64_t watched_tokens(const struct account *account, uint64_t bytes, uint64_t events)
{
    const uint64_t overhead = events * account->event_overhead;
    const uint64_t by_bytes = (bytes > overhead ? bytes - overhead : 0) / BYTES_PER_TOKEN;
    return larger(by_bytes > 2 * events ? by_bytes : events,
                  events * account->event_media / MEDIA_BYTES_PER_TOKEN);
}

static uint64_t output_tokens(const struct request *request)
{
    const struct account *account = &request->account;
    if (account->content_is_counted)
        return account->content_tokens;
    if (account->is_followed)
        return followed_tokens(request);
    if (account->relayed_bytes == 0)
        return account->content_bytes / BYTES_PER_TOKEN;
    return account->is_watched ? watched_tokens(account, account->relayed_bytes, account->events)
                               : sampled_tokens(request);
}

/* The overhead is looked for when it is asked for. */
static void renew_overhead(struct account *account)
{
    if (account->is_watched && account->overhead_is_old)
        note_overhead(account, sample_of(account));
}

uint64_t estimate_output_so_far(struct request *request)
{
    struct account *account = &request->account;
    if (!account->is_followed)
        renew_overhead(account);
    return output_tokens(request);
}

uint64_t estimate_events_tokens(struct request *request, struct slice events)
{
    struct account *account = &request->account;
    if (account->runs == 0 && events.size <= RUN_BYTES_MAX)
        note_overhead(account, events);
    renew_overhead(account);
    return watched_tokens(account, events.size, openai_stream_events(events));
}

/* Some providers count reasoning besides the completion, or give the sum alone: the total tells. */
static void complete_by_total(const struct request *request, struct openai_usage *usage)
{
    const uint64_t total = usage->tokens[OPENAI_TOKENS_TOTAL];
    const uint64_t input = usage->tokens[OPENAI_TOKENS_INPUT];
    if (!openai_usage_has(usage, OPENAI_TOKENS_TOTAL))
        return;
    if (!makes_text(request) && !openai_usage_has(usage, OPENAI_TOKENS_INPUT))
        give(usage, OPENAI_TOKENS_INPUT, total);
    else if (makes_text(request) && openai_usage_has(usage, OPENAI_TOKENS_INPUT) &&
             total > input + usage->tokens[OPENAI_TOKENS_OUTPUT])
        give(usage, OPENAI_TOKENS_OUTPUT, total - input);
}

bool estimate_is_billed(const struct request *request)
{
    const bool was_answered = request->upstream_status >= 200 && request->upstream_status < 300;
    const bool was_sent = request->upstream_status == 0 && request->upstream_sent_ns > 0;
    const bool was_left = request->outcome == OUTCOME_CLIENT_GONE ||
                          request->outcome == OUTCOME_TIMED_OUT ||
                          request->outcome == OUTCOME_CUT_OFF;
    return was_answered || (was_sent && (was_left || admit_is_hard(&request->admit)));
}

/* What was relayed may be more than what was told before the stream's end. */
static bool raise_partial(const struct request *request, struct openai_usage *usage)
{
    const uint64_t output = output_tokens(request);
    if (!request->account.usage_is_partial)
        return false;
    if (output > usage->tokens[OPENAI_TOKENS_OUTPUT])
        give(usage, OPENAI_TOKENS_OUTPUT, output);
    return true;
}

/* Of a prompt that the provider did not count. */
static uint64_t input_tokens(const struct request *request)
{
    const struct account *account = &request->account;
    const struct model_tokens *model = model_tokens_find(request->target_model);
    const uint64_t held = smaller(request->admit.hold.input_tokens, OPENAI_USAGE_TOKENS_MAX);
    uint64_t tokens = account->prompt_tokens;
    if (!admit_is_hard(&request->admit))
        return tokens;
    if (!account->prompt_is_counted && !admit_count_input(request, &tokens))
        return held;
    if (model->is_estimate || model->format.is_estimate)
        tokens += tokens / 100 * ESTIMATE_MARGIN_PERCENT + 1;
    return smaller(tokens, held);
}

enum estimate_kind estimate_missing(const struct request *request, struct openai_usage *usage)
{
    const bool is_billed = estimate_is_billed(request);
    const bool has_answer = is_billed && request->upstream_status != 0 && makes_text(request);
    complete_by_total(request, usage);
    const bool lacks_input = !openai_usage_has(usage, OPENAI_TOKENS_INPUT);
    const bool lacks_output = !openai_usage_has(usage, OPENAI_TOKENS_OUTPUT);
    const bool is_told = !lacks_input && !(lacks_output && makes_text(request));
    if (is_billed && !is_told && admit_is_hard(&request->admit) &&
        !request->account.answer_is_known) {
        estimate_hold(request, usage);
        return ESTIMATE_HELD;
    }
    if (lacks_input)
        give(usage, OPENAI_TOKENS_INPUT, is_billed ? input_tokens(request) : 0);
    if (lacks_output)
        give(usage, OPENAI_TOKENS_OUTPUT, has_answer ? output_tokens(request) : 0);
    if (is_billed && !is_told)
        return ESTIMATE_MADE;
    return has_answer && !lacks_output && raise_partial(request, usage) ? ESTIMATE_RAISED
                                                                        : ESTIMATE_TOLD;
}
