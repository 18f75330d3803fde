#include "telemetry/log_format.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stddef.h>

#include "base/clock.h"
#include "telemetry/utf8.h"

#define ELLIPSIS SLICE("\xe2\x80\xa6")
#define QUOTE    SLICE("\"")

/* A member's name as it stands in the line: every member but the first begins with a comma, and
 * that of a text opens the value's quotes. */
#define MEMBER(name)      ",\"" name "\":"
#define TEXT_MEMBER(name) ",\"" name "\":\""
#define NAME(name)        SLICE(MEMBER(name))
#define TEXT_NAME(name)   SLICE(TEXT_MEMBER(name))
#define IN_TABLE(literal) {literal, sizeof(literal) - 1} /* SLICE() is no constant */

static const struct slice text_names[ACCESS_TEXT_COUNT] = {
    [ACCESS_TEXT_METHOD] = IN_TABLE(TEXT_MEMBER("http.request.method")),
    [ACCESS_TEXT_PATH] = IN_TABLE(TEXT_MEMBER("url.path")),
    [ACCESS_TEXT_USER_AGENT] = IN_TABLE(TEXT_MEMBER("user_agent.original")),
    [ACCESS_TEXT_USER_ID] = IN_TABLE(TEXT_MEMBER("user.id")),
    [ACCESS_TEXT_USER_NAME] = IN_TABLE(TEXT_MEMBER("user.name")),
    [ACCESS_TEXT_KEY_ID] = IN_TABLE(TEXT_MEMBER("weir.key.id")),
    [ACCESS_TEXT_MODEL] = IN_TABLE(TEXT_MEMBER("weir.model")),
    [ACCESS_TEXT_PROVIDER] = IN_TABLE(TEXT_MEMBER("weir.provider")),
    [ACCESS_TEXT_TARGET_MODEL] = IN_TABLE(TEXT_MEMBER("weir.target.model")),
    [ACCESS_TEXT_CLIENT_REQUEST_ID] = IN_TABLE(TEXT_MEMBER("weir.client.request_id")),
    [ACCESS_TEXT_UPSTREAM_REQUEST_ID] = IN_TABLE(TEXT_MEMBER("weir.upstream.request_id")),
    [ACCESS_TEXT_TRACE_ID] = IN_TABLE(TEXT_MEMBER("trace.id")),
    [ACCESS_TEXT_ERROR_CODE] = IN_TABLE(TEXT_MEMBER("error.code")),
    [ACCESS_TEXT_ERROR_MESSAGE] = IN_TABLE(TEXT_MEMBER("error.message")),
};

struct figure {
    struct slice name;
    size_t offset; /* of a uint64_t in struct access_figures */
};

static const struct figure figures[] = {
    {IN_TABLE(MEMBER("event.duration")), offsetof(struct access_figures, duration_ns)},
    {IN_TABLE(MEMBER("weir.first_byte")), offsetof(struct access_figures, first_byte_ns)},
    {IN_TABLE(MEMBER("http.request.body.bytes")),
     offsetof(struct access_figures, request_body_bytes)},
    {IN_TABLE(MEMBER("http.response.body.bytes")),
     offsetof(struct access_figures, response_body_bytes)},
    {IN_TABLE(MEMBER("weir.usage.input_tokens")), offsetof(struct access_figures, input_tokens)},
    {IN_TABLE(MEMBER("weir.usage.output_tokens")), offsetof(struct access_figures, output_tokens)},
    {IN_TABLE(MEMBER("weir.usage.cached_tokens")), offsetof(struct access_figures, cached_tokens)},
    {IN_TABLE(MEMBER("weir.usage.cache_write_tokens")),
     offsetof(struct access_figures, cache_write_tokens)},
    {IN_TABLE(MEMBER("weir.usage.reasoning_tokens")),
     offsetof(struct access_figures, reasoning_tokens)},
};

static void put_word(struct buffer *line, struct slice text_name, const char *word)
{
    buffer_append(line, text_name);
    buffer_append(line, slice_from_text(word));
    buffer_append(line, QUOTE);
}

static void put_number(struct buffer *line, struct slice name, uint64_t value)
{
    buffer_append(line, name);
    buffer_append_u64(line, value);
}

static void put_bool(struct buffer *line, struct slice name, bool value)
{
    buffer_append(line, name);
    buffer_append(line, value ? SLICE("true") : SLICE("false"));
}

/* The inside of a string. A cut may have left a piece of a character, which goes too. */
static void put_text_inside(struct buffer *line, struct log_text text)
{
    if (text.is_cut)
        text.bytes.size = utf8_whole_size(text.bytes);
    escape_json(line, text.bytes);
    if (text.is_cut)
        buffer_append(line, ELLIPSIS);
}

static void put_text(struct buffer *line, struct slice text_name, struct log_text text)
{
    buffer_append(line, text_name);
    put_text_inside(line, text);
    buffer_append(line, QUOTE);
}

