#include "gateway/account.h"

#include "base/clock.h"
#include "dialect/openai_stream.h"
#include "gateway/estimate.h"
#include "gateway/gateway.h"
#include "gateway/late_budgets.h"
#include "gateway/limits.h"
#include "gateway/pricing.h"
#include "gateway/request.h"
#include "gateway/unpriced.h"
#include "json/read.h"
#include "ledger/ledger.h"
#include "telemetry/utf8.h"

#define OPEN_RECORDS 2
#define OPEN_BYTES   (RECORD_OPENED_MAX + RECORD_CLOSED_MAX)

/* --- Admission ------------------------------------------------------------------------------------------- */

static enum status refuse_full(struct request *request)
{
    const struct config *config = request->calling->snapshot->config;
    struct worker *worker = request->worker;
    if (worker->journal == NULL)
        return STATUS_OK;
    if (config->ledger.when_full == CONFIG_WHEN_FULL_UNRECORDED) {
        if (!request->account.is_open) /* else it has its row already */
            metric_add(&worker->metrics->requests_unrecorded, 1);
        return STATUS_OK;
    }
    metric_add(&worker->metrics->requests_overload[METRICS_OVERLOAD_LEDGER], 1);
    return request_fail(request, ERROR_OVERLOADED, NULL,
                        "The gateway's ledger takes no more requests for now; try again shortly.");
}

static enum status reserve(struct request *request)
{
    struct worker *worker = request->worker;
    if (worker->journal == NULL)
        return STATUS_LIMITED;
    if (ledger_is_stalled(worker->gateway->ledger, loop_now_ms(worker->loop)))
        return STATUS_LIMITED;
    return journal_reserve(worker->journal, OPEN_RECORDS, OPEN_BYTES);
}

/* x-weir-metadata: a JSON object of at most 1 KiB. */
static enum status check_metadata(struct request *request, struct slice *metadata_out)
{
    const struct json_limits limits = limits_for_json(request->worker);
    struct json_value value;
    struct json_error error;
    *metadata_out = http_exchange_header(request->exchange, HTTP_HEADER_X_WEIR_METADATA);
    if (metadata_out->size == 0)
        return STATUS_OK;
    if (metadata_out->size > RECORD_METADATA_MAX)
        return request_fail(request, ERROR_INVALID_REQUEST, NULL,
                            "The header x-weir-metadata is longer than 1024 bytes.");
    if (json_check(*metadata_out, &limits, &value, &error) != STATUS_OK ||
        value.type != JSON_TYPE_OBJECT)
        return request_fail(request, ERROR_INVALID_REQUEST, NULL,
                            "The header x-weir-metadata must hold a JSON object.");
    return STATUS_OK;
}

static bool is_ascii(struct slice text)
{
    uint64_t all = 0;
    size_t at = 0;
    for (; text.size - at >= sizeof(all); at += sizeof(all)) {
        uint64_t word;
        memcpy(&word, text.data + at, sizeof(word));
        all |= word;
    }
    for (; at < text.size; at++)
        all |= (unsigned char)text.data[at];
    return (all & UINT64_C(0x8080808080808080)) == 0;
}

/* A name is UTF-8, for it stood in JSON or in the configuration; it is cut between characters. */
static struct slice cut(struct slice name)
{
    if (name.size <= RECORD_NAME_MAX)
        return name;
    return slice_of(name.data, utf8_whole_size(slice_of(name.data, RECORD_NAME_MAX)));
}

/* Clients and providers may send any bytes in a header; what is recorded is UTF-8. */
static struct slice clean(const struct request *request, struct slice text)
{
    text = cut(text);
    if (is_ascii(text))
        return text;
    struct slice copy = arena_copy(&request->exchange->arena, text);
    char *bytes = (char *)(uintptr_t)copy.data;
    for (size_t at = 0; at < copy.size;) {
        uint32_t code;
        const size_t size = utf8_next(copy, at, &code);
        if (code == UTF8_INVALID)
            memset(bytes + at, '?', size);
        at += size;
    }
    return copy;
}

static void fill_opened(const struct request *request, struct slice metadata,
                        struct record_opened *opened)
{
    *opened = (struct record_opened){
        .id = request->id,
        .time_us = request->account.time_us,
        .user_id = request->key->user->id,
        .key_id = request->key->id,
        .team_id = request->team_id,
        .route = slice_from_text(request->route->name),
        .model = cut(request->model),
        .provider = request->endpoint->provider->config->name,
        .target_model = cut(request->target_model),
        .client_request_id =
            clean(request, http_exchange_header(request->exchange, HTTP_HEADER_X_REQUEST_ID)),
        .metadata = metadata,
        .stream = request->stream,
    };
}

static const struct price *find_price(const struct request *request)
{
    return pricing_find(&request->worker->pricing, request->calling->snapshot,
                        request->endpoint->provider, request->target_model,
                        request->account.time_us);
}

