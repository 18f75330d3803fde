#include "telemetry/log_format.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stddef.h>

#include "base/clock.h"
#include "telemetry/utf8.h"

#define ELLIPSIS  SLICE("\xe2\x80\xa6")
#define UUID_NONE ((struct id){{0}})

static const char *const text_names[ACCESS_TEXT_COUNT] = {
    [ACCESS_TEXT_METHOD] = "http.request.method",
    [ACCESS_TEXT_PATH] = "url.path",
    [ACCESS_TEXT_USER_AGENT] = "user_agent.original",
    [ACCESS_TEXT_USER_ID] = "user.id",
    [ACCESS_TEXT_USER_NAME] = "user.name",
    [ACCESS_TEXT_KEY_ID] = "weir.key.id",
    [ACCESS_TEXT_MODEL] = "weir.model",
    [ACCESS_TEXT_PROVIDER] = "weir.provider",
    [ACCESS_TEXT_TARGET_MODEL] = "weir.target.model",
    [ACCESS_TEXT_CLIENT_REQUEST_ID] = "weir.client.request_id",
    [ACCESS_TEXT_UPSTREAM_REQUEST_ID] = "weir.upstream.request_id",
    [ACCESS_TEXT_TRACE_ID] = "trace.id",
    [ACCESS_TEXT_ERROR_CODE] = "error.code",
    [ACCESS_TEXT_ERROR_MESSAGE] = "error.message",
};

struct figure {
    const char *name;
    size_t offset; /* of a uint64_t in struct access_figures */
};

static const struct figure figures[] = {
    {"event.duration", offsetof(struct access_figures, duration_ns)},
    {"weir.first_byte", offsetof(struct access_figures, first_byte_ns)},
    {"http.request.body.bytes", offsetof(struct access_figures, request_body_bytes)},
    {"http.response.body.bytes", offsetof(struct access_figures, response_body_bytes)},
    {"weir.usage.input_tokens", offsetof(struct access_figures, input_tokens)},
    {"weir.usage.output_tokens", offsetof(struct access_figures, output_tokens)},
    {"weir.usage.cached_tokens", offsetof(struct access_figures, cached_tokens)},
    {"weir.usage.cache_write_tokens", offsetof(struct access_figures, cache_write_tokens)},
    {"weir.usage.reasoning_tokens", offsetof(struct access_figures, reasoning_tokens)},
};

static void put(struct buffer *line, const char *text)
{
    buffer_append(line, slice_from_text(text));
}

/* Every member but the first, which opens the object. */
static void put_name(struct buffer *line, const char *name)
{
    put(line, ",\"");
    put(line, name);
    put(line, "\":");
}

static void put_word(struct buffer *line, const char *name, const char *word)
{
    put_name(line, name);
    put(line, "\"");
    put(line, word);
    put(line, "\"");
}

static void put_number(struct buffer *line, const char *name, uint64_t value)
{
    put_name(line, name);
    buffer_append_u64(line, value);
}

static void put_bool(struct buffer *line, const char *name, bool value)
{
    put_name(line, name);
    put(line, value ? "true" : "false");
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

static void put_text(struct buffer *line, const char *name, struct log_text text)
{
    put_name(line, name);
    put(line, "\"");
    put_text_inside(line, text);
    put(line, "\"");
}

static void put_start(struct buffer *line, const struct log_view *view)
{
    char time[CLOCK_TEXT_BYTES];
    put(line, "{\"@timestamp\":\"");
    buffer_append(line, slice_of(time, clock_format(view->time_us, 6, time)));
    put(line, "\"");
    put_word(line, "log.level", log_level_name(view->level));
}

static void put_service(struct buffer *line, const struct log_service *service, const char *dataset)
{
    put_word(line, "ecs.version", "8.11.0");
    put_word(line, "service.name", "weir");
    put_text(line, "service.version", (struct log_text){service->version, false});
    put_number(line, "process.pid", service->pid);
    put_word(line, "event.dataset", dataset);
}

static void put_access_message(struct buffer *line, const struct log_view *view)
{
    put_name(line, "message");
    put(line, "\"");
    put_text_inside(line, view->text[ACCESS_TEXT_METHOD]);
    put(line, " ");
    put_text_inside(line, view->text[ACCESS_TEXT_PATH]);
    put(line, " ");
    buffer_append_u64(line, view->figures.status);
    put(line, "\"");
}

static void put_request_id(struct buffer *line, const struct id *id)
{
    if (memcmp(id, &UUID_NONE, sizeof(*id)) == 0)
        return;
    char text[ID_TEXT_SIZE];
    id_format(id, text);
    put_text(line, "http.request.id", (struct log_text){slice_of(text, sizeof(text)), false});
}

static void put_client_ip(struct buffer *line, const struct access_figures *facts)
{
    if (facts->client_ip_size == 0)
        return;
    char text[INET6_ADDRSTRLEN];
    const int family = facts->client_ip_size == 4 ? AF_INET : AF_INET6;
    if (inet_ntop(family, facts->client_ip, text, sizeof(text)) != NULL)
        put_word(line, "client.ip", text);
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
    put_number(line, "weir.attempts", facts->attempts);
    if (facts->attempts == 0)
        return;
    put_bool(line, "weir.upstream.reused", facts->upstream_reused);
    put_bool(line, "weir.upstream.replaced", facts->upstream_replaced);
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
        put_number(line, "http.response.status_code", facts->status);
    put_word(line, "http.version", facts->http_minor == 0 ? "1.0" : "1.1");
    put_client_ip(line, facts);
    put_word(line, "event.outcome", ecs_outcome(facts));
    put_word(line, "weir.outcome", outcome_name(facts->outcome));
    put_bool(line, "weir.stream", facts->stream);
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
        put_service(line, service, "weir.access");
        put_access(line, view);
    } else {
        put_text(line, "message", view->message);
        put_service(line, service, "weir.log");
        if (view->part.size > 0)
            put_text(line, "log.logger", (struct log_text){view->part, false});
    }
    put(line, "}\n");
}
