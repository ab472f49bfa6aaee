/* SPDX-License-Identifier: Apache-2.0 */
#include "net/http.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/check.h"
#include "http_int.h"
#include "sys/clock.h"

/* Three AEADs and three groups, the cheapest first and our order the one that counts; TLS 1.3 alone
 * (GnuTLS's priority strings).  GnuTLS sends no tickets unless asked to. */
#define PRIORITY                                                                                   \
    "SECURE128:-VERS-ALL:+VERS-TLS1.3:-CIPHER-ALL:+AES-128-GCM:+AES-256-GCM:+CHACHA20-POLY1305:"   \
    "-GROUP-ALL:+GROUP-X25519:+GROUP-SECP256R1:+GROUP-SECP384R1:%SERVER_PRECEDENCE"

/* MHD's memory for one connection: the read buffer, the request's headers, the reply's.  A longer
 * header block gets 431. */
#define CONNECTION_BYTES ((size_t)10 << 10)
/* Of an address, and of its arguments.  Where they fill the memory, MHD neither answers nor ends the
 * connection; these leave enough of it. */
#define URI_BYTES_MAX ((size_t)4 << 10)
#define URI_ARGS_MAX  16U

/* ---- states -----------------------------------------------------------------------------------
 */

bool
http_state_to(struct http_req_priv *p, enum http_state to, enum http_state *from)
{
    static const uint8_t allowed[HTTP_STATES_N] = {
        [HTTP_STATE_READING]  = 1U << HTTP_STATE_RUNNING | 1U << HTTP_STATE_REPLYING,
        [HTTP_STATE_RUNNING]  = 1U << HTTP_STATE_WAITING | 1U << HTTP_STATE_READY,
        [HTTP_STATE_WAITING]  = 1U << HTTP_STATE_READY,
        [HTTP_STATE_READY]    = 1U << HTTP_STATE_REPLYING,
        [HTTP_STATE_REPLYING] = 0,
    };
    int now = atomic_load(&p->state);
    do {
        if (to == HTTP_STATE_WAITING && now == HTTP_STATE_READY) {
            return false; /* the other thread was faster than our suspending */
        }
        TLY_CHECK((allowed[now] >> to & 1U) != 0);
    } while (!atomic_compare_exchange_weak(&p->state, &now, (int)to));
    if (from != NULL) {
        *from = (enum http_state)now;
    }
    return true;
}

/* ---- counting what is under way ---------------------------------------------------------------
 */

static void
lock(struct http_server *s)
{
    const int rc = pthread_mutex_lock(&s->lock);
    TLY_CHECK(rc == 0);
}

static void
unlock(struct http_server *s)
{
    const int rc = pthread_mutex_unlock(&s->lock);
    TLY_CHECK(rc == 0);
}

/* False: going down, no handler runs any more. */
static bool
handler_enter(struct http_server *s, struct http_req_priv *p)
{
    lock(s);
    const bool open = !s->quiesced;
    if (open) {
        s->running++;
        s->unanswered++;
        s->live++;
        p->counted = true;
    }
    unlock(s);
    return open;
}

static void
handler_leave(struct http_server *s, bool answered)
{
    lock(s);
    s->running--;
    s->unanswered -= answered ? 1 : 0;
    if (s->quiesced) {
        (void)pthread_cond_broadcast(&s->changed);
    }
    unlock(s);
}

void
http_resume(struct http_req *req)
{
    struct http_req_priv  *p    = req->priv;
    struct http_server    *s    = p->server;
    struct MHD_Connection *mhd  = p->mhd;
    enum http_state        from = HTTP_STATE_RUNNING;
    TLY_CHECK(p->status != 0);
    /* Under the lock, so that http_server_stop() cannot free MHD while we are still in it: once
     * the flag is set the worker may finish the request before MHD_resume_connection() returns. */
    lock(s);
    s->unanswered--;
    (void)http_state_to(p, HTTP_STATE_READY, &from); /* p may be gone from here */
    if (from == HTTP_STATE_WAITING) {
        MHD_resume_connection(mhd);
    }
    if (s->quiesced) {
        (void)pthread_cond_broadcast(&s->changed);
    }
    unlock(s);
}

/* ---- a request, as MHD tells it ---------------------------------------------------------------
 */

/* What MHD carries for a request between its request line and its header block.  Nothing is
 * allocated before: MHD drops some requests there without saying that they are completed. */
static char uri_plain;
static char uri_nul;
static char uri_long;

static bool
is_long(const char *uri)
{
    unsigned args = 0;
    for (const char *p = uri; *p != '\0'; p++) {
        args += *p == '?' || *p == '&';
    }
    return args > URI_ARGS_MAX || strlen(uri) > URI_BYTES_MAX;
}

