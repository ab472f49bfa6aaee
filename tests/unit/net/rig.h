/* SPDX-License-Identifier: Apache-2.0 */
/* A server with a few routes, real certificates and a thread that answers what waits. */
#pragma once

#include <dirent.h>
#include <errno.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <time.h>

#include "net/client.h"
#include "net/http.h"
#include "pki.h"
#include "sys/clock.h"
#include "t.h"

#define RIG_BODY_MAX  ((size_t)100000)
#define RIG_WAITS_MAX 4096
#define RIG_SCRATCH   ((size_t)600 << 10)
#define RIG_BIG       ((size_t)16 << 20) /* more than a socket holds */
/* No machine is so busy that what is right takes so long; the server's own deadlines are longer
 * still, unless they are what is tested. */
#define RIG_PATIENCE_MS 60000
#define RIG_PATIENCE_S  (RIG_PATIENCE_MS / 1000)
#define RIG_SERVER_MS   (4 * RIG_PATIENCE_MS)

struct rig {
    struct http_server *server;
    struct pki_cert     ca;
    struct pki_cert     server_cert;
    struct pki_cert     known; /* the only one that may connect */
    struct pki_cert     unknown;
    struct pki_cert     self_signed;
    char                url[64];
    unsigned            per_cert_max; /* connections of one certificate; 0: no limit */
    _Atomic(unsigned)   handled;      /* requests that reached the handler */
    _Atomic(unsigned)   strangers;    /* of them, with a peer that is not `known` */
    /* requests that wait, answered by the thread when it may */
    pthread_t        thread;
    pthread_mutex_t  lock;
    pthread_cond_t   changed;
    struct http_req *waits[RIG_WAITS_MAX];
    unsigned         waits_n;
    bool             hold; /* answer nothing until it is false */
    bool             stop;
};

static inline bool
rig_allow(void *arg, const struct tly_hash *cert, unsigned *connections_max)
{
    const struct rig *rig = arg;
    *connections_max      = rig->per_cert_max;
    return tly_hash_eq(cert, &rig->known.hash);
}

static inline size_t
rig_body_max(void *arg, const struct http_peer *peer, const char *method, const char *path)
{
    (void)arg;
    (void)peer;
    (void)path;
    return strcmp(method, "POST") == 0 ? RIG_BODY_MAX : 0;
}

static inline void *
rig_answer(void *arg)
{
    struct rig *rig = arg;
    (void)pthread_mutex_lock(&rig->lock);
    for (;;) {
        while (!rig->stop && (rig->waits_n == 0 || rig->hold)) {
            (void)pthread_cond_wait(&rig->changed, &rig->lock);
        }
        if (rig->waits_n == 0 && rig->stop) {
            break;
        }
        struct http_req *req = rig->waits[--rig->waits_n];
        (void)pthread_mutex_unlock(&rig->lock);
        http_reply(req, 201, "text/plain", tly_text("waited"));
        http_resume(req);
        (void)pthread_mutex_lock(&rig->lock);
    }
    (void)pthread_mutex_unlock(&rig->lock);
    return NULL;
}

static inline enum http_next
rig_wait(struct rig *rig, struct http_req *req)
{
    (void)pthread_mutex_lock(&rig->lock);
    TLY_CHECK(rig->waits_n < RIG_WAITS_MAX);
    rig->waits[rig->waits_n++] = req;
    (void)pthread_cond_signal(&rig->changed);
    (void)pthread_mutex_unlock(&rig->lock);
    return HTTP_WAIT;
}

static inline enum http_next
rig_problem(struct http_req *req)
{
    const char     *name = http_query(req, "err");
    struct tly_diag diag;
    for (int err = 1; err < TLY_ERR_N; err++) {
        if (name != NULL && strcmp(name, tly_err_name((enum tly_err)err)) == 0) {
            (void)tly_fail_at(&diag, (enum tly_err)err, "X01", "a[1].b", "why \"%s\" \xff", name);
            http_reply_problem(req, (enum tly_err)err,
                               http_query(req, "bare") == NULL ? &diag : NULL);
            return HTTP_REPLIED;
        }
    }
    http_reply_problem(req, TLY_ENOENT, NULL);
    return HTTP_REPLIED;
}