static void put_start(struct buffer *line, const struct log_view *view)
{
    char time[CLOCK_TEXT_BYTES];
    const unsigned size = clock_format(view->time_us, 6, time);
    buffer_append(line, SLICE("{\"@timestamp\":\""));
    buffer_append(line, slice_of(time, size));
    put_word(line, SLICE("\",\"log.level\":\""), log_level_name(view->level));
}

static void put_service(struct buffer *line, const struct log_service *service)
{
    buffer_append(line, SLICE(",\"ecs.version\":\"8.11.0\",\"service.name\":\"weir\""));
    put_text(line, TEXT_NAME("service.version"), (struct log_text){service->version, false});
    put_number(line, NAME("process.pid"), service->pid);
}

static void put_access_message(struct buffer *line, const struct log_view *view)
{
    buffer_append(line, TEXT_NAME("message"));
    put_text_inside(line, view->text[ACCESS_TEXT_METHOD]);
    buffer_append(line, SLICE(" "));
    put_text_inside(line, view->text[ACCESS_TEXT_PATH]);
    put_number(line, SLICE(" "), view->figures.status);
    buffer_append(line, QUOTE);
}

static void put_request_id(struct buffer *line, const struct id *id)
{
    static const struct id none;
    if (memcmp(id, &none, sizeof(*id)) == 0)
        return;
    char text[ID_TEXT_SIZE];
    id_format(id, text);
    buffer_append(line, TEXT_NAME("http.request.id"));
    buffer_append(line, slice_of(text, sizeof(text)));
    buffer_append(line, QUOTE);
}

static void put_client_ip(struct buffer *line, const struct access_figures *facts)
{
    if (facts->client_ip_size == 0)
        return;
    char text[INET6_ADDRSTRLEN];
    const int family = facts->client_ip_size == 4 ? AF_INET : AF_INET6;
    if (inet_ntop(family, facts->client_ip, text, sizeof(text)) != NULL)
        put_word(line, TEXT_NAME("client.ip"), text);
}

/* ECS knows three outcomes: the client that left says nothing about the service. */
static const char *ecs_outcome(const struct access_figures *facts)
{
    if (facts->outcome == OUTCOME_CLIENT_GONE)
        return "unknown";
    return facts->outcome == OUTCOME_COMPLETED && facts->status < 400 ? "success" : "failure";
}

static bool is_trace_id(struct slice text)
{
    size_t digits = 0;
    while (digits < text.size && isxdigit((unsigned char)text.data[digits]))
        digits++;
    return digits == 32 && text.size == 32;
}

static bool is_said(const struct log_view *view, enum access_text which)
{
    const struct log_text *text = &view->text[which];
    if (which == ACCESS_TEXT_TRACE_ID)
        return !text->is_cut && is_trace_id(text->bytes);
    return text->bytes.size > 0;
}

static void put_upstream(struct buffer *line, const struct access_figures *facts)
{
    put_number(line, NAME("weir.attempts"), facts->attempts);
    if (facts->attempts == 0)
        return;
    put_bool(line, NAME("weir.upstream.reused"), facts->upstream_reused);
    put_bool(line, NAME("weir.upstream.replaced"), facts->upstream_replaced);
}

static void put_figures(struct buffer *line, const struct access_figures *facts)
{
    for (size_t i = 0; i < sizeof(figures) / sizeof(figures[0]); i++) {
        uint64_t value;
        memcpy(&value, (const char *)facts + figures[i].offset, sizeof(value));
        if (value != ACCESS_UNKNOWN)
            put_number(line, figures[i].name, value);
    }
}

static void put_access(struct buffer *line, const struct log_view *view)
{
    const struct access_figures *facts = &view->figures;
    put_request_id(line, &facts->request_id);
    if (facts->status != 0)
        put_number(line, NAME("http.response.status_code"), facts->status);
    put_word(line, TEXT_NAME("http.version"), facts->http_minor == 0 ? "1.0" : "1.1");
    put_client_ip(line, facts);
    put_word(line, TEXT_NAME("event.outcome"), ecs_outcome(facts));
    put_word(line, TEXT_NAME("weir.outcome"), outcome_name(facts->outcome));
    put_bool(line, NAME("weir.stream"), facts->stream);
    put_upstream(line, facts);
    put_figures(line, facts);
    for (unsigned i = 0; i < ACCESS_TEXT_COUNT; i++) {
        if (is_said(view, i))
            put_text(line, text_names[i], view->text[i]);
    }
}

void log_json_append(struct buffer *line, const struct log_view *view,
                     const struct log_service *service)
{
    put_start(line, view);
    if (view->kind == LOG_KIND_ACCESS) {
        put_access_message(line, view);
        put_service(line, service);
        buffer_append(line, SLICE(",\"event.dataset\":\"weir.access\""));
        put_access(line, view);
    } else {
        put_text(line, TEXT_NAME("message"), view->message);
        put_service(line, service);
        buffer_append(line, SLICE(",\"event.dataset\":\"weir.log\""));
        if (view->part.size > 0)
            put_text(line, TEXT_NAME("log.logger"), (struct log_text){view->part, false});
    }
    buffer_append(line, SLICE("}\n"));
}
