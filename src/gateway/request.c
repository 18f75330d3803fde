#include "gateway/request.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/clock.h"
#include "gateway/cors.h"
#include "gateway/gateway.h"
#include "http/answer.h"
#include "identity/access.h"
#include "identity/key.h"
#include "identity/key_memo.h"

enum status request_fail(struct request *request, enum error_kind kind, const char *param,
                         const char *format, ...)
{
    struct error *error = &request->error;
    va_list args;
    va_start(args, format);
    vsnprintf(error->message, sizeof(error->message), format, args);
    va_end(args);
    error->kind = kind;
    error->param = param != NULL ? slice_from_text(param) : (struct slice){0};
    return STATUS_DENIED;
}

/* --- Answers ----------------------------------------------------------------------------------- */

void request_begin_answer(struct request *request, unsigned http_status)
{
    struct http_exchange *exchange = request->exchange;
    char id[ID_TEXT_SIZE];
    id_format(&request->id, id);
    http_answer_begin(exchange, http_status);
    http_answer_checked(exchange, SLICE("x-request-id"), slice_of(id, sizeof(id)));
    cors_add_headers(request);
}

void request_answer(struct request *request, unsigned http_status, struct slice content_type,
                    struct slice body)
{
    request_begin_answer(request, http_status);
    http_answer_checked(request->exchange, SLICE("content-type"), content_type);
    if (http_answer_send(request->exchange, body) != STATUS_OK)
        request->outcome = OUTCOME_CLIENT_GONE;
}

/* Whole seconds and milliseconds, rounded up; a second where nobody knows. */
static void add_retry_after(struct http_exchange *exchange, uint64_t ns)
{
    const uint64_t ms = ns == UINT64_MAX ? MS_PER_S : (ns + NS_PER_MS - 1) / NS_PER_MS;
    http_answer_header_number(exchange, SLICE("retry-after"), (ms + MS_PER_S - 1) / MS_PER_S);
    http_answer_header_number(exchange, SLICE("retry-after-ms"), ms);
}

static void add_error_headers(struct request *request)
{
    struct http_exchange *exchange = request->exchange;
    switch (request->error.kind) {
    case ERROR_INVALID_KEY:
        http_answer_header(exchange, SLICE("www-authenticate"), SLICE("Bearer"));
        break;
    case ERROR_RATE_LIMIT:
        add_retry_after(exchange, request->admit.retry_after_ns);
        break;
    case ERROR_BUDGET:
        http_answer_header(exchange, SLICE("x-should-retry"), SLICE("false"));
        break;
    case ERROR_METHOD_NOT_ALLOWED:
        http_answer_header(exchange, SLICE("allow"), slice_from_text(request->route->allow));
        break;
    case ERROR_UNSUPPORTED_ENCODING: /* RFC 9110 section 15.5.16 */
        http_answer_header(exchange, SLICE("accept-encoding"), SLICE("gzip, br, zstd"));
        break;
    case ERROR_OVERLOADED:
        http_answer_header(exchange, SLICE("retry-after"), SLICE("1"));
        http_answer_header(exchange, SLICE("retry-after-ms"), SLICE("1000"));
        break;
    default:
        break;
    }
    admit_add_headers(request);
}

void request_answer_error(struct request *request)
{
    const struct error *error = &request->error;
    if (error->kind == ERROR_NONE || request->exchange->head_is_sent)
        return;
    const enum error_style style =
        request->route != NULL ? request->route->style : ERROR_STYLE_OPENAI;
    struct buffer body;
    buffer_init(&body, 8192);
    if (error_write(error, style, &body) != STATUS_OK)
        buffer_clear(&body);
    request_begin_answer(request, error_http_status(error, style));
    http_answer_header(request->exchange, SLICE("content-type"),
                       style == ERROR_STYLE_PLAIN ? SLICE("text/plain; charset=utf-8")
                                                  : SLICE("application/json"));
    add_error_headers(request);
    if (http_answer_send(request->exchange, buffer_slice(&body)) != STATUS_OK)
        request->outcome = OUTCOME_CLIENT_GONE;
    buffer_fini(&body);
}

/* --- Steps that several routes share ------------------------------------------------------------- */

/* RFC 6750 section 2.1, with the scheme in any case (RFC 9110 section 11.1). */
static struct slice presented_key(const struct http_exchange *exchange)
{
    static const struct slice scheme = {"bearer ", 7};
    const struct slice value = http_exchange_header(exchange, HTTP_HEADER_AUTHORIZATION);
    if (value.size > scheme.size && slice_equal_nocase(slice_of(value.data, scheme.size), scheme))
        return slice_trim(slice_from(value, scheme.size));
    return http_exchange_header(exchange, HTTP_HEADER_X_API_KEY);
}

