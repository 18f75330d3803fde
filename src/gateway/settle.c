#include "base/clock.h"
#include "gateway/gateway.h"
#include "gateway/request.h"

/* A refusal of weir's own is no failure of anybody; what upstream did was noted by the attempt. */
static void conclude(struct request *request)
{
    if (request->outcome == OUTCOME_CLIENT_GONE &&
        atomic_load(&request->worker->gateway->is_cutting_off))
        request->outcome = OUTCOME_CUT_OFF;
    if (request->outcome != OUTCOME_COMPLETED || request->error.kind == ERROR_NONE)
        return;
    if (request->error.kind == ERROR_UPSTREAM_TIMEOUT)
        request->outcome = OUTCOME_TIMED_OUT;
    else if (error_is_upstreams(request->error.kind))
        request->outcome = OUTCOME_UPSTREAM_FAILED;
    else if (request->error.kind == ERROR_INTERNAL)
        request->outcome = OUTCOME_FAILED;
    else
        request->outcome = OUTCOME_REFUSED;
}

static uint64_t tokens(const struct openai_usage *usage, enum openai_tokens which)
{
    return openai_usage_has(usage, which) ? usage->tokens[which] : ACCESS_UNKNOWN;
}

static void fill_client(struct http_exchange *exchange, struct access_figures *figures)
{
    static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};
    const unsigned char *address = http_exchange_client_address(exchange);
    if (address == NULL)
        return;
    const size_t skipped = memcmp(address, mapped, sizeof(mapped)) == 0 ? sizeof(mapped) : 0;
    figures->client_ip_size = (uint8_t)(16 - skipped);
    memcpy(figures->client_ip, address + skipped, figures->client_ip_size);
}

static void fill_figures(const struct request *request, uint64_t now_ns,
                         struct access_figures *figures)
{
    const struct http_exchange *exchange = request->exchange;
    const struct openai_usage *usage = &request->usage;
    figures->duration_ns = now_ns - exchange->started_ns;
    if (exchange->first_byte_ns > 0)
        figures->first_byte_ns = exchange->first_byte_ns - exchange->started_ns;
    figures->request_body_bytes = exchange->body_bytes;
    figures->response_body_bytes = exchange->answer_bytes;
    figures->input_tokens = tokens(usage, OPENAI_TOKENS_INPUT);
    figures->output_tokens = tokens(usage, OPENAI_TOKENS_OUTPUT);
    figures->cached_tokens = tokens(usage, OPENAI_TOKENS_CACHED);
    figures->cache_write_tokens = tokens(usage, OPENAI_TOKENS_CACHE_WRITE);
    figures->reasoning_tokens = tokens(usage, OPENAI_TOKENS_REASONING);
    figures->request_id = request->id;
    fill_client(request->exchange, figures);
    figures->http_minor = (uint8_t)exchange->head.minor;
    figures->outcome = (uint8_t)request->outcome;
    figures->stream = request->stream;
    figures->status = (uint16_t)exchange->status;
    figures->attempts = (uint16_t)request->attempts;
    figures->upstream_reused = request->upstream_reused;
    figures->upstream_replaced = request->upstream_replaced;
}

/* W3C Trace Context: version "-" trace id of 32 digits "-" … */
static struct slice trace_id(const struct http_exchange *exchange)
{
    const struct slice parent = http_exchange_header(exchange, HTTP_HEADER_TRACEPARENT);
    return parent.size >= 35 ? slice_of(parent.data + 3, 32) : (struct slice){0};
}

/* The ids of an access line as text. */
struct id_texts {
    char user[ID_TEXT_SIZE], key[ID_TEXT_SIZE];
};

static void fill_identity(const struct identity_key *key, struct id_texts *ids, struct slice *text)
{
    id_format(&key->user->id, ids->user);
    id_format(&key->id, ids->key);
    text[ACCESS_TEXT_USER_ID] = slice_of(ids->user, sizeof(ids->user));
    text[ACCESS_TEXT_USER_NAME] = identity_user_name(key->user);
    text[ACCESS_TEXT_KEY_ID] = slice_of(ids->key, sizeof(ids->key));
}

static void fill_texts(const struct request *request, struct id_texts *ids, struct slice *text)
{
    const struct http_exchange *exchange = request->exchange;
    text[ACCESS_TEXT_METHOD] = exchange->head.method_text;
    text[ACCESS_TEXT_PATH] = exchange->head.path;
    text[ACCESS_TEXT_USER_AGENT] = http_exchange_header(exchange, HTTP_HEADER_USER_AGENT);
    text[ACCESS_TEXT_CLIENT_REQUEST_ID] = http_exchange_header(exchange, HTTP_HEADER_X_REQUEST_ID);
    text[ACCESS_TEXT_TRACE_ID] = trace_id(exchange);
    if (request->key != NULL)
        fill_identity(request->key, ids, text);
    text[ACCESS_TEXT_MODEL] = request->model.size > 0 ? request->model : request->openai.model;
    if (request->endpoint != NULL) {
        text[ACCESS_TEXT_PROVIDER] = request->endpoint->provider->config->name;
        text[ACCESS_TEXT_TARGET_MODEL] = request->target_model;
    }
    text[ACCESS_TEXT_UPSTREAM_REQUEST_ID] = request->upstream_request_id;
    if (request->error.kind != ERROR_NONE) {
        text[ACCESS_TEXT_ERROR_CODE] = error_code(&request->error);
        text[ACCESS_TEXT_ERROR_MESSAGE] = slice_from_text(
            request->reason.text[0] != '\0' ? request->reason.text : request->error.message);
    }
}

static void write_access_line(const struct request *request, uint64_t now_ns)
{
    const struct loop *loop = request->worker->loop;
    struct log_access access;
    struct id_texts ids;
    log_access_init(&access);
    access.time_us = loop_realtime_us(loop) + (now_ns - loop_now_ns(loop)) / 1000;
    fill_figures(request, now_ns, &access.figures);
    fill_texts(request, &ids, access.text);
    log_access(request->worker->log, &access);
}

static void count(const struct request *request, uint64_t now_ns)
{
    struct metrics_worker *metrics = request->worker->metrics;
    const struct http_exchange *exchange = request->exchange;
    const uint32_t endpoint =
        request->route != NULL ? route_index(request->route) : METRICS_ENDPOINT_OTHER;
    const uint64_t user = request->key != NULL ? metrics_user_hash(&request->key->user->id) : 0;
    metrics_request_done(metrics, endpoint, exchange->status, now_ns - exchange->started_ns, user,
                         now_ns);
    metric_subtract(&metrics->requests_in_flight, 1);
    metric_add(&metrics->bytes_to_client, exchange->answer_bytes);
    if (request->stream && request->attempts > 0)
        metric_add(&metrics->streams[request->outcome], 1);
}

void request_close_account(struct request *request)
{
    const struct http_exchange *exchange = request->exchange;
    unsigned status = exchange->head_is_sent ? exchange->status : 0;
    conclude(request);
    if (status == 0 && request->error.kind != ERROR_NONE && request->route != NULL)
        status = error_http_status(&request->error, request->route->style);
    account_close(request, status);
}

void request_settle(struct request *request)
{
    const uint64_t now_ns = clock_monotonic_ns();
    conclude(request);
    count(request, now_ns);
    write_access_line(request, now_ns);
    admit_settle(request); /* of a request that was never opened */
    identity_key_release(&request->key);
    fit_free(&request->fit);
    http_body_free(&request->body);
    calling_leave(request->worker, request->calling);
}
