#include "admin/explain.h"

#include "admin/limit_state.h"
#include "admin/member_writer.h"
#include "admin/operation.h"
#include "admin/operations.h"
#include "base/alloc.h"
#include "base/clock.h"
#include "gateway/admit.h"
#include "gateway/limit_words.h"
#include "gateway/pricing.h"
#include "gateway/route.h"
#include "identity/access.h"
#include "json/read.h"
#include "models/price_decimal.h"

#define MEMBERS_MAX    1024
#define NANOUSD_DIGITS 9

/* What is found out, in the order of a request's steps. */
struct explanation {
    struct operation *operation;
    const struct snapshot *snapshot;
    struct store_key key;
    const struct identity_key *entry;
    struct openai_request openai;
    struct slice model;
    const struct rule *rule;
    const struct provider *provider;
    struct slice target_model;
    struct pricing pricing;
    struct json_limits json;
    struct admission_levels levels;
    struct admission_demand demand;
    struct hold hold;
    bool has_hold;
    /* The outcome. */
    unsigned http_status;
    const char *code;
    struct limit_words words;
};

static void refuse(struct explanation *explanation, unsigned http_status, const char *code,
                   const char *words)
{
    explanation->http_status = http_status;
    explanation->code = code;
    (void)snprintf(explanation->words.text, sizeof(explanation->words.text), "%s", words);
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

static void *body_alloc(void *arena, size_t size)
{
    return arena_alloc(arena, size);
}

static void *body_resize(void *arena, void *memory, size_t old_size, size_t size)
{
    void *larger = arena_alloc(arena, size);
    if (larger != NULL)
        memcpy(larger, memory, old_size < size ? old_size : size);
    return larger;
}

/* The arena goes as a whole. */
static void body_free(void *arena, void *memory)
{
    (void)arena;
    (void)memory;
}

static unsigned copy_body(struct operation *operation, yyjson_val *given, struct slice *text_out)
{
    const yyjson_alc memory = {body_alloc, body_resize, body_free, operation->arena};
    size_t size = 0;
    char *text = yyjson_val_write_opts(given, 0, &memory, &size, NULL);
    *text_out = slice_of(text, size);
    return text != NULL ? 0 : operation_problem(operation, 503, "out of memory");
}

/* The body as text in the arena. Returns 0 or the problem's status. */
static unsigned body_of(struct operation *operation, yyjson_val *given, struct slice model,
                        struct slice *text_out)
{
    struct buffer text;
    unsigned failed = 0;
    if (given != NULL && !yyjson_is_obj(given))
        return operation_problem(operation, 400, "body is an object: what the client would send");
    if (given != NULL)
        return copy_body(operation, given, text_out);
    buffer_init(&text, ADMIN_BODY_BYTES_MAX);
    buffer_append(&text, SLICE("{\"model\":"));
    json_append_string(&text, model);
    buffer_append(&text, SLICE(",\"messages\":[{\"role\":\"user\",\"content\":\"\"}]}"));
    *text_out = arena_copy(operation->arena, buffer_slice(&text));
    if (buffer_status(&text) != STATUS_OK || text_out->data == NULL)
        failed = operation_problem(operation, 503, "out of memory");
    buffer_fini(&text);
    return failed;
}

static unsigned read_request(struct explanation *explanation, const struct body_member *members)
{
    struct operation *operation = explanation->operation;
    const struct slice given_model = body_text(&members[1]);
    struct slice path = body_text(&members[2]);
    struct openai_error error;
    struct slice text;
    bool is_known;
    if (path.data == NULL)
        path = SLICE("/v1/chat/completions");
    const enum openai_route route = route_of(path, &is_known);
    if (!is_known)
        return operation_problem(operation, 400,
                                 "route is one that calls a model, such as "
                                 "/v1/chat/completions");
    if (given_model.data == NULL && members[3].value == NULL)
        return operation_problem(operation, 400, "model is missing: the name that a client uses");
    const unsigned failed = body_of(operation, members[3].value, given_model, &text);
    if (failed != 0)
        return failed;
    const enum status status = openai_request_read(route, text, &explanation->json,
                                                   operation->arena, &explanation->openai, &error);
    if (status == STATUS_INVALID)
        refuse(explanation, 400, error.code_text, error.message);
    else if (status != STATUS_OK)
        return operation_problem(operation, 503, "out of memory");
    explanation->model = given_model.data != NULL ? given_model : explanation->openai.model;
    if (!identity_allows_route(explanation->entry, path) && explanation->code == NULL)
        refuse(explanation, 403, "not_allowed", "This key may not use this route.");
    return 0;
}

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

/* --- The target, the limits and the hold --------------------------------------------------------------------- */

static void choose_target(struct explanation *explanation)
{
    const struct config *config = explanation->snapshot->config;
    explanation->rule = rules_match(&config->rules, explanation->model);
    if (explanation->rule == NULL ||
        !identity_allows_model(explanation->entry, explanation->model)) {
        if (explanation->code == NULL)
            refuse(explanation, 404, "model_not_found",
                   explanation->rule == NULL ? "No rule of the configuration serves this model."
                                             : "This key may not use the model.");
        return;
    }
    const struct rule_target *target = &explanation->rule->targets[0];
    explanation->provider = &explanation->snapshot->providers[target->provider];
    explanation->target_model = target->model.data != NULL ? target->model : explanation->model;
}

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

static void weigh(struct explanation *explanation)
{
    const struct config_budgets *budgets = &explanation->snapshot->config->budgets;
    const struct hold_subject subject = subject_of(explanation);
    const struct snapshot *snapshot = explanation->snapshot;
    admit_levels(explanation->entry, snapshot,
                 (size_t)(explanation->rule - snapshot->config->rules.items),
                 (size_t)(explanation->provider - snapshot->providers), &explanation->levels);
    const bool is_hard = admission_has_hard_budget(&explanation->levels);
    hold_bound(&subject,
               is_hard ? admission_affordable(&explanation->levels, subject.time_us) : UINT64_MAX,
               &explanation->hold);
    explanation->has_hold = true;
    explanation->demand = (struct admission_demand){
        .now_ns = clock_monotonic_ns(),
        .now_us = subject.time_us,
        .tokens = hold_expect_tokens(&subject, budgets->expected_output_tokens),
        .cost_nanousd = explanation->hold.cost_nanousd,
    };
    if (explanation->hold.is_unpriced && is_hard && budgets->unpriced == CONFIG_UNPRICED_REFUSE &&
        explanation->code == NULL)
        refuse(explanation, 400, "price_unknown",
               "Nobody knows what the model costs, and a budget holds for this request.");
}

static void ask_limits(struct explanation *explanation)
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
    struct admission_refusal refusal;
    const enum admission_verdict verdict =
        admission_check(&explanation->levels, &explanation->demand, &refusal);
    if (verdict == ADMISSION_ADMITTED || explanation->code != NULL)
        return;
    explanation->http_status = answers[verdict].http_status;
    explanation->code = answers[verdict].code;
    limit_words_refusal(&refusal, &explanation->demand, explanation->levels.zones[refusal.level],
                        &explanation->words);
}

