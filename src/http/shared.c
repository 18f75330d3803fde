#include "http/shared.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"

/* Addresses are counted in buckets, always, so that a reload may turn the bound on; two addresses
 * that share a bucket (of 65,536, by a hash) share the bound. */
#define BUCKET_COUNT 65536

struct http_shared {
    _Atomic uint32_t connections_max;
    _Atomic uint32_t per_address_max;
    _Atomic uint32_t connections;
    _Atomic uint32_t buckets[BUCKET_COUNT];
    pthread_mutex_t mutex; /* of what follows */
    struct service *service;
};

enum status http_shared_create(struct http_shared **shared_out)
{
    struct http_shared *shared = alloc_zeroed(1, sizeof(*shared));
    if (shared == NULL)
        return STATUS_NO_MEMORY;
    shared->connections_max = UINT32_MAX;
    pthread_mutex_init(&shared->mutex, NULL);
    *shared_out = shared;
    return STATUS_OK;
}

void http_shared_destroy(struct http_shared **shared)
{
    if (*shared == NULL)
        return;
    service_destroy(&(*shared)->service);
    pthread_mutex_destroy(&(*shared)->mutex);
    alloc_free(*shared);
    *shared = NULL;
}

void http_shared_set_max(struct http_shared *shared, uint32_t connections,
                         uint32_t connections_per_address)
{
    atomic_store(&shared->connections_max, connections);
    atomic_store(&shared->per_address_max, connections_per_address);
}

/* FNV-1a over the address; an IPv6 client owns its whole /64. */
static _Atomic uint32_t *bucket_of(struct http_shared *shared, const struct address *peer)
{
    const bool is_v4 = peer->socket.any.sa_family == AF_INET;
    const unsigned char *bytes =
        is_v4 ? (const void *)&peer->socket.v4.sin_addr : (const void *)&peer->socket.v6.sin6_addr;
    uint32_t hash = UINT32_C(2166136261);
    for (size_t i = 0; i < (is_v4 ? 4u : 8u); i++)
        hash = (hash ^ bytes[i]) * UINT32_C(16777619);
    return &shared->buckets[(hash ^ hash >> 16) % BUCKET_COUNT];
}

enum http_entry http_shared_enter_proxy(struct http_shared *shared)
{
    if (atomic_fetch_add(&shared->connections, 1) < atomic_load(&shared->connections_max))
        return HTTP_ENTRY_OK;
    atomic_fetch_sub(&shared->connections, 1);
    return HTTP_ENTRY_FULL;
}

void http_shared_leave_proxy(struct http_shared *shared)
{
    atomic_fetch_sub(&shared->connections, 1);
}

bool http_shared_enter_address(struct http_shared *shared, const struct address *client)
{
    const uint32_t per_address_max = atomic_load(&shared->per_address_max);
    _Atomic uint32_t *bucket = bucket_of(shared, client);
    if (atomic_fetch_add(bucket, 1) < per_address_max || per_address_max == 0)
        return true;
    atomic_fetch_sub(bucket, 1);
    return false;
}

enum http_entry http_shared_enter(struct http_shared *shared, const struct address *peer)
{
    if (peer->size == 0)
        return HTTP_ENTRY_OK;
    if (http_shared_enter_proxy(shared) != HTTP_ENTRY_OK)
        return HTTP_ENTRY_FULL;
    if (http_shared_enter_address(shared, peer))
        return HTTP_ENTRY_OK;
    http_shared_leave_proxy(shared);
    return HTTP_ENTRY_ADDRESS_FULL;
}

void http_shared_leave(struct http_shared *shared, const struct address *peer)
{
    if (peer->size == 0)
        return;
    atomic_fetch_sub(bucket_of(shared, peer), 1);
    http_shared_leave_proxy(shared);
}

uint32_t http_shared_count(const struct http_shared *shared)
{
    return atomic_load(&shared->connections);
}

enum status http_shared_service(struct http_shared *shared, struct service **service_out)
{
    enum status status = STATUS_OK;
    pthread_mutex_lock(&shared->mutex);
    if (shared->service == NULL)
        status = service_create("weir-inflate", &shared->service);
    *service_out = shared->service;
    pthread_mutex_unlock(&shared->mutex);
    return status;
}
