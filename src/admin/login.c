#include "admin/login.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "identity/key.h"

/* Who is at the other end of the socket. */
static struct slice peer_of(const struct http_exchange *exchange, char text[LOGIN_NAME_BYTES])
{
    struct ucred peer;
    socklen_t size = sizeof(peer);
    if (getsockopt(exchange->connection->socket.fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0)
        return SLICE("admin.sock");
    return slice_of(text, (size_t)snprintf(text, LOGIN_NAME_BYTES, "uid=%u", peer.uid));
}

/* The scheme in any case (RFC 9110 section 11.1). Two of them would be read by different programs in
 * different ways. */
static struct slice presented_token(const struct http_exchange *exchange)
{
    static const struct slice scheme = {"bearer ", 7};
    const struct http_fields *fields = &exchange->head.fields;
    const struct slice value = http_fields_value(fields, HTTP_HEADER_AUTHORIZATION);
    if (http_fields_repeated(fields, HTTP_HEADER_AUTHORIZATION) || value.size <= scheme.size ||
        !slice_equal_nocase(slice_of(value.data, scheme.size), scheme))
        return (struct slice){0};
    return slice_trim(slice_from(value, scheme.size));
}

static enum status refuse(struct reason *reason, const char *why)
{
    reason_set(reason,
               "%s; send one that `weir tokens create` made as `Authorization: Bearer TOKEN`", why);
    return STATUS_DENIED;
}

/* MACs are compared, not secrets: how long that takes tells nothing of them. */
static enum status try_configured(const struct door *door, const unsigned char hash[KEY_HASH_SIZE],
                                  struct operation_actor *actor_out)
{
    const struct slice configured = door->config->gateway->snapshot->config->admin.token;
    unsigned char expected[KEY_HASH_SIZE];
    if (configured.size == 0)
        return STATUS_DENIED;
    const enum status status = key_hasher_hash(door->hasher, configured, expected);
    if (status != STATUS_OK || memcmp(hash, expected, sizeof(expected)) != 0)
        return STATUS_DENIED;
    *actor_out = (struct operation_actor){.role = ROLE_ADMIN, .name = SLICE("admin.token")};
    return STATUS_OK;
}

enum status login(const struct door *door, const struct http_exchange *exchange,
                  char name_out[LOGIN_NAME_BYTES], struct operation_actor *actor_out,
                  struct reason *reason)
{
    unsigned char hash[KEY_HASH_SIZE];
    if (door->access == ACCESS_SOCKET) {
        *actor_out =
            (struct operation_actor){.role = ROLE_ADMIN, .name = peer_of(exchange, name_out)};
        return STATUS_OK;
    }
    const struct slice token = presented_token(exchange);
    if (token.size == 0)
        return refuse(reason, "no token was sent");
    if (token.size > KEY_TEXT_SIZE_MAX)
        return refuse(reason, "the token is too long");
    const enum status status = key_hasher_hash(door->hasher, token, hash);
    if (status == STATUS_OK && try_configured(door, hash, actor_out) == STATUS_OK)
        return STATUS_OK;
    const uint64_t now_us = loop_realtime_us(door->config->loop);
    if (status == STATUS_OK && key_is_token(token) &&
        token_table_find(door->config->context->tokens, hash, now_us, name_out, actor_out) ==
            STATUS_OK)
        return STATUS_OK;
    return refuse(reason, "the token is unknown, revoked or expired");
}