static void write_opened(struct request *request, struct slice metadata,
                         const struct openai_usage *orphan)
{
    struct journal *journal = request->worker->journal;
    struct record_opened opened;
    fill_opened(request, metadata, &opened);
    pricing_bill(find_price(request), request->endpoint->provider, orphan, PRICE_STANDARD,
                 opened.time_us, &opened.orphan);
    opened.orphan.estimated = true;
    if (admit_has_held_cost(&request->admit))
        opened.orphan.cost_nanousd = (int64_t)request->admit.hold.cost_nanousd;
    const size_t size = record_write_opened(&opened, journal_room(journal, RECORD_OPENED_MAX));
    journal_append(journal, RECORD_OPENED, size);
    journal_unreserve(journal, 1, RECORD_OPENED_MAX);
}

enum status account_open(struct request *request)
{
    struct account *account = &request->account;
    struct worker *worker = request->worker;
    struct openai_usage orphan;
    struct slice metadata;
    account->time_us = loop_realtime_us(worker->loop);
    account->attempt_started_ns = loop_now_ns(worker->loop);
    if (check_metadata(request, &metadata) != STATUS_OK)
        return STATUS_DENIED;
    account->has_room = reserve(request) == STATUS_OK;
    if (!account->has_room && refuse_full(request) != STATUS_OK)
        return STATUS_DENIED;
    account->is_open = true;
    estimate_orphan(request, &orphan);
    if (account->has_room)
        write_opened(request, metadata, &orphan);
    return STATUS_OK;
}

enum status account_next_attempt(struct request *request, struct slice outcome, unsigned status)
{
    struct account *account = &request->account;
    struct worker *worker = request->worker;
    struct journal *journal = worker->journal;
    const uint64_t now_ns = loop_now_ns(worker->loop);
    const struct record_attempt attempt = {
        .id = request->id,
        .number = request->attempts,
        .time_us = account->time_us,
        .status = status,
        .outcome = outcome,
        .latency_us = (int64_t)((now_ns - account->attempt_started_ns) / 1000),
        .next_provider = request->endpoint->provider->config->name,
        .next_target_model = cut(request->target_model),
    };
    if (!account->has_room)
        return STATUS_OK;
    if (journal_reserve(journal, 1, RECORD_ATTEMPT_MAX) != STATUS_OK)
        return refuse_full(request);
    journal_append(journal, RECORD_ATTEMPT,
                   record_write_attempt(&attempt, journal_room(journal, RECORD_ATTEMPT_MAX)));
    journal_unreserve(journal, 1, RECORD_ATTEMPT_MAX);
    account->attempt_started_ns = now_ns;
    return STATUS_OK;
}

/* --- The bill ---------------------------------------------------------------------------------------------- */

/* What a hard budget held for is charged at the price that was held, where a count is weir's own; all
 * of the hold, where nobody knows the count or the price. */
static void charge_hold(const struct request *request, enum estimate_kind kind,
                        struct record_bill *bill)
{
    if (!admit_has_held_cost(&request->admit))
        return;
    if (kind == ESTIMATE_MADE) {
        bill->cost_nanousd = (int64_t)admit_held_cost(
            request, (uint64_t)bill->tokens[RECORD_TOKENS_INPUT],
            bill->tokens[RECORD_TOKENS_OUTPUT] > 0 ? (uint64_t)bill->tokens[RECORD_TOKENS_OUTPUT]
                                                   : 0);
    } else if (kind == ESTIMATE_HELD || bill->cost_nanousd == RECORD_UNKNOWN) {
        bill->cost_nanousd = (int64_t)request->admit.hold.cost_nanousd;
        bill->estimated = true;
    }
}

static void make_bill(struct request *request)
{
    struct account *account = &request->account;
    struct openai_usage usage = request->usage;
    char id[PRICING_ID_BYTES];
    estimate_finish(request);
    const enum estimate_kind kind = estimate_missing(request, &usage);
    pricing_bill(find_price(request), request->endpoint->provider, &usage, account->service_class,
                 account->time_us, &account->bill);
    account->bill.estimated |= kind != ESTIMATE_TOLD;
    account->is_unpriced = account->bill.cost_nanousd == RECORD_UNKNOWN;
    charge_hold(request, kind, &account->bill);
    if (!estimate_is_billed(request))
        account->bill.cost_nanousd = 0; /* not even the part per request */
    account->bill.price_id =            /* the price may go */
        arena_copy(&request->exchange->arena,
                   pricing_id(account->bill.price_id, account->service_class, id));
}

/* Nothing is said where the bill has no price because there was no memory for one. */
static void warn_unpriced(const struct request *request)
{
    const struct price *price = find_price(request);
    if (price != NULL && slice_starts_with(request->account.bill.price_id, price_id(price)))
        unpriced_warn(&request->calling->snapshot->unpriced, request->worker->log,
                      request->endpoint->provider->config->name, request->target_model, price);
}

