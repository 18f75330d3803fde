/* The admin API over HTTP: a request is let in, read, done on the store's thread, answered and logged. */
#include <stdio.h>
#include <string.h>

#include "admin/door.h"
#include "admin/login.h"
#include "admin/operations.h"
#include "admin/precondition.h"
#include "admin/problem.h"
#include "admin/scrape.h"
#include "base/clock.h"
#include "base/redact.h"
#include "http/answer.h"
#include "http/media.h"

#define PROBLEM_BYTES_MAX 4096

struct call {
    struct door *door;
    struct http_exchange *exchange;
    struct id id;
    struct operation_actor actor; /* ROLE_NONE: nobody that is known */
    char actor_name[LOGIN_NAME_BYTES];
    struct snapshot *snapshot; /* that was in force when it came */
    struct admin_request request;
    struct admin_reply reply;
    struct buffer answer;
};

/* --- Answers ------------------------------------------------------------------------------------- */

static void begin_answer(struct call *call, unsigned http_status, struct slice type)
{
    struct http_exchange *exchange = call->exchange;
    char id[ID_TEXT_SIZE];
    id_format(&call->id, id);
    http_answer_begin(exchange, http_status);
    http_answer_checked(exchange, SLICE("x-request-id"), slice_of(id, sizeof(id)));
    http_answer_checked(exchange, SLICE("content-type"), type);
    http_answer_checked(exchange, SLICE("cache-control"), SLICE("no-store"));
}

/* The client may be gone; then nobody is left to tell. */
static void send_answer(struct call *call, struct slice body)
{
    const enum status status = http_answer_send(call->exchange, body);
    (void)status;
}

static void answer_problem(struct call *call, unsigned http_status, struct slice detail)
{
    struct reason *reason = &call->reply.problem;
    struct buffer problem;
    reason_set(reason, "%.*s", SLICE_ARGS(detail));
    redact_text(reason->text);
    buffer_init(&problem, PROBLEM_BYTES_MAX);
    problem_write(http_status, slice_from_text(reason->text), &problem);
    if (buffer_status(&problem) != STATUS_OK)
        buffer_clear(&problem);
    begin_answer(call, http_status, SLICE("application/problem+json"));
    if (http_status == 401) /* RFC 6750 section 3 */
        http_answer_checked(call->exchange, SLICE("www-authenticate"), SLICE("Bearer"));
    if (http_status == 503)
        http_answer_checked(call->exchange, SLICE("retry-after"), SLICE("1"));
    send_answer(call, buffer_slice(&problem));
    buffer_fini(&problem);
}

static void answer_reply(struct call *call)
{
    const struct admin_reply *reply = &call->reply;
    const bool is_problem = reply->http_status >= 400;
    char tag[PRECONDITION_TAG_BYTES];
    begin_answer(call, reply->http_status,
                 is_problem ? SLICE("application/problem+json") : SLICE("application/json"));
    if (reply->version_us != 0)
        http_answer_checked(call->exchange, SLICE("etag"),
                            precondition_tag(reply->version_us, tag));
    if (reply->http_status == 405)
        http_answer_checked(call->exchange, SLICE("allow"), slice_from_text(reply->allow));
    if (reply->http_status == 503)
        http_answer_checked(call->exchange, SLICE("retry-after"), SLICE("1"));
    send_answer(call, buffer_slice(&call->answer));
}

/* --- Metrics ------------------------------------------------------------------------------------- */

static void answer_metrics(struct call *call)
{
    struct buffer text;
    buffer_init(&text, SCRAPE_BYTES_MAX);
    if (scrape(call->door->config, &text) == STATUS_OK) {
        begin_answer(call, 200, SLICE("text/plain; version=0.0.4; charset=utf-8"));
        send_answer(call, buffer_slice(&text));
    } else {
        answer_problem(call, 503, SLICE("out of memory"));
    }
    buffer_fini(&text);
}

static bool is_for_metrics(const struct http_exchange *exchange)
{
    const enum http_method method = exchange->head.method;
    return slice_equal(exchange->head.path, SLICE("/metrics")) &&
           (method == HTTP_METHOD_GET || method == HTTP_METHOD_HEAD);
}

/* --- Operations ---------------------------------------------------------------------------------- */

