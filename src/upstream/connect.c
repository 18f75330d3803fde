#include "upstream/connect.h"

#include "base/assert.h"
#include "base/buffer.h"
#include "http/response_head.h"

#define PROXY_ANSWER_BYTES_MAX 8192

/* Says why a step did not end well, where the step itself leaves that to its caller. */
static enum status explain(enum status status, const char *step, struct slice host,
                           struct reason *reason)
{
    if (status == STATUS_TIMED_OUT)
        reason_set(reason, "%s %.*s took too long", step, SLICE_ARGS(host));
    else if (status == STATUS_CLOSED)
        reason_set(reason, "%s %.*s failed: the connection was closed", step, SLICE_ARGS(host));
    else if (status == STATUS_CANCELLED)
        reason_set(reason, "%s %.*s was given up: the client went away", step, SLICE_ARGS(host));
    else if (status == STATUS_NO_MEMORY)
        reason_set(reason, "out of memory");
    return status;
}

/* --- Addresses -------------------------------------------------------------------------------- */

/* Each address gets its share of the time that is left, so that one that does not answer leaves
 * some for the next. */
static uint64_t share_of(const struct loop *loop, uint64_t deadline_ms, unsigned addresses_left)
{
    const uint64_t now_ms = loop_now_ms(loop);
    return deadline_ms <= now_ms ? now_ms : now_ms + (deadline_ms - now_ms) / addresses_left;
}

/* The very address that is connected to then: nothing is resolved a second time. */
static bool may_connect(const struct upstream_endpoint *endpoint, const struct address *address,
                        struct reason *reason)
{
    const struct upstream_endpoint_config *config = &endpoint->config;
    return config->may_connect == NULL ||
           config->may_connect(config->may_connect_context, address, reason);
}

static enum status connect_to(struct upstream_endpoint *endpoint, struct socket *socket,
                              struct slice host, uint16_t port, uint64_t deadline_ms,
                              struct reason *reason)
{
    struct dns_answer answer;
    *socket = (struct socket){.fd = -1};
    enum status status = dns_resolve(endpoint->dns, host, port, deadline_ms, &answer, reason);
    if (status != STATUS_OK)
        return explain(status, "resolving", host, reason);
    for (unsigned i = 0; i < answer.count; i++) {
        if (!may_connect(endpoint, &answer.addresses[i], reason)) {
            status = STATUS_DENIED;
            continue;
        }
        const uint64_t share_ms = share_of(endpoint->loop, deadline_ms, answer.count - i);
        status = socket_connect(socket, endpoint->loop, &answer.addresses[i], share_ms);
        if (status == STATUS_OK || status == STATUS_CANCELLED)
            return explain(status, "connecting to", host, reason);
    }
    if (status == STATUS_DENIED)
        return status;
    const char *why = status == STATUS_TIMED_OUT ? "no answer in time"
                      : status == STATUS_IO      ? "no descriptor is left"
                                                 : "refused or unreachable";
    reason_set(reason, "cannot connect to %.*s port %u: %s", SLICE_ARGS(host), port, why);
    return status;
}

/* --- Proxy (RFC 9110 section 9.3.6) ------------------------------------------------------------ */

static enum status ask_proxy(const struct upstream_endpoint *endpoint, struct socket *socket,
                             uint64_t deadline_ms)
{
    const struct upstream_endpoint_config *config = &endpoint->config;
    const bool is_v6 = slice_find_byte(config->host, ':') < config->host.size;
    const char *open = is_v6 ? "[" : "";
    const char *close = is_v6 ? "]" : "";
    const bool has_credentials = config->proxy.authorization.size > 0;
    struct buffer request;
    buffer_init(&request, PROXY_ANSWER_BYTES_MAX);
    buffer_printf(&request, "CONNECT %s%.*s%s:%u HTTP/1.1\r\nHost: %s%.*s%s:%u\r\n", open,
                  SLICE_ARGS(config->host), close, config->port, open, SLICE_ARGS(config->host),
                  close, config->port);
    if (has_credentials)
        buffer_printf(&request, "Proxy-Authorization: %.*s\r\n",
                      SLICE_ARGS(config->proxy.authorization));
    enum status status = buffer_append(&request, SLICE("\r\n"));
    struct iovec piece = {request.data, request.size};
    if (status == STATUS_OK) {
        const uint64_t now_ms = loop_now_ms(endpoint->loop);
        status = socket_write(socket, &piece, 1, deadline_ms > now_ms ? deadline_ms - now_ms : 0);
    }
    buffer_fini(&request);
    return status;
}

/* Reads byte by byte up to the blank line: what follows belongs to the tunnel. */
static enum status read_proxy_answer(struct socket *socket, uint64_t deadline_ms,
                                     struct reason *reason)
{
    char answer[1024];
    size_t size = 0, total = 0;
    uint32_t last = 0;
    while (last != 0x0d0a0d0a) { /* CR LF CR LF */
        char byte;
        size_t got;
        const enum status status = socket_read(socket, &byte, 1, deadline_ms, &got);
        if (status != STATUS_OK)
            return status;
        if (++total > PROXY_ANSWER_BYTES_MAX) {
            reason_set(reason, "the proxy's answer is too long");
            return STATUS_PROTOCOL;
        }
        if (size < sizeof(answer) - 1)
            answer[size++] = byte;
        last = last << 8 | (unsigned char)byte;
    }
    answer[size] = '\0';
    const unsigned code = http_status_of(slice_of(answer, size));
    if (code >= 200 && code < 300)
        return STATUS_OK;
    reason_set(reason, "the proxy refused the tunnel: %.*s", (int)strcspn(answer, "\r"), answer);
    return STATUS_PROTOCOL;
}

static enum status open_tunnel(struct upstream_endpoint *endpoint, struct socket *socket,
                               uint64_t deadline_ms, struct reason *reason)
{
    enum status status = ask_proxy(endpoint, socket, deadline_ms);
    if (status == STATUS_OK)
        status = read_proxy_answer(socket, deadline_ms, reason);
    return explain(status, "asking the proxy", endpoint->config.proxy.host, reason);
}

/* Who closes instead of shaking hands has refused them, whatever it says. */
static enum status shake_hands(struct upstream_endpoint *endpoint, struct socket *socket,
                               uint64_t deadline_ms, struct reason *reason)
{
    const struct upstream_endpoint_config *config = &endpoint->config;
    const enum status status = tls_connect(socket, config->tls, config->host.data,
                                           &endpoint->session, deadline_ms, reason);
    explain(status, "the TLS handshake with", config->host, reason);
    return status == STATUS_CLOSED ? STATUS_PROTOCOL : status;
}

/* ---------------------------------------------------------------------------------------------- */

enum status upstream_connect(struct upstream_endpoint *endpoint, struct socket *socket,
                             struct reason *reason)
{
    const struct upstream_endpoint_config *config = &endpoint->config;
    const bool has_proxy = config->proxy.host.size > 0;
    const struct slice host = has_proxy ? config->proxy.host : config->host;
    const uint16_t port = has_proxy ? config->proxy.port : config->port;
    const uint64_t deadline_ms = loop_deadline(endpoint->loop, config->connect_ms);

    enum status status = connect_to(endpoint, socket, host, port, deadline_ms, reason);
    if (status == STATUS_OK && has_proxy)
        status = open_tunnel(endpoint, socket, deadline_ms, reason);
    if (status == STATUS_OK && config->tls != NULL)
        status = shake_hands(endpoint, socket, deadline_ms, reason);
    if (status != STATUS_OK)
        socket_close(socket);
    return status;
}
