/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes over a socket, with or without TLS, each step with a deadline.  The socket does not block;
 * waiting is poll()'s. */
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/check.h"
#include "client_int.h"
#include "sys/clock.h"

#define LATE_MS   1000U /* past a deadline, while there always is more */
#define CANCEL_MS 250U  /* how often somebody who may be cancelled looks */

/* ---- a BIO that never raises SIGPIPE: OpenSSL's own writes with write() -----------------------
 */

static int
bio_write(BIO *bio, const char *data, int len)
{
    BIO_clear_retry_flags(bio);
    const int     fd   = (int)(intptr_t)BIO_get_data(bio);
    const ssize_t sent = send(fd, data, (size_t)len, MSG_NOSIGNAL);
    if (sent < 0 && (errno == EAGAIN || errno == EINTR)) {
        BIO_set_retry_write(bio);
    }
    return (int)sent;
}

static int
bio_read(BIO *bio, char *data, int len)
{
    BIO_clear_retry_flags(bio);
    const int     fd  = (int)(intptr_t)BIO_get_data(bio);
    const ssize_t got = recv(fd, data, (size_t)len, 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
        BIO_set_retry_read(bio);
    }
    return (int)got;
}

static long
bio_ctrl(BIO *bio, int cmd, long num, void *ptr)
{
    (void)bio;
    (void)num;
    (void)ptr;
    return cmd == BIO_CTRL_FLUSH ? 1 : 0;
}

static BIO_METHOD    *bio_method; /* lives as long as the process */
static pthread_once_t bio_once = PTHREAD_ONCE_INIT;

static void
bio_method_init(void)
{
    bio_method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "socket without signal");
    if (bio_method != NULL) {
        (void)BIO_meth_set_write(bio_method, bio_write);
        (void)BIO_meth_set_read(bio_method, bio_read);
        (void)BIO_meth_set_ctrl(bio_method, bio_ctrl);
    }
}

static BIO *
bio_new(int fd)
{
    (void)pthread_once(&bio_once, bio_method_init);
    BIO *bio = bio_method == NULL ? NULL : BIO_new(bio_method);
    if (bio != NULL) {
        BIO_set_data(bio, (void *)(intptr_t)fd); /* NOLINT(performance-no-int-to-ptr) */
        BIO_set_init(bio, 1);
    }
    return bio;
}

/* ---- waiting ----------------------------------------------------------------------------------
 */

static bool
cancelled(const struct client *client)
{
    return client->cancel != NULL && atomic_load(client->cancel);
}

/* Events that came, 0 at the deadline.  Looks once in any case: who did not run for a while may find
 * that all is there although the time is over. */
static short
wait_for(const struct client *client, int fd, short events, uint64_t until)
{
    for (;;) {
        const uint64_t now   = clock_mono_ms();
        const uint64_t left  = now >= until || cancelled(client) ? 0 : until - now;
        const uint64_t turn  = client->cancel != NULL && left > CANCEL_MS ? CANCEL_MS : left;
        struct pollfd  pfd   = {.fd = fd, .events = events};
        const int      ready = poll(&pfd, 1, (int)turn);
        if (ready > 0) {
            return pfd.revents;
        }
        if (ready == 0 && turn == left) {
            return 0;
        }
        TLY_CHECK(ready == 0 || errno == EINTR);
    }
}

/* Is it time to give up on who keeps us busy past the deadline?  Not at once, for the same reason:
 * what lay there when we came to look may be read. */
static bool
overdue(struct client *client, uint64_t until)
{
    const uint64_t now = clock_mono_ms();
    if (cancelled(client)) {
        return true;
    }
    if (now < until) {
        client->late_from = 0;
        return false;
    }
    if (client->late_from == 0) {
        client->late_from = now;
    }
    return now - client->late_from >= LATE_MS;
}

/* What a failed SSL call means: DONE says that waiting for *events may help. */
static enum client_io
ssl_outcome(const struct client *client, int ret, short *events)
{
    switch (SSL_get_error(client->ssl, ret)) {
    case SSL_ERROR_WANT_READ:
        *events = POLLIN;
        return CLIENT_IO_DONE;
    case SSL_ERROR_WANT_WRITE:
        *events = POLLOUT;
        return CLIENT_IO_DONE;
    case SSL_ERROR_SSL: {
        /* Alerts from the other side are numbered from SSL_AD_REASON_OFFSET.  In TLS 1.3 the
         * client's handshake is over before the server has looked at its certificate: the refusal
         * comes with the first read. */
        const int reason = ERR_GET_REASON(ERR_peek_last_error());
        return client->fresh && reason >= SSL_AD_REASON_OFFSET ? CLIENT_IO_REFUSED
                                                               : CLIENT_IO_CLOSED;
    }
    default:
        return CLIENT_IO_CLOSED;
    }
}

