#include "provider.h"

#include <inttypes.h>

#include "base/assert.h"

#define STREAM_HEAD                                                                                \
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-cache\r\n"            \
    "Transfer-Encoding: chunked\r\n\r\n"

/* --- Rendering ------------------------------------------------------------------------------ */

static void render_page(struct form *page, const char *status, const char *body)
{
    form_fini(page);
    form_init(page);
    buffer_printf(&page->text,
                  "HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
                  status, strlen(body), body);
    form_close(page);
}

static void render_stream(struct script_stream *stream, uint64_t events, bool usage)
{
    script_stream_fini(stream);
    script_stream_init(stream, SLICE(STREAM_HEAD), events, usage, SCRIPT_FRAMING_CHUNKED);
}

void provider_render(struct provider *provider)
{
    static const struct {
        enum provider_page page;
        const char *status, *body;
    } pages[] = {
        {PROVIDER_PAGE_ANSWER, "200 OK", script_answer},
        {PROVIDER_PAGE_MODELS, "200 OK",
         "{\"object\":\"list\",\"data\":[{\"id\":\"gpt-4o-mini\",\"object\":\"model\","
         "\"created\":1700000000,\"owned_by\":\"perf\"}]}"},
        {PROVIDER_PAGE_OK, "200 OK", "{}"},
        {PROVIDER_PAGE_BAD_REQUEST, "400 Bad Request",
         "{\"error\":{\"message\":\"the request came damaged\","
         "\"type\":\"invalid_request_error\",\"param\":null,\"code\":null}}"},
        {PROVIDER_PAGE_NOT_FOUND, "404 Not Found",
         "{\"error\":{\"message\":\"no such path\",\"type\":\"invalid_request_error\","
         "\"param\":null,\"code\":null}}"},
        {PROVIDER_PAGE_CONFLICT, "409 Conflict", "{\"detail\":\"answers are under way\"}"},
    };
    for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++)
        render_page(&provider->pages[pages[i].page], pages[i].status, pages[i].body);
    render_stream(&provider->stream, provider->settings.events, false);
    render_stream(&provider->stream_with_usage, provider->settings.events, true);
}

static void render_stats(struct provider *provider)
{
    const struct provider_stats *stats = &provider->stats;
    const struct {
        const char *name;
        uint64_t value;
    } figures[] = {
        {"requests", stats->requests}, {"unary", stats->unary}, {"streams", stats->streams},
        {"events", stats->events},     {"bad", stats->bad},     {"aborted", stats->aborted},
        {"accepted", stats->accepted}, {"open", stats->open},   {"busy", stats->busy},
    };
    struct buffer body;
    buffer_init(&body, 4096);
    for (size_t i = 0; i < sizeof(figures) / sizeof(figures[0]); i++)
        buffer_printf(&body, "%s\"%s\":%" PRIu64, i == 0 ? "{" : ",", figures[i].name,
                      figures[i].value);
    buffer_append(&body, slice_of("}", 2)); /* with the zero that ends a C string */
    render_page(&provider->pages[PROVIDER_PAGE_STATS], "200 OK", body.data);
    buffer_fini(&body);
}

/* --- Choosing ------------------------------------------------------------------------------- */

static struct provider_answer page_answer(struct provider *provider, enum provider_page page)
{
    return (struct provider_answer){.form = &provider->pages[page]};
}

static bool body_has(struct slice body, struct slice member)
{
    return slice_find(body, member) < body.size;
}

static struct provider_answer answer_chat(struct provider *provider, struct slice body)
{
    struct provider_stats *stats = &provider->stats;
    struct ticket ticket;
    stats->requests++;
    if (!script_check_request(body, &ticket)) {
        stats->bad++;
        return page_answer(provider, PROVIDER_PAGE_BAD_REQUEST);
    }
    /* What says so stands after the prompt or shortly before it: the prompt is not searched. */
    const size_t tail_at = body.size > 256 ? body.size - 256 : 0;
    const struct slice tail = slice_from(body, tail_at);
    const struct slice begin = slice_of(body.data, tail_at < 256 ? tail_at : 256);
    struct provider_answer answer = page_answer(provider, PROVIDER_PAGE_ANSWER);
    if (body_has(tail, SLICE("\"stream\":true")) || body_has(begin, SLICE("\"stream\":true"))) {
        const bool usage = body_has(tail, SLICE("\"include_usage\":true")) ||
                           body_has(begin, SLICE("\"include_usage\":true"));
        answer.stream = usage ? &provider->stream_with_usage : &provider->stream;
        answer.form = &answer.stream->form;
        stats->streams++;
    } else {
        stats->unary++;
    }
    answer.ticket = ticket;
    return answer;
}

/* Reads `name=NUMBER` of a query; keeps the value when it is absent. */
static void read_setting(struct slice query, struct slice name, uint64_t *value)
{
    const size_t at = slice_find(query, name);
    if (at == query.size)
        return;
    const struct slice rest = slice_from(query, at + name.size);
    size_t size = 0;
    while (size < rest.size && rest.data[size] >= '0' && rest.data[size] <= '9')
        size++;
    uint64_t found;
    if (slice_to_u64(slice_of(rest.data, size), &found) == STATUS_OK && found <= 1000000)
        *value = found;
}

static struct provider_answer answer_control(struct provider *provider, struct slice head)
{
    const struct slice line = slice_of(head.data, slice_find_byte(head, '\r'));
    if (provider->stats.busy > 0)
        return page_answer(provider, PROVIDER_PAGE_CONFLICT);
    read_setting(line, SLICE("events="), &provider->settings.events);
    read_setting(line, SLICE("pace-ms="), &provider->settings.pace_ms);
    read_setting(line, SLICE("delay-ms="), &provider->settings.delay_ms);
    provider_render(provider);
    return page_answer(provider, PROVIDER_PAGE_OK);
}

struct provider_answer provider_answer_to(struct provider *provider, struct slice head,
                                          struct slice body)
{
    if (slice_starts_with(head, SLICE("POST /v1/chat/completions ")))
        return answer_chat(provider, body);
    if (slice_starts_with(head, SLICE("GET /v1/models ")))
        return page_answer(provider, PROVIDER_PAGE_MODELS);
    if (slice_starts_with(head, SLICE("GET /control?")))
        return answer_control(provider, head);
    if (slice_starts_with(head, SLICE("GET /stats "))) {
        render_stats(provider);
        return page_answer(provider, PROVIDER_PAGE_STATS);
    }
    return page_answer(provider, PROVIDER_PAGE_NOT_FOUND);
}
