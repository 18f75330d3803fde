#include "admin/explanation.h"

#include "admin/limit_state.h"
#include "admin/member_writer.h"
#include "base/assert.h"
#include "base/clock.h"
#include "identity/access.h"
#include "models/price_decimal.h"

#define NANOUSD_DIGITS 9

static struct slice text_or_null(const char *text)
{
    return text != NULL ? slice_from_text(text) : (struct slice){0};
}

/* --- Limits and budgets --------------------------------------------------------------------------- */

static struct limit_owner owner_of(const struct explanation *explanation, enum level_kind kind)
{
    struct limit_owner owner = {.kind = kind,
                                .level = explanation->levels.of[kind],
                                .zone = explanation->levels.zones[kind]};
    const struct identity_team *team = identity_key_team(explanation->entry);
    ASSERT(explanation->rule != NULL && explanation->provider != NULL); /* else it is not weighed */
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
    for (int kind = 0; kind < LEVEL_KIND_COUNT && explanation->is_weighed; kind++) {
        const struct limit_owner owner = owner_of(explanation, (enum level_kind)kind);
        limit_state_write(writer, &owner, &moment, are_budgets);
    }
    json_write_end(writer);
}

/* Which limit it is that refuses now, and in how long it would not; null: nobody knows, or never. */
static void write_refusal(struct json_writer *writer, const struct explanation *explanation)
{
    const struct admission_refusal *refusal = &explanation->refusal;
    const bool has_time =
        refusal->verdict != ADMISSION_TOO_LARGE && refusal->retry_after_ns != UINT64_MAX;
    char text[LIMIT_TEXT_BYTES];
    json_write_key(writer, SLICE("refused_by"));
    if (refusal->verdict == ADMISSION_ADMITTED) {
        json_write_null(writer);
        return;
    }
    const struct limit_owner owner = owner_of(explanation, refusal->level);
    json_write_object(writer);
    member_write_text(writer, SLICE("level"), slice_from_text(level_kind_name(refusal->level)));
    member_write_filled(writer, SLICE("name"), owner.name);
    member_write_text(writer, SLICE("limit"), slice_of(text, limit_format(&refusal->limit, text)));
    json_write_key(writer, SLICE("retry_after_ms"));
    if (has_time)
        json_write_u64(writer, (refusal->retry_after_ns + NS_PER_MS - 1) / NS_PER_MS);
    else
        json_write_null(writer);
    json_write_end(writer);
}

/* --- The hold ----------------------------------------------------------------------------------------- */

static void write_money(struct json_writer *writer, const struct hold *hold)
{
    char text[PRICE_DECIMAL_TEXT_BYTES];
    struct slice cost = {0};
    if (!hold->is_unpriced)
        cost = slice_of(text, price_decimal_format(hold->cost_nanousd, NANOUSD_DIGITS, text));
    member_write_text(writer, SLICE("cost"), cost);
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
    if (!explanation->has_hold) {
        json_write_null(writer);
        return;
    }
    json_write_object(writer);
    write_money(writer, hold);
    member_write_number(writer, SLICE("input_tokens"), hold->input_tokens);
    member_write_text(writer, SLICE("input_by"), slice_from_text(inputs[hold->input]));
    member_write_number(writer, SLICE("output_tokens"), hold->output_tokens);
    member_write_text(writer, SLICE("output_by"), slice_from_text(outputs[hold->output]));
    json_write_key(writer, SLICE("max_output_written"));
    if (hold->written_output > 0)
        json_write_u64(writer, hold->written_output);
    else
        json_write_null(writer);
    json_write_end(writer);
}

static void write_weighed(struct json_writer *writer, const struct explanation *explanation)
{
    member_write_number(writer, SLICE("choices"), hold_choices(&explanation->openai));
    member_write_number(writer, SLICE("tokens_taken"), explanation->demand.tokens);
    write_hold(writer, explanation);
}

/* --- Who, from where and what -------------------------------------------------------------------------- */

static void write_key(struct json_writer *writer, const struct explanation *explanation)
{
    const struct identity_team *team = identity_key_team(explanation->entry);
    member_write_id(writer, SLICE("key_id"), &explanation->entry->id);
    member_write_filled(writer, SLICE("key"), explanation->key.name);
    member_write_text(writer, SLICE("user"), identity_user_name(explanation->entry->user));
    member_write_text(writer, SLICE("team"),
                      team != NULL ? identity_team_name(team) : (struct slice){0});
}

static const char *network_of(const struct explanation *explanation)
{
    unsigned char address[16];
    if (!identity_has_networks(explanation->entry))
        return "any";
    if (explanation->address.data == NULL)
        return "not_asked";
    return cidr_parse_address(explanation->address, address) == STATUS_OK &&
                   identity_allows_address(explanation->entry, address)
               ? "allowed"
               : "refused";
}

/* Whether messages may be dropped so that the chat fits the model's window. Which ones, and whether that
 * suffices, is found out by sending it. */
static const char *context_of(const struct explanation *explanation)
{
    const enum openai_route route = explanation->openai.route;
    const bool is_simple = route == OPENAI_ROUTE_SIMPLE_CHAT;
    if (explanation->rule == NULL)
        return NULL;
    if (!is_simple && route != OPENAI_ROUTE_CHAT)
        return "pass";
    if (explanation->rule->context == RULE_CONTEXT_DEFAULT)
        return is_simple ? "not_asked" : "pass";
    return explanation->rule->context == RULE_CONTEXT_PASS ? "pass" : "not_asked";
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

static void write_outcome(struct json_writer *writer, const struct explanation *explanation)
{
    const bool is_refused = explanation->code != NULL;
    member_write_bool(writer, SLICE("admitted"), !is_refused);
    member_write_number(writer, SLICE("status"), is_refused ? explanation->http_status : 200);
    member_write_text(writer, SLICE("code"), text_or_null(explanation->code));
    member_write_text(writer, SLICE("message"),
                      text_or_null(is_refused ? explanation->words.text : NULL));
    write_refusal(writer, explanation);
}

unsigned explanation_write(struct explanation *explanation)
{
    struct json_writer writer;
    json_writer_init(&writer, explanation->operation->answer);
    json_write_object(&writer);
    write_outcome(&writer, explanation);
    write_key(&writer, explanation);
    member_write_text(&writer, SLICE("network"), slice_from_text(network_of(explanation)));
    member_write_text(&writer, SLICE("model"), explanation->model);
    member_write_text(&writer, SLICE("rule"),
                      explanation->rule != NULL ? explanation->rule->name : (struct slice){0});
    member_write_text(&writer, SLICE("context"), text_or_null(context_of(explanation)));
    write_targets(&writer, explanation);
    if (explanation->is_weighed)
        write_weighed(&writer, explanation);
    write_limits(&writer, explanation, false);
    write_limits(&writer, explanation, true);
    json_write_end(&writer);
    return 200;
}