/* --- The answer -------------------------------------------------------------------------------------------------- */

static void write_money(struct json_writer *writer, const struct hold *hold)
{
    char text[PRICE_DECIMAL_TEXT_BYTES];
    const unsigned size = price_decimal_format(hold->cost_nanousd, NANOUSD_DIGITS, text);
    member_write_text(writer, SLICE("cost"),
                      hold->is_unpriced ? (struct slice){0} : slice_of(text, size));
    json_write_key(writer, SLICE("cost_nanousd"));
    if (hold->is_unpriced)
        json_write_null(writer);
    else
        json_write_u64(writer, hold->cost_nanousd);
}

static void write_hold(struct json_writer *writer, const struct explanation *explanation)
{
    static const char *const inputs[] = {
        [HOLD_INPUT_BYTES] = "bytes",
        [HOLD_INPUT_COUNTED] = "counted",
        [HOLD_INPUT_WINDOW] = "window",
    };
    static const char *const outputs[] = {
        [HOLD_OUTPUT_NONE] = "none",
        [HOLD_OUTPUT_REQUEST] = "request",
        [HOLD_OUTPUT_MODEL] = "model",
        [HOLD_OUTPUT_WRITTEN] = "written",
    };
    const struct hold *hold = &explanation->hold;
    json_write_key(writer, SLICE("hold"));
    json_write_object(writer);
    member_write_bool(writer, SLICE("is_held"), admission_has_budget(&explanation->levels));
    write_money(writer, hold);
    member_write_number(writer, SLICE("input_tokens"), hold->input_tokens);
    member_write_text(writer, SLICE("input_by"), slice_from_text(inputs[hold->input]));
    member_write_number(writer, SLICE("output_tokens"), hold->output_tokens);
    member_write_text(writer, SLICE("output_by"), slice_from_text(outputs[hold->output]));
    member_write_number(writer, SLICE("choices"), hold->choices);
    json_write_key(writer, SLICE("max_output_written"));
    if (hold->written_output > 0)
        json_write_u64(writer, hold->written_output);
    else
        json_write_null(writer);
    json_write_end(writer);
    member_write_number(writer, SLICE("tokens_taken"), explanation->demand.tokens);
}

