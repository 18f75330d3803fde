#include "cli/admin_client.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "admin/context.h"
#include "admin/operations.h"
#include "base/alloc.h"
#include "cli/data_lock.h"
#include "http/response_head.h"

struct admin_client {
    struct sockaddr_un address; /* of the server's socket */
    bool has_server;
    struct data_lock lock;
    struct admin_context *context;
};

/* --- A running server --------------------------------------------------------------------------------------- */

static int connect_to(const struct sockaddr_un *address)
{
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0)
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

static bool send_all(int fd, struct slice bytes)
{
    while (bytes.size > 0) {
        const ssize_t sent = send(fd, bytes.data, bytes.size, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent <= 0)
            return false;
        bytes = slice_from(bytes, (size_t)sent);
    }
    return true;
}

static bool receive_all(int fd, struct buffer *answer)
{
    for (;;) {
        if (buffer_reserve(answer, 16384) != STATUS_OK)
            return false;
        const ssize_t got = recv(fd, answer->data + answer->size, 16384, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return got == 0;
        answer->size += (size_t)got;
    }
}

/* The server closes after its answer, so what stands behind the head is the body. */
static unsigned split_answer(struct buffer *answer)
{
    unsigned status = 0;
    if (buffer_append_byte(answer, '\0') != STATUS_OK)
        return 0;
    const size_t head = slice_find(buffer_slice(answer), SLICE("\r\n\r\n"));
    status = http_status_of(buffer_slice(answer));
    if (head + 4 >= answer->size || status == 0)
        return 0;
    buffer_consume(answer, head + 4);
    answer->size--; /* the zero byte */
    return status;
}

static unsigned call_server(struct admin_client *client, struct slice method, struct slice path,
                            struct slice body, struct buffer *answer, struct reason *reason)
{
    struct buffer request;
    unsigned status = 0;
    buffer_init(&request, ADMIN_BODY_BYTES_MAX + 16384);
    buffer_printf(&request,
                  "%.*s %.*s HTTP/1.1\r\nHost: weir\r\nConnection: close\r\n"
                  "Content-Length: %zu\r\n\r\n",
                  SLICE_ARGS(method), SLICE_ARGS(path), body.size);
    buffer_append(&request, body);
    const int fd = connect_to(&client->address);
    if (fd >= 0 && buffer_status(&request) == STATUS_OK && send_all(fd, buffer_slice(&request)) &&
        receive_all(fd, answer))
        status = split_answer(answer);
    if (status == 0)
        reason_set(reason, "the server at %s did not answer", client->address.sun_path);
    if (fd >= 0)
        close(fd);
    buffer_fini(&request);
    return status;
}

/* ----------------------------------------------------------------------------------------------------------------- */

static enum status open_context(struct admin_client *client, const char *data_dir,
                                struct reason *reason)
{
    const enum status status = data_lock_take(data_dir, &client->lock, reason);
    if (status != STATUS_OK)
        return status;
    const struct admin_config config = {.data_dir = data_dir};
    return admin_context_open(&config, &client->context, reason);
}

enum status admin_client_open(const char *data_dir, struct admin_client **client_out,
                              struct reason *reason)
{
    struct admin_client *client = alloc_zeroed(1, sizeof(*client));
    struct stat found;
    if (client == NULL) {
        reason_set(reason, "out of memory");
        return STATUS_NO_MEMORY;
    }
    client->lock.fd = -1;
    client->address.sun_family = AF_UNIX;
    enum status status = STATUS_OK;
    if (stat(data_dir, &found) != 0) {
        reason_set(reason,
                   "there is no data directory at %s: start `weir serve` once, or name "
                   "another with --data-dir",
                   data_dir);
        status = STATUS_NOT_FOUND;
    }
    const int size = snprintf(client->address.sun_path, sizeof(client->address.sun_path),
                              "%s/admin.sock", data_dir);
    if (status == STATUS_OK && (size_t)size < sizeof(client->address.sun_path)) {
        const int fd = connect_to(&client->address);
        client->has_server = fd >= 0;
        if (fd >= 0)
            close(fd);
    }
    if (status == STATUS_OK && !client->has_server)
        status = open_context(client, data_dir, reason);
    if (status != STATUS_OK) {
        admin_client_close(&client);
        return status;
    }
    *client_out = client;
    return STATUS_OK;
}

void admin_client_close(struct admin_client **client)
{
    if (*client == NULL)
        return;
    admin_context_close(&(*client)->context);
    data_lock_release(&(*client)->lock);
    alloc_free(*client);
    *client = NULL;
}

unsigned admin_client_call(struct admin_client *client, struct slice method, struct slice path,
                           struct slice body, struct buffer *answer, struct reason *reason)
{
    buffer_clear(answer);
    if (client->has_server)
        return call_server(client, method, path, body, answer, reason);
    return admin_operate(client->context, method, path, body, answer);
}
