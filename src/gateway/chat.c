#include "gateway/chat.h"

#include <string.h>

#include "base/assert.h"
#include "base/uncleared.h"
#include "dialect/simple_chat.h"
#include "gateway/estimate.h"
#include "gateway/gateway.h"
#include "gateway/limits.h"
#include "gateway/target.h"
#include "json/value.h"

/* --- Reading the body ---------------------------------------------------------------------------------- */

static enum openai_route route_of(const struct request *request)
{
    const struct slice path = slice_from_text(request->route->upstream_path);
    if (slice_equal(path, SLICE("/chat/completions")))
        return OPENAI_ROUTE_CHAT;
    if (slice_equal(path, SLICE("/completions")))
        return OPENAI_ROUTE_COMPLETIONS;
    if (slice_equal(path, SLICE("/embeddings")))
        return OPENAI_ROUTE_EMBEDDINGS;
    ASSERT(slice_equal(path, SLICE("/moderations")));
    return OPENAI_ROUTE_MODERATIONS;
}

static enum status refuse_body(struct request *request, const struct openai_error *error)
{
    request_fail(request, ERROR_INVALID_REQUEST, error->param, "%s", error->message);
    request->error.code = slice_from_text(error->code_text);
    if (request->route->style != ERROR_STYLE_DETAIL)
        return STATUS_DENIED;
    struct buffer body;
    buffer_init(&body, 8192);
    if (simple_chat_error_write(error, &body) == STATUS_OK)
        request->error.body = arena_copy(&request->exchange->arena, buffer_slice(&body));
    buffer_fini(&body);
    request->error.http_status = 422;
    return STATUS_DENIED;
}

/* The levels came while the body was read; their counters come while its target is chosen. */
static void ask_for_counters(const struct identity_key *key)
{
    if (key == NULL)
        return;
    level_prefetch_counters(identity_rules_level(key->rules));
    level_prefetch_counters(identity_rules_level(identity_key_user_rules(key)));
}

enum status chat_inspect(struct request *request, enum openai_route route)
{
    const struct json_limits limits = limits_for_json(request->worker);
    UNCLEARED struct openai_error error; /* unset unless something is wrong */
    const enum status status = openai_request_read(
        route, request->body.bytes, &limits, &request->exchange->arena, &request->openai, &error);
    ask_for_counters(request->key);
    if (status == STATUS_INVALID)
        return refuse_body(request, &error);
    if (status != STATUS_OK)
        return request_fail(request, ERROR_REQUEST_TOO_LARGE, NULL,
                            "The request has too many members.");
    request->stream = request->openai.stream;
    return STATUS_OK;
}

/* --- Calling --------------------------------------------------------------------------------------------- */

static bool has_usage_chunk(const struct request *request)
{
    return request->stream && (request->openai.route == OPENAI_ROUTE_CHAT ||
                               request->openai.route == OPENAI_ROUTE_COMPLETIONS ||
                               request->openai.route == OPENAI_ROUTE_SIMPLE_CHAT);
}

static enum openai_usage_ask usage_ask(const struct request *request)
{
    struct provider *provider = request->endpoint->provider;
    if (!has_usage_chunk(request) || provider->config->stream_usage == CONFIG_STREAM_USAGE_NEVER)
        return OPENAI_USAGE_ASK_KEEP;
    const bool is_auto = provider->config->stream_usage == CONFIG_STREAM_USAGE_AUTO;
    if (is_auto && atomic_load_explicit(&provider->refuses_stream_options, memory_order_relaxed))
        return OPENAI_USAGE_ASK_DROP;
    return OPENAI_USAGE_ASK_YES;
}

/* Whether it is known beforehand that the stream will not tell what it used. */
static bool lacks_usage(const struct request *request, enum openai_usage_ask ask)
{
    return has_usage_chunk(request) &&
           (ask == OPENAI_USAGE_ASK_DROP ||
            (ask == OPENAI_USAGE_ASK_KEEP && !request->openai.include_usage));
}

static bool is_given(const struct json_member *member)
{
    return member != NULL && !json_is_null(member->value);
}

/* Some servers take 0 for none. */
static bool is_zero(const struct json_member *member)
{
    uint64_t number;
    return is_given(member) && json_u64(member->value, &number) == STATUS_OK && number == 0;
}

/* OpenAI's newer models take only the newer name, and what they do not take they refuse. Every other
 * server knows the older name, and many pass over the newer one. */
static bool takes_newer_name(const struct request *request)
{
    const struct slice catalogue = request->endpoint->provider->catalogue.name;
    return request->openai.route != OPENAI_ROUTE_COMPLETIONS &&
           (slice_equal(catalogue, SLICE("openai")) || slice_equal(catalogue, SLICE("azure")));
}

/* The names under which the request does not state its maximum of output so that the target is sure
 * to keep to it. */
static unsigned names_of_maximum(const struct request *request)
{
    const struct json_member *const *members = request->openai.members;
    const struct json_member *older = members[OPENAI_MEMBER_MAX_TOKENS];
    const struct json_member *newer = members[OPENAI_MEMBER_MAX_COMPLETION_TOKENS];
    unsigned names = 0;
    if (is_zero(older))
        names |= 1u << OPENAI_MEMBER_MAX_TOKENS;
    if (is_zero(newer))
        names |= 1u << OPENAI_MEMBER_MAX_COMPLETION_TOKENS;
    if (is_given(older))
        return names;
    if (!takes_newer_name(request))
        return names | 1u << OPENAI_MEMBER_MAX_TOKENS;
    return is_given(newer) ? names : 1u << OPENAI_MEMBER_MAX_COMPLETION_TOKENS;
}

