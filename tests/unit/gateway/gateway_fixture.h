/* A gateway whose workers the test turns itself: gateway_start() without gateway_run(). */
#ifndef GATEWAY_GATEWAY_FIXTURE_H
#define GATEWAY_GATEWAY_FIXTURE_H

#include "unit/config/loading.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "gateway/gateway.h"
#include "support/peer.h"

#define GATEWAY_FIXTURE_TEXT_BYTES 4096

struct gateway_fixture {
    struct gateway gateway;
    struct worker *worker; /* the first of the gateway */
    unsigned char pepper[PEPPER_SIZE];
    struct identity_map *identities;
    struct metrics *metrics;
    struct log *log;
    int log_fd;
    char log_text[8192]; /* what was logged, once the gateway is closed */
};

/* The text, of which each %u is `port`, as a configuration; its reference is the caller's. */
__attribute__((format(printf, 1, 0))) static inline const struct config *gateway_fixture_config(
    const char *yaml, uint16_t port)
{
    char text[GATEWAY_FIXTURE_TEXT_BYTES];
    struct loading loading = {0};
    const int size = snprintf(text, sizeof(text), yaml, port, port);
    assert_true(size > 0 && (size_t)size < sizeof(text));
    const struct config *config = loading_sound(&loading, text);
    config_ref(config);
    loading_end(&loading);
    return config;
}

/* A port of the loopback on which nobody listens. */
static inline uint16_t gateway_fixture_port(void)
{
    uint16_t port;
    close(peer_listen(&port));
    return port;
}

static inline struct snapshot *gateway_fixture_snapshot(struct gateway_fixture *fixture,
                                                        const char *yaml, uint16_t port)
{
    const struct config *config = gateway_fixture_config(yaml, port);
    struct snapshot *snapshot;
    assert_int_equal(snapshot_create(&config, fixture->metrics, &snapshot, NULL), STATUS_OK);
    return snapshot;
}

/* Takes the configuration's reference. */
static inline void gateway_fixture_start(struct gateway_fixture *fixture,
                                         const struct config *config)
{
    *fixture = (struct gateway_fixture){.log_fd = memfd_create("log", MFD_CLOEXEC)};
    uint32_t endpoint_count;
    const char *const *endpoints = gateway_endpoint_names(&endpoint_count);
    const struct metrics_config metrics = {
        .version = "1", .endpoints = endpoints, .endpoint_count = endpoint_count};
    const struct log_config log = {
        .fd = fixture->log_fd, .format = LOG_FORMAT_TEXT, .level = LOG_LEVEL_INFO, .version = "1"};
    assert_int_equal(identity_map_create(&fixture->identities), STATUS_OK);
    assert_int_equal(metrics_create(&metrics, &fixture->metrics), STATUS_OK);
    assert_int_equal(log_create(&log, &fixture->log), STATUS_OK);
    assert_int_equal(log_start(fixture->log), STATUS_OK);
    fixture->gateway = (struct gateway){
        .version = "1",
        .identities = fixture->identities,
        .pepper = fixture->pepper,
        .metrics = fixture->metrics,
        .log = fixture->log,
    };
    struct reason reason = {""};
    const enum status status = gateway_start(&fixture->gateway, &config, &reason);
    if (status != STATUS_OK)
        print_error("%s\n", reason.text);
    assert_int_equal(status, STATUS_OK);
    fixture->worker = fixture->gateway.workers[0];
}

static inline void gateway_fixture_open(struct gateway_fixture *fixture, const char *yaml,
                                        uint16_t port)
{
    gateway_fixture_start(fixture, gateway_fixture_config(yaml, port));
}

/* The same of a text that holds its ports already. */
static inline void gateway_fixture_open_text(struct gateway_fixture *fixture, const char *yaml)
{
    struct loading loading = {0};
    const struct config *config = config_ref(loading_sound(&loading, yaml));
    loading_end(&loading);
    gateway_fixture_start(fixture, config);
}

/* Sends the request over a connection of its own, and gives all that comes back up to the end of
 * it; good until the next one. The request says "Connection: close". */
static inline const char *gateway_fixture_ask(struct gateway_fixture *fixture, uint16_t port,
                                              const char *request)
{
    static char answer[16384];
    struct loop *loop = fixture->worker->loop;
    struct peer client;
    peer_connect(&client, loop, port);
    peer_send_text(&client, request);
    peer_expect_end(&client);
    assert_true(client.received.size < sizeof(answer));
    memcpy(answer, client.received.data, client.received.size);
    answer[client.received.size] = '\0';
    peer_close(&client);
    loop_fixture_until_quiet(loop);
    return answer;
}

static inline void gateway_fixture_close(struct gateway_fixture *fixture)
{
    gateway_stop(&fixture->gateway);
    log_destroy(&fixture->log);
    metrics_destroy(&fixture->metrics);
    identity_map_destroy(&fixture->identities);
    const ssize_t size =
        pread(fixture->log_fd, fixture->log_text, sizeof(fixture->log_text) - 1, 0);
    fixture->log_text[size > 0 ? size : 0] = '\0';
    close(fixture->log_fd);
}

#endif
