#include "gateway/stats.h"

#include "base/clock.h"
#include "gateway/gateway.h"
#include "gateway/request.h"
#include "json/write.h"
#include "models/price_decimal.h"
#include "store/store_usage.h"

#define PERIOD_DAYS    30
#define DAY_US         (UINT64_C(86400) * US_PER_S)
#define BODY_BYTES_MAX ((size_t)4 << 20)

/* Filled on the store's thread, while the request's task waits. */
struct stats {
    struct store *store;
    struct store_report report;
    struct json_writer writer;
    struct buffer body;
    uint64_t cost_nanousd, tokens, requests;
    enum status status;
    struct reason reason;
};

static void write_figures(struct stats *stats, uint64_t cost_nanousd, uint64_t tokens,
                          uint64_t requests)
{
    char text[PRICE_DECIMAL_TEXT_BYTES];
    const unsigned size = price_decimal_format(cost_nanousd, 9, text);
    json_write_key(&stats->writer, SLICE("total_cost"));
    json_write_raw(&stats->writer, slice_of(text, size));
    json_write_key(&stats->writer, SLICE("total_tokens"));
    json_write_u64(&stats->writer, tokens);
    json_write_key(&stats->writer, SLICE("request_count"));
    json_write_u64(&stats->writer, requests);
}

static enum status write_model(void *context, const struct store_report_line *line)
{
    struct stats *stats = context;
    const uint64_t cost_nanousd = (uint64_t)line->answered_cost_nanousd;
    if (line->answered == 0)
        return STATUS_OK;
    json_write_object(&stats->writer);
    json_write_key(&stats->writer, SLICE("model"));
    json_write_string(&stats->writer, line->id);
    write_figures(stats, cost_nanousd, line->answered_tokens, line->answered);
    json_write_end(&stats->writer);
    stats->cost_nanousd += cost_nanousd;
    stats->tokens += line->answered_tokens;
    stats->requests += line->answered;
    return STATUS_OK;
}

/* The sums stand before the models in the answer, and are known after them. */
static void write_stats(void *argument)
{
    struct stats *stats = argument;
    struct buffer models;
    buffer_init(&models, BODY_BYTES_MAX);
    json_writer_init(&stats->writer, &models);
    json_write_array(&stats->writer);
    stats->status = store_report(stats->store, &stats->report, write_model, stats, &stats->reason);
    if (stats->status == STATUS_OK) {
        json_write_end(&stats->writer);
        json_writer_init(&stats->writer, &stats->body);
        json_write_object(&stats->writer);
        write_figures(stats, stats->cost_nanousd, stats->tokens, stats->requests);
        json_write_key(&stats->writer, SLICE("period_days"));
        json_write_u64(&stats->writer, PERIOD_DAYS);
        json_write_key(&stats->writer, SLICE("by_model"));
        json_write_raw(&stats->writer, buffer_slice(&models));
        json_write_end(&stats->writer);
        stats->status = buffer_status(&stats->body);
    }
    if (buffer_status(&models) != STATUS_OK)
        stats->status = buffer_status(&models);
    buffer_fini(&models);
}

void stats_handle(struct request *request)
{
    const struct gateway_books *books = &request->worker->gateway->books;
    const uint64_t now_us = loop_realtime_us(request->worker->loop);
    struct stats stats = {
        .store = books->reports,
        .report = {.by = STORE_GROUP_MODEL,
                   .since_us = now_us - PERIOD_DAYS * DAY_US,
                   .user_id = request->key->user->id},
        .status = STATUS_LIMITED,
    };
    buffer_init(&stats.body, BODY_BYTES_MAX);
    if (books->service == NULL ||
        service_call(books->service, request->worker->loop, write_stats, &stats) != STATUS_OK) {
        request_fail(request, ERROR_OVERLOADED, NULL,
                     "The gateway's reports are busy; try again shortly.");
    } else if (stats.status != STATUS_OK) {
        request_fail(request, ERROR_INTERNAL, NULL, "Internal server error");
        request->reason = stats.reason;
    } else {
        request_answer(request, 200, SLICE("application/json"), buffer_slice(&stats.body));
    }
    buffer_fini(&stats.body);
}
