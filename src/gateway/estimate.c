#include "gateway/estimate.h"

#include "base/alloc.h"
#include "dialect/openai_stream.h"
#include "gateway/limits.h"
#include "gateway/request.h"
#include "models/chat_count.h"
#include "models/json_tokens.h"

/* More choices than anybody asks for in earnest. */
#define ESTIMATE_CHOICES_MAX 1024

/* Of English text in o200k_base; other text and JSON's own signs make it less. */
#define BYTES_PER_TOKEN 4

#define RUN_BYTES_MAX   ((size_t)256 * 1024) /* of events that are counted without a pause */
#define WORD_BYTES_MAX  ((size_t)16 * 1024)  /* of a text's end that is kept for what may follow */

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

/* What was held for it is what the provider may make of it, unless nobody told it a maximum. */
static uint64_t orphan_output(const struct request *request)
{
    const struct openai_request *openai = &request->openai;
    const struct hold *hold = &request->admit.hold;
    if (request->admit.is_granted && request->admit.has_hold && hold->output != HOLD_OUTPUT_MODEL)
        return smaller(hold->output_tokens, OPENAI_USAGE_TOKENS_MAX);
    return smaller(openai->max_tokens, ESTIMATE_OUTPUT_TOKENS) *
           smaller(hold_choices(openai), ESTIMATE_CHOICES_MAX);
}

void estimate_orphan(struct request *request, struct openai_usage *usage_out)
{
    *usage_out = (struct openai_usage){0};
    request->account.prompt_tokens = request->fit.is_counted
                                         ? request->fit.input_tokens
                                         : prompt_bytes(&request->openai) / BYTES_PER_TOKEN;
    give(usage_out, OPENAI_TOKENS_INPUT, request->account.prompt_tokens);
    if (makes_text(request))
        give(usage_out, OPENAI_TOKENS_OUTPUT, orphan_output(request));
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
    struct input_count count;
    if (request->fit.is_counted)
        request->account.prompt_tokens = request->fit.input_tokens;
    else if (request->openai.route != OPENAI_ROUTE_MODERATIONS &&
             count_request(request, model, &count) == STATUS_OK)
        request->account.prompt_tokens = count.input_tokens;
}

/* Where texts are added. */
struct content {
    struct token_counter *counter;
    bool is_whole; /* each string is a text of its own; else one goes on in the next */
    enum status status;
};

static void add_content(void *context, struct json_value text)
{
    struct content *content = context;
    if (content->status == STATUS_OK)
        content->status = content->is_whole ? json_tokens_count(content->counter, text)
                                            : json_tokens_add(content->counter, text);
}

void estimate_answer(struct request *request, struct slice body)
{
    const struct model_tokens *model = model_tokens_find(request->target_model);
    const struct tokenizer *tokenizer = tokenizer_get(model->encoding);
    const struct json_limits limits = limits_for_json(request->worker);
    struct token_counter counter;
    struct content content = {.counter = &counter, .is_whole = true};
    if (tokenizer == NULL)
        return;
    count_input(request, model);
    if (!makes_text(request))
        return;
    token_counter_init(&counter, tokenizer,
                       (struct token_pause){limits.pause, limits.pause_context});
    openai_event_content(body, &limits, add_content, &content);
    request->account.content_is_counted = content.status == STATUS_OK;
    request->account.content_tokens = model_tokens_scale(model, token_counter_total(&counter));
    token_counter_fini(&counter);
}

void estimate_prepare(struct request *request)
{
    const struct model_tokens *model = model_tokens_find(request->target_model);
    const struct tokenizer *tokenizer = tokenizer_get(model->encoding);
    struct account *account = &request->account;
    if (tokenizer == NULL || account->counter != NULL)
        return;
    count_input(request, model);
    account->counter = alloc_bytes(sizeof(*account->counter));
    if (account->counter != NULL)
        token_counter_init(account->counter, tokenizer, (struct token_pause){0});
}

static void drop_counter(struct account *account)
{
    if (account->counter != NULL)
        token_counter_fini(account->counter);
    alloc_free(account->counter);
    account->counter = NULL;
}

