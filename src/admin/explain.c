#include "admin/explain.h"

#include <stdio.h>

#include "admin/explanation.h"
#include "admin/operations.h"
#include "base/clock.h"
#include "gateway/route.h"
#include "identity/access.h"
#include "json/read.h"
#include "json/walk.h"
#include "json/write.h"

#define MEMBERS_MAX 1024

/* Of what stands before, the first word counts. */
static void refuse(struct explanation *explanation, unsigned http_status, const char *code,
                   const char *words)
{
    if (explanation->code != NULL)
        return;
    explanation->http_status = http_status;
    explanation->code = code;
    (void)snprintf(explanation->words.text, sizeof(explanation->words.text), "%s", words);
}

/* --- The key --------------------------------------------------------------------------------------------- */

static unsigned find_key(struct explanation *explanation, const struct body_member *member)
{
    struct operation *operation = explanation->operation;
    struct reason reason = {""};
    if (!yyjson_is_str(member->value))
        return operation_problem(operation, 400, "key is missing: a key's id or name");
    const enum status status = store_key_find(operation->context->store, body_text(member),
                                              operation->arena, &explanation->key, &reason);
    if (status != STATUS_OK)
        return operation_failed(operation, status, &reason);
    explanation->entry = identity_map_find_key(operation->context->map, explanation->key.hash);
    if (explanation->entry == NULL)
        return operation_problem(operation, 500, "the key is not in the server's memory");
    const enum identity_verdict verdict = identity_check(explanation->entry, operation->now_us);
    if (verdict != IDENTITY_VERDICT_VALID)
        refuse(explanation, 401, "invalid_api_key", identity_verdict_name(verdict));
    return 0;
}

/* Without an address nobody asks for networks; the answer says so. */
static unsigned check_access(struct explanation *explanation, const struct body_member *member)
{
    unsigned char address[16];
    if (!identity_allows_route(explanation->entry, explanation->route))
        refuse(explanation, 403, "not_allowed", "This key may not use this route.");
    if (member->value == NULL)
        return 0;
    explanation->address = body_text(member);
    if (cidr_parse_address(explanation->address, address) != STATUS_OK)
        return operation_problem(explanation->operation, 400,
                                 "address is an IPv4 or IPv6 address, such as \"10.0.0.7\"");
    if (!identity_allows_address(explanation->entry, address))
        refuse(explanation, 403, "not_allowed", "This key may not be used from this network.");
    return 0;
}

/* --- The request ------------------------------------------------------------------------------------------- */

static enum openai_route route_of(struct slice path, bool *is_known_out)
{
    struct slice rest;
    const struct route *route = route_find(path, &rest);
    *is_known_out = route != NULL && route->upstream_path != NULL;
    if (!*is_known_out)
        return OPENAI_ROUTE_CHAT;
    const struct slice upstream = slice_from_text(route->upstream_path);
    if (slice_equal(upstream, SLICE("/completions")))
        return OPENAI_ROUTE_COMPLETIONS;
    if (slice_equal(upstream, SLICE("/embeddings")))
        return OPENAI_ROUTE_EMBEDDINGS;
    if (slice_equal(upstream, SLICE("/moderations")))
        return OPENAI_ROUTE_MODERATIONS;
    return route->style == ERROR_STYLE_DETAIL ? OPENAI_ROUTE_SIMPLE_CHAT : OPENAI_ROUTE_CHAT;
}

/* The bytes of the member "body" as they were given. They lie one level deeper than they would lie in
 * the client's request. Returns 0 or the problem's status. */
static unsigned given_body(const struct explanation *explanation, struct slice *text_out)
{
    struct operation *operation = explanation->operation;
    struct json_limits limits = explanation->json;
    struct json_value root, body;
    struct json_error error;
    if (limits.depth_max < JSON_DEPTH_LIMIT)
        limits.depth_max++;
    if (json_check(operation->body, &limits, &root, &error) != STATUS_OK)
        return operation_problem(operation, 400, "the body could not be read: %s at byte %zu",
                                 error.message, error.offset);
    if (!json_find(root, SLICE("body"), NULL, &body) || body.type != JSON_TYPE_OBJECT)
        return operation_problem(operation, 400, "body is an object: what the client would send");
    *text_out = body.raw;
    return 0;
}

