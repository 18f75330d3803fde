/* The other end of a connection, played by the test: a descriptor outside of the loop, read and
 * written between the loop's turns. */
#ifndef SUPPORT_PEER_H
#define SUPPORT_PEER_H

#include <stdbool.h>

#include "base/buffer.h"
#include "base/slice.h"
#include "io/address.h"
#include "support/loop_fixture.h"

struct peer {
    struct loop *loop;
    int fd;
    struct buffer received; /* since peer_open() or peer_forget() */
    bool has_ended;         /* the other side closed or reset the connection */
    bool was_reset;
};

/* Takes a connected non-blocking descriptor. */
void peer_open(struct peer *peer, struct loop *loop, int fd);
/* May be called twice. */
void peer_close(struct peer *peer);
/* Closes it so that the other side sees a reset (TCP). */
void peer_reset(struct peer *peer);

/* Sends all of it, turning the loop where the other side has to read first. */
void peer_send(struct peer *peer, struct slice bytes);
void peer_send_text(struct peer *peer, const char *text);
/* Sends each byte in a turn of its own. */
void peer_send_bytewise(struct peer *peer, struct slice bytes);

/* Reads what is there. */
void peer_read(struct peer *peer);
/* Turns and reads until `text` was received, or `size` bytes were. */
void peer_expect(struct peer *peer, const char *text);
void peer_expect_size(struct peer *peer, size_t size);
/* Turns and reads until the other side has ended the connection. */
void peer_expect_end(struct peer *peer);
void peer_forget(struct peer *peer);
/* Whether and how often `text` was received. */
bool peer_has(const struct peer *peer, const char *text);
unsigned peer_count(const struct peer *peer, const char *text);

/* --- TCP on the loopback --- */

/* A listening, non-blocking descriptor on 127.0.0.1 with a port of the kernel's choice. */
int peer_listen(uint16_t *port_out);
/* Turns until a connection came in, and accepts it. */
void peer_accept(struct peer *peer, struct loop *loop, int listening_fd);
/* Connects to the port on 127.0.0.1. */
void peer_connect(struct peer *peer, struct loop *loop, uint16_t port);
uint16_t peer_port_of(int fd);
/* Two connected non-blocking descriptors. An end of TCP's is told from a reset, as that of a Unix
 * socket is not. */
void peer_tcp_pair(int fds_out[2]);

#endif
