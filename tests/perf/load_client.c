#include "load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "process.h"

#define READ_BYTES     ((size_t)256 << 10)
#define COMPLAINTS_MAX 5

/* --- Connecting ----------------------------------------------------------------------------- */

/* Waits for the connection, at most two seconds: on this machine it is there at once. */
static bool connect_client(struct load *load, struct load_client *client)
{
    const struct sockaddr_in address = {.sin_family = AF_INET,
                                        .sin_port = htons((uint16_t)load->options.port),
                                        .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const struct timeval patience = {.tv_sec = 2};
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        process_fail("load: socket");
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) != 0) {
        close(fd);
        return false;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    fcntl(fd, F_SETFL, O_NONBLOCK);
    process_watch(load->epoll_fd, EPOLL_CTL_ADD, fd, EPOLLIN, client);
    client->fd = fd;
    client->is_reused = client->watches_writing = false;
    return true;
}

static void disconnect_client(struct load_client *client)
{
    if (client->fd >= 0)
        close(client->fd);
    client->fd = -1;
    buffer_clear(&client->rest);
}

/* --- Ends of a request ---------------------------------------------------------------------- */

static void complain(const struct load *load, const struct load_client *client,
                     enum load_outcome outcome)
{
    static const char *const words[LOAD_OUTCOME_COUNT] = {
        [LOAD_OUTCOME_REFUSED] = "no connection", [LOAD_OUTCOME_BAD_STATUS] = "bad status",
        [LOAD_OUTCOME_BROKEN] = "broken",         [LOAD_OUTCOME_LOST] = "an event is lost",
        [LOAD_OUTCOME_REORDERED] = "reordered",   [LOAD_OUTCOME_DAMAGED] = "damaged",
        [LOAD_OUTCOME_MIXED_UP] = "mixed up",     [LOAD_OUTCOME_TIMED_OUT] = "timed out",
    };
    static unsigned complaints;
    if (complaints++ < COMPLAINTS_MAX)
        fprintf(stderr, "load: port %u: %s (status %u, after %zu bytes and %zu events)\n",
                (unsigned)load->options.port, words[outcome], client->message.status,
                client->body_bytes, client->events);
}

static void end_request(struct load *load, struct load_client *client, enum load_outcome outcome)
{
    load->totals.outcomes[outcome]++;
    load->totals.last_end_ns = load->now_ns;
    if (outcome == LOAD_OUTCOME_OK)
        histogram_add(&load->totals.latency_ns, load->now_ns - client->due_ns);
    else
        complain(load, client, outcome);
    if (outcome != LOAD_OUTCOME_OK || client->message.is_last)
        disconnect_client(client);
    client->is_busy = false;
    client->is_reused = true;
    load->busy_count--;
    load->idle[load->idle_count++] = client;
}

/* --- Sending -------------------------------------------------------------------------------- */

static void end_broken(struct load *load, struct load_client *client);

static void send_request(struct load *load, struct load_client *client)
{
    const enum status status = form_send(&load->request, &client->ticket, client->fd,
                                         load->request.text.size, &client->sent);
    if (status == STATUS_IO) {
        end_broken(load, client);
    } else if ((status == STATUS_AGAIN) != client->watches_writing) {
        client->watches_writing = status == STATUS_AGAIN;
        process_watch(load->epoll_fd, EPOLL_CTL_MOD, client->fd,
                      client->watches_writing ? EPOLLIN | EPOLLOUT : EPOLLIN, client);
    }
}

static void begin_sending(struct load *load, struct load_client *client)
{
    message_init(&client->message, true);
    buffer_clear(&client->rest);
    client->sent = client->body_bytes = client->events = 0;
    if (client->fd < 0 && !connect_client(load, client))
        end_request(load, client, LOAD_OUTCOME_REFUSED);
    else
        send_request(load, client);
}

/* A kept connection may be closed by the other side just as the request leaves: such a request is
 * sent once more, as every HTTP client does. */
static void end_broken(struct load *load, struct load_client *client)
{
    const bool has_begun = client->message.part != MESSAGE_PART_HEAD || client->rest.size > 0;
    if (!client->is_reused || has_begun || client->is_retried) {
        end_request(load, client, LOAD_OUTCOME_BROKEN);
        return;
    }
    load->totals.retries++;
    client->is_retried = true;
    disconnect_client(client);
    begin_sending(load, client);
}

void load_client_start(struct load *load, struct load_client *client, uint64_t due_ns)
{
    load->totals.started++;
    load->busy_count++;
    client->is_busy = true;
    client->is_retried = false;
    client->due_ns = due_ns;
    client->ticket = ticket_of(load->next_ticket++);
    client->ticket.key = load_next_key(load);
    begin_sending(load, client);
}

/* --- Checking ------------------------------------------------------------------------------- */

/* Events are counted where they end in the expected text. */
static void count_events(struct load *load, struct load_client *client)
{
    const struct script_stream *stream = &load->stream;
    while (client->events < stream->count && stream->ends[client->events] <= client->body_bytes) {
        if (client->events == 0)
            histogram_add(&load->totals.first_event_ns, load->now_ns - client->due_ns);
        else
            histogram_add(&load->totals.gap_ns, load->now_ns - client->last_event_ns);
        client->last_event_ns = load->now_ns;
        client->events++;
        load->totals.events++;
    }
}

