#include "support/upstream_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <poll.h>
#include <unistd.h>

#include "base/alloc.h"
#include "http/body_memory.h"

#define BODY_MEMORY_MAX ((uint64_t)64 << 20)

static void on_open(void *context, int change)
{
    ((struct upstream_fixture *)context)->open += change;
}

static void on_idle(void *context, int change)
{
    ((struct upstream_fixture *)context)->idle += change;
}

static void on_use(void *context, bool is_reused)
{
    struct upstream_fixture *fixture = context;
    if (is_reused)
        fixture->reuses++;
    else
        fixture->fresh_uses++;
}

static void make_endpoint(struct upstream_fixture *fixture,
                          const struct upstream_endpoint_config *config)
{
    const struct upstream_endpoint_hooks hooks = {
        .on_open = on_open, .on_idle = on_idle, .on_use = on_use, .context = fixture};
    upstream_endpoint_init(&fixture->endpoint, fixture->loop, fixture->dns, config, &hooks,
                           &fixture->load);
}

void upstream_fixture_open(struct upstream_fixture *fixture)
{
    *fixture = (struct upstream_fixture){.loop = loop_fixture_create()};
    body_memory_set_max(BODY_MEMORY_MAX);
    assert_int_equal(dns_create(fixture->loop, &fixture->dns, NULL), STATUS_OK);
    fixture->scratch = alloc_bytes(sizeof(*fixture->scratch));
    assert_non_null(fixture->scratch);
    fixture->listening_fd = peer_listen(&fixture->port);
    const struct upstream_endpoint_config config = {
        .host = SLICE("127.0.0.1"),
        .port = fixture->port,
        .connections_max = 10,
        .idle_ms = 4000,
        .connect_ms = 5000,
    };
    make_endpoint(fixture, &config);
}

void upstream_fixture_reset(struct upstream_fixture *fixture,
                            const struct upstream_endpoint_config *config)
{
    upstream_endpoint_fini(&fixture->endpoint);
    make_endpoint(fixture, config);
}

void upstream_fixture_close(struct upstream_fixture *fixture)
{
    upstream_endpoint_fini(&fixture->endpoint);
    assert_int_equal(fixture->open, 0);
    assert_int_equal(fixture->idle, 0);
    assert_int_equal(fixture->load.open, 0);
    assert_int_equal(fixture->load.in_use, 0);
    assert_int_equal(body_memory_used(), 0);
    dns_destroy(&fixture->dns);
    alloc_free(fixture->scratch);
    if (fixture->listening_fd >= 0)
        close(fixture->listening_fd);
    loop_fixture_destroy(&fixture->loop);
}

void upstream_fixture_accept(struct upstream_fixture *fixture, struct peer *peer)
{
    peer_accept(peer, fixture->loop, fixture->listening_fd);
}

bool upstream_fixture_has_connection(struct upstream_fixture *fixture)
{
    struct pollfd waiting = {.fd = fixture->listening_fd, .events = POLLIN};
    return poll(&waiting, 1, 0) == 1;
}
