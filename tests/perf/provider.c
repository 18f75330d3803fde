/* provider - a model provider for measuring gateways: `provider --port N`.
 *
 *   POST /v1/chat/completions   an answer, or a stream of events ("stream": true)
 *   GET  /v1/models             one model
 *   GET  /stats                 what arrived since the start
 *   GET  /control?events=N&pace-ms=N&delay-ms=N
 *                               other settings; 409 while answers are under way
 *
 * Every body is read to its end and its prompt is checked, so a gateway gains nothing by damaging
 * what it forwards. A connection is watched for reading all the time, for writing only while the
 * socket is full. What waits for its time (the delay of an answer, the pace of a stream) stands in
 * one list by due time; since nearly all wait equally long, the place for a new one is at its end
 * or close to it. */
#include "provider.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/clock.h"
#include "message.h"
#include "process.h"

#define EVENTS_PER_WAIT 512
#define READ_BYTES      ((size_t)256 << 10)
#define BODY_BYTES_MAX  ((size_t)64 << 20)
#define REST_BYTES_MAX  ((size_t)64 << 10)
#define LINE_BYTES_MAX  128

struct connection {
    int fd;
    bool watches_writing;

    struct message message;
    struct buffer rest;        /* a head or a line of which more must come */
    struct buffer body;        /* a body that did not come in one piece */
    char line[LINE_BYTES_MAX]; /* the request line */
    size_t line_size;

    struct provider_answer answer; /* .form is NULL while there is none */
    size_t next_event;
    size_t sent, released; /* bytes; what is released may be sent */

    struct list_node waiting;
    uint64_t due_ns;
};

/* --- Connections ---------------------------------------------------------------------------- */

static void connection_destroy(struct provider *provider, struct connection *connection)
{
    if (connection->answer.form != NULL) {
        provider->stats.busy--;
        provider->stats.aborted++;
    }
    provider->stats.open--;
    list_remove(&connection->waiting);
    close(connection->fd);
    buffer_fini(&connection->rest);
    buffer_fini(&connection->body);
    alloc_free(connection);
}

