#include "io/dns.h"

#include <ares.h>
#include <netdb.h>
#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/list.h"

#define HOST_BYTES_MAX 253 /* RFC 1035 section 2.3.4, in text form */
#define TICK_MS        50  /* how often c-ares may look at its own timeouts */
#define QUERY_MS       2000
#define QUERY_TRIES    2

/* States of a name: known (count > 0, before expires_ms), stale (count > 0, for DNS_STALE_MS
 * after it), failed (before retry_ms), else unknown. Independently of that it may be asked for
 * (is_asking). Only an unknown name is waited for; a stale one is asked for meanwhile. */
struct name {
    struct list_node node; /* in dns->names, the latest used first */
    struct dns *dns;
    char host[HOST_BYTES_MAX + 1];
    bool is_asking;
    unsigned waiter_count;
    uint64_t expires_ms;
    uint64_t retry_ms; /* after a failure it is not asked for before this; else 0 */
    int error;         /* c-ares' code of the last query */
    struct dns_answer answer;
    struct list_node waiters;
};

struct waiter {
    struct list_node node;
    struct task *task;
};

struct descriptor {
    struct list_node node;
    uv_poll_t poll;
    struct dns *dns;
    ares_socket_t fd;
};

struct dns {
    struct loop *loop;
    ares_channel channel;
    struct list_node names;
    struct list_node descriptors;
    unsigned name_count;
    unsigned asking_count;
    struct timer tick; /* runs while something is asked */
};

/* --- c-ares on the loop ----------------------------------------------------------------------- */

static void on_poll(uv_poll_t *poll, int error, int events)
{
    struct descriptor *descriptor = poll->data;
    const bool is_broken = error < 0;
    ares_process_fd(descriptor->dns->channel,
                    is_broken || (events & UV_READABLE) ? descriptor->fd : ARES_SOCKET_BAD,
                    is_broken || (events & UV_WRITABLE) ? descriptor->fd : ARES_SOCKET_BAD);
}

static struct descriptor *find_descriptor(struct dns *dns, ares_socket_t fd)
{
    for (struct list_node *at = dns->descriptors.next; at != &dns->descriptors; at = at->next) {
        struct descriptor *descriptor = LIST_ENTRY(at, struct descriptor, node);
        if (descriptor->fd == fd)
            return descriptor;
    }
    return NULL;
}

static struct descriptor *add_descriptor(struct dns *dns, ares_socket_t fd)
{
    struct descriptor *descriptor = alloc_zeroed(1, sizeof(*descriptor));
    if (descriptor == NULL)
        return NULL;
    if (uv_poll_init(loop_uv(dns->loop), &descriptor->poll, fd) != 0) {
        alloc_free(descriptor);
        return NULL;
    }
    descriptor->poll.data = descriptor;
    descriptor->dns = dns;
    descriptor->fd = fd;
    list_push_back(&dns->descriptors, &descriptor->node);
    return descriptor;
}

static void free_descriptor(uv_handle_t *handle)
{
    alloc_free(handle->data);
}

/* c-ares says which of its sockets it wants to hear of; none for one that it is about to close.
 * Without memory for the watch the query runs into its timeout. */
static void on_socket_state(void *data, ares_socket_t fd, int readable, int writable)
{
    struct dns *dns = data;
    struct descriptor *descriptor = find_descriptor(dns, fd);
    if (descriptor == NULL && (readable || writable))
        descriptor = add_descriptor(dns, fd);
    if (descriptor == NULL)
        return;
    if (readable || writable) {
        uv_poll_start(&descriptor->poll,
                      (readable ? UV_READABLE : 0) | (writable ? UV_WRITABLE : 0), on_poll);
        return;
    }
    list_remove(&descriptor->node);
    uv_close((uv_handle_t *)&descriptor->poll, free_descriptor);
}

static void arm_tick(struct dns *dns)
{
    timer_arm(loop_timers(dns->loop), &dns->tick, loop_deadline(dns->loop, TICK_MS));
}