/* What is held for the output has to be a bound to the provider too. */
static struct openai_max_output max_output(const struct request *request)
{
    const struct hold *hold = &request->admit.hold;
    if (!request->admit.has_hold ||
        (hold->output != HOLD_OUTPUT_REQUEST && hold->written_output == 0))
        return (struct openai_max_output){0};
    return (struct openai_max_output){
        .tokens = hold->written_output > 0 ? hold->written_output : request->openai.max_tokens,
        .members = names_of_maximum(request),
    };
}

static enum status send_to_target(struct request *request, chat_compose *compose,
                                  enum openai_usage_ask ask, struct call *call)
{
    const struct openai_rewrite rewrite = {
        .model = request->model_is_replaced ? request->target_model : (struct slice){0},
        .usage = ask,
        .stream = request->stream,
        .messages = request->fit.messages,
        .max_output = max_output(request),
    };
    UNCLEARED struct json_pieces pieces;
    if (compose(&request->openai, &rewrite, &request->exchange->arena, &pieces) != STATUS_OK) {
        call_init(call, request);
        return request_fail(request, ERROR_INTERNAL, NULL, "Out of memory.");
    }
    return call_start(call, request, &pieces);
}

/* Some servers answer 400 or 422 to a member that they do not know. */
static bool refuses_stream_options(const struct call *call, const struct held_answer *held,
                                   enum openai_usage_ask ask)
{
    const unsigned status = call->attempt.head.status;
    const struct provider *provider = call->request->endpoint->provider;
    return ask == OPENAI_USAGE_ASK_YES && (status == 400 || status == 422) &&
           provider->config->stream_usage == CONFIG_STREAM_USAGE_AUTO && held->is_whole &&
           slice_find(held->bytes, SLICE("stream_options")) < held->bytes.size;
}

static enum status call_once(struct request *request, chat_compose *compose,
                             enum openai_usage_ask ask, struct call *call, struct held_answer *held)
{
    *held = (struct held_answer){0};
    if (lacks_usage(request, ask))
        estimate_prepare(request);
    const enum status status = send_to_target(request, compose, ask, call);
    if (status != STATUS_OK || call->is_events)
        return status;
    return held_answer_read(call, held);
}

enum status chat_call(struct request *request, chat_compose *compose, struct call *call,
                      struct held_answer *held)
{
    const enum openai_usage_ask ask = usage_ask(request);
    *held = (struct held_answer){0};
    enum status status = account_open(request);
    if (status == STATUS_OK)
        status = call_once(request, compose, ask, call, held);
    else
        call_init(call, request);
    if (status == STATUS_OK && !call->is_events && refuses_stream_options(call, held, ask)) {
        held_answer_free(held);
        call_finish(call);
        status = account_next_attempt(request, SLICE("rejected"), request->upstream_status);
        if (status == STATUS_OK)
            status = call_once(request, compose, OPENAI_USAGE_ASK_DROP, call, held);
        /* The refusal may have been about something else that named them. */
        if (status == STATUS_OK && call->attempt.head.status == 200)
            atomic_store(&request->endpoint->provider->refuses_stream_options, true);
    }
    return status;
}

/* --- Answering ---------------------------------------------------------------------------------------------- */

/* The provider's 401 and 403 are about weir's credentials and may quote a part of them; a redirect
 * is not followed, since the credentials are for one host. */
static bool is_passed_on(unsigned status)
{
    return status != 401 && status != 403 && (status < 300 || status >= 400);
}

static void refuse_answer(struct request *request, unsigned status)
{
    const bool is_redirect = status < 400;
    request_fail(request, is_redirect ? ERROR_UPSTREAM_INVALID : ERROR_UPSTREAM_REFUSED, NULL,
                 is_redirect
                     ? "The model's provider answered with a redirect, which is not followed."
                     : "The model's provider refused the gateway's credentials.");
    reason_set(&request->reason, "upstream answered %u", status);
}

static void relay(struct call *call, struct held_answer *held)
{
    const unsigned status = call->attempt.head.status;
    if (call->is_events)
        relay_events(call, RELAY_END_AS_IS);
    else if (is_passed_on(status))
        relay_held(call, held);
    else
        refuse_answer(call->request, status);
}

void chat_handle(struct request *request)
{
    UNCLEARED struct call call;
    struct held_answer held;
    enum status status = request_read_body(request);
    if (status == STATUS_OK)
        status = chat_inspect(request, route_of(request));
    if (status == STATUS_OK)
        status = target_choose(request, request->openai.model);
    if (status == STATUS_OK)
        status = admit_check(request);
    if (status == STATUS_OK)
        status = fit_messages(request);
    if (status == STATUS_OK)
        status = admit_take(request);
    if (status != STATUS_OK)
        return;
    status = chat_call(request, openai_request_rewrite, &call, &held);
    if (status == STATUS_OK)
        relay(&call, &held);
    held_answer_free(&held);
    call_finish(&call);
}
