#include "gateway/admit.h"

#include <stdio.h>

#include "base/clock.h"
#include "gateway/budget_alerts.h"
#include "gateway/estimate.h"
#include "gateway/gateway.h"
#include "gateway/late_budgets.h"
#include "gateway/limits.h"
#include "gateway/limit_words.h"
#include "gateway/request.h"
#include "http/answer.h"
#include "identity/access.h"

/* Two requests may find the same money and one of them takes it: then the other looks again. One try
 * more comes before all these. */
#define TRIES_MAX 3

/* Of a stream: the bytes of a token, if all of them were text; the least from look to look. */
#define BYTES_PER_TOKEN  UINT64_C(4)
#define COVER_STEP_BYTES 512
#define EXTEND_TOKENS    256
#define EXTEND_TRIES     4

#define KEPT_BODY_BYTES  ((size_t)32 * 1024) /* that may be counted without giving way */

/* --- Levels ---------------------------------------------------------------------------------------------- */

void admit_levels(const struct identity_key *key, const struct snapshot *snapshot, size_t rule,
                  size_t provider, struct admission_levels *levels_out)
{
    const struct identity_team *team = identity_key_team(key);
    const struct zone *zone = team != NULL ? identity_team_zone(team) : NULL;
    *levels_out = (struct admission_levels){0};
    levels_out->of[LEVEL_KEY] = identity_rules_level(key->rules);
    levels_out->of[LEVEL_USER] = identity_rules_level(identity_key_user_rules(key));
    if (team != NULL)
        levels_out->of[LEVEL_TEAM] = identity_rules_level(identity_team_rules(team));
    for (int kind = LEVEL_KEY; kind <= LEVEL_TEAM; kind++)
        levels_out->zones[kind] = zone;
    if (snapshot->levels.rules == NULL)
        return;
    levels_out->of[LEVEL_MODEL] = snapshot->levels.rules[rule];
    levels_out->of[LEVEL_PROVIDER] = snapshot->levels.providers[provider];
    levels_out->of[LEVEL_GATEWAY] = snapshot->levels.gateway;
}

static void collect(const struct request *request, struct admission_levels *levels)
{
    const struct snapshot *snapshot = request->calling->snapshot;
    const struct provider *provider = request->endpoint->provider;
    admit_levels(request->key, snapshot, (size_t)(request->rule - snapshot->config->rules.items),
                 (size_t)(provider - snapshot->providers), levels);
}

static bool have_limits(const struct admission_levels *levels)
{
    for (int kind = 0; kind < LEVEL_KIND_COUNT; kind++) {
        if (levels->of[kind] != NULL)
            return true;
    }
    return false;
}

static void note_rates(const struct admission_levels *levels, uint64_t now_ns,
                       struct admit_rates *rates)
{
    rates->has_requests = admission_nearest(levels, LIMIT_REQUESTS, now_ns, &rates->requests);
    rates->has_tokens = admission_nearest(levels, LIMIT_TOKENS, now_ns, &rates->tokens);
}

/* --- Refusals ------------------------------------------------------------------------------------------------ */

static enum status refuse_unpriced(struct request *request)
{
    account_refuse(request, SLICE("price_unknown"));
    return request_fail(request, ERROR_PRICE_UNKNOWN, "model",
                        "Nobody knows what the model `%.*s` costs, and a budget holds for this "
                        "request. Set its price, or allow it with `budgets.unpriced: allow`.",
                        (int)(request->model.size < 128 ? request->model.size : 128),
                        request->model.data);
}

static enum status refuse(struct request *request, const struct admission_levels *levels,
                          const struct admission_demand *demand,
                          const struct admission_refusal *refusal)
{
    static const struct slice reasons[] = {
        [ADMISSION_RATE] = {"rate_limit", 10},
        [ADMISSION_PARALLEL] = {"parallel_limit", 14},
        [ADMISSION_BUDGET] = {"budget", 6},
        [ADMISSION_TOO_LARGE] = {"request_exceeds_limit", 21},
    };
    static const enum error_kind kinds[] = {
        [ADMISSION_RATE] = ERROR_RATE_LIMIT,
        [ADMISSION_PARALLEL] = ERROR_RATE_LIMIT,
        [ADMISSION_BUDGET] = ERROR_BUDGET,
        [ADMISSION_TOO_LARGE] = ERROR_EXCEEDS_LIMIT,
    };
    struct limit_words words;
    const struct zone *zone = levels->zones[refusal->level];
    limit_words_refusal(refusal, demand, zone, &words);
    note_rates(levels, demand->now_ns, &request->admit.rates);
    request->admit.retry_after_ns = refusal->retry_after_ns;
    metric_add(&request->worker->metrics->requests_limited[refusal->level], 1);
    account_refuse(request, reasons[refusal->verdict]);
    return request_fail(request, kinds[refusal->verdict], NULL, "%s", words.text);
}

