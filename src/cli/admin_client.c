#include "cli/admin_client.h"

#include <stdio.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "admin/context.h"
#include "admin/operations.h"
#include "base/alloc.h"
#include "base/clock.h"
#include "cli/data_lock.h"
#include "cli/http_call.h"
#include "cli/store_part.h"
#include "gateway/snapshot.h"

#define CALL_MS        30000 /* for an answer of the server */
#define POLL_MS        50    /* between two looks at who owns the data directory */
#define PATH_BYTES     3000
#define HEAD_BYTES_MAX ((size_t)256 << 10)
#define TAG_BYTES      64 /* longer than any of weir's */

struct admin_client {
    struct sockaddr_un address; /* of the server's socket; an empty path: none can be there */
    bool has_server;
    struct data_lock lock;
    char tag[TAG_BYTES]; /* of the object in the last answer of a server; empty: it has none */
    bool must_match;     /* the next call */
    struct admin_context *context; /* without a server */
    struct snapshot *snapshot;     /* for the context; may be NULL */
};

/* --- Opening ------------------------------------------------------------------------------------- */

static uint64_t deadline_after(uint64_t wait_ms)
{
    return clock_monotonic_ns() + wait_ms * NS_PER_MS;
}

/* STATUS_CLOSED: no server. A socket that nobody listens on is left from one that was killed. */
static enum status find_server(struct admin_client *client, struct reason *reason)
{
    int fd;
    const char *path = client->address.sun_path;
    if (path[0] == '\0')
        return STATUS_CLOSED;
    const enum status status =
        http_call_connect((const struct sockaddr *)&client->address, sizeof(client->address),
                          deadline_after(CALL_MS), &fd);
    if (status == STATUS_OK) {
        close(fd);
        client->has_server = true;
        return STATUS_OK;
    }
    if (status != STATUS_DENIED)
        return STATUS_CLOSED;
    reason_set(reason, "%s may not be opened: run this as the user who runs weir", path);
    return STATUS_DENIED;
}

/* A directory that no server has used is not one of weir's, and gets no file of ours. */
static enum status check_data_dir(const char *data_dir, struct reason *reason)
{
    static const char *const names[] = {"lock", "weir.db"};
    char path[PATH_BYTES];
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        snprintf(path, sizeof(path), "%s/%s", data_dir, names[i]);
        if (access(path, F_OK) == 0)
            return STATUS_OK;
    }
    if (access(data_dir, X_OK) != 0 && access(data_dir, F_OK) == 0) {
        reason_set(reason, "%s may not be opened: run this as the user who runs weir", data_dir);
        return STATUS_DENIED;
    }
    reason_set(reason,
               "there is no data directory at %s: start `weir serve` once, or name another with "
               "--data-dir",
               data_dir);
    return STATUS_NOT_FOUND;
}

static enum status open_context(struct admin_client *client, const char *data_dir,
                                struct reason *reason)
{
    const enum status status = data_lock_take(data_dir, &client->lock, reason);
    if (status != STATUS_OK)
        return status;
    const struct admin_config config = {.data_dir = data_dir};
    return admin_context_open(&config, &client->context, reason);
}

static enum status find_server_or_open(struct admin_client *client, const char *data_dir,
                                       struct reason *reason)
{
    const enum status status = find_server(client, reason);
    return status == STATUS_CLOSED ? open_context(client, data_dir, reason) : status;
}

enum status admin_client_open(const char *data_dir, uint64_t wait_ms,
                              struct admin_client **client_out, struct reason *reason)
{
    const struct timespec pause = {.tv_nsec = POLL_MS * (long)NS_PER_MS};
    const uint64_t deadline_ns = deadline_after(wait_ms);
    struct admin_client *client = alloc_zeroed(1, sizeof(*client));
    if (client == NULL) {
        reason_set(reason, "out of memory");
        return STATUS_NO_MEMORY;
    }
    client->lock.fd = -1;
    client->address.sun_family = AF_UNIX;
    const size_t room = sizeof(client->address.sun_path);
    if ((size_t)snprintf(client->address.sun_path, room, "%s/admin.sock", data_dir) >= room)
        client->address.sun_path[0] = '\0';
    enum status status = check_data_dir(data_dir, reason);
    if (status == STATUS_OK)
        status = find_server_or_open(client, data_dir, reason);
    while (status == STATUS_EXISTS && clock_monotonic_ns() < deadline_ns) {
        nanosleep(&pause, NULL);
        status = find_server_or_open(client, data_dir, reason);
    }
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
    snapshot_unref(&(*client)->snapshot);
    data_lock_release(&(*client)->lock);
    alloc_free(*client);
    *client = NULL;
}

bool admin_client_has_server(const struct admin_client *client)
{
    return client->has_server;
}

enum status admin_client_use(struct admin_client *client, const struct config **config,
                             struct reason *reason)
{
    enum status status = store_part_look(client->context->store, config, reason);
    if (status == STATUS_OK)
        status = snapshot_create_for_prices(config, &client->snapshot, reason);
    else
        config_unref(config);
    if (status == STATUS_OK)
        client->context->snapshot = client->snapshot;
    return status;
}

/* --- Calling ------------------------------------------------------------------------------------- */

static void keep_tag(struct admin_client *client, const struct http_response_head *head)
{
    const struct http_header *field = http_fields_find(&head->fields, SLICE("etag"));
    client->tag[0] = '\0';
    if (field != NULL && field->value.size < sizeof(client->tag))
        snprintf(client->tag, sizeof(client->tag), "%.*s", SLICE_ARGS(field->value));
}

static unsigned call_server(struct admin_client *client, const struct http_call *call,
                            struct buffer *answer, struct reason *reason)
{
    struct arena arena;
    struct http_response_head head = {0};
    int fd;
    arena_init(&arena, NULL, 0, HEAD_BYTES_MAX);
    enum status status = http_call_connect((const struct sockaddr *)&client->address,
                                           sizeof(client->address), call->deadline_ns, &fd);
    if (status == STATUS_OK) {
        status = http_call_run(fd, call, answer, &arena, &head);
        close(fd);
    }
    if (status == STATUS_OK)
        keep_tag(client, &head);
    if (status != STATUS_OK)
        reason_set(reason, "the server at %s did not answer: %s", client->address.sun_path,
                   status_name(status));
    arena_fini(&arena);
    return status == STATUS_OK ? head.status : 0;
}

void admin_client_match(struct admin_client *client)
{
    client->must_match = true;
}

unsigned admin_client_call(struct admin_client *client, struct slice method, struct slice path,
                           struct slice body, struct buffer *answer, struct reason *reason)
{
    buffer_clear(answer);
    if (!client->has_server)
        return admin_operate(client->context, method, path, body, answer);
    char field[TAG_BYTES + sizeof("if-match: \r\n")] = "";
    int size = 0;
    if (client->must_match && client->tag[0] != '\0')
        size = snprintf(field, sizeof(field), "if-match: %s\r\n", client->tag);
    client->must_match = false;
    const struct http_call call = {.method = method,
                                   .target = path,
                                   .fields = slice_of(field, (size_t)size),
                                   .body = body,
                                   .deadline_ns = deadline_after(CALL_MS)};
    return call_server(client, &call, answer, reason);
}