/* ---- connecting -------------------------------------------------------------------------------
 */

static int
dial(const struct client *client, const struct addrinfo *ai, uint64_t until)
{
    const int fd = socket(ai->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        return -1;
    }
    const int one = 1;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    int       failed = connect(fd, ai->ai_addr, ai->ai_addrlen) == 0 ? 0 : errno;
    socklen_t len    = sizeof failed;
    if (failed == EINPROGRESS) {
        failed = ETIMEDOUT;
        if (wait_for(client, fd, POLLOUT, until) != 0) {
            (void)getsockopt(fd, SOL_SOCKET, SO_ERROR, &failed, &len);
        }
    }
    if (failed != 0) {
        (void)close(fd);
        errno = failed;
        return -1;
    }
    return fd;
}

static enum tly_err
dial_host(struct client *client, struct tly_diag *diag)
{
    const struct addrinfo hints = {
        .ai_socktype = SOCK_STREAM, .ai_family = AF_UNSPEC, .ai_flags = AI_NUMERICSERV};
    struct addrinfo *list = NULL;
    const int        rc   = getaddrinfo(client->host, client->port, &hints, &list);
    if (rc != 0) {
        return tly_fail(diag, TLY_EBUSY, "%s: %s", client->host, gai_strerror(rc));
    }
    const uint64_t until = clock_mono_ms() + client->timeout_ms;
    for (const struct addrinfo *ai = list; ai != NULL && client->fd < 0; ai = ai->ai_next) {
        client->fd = dial(client, ai, until);
    }
    const int failed = errno;
    freeaddrinfo(list);
    if (client->fd < 0) {
        return tly_fail(diag, TLY_EBUSY, "%s port %s: %s", client->host, client->port,
                        strerrordesc_np(failed));
    }
    return TLY_OK;
}

/* Why the handshake failed, from OpenSSL's queue. */
static enum tly_err
handshake_failed(struct client *client, enum client_io io, struct tly_diag *diag)
{
    const long    verify = SSL_get_verify_result(client->ssl);
    unsigned long code   = ERR_peek_last_error();
    enum tly_err  err    = TLY_EBUSY;
    const char   *why    = "the connection ended in the handshake";
    const char   *whose  = "";
    if (verify != X509_V_OK) {
        err   = TLY_EFORBID;
        whose = "the server's certificate: ";
        why   = X509_verify_cert_error_string(verify);
    } else if (io == CLIENT_IO_LATE) {
        why = "no handshake in time";
    } else if (io == CLIENT_IO_REFUSED || code != 0) {
        err = io == CLIENT_IO_REFUSED ? TLY_EFORBID : TLY_EBUSY;
        why = ERR_reason_error_string(code);
    }
    return tly_fail(diag, err, "%s port %s: %s%s", client->host, client->port, whose,
                    why == NULL ? "TLS failed" : why);
}

static enum tly_err
handshake(struct client *client, struct tly_diag *diag)
{
    ERR_clear_error();
    client->ssl = client_tls_ssl(client);
    BIO *bio    = client->ssl == NULL ? NULL : bio_new(client->fd);
    if (bio == NULL) {
        return tly_fail(diag, TLY_ENOMEM, "no memory for a TLS connection");
    }
    SSL_set_bio(client->ssl, bio, bio); /* steals bio */
    const uint64_t until = clock_mono_ms() + client->timeout_ms;
    for (;;) {
        const int ret = SSL_connect(client->ssl);
        if (ret == 1) {
            return TLY_OK;
        }
        short          events = 0;
        enum client_io io     = ssl_outcome(client, ret, &events);
        if (io == CLIENT_IO_DONE &&
            (overdue(client, until) || wait_for(client, client->fd, events, until) == 0)) {
            io = CLIENT_IO_LATE;
        }
        if (io != CLIENT_IO_DONE) {
            return handshake_failed(client, io, diag);
        }
    }
}