/* --- Taking ------------------------------------------------------------------------------------------------- */

static struct hold_subject subject_of(const struct request *request, const struct json_limits *json)
{
    return (struct hold_subject){
        .snapshot = request->calling->snapshot,
        .provider = request->endpoint->provider,
        .rule = request->rule,
        .target_model = request->target_model,
        .openai = &request->openai,
        .pricing = &request->worker->pricing,
        .json = json,
        .time_us = loop_realtime_us(request->worker->loop),
        .counted_input = request->fit.is_counted ? request->fit.input_tokens : UINT64_MAX,
    };
}

static struct admission_demand demand_of(const struct request *request,
                                         const struct hold_subject *subject)
{
    const struct config_budgets *budgets = &subject->snapshot->config->budgets;
    return (struct admission_demand){
        .now_ns = loop_now_ns(request->worker->loop),
        .now_us = loop_realtime_us(request->worker->loop),
        .tokens = hold_expect_tokens(subject, budgets->expected_output_tokens),
    };
}

/* What is left of the budgets. */
static uint64_t affordable(const struct request *request, uint64_t time_us)
{
    struct admission_levels levels;
    collect(request, &levels);
    return admission_affordable(&levels, time_us);
}

/* A rate refuses. Who waits as it says is not to be refused by a budget then, which is told instead. */
static enum admission_verdict look_at_budgets(struct request *request, struct hold_subject *subject,
                                              struct admission_levels *levels,
                                              struct admission_demand *demand,
                                              struct admission_refusal *refusal)
{
    struct hold hold;
    hold_bound(subject, affordable(request, subject->time_us), &hold);
    demand->cost_nanousd = hold.is_unpriced ? 0 : hold.cost_nanousd;
    collect(request, levels); /* counting may have given way to others */
    return admission_check(levels, demand, refusal);
}

enum status admit_check(struct request *request)
{
    const struct json_limits json = limits_for_json(request->worker);
    struct admission_levels levels;
    struct admission_refusal refusal;
    late_budgets_note(request);
    collect(request, &levels);
    request->admit.has_limits = have_limits(&levels);
    if (!request->admit.has_limits)
        return STATUS_OK;
    struct hold_subject subject = subject_of(request, &json);
    struct admission_demand demand = demand_of(request, &subject);
    enum admission_verdict verdict = admission_check(&levels, &demand, &refusal);
    if ((verdict == ADMISSION_RATE || verdict == ADMISSION_PARALLEL) &&
        admission_has_hard_budget(&levels))
        verdict = look_at_budgets(request, &subject, &levels, &demand, &refusal);
    if (verdict == ADMISSION_ADMITTED || verdict == ADMISSION_TOO_LARGE) /* it may yet be counted */
        return STATUS_OK;
    return refuse(request, &levels, &demand, &refusal);
}

/* Tokens were guessed from the bytes; what would never fit is counted before it is refused. */
static bool count_tokens(struct hold_subject *subject, const struct admission_refusal *refusal)
{
    if (refusal->verdict != ADMISSION_TOO_LARGE || refusal->limit.kind != LIMIT_TOKENS ||
        subject->counted_input != UINT64_MAX)
        return false;
    return hold_count_input(subject, &subject->counted_input) == STATUS_OK;
}

/* How far what is held goes: three quarters of that. */
static void cover(struct admit *admit, uint64_t relayed, uint64_t tokens)
{
    const uint64_t held = admit->hold.output_tokens;
    uint64_t step;
    admit->token_bytes = tokens > 0 ? relayed / tokens : BYTES_PER_TOKEN;
    admit->left_tokens = held > tokens ? (held - tokens) - (held - tokens) / 4 : 0;
    if (__builtin_mul_overflow(admit->left_tokens, BYTES_PER_TOKEN, &step))
        step = UINT64_MAX / 2;
    admit->covered_bytes = relayed + (step > COVER_STEP_BYTES ? step : COVER_STEP_BYTES);
}

