/* A gateway whose client and whose upstream the test plays, both over the worker's own loop. */
#ifndef GATEWAY_CALLING_FIXTURE_H
#define GATEWAY_CALLING_FIXTURE_H

#include "unit/gateway/gateway_fixture.h"

#include "identity/key.h"
#include "support/time_warp.h"

struct calling_fixture {
    struct gateway_fixture gateway;
    struct loop *loop;
    uint16_t port;
    int listening_fd; /* of the upstream; -1: nobody listens */
    char key[KEY_TEXT_SIZE + 1];
    struct peer client, upstream;
};

static inline void calling_fixture_put_key(struct calling_fixture *fixture)
{
    struct key_hasher *hasher;
    unsigned char hash[KEY_HASH_SIZE];
    key_make(fixture->key);
    fixture->key[KEY_TEXT_SIZE] = '\0';
    assert_int_equal(key_hasher_create(fixture->gateway.pepper, &hasher), STATUS_OK);
    assert_int_equal(key_hasher_hash(hasher, slice_of(fixture->key, KEY_TEXT_SIZE), hash),
                     STATUS_OK);
    key_hasher_destroy(&hasher);
    const struct identity_user_spec user = {.name = SLICE("alice")};
    const struct identity_spec spec = {.hash = hash};
    assert_int_equal(identity_map_put_user(fixture->gateway.identities, &user), STATUS_OK);
    assert_int_equal(identity_map_put(fixture->gateway.identities, &spec), STATUS_OK);
}

/* The model `m` is answered by the upstream, as `target`. `settings` are more of the provider's, as
 * `rule` is of the model's, each with a comma before it; `more` is more of the configuration. */
static inline void calling_fixture_open_rule(struct calling_fixture *fixture, const char *settings,
                                             const char *target, const char *rule, const char *more)
{
    char yaml[GATEWAY_FIXTURE_TEXT_BYTES];
    uint16_t upstream_port;
    *fixture = (struct calling_fixture){
        .port = gateway_fixture_port(), .client = {.fd = -1}, .upstream = {.fd = -1}};
    fixture->listening_fd = peer_listen(&upstream_port);
    (void)snprintf(yaml, sizeof(yaml),
                   "listen: 127.0.0.1:%u\n"
                   "workers: 1\n"
                   "providers:\n"
                   "  p: { base_url: 'http://127.0.0.1:%u/v1', api_key: secret%s }\n"
                   "models: [{ name: m, targets: [{ provider: p, model: %s }]%s }]\n"
                   "%s",
                   fixture->port, upstream_port, settings, target, rule, more);
    gateway_fixture_open_text(&fixture->gateway, yaml);
    fixture->loop = fixture->gateway.worker->loop;
    calling_fixture_put_key(fixture);
}

static inline void calling_fixture_open(struct calling_fixture *fixture, const char *settings,
                                        const char *more)
{
    calling_fixture_open_rule(fixture, settings, "n", "", more);
}

static inline bool calling_fixture_is_idle(void *argument)
{
    const struct calling_fixture *fixture = argument;
    return gateway_connection_count(&fixture->gateway.gateway) == 0 &&
           loop_task_count(fixture->loop) == 0;
}

static inline void calling_fixture_close(struct calling_fixture *fixture)
{
    peer_close(&fixture->client);
    peer_close(&fixture->upstream);
    if (fixture->listening_fd >= 0)
        close(fixture->listening_fd);
    loop_fixture_until(fixture->loop, calling_fixture_is_idle, fixture);
    gateway_fixture_close(&fixture->gateway);
}

/* Sends the body to the route, with header lines of the test's. */
static inline void calling_fixture_ask(struct calling_fixture *fixture, const char *route,
                                       const char *headers, const char *body)
{
    char request[4096];
    const int size = snprintf(request, sizeof(request),
                              "POST %s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n"
                              "%sContent-Length: %zu\r\n\r\n%s",
                              route, fixture->key, headers, strlen(body), body);
    assert_true(size > 0 && (size_t)size < sizeof(request));
    if (fixture->client.fd < 0)
        peer_connect(&fixture->client, fixture->loop, fixture->port);
    peer_send_text(&fixture->client, request);
}

#define CALLING_FIXTURE_CHAT   "{\"model\":\"m\",\"messages\":[]}"
#define CALLING_FIXTURE_STREAM "{\"model\":\"m\",\"messages\":[],\"stream\":true}"

/* Asks for a chat, and takes the call at the upstream's side. */
static inline void calling_fixture_call(struct calling_fixture *fixture, const char *headers,
                                        const char *body)
{
    calling_fixture_ask(fixture, "/v1/chat/completions", headers, body);
    if (fixture->upstream.fd < 0)
        peer_accept(&fixture->upstream, fixture->loop, fixture->listening_fd);
    peer_expect(&fixture->upstream, "\r\n\r\n{");
}

#endif