static void accept_connections(struct provider *provider, int listen_fd)
{
    int fd;
    while ((fd = accept4(listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        struct connection *connection = alloc_zeroed(1, sizeof(*connection));
        ASSERT(connection != NULL);
        connection->fd = fd;
        message_init(&connection->message, false);
        buffer_init(&connection->rest, REST_BYTES_MAX);
        buffer_init(&connection->body, BODY_BYTES_MAX);
        list_init(&connection->waiting);
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
        process_watch(provider->epoll_fd, EPOLL_CTL_ADD, fd, EPOLLIN, connection);
        provider->stats.accepted++;
        provider->stats.open++;
    }
}

static void watch_writing(struct provider *provider, struct connection *connection, bool wanted)
{
    if (connection->watches_writing == wanted)
        return;
    connection->watches_writing = wanted;
    process_watch(provider->epoll_fd, EPOLL_CTL_MOD, connection->fd,
                  wanted ? EPOLLIN | EPOLLOUT : EPOLLIN, connection);
}

/* --- Answering ------------------------------------------------------------------------------ */

static void wait_until(struct provider *provider, struct connection *connection, uint64_t due_ns)
{
    struct list_node *last = provider->waiting.previous;
    while (last != &provider->waiting &&
           LIST_ENTRY(last, struct connection, waiting)->due_ns > due_ns)
        last = last->previous;
    connection->due_ns = due_ns;
    list_insert_before(last->next, &connection->waiting);
}

/* Releases the next part of the answer: all of it or, if the stream is paced, an event. */
static void release(struct provider *provider, struct connection *connection)
{
    const struct script_stream *stream = connection->answer.stream;
    if (stream == NULL || provider->settings.pace_ms == 0) {
        connection->released = connection->answer.form->text.size;
        provider->stats.events += stream != NULL ? stream->count : 0;
        return;
    }
    connection->released = stream->ends[connection->next_event++];
    provider->stats.events++;
    if (connection->next_event < stream->count) {
        const uint64_t pace_ns = provider->settings.pace_ms * NS_PER_MS;
        const uint64_t due_ns = connection->due_ns + pace_ns;
        wait_until(provider, connection, due_ns > provider->now_ns ? due_ns : provider->now_ns);
    } else {
        connection->released = connection->answer.form->text.size;
    }
}

/* Sends what is released. False: the connection is broken. */
static bool send_released(struct provider *provider, struct connection *connection)
{
    const struct provider_answer *answer = &connection->answer;
    const enum status status = form_send(answer->form, &answer->ticket, connection->fd,
                                         connection->released, &connection->sent);
    if (status == STATUS_IO)
        return false;
    watch_writing(provider, connection, status == STATUS_AGAIN);
    if (connection->sent == answer->form->text.size) {
        connection->answer.form = NULL;
        provider->stats.busy--;
    }
    return true;
}

static bool begin_answer(struct provider *provider, struct connection *connection,
                         struct provider_answer answer)
{
    const bool is_chat =
        answer.stream != NULL || answer.form == &provider->pages[PROVIDER_PAGE_ANSWER];
    connection->answer = answer;
    connection->sent = connection->released = connection->next_event = 0;
    provider->stats.busy++;
    if (is_chat && provider->settings.delay_ms > 0) {
        wait_until(provider, connection,
                   provider->now_ns + provider->settings.delay_ms * NS_PER_MS);
        return true;
    }
    connection->due_ns = provider->now_ns;
    release(provider, connection);
    return send_released(provider, connection);
}

static void release_due(struct provider *provider)
{
    while (!list_is_empty(&provider->waiting)) {
        struct connection *first = LIST_ENTRY(provider->waiting.next, struct connection, waiting);
        if (first->due_ns > provider->now_ns)
            return;
        list_remove(&first->waiting);
        release(provider, first);
        if (!send_released(provider, first))
            connection_destroy(provider, first);
    }
}

/* --- Requests ------------------------------------------------------------------------------- */

static void keep_line(struct connection *connection)
{
    const struct slice head = connection->message.head;
    const size_t size = slice_find_byte(head, '\r');
    connection->line_size = size < LINE_BYTES_MAX ? size : LINE_BYTES_MAX;
    memcpy(connection->line, head.data, connection->line_size);
}

/* The request is complete; `piece` is its body, or the last piece of it. */
static bool answer_request(struct provider *provider, struct connection *connection,
                           struct slice piece)
{
    struct slice body = piece;
    if (connection->body.size > 0) {
        buffer_append(&connection->body, piece);
        body = buffer_slice(&connection->body);
    }
    const struct provider_answer answer =
        provider_answer_to(provider, slice_of(connection->line, connection->line_size), body);
    buffer_clear(&connection->body);
    message_init(&connection->message, false);
    return begin_answer(provider, connection, answer);
}

/* Takes one step through the bytes. STATUS_OK, STATUS_AGAIN more must come, else the connection
 * ends. */
static enum status take_step(struct provider *provider, struct connection *connection,
                             struct slice *bytes)
{
    struct message *message = &connection->message;
    const bool is_head = message->part == MESSAGE_PART_HEAD;
    struct slice piece;
    size_t used;
    const enum status status = message_take(message, *bytes, &used, &piece);
    if (status != STATUS_OK)
        return status;
    *bytes = slice_from(*bytes, used);
    if (is_head)
        keep_line(connection);
    if (message->part == MESSAGE_PART_DONE)
        return answer_request(provider, connection, piece) ? STATUS_OK : STATUS_IO;
    if (piece.size > 0)
        buffer_append(&connection->body, piece);
    return buffer_status(&connection->body);
}

static bool take_bytes(struct provider *provider, struct connection *connection, struct slice bytes)
{
    if (connection->answer.form != NULL) { /* gateways do not pipeline */
        provider->stats.bad++;
        return false;
    }
    enum status status = STATUS_OK;
    while (status == STATUS_OK && bytes.size > 0)
        status = take_step(provider, connection, &bytes);
    if (status == STATUS_AGAIN)
        status = buffer_append(&connection->rest, bytes);
    if (status != STATUS_OK && status != STATUS_IO)
        provider->stats.bad++;
    return status == STATUS_OK;
}

/* What is left of the last read goes in front of what is read now. */
static bool read_request(struct provider *provider, struct connection *connection)
{
    static char area[REST_BYTES_MAX + READ_BYTES];
    const size_t rest = connection->rest.size;
    if (rest > 0)
        memcpy(area, connection->rest.data, rest);
    const ssize_t got = read(connection->fd, area + rest, READ_BYTES);
    if (got < 0 && errno == EAGAIN)
        return true;
    if (got <= 0)
        return false;
    buffer_clear(&connection->rest);
    return take_bytes(provider, connection, slice_of(area, rest + (size_t)got));
}

/* --- The loop ------------------------------------------------------------------------------- */

static void serve_connection(struct provider *provider, struct connection *connection,
                             uint32_t events)
{
    bool is_whole = true;
    if ((events & EPOLLOUT) != 0 && connection->answer.form != NULL)
        is_whole = send_released(provider, connection);
    if (is_whole && (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0)
        is_whole = read_request(provider, connection);
    if (!is_whole)
        connection_destroy(provider, connection);
}

/* Until the first that waits is due, but a minute at most. */
static struct timespec time_left(const struct provider *provider)
{
    uint64_t left_ns = 60 * MS_PER_S * NS_PER_MS;
    if (!list_is_empty(&provider->waiting)) {
        const uint64_t due_ns =
            LIST_ENTRY(provider->waiting.next, struct connection, waiting)->due_ns;
        left_ns = due_ns > provider->now_ns ? due_ns - provider->now_ns : 0;
    }
    return process_timespec(left_ns);
}

static void serve(struct provider *provider, int listen_fd)
{
    struct epoll_event events[EVENTS_PER_WAIT];
    process_watch(provider->epoll_fd, EPOLL_CTL_ADD, listen_fd, EPOLLIN, NULL);
    for (;;) {
        provider->now_ns = clock_monotonic_ns();
        release_due(provider);
        const struct timespec timeout = time_left(provider);
        const int count = epoll_pwait2(provider->epoll_fd, events, EVENTS_PER_WAIT, &timeout, NULL);
        provider->now_ns = clock_monotonic_ns();
        for (int i = 0; i < count; i++) {
            if (events[i].data.ptr == NULL)
                accept_connections(provider, listen_fd);
            else
                serve_connection(provider, events[i].data.ptr, events[i].events);
        }
    }
}

/* --- Start ---------------------------------------------------------------------------------- */

static int listen_on(uint16_t port)
{
    const struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    if (fd < 0 || bind(fd, (const struct sockaddr *)&address, sizeof(address)) != 0 ||
        listen(fd, 4096) != 0)
        process_fail("provider: cannot listen");
    return fd;
}

int main(int argc, char **argv)
{
    struct provider provider = {.settings = {.events = 200}};
    uint64_t port = 0;
    const struct process_option options[] = {
        {"port", .number = &port},
        {"events", .number = &provider.settings.events},
        {"pace-ms", .number = &provider.settings.pace_ms},
        {"delay-ms", .number = &provider.settings.delay_ms},
    };
    process_read_options(argc, argv, options, sizeof(options) / sizeof(options[0]));
    if (port == 0 || port > UINT16_MAX)
        process_fail("usage: provider --port N [--events N] [--pace-ms N] [--delay-ms N]");
    process_prepare();
    list_init(&provider.waiting);
    provider_render(&provider);
    provider.epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    serve(&provider, listen_on((uint16_t)port));
}