/* `is_first`: whatever is left will do. Only if it does not, it is worth looking how much it is. */
static enum status take_once(struct request *request, struct hold_subject *subject, bool is_first,
                             struct admission_refusal *refusal)
{
    struct admit *admit = &request->admit;
    struct admission_levels levels;
    late_budgets_note(request);
    collect(request, &levels);
    admit->has_hold = admission_has_hard_budget(&levels); /* what only warns holds nothing */
    if (admit->has_hold) {
        hold_bound(subject, is_first ? UINT64_MAX : affordable(request, subject->time_us),
                   &admit->hold);
        collect(request, &levels); /* counting may have given way to others */
    }
    if (admit->has_hold && admit->hold.is_unpriced &&
        subject->snapshot->config->budgets.unpriced == CONFIG_UNPRICED_REFUSE)
        return refuse_unpriced(request);
    struct admission_demand demand = demand_of(request, subject);
    demand.cost_nanousd = admit->has_hold ? admit->hold.cost_nanousd : 0;
    admit->grant.takes = arena_alloc(&request->exchange->arena,
                                     admission_limit_count(&levels) * sizeof(*admit->grant.takes));
    if (admit->grant.takes == NULL)
        return request_fail(request, ERROR_INTERNAL, NULL, "Out of memory.");
    const enum admission_verdict verdict = admission_take(&levels, &demand, &admit->grant, refusal);
    admit->is_granted = verdict == ADMISSION_ADMITTED;
    if (admit->is_granted) {
        request->account.is_watched = admit->has_hold;
        admit->told_tokens = admit->hold.output_tokens;
        cover(admit, 0, 0);
        return STATUS_OK;
    }
    if (verdict == ADMISSION_BUDGET || verdict == ADMISSION_TOO_LARGE)
        return STATUS_AGAIN;
    return refuse(request, &levels, &demand, refusal);
}

/* The last word after tries that came to nothing. */
static enum status refuse_last(struct request *request, const struct hold_subject *subject,
                               const struct admission_refusal *refusal)
{
    struct admission_levels levels;
    struct admission_demand demand = demand_of(request, subject);
    collect(request, &levels);
    demand.cost_nanousd = request->admit.has_hold ? request->admit.hold.cost_nanousd : 0;
    return refuse(request, &levels, &demand, refusal);
}

enum status admit_take(struct request *request)
{
    const struct json_limits json = limits_for_json(request->worker);
    struct admission_refusal refusal = {.verdict = ADMISSION_ADMITTED};
    if (!request->admit.has_limits)
        return STATUS_OK;
    struct hold_subject subject = subject_of(request, &json);
    for (int i = 0; i <= TRIES_MAX; i++) {
        const enum status status = take_once(request, &subject, i == 0, &refusal);
        if (status != STATUS_AGAIN)
            return status;
        if (i == 0 && request->admit.has_hold)
            continue;
        const bool is_shrunk =
            request->admit.has_hold && request->admit.hold.output == HOLD_OUTPUT_WRITTEN;
        if (!count_tokens(&subject, &refusal) && !is_shrunk)
            break;
    }
    return refuse_last(request, &subject, &refusal);
}

/* --- While it streams -------------------------------------------------------------------------------------- */

static bool extend_by(struct request *request, uint64_t more_tokens)
{
    struct admit *admit = &request->admit;
    const struct json_limits json = limits_for_json(request->worker);
    const struct hold_subject subject = subject_of(request, &json);
    const uint64_t cost_nanousd = hold_more_output(&subject, &admit->hold, more_tokens);
    if (!admission_extend(&admit->grant, cost_nanousd))
        return false;
    admit->hold.output_tokens += more_tokens;
    admit->hold.cost_nanousd += cost_nanousd;
    return true;
}

/* By a good step, or as far as what is left of the budget goes. */
static bool extend(struct request *request, uint64_t tokens)
{
    const uint64_t beyond = tokens - request->admit.hold.output_tokens;
    uint64_t step = tokens / 4 > EXTEND_TOKENS ? tokens / 4 : EXTEND_TOKENS;
    for (int i = 0; i < EXTEND_TRIES; i++, step /= 4) {
        if (extend_by(request, beyond + step))
            return true;
    }
    return extend_by(request, beyond);
}

