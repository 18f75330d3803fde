/* A server of http/server.h on a loop of its own, and one client that the test plays.
 *
 * Limits are generous unless a test changes them: heads of 8 KiB and 20 fields, bodies of 100,000
 * bytes, a minute for everything. */
#ifndef SUPPORT_HTTP_FIXTURE_H
#define SUPPORT_HTTP_FIXTURE_H

#include "http/exchange.h"
#include "http/server.h"
#include "support/peer.h"

struct http_fixture {
    struct loop *loop;
    struct scratch *scratch;
    struct http_shared *shared;
    struct http_server server;
    struct peer client;

    /* What the handler does; NULL: echo. */
    void (*handle)(struct http_exchange *exchange, struct http_fixture *fixture);
    void *context; /* of the test */

    /* What happened. */
    unsigned handled, refused;
    unsigned last_status; /* of the last refusal, or of the last body that was not read */
    struct reason last_reason;
    int connections; /* on_connection's changes together */
    unsigned turned_away[HTTP_TURNED_AWAY_PROXY + 1];
};

/* With one connected client. */
void http_fixture_open(struct http_fixture *fixture, void (*handle)(struct http_exchange *exchange,
                                                                    struct http_fixture *fixture));
/* Connects one more client; `tls` as in http_server_accept(). */
void http_fixture_connect(struct http_fixture *fixture, struct peer *client,
                          struct tls_context *tls);
/* Closes the client, and fails the test if the server keeps a connection, a task or memory. */
void http_fixture_close(struct http_fixture *fixture);

/* Turns until all is handled: no task is left. */
void http_fixture_settle(struct http_fixture *fixture);
/* Sends and turns until the answer's `end` came. */
void http_fixture_ask(struct http_fixture *fixture, const char *request, const char *end);

/* Handlers. Echo reads the body and answers "METHOD TARGET\n" and the body. */
void http_fixture_echo(struct http_exchange *exchange, struct http_fixture *fixture);
/* Answers "ok" and does not read the body. */
void http_fixture_ok(struct http_exchange *exchange, struct http_fixture *fixture);

#endif