static void *
on_uri(void *arg, const char *uri, struct MHD_Connection *mhd)
{
    (void)arg;
    if (uri != NULL && is_long(uri)) {
        http_reply_long_uri(mhd);
        return &uri_long;
    }
    return uri != NULL && strstr(uri, "%00") != NULL ? &uri_nul : &uri_plain;
}

static bool
is_begun(const void *context)
{
    return context != NULL && context != &uri_plain && context != &uri_nul && context != &uri_long;
}

/* The header block was read: the request begins. */
static struct http_req_priv *
begin(struct http_server *s, struct MHD_Connection *mhd, bool nul)
{
    struct http_req_priv *p = calloc(1, sizeof *p);
    if (p == NULL) {
        return NULL;
    }
    tly_arena_init(&p->arena, s->config.arena_bytes_max);
    p->budget       = &s->memory;
    p->arena.budget = p->budget;
    p->server       = s;
    p->mhd          = mhd;
    p->conn         = watcher_conn(mhd);
    p->nul          = nul;
    p->req.arena    = &p->arena;
    p->req.priv     = p;
    return p;
}

static void
on_completed(void *arg, struct MHD_Connection *mhd, void **context,
             enum MHD_RequestTerminationCode code)
{
    struct http_server   *s = arg;
    struct http_req_priv *p = *context;
    (void)mhd;
    (void)code;
    if (!is_begun(p)) {
        return;
    }
    watcher_phase(p->conn, WATCHER_IDLE, 0);
    if (p->counted) {
        lock(s);
        s->live--;
        if (s->quiesced) {
            (void)pthread_cond_broadcast(&s->changed);
        }
        unlock(s);
    }
    tly_arena_done(&p->arena);
    http_body_free(p);
    http_reply_free(p);
    free(p);
    *context = NULL;
}

/* Refuses before the handler; the connection ends with the reply. */
static enum MHD_Result
refuse(struct http_req_priv *p, enum tly_err err, const char *why)
{
    struct tly_diag diag = {0};
    (void)tly_fail(&diag, err, "%s", why);
    p->close = true;
    http_reply_problem(&p->req, err, &diag);
    return http_reply_queue(p);
}

static const char *
body_refusal(enum tly_err err)
{
    return err == TLY_ETOOBIG ? "the body is over the limit" : "no memory for it now; try again";
}

/* The header block is there, nothing of the body was taken. */
static enum MHD_Result
on_head(struct http_req_priv *p, const char *url, const char *method, const char *version)
{
    const struct http_config *config = &p->server->config;
    const struct tly_hash    *cert   = watcher_peer(p->conn);
    if (cert == NULL) {
        return MHD_NO; /* cannot be: the handshake would have failed */
    }
    p->seen             = true;
    p->req.path         = url;
    p->req.method       = strcmp(method, MHD_HTTP_METHOD_HEAD) == 0 ? MHD_HTTP_METHOD_GET : method;
    p->req.peer.cert    = *cert;
    const char *type    = http_header(&p->req, MHD_HTTP_HEADER_CONTENT_TYPE);
    p->req.content_type = type == NULL ? "" : type;
    atomic_fetch_add_explicit(&p->server->requests, 1, memory_order_relaxed);
    size_t      length = 0;
    const char *why    = http_check_head(p, version, &length);
    if (why != NULL) {
        return refuse(p, TLY_EINPUT, why);
    }
    p->body_max            = config->body_max(config->arg, &p->req.peer, p->req.method, url);
    const enum tly_err err = http_body_begin(p, length);
    if (err != TLY_OK) {
        return refuse(p, err, body_refusal(err));
    }
    if (length > 0) {
        watcher_phase(p->conn, WATCHER_BODY, 0);
    }
    return MHD_YES;
}

static enum MHD_Result
on_body(struct http_req_priv *p, struct tly_bytes piece)
{
    const enum tly_err err = http_body_add(p, piece);
    if (err == TLY_OK) {
        return MHD_YES;
    }
    struct tly_diag diag = {0};
    http_reply_problem(&p->req, tly_fail(&diag, err, "%s", body_refusal(err)), &diag);
    http_reply_raw(p);
    return MHD_NO;
}