/* The next line with data; false: there is no whole one. *size_out is that of the line. */
static bool next_data(struct slice *rest, struct slice *data_out, size_t *size_out)
{
    const struct slice line = slice_from(*rest, slice_find(*rest, SLICE("data:")));
    const size_t end = slice_find_byte(line, '\n');
    if (end == line.size)
        return false;
    *data_out = slice_trim(slice_of(line.data + 5, end - 5));
    *size_out = end + 1;
    *rest = slice_from(line, end + 1);
    return true;
}

void estimate_relayed(struct account *account, struct slice events)
{
    struct content content = {.counter = account->counter};
    struct slice data;
    size_t size;
    if (events.size > RUN_BYTES_MAX) { /* the sample has to do */
        drop_counter(account);
        return;
    }
    while (next_data(&events, &data, &size))
        openai_event_content(data, &JSON_LIMITS_DEFAULT, add_content, &content);
    if (content.status == STATUS_OK && account->counter->carry.size > WORD_BYTES_MAX)
        content.status = token_counter_finish(account->counter);
    if (content.status != STATUS_OK)
        drop_counter(account);
}

void estimate_finish(struct request *request)
{
    struct account *account = &request->account;
    if (account->counter == NULL)
        return;
    account->content_is_counted = token_counter_finish(account->counter) == STATUS_OK;
    account->content_tokens = model_tokens_scale(model_tokens_find(request->target_model),
                                                 token_counter_total(account->counter));
    drop_counter(account);
}

/* --- Guessing -------------------------------------------------------------------------------------------- */

/* What the whole events of the sample hold. */
struct sampled {
    uint64_t events, event_bytes, content_bytes;
};

static struct sampled look_at_sample(const struct request *request)
{
    const struct account *account = &request->account;
    struct json_limits limits = limits_for_json(request->worker);
    struct slice rest = slice_of(account->sample, account->sample_bytes);
    struct sampled sampled = {0};
    struct slice data;
    size_t size;
    limits.pause = NULL;
    while (next_data(&rest, &data, &size)) {
        const uint64_t content = openai_event_content_bytes(data, &limits);
        if (content == 0)
            continue;
        sampled.events++;
        sampled.event_bytes += size + 1; /* with the blank line */
        sampled.content_bytes += content;
    }
    return sampled;
}

/* Most servers send a token with each event; others send more, which the bytes show. Events of one
 * stream differ in little but their content. */
static uint64_t output_tokens(const struct request *request)
{
    const struct account *account = &request->account;
    if (account->content_is_counted)
        return account->content_tokens;
    if (account->relayed_bytes == 0)
        return account->content_bytes / BYTES_PER_TOKEN;
    const struct sampled sampled = look_at_sample(request);
    if (sampled.events == 0) /* events larger than the sample: at least one came in each run */
        return account->runs;
    const uint64_t events = account->relayed_bytes * sampled.events / sampled.event_bytes;
    const uint64_t by_bytes = events * sampled.content_bytes / sampled.events / BYTES_PER_TOKEN;
    return by_bytes > events ? by_bytes : events;
}

uint64_t estimate_output_so_far(const struct request *request)
{
    const struct account *account = &request->account;
    if (account->counter != NULL)
        return model_tokens_scale(model_tokens_find(request->target_model),
                                  token_counter_total(account->counter));
    return output_tokens(request);
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
    const bool was_left =
        request->upstream_status == 0 && request->upstream_sent_ns > 0 &&
        (request->outcome == OUTCOME_CLIENT_GONE || request->outcome == OUTCOME_TIMED_OUT ||
         request->outcome == OUTCOME_CUT_OFF);
    return was_answered || was_left;
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

bool estimate_missing(const struct request *request, struct openai_usage *usage)
{
    const bool is_billed = estimate_is_billed(request);
    const bool has_answer = is_billed && request->upstream_status != 0 && makes_text(request);
    complete_by_total(request, usage);
    const bool lacks_input = !openai_usage_has(usage, OPENAI_TOKENS_INPUT);
    const bool lacks_output = !openai_usage_has(usage, OPENAI_TOKENS_OUTPUT);
    if (lacks_input)
        give(usage, OPENAI_TOKENS_INPUT, is_billed ? request->account.prompt_tokens : 0);
    if (lacks_output)
        give(usage, OPENAI_TOKENS_OUTPUT, has_answer ? output_tokens(request) : 0);
    const bool was_raised = has_answer && !lacks_output && raise_partial(request, usage);
    return was_raised || (is_billed && (lacks_input || (lacks_output && makes_text(request))));
}