enum tly_err
client_conn_open(struct client *client, struct tly_diag *diag)
{
    TLY_CHECK(client->fd < 0);
    enum tly_err err  = dial_host(client, diag);
    client->fresh     = true;
    client->late_from = 0;
    if (err == TLY_OK && client->tls != NULL) {
        err = handshake(client, diag);
    }
    if (err != TLY_OK) {
        client_conn_close(client);
    }
    return err;
}

void
client_conn_close(struct client *client)
{
    if (client->ssl != NULL) {
        (void)SSL_shutdown(client->ssl); /* a word of goodbye, not waited for */
        SSL_free(client->ssl);
        ERR_clear_error();
    }
    if (client->fd >= 0) {
        (void)close(client->fd);
    }
    client->ssl      = NULL;
    client->fd       = -1;
    client->got_from = client->got_to = 0;
}

/* ---- bytes ------------------------------------------------------------------------------------
 */

/* One attempt: bytes moved, or 0 and *io (DONE: wait for *events). */
static size_t
send_some(struct client *client, struct tly_bytes bytes, enum client_io *io, short *events)
{
    size_t n = 0;
    *io      = CLIENT_IO_DONE;
    if (client->ssl != NULL) {
        ERR_clear_error();
        const int ret = SSL_write_ex(client->ssl, bytes.data, bytes.len, &n);
        if (ret != 1) {
            *io = ssl_outcome(client, ret, events);
            return 0;
        }
        return n;
    }
    const ssize_t sent = send(client->fd, bytes.data, bytes.len, MSG_NOSIGNAL);
    *events            = POLLOUT;
    if (sent < 0) {
        *io = errno == EAGAIN || errno == EINTR ? CLIENT_IO_DONE : CLIENT_IO_CLOSED;
        return 0;
    }
    return (size_t)sent;
}

static size_t
recv_some(struct client *client, enum client_io *io, short *events)
{
    uint8_t *to    = client->got + client->got_to;
    size_t   space = sizeof client->got - client->got_to;
    size_t   n     = 0;
    *io            = CLIENT_IO_DONE;
    if (client->ssl != NULL) {
        ERR_clear_error();
        const int ret = SSL_read_ex(client->ssl, to, space, &n);
        if (ret != 1) {
            *io = ssl_outcome(client, ret, events);
            return 0;
        }
        return n;
    }
    const ssize_t got = recv(client->fd, to, space, 0);
    *events           = POLLIN;
    if (got <= 0) {
        *io = got < 0 && (errno == EAGAIN || errno == EINTR) ? CLIENT_IO_DONE : CLIENT_IO_CLOSED;
        return 0;
    }
    return (size_t)got;
}

enum client_io
client_conn_write(struct client *client, struct tly_bytes bytes, uint64_t until)
{
    while (bytes.len > 0) {
        enum client_io io     = CLIENT_IO_DONE;
        short          events = POLLOUT;
        const size_t   n      = send_some(client, bytes, &io, &events);
        bytes.data += n;
        bytes.len -= n;
        if (bytes.len > 0 && overdue(client, until)) {
            return CLIENT_IO_LATE;
        }
        if (n > 0) {
            continue;
        }
        if (io != CLIENT_IO_DONE) {
            return io;
        }
        const short ready = wait_for(client, client->fd, POLLIN | POLLOUT, until);
        if (ready == 0) {
            return CLIENT_IO_LATE;
        }
        /* A server that refuses a long body answers and reads no more: waiting to write would be
         * waiting for the deadline. */
        if ((ready & POLLOUT) == 0 && client->got_to < sizeof client->got) {
            client->got_to += recv_some(client, &io, &events);
            if (client->got_to > client->got_from || io != CLIENT_IO_DONE) {
                return io == CLIENT_IO_DONE ? CLIENT_IO_ANSWER : io;
            }
        }
    }
    return CLIENT_IO_DONE;
}

enum client_io
client_conn_read(struct client *client, uint64_t until)
{
    if (client->got_from == client->got_to) {
        client->got_from = client->got_to = 0;
    }
    TLY_CHECK(client->got_to < sizeof client->got);
    for (;;) {
        enum client_io io     = CLIENT_IO_DONE;
        short          events = POLLIN;
        const size_t   n      = recv_some(client, &io, &events);
        client->got_to += n;
        if (overdue(client, until)) {
            return CLIENT_IO_LATE;
        }
        if (n > 0 || io != CLIENT_IO_DONE) {
            client->fresh = client->fresh && n == 0;
            return io;
        }
        if (wait_for(client, client->fd, events, until) == 0) {
            return CLIENT_IO_LATE;
        }
    }
}
