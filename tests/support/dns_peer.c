#include "support/dns_peer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>

#include <cmocka.h>

/* Its declaration differs between the versions of c-ares. */
#define ares_init_options ares_init_options_as_declared
#include <ares.h>
#undef ares_init_options

#include <arpa/inet.h>
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#define NAME_BYTES_MAX    256
#define MESSAGE_BYTES_MAX 1500
#define HEADER_BYTES      12

enum type {
    TYPE_A = 1,
    TYPE_CNAME = 5,
    TYPE_AAAA = 28,
};

static uint16_t port_in_force; /* 0: none is open */

int ares_init_options(void **channel, void *options, int mask);

int ares_init_options(void **channel, void *options, int mask)
{
    int (*original)(void **, void *, int) = NULL;
    *(void **)&original = dlsym(RTLD_NEXT, "ares_init_options");
    assert_non_null(original);
    struct ares_options changed = *(const struct ares_options *)options;
    changed.domains = NULL; /* this machine's search list is not of the test */
    changed.ndomains = 0;
    const int error = original(channel, &changed, mask | ARES_OPT_DOMAINS);
    if (error != ARES_SUCCESS || port_in_force == 0)
        return error;
    char server[32];
    (void)snprintf(server, sizeof(server), "127.0.0.1:%u", port_in_force);
    return ares_set_servers_ports_csv(*channel, server);
}

void dns_peer_open(struct dns_peer *peer)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    *peer = (struct dns_peer){.fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
    assert_true(peer->fd >= 0);
    assert_int_equal(bind(peer->fd, (struct sockaddr *)&address, size), 0);
    assert_int_equal(getsockname(peer->fd, (struct sockaddr *)&address, &size), 0);
    port_in_force = ntohs(address.sin_port);
}

void dns_peer_close(struct dns_peer *peer)
{
    close(peer->fd);
    port_in_force = 0;
}

/* --- Messages (RFC 1035 section 4.1) --- */

struct message {
    unsigned char bytes[MESSAGE_BYTES_MAX];
    size_t size;
};

static void put_u16(struct message *message, unsigned value)
{
    message->bytes[message->size++] = (unsigned char)(value >> 8);
    message->bytes[message->size++] = (unsigned char)value;
}

static void put_bytes(struct message *message, const void *bytes, size_t size)
{
    memcpy(message->bytes + message->size, bytes, size);
    message->size += size;
}

static void put_name(struct message *message, const char *name)
{
    while (*name != '\0') {
        const size_t size = strcspn(name, ".");
        message->bytes[message->size++] = (unsigned char)size;
        put_bytes(message, name, size);
        name += size + (name[size] == '.');
    }
    message->bytes[message->size++] = 0;
}

/* Returns the offset after the name. */
static size_t take_name(const struct message *message, size_t at, char name_out[NAME_BYTES_MAX])
{
    size_t size = 0;
    while (message->bytes[at] != 0) {
        const size_t label = message->bytes[at++];
        assert_true(size + label + 1 < NAME_BYTES_MAX && at + label < message->size);
        memcpy(name_out + size, message->bytes + at, label);
        name_out[size + label] = '.';
        size += label + 1;
        at += label;
    }
    name_out[size > 0 ? size - 1 : 0] = '\0';
    return at + 1;
}

static void put_record(struct message *message, const struct dns_peer_record *record,
                       enum type type, const void *data, size_t size)
{
    put_name(message, record->name);
    put_u16(message, type);
    put_u16(message, 1); /* IN */
    put_u16(message, record->ttl_s >> 16);
    put_u16(message, record->ttl_s & 0xffff);
    put_u16(message, (unsigned)size);
    put_bytes(message, data, size);
}

static enum type type_of(const struct dns_peer_record *record, unsigned char data_out[16])
{
    if (inet_pton(AF_INET, record->value, data_out) == 1)
        return TYPE_A;
    return inet_pton(AF_INET6, record->value, data_out) == 1 ? TYPE_AAAA : TYPE_CNAME;
}