/* On the store's thread. */
static void operate(void *argument)
{
    struct call *call = argument;
    struct admin_context *context = call->door->config->context;
    context->snapshot = call->snapshot;
    admin_handle(context, &call->request, &call->answer, &call->reply);
    context->snapshot = NULL;
}

/* Several fields of one name are one list (RFC 9110 section 5.3). data is NULL: there is none. */
static struct slice if_match_of(struct http_exchange *exchange)
{
    const struct http_fields *fields = &exchange->head.fields;
    struct slice all = {0};
    for (unsigned i = 0; i < fields->count; i++) {
        const struct http_header *header = &fields->items[i];
        if (!slice_equal_nocase(header->name, SLICE("if-match")))
            continue;
        if (all.data == NULL)
            all = header->value;
        else
            all = arena_printf(&exchange->arena, "%.*s, %.*s", SLICE_ARGS(all),
                               SLICE_ARGS(header->value));
    }
    return all;
}

static void run_operation(struct call *call, struct slice body)
{
    const struct admin_server_config *config = call->door->config;
    struct http_exchange *exchange = call->exchange;
    const bool is_head = exchange->head.method == HTTP_METHOD_HEAD;
    call->request = (struct admin_request){
        .method = is_head ? SLICE("GET") : exchange->head.method_text,
        .path = exchange->head.target,
        .body = body,
        .actor = call->actor,
        .if_match = if_match_of(exchange),
        .needs_match = call->door->access == ACCESS_API,
    };
    call->snapshot = snapshot_ref(config->gateway->snapshot);
    buffer_init(&call->answer, ADMIN_ANSWER_BYTES_MAX);
    const enum status status = service_call(config->store, config->loop, operate, call);
    if (status == STATUS_OK && call->reply.has_configuration_changed)
        config->follow_store(config->owner);
    if (status == STATUS_OK)
        answer_reply(call);
    else
        answer_problem(call, 503, SLICE("too many requests wait for the store"));
    if (call->answer.size > 0)
        explicit_bzero(call->answer.data, call->answer.size); /* a new secret may be in it */
    buffer_fini(&call->answer);
    snapshot_unref(&call->snapshot);
}

/* A body of another type was meant for something else; one that names no type is tried. On the socket
 * nobody is asked: `curl -d` says what it says. */
static bool has_json(const struct call *call, struct slice body)
{
    const struct slice type = http_exchange_header(call->exchange, HTTP_HEADER_CONTENT_TYPE);
    return body.size == 0 || type.size == 0 || media_is_json(type) ||
           call->door->access == ACCESS_SOCKET;
}

static void read_and_run(struct call *call)
{
    struct http_body body;
    struct reason reason = {""};
    unsigned http_status;
    if (http_body_read(call->exchange, &body, &http_status, &reason) != STATUS_OK) {
        if (http_status != 0)
            answer_problem(call, http_status, slice_from_text(reason.text));
        return;
    }
    if (has_json(call, body.bytes))
        run_operation(call, body.bytes);
    else
        answer_problem(call, 415, SLICE("the body is application/json"));
    http_body_free(&body);
}

/* --- The access log ------------------------------------------------------------------------------ */

static void fill_client(const struct address *peer, struct access_figures *figures)
{
    if (peer->size > 0 && peer->socket.any.sa_family == AF_INET) {
        memcpy(figures->client_ip, &peer->socket.v4.sin_addr, 4);
        figures->client_ip_size = 4;
    } else if (peer->size > 0 && peer->socket.any.sa_family == AF_INET6) {
        memcpy(figures->client_ip, &peer->socket.v6.sin6_addr, 16);
        figures->client_ip_size = 16;
    }
}

static enum outcome outcome_of(const struct http_exchange *exchange)
{
    if (!exchange->is_ended)
        return OUTCOME_CLIENT_GONE;
    if (exchange->status >= 500)
        return OUTCOME_FAILED;
    return exchange->status >= 400 ? OUTCOME_REFUSED : OUTCOME_COMPLETED;
}

/* Where a secret may have been given in the place of a name: its request failed, since nothing is called
 * so. Neither its path nor what is said of it goes into the log whole. Weir's own secrets are hidden in
 * every text; one that an application brought along looks like any name. */