static void count_bill(const struct request *request)
{
    const struct record_bill *bill = &request->account.bill;
    struct metrics_target *metrics = &request->worker->metrics->targets[request->metrics_target];
    _Static_assert(sizeof(metrics->tokens) / sizeof(metrics->tokens[0]) == RECORD_TOKENS_COUNT,
                   "the same kinds of tokens");
    for (size_t i = 0; i < RECORD_TOKENS_COUNT; i++) {
        if (bill->tokens[i] > 0)
            metric_add(&metrics->tokens[i], (uint64_t)bill->tokens[i]);
    }
    metric_add(&metrics->requests, 1);
    metric_add(&metrics->estimated, bill->estimated);
    if (bill->cost_nanousd > 0)
        metric_add(&metrics->cost_nanousd, (uint64_t)bill->cost_nanousd);
    metric_add(&metrics->unpriced, bill->cost_nanousd == RECORD_UNKNOWN);
    if (request->account.is_unpriced && estimate_is_billed(request))
        warn_unpriced(request);
}

static bool is_answered(const struct request *request, unsigned status)
{
    return status >= 200 && status < 300 && request->error.kind == ERROR_NONE &&
           request->outcome == OUTCOME_COMPLETED;
}

static void write_closed(struct request *request, unsigned status)
{
    const struct account *account = &request->account;
    const struct http_exchange *exchange = request->exchange;
    struct journal *journal = request->worker->journal;
    char context[FIT_TEXT_BYTES];
    const uint64_t now_ns = clock_monotonic_ns();
    /* An answer whose first byte is its last goes out right after this. */
    const uint64_t first_byte_ns = exchange->first_byte_ns > 0 ? exchange->first_byte_ns : now_ns;
    const struct record_closed closed = {
        .id = request->id,
        .bill = account->bill,
        .status = status,
        .outcome = slice_from_text(outcome_name(request->outcome)),
        .answered = is_answered(request, status),
        .attempts = request->attempts,
        .last_status = request->upstream_status,
        .last_outcome = slice_from_text(outcome_name(request->outcome)),
        .latency_us = (int64_t)((now_ns - exchange->started_ns) / 1000),
        .first_byte_us =
            status > 0 ? (int64_t)((first_byte_ns - exchange->started_ns) / 1000) : RECORD_UNKNOWN,
        .last_latency_us = (int64_t)((now_ns - account->attempt_started_ns) / 1000),
        .context = fit_describe(&request->fit, context),
        .provider_request_id = clean(request, request->upstream_request_id),
    };
    journal_append(journal, RECORD_CLOSED,
                   record_write_closed(&closed, journal_room(journal, RECORD_CLOSED_MAX)));
    journal_unreserve(journal, 1, RECORD_CLOSED_MAX);
}

void account_close(struct request *request, unsigned status)
{
    struct account *account = &request->account;
    if (!account->is_open)
        return;
    account->is_open = false;
    account->is_closed = true;
    make_bill(request);
    count_bill(request);
    if (account->has_room)
        write_closed(request, status);
    account->has_room = false;
    late_budgets_settle(request,
                        account->bill.cost_nanousd > 0 ? (uint64_t)account->bill.cost_nanousd : 0);
    admit_settle(request);
}

void account_relayed(struct account *account, struct slice events)
{
    const size_t size = events.size < ACCOUNT_SAMPLE_BYTES ? events.size : ACCOUNT_SAMPLE_BYTES;
    account->relayed_bytes += events.size;
    if (account->is_followed)
        estimate_relayed(account, events);
    else if (account->is_watched)
        account->events += openai_stream_events(events);
    account->runs++;
    if ((account->runs & (account->runs - 1)) != 0)
        return; /* the first, second, fourth … run is enough, and costs little */
    account->sample_bytes = size;
    memcpy(account->sample, events.data + events.size - size, size);
    estimate_sampled(account, events);
}

void account_note_service(struct account *account, struct slice service_tier)
{
    if (price_class_find(service_tier, &account->service_class) != STATUS_OK)
        account->service_class = PRICE_STANDARD;
}

/* --- Refusals ------------------------------------------------------------------------------------------------ */

void account_refuse(struct request *request, struct slice reason)
{
    struct worker *worker = request->worker;
    struct journal *journal = worker->journal;
    if (request->key == NULL || journal == NULL ||
        journal_reserve(journal, 1, RECORD_REFUSED_MAX) != STATUS_OK)
        return;
    const struct record_refused refused = {
        .time_us = loop_realtime_us(worker->loop),
        .user_id = request->key->user->id,
        .key_id = request->key->id,
        .team_id = request->team_id,
        .reason = reason,
    };
    journal_append(journal, RECORD_REFUSED,
                   record_write_refused(&refused, journal_room(journal, RECORD_REFUSED_MAX)));
    journal_unreserve(journal, 1, RECORD_REFUSED_MAX);
}