/* A chat with one empty message. */
static unsigned usual_body(const struct explanation *explanation, struct slice model,
                           struct slice *text_out)
{
    struct operation *operation = explanation->operation;
    struct buffer text;
    buffer_init(&text, ADMIN_BODY_BYTES_MAX);
    buffer_append(&text, SLICE("{\"model\":"));
    json_append_string(&text, model);
    buffer_append(&text, SLICE(",\"messages\":[{\"role\":\"user\",\"content\":\"\"}]}"));
    *text_out = arena_copy(operation->arena, buffer_slice(&text));
    const bool is_whole = buffer_status(&text) == STATUS_OK && text_out->data != NULL;
    buffer_fini(&text);
    return is_whole ? 0 : operation_problem(operation, 503, "out of memory");
}

static unsigned read_body(struct explanation *explanation, enum openai_route route,
                          const struct body_member *model, const struct body_member *body)
{
    struct operation *operation = explanation->operation;
    const struct slice given_model = body_text(model);
    struct openai_error error;
    struct slice text = {0};
    if (given_model.data == NULL && body->value == NULL)
        return operation_problem(operation, 400, "model is missing: the name that a client uses");
    const unsigned failed = body->value != NULL ? given_body(explanation, &text)
                                                : usual_body(explanation, given_model, &text);
    if (failed != 0)
        return failed;
    const enum status status = openai_request_read(route, text, &explanation->json,
                                                   operation->arena, &explanation->openai, &error);
    if (status == STATUS_INVALID)
        refuse(explanation, 400, error.code_text, error.message);
    else if (status != STATUS_OK)
        return operation_problem(operation, 503, "out of memory");
    explanation->model = given_model.data != NULL ? given_model : explanation->openai.model;
    return 0;
}

static unsigned read_request(struct explanation *explanation, const struct body_member *members)
{
    bool is_known;
    const struct slice given = body_text(&members[2]);
    explanation->route = given.data != NULL ? given : SLICE("/v1/chat/completions");
    const enum openai_route route = route_of(explanation->route, &is_known);
    if (!is_known)
        return operation_problem(explanation->operation, 400,
                                 "route is one that calls a model, such as "
                                 "/v1/chat/completions");
    const unsigned failed = check_access(explanation, &members[4]);
    return failed != 0 ? failed : read_body(explanation, route, &members[1], &members[3]);
}

/* --- The target ---------------------------------------------------------------------------------------------- */

static void choose_target(struct explanation *explanation)
{
    const struct config *config = explanation->snapshot->config;
    explanation->rule = rules_match(&config->rules, explanation->model);
    if (explanation->rule == NULL) {
        refuse(explanation, 404, "model_not_found",
               "No rule of the configuration serves this model.");
        return;
    }
    if (!identity_allows_model(explanation->entry, explanation->model)) {
        refuse(explanation, 404, "model_not_found", "This key may not use the model.");
        return;
    }
    const struct rule_target *target = &explanation->rule->targets[0];
    explanation->provider = &explanation->snapshot->providers[target->provider];
    explanation->target_model = target->model.data != NULL ? target->model : explanation->model;
}

/* --- Limits and the hold, as gateway/admit.c asks them --------------------------------------------------------- */

static struct hold_subject subject_of(struct explanation *explanation)
{
    return (struct hold_subject){
        .snapshot = explanation->snapshot,
        .provider = explanation->provider,
        .rule = explanation->rule,
        .target_model = explanation->target_model,
        .openai = &explanation->openai,
        .pricing = &explanation->pricing,
        .json = &explanation->json,
        .time_us = explanation->operation->now_us,
        .counted_input = UINT64_MAX,
    };
}

/* Leaves in `refusal` what refuses. */
static enum admission_verdict ask(struct explanation *explanation)
{
    explanation->refusal = (struct admission_refusal){.verdict = ADMISSION_ADMITTED};
    return admission_check(&explanation->levels, &explanation->demand, &explanation->refusal);
}

static void refuse_by_limit(struct explanation *explanation)
{
    static const struct {
        unsigned http_status;
        const char *code;
    } answers[] = {
        [ADMISSION_RATE] = {429, "rate_limit_exceeded"},
        [ADMISSION_PARALLEL] = {429, "rate_limit_exceeded"},
        [ADMISSION_BUDGET] = {429, "insufficient_quota"},
        [ADMISSION_TOO_LARGE] = {400, "request_exceeds_limit"},
    };
    const struct admission_refusal *refusal = &explanation->refusal;
    struct limit_words words;
    limit_words_refusal(refusal, &explanation->demand, explanation->levels.zones[refusal->level],
                        &words);
    refuse(explanation, answers[refusal->verdict].http_status, answers[refusal->verdict].code,
           words.text);
}