static void on_tick(struct timer *timer)
{
    struct dns *dns = LIST_ENTRY(timer, struct dns, tick);
    ares_process_fd(dns->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
    if (dns->asking_count > 0)
        arm_tick(dns);
}

enum status dns_create(struct loop *loop, struct dns **dns_out, struct reason *reason)
{
    struct dns *dns = alloc_zeroed(1, sizeof(*dns));
    if (dns == NULL)
        return STATUS_NO_MEMORY;
    dns->loop = loop;
    list_init(&dns->names);
    list_init(&dns->descriptors);
    timer_init(&dns->tick, on_tick);
    struct ares_options options = {
        .timeout = QUERY_MS,
        .tries = QUERY_TRIES,
        .sock_state_cb = on_socket_state,
        .sock_state_cb_data = dns,
    };
    int wanted = ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB;
#ifdef ARES_OPT_QUERY_CACHE
    /* c-ares 1.31 and later keep answers themselves, for an hour; at most 0 s turns that off. */
    wanted |= ARES_OPT_QUERY_CACHE;
#endif
    int error = ares_library_init(ARES_LIB_INIT_ALL);
    if (error == ARES_SUCCESS)
        error = ares_init_options(&dns->channel, &options, wanted);
    if (error != ARES_SUCCESS) {
        reason_set(reason, "cannot start name resolution: %s", ares_strerror(error));
        alloc_free(dns);
        return STATUS_IO;
    }
    *dns_out = dns;
    return STATUS_OK;
}

static void forget(struct name *name)
{
    ASSERT(!name->is_asking && name->waiter_count == 0);
    list_remove(&name->node);
    name->dns->name_count--;
    alloc_free(name);
}

void dns_destroy(struct dns **dns)
{
    if (*dns == NULL)
        return;
    ares_destroy((*dns)->channel); /* answers what is asked with ARES_EDESTRUCTION */
    while (!list_is_empty(&(*dns)->names))
        forget(LIST_ENTRY((*dns)->names.next, struct name, node));
    timer_remove(&(*dns)->tick);
    ASSERT(list_is_empty(&(*dns)->descriptors));
    ares_library_cleanup();
    alloc_free(*dns);
    *dns = NULL;
}

/* --- Names ------------------------------------------------------------------------------------ */

static struct name *find_name(struct dns *dns, struct slice host)
{
    for (struct list_node *at = dns->names.next; at != &dns->names; at = at->next) {
        struct name *name = LIST_ENTRY(at, struct name, node);
        if (slice_equal_nocase(slice_from_text(name->host), host)) {
            list_remove(&name->node);
            list_push_front(&dns->names, &name->node);
            return name;
        }
    }
    return NULL;
}

static void drop_oldest(struct dns *dns)
{
    for (struct list_node *at = dns->names.previous; at != &dns->names; at = at->previous) {
        struct name *name = LIST_ENTRY(at, struct name, node);
        if (!name->is_asking && name->waiter_count == 0) {
            forget(name);
            return;
        }
    }
}

static struct name *add_name(struct dns *dns, struct slice host)
{
    if (dns->name_count >= DNS_CACHE_MAX)
        drop_oldest(dns);
    if (dns->name_count >= DNS_CACHE_MAX)
        return NULL;
    struct name *name = alloc_zeroed(1, sizeof(*name));
    if (name == NULL)
        return NULL;
    memcpy(name->host, host.data, host.size);
    name->dns = dns;
    list_init(&name->waiters);
    list_push_front(&dns->names, &name->node);
    dns->name_count++;
    return name;
}

static void keep_answer(struct name *name, const struct ares_addrinfo *info)
{
    uint64_t ttl_ms = DNS_TTL_MAX_MS;
    name->answer.count = 0;
    for (const struct ares_addrinfo_node *at = info->nodes; at != NULL; at = at->ai_next) {
        const struct address address = address_from(at->ai_addr, at->ai_addrlen);
        if (address.size == 0 || name->answer.count == DNS_ADDRESSES_MAX)
            continue;
        name->answer.addresses[name->answer.count++] = address;
        const uint64_t node_ttl_ms = at->ai_ttl > 0 ? (uint64_t)at->ai_ttl * 1000 : 0;
        if (node_ttl_ms < ttl_ms)
            ttl_ms = node_ttl_ms;
    }
    if (ttl_ms < DNS_TTL_MIN_MS)
        ttl_ms = DNS_TTL_MIN_MS;
    name->expires_ms = loop_deadline(name->dns->loop, ttl_ms);
}

static void on_answer(void *argument, int error, int timeouts, struct ares_addrinfo *info)
{
    (void)timeouts;
    struct name *name = argument;
    name->is_asking = false;
    name->error = error;
    name->dns->asking_count--;
    name->retry_ms = error == ARES_SUCCESS ? 0 : loop_deadline(name->dns->loop, DNS_RETRY_MS);
    if (error == ARES_SUCCESS)
        keep_answer(name, info);
    if (info != NULL)
        ares_freeaddrinfo(info);
    while (!list_is_empty(&name->waiters)) {
        struct waiter *waiter = LIST_ENTRY(name->waiters.next, struct waiter, node);
        list_remove(&waiter->node);
        task_wake(waiter->task, STATUS_OK);
    }
}

static void ask(struct name *name)
{
    const struct ares_addrinfo_hints hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    name->is_asking = true;
    name->dns->asking_count++;
    arm_tick(name->dns);
    ares_getaddrinfo(name->dns->channel, name->host, NULL, &hints, on_answer, name);
}

/* Asks, unless somebody does or a failure is too recent. */
static void ask_if_due(struct name *name)
{
    if (!name->is_asking && loop_now_ms(name->dns->loop) >= name->retry_ms)
        ask(name);
}

/* Waits while the name is asked for. */
static enum status wait_for_answer(struct name *name, uint64_t deadline_ms)
{
    struct waiter waiter = {.task = task_current(name->dns->loop)};
    if (!name->is_asking)
        return STATUS_OK; /* c-ares answered from the hosts file, or the last query failed */
    list_push_back(&name->waiters, &waiter.node);
    name->waiter_count++;
    const enum status status = task_wait(name->dns->loop, deadline_ms);
    name->waiter_count--;
    list_remove(&waiter.node);
    return status;
}

/* Leaves in name->answer what may be given: while there is something, nobody waits. */
static enum status refresh(struct name *name, uint64_t deadline_ms)
{
    const uint64_t now_ms = loop_now_ms(name->dns->loop);
    if (name->answer.count > 0 && now_ms <= name->expires_ms)
        return STATUS_OK;
    if (now_ms > name->expires_ms + DNS_STALE_MS)
        name->answer.count = 0;
    ask_if_due(name);
    return name->answer.count > 0 ? STATUS_OK : wait_for_answer(name, deadline_ms);
}

/* --- Resolving -------------------------------------------------------------------------------- */

static void set_port(struct address *address, uint16_t port)
{
    if (address->socket.any.sa_family == AF_INET)
        address->socket.v4.sin_port = htons(port);
    else
        address->socket.v6.sin6_port = htons(port);
}

static bool answer_without_asking(struct slice host, uint16_t port, struct dns_answer *answer)
{
    static const char *const loopback[] = {"127.0.0.1", "::1"};
    if (address_parse(host, port, &answer->addresses[0]) == STATUS_OK) {
        answer->count = 1;
        return true;
    }
    if (!slice_equal_nocase(host, SLICE("localhost")))
        return false;
    answer->count = 2;
    for (unsigned i = 0; i < 2; i++) {
        const enum status status =
            address_parse(slice_from_text(loopback[i]), port, &answer->addresses[i]);
        ASSERT(status == STATUS_OK);
    }
    return true;
}

enum status dns_resolve(struct dns *dns, struct slice host, uint16_t port, uint64_t deadline_ms,
                        struct dns_answer *answer_out, struct reason *reason)
{
    if (answer_without_asking(host, port, answer_out))
        return STATUS_OK;
    if (host.size == 0 || host.size > HOST_BYTES_MAX) {
        reason_set(reason, "'%.*s' is no host name", SLICE_ARGS(host));
        return STATUS_INVALID;
    }
    struct name *name = find_name(dns, host);
    if (name == NULL)
        name = add_name(dns, host);
    if (name == NULL)
        return STATUS_NO_MEMORY;
    const enum status status = refresh(name, deadline_ms);
    if (status != STATUS_OK)
        return status;
    if (name->answer.count == 0) {
        reason_set(reason, "cannot resolve %s: %s", name->host, ares_strerror(name->error));
        return STATUS_NOT_FOUND;
    }
    *answer_out = name->answer;
    for (unsigned i = 0; i < answer_out->count; i++)
        set_port(&answer_out->addresses[i], port);
    return STATUS_OK;
}