static bool may_hold_secret(const struct http_exchange *exchange)
{
    static const struct slice collections[] = {
        {"/admin/v1/keys/", 15}, {"/admin/v1/tokens/", 17}, {"/admin/v1/secrets/", 18}};
    if (exchange->status < 400)
        return false;
    for (size_t i = 0; i < sizeof(collections) / sizeof(collections[0]); i++) {
        if (slice_starts_with(exchange->head.path, collections[i]))
            return true;
    }
    return false;
}

/* The path up to its collection. */
static struct slice cut_path(struct slice path)
{
    const struct slice base = SLICE("/admin/v1/");
    if (!slice_starts_with(path, base))
        return SLICE("/");
    const struct slice collection = slice_from(path, base.size);
    const size_t end = slice_find_byte(collection, '/');
    return end < collection.size ? slice_of(path.data, base.size + end) : base;
}

static void fill_texts(const struct call *call, struct slice *text)
{
    const struct http_exchange *exchange = call->exchange;
    const bool is_masked = may_hold_secret(exchange);
    text[ACCESS_TEXT_METHOD] = exchange->head.method_text;
    text[ACCESS_TEXT_PATH] = is_masked ? cut_path(exchange->head.path) : exchange->head.path;
    text[ACCESS_TEXT_USER_AGENT] = http_exchange_header(exchange, HTTP_HEADER_USER_AGENT);
    text[ACCESS_TEXT_CLIENT_REQUEST_ID] = http_exchange_header(exchange, HTTP_HEADER_X_REQUEST_ID);
    text[ACCESS_TEXT_USER_NAME] = call->actor.name;
    if (exchange->status >= 400 && !is_masked)
        text[ACCESS_TEXT_ERROR_MESSAGE] = slice_from_text(call->reply.problem.text);
}

static void write_access_line(const struct call *call)
{
    const struct http_exchange *exchange = call->exchange;
    const struct loop *loop = call->door->config->loop;
    const uint64_t now_ns = clock_monotonic_ns();
    struct log_access access;
    log_access_init(&access);
    access.time_us = loop_realtime_us(loop) + (now_ns - loop_now_ns(loop)) / 1000;
    access.figures.duration_ns = now_ns - exchange->started_ns;
    access.figures.request_body_bytes = exchange->body_bytes;
    access.figures.response_body_bytes = exchange->answer_bytes;
    access.figures.request_id = call->id;
    access.figures.http_minor = (uint8_t)exchange->head.minor;
    access.figures.status = (uint16_t)exchange->status;
    access.figures.outcome = (uint8_t)outcome_of(exchange);
    fill_client(&exchange->connection->peer, &access.figures);
    fill_texts(call, access.text);
    log_access(call->door->config->log, &access);
}

/* --- Dispatch ------------------------------------------------------------------------------------ */

static struct call call_of(struct http_exchange *exchange, struct door *door)
{
    return (struct call){
        .door = door,
        .exchange = exchange,
        .id = id_make(loop_realtime_us(door->config->loop)),
    };
}

static bool log_in(struct call *call)
{
    struct reason reason = {""};
    if (login(call->door, call->exchange, call->actor_name, &call->actor, &reason) == STATUS_OK)
        return true;
    call->actor = (struct operation_actor){.role = ROLE_NONE};
    answer_problem(call, 401, slice_from_text(reason.text));
    return false;
}

/* Metrics are of all teams. On an address that only this machine reaches they are as open as on a
 * listener of their own. */
static void handle_metrics(struct call *call)
{
    if (call->door->access == ACCESS_API && !call->door->is_loopback) {
        if (!log_in(call))
            return;
        if (!role_allows(&call->actor, ROLE_VIEWER, SCOPE_ALL)) {
            answer_problem(call, 403, SLICE("this takes the role viewer"));
            return;
        }
    }
    answer_metrics(call);
}

void api_handle(struct http_exchange *exchange, void *context)
{
    struct call call = call_of(exchange, context);
    if (is_for_metrics(exchange)) {
        handle_metrics(&call);
        return;
    }
    if (call.door->access == ACCESS_METRICS)
        answer_problem(&call, 404, SLICE("there is /metrics here"));
    else if (log_in(&call))
        read_and_run(&call);
    write_access_line(&call);
}

void api_refuse(struct http_exchange *exchange, unsigned http_status, const char *reason,
                void *context)
{
    struct call call = call_of(exchange, context);
    answer_problem(&call, http_status, slice_from_text(reason));
    write_access_line(&call);
}