/* What a provider that keeps to the maximum may seem to have come to. */
static bool exceeds_told(const struct admit *admit, uint64_t tokens)
{
    const uint64_t told = admit->told_tokens;
    return tokens > told && tokens - told > told / 32 + 4;
}

/* Whether less is left of a budget than the request holds. */
static bool is_short(const struct request *request)
{
    return affordable(request, loop_realtime_us(request->worker->loop)) <
           request->admit.hold.cost_nanousd;
}

/* Up to where the hold goes if all is text, nothing is looked at. Where it may be ended for want of
 * money, all is looked at from half of the hold on. */
bool admit_covers(struct request *request)
{
    struct admit *admit = &request->admit;
    const uint64_t relayed = request->account.relayed_bytes;
    if (!admit_is_hard(admit) || relayed < admit->covered_bytes)
        return true;
    const uint64_t tokens = estimate_output_so_far(request);
    if (tokens > admit->hold.output_tokens && !extend(request, tokens) &&
        exceeds_told(admit, tokens)) {
        request_fail(request, ERROR_BUDGET, NULL,
                     "The answer has become longer than what is left of a budget covers.");
        return false;
    }
    if (!request->account.is_followed && tokens > admit->hold.output_tokens / 2 &&
        is_short(request))
        estimate_follow(request);
    cover(admit, relayed, tokens);
    return true;
}

size_t admit_covered(struct request *request, struct slice events)
{
    const struct admit *admit = &request->admit;
    const uint64_t left = admit->left_tokens;
    uint64_t likely;
    uint64_t tokens = UINT64_MAX;
    if (!admit_is_hard(admit) ||
        request->account.relayed_bytes + events.size <= admit->covered_bytes)
        return events.size;
    if (request->account.relayed_bytes == 0 ||
        __builtin_mul_overflow(left, admit->token_bytes, &likely) || likely > events.size)
        likely = events.size;
    while (likely > COVER_STEP_BYTES && tokens > left) {
        tokens = estimate_events_tokens(request, slice_of(events.data, likely));
        if (tokens > left) /* most events are alike, so this is near */
            likely = likely * left / tokens;
    }
    if (likely < COVER_STEP_BYTES)
        likely = events.size < COVER_STEP_BYTES ? events.size : COVER_STEP_BYTES;
    return (size_t)likely;
}

/* --- What is left -----------------------------------------------------------------------------------------*/

/* The levels of what was taken; a reference of each is held. */
static void levels_of_grant(const struct admission_grant *grant, struct admission_levels *levels)
{
    *levels = (struct admission_levels){0};
    for (size_t i = 0; i < grant->count; i++)
        levels->of[grant->takes[i].level_kind] = grant->takes[i].level;
}

static void note_granted_rates(struct request *request)
{
    struct admission_levels levels;
    levels_of_grant(&request->admit.grant, &levels);
    note_rates(&levels, loop_now_ns(request->worker->loop), &request->admit.rates);
}

/* --- Bills ---------------------------------------------------------------------------------------------------- */

bool admit_is_hard(const struct admit *admit)
{
    return admit->is_granted && admit->has_hold;
}

bool admit_has_held_cost(const struct admit *admit)
{
    return admit_is_hard(admit) && !admit->hold.is_unpriced;
}

/* As it was when the request was opened, without giving way to others. */
static struct hold_subject subject_of_bill(const struct request *request, struct json_limits *json)
{
    json->pause = NULL;
    struct hold_subject subject = subject_of(request, json);
    if (request->account.time_us > 0)
        subject.time_us = request->account.time_us;
    return subject;
}

uint64_t admit_held_cost(const struct request *request, uint64_t input_tokens,
                         uint64_t output_tokens)
{
    struct json_limits json = limits_for_json(request->worker);
    const struct hold_subject subject = subject_of_bill(request, &json);
    struct hold used = request->admit.hold;
    used.input_tokens = input_tokens;
    used.output_tokens = output_tokens;
    used.cost_nanousd = 0;
    return hold_more_output(&subject, &used, 0);
}