static void write_targets(struct json_writer *writer, struct explanation *explanation)
{
    const struct rule *rule = explanation->provider != NULL ? explanation->rule : NULL;
    json_write_key(writer, SLICE("targets"));
    json_write_array(writer);
    for (size_t i = 0; rule != NULL && i < rule->target_count; i++) {
        const struct rule_target *target = &rule->targets[i];
        const struct provider *provider = &explanation->snapshot->providers[target->provider];
        const struct slice model = target->model.data != NULL ? target->model : explanation->model;
        const struct price *price = pricing_find(&explanation->pricing, explanation->snapshot,
                                                 provider, model, explanation->operation->now_us);
        json_write_object(writer);
        member_write_text(writer, SLICE("provider"), provider->config->name);
        member_write_text(writer, SLICE("model"), model);
        member_write_filled(writer, SLICE("price_id"),
                            price != NULL ? price_id(price) : (struct slice){0});
        json_write_end(writer);
    }
    json_write_end(writer);
}

static struct limit_owner owner_of(const struct explanation *explanation, enum level_kind kind)
{
    struct limit_owner owner = {.kind = kind,
                                .level = explanation->levels.of[kind],
                                .zone = explanation->levels.zones[kind]};
    const struct identity_team *team = identity_key_team(explanation->entry);
    if (kind == LEVEL_KEY) {
        owner.id = &explanation->entry->id;
        owner.name = explanation->key.name;
    } else if (kind == LEVEL_USER) {
        owner.id = &explanation->entry->user->id;
        owner.name = identity_user_name(explanation->entry->user);
    } else if (kind == LEVEL_TEAM && team != NULL) {
        owner.id = &team->id;
        owner.name = identity_team_name(team);
    } else if (kind == LEVEL_MODEL) {
        owner.name = explanation->rule->name;
    } else if (kind == LEVEL_PROVIDER) {
        owner.name = explanation->provider->config->name;
    }
    return owner;
}

static void write_limits(struct json_writer *writer, const struct explanation *explanation,
                         bool are_budgets)
{
    const struct limit_moment moment = {explanation->demand.now_ns, explanation->demand.now_us};
    json_write_key(writer, are_budgets ? SLICE("budgets") : SLICE("limits"));
    json_write_array(writer);
    for (int kind = 0; kind < LEVEL_KIND_COUNT && explanation->has_hold; kind++) {
        const struct limit_owner owner = owner_of(explanation, (enum level_kind)kind);
        limit_state_write(writer, &owner, &moment, are_budgets);
    }
    json_write_end(writer);
}

static unsigned write_answer(struct explanation *explanation)
{
    struct operation *operation = explanation->operation;
    const struct identity_team *team = identity_key_team(explanation->entry);
    struct json_writer writer;
    json_writer_init(&writer, operation->answer);
    json_write_object(&writer);
    member_write_bool(&writer, SLICE("admitted"), explanation->code == NULL);
    member_write_number(&writer, SLICE("status"),
                        explanation->code == NULL ? 200 : explanation->http_status);
    member_write_text(&writer, SLICE("code"),
                      explanation->code != NULL ? slice_from_text(explanation->code)
                                                : (struct slice){0});
    member_write_text(&writer, SLICE("message"),
                      explanation->code != NULL ? slice_from_text(explanation->words.text)
                                                : (struct slice){0});
    member_write_id(&writer, SLICE("key_id"), &explanation->entry->id);
    member_write_text(&writer, SLICE("user"), identity_user_name(explanation->entry->user));
    member_write_text(&writer, SLICE("team"),
                      team != NULL ? identity_team_name(team) : (struct slice){0});
    member_write_text(&writer, SLICE("model"), explanation->model);
    member_write_text(&writer, SLICE("rule"),
                      explanation->rule != NULL ? explanation->rule->name : (struct slice){0});
    write_targets(&writer, explanation);
    if (explanation->has_hold)
        write_hold(&writer, explanation);
    write_limits(&writer, explanation, false);
    write_limits(&writer, explanation, true);
    json_write_end(&writer);
    return 200;
}

unsigned explain_request(struct operation *operation)
{
    struct body_member members[] = {
        {"key", NULL}, {"model", NULL}, {"route", NULL}, {"body", NULL}};
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
    if (failed == 0 && explanation.provider != NULL && explanation.openai.body.text.data != NULL) {
        weigh(&explanation);
        ask_limits(&explanation);
    }
    if (failed == 0)
        failed = write_answer(&explanation);
    pricing_fini(&explanation.pricing);
    return failed;
}