static void weigh(struct explanation *explanation, const struct hold_subject *subject)
{
    const struct config_budgets *budgets = &explanation->snapshot->config->budgets;
    explanation->demand = (struct admission_demand){
        .now_ns = clock_monotonic_ns(),
        .now_us = subject->time_us,
        .tokens = hold_expect_tokens(subject, budgets->expected_output_tokens),
    };
}

static void add_hold(struct explanation *explanation, const struct hold_subject *subject)
{
    if (!explanation->has_hold)
        return;
    hold_bound(subject, admission_affordable(&explanation->levels, subject->time_us),
               &explanation->hold);
    explanation->demand.cost_nanousd = explanation->hold.cost_nanousd;
}

static void refuse_unpriced(struct explanation *explanation)
{
    const struct config_budgets *budgets = &explanation->snapshot->config->budgets;
    if (explanation->has_hold && explanation->hold.is_unpriced &&
        budgets->unpriced == CONFIG_UNPRICED_REFUSE)
        refuse(explanation, 400, "price_unknown",
               "Nobody knows what the model costs, and a budget holds for this request.");
}

/* Tokens were guessed from the bytes; what would never fit is counted before it is refused. */
static void count_tokens(struct explanation *explanation, struct hold_subject *subject)
{
    if (explanation->refusal.limit.kind != LIMIT_TOKENS ||
        hold_count_input(subject, &subject->counted_input) != STATUS_OK)
        return;
    weigh(explanation, subject);
    add_hold(explanation, subject);
    (void)ask(explanation);
}

static void ask_with_hold(struct explanation *explanation, struct hold_subject *subject)
{
    if (ask(explanation) == ADMISSION_TOO_LARGE)
        count_tokens(explanation, subject);
    if (explanation->refusal.verdict != ADMISSION_ADMITTED)
        refuse_by_limit(explanation);
}

/* What refuses before anything is held; a request that is too large may yet be counted. Where a rate
 * refuses, a budget that would do so when it is over is told instead. */
static void ask_at_first(struct explanation *explanation, const struct hold_subject *subject)
{
    enum admission_verdict verdict = ask(explanation);
    if ((verdict == ADMISSION_RATE || verdict == ADMISSION_PARALLEL) && explanation->has_hold) {
        add_hold(explanation, subject);
        verdict = ask(explanation);
    }
    if (verdict == ADMISSION_TOO_LARGE)
        explanation->refusal.verdict = ADMISSION_ADMITTED;
    else if (verdict != ADMISSION_ADMITTED)
        refuse_by_limit(explanation);
}

static void ask_limits(struct explanation *explanation)
{
    struct hold_subject subject = subject_of(explanation);
    const struct snapshot *snapshot = explanation->snapshot;
    admit_levels(explanation->entry, snapshot,
                 (size_t)(explanation->rule - snapshot->config->rules.items),
                 (size_t)(explanation->provider - snapshot->providers), &explanation->levels);
    explanation->is_weighed = true;
    explanation->has_hold = admission_has_hard_budget(&explanation->levels);
    weigh(explanation, &subject);
    if (explanation->code == NULL)
        ask_at_first(explanation, &subject);
    add_hold(explanation, &subject);
    refuse_unpriced(explanation);
    if (explanation->code == NULL)
        ask_with_hold(explanation, &subject);
}

unsigned explain_request(struct operation *operation)
{
    struct body_member members[] = {
        {"key", NULL}, {"model", NULL}, {"route", NULL}, {"body", NULL}, {"address", NULL}};
    struct admin_context *context = operation->context;
    unsigned failed = operation_read_body(operation, members, sizeof(members) / sizeof(members[0]));
    if (failed != 0)
        return failed;
    if (context->map == NULL || context->snapshot == NULL)
        return operation_problem(operation, 503,
                                 "only a running server can tell where limits stand; start one");
    struct explanation explanation = {
        .operation = operation,
        .snapshot = context->snapshot,
        .json = {.depth_max = context->snapshot->config->transport.json_depth,
                 .members_max = MEMBERS_MAX},
    };
    failed = find_key(&explanation, &members[0]);
    if (failed == 0)
        failed = read_request(&explanation, members);
    if (failed == 0)
        choose_target(&explanation);
    if (failed == 0 && explanation.provider != NULL && explanation.openai.body.text.data != NULL)
        ask_limits(&explanation);
    if (failed == 0)
        failed = explanation_write(&explanation);
    pricing_fini(&explanation.pricing);
    return failed;
}