bool admit_count_input(const struct request *request, uint64_t *tokens_out)
{
    const struct admit *admit = &request->admit;
    struct json_limits json = limits_for_json(request->worker);
    const struct hold_subject subject = subject_of_bill(request, &json);
    if (admit->body_is_gone || admit->hold.input != HOLD_INPUT_BYTES)
        return false;
    *tokens_out = subject.counted_input;
    return *tokens_out != UINT64_MAX || hold_count_input(&subject, tokens_out) == STATUS_OK;
}

void admit_drop_body(struct request *request)
{
    struct admit *admit = &request->admit;
    if (admit_is_hard(admit) && request->body.bytes.size <= KEPT_BODY_BYTES)
        return;
    admit->body_is_gone = true;
    request_drop_body(request);
}

/* --- The end ------------------------------------------------------------------------------------------------- */

void admit_settle(struct request *request)
{
    struct admit *admit = &request->admit;
    const struct account *account = &request->account;
    const struct record_bill *bill = &account->bill;
    const struct config_budgets *budgets = &request->calling->snapshot->config->budgets;
    if (!admit->is_granted)
        return;
    struct admission_actual actual = {
        .now_ns = loop_now_ns(request->worker->loop),
        .is_void = !account->is_closed,
    };
    if (account->is_closed) {
        const int64_t input = bill->tokens[RECORD_TOKENS_INPUT];
        const int64_t output = bill->tokens[RECORD_TOKENS_OUTPUT];
        actual.tokens = (uint64_t)(input > 0 ? input : 0) + (uint64_t)(output > 0 ? output : 0);
        actual.cost_nanousd = bill->cost_nanousd > 0 ? (uint64_t)bill->cost_nanousd : 0;
    }
    const struct admission_alerts alerts = {
        .percents = budgets->alerts.items,
        .count = budgets->alerts.count,
        .on_alert = budget_alerts_tell,
        .context = request,
    };
    if (!request->exchange->head_is_sent)
        note_granted_rates(request);
    admission_settle(&admit->grant, &actual, &alerts);
    admit->is_granted = false;
}

/* --- Headers ------------------------------------------------------------------------------------------------- */

static void put_number(char text[48], size_t *size, uint64_t number, const char *unit)
{
    *size += http_write_number(number, text + *size);
    while (*unit != '\0')
        text[(*size)++] = *unit++;
}

/* "20ms", "1.5s", "6m0s", "1h0m0s": as Go writes durations, rounded up to a millisecond. (printf would
 * cost as much as taking from all limits.) */
static struct slice put_duration(uint64_t ns, char text[48])
{
    const uint64_t ms = (ns + NS_PER_MS - 1) / NS_PER_MS;
    const uint64_t s = ms / 1000;
    size_t size = 0;
    if (ms < 1000) {
        put_number(text, &size, ms, "ms");
        return slice_of(text, size);
    }
    if (s >= 3600)
        put_number(text, &size, s / 3600, "h");
    if (s >= 60)
        put_number(text, &size, s / 60 % 60, "m");
    put_number(text, &size, s % 60, "");
    if (s < 60 && ms % 1000 != 0) {
        put_number(text, &size, 1000 + ms % 1000, ""); /* three digits behind the point's place */
        text[size - 4] = '.';
    }
    text[size++] = 's';
    return slice_of(text, size);
}

static void add_rate(struct http_exchange *exchange, const struct admission_nearest *nearest,
                     const struct slice names[3])
{
    char text[48];
    http_answer_header_number(exchange, names[0], nearest->limit);
    http_answer_header_number(exchange, names[1], nearest->remaining);
    http_answer_checked(exchange, names[2], put_duration(nearest->reset_ns, text));
}

void admit_add_headers(struct request *request)
{
    static const struct slice requests[] = {{"x-ratelimit-limit-requests", 26},
                                            {"x-ratelimit-remaining-requests", 30},
                                            {"x-ratelimit-reset-requests", 26}};
    static const struct slice tokens[] = {{"x-ratelimit-limit-tokens", 24},
                                          {"x-ratelimit-remaining-tokens", 28},
                                          {"x-ratelimit-reset-tokens", 24}};
    struct admit *admit = &request->admit;
    if (!admit->has_limits)
        return;
    if (admit->is_granted)
        note_granted_rates(request);
    if (admit->rates.has_requests)
        add_rate(request->exchange, &admit->rates.requests, requests);
    if (admit->rates.has_tokens)
        add_rate(request->exchange, &admit->rates.tokens, tokens);
}
