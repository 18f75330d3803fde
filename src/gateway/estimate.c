#include "gateway/estimate.h"

#include "dialect/openai_stream.h"
#include "gateway/limits.h"
#include "gateway/request.h"

/* Of English text in o200k_base; other text and JSON's own signs make it less. */
#define BYTES_PER_TOKEN 4

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

void estimate_orphan(struct request *request, struct openai_usage *usage_out)
{
    const uint64_t wanted = request->openai.max_tokens;
    *usage_out = (struct openai_usage){0};
    request->account.prompt_tokens = prompt_bytes(&request->openai) / BYTES_PER_TOKEN;
    give(usage_out, OPENAI_TOKENS_INPUT, request->account.prompt_tokens);
    if (makes_text(request))
        give(usage_out, OPENAI_TOKENS_OUTPUT,
             wanted < ESTIMATE_OUTPUT_TOKENS ? wanted : ESTIMATE_OUTPUT_TOKENS);
}

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
    limits.pause = NULL;
    while (rest.size > 0) {
        const size_t start = slice_find(rest, SLICE("data:"));
        const struct slice event = slice_from(rest, start);
        const size_t end = slice_find_byte(event, '\n');
        if (end == event.size)
            break;
        const struct slice data = slice_trim(slice_of(event.data + 5, end - 5));
        const uint64_t content = openai_event_content_bytes(data, &limits);
        if (content > 0) {
            sampled.events++;
            sampled.event_bytes += end + 2; /* with the blank line */
            sampled.content_bytes += content;
        }
        rest = slice_from(event, end + 1);
    }
    return sampled;
}

/* Most servers send a token with each event; others send more, which the bytes show. Events of one
 * stream differ in little but their content. */
static uint64_t output_tokens(const struct request *request)
{
    const struct account *account = &request->account;
    if (account->relayed_bytes == 0)
        return account->content_bytes / BYTES_PER_TOKEN;
    const struct sampled sampled = look_at_sample(request);
    if (sampled.events == 0)
        return 0;
    const uint64_t events = account->relayed_bytes * sampled.events / sampled.event_bytes;
    const uint64_t by_bytes = events * sampled.content_bytes / sampled.events / BYTES_PER_TOKEN;
    return by_bytes > events ? by_bytes : events;
}

bool estimate_missing(const struct request *request, struct openai_usage *usage)
{
    const bool is_answered = request->upstream_status >= 200 && request->upstream_status < 300;
    const bool lacks_input = !openai_usage_has(usage, OPENAI_TOKENS_INPUT);
    const bool lacks_output = !openai_usage_has(usage, OPENAI_TOKENS_OUTPUT);
    if (lacks_input)
        give(usage, OPENAI_TOKENS_INPUT, is_answered ? request->account.prompt_tokens : 0);
    if (lacks_output)
        give(usage, OPENAI_TOKENS_OUTPUT,
             is_answered && makes_text(request) ? output_tokens(request) : 0);
    return is_answered && (lacks_input || (lacks_output && makes_text(request)));
}