static enum status refuse_key(struct request *request, const char *why)
{
    reason_set(&request->reason, "%s", why);
    return request_fail(request, ERROR_INVALID_KEY, NULL,
                        "Invalid API key: %s. Send a key that weir issued as 'Authorization: "
                        "Bearer KEY'.",
                        why);
}

/* The key is good; whether it may be used from there, for this. */
static enum status check_access(struct request *request, const struct identity_key *key)
{
    const struct slice route = slice_from_text(request->route->name);
    if (!identity_allows_route(key, route))
        return request_fail(request, ERROR_NOT_ALLOWED, NULL, "This key may not use %.*s.",
                            SLICE_ARGS(route));
    if (!identity_allows_address(key, http_exchange_client_address(request->exchange)))
        return request_fail(request, ERROR_NOT_ALLOWED, NULL,
                            "This key may not be used from this network.");
    return STATUS_OK;
}

/* The key of this text, or NULL. Its hash is kept for the connection's next request, which presents the
 * same one; without memory for that it is made anew. */
static enum status find_key(const struct request *request, struct slice text,
                            struct identity_key **key_out)
{
    struct worker *worker = request->worker;
    struct key_memo *memo = request->exchange->connection->kept;
    unsigned char hash[KEY_HASH_SIZE];
    if (memo != NULL && key_memo_recall(memo, text, hash)) {
        *key_out = identity_find(worker->identity, hash);
        return STATUS_OK;
    }
    const enum status status = key_hasher_hash(worker->hasher, text, hash);
    if (status != STATUS_OK)
        return status;
    *key_out = identity_find(worker->identity, hash);
    if (*key_out != NULL)
        memo = http_exchange_keep(request->exchange, sizeof(*memo));
    if (*key_out != NULL && memo != NULL)
        key_memo_remember(memo, text, hash);
    return STATUS_OK;
}

enum status request_authenticate(struct request *request)
{
    struct worker *worker = request->worker;
    const struct slice text = presented_key(request->exchange);
    if (text.size == 0)
        return refuse_key(request, "none was sent");
    if (text.size > KEY_TEXT_SIZE_MAX)
        return refuse_key(request, "it is too long");
    struct identity_key *key;
    if (find_key(request, text, &key) != STATUS_OK)
        return request_fail(request, ERROR_INTERNAL, NULL, "Out of memory.");
    if (key == NULL) /* only then is it worth looking why */
        return refuse_key(request, key_check(text, NULL) == STATUS_OK
                                       ? "it is not known here"
                                       : "it is mistyped or incomplete");
    identity_key_prefetch(key);
    const uint64_t now_us = loop_realtime_us(worker->loop);
    const enum identity_verdict verdict = identity_check(key, now_us);
    if (verdict != IDENTITY_VERDICT_VALID)
        return refuse_key(request, identity_verdict_name(verdict));
    if (check_access(request, key) != STATUS_OK)
        return STATUS_DENIED;
    level_prefetch(identity_rules_level(key->rules));
    level_prefetch(identity_rules_level(identity_key_user_rules(key)));
    const struct identity_team *team = identity_key_team(key);
    if (team != NULL)
        request->team_id = team->id;
    identity_key_acquire(key);
    identity_note_use(worker->identity, key, (uint32_t)(now_us / US_PER_S));
    request->key = key;
    return STATUS_OK;
}

enum status request_read_body(struct request *request)
{
    unsigned http_status = 0;
    const enum status status =
        http_body_read(request->exchange, &request->body, &http_status, &request->reason);
    if (status == STATUS_OK)
        return STATUS_OK;
    if (http_status == 0) {
        request->outcome = OUTCOME_CLIENT_GONE;
        return STATUS_CLOSED;
    }
    return request_fail(request, error_kind_for(http_status), NULL, "%s", request->reason.text);
}

/* Without memory for a copy the name is left out of the log. */
static void keep_name(struct request *request, struct slice *name)
{
    if (name->size > 0)
        *name = arena_copy(&request->exchange->arena, *name);
}

void request_drop_body(struct request *request)
{
    fit_free(&request->fit);
    if (request->body.memory.capacity == 0)
        return; /* it lies in the exchange's block */
    keep_name(request, &request->openai.model);
    keep_name(request, &request->model);
    keep_name(request, &request->target_model);
    http_body_free(&request->body);
}