static inline enum http_next
rig_handler(void *arg, struct http_req *req)
{
    struct rig *rig = arg;
    atomic_fetch_add(&rig->handled, 1);
    if (!tly_hash_eq(&req->peer.cert, &rig->known.hash)) {
        atomic_fetch_add(&rig->strangers, 1);
    }
    if (strcmp(req->path, "/wait") == 0) {
        return rig_wait(rig, req);
    }
    if (strcmp(req->path, "/problem") == 0) {
        return rig_problem(req);
    }
    if (strcmp(req->path, "/echo") == 0) {
        http_reply_header(req, "X-Type", req->content_type);
        http_reply_borrowed(req, 200, "application/octet-stream", req->body);
        return HTTP_REPLIED;
    }
    if (strcmp(req->path, "/big") == 0) {
        static const uint8_t big[RIG_BIG];
        http_reply_borrowed(req, 200, "application/octet-stream",
                            (struct tly_bytes){big, sizeof big});
        return HTTP_REPLIED;
    }
    if (strcmp(req->path, "/owned") == 0) { /* much memory for the answer, and a long answer */
        void *big = calloc(RIG_BIG, 1);
        TLY_CHECK(big != NULL);
        TLY_CHECK(tly_arena_alloc(req->arena, RIG_SCRATCH, 1) != NULL);
        http_reply_owned(req, 200, "application/octet-stream", big, RIG_BIG);
        return HTTP_REPLIED;
    }
    if (strcmp(req->path, "/query") == 0) {
        const char *q = http_query(req, "q");
        http_reply(req, 200, "text/plain", tly_text(q == NULL ? "(none)" : q));
        return HTTP_REPLIED;
    }
    http_reply_header(req, "ETag", "\"7\"");
    http_reply(req, 200, "text/plain", tly_text(req->method));
    return HTTP_REPLIED;
}

static inline struct http_config
rig_config(struct rig *rig)
{
    return (struct http_config){
        .name             = "test",
        .address          = "127.0.0.1",
        .listen_fd        = -1,
        .workers_n        = 2,
        .connections_max  = 2000,
        .arena_bytes_max  = (size_t)1 << 20,
        .idle_timeout_s   = RIG_SERVER_MS / 1000,
        .handshake_ms_max = RIG_SERVER_MS,
        .head_ms_max      = RIG_SERVER_MS,
        .body_ms_max      = RIG_SERVER_MS,
        .reply_ms_max     = RIG_SERVER_MS,
        .handler          = rig_handler,
        .allow            = rig_allow,
        .body_max         = rig_body_max,
        .arg              = rig,
    };
}

/* The texts are copied by GnuTLS while it starts. */
static inline enum tly_err
rig_listen(struct rig *rig, struct http_config config, bool tls, struct tly_diag *diag)
{
    char *cert             = pki_text(&rig->server_cert, false);
    char *key              = pki_text(&rig->server_cert, true);
    config.cert_pem        = tls ? cert : NULL;
    config.key_pem         = tls ? key : NULL;
    const enum tly_err err = http_server_start(&config, &rig->server, diag);
    if (err == TLY_OK) {
        (void)snprintf(rig->url, sizeof rig->url, "%s://127.0.0.1:%u", tls ? "https" : "http",
                       http_server_port(rig->server));
    }
    free(cert);
    free(key);
    return err;
}

