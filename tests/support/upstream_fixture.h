/* An endpoint of upstream/endpoint.h on a loop of its own, and a listening port on the loopback
 * where the test plays the upstream. */
#ifndef SUPPORT_UPSTREAM_FIXTURE_H
#define SUPPORT_UPSTREAM_FIXTURE_H

#include "http/scratch.h"
#include "support/peer.h"
#include "upstream/attempt.h"
#include "upstream/endpoint.h"

struct upstream_fixture {
    struct loop *loop;
    struct dns *dns;
    struct scratch *scratch;
    int listening_fd;
    uint16_t port;
    struct upstream_load load;
    struct upstream_endpoint endpoint;
    /* From the endpoint's hooks. */
    int open, idle;
    unsigned fresh_uses, reuses;
};

/* The endpoint is 127.0.0.1 and the port, in the clear: 10 connections at most, idle for 4 s,
 * 5 s to connect. */
void upstream_fixture_open(struct upstream_fixture *fixture);
/* Makes the endpoint anew with the config as it is now; no connection is in use. */
void upstream_fixture_reset(struct upstream_fixture *fixture,
                            const struct upstream_endpoint_config *config);
/* Fails the test if a connection is left. */
void upstream_fixture_close(struct upstream_fixture *fixture);
/* Accepts the next connection. */
void upstream_fixture_accept(struct upstream_fixture *fixture, struct peer *peer);
/* Whether a connection waits to be accepted. */
bool upstream_fixture_has_connection(struct upstream_fixture *fixture);

#endif