/* The whole request is there. */
static enum MHD_Result
on_whole(struct http_req_priv *p)
{
    struct http_server *s = p->server;
    if (!handler_enter(s, p)) {
        return refuse(p, TLY_EBUSY, "going down");
    }
    watcher_phase(p->conn, WATCHER_HANDLER, 0);
    http_state_to(p, HTTP_STATE_RUNNING, NULL);
    if (s->config.handler(s->config.arg, &p->req) == HTTP_REPLIED) {
        http_state_to(p, HTTP_STATE_READY, NULL);
        handler_leave(s, true);
        return http_reply_queue(p);
    }
    /* From here another thread may answer at any moment.  Suspend first, then say so: whoever finds
     * WAITING may resume. */
    MHD_suspend_connection(p->mhd);
    if (!http_state_to(p, HTTP_STATE_WAITING, NULL)) {
        MHD_resume_connection(p->mhd); /* it has answered already and left resuming to us */
    }
    handler_leave(s, false);
    return MHD_YES;
}

static enum MHD_Result
on_request(void *arg, struct MHD_Connection *mhd, const char *url, const char *method,
           const char *version, const char *upload, size_t *upload_len, void **context)
{
    if (*context == &uri_long) {
        return MHD_NO; /* answered already */
    }
    if (!is_begun(*context)) {
        *context = begin(arg, mhd, *context == &uri_nul);
    }
    struct http_req_priv *p = *context;
    if (p == NULL) {
        return MHD_NO;
    }
    if (!p->seen) {
        return on_head(p, url, method, version);
    }
    if (*upload_len > 0) {
        const struct tly_bytes piece = {(const uint8_t *)upload, *upload_len};
        *upload_len                  = 0;
        return on_body(p, piece);
    }
    switch ((enum http_state)atomic_load(&p->state)) {
    case HTTP_STATE_READING:
        return on_whole(p);
    case HTTP_STATE_READY:
        return http_reply_queue(p);
    case HTTP_STATE_RUNNING:
    case HTTP_STATE_WAITING: /* woken for nothing */
    case HTTP_STATE_REPLYING:
    case HTTP_STATES_N:
        break;
    }
    return MHD_YES;
}

/* ---- starting ---------------------------------------------------------------------------------
 */

TLY_NORETURN static void
on_panic(void *arg, const char *file, unsigned line, const char *reason)
{
    (void)arg;
    tly_check_failed(file, (int)line, reason);
}

static enum tly_err
start_mhd(struct http_server *s, struct tly_diag *diag)
{
    const struct http_config *c   = &s->config;
    const bool                tls = c->cert_pem != NULL;
    const unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ITC |
                           MHD_USE_NO_LISTEN_SOCKET | (tls ? MHD_USE_TLS : 0U);
    /* Texts are only read, but the list holds void *. */
    struct MHD_OptionItem secure[] = {
        {MHD_OPTION_HTTPS_MEM_CERT, 0, (void *)(uintptr_t)c->cert_pem},
        {MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)(uintptr_t)c->key_pem},
        {MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)(uintptr_t)PRIORITY},
        {MHD_OPTION_END, 0, NULL}};
    struct MHD_OptionItem plain[] = {{MHD_OPTION_END, 0, NULL}};
    struct MHD_OptionItem pool[]  = {
         {c->workers_n > 1 ? MHD_OPTION_THREAD_POOL_SIZE : MHD_OPTION_END, (intptr_t)c->workers_n,
          NULL},
         {MHD_OPTION_END, 0, NULL}};
    MHD_set_panic_func(on_panic, NULL);
    /* The watcher holds the limit on connections; MHD shares its own among the workers, so each
     * share must be able to take them all. */
    s->daemon = MHD_start_daemon(
        flags, 0, NULL, NULL, on_request, s, MHD_OPTION_NOTIFY_CONNECTION, watcher_notify,
        s->watcher, MHD_OPTION_NOTIFY_COMPLETED, on_completed, s, MHD_OPTION_URI_LOG_CALLBACK,
        on_uri, s, MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        CONNECTION_BYTES, MHD_OPTION_CONNECTION_LIMIT, (c->connections_max + 1) * c->workers_n,
        MHD_OPTION_PER_IP_CONNECTION_LIMIT, c->connections_per_ip_max,
        MHD_OPTION_CONNECTION_TIMEOUT, c->idle_timeout_s, MHD_OPTION_ARRAY, pool, MHD_OPTION_ARRAY,
        tls ? secure : plain, MHD_OPTION_END);
    if (s->daemon == NULL) {
        return tly_fail(diag, TLY_EINPUT, "%s: the server does not start%s", c->name,
                        tls ? ": its certificate or key is unusable, or they are not a pair" : "");
    }
    return TLY_OK;
}

static void
server_free(struct http_server *s)
{
    watcher_free(s->watcher);
    (void)pthread_cond_destroy(&s->changed);
    (void)pthread_mutex_destroy(&s->lock);
    free(s);
}