static inline void
rig_begin(struct rig *rig)
{
    *rig             = (struct rig){0};
    rig->ca          = pki_make("test CA", NULL, NULL);
    rig->server_cert = pki_make("server", &rig->ca, "IP:127.0.0.1,DNS:localhost");
    rig->known       = pki_make("terminal", &rig->ca, NULL);
    rig->unknown     = pki_make("unknown", &rig->ca, NULL);
    rig->self_signed = pki_make("terminal", NULL, "DNS:terminal");
    (void)pthread_mutex_init(&rig->lock, NULL);
    (void)pthread_cond_init(&rig->changed, NULL);
    TLY_CHECK(pthread_create(&rig->thread, NULL, rig_answer, rig) == 0);
}

static inline void
rig_hold(struct rig *rig, bool hold)
{
    (void)pthread_mutex_lock(&rig->lock);
    rig->hold = hold;
    (void)pthread_cond_signal(&rig->changed);
    (void)pthread_mutex_unlock(&rig->lock);
}

/* The order of going down: quiesce, answer what waits, stop. */
static inline void
rig_end(struct rig *rig)
{
    if (rig->server != NULL) {
        http_server_quiesce(rig->server);
    }
    (void)pthread_mutex_lock(&rig->lock);
    rig->stop = true;
    rig->hold = false;
    (void)pthread_cond_signal(&rig->changed);
    (void)pthread_mutex_unlock(&rig->lock);
    (void)pthread_join(rig->thread, NULL);
    http_server_stop(rig->server, RIG_PATIENCE_MS);
    (void)pthread_cond_destroy(&rig->changed);
    (void)pthread_mutex_destroy(&rig->lock);
    pki_free(&rig->ca);
    pki_free(&rig->server_cert);
    pki_free(&rig->known);
    pki_free(&rig->unknown);
    pki_free(&rig->self_signed);
}

/* A client of ours with this certificate (NULL: none). */
static inline struct client *
rig_client(struct rig *rig, const struct pki_cert *cert, struct client_tls **tls)
{
    struct client  *client = NULL;
    struct tly_diag diag   = {0};
    TLY_CHECK(client_tls_load(rig->ca.pem, cert == NULL ? NULL : cert->pem, tls, &diag) == TLY_OK);
    TLY_CHECK(client_new(rig->url, *tls, RIG_PATIENCE_MS, &client, &diag) == TLY_OK);
    return client;
}

/* A TCP connection and nothing more. */
static inline int
rig_dial(const struct rig *rig)
{
    const struct sockaddr_in to = {.sin_family      = AF_INET,
                                   .sin_port        = htons(http_server_port(rig->server)),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const int                fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    TLY_CHECK(fd >= 0);
    TLY_CHECK(connect(fd, (const struct sockaddr *)&to, sizeof to) == 0);
    return fd;
}

/* Waits until cond() says so; whether it did. */
static inline bool
rig_until(bool (*cond)(struct rig *), struct rig *rig)
{
    const uint64_t until = clock_mono_ms() + RIG_PATIENCE_MS;
    while (!cond(rig)) {
        if (clock_mono_ms() >= until) {
            return false;
        }
        (void)poll(NULL, 0, 2);
    }
    return true;
}

/* Whether the server ends this connection, or has ended it; what it sends before is thrown away. */
static inline bool
rig_ended(int fd)
{
    const uint64_t until = clock_mono_ms() + RIG_PATIENCE_MS;
    struct pollfd  pfd   = {.fd = fd, .events = POLLIN};
    char           bytes[256];
    while (clock_mono_ms() < until) {
        if (poll(&pfd, 1, RIG_PATIENCE_MS) == 1 && recv(fd, bytes, sizeof bytes, 0) <= 0) {
            return true;
        }
    }
    return false;
}

static inline unsigned
rig_fds(void)
{
    unsigned n   = 0;
    DIR     *dir = opendir("/proc/self/fd");
    TLY_CHECK(dir != NULL);
    while (readdir(dir) != NULL) {
        n++;
    }
    (void)closedir(dir);
    return n - 3; /* ".", ".." and the folder's own */
}
