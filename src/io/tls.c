#include "io/tls.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdatomic.h>
#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "io/socket.h"

#define RECORD_BYTES 16384 /* RFC 8446 section 5.1: the most that one record carries */

struct tls_context {
    SSL_CTX *ssl;
    atomic_uint references;
};

struct tls {
    SSL *ssl;
    bool wants_read, wants_write; /* what the last call ran into */
    bool is_broken;               /* no close_notify may be sent any more */
    struct tls_session *session;  /* where tickets go; borrowed */
};

/* --- Contexts ------------------------------------------------------------------------------- */

static const unsigned char alpn_http11[] = {8, 'h', 't', 't', 'p', '/', '1', '.', '1'};

static const char *openssl_error(void)
{
    const unsigned long code = ERR_peek_last_error();
    const char *text = code != 0 ? ERR_reason_error_string(code) : NULL;
    return text != NULL ? text : "unknown error";
}

/* RFC 7301 section 3.2: no common protocol is a fatal alert; a client without ALPN is served. */
static int choose_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_size,
                       const unsigned char *offered, unsigned offered_size, void *unused)
{
    (void)ssl;
    (void)unused;
    unsigned char *chosen;
    if (SSL_select_next_proto(&chosen, out_size, alpn_http11, sizeof(alpn_http11), offered,
                              offered_size) != OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

static enum status context_create(const SSL_METHOD *method, struct tls_context **context_out)
{
    struct tls_context *context = alloc_zeroed(1, sizeof(*context));
    if (context == NULL)
        return STATUS_NO_MEMORY;
    atomic_store(&context->references, 1);
    context->ssl = SSL_CTX_new(method);
    if (context->ssl == NULL || !SSL_CTX_set_min_proto_version(context->ssl, TLS1_2_VERSION)) {
        tls_context_unref(&context);
        return STATUS_NO_MEMORY;
    }
    SSL_CTX_set_mode(context->ssl, SSL_MODE_ENABLE_PARTIAL_WRITE |
                                       SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                       SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_options(context->ssl, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    *context_out = context;
    return STATUS_OK;
}

struct tls_context *tls_context_ref(struct tls_context *context)
{
    atomic_fetch_add(&context->references, 1);
    return context;
}

void tls_context_unref(struct tls_context **taken)
{
    struct tls_context *context = *taken;
    *taken = NULL;
    if (context == NULL || atomic_fetch_sub(&context->references, 1) != 1)
        return;
    SSL_CTX_free(context->ssl);
    alloc_free(context);
}

enum status tls_server_context_create(const char *certificate_path, const char *key_path,
                                      struct tls_context **context_out, struct reason *reason)
{
    struct tls_context *context;
    enum status status = context_create(TLS_server_method(), &context);
    if (status != STATUS_OK)
        return status;
    ERR_clear_error();
    if (SSL_CTX_use_certificate_chain_file(context->ssl, certificate_path) != 1) {
        reason_set(reason, "%s: cannot use this certificate: %s", certificate_path,
                   openssl_error());
        goto fail;
    }
    if (SSL_CTX_use_PrivateKey_file(context->ssl, key_path, SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_check_private_key(context->ssl) != 1) {
        reason_set(reason, "%s: cannot use this key with %s: %s", key_path, certificate_path,
                   openssl_error());
        goto fail;
    }
    SSL_CTX_set_alpn_select_cb(context->ssl, choose_alpn, NULL);
    static const unsigned char session_context[] = "weir";
    SSL_CTX_set_session_id_context(context->ssl, session_context, sizeof(session_context) - 1);
    SSL_CTX_set_session_cache_mode(context->ssl, SSL_SESS_CACHE_OFF); /* tickets do it */
    *context_out = context;
    return STATUS_OK;

fail:
    tls_context_unref(&context);
    return STATUS_INVALID;
}

/* Called when the peer gave a session: TLS 1.3 sends tickets after the handshake. A copy is kept,
 * since OpenSSL bars the one in use from resumption once its connection ends without a goodbye. */
static int keep_session(SSL *ssl, SSL_SESSION *ssl_session)
{
    struct tls *tls = SSL_get_app_data(ssl);
    SSL_SESSION *copy = tls == NULL || tls->session == NULL ? NULL : SSL_SESSION_dup(ssl_session);
    if (copy == NULL)
        return 0;
    tls_session_fini(tls->session);
    tls->session->ssl_session = copy;
    return 0; /* the reference offered is not taken */
}

enum status tls_client_context_create(const char *ca_path, struct tls_context **context_out,
                                      struct reason *reason)
{
    struct tls_context *context;
    enum status status = context_create(TLS_client_method(), &context);
    if (status != STATUS_OK)
        return status;
    ERR_clear_error();
    const int loaded = ca_path != NULL ? SSL_CTX_load_verify_locations(context->ssl, ca_path, NULL)
                                       : SSL_CTX_set_default_verify_paths(context->ssl);
    if (loaded != 1) {
        reason_set(reason, "%s: cannot read certificate authorities: %s",
                   ca_path != NULL ? ca_path : "the system's store", openssl_error());
        tls_context_unref(&context);
        return STATUS_INVALID;
    }
    SSL_CTX_set_verify(context->ssl, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_alpn_protos(context->ssl, alpn_http11, sizeof(alpn_http11));
    SSL_CTX_set_session_cache_mode(context->ssl,
                                   SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(context->ssl, keep_session);
    *context_out = context;
    return STATUS_OK;
}

void tls_session_fini(struct tls_session *session)
{
    SSL_SESSION_free(session->ssl_session);
    session->ssl_session = NULL;
}

/* --- Calls that may have to be repeated ------------------------------------------------------ */

/* Notes what a call that did not succeed wants. STATUS_AGAIN: wait for that and call again. */
static enum status outcome(struct socket *socket, int result)
{
    struct tls *tls = socket->tls;
    switch (SSL_get_error(tls->ssl, result)) {
    case SSL_ERROR_WANT_READ:
        tls->wants_read = true;
        socket->is_readable = socket->is_hung_up;
        return STATUS_AGAIN;
    case SSL_ERROR_WANT_WRITE:
        tls->wants_write = true;
        socket->is_writable = false;
        return STATUS_AGAIN;
    case SSL_ERROR_ZERO_RETURN:
        socket->is_hung_up = true;
        return STATUS_CLOSED;
    case SSL_ERROR_SYSCALL:
        tls->is_broken = socket->is_hung_up = true;
        return STATUS_CLOSED;
    default:
        tls->is_broken = true;
        if (ERR_GET_REASON(ERR_peek_error()) != SSL_R_UNEXPECTED_EOF_WHILE_READING)
            return STATUS_PROTOCOL;
        /* An end without close_notify may be anybody's: nothing is whole by it (RFC 8446 6.1). */
        socket->is_hung_up = socket->was_reset = true;
        return STATUS_CLOSED;
    }
}

static void before_call(struct tls *tls)
{
    tls->wants_read = tls->wants_write = false;
    ERR_clear_error(); /* SSL_get_error() looks into the thread's queue */
}

enum status tls_try_read(struct socket *socket, void *bytes_out, size_t size, size_t *size_out)
{
    struct tls *tls = socket->tls;
    if (!socket->is_readable && !tls_has_input(tls))
        return STATUS_AGAIN;
    before_call(tls);
    const int result = SSL_read_ex(tls->ssl, bytes_out, size, size_out);
    return result == 1 ? STATUS_OK : outcome(socket, result);
}

enum status tls_peek(struct socket *socket)
{
    char byte;
    size_t size;
    before_call(socket->tls);
    const int result = SSL_peek_ex(socket->tls->ssl, &byte, 1, &size);
    return result == 1 ? STATUS_OK : outcome(socket, result);
}

/* One record's worth of the pieces, in one run of bytes. A repeated call gathers the same bytes,
 * as SSL_write wants it. */
static size_t gather(const struct iovec *pieces, int count, char record_out[RECORD_BYTES])
{
    size_t size = 0;
    for (int i = 0; i < count && size < RECORD_BYTES; i++) {
        const size_t room = RECORD_BYTES - size;
        const size_t part = pieces[i].iov_len < room ? pieces[i].iov_len : room;
        memcpy(record_out + size, pieces[i].iov_base, part);
        size += part;
    }
    return size;
}

enum status tls_try_write(struct socket *socket, const struct iovec *pieces, int count,
                          size_t *size_out)
{
    static _Thread_local char record[RECORD_BYTES];
    struct tls *tls = socket->tls;
    const size_t size = gather(pieces, count, record);
    if (size == 0)
        return STATUS_OK;
    before_call(tls);
    const int result = SSL_write_ex(tls->ssl, record, size, size_out);
    if (result == 1)
        return STATUS_OK;
    *size_out = 0;
    const enum status status = outcome(socket, result);
    return status == STATUS_AGAIN ? STATUS_OK : status;
}

bool tls_has_input(const struct tls *tls)
{
    return SSL_has_pending(tls->ssl);
}

bool tls_wants_write(const struct tls *tls)
{
    return tls->wants_write;
}

bool tls_wants_read(const struct tls *tls)
{
    return tls->wants_read;
}

/* --- Handshake ------------------------------------------------------------------------------ */

static enum status attach(struct socket *socket, struct tls_context *context)
{
    struct tls *tls = alloc_zeroed(1, sizeof(*tls));
    if (tls == NULL)
        return STATUS_NO_MEMORY;
    socket->tls = tls;
    tls->is_broken = true; /* until the handshake is done */
    tls->ssl = SSL_new(context->ssl);
    if (tls->ssl == NULL || SSL_set_fd(tls->ssl, socket->fd) != 1)
        return STATUS_NO_MEMORY;
    SSL_set_app_data(tls->ssl, tls);
    return STATUS_OK;
}

static void explain_failure(const struct tls *tls, struct reason *reason)
{
    const long verdict = SSL_get_verify_result(tls->ssl);
    if (verdict != X509_V_OK)
        reason_set(reason, "TLS certificate refused: %s", X509_verify_cert_error_string(verdict));
    else
        reason_set(reason, "TLS handshake failed: %s", openssl_error());
}

static enum status handshake(struct socket *socket, uint64_t deadline_ms, struct reason *reason)
{
    struct tls *tls = socket->tls;
    for (;;) {
        before_call(tls);
        const int result = SSL_do_handshake(tls->ssl);
        if (result == 1) {
            tls->is_broken = false;
            return STATUS_OK;
        }
        enum status status = outcome(socket, result);
        if (status == STATUS_PROTOCOL)
            explain_failure(tls, reason);
        if (status == STATUS_AGAIN)
            status = socket_wait(socket, tls->wants_read, tls->wants_write, deadline_ms);
        if (status != STATUS_OK)
            return status;
    }
}

enum status tls_accept(struct socket *socket, struct tls_context *context, uint64_t deadline_ms,
                       struct reason *reason)
{
    const enum status status = attach(socket, context);
    if (status != STATUS_OK)
        return status;
    SSL_set_accept_state(socket->tls->ssl);
    return handshake(socket, deadline_ms, reason);
}

/* A numeric address is checked against the certificate's IP names and gets no SNI
 * (RFC 6066 section 3). */
static bool set_peer_name(SSL *ssl, const char *host)
{
    unsigned char numeric[sizeof(struct in6_addr)];
    if (inet_pton(AF_INET, host, numeric) == 1 || inet_pton(AF_INET6, host, numeric) == 1)
        return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host) == 1;
    return SSL_set_tlsext_host_name(ssl, host) == 1 && SSL_set1_host(ssl, host) == 1;
}

enum status tls_connect(struct socket *socket, struct tls_context *context, const char *host,
                        struct tls_session *session, uint64_t deadline_ms, struct reason *reason)
{
    const enum status status = attach(socket, context);
    if (status != STATUS_OK)
        return status;
    struct tls *tls = socket->tls;
    tls->session = session;
    SSL_set_connect_state(tls->ssl);
    if (!set_peer_name(tls->ssl, host))
        return STATUS_NO_MEMORY;
    if (session->ssl_session != NULL && SSL_SESSION_is_resumable(session->ssl_session))
        SSL_set_session(tls->ssl, session->ssl_session);
    return handshake(socket, deadline_ms, reason);
}

void tls_destroy(struct tls **tls, bool is_sound)
{
    if (*tls == NULL)
        return;
    (*tls)->session = NULL;
    if (is_sound && !(*tls)->is_broken) {
        ERR_clear_error();
        SSL_shutdown((*tls)->ssl); /* sends, does not wait for the answer */
    }
    SSL_free((*tls)->ssl);
    alloc_free(*tls);
    *tls = NULL;
}