static enum tly_err
start(struct http_server *s, struct tly_diag *diag)
{
    int          fd  = -1;
    enum tly_err err = http_listen(&s->config, &fd, &s->port, diag);
    if (err != TLY_OK) {
        return err;
    }
    const struct watcher_config config = {
        .name             = s->config.name,
        .listen_fd        = fd,
        .tls              = s->config.cert_pem != NULL,
        .connections_max  = s->config.connections_max,
        .handshake_ms_max = s->config.handshake_ms_max,
        .handshakes_max   = s->config.handshakes_max,
        .head_ms_max      = s->config.head_ms_max == 0 ? HTTP_HEAD_MS : s->config.head_ms_max,
        .body_ms_max      = s->config.body_ms_max == 0 ? HTTP_BODY_MS : s->config.body_ms_max,
        .reply_ms_max     = s->config.reply_ms_max == 0 ? HTTP_REPLY_MS : s->config.reply_ms_max,
        .reply_rate_min =
            s->config.reply_rate_min == 0 ? HTTP_REPLY_RATE : s->config.reply_rate_min,
        .allow = s->config.allow,
        .arg   = s->config.arg,
    };
    err = watcher_new(&config, &s->watcher, diag);
    if (err == TLY_OK) {
        err = start_mhd(s, diag);
    }
    if (err == TLY_OK) {
        err = watcher_start(s->watcher, s->daemon, diag);
    }
    if (err != TLY_OK) {
        (void)close(fd);
        MHD_stop_daemon(s->daemon); /* NULL is fine */
    }
    return err;
}

enum tly_err
http_server_start(const struct http_config *config, struct http_server **out, struct tly_diag *diag)
{
    pthread_condattr_t  attr;
    struct http_server *s = calloc(1, sizeof *s);
    if (s == NULL) {
        return tly_fail(diag, TLY_ENOMEM, "%s: no memory", config->name);
    }
    TLY_CHECK(config->workers_n >= 1);
    TLY_CHECK(config->connections_max >= 1);
    TLY_CHECK(config->cert_pem == NULL || (config->key_pem != NULL && config->allow != NULL));
    s->config       = *config;
    s->memory.max   = config->memory_bytes_max == 0 ? SIZE_MAX : config->memory_bytes_max;
    s->memory_large = (struct tly_budget){.max = s->memory.max / 8 * 7, .whole = &s->memory};
    (void)pthread_mutex_init(&s->lock, NULL);
    (void)pthread_condattr_init(&attr);
    (void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&s->changed, &attr);
    (void)pthread_condattr_destroy(&attr);
    const enum tly_err err = start(s, diag);
    if (err != TLY_OK) {
        server_free(s);
        return err;
    }
    *out = s;
    return TLY_OK;
}

uint16_t
http_server_port(const struct http_server *server)
{
    return server->port;
}

struct http_stats
http_server_stats(const struct http_server *server)
{
    const struct watcher_stats w = watcher_stats(server->watcher);
    return (struct http_stats){
        .connections         = w.connections,
        .handshakes          = w.handshakes,
        .handshakes_waiting  = w.handshakes_waiting,
        .accepted            = w.accepted,
        .refused_certificate = w.refused_certificate,
        .handshakes_late     = w.handshakes_late,
        .handshakes_ended    = w.handshakes_ended,
        .connections_ended   = w.connections_ended,
        .requests            = atomic_load_explicit(&server->requests, memory_order_relaxed),
        .memory              = atomic_load_explicit(&server->memory.used, memory_order_relaxed),
        .memory_refused      = atomic_load_explicit(&server->memory_refused, memory_order_relaxed),
    };
}

/* ---- going down -------------------------------------------------------------------------------
 */

void
http_server_quiesce(struct http_server *server)
{
    watcher_quiesce(server->watcher);
    lock(server);
    server->quiesced = true;
    while (server->running > 0) {
        (void)pthread_cond_wait(&server->changed, &server->lock);
    }
    unlock(server);
}

void
http_server_stop(struct http_server *server, unsigned wait_ms)
{
    if (server == NULL) {
        return;
    }
    http_server_quiesce(server);
    const uint64_t        until = clock_mono_ms() + wait_ms;
    const struct timespec at    = {.tv_sec  = (time_t)(until / 1000),
                                   .tv_nsec = (long)(until % 1000) * 1000000};
    int                   rc    = 0;
    lock(server);
    while (server->live > 0 && rc == 0) {
        rc = pthread_cond_timedwait(&server->changed, &server->lock, &at);
    }
    /* A waiting request without a reply is a suspended connection, and whoever owes the reply still
     * holds it. */
    TLY_CHECK(server->unanswered == 0);
    unlock(server);
    watcher_stop(server->watcher);
    MHD_stop_daemon(server->daemon);
    server_free(server);
}
