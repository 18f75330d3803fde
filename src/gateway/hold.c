#include "gateway/hold.h"

#include "gateway/fit.h"
#include "models/chat_count.h"
#include "models/cost.h"

/* Of English text in o200k_base; other text and JSON's own signs make it less. */
#define BYTES_PER_TOKEN 4
/* How far a count by another model's encoding may be off is in docs/performance.md. */
#define ESTIMATE_MARGIN_PERCENT 30

static uint64_t larger(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* UINT64_MAX where it would be more. */
static uint64_t times(uint64_t a, uint64_t b)
{
    uint64_t product;
    return __builtin_mul_overflow(a, b, &product) ? UINT64_MAX : product;
}

static uint64_t plus(uint64_t a, uint64_t b)
{
    uint64_t sum;
    return __builtin_add_overflow(a, b, &sum) ? UINT64_MAX : sum;
}

static bool is_chat(const struct openai_request *openai)
{
    return openai->route == OPENAI_ROUTE_CHAT || openai->route == OPENAI_ROUTE_SIMPLE_CHAT;
}

static bool makes_text(const struct openai_request *openai)
{
    return openai->route != OPENAI_ROUTE_EMBEDDINGS && openai->route != OPENAI_ROUTE_MODERATIONS;
}

/* A completion answers each of several prompts. */
static uint64_t prompts_of(const struct openai_request *openai)
{
    const struct json_member *prompt = openai->members[OPENAI_MEMBER_PROMPT];
    const unsigned tokens = 1U << JSON_TYPE_NUMBER;
    if (prompt == NULL || prompt->value.type != JSON_TYPE_ARRAY || prompt->element_count == 0 ||
        (prompt->element_types & tokens) != 0)
        return 1;
    return prompt->element_count;
}

uint64_t hold_choices(const struct openai_request *openai)
{
    if (openai->route != OPENAI_ROUTE_COMPLETIONS)
        return openai->n;
    return times(larger(openai->n, openai->best_of), prompts_of(openai));
}

/* Some servers take a maximum of 0 for none. */
static bool states_maximum(const struct openai_request *openai)
{
    return openai->max_tokens != UINT64_MAX && openai->max_tokens > 0;
}

static const struct json_member *prompt_of(const struct openai_request *openai)
{
    const struct json_member *member = openai->members[OPENAI_MEMBER_MESSAGES];
    if (member == NULL)
        member = openai->members[OPENAI_MEMBER_PROMPT];
    return member != NULL ? member : openai->members[OPENAI_MEMBER_INPUT];
}

uint64_t hold_expect_tokens(const struct hold_subject *subject, uint64_t expected_output)
{
    const struct openai_request *openai = subject->openai;
    const struct json_member *prompt = prompt_of(openai);
    uint64_t input = subject->counted_input;
    if (input == UINT64_MAX)
        input = prompt != NULL ? prompt->value.raw.size / BYTES_PER_TOKEN : 0;
    if (!makes_text(openai))
        return input;
    const uint64_t output = states_maximum(openai) ? openai->max_tokens : expected_output;
    return plus(input, times(output, hold_choices(openai)));
}

/* --- What the model can do ---------------------------------------------------------------------------- */

struct model_bounds {
    uint64_t window, output; /* 0: not known */
};

static struct model_bounds bounds_of(const struct hold_subject *subject)
{
    const struct rule *rule = subject->rule;
    const struct catalogue_facts *facts =
        pricing_facts(subject->pricing, subject->snapshot, subject->provider, subject->target_model,
                      subject->time_us);
    struct model_bounds bounds = {rule->window_tokens, rule->max_output_tokens};
    if (facts != NULL && bounds.window == 0)
        bounds.window = larger(facts->context_window_tokens, facts->max_input_tokens);
    if (facts != NULL && bounds.output == 0)
        bounds.output = facts->max_output_tokens;
    return bounds;
}

/* --- What it costs ------------------------------------------------------------------------------------- */

/* Of what tokens may turn out to be, the kind with the highest rate; `usual` where none is higher. */
static enum price_part dearest(const struct price_rates *rates, enum price_part usual,
                               enum price_part other, enum price_part sound, bool has_sound)
{
    enum price_part found = usual;
    if (rates->of[other] != PRICE_UNKNOWN && rates->of[other] > rates->of[found])
        found = other;
    if (has_sound && rates->of[sound] != PRICE_UNKNOWN && rates->of[sound] > rates->of[found])
        found = sound;
    return found;
}

/* The most that the tokens can cost in this class, whatever kind they are of. False: not known. */
static bool raise_cost(const struct price *price, const struct hold_subject *subject,
                       const struct hold *hold, enum price_class service_class, uint64_t *cost)
{
    const struct price_situation situation = {service_class, hold->input_tokens, subject->time_us};
    struct price_rates rates;
    struct cost computed;
    price_rates_at(price, &situation, &rates);
    const bool may_hear = hold->survey.input == SURVEY_UNKNOWN;
    const enum price_part input =
        dearest(&rates, PRICE_INPUT, PRICE_CACHE_WRITE, PRICE_AUDIO_INPUT, may_hear);
    const enum price_part output =
        dearest(&rates, PRICE_OUTPUT, PRICE_REASONING, PRICE_AUDIO_OUTPUT, hold->survey.may_speak);
    const struct usage usage = {
        .input_tokens = hold->input_tokens,
        .cache_write_tokens = input == PRICE_CACHE_WRITE ? hold->input_tokens : 0,
        .audio_input_tokens = input == PRICE_AUDIO_INPUT ? hold->input_tokens : 0,
        .output_tokens = hold->output_tokens,
        .reasoning_tokens = output == PRICE_REASONING ? hold->output_tokens : 0,
        .audio_output_tokens = output == PRICE_AUDIO_OUTPUT ? hold->output_tokens : 0,
        .service_class = service_class,
        .pin = subject->provider->catalogue.pin,
        .time_us = subject->time_us,
    };
    const enum status status = cost_compute(price, &usage, &computed);
    if (status == STATUS_TOO_LARGE)
        *cost = INT64_MAX;
    else if (status == STATUS_OK)
        *cost = larger(*cost, (uint64_t)computed.nanousd);
    return status != STATUS_NOT_FOUND;
}

/* The most that the hold's tokens can cost. Who asks for another class may be answered in the standard
 * one. False: nobody knows. */
static bool cost_of(const struct hold_subject *subject, const struct hold *hold, uint64_t *cost_out)
{
    const struct price *price = pricing_find(subject->pricing, subject->snapshot, subject->provider,
                                             subject->target_model, subject->time_us);
    *cost_out = 0;
    if (price == NULL || !raise_cost(price, subject, hold, PRICE_STANDARD, cost_out))
        return false;
    for (unsigned i = PRICE_STANDARD + 1; hold->survey.classes >> i != 0; i++) {
        if ((hold->survey.classes >> i & 1) != 0)
            (void)raise_cost(price, subject, hold, (enum price_class)i, cost_out);
    }
    return true;
}

/* Leaves the hold unpriced where nobody knows. */
static void price_hold(const struct hold_subject *subject, struct hold *hold)
{
    hold->is_unpriced = !cost_of(subject, hold, &hold->cost_nanousd);
    if (hold->is_unpriced)
        hold->cost_nanousd = 0;
}

/* --- Input ------------------------------------------------------------------------------------------------ */

static bool is_estimate(const struct hold_subject *subject)
{
    const struct model_tokens *model = model_tokens_find(subject->target_model);
    return model->is_estimate || model->format.is_estimate;
}

static uint64_t bytes_bound(const struct hold_subject *subject)
{
    const struct openai_request *openai = subject->openai;
    const struct model_tokens *model = model_tokens_find(subject->target_model);
    return fit_bound(model, &openai->body, openai->message_count);
}

/* A count by another model's encoding may be too small. */
static uint64_t with_margin(uint64_t tokens, bool is_estimate)
{
    return is_estimate ? plus(tokens, tokens / 100 * ESTIMATE_MARGIN_PERCENT + 1) : tokens;
}

enum status hold_count_input(const struct hold_subject *subject, uint64_t *tokens_out)
{
    const struct openai_request *openai = subject->openai;
    const struct model_tokens *model = model_tokens_find(subject->target_model);
    const struct json_member *prompt = prompt_of(openai);
    struct input_count count = {0};
    enum status status = STATUS_OK;
    if (is_chat(openai))
        status = count_chat(model, &openai->body, subject->json, NULL, &count);
    else if (prompt != NULL)
        status = count_prompt(model, prompt->value, subject->json, &count);
    if (status != STATUS_OK)
        return status;
    if (count.is_unbounded)
        return STATUS_NOT_FOUND;
    *tokens_out = count.input_tokens;
    return STATUS_OK;
}

static void hold_window(const struct model_bounds *bounds, struct hold *hold)
{
    hold->input = HOLD_INPUT_WINDOW;
    hold->input_tokens = bounds->window > 0 ? bounds->window : HOLD_WINDOW_TOKENS;
}

/* Texts beside the prompt, such as a completion's suffix, may be put before the model too. */
static uint64_t bytes_beside_prompt(const struct openai_request *openai)
{
    const struct json_member *prompt = prompt_of(openai);
    uint64_t bytes = 0;
    for (size_t i = 0; i < openai->body.count; i++) {
        const struct json_member *member = &openai->body.members[i];
        if (member != prompt && member->value.type == JSON_TYPE_STRING)
            bytes += member->value.raw.size;
    }
    return bytes;
}

/* Some of the messages may have been dropped since: then it is counted already, but for what only the
 * larger count finds. */
static enum status count_chat_that_is_sent(const struct hold_subject *subject,
                                           const struct model_tokens *model,
                                           struct input_count *count)
{
    const struct json_object *body = &subject->openai->body;
    struct input_count all;
    enum status status = count_chat_most(model, body, subject->json, count);
    if (status != STATUS_OK || subject->counted_input == UINT64_MAX)
        return status;
    status = count_chat(model, body, subject->json, NULL, &all);
    count->input_tokens =
        plus(subject->counted_input,
             count->input_tokens > all.input_tokens ? count->input_tokens - all.input_tokens : 0);
    return status;
}

static enum status count_most(const struct hold_subject *subject, struct input_count *count)
{
    const struct openai_request *openai = subject->openai;
    const struct model_tokens *model = model_tokens_find(subject->target_model);
    const struct json_member *prompt = prompt_of(openai);
    if (is_chat(openai))
        return count_chat_that_is_sent(subject, model, count);
    *count = (struct input_count){0};
    return prompt != NULL ? count_prompt(model, prompt->value, subject->json, count) : STATUS_OK;
}

static void count_into(const struct hold_subject *subject, const struct model_bounds *bounds,
                       struct hold *hold)
{
    struct input_count count;
    const enum status status = count_most(subject, &count);
    if (status == STATUS_OK && !count.is_unbounded) {
        hold->input = HOLD_INPUT_COUNTED;
        hold->input_tokens = plus(with_margin(count.input_tokens, is_estimate(subject)),
                                  bytes_beside_prompt(subject->openai));
    } else if (status == STATUS_OK || hold->survey.input == SURVEY_PICTURES) {
        hold_window(bounds, hold);
    }
}

/* OpenRouter's API, "Web search": the results are put before the model. */
static bool searches_by_name(struct slice model)
{
    return slice_ends_with(model, SLICE(":online"));
}

static void bound_input(const struct hold_subject *subject, const struct model_bounds *bounds,
                        struct hold *hold)
{
    hold->input = HOLD_INPUT_BYTES;
    hold->input_tokens = bytes_bound(subject);
    if (hold->survey.input == SURVEY_UNKNOWN || searches_by_name(subject->target_model))
        hold_window(bounds, hold);
    else if (hold->survey.input == SURVEY_PICTURES)
        count_into(subject, bounds, hold);
}

/* --- Output ----------------------------------------------------------------------------------------------- */

/* Of all choices, with what is predicted of them: what the model does not take over of that is billed
 * beside its answer. */
static uint64_t output_of(const struct hold *hold, uint64_t each)
{
    return times(plus(each, hold->survey.predicted_bytes), hold->choices);
}

static void bound_output(const struct hold_subject *subject, const struct model_bounds *bounds,
                         struct hold *hold)
{
    const struct openai_request *openai = subject->openai;
    hold->choices = hold_choices(openai);
    hold->written_output = 0;
    if (!makes_text(openai)) {
        hold->output = HOLD_OUTPUT_NONE;
        hold->output_tokens = 0;
        return;
    }
    uint64_t each = openai->max_tokens;
    hold->output = HOLD_OUTPUT_REQUEST;
    if (!states_maximum(openai)) {
        hold->output = HOLD_OUTPUT_MODEL;
        each = bounds->output;
        if (each == 0 && bounds->window > 0)
            each = bounds->window;
        if (each == 0) {
            hold->output = HOLD_OUTPUT_WRITTEN;
            each = hold->written_output = HOLD_OUTPUT_TOKENS;
        }
    }
    hold->output_tokens = output_of(hold, larger(each, hold->survey.other_maximum));
}

/* The largest maximum of output, for each choice, whose hold is affordable; at least `least`. */
static void shrink(const struct hold_subject *subject, uint64_t affordable, uint64_t least,
                   struct hold *hold)
{
    const uint64_t predicted = hold->survey.predicted_bytes;
    const uint64_t each = hold->output_tokens / hold->choices;
    uint64_t low = least, high = each > predicted ? each - predicted : 0;
    struct hold tried = *hold;
    if (high <= least)
        return;
    while (low < high) {
        const uint64_t middle = high - (high - low) / 2;
        uint64_t cost;
        tried.output_tokens = output_of(hold, middle);
        if (cost_of(subject, &tried, &cost) && cost <= affordable)
            low = middle;
        else
            high = middle - 1;
    }
    hold->output = HOLD_OUTPUT_WRITTEN;
    hold->written_output = low;
    hold->output_tokens = output_of(hold, low);
}

void hold_bound(const struct hold_subject *subject, uint64_t affordable, struct hold *hold_out)
{
    const struct config_budgets *budgets = &subject->snapshot->config->budgets;
    const struct model_bounds bounds = bounds_of(subject);
    survey_request(subject->openai, subject->json, &hold_out->survey);
    bound_input(subject, &bounds, hold_out);
    bound_output(subject, &bounds, hold_out);
    price_hold(subject, hold_out);
    if (hold_out->is_unpriced || hold_out->cost_nanousd <= affordable)
        return;
    if (hold_out->input == HOLD_INPUT_BYTES) {
        count_into(subject, &bounds, hold_out);
        price_hold(subject, hold_out);
    }
    if (hold_out->cost_nanousd <= affordable || states_maximum(subject->openai) ||
        hold_out->survey.other_maximum > 0 || !makes_text(subject->openai) ||
        budgets->when_short == CONFIG_WHEN_SHORT_REFUSE)
        return;
    shrink(subject, affordable, budgets->min_output_tokens, hold_out);
    price_hold(subject, hold_out);
}

uint64_t hold_more_output(const struct hold_subject *subject, const struct hold *hold,
                          uint64_t more_tokens)
{
    uint64_t cost;
    struct hold longer = *hold;
    longer.output_tokens = plus(hold->output_tokens, more_tokens);
    if (!cost_of(subject, &longer, &cost))
        return 0;
    return cost > hold->cost_nanousd ? cost - hold->cost_nanousd : 0;
}