static struct slice common_part(const struct form *expected, const struct load_client *client,
                                struct slice body)
{
    size_t size = 0;
    while (size < body.size && form_matches(expected, &client->ticket, client->body_bytes + size,
                                            slice_of(body.data + size, 1)))
        size++;
    return slice_of(body.data, size);
}

/* Says what is wrong with a body that differs from the expected text somewhere in `body`. */
static enum load_outcome judge(const struct load *load, const struct form *expected,
                               struct load_client *client, struct slice body)
{
    const size_t same = common_part(expected, client, body).size;
    const size_t at = client->body_bytes + same;
    if (at >= expected->blank_at && at < expected->blank_at + TICKET_DIGITS)
        return LOAD_OUTCOME_MIXED_UP;
    if (!load->options.stream)
        return LOAD_OUTCOME_DAMAGED;
    const struct script_stream *stream = &load->stream;
    size_t event = client->events;
    while (event < stream->count && stream->ends[event] <= at)
        event++;
    const size_t begin = event > 0 ? stream->ends[event - 1] : 0;
    const size_t skipped = begin > client->body_bytes ? begin - client->body_bytes : 0;
    const long number = script_event_number(slice_from(body, skipped));
    const long wanted = (long)event - 1;
    if (number < 0 || number == wanted)
        return LOAD_OUTCOME_DAMAGED;
    return number > wanted ? LOAD_OUTCOME_LOST : LOAD_OUTCOME_REORDERED;
}

/* Takes bytes of the body. False: the request ended because of them. */
static bool take_body(struct load *load, struct load_client *client, struct slice body)
{
    const struct form *expected = load->options.stream ? &load->stream.form : &load->answer;
    load->totals.bytes += body.size;
    if (client->message.status != 200)
        return true;
    if (!form_matches(expected, &client->ticket, client->body_bytes, body)) {
        end_request(load, client, judge(load, expected, client, body));
        return false;
    }
    client->body_bytes += body.size;
    if (load->options.stream)
        count_events(load, client);
    return true;
}

static void end_complete(struct load *load, struct load_client *client)
{
    const struct form *expected = load->options.stream ? &load->stream.form : &load->answer;
    enum load_outcome outcome = LOAD_OUTCOME_OK;
    if (client->message.status != 200)
        outcome = LOAD_OUTCOME_BAD_STATUS;
    else if (client->body_bytes != expected->text.size)
        outcome = LOAD_OUTCOME_LOST;
    end_request(load, client, outcome);
}

/* --- Reading -------------------------------------------------------------------------------- */

static void take_bytes(struct load *load, struct load_client *client, struct slice bytes)
{
    while (bytes.size > 0) {
        struct slice body;
        size_t used;
        const enum status status = message_take(&client->message, bytes, &used, &body);
        if (status == STATUS_AGAIN) {
            if (buffer_append(&client->rest, bytes) != STATUS_OK)
                end_request(load, client, LOAD_OUTCOME_DAMAGED);
            return;
        }
        if (status != STATUS_OK) {
            end_request(load, client, LOAD_OUTCOME_DAMAGED);
            return;
        }
        if (body.size > 0 && !take_body(load, client, body))
            return;
        bytes = slice_from(bytes, used);
        if (client->message.part == MESSAGE_PART_DONE) {
            if (bytes.size > 0)
                client->message.is_last = true; /* more than was asked for */
            end_complete(load, client);
            return;
        }
    }
}

static void end_by_peer(struct load *load, struct load_client *client)
{
    if (!client->is_busy) {
        disconnect_client(client);
        load->totals.reconnects++;
    } else if (client->message.part == MESSAGE_PART_UNTIL_CLOSE) {
        client->message.is_last = true;
        end_complete(load, client);
    } else {
        end_broken(load, client);
    }
}

/* What is left of the last read goes in front of what is read now. */
static void read_answer(struct load *load, struct load_client *client)
{
    static char area[LOAD_REST_BYTES_MAX + READ_BYTES];
    const size_t rest = client->rest.size;
    if (rest > 0)
        memcpy(area, client->rest.data, rest);
    const ssize_t got = read(client->fd, area + rest, READ_BYTES);
    if (got < 0 && errno == EAGAIN)
        return;
    if (got <= 0) {
        end_by_peer(load, client);
    } else if (!client->is_busy) {
        disconnect_client(client); /* bytes that nobody asked for */
    } else {
        buffer_clear(&client->rest);
        take_bytes(load, client, slice_of(area, rest + (size_t)got));
    }
}

void load_client_continue(struct load *load, struct load_client *client, uint32_t epoll_events)
{
    if (client->fd >= 0 && client->is_busy && (epoll_events & EPOLLOUT) != 0)
        send_request(load, client);
    if (client->fd >= 0 && (epoll_events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0)
        read_answer(load, client);
}

void load_client_check_time(struct load *load, struct load_client *client)
{
    const uint64_t limit_ns = load->options.timeout_ms * NS_PER_MS;
    if (client->is_busy && load->now_ns > client->due_ns + limit_ns)
        end_request(load, client, LOAD_OUTCOME_TIMED_OUT);
}
