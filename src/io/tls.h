/* TLS by OpenSSL on both sides of weir.
 *
 * A context is made once, from files, and shared by all loops (OpenSSL counts its references
 * atomically); a struct tls belongs to one socket. Client contexts always verify the peer's
 * certificate against its name; sessions are resumed per context and host.
 * TLS 1.2 at least; ALPN http/1.1.
 *
 * Errors: with STATUS_INVALID and STATUS_IO the reason says which file and why. */
#ifndef IO_TLS_H
#define IO_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "base/reason.h"
#include "base/status.h"

struct socket;
struct tls;
struct tls_context; /* reference-counted */

/* Both files are PEM; the certificate file holds the chain. */
MUST_CHECK enum status tls_server_context_create(const char *certificate_path, const char *key_path,
                                                 struct tls_context **context_out,
                                                 struct reason *reason);
/* `ca_path`, if not NULL, replaces the system's certificate authorities. */
MUST_CHECK enum status tls_client_context_create(const char *ca_path,
                                                 struct tls_context **context_out,
                                                 struct reason *reason);
/* One more holder; returns it. Any thread. */
struct tls_context *tls_context_ref(struct tls_context *context);
/* Lets go of *context, if any, and sets it to NULL; the last one frees it. */
void tls_context_unref(struct tls_context **context);

/* A cached session of one peer, kept by its endpoint on one loop. Starts zeroed. */
struct tls_session {
    void *ssl_session;
};
void tls_session_fini(struct tls_session *session);

/* Does the handshake on a connected socket, which has socket->tls afterwards.
 * STATUS_PROTOCOL: it failed, the reason says why; statuses of socket waits. */
MUST_CHECK enum status tls_accept(struct socket *socket, struct tls_context *context,
                                  uint64_t deadline_ms, struct reason *reason);
/* `host` is the name (or numeric address) that the certificate must bear. */
MUST_CHECK enum status tls_connect(struct socket *socket, struct tls_context *context,
                                   const char *host, struct tls_session *session,
                                   uint64_t deadline_ms, struct reason *reason);

/* --- For io/socket.c --- */

/* Frees *tls; `is_sound` lets it send a close_notify first. */
void tls_destroy(struct tls **tls, bool is_sound);
MUST_CHECK enum status tls_try_read(struct socket *socket, void *bytes_out, size_t size,
                                    size_t *size_out);
/* STATUS_OK: a byte can be read; STATUS_AGAIN: none can now; else as tls_try_read(). */
MUST_CHECK enum status tls_peek(struct socket *socket);
MUST_CHECK enum status tls_try_write(struct socket *socket, const struct iovec *pieces, int count,
                                     size_t *size_out);
bool tls_has_input(const struct tls *tls);
bool tls_wants_write(const struct tls *tls);
bool tls_wants_read(const struct tls *tls);

#endif
