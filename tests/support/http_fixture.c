#include "support/http_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "http/answer.h"
#include "http/body_memory.h"
#include "http/shared.h"

#define BODY_MEMORY_MAX ((uint64_t)64 << 20)

/* --- Handlers --- */

void http_fixture_ok(struct http_exchange *exchange, struct http_fixture *fixture)
{
    (void)fixture;
    http_answer_begin(exchange, 200);
    const enum status status = http_answer_send(exchange, SLICE("ok"));
    (void)status;
}

void http_fixture_echo(struct http_exchange *exchange, struct http_fixture *fixture)
{
    struct http_body body;
    unsigned http_status = 0;
    enum status status = http_body_read(exchange, &body, &http_status, &fixture->last_reason);
    if (status != STATUS_OK) {
        fixture->last_status = http_status;
        if (http_status == 0)
            return;
        http_answer_begin(exchange, http_status);
        status = http_answer_send(exchange, slice_from_text(fixture->last_reason.text));
        return;
    }
    struct buffer text;
    buffer_init(&text, (size_t)16 << 20);
    buffer_printf(&text, "%.*s %.*s\n", SLICE_ARGS(exchange->head.method_text),
                  SLICE_ARGS(exchange->head.target));
    buffer_append(&text, body.bytes);
    http_body_free(&body);
    http_answer_begin(exchange, 200);
    status = http_answer_send(exchange, buffer_slice(&text));
    buffer_fini(&text);
}

/* --- Hooks --- */

static void handle(struct http_exchange *exchange, void *context)
{
    struct http_fixture *fixture = context;
    fixture->handled++;
    fixture->handle(exchange, fixture);
}

static void refuse(struct http_exchange *exchange, unsigned http_status, const char *reason,
                   void *context)
{
    struct http_fixture *fixture = context;
    fixture->refused++;
    fixture->last_status = http_status;
    reason_set(&fixture->last_reason, "%s", reason);
    http_answer_begin(exchange, http_status);
    const enum status status = http_answer_send(exchange, slice_from_text(reason));
    (void)status;
}

static void on_connection(int change, void *context)
{
    ((struct http_fixture *)context)->connections += change;
}

static void on_turned_away(enum http_turned_away why, void *context)
{
    ((struct http_fixture *)context)->turned_away[why]++;
}

/* --- Birth and death --- */

void http_fixture_open(struct http_fixture *fixture, void (*handler)(struct http_exchange *exchange,
                                                                     struct http_fixture *fixture))
{
    *fixture = (struct http_fixture){.handle = handler != NULL ? handler : http_fixture_echo};
    const struct http_server_hooks hooks = {.handle = handle,
                                            .refuse = refuse,
                                            .on_connection = on_connection,
                                            .on_turned_away = on_turned_away,
                                            .context = fixture};
    body_memory_set_max(BODY_MEMORY_MAX);
    fixture->loop = loop_fixture_create();
    fixture->scratch = alloc_bytes(sizeof(*fixture->scratch));
    assert_non_null(fixture->scratch);
    assert_int_equal(http_shared_create(&fixture->shared), STATUS_OK);
    http_server_init(&fixture->server, fixture->loop, fixture->scratch, fixture->shared, &hooks);
    fixture->server.limits = (struct http_server_limits){
        .header_bytes = 8192,
        .headers = 20,
        .body_bytes = 100000,
        .header_ms = 60000,
        .body_ms = 60000,
        .idle_ms = 60000,
        .write_ms = 60000,
    };
    http_fixture_connect(fixture, &fixture->client, NULL);
}

void http_fixture_connect(struct http_fixture *fixture, struct peer *client,
                          struct tls_context *tls)
{
    int fds[2];
    struct address address;
    peer_tcp_pair(fds);
    assert_int_equal(address_parse(SLICE("127.0.0.1"), 1, &address), STATUS_OK);
    peer_open(client, fixture->loop, fds[0]);
    http_server_accept(&fixture->server, fds[1], &address, tls);
}

static bool has_no_connection(void *argument)
{
    const struct http_fixture *fixture = argument;
    return fixture->server.connection_count == 0 && loop_task_count(fixture->loop) == 0;
}

void http_fixture_close(struct http_fixture *fixture)
{
    peer_close(&fixture->client);
    http_server_close_all(&fixture->server);
    loop_fixture_until(fixture->loop, has_no_connection, fixture);
    assert_int_equal(fixture->connections, 0);
    assert_int_equal(http_shared_count(fixture->shared), 0);
    assert_int_equal(body_memory_used(), 0);
    http_server_fini(&fixture->server);
    http_shared_destroy(&fixture->shared);
    alloc_free(fixture->scratch);
    loop_fixture_destroy(&fixture->loop);
}

void http_fixture_settle(struct http_fixture *fixture)
{
    loop_fixture_settle(fixture->loop);
    loop_fixture_until_quiet(fixture->loop);
}

void http_fixture_ask(struct http_fixture *fixture, const char *request, const char *end)
{
    peer_send_text(&fixture->client, request);
    peer_expect(&fixture->client, end);
}