/* Adds the records of the name, following aliases; returns how many. */
static unsigned put_answers(const struct dns_peer *peer, struct message *reply, const char *name,
                            unsigned wanted)
{
    unsigned count = 0;
    for (size_t i = 0; i < peer->record_count; i++) {
        const struct dns_peer_record *record = &peer->records[i];
        unsigned char data[16];
        const enum type type = type_of(record, data);
        if (strcasecmp(record->name, name) != 0)
            continue;
        if (type == TYPE_CNAME) {
            struct message target = {.size = 0};
            put_name(&target, record->value);
            put_record(reply, record, TYPE_CNAME, target.bytes, target.size);
            return 1 + put_answers(peer, reply, record->value, wanted);
        }
        if (type != wanted)
            continue;
        put_record(reply, record, type, data, type == TYPE_A ? 4 : 16);
        count++;
    }
    return count;
}

static bool exists(const struct dns_peer *peer, const char *name)
{
    for (size_t i = 0; i < peer->record_count; i++) {
        if (strcasecmp(peer->records[i].name, name) == 0)
            return true;
    }
    return false;
}

static void make_reply(const struct dns_peer *peer, const struct message *query,
                       struct message *reply)
{
    char name[NAME_BYTES_MAX];
    const size_t after_name = take_name(query, HEADER_BYTES, name);
    const unsigned type = (unsigned)query->bytes[after_name] << 8 | query->bytes[after_name + 1];
    const unsigned code = peer->mode == DNS_PEER_FAILS ? 2 : exists(peer, name) ? 0 : 3;
    reply->size = 0;
    put_bytes(reply, query->bytes, 2);
    put_u16(reply, 0x8180 | code);
    put_u16(reply, 1); /* the question; then the counts of the three other sections */
    put_u16(reply, 0);
    put_u16(reply, 0);
    put_u16(reply, 0);
    put_bytes(reply, query->bytes + HEADER_BYTES, after_name + 4 - HEADER_BYTES);
    if (code == 0)
        reply->bytes[7] = (unsigned char)put_answers(peer, reply, name, type);
}

static void send_to(const struct dns_peer *peer, const struct sockaddr_in *asker,
                    const struct message *message, size_t size)
{
    (void)sendto(peer->fd, message->bytes, size, 0, (const struct sockaddr *)asker, sizeof(*asker));
}

/* Another id, another question, no reply at all, and what is cut in the header: but c-ares 1.30 and
 * later end the attempt at a reply that they cannot read, so there the first two alone. */
static void tell_lies(const struct dns_peer *peer, const struct sockaddr_in *asker,
                      const struct message *reply)
{
    struct message lie = *reply;
    lie.bytes[0] ^= 0xff;
    send_to(peer, asker, &lie, lie.size);
    lie = *reply;
    lie.bytes[HEADER_BYTES + 1] ^= 1;
    send_to(peer, asker, &lie, lie.size);
#if ARES_VERSION < 0x011e00
    for (size_t size = 0; size < HEADER_BYTES; size++)
        send_to(peer, asker, reply, size);
#endif
}

void dns_peer_serve(struct dns_peer *peer)
{
    struct message query, reply;
    struct sockaddr_in asker;
    for (;;) {
        socklen_t size = sizeof(asker);
        const ssize_t got = recvfrom(peer->fd, query.bytes, sizeof(query.bytes), 0,
                                     (struct sockaddr *)&asker, &size);
        if (got < 0)
            return;
        query.size = (size_t)got;
        peer->question_count++;
        if (peer->mode == DNS_PEER_SILENT)
            continue;
        make_reply(peer, &query, &reply);
        if (peer->mode == DNS_PEER_TELLS_LIES)
            tell_lies(peer, &asker, &reply);
        send_to(peer, &asker, &reply, reply.size);
    }
}
