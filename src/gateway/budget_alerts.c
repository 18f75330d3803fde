#include "gateway/budget_alerts.h"

#include <stdio.h>

#include "base/alloc.h"
#include "gateway/gateway.h"
#include "gateway/limit_words.h"
#include "gateway/request.h"
#include "models/price_decimal.h"

static struct slice name_of(const struct request *request, enum level_kind level,
                            char id_text[ID_TEXT_SIZE])
{
    switch (level) {
    case LEVEL_KEY:
        id_format(&request->key->id, id_text);
        return slice_of(id_text, ID_TEXT_SIZE);
    case LEVEL_USER:
        return identity_user_name(request->key->user);
    case LEVEL_TEAM: {
        const struct identity_team *team = identity_key_team(request->key);
        return team != NULL ? identity_team_name(team) : (struct slice){0};
    }
    case LEVEL_MODEL:
        return request->rule->name;
    case LEVEL_PROVIDER:
        return request->endpoint->provider->config->name;
    default:
        return (struct slice){0};
    }
}

static void say(const struct request *request, const struct admission_alert *alert,
                struct slice name)
{
    char limit[LIMIT_WORDS_LIMIT_BYTES], spent[PRICE_DECIMAL_TEXT_BYTES];
    const struct slice words = limit_words_limit(&alert->limit, limit);
    const unsigned size = price_decimal_format(alert->spent_nanousd, 9, spent);
    log_write(request->worker->log, LOG_LEVEL_WARN, "budget",
              "%s%s%.*s has spent %u%% of its budget of %.*s: %.*s USD",
              level_kind_name(alert->level_kind), name.size > 0 ? " " : "", SLICE_ARGS(name),
              alert->percent, SLICE_ARGS(words), (int)size, spent);
}

static void push(struct budget_alerts *alerts, struct budget_alert *alert)
{
    struct budget_alert *newest = atomic_load_explicit(&alerts->newest, memory_order_relaxed);
    do
        alert->next = newest;
    while (!atomic_compare_exchange_weak_explicit(&alerts->newest, &newest, alert,
                                                  memory_order_release, memory_order_relaxed));
}

/* Nothing waits where there is no memory for it: the log has it. */
static void keep(const struct request *request, const struct admission_alert *alert,
                 struct slice name)
{
    struct budget_alerts *alerts = &request->worker->gateway->alerts;
    struct budget_alert *kept = NULL;
    if (atomic_fetch_add(&alerts->waiting, 1) < BUDGET_ALERTS_MAX)
        kept = alloc_zeroed(1, sizeof(*kept));
    if (kept == NULL) {
        atomic_fetch_sub(&alerts->waiting, 1);
        return;
    }
    kept->level = alert->level_kind;
    kept->limit = alert->limit;
    kept->percent = alert->percent;
    kept->spent_nanousd = alert->spent_nanousd;
    kept->time_us = loop_realtime_us(request->worker->loop);
    (void)snprintf(kept->name, sizeof(kept->name), "%.*s", SLICE_ARGS(name));
    push(alerts, kept);
}

void budget_alerts_tell(void *context, const struct admission_alert *alert)
{
    const struct request *request = context;
    char id_text[ID_TEXT_SIZE];
    const struct slice name = name_of(request, alert->level_kind, id_text);
    metric_add(&request->worker->metrics->budget_alerts[alert->level_kind], 1);
    say(request, alert, name);
    keep(request, alert, name);
}

struct budget_alert *budget_alerts_take(struct budget_alerts *alerts)
{
    struct budget_alert *newest =
        atomic_exchange_explicit(&alerts->newest, NULL, memory_order_acquire);
    struct budget_alert *oldest = NULL;
    while (newest != NULL) {
        struct budget_alert *next = newest->next;
        newest->next = oldest;
        oldest = newest;
        newest = next;
        atomic_fetch_sub(&alerts->waiting, 1);
    }
    return oldest;
}

void budget_alert_free(struct budget_alert **alert)
{
    struct budget_alert *next = (*alert)->next;
    alloc_free(*alert);
    *alert = next;
}
