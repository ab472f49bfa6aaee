/* SPDX-License-Identifier: Apache-2.0 */
/* libmicrohttpd 0.9.75 with epoll and TLS spins a worker for as long as a handshake is unfinished:
 * it forgets that a socket is readable where it receives itself, and in a handshake GnuTLS
 * receives.  The cure, all of it in this file: GnuTLS gets our pull and push functions; when one
 * would block during the handshake, the connection is suspended and its socket goes into our own
 * epoll set (one shot), from where the watcher's thread resumes it.
 *
 * Why it is sound although the manual allows suspending in request handlers only.  MHD calls GnuTLS
 * for a handshake from MHD_connection_handle_read() alone, on the connection's worker; after it
 * come only MHD_connection_handle_idle() and the end of the turn, and both leave a suspended
 * connection alone (read in the source of 0.9.75; a newer MHD needs another look).
 *
 * The race.  A connection is known to two threads: its worker, which suspends and closes it, and
 * the watcher, which resumes it and shuts its socket down.  Both do so under `lock` only:
 *   - arming and suspending are one step, so that a resume never comes before its suspend;
 *   - a record is alive from STARTED to CLOSED (both on the worker); MHD closes the socket after
 *     CLOSED, so a socket of a live record is never a reused number;
 *   - an event names a record and its generation; CLOSED takes the socket out of the epoll set and
 *     ends the generation, so an event fetched before finds a stranger and is dropped;
 *   - MHD_resume_connection() only sets a flag and wakes the worker; MHD does not close a suspended
 *     connection, so one that is `stalled` may be resumed.
 * Order of locks: ours, then MHD's.  MHD calls us with none of its own held.
 *
 * Limits.  connections_max records, made once.  A handshake has one absolute deadline and
 * STALLS_MAX stalls (a client that sends byte by byte has enough, one that does so for sport has
 * not); over handshakes_max of them the oldest end whose clients are silent.  A deadline is met by
 * shutdown(): the next read ends, and MHD closes.  It is looked for every TICK_MS.
 *
 * We accept ourselves and hand sockets to MHD_add_connection(): MHD_quiesce_daemon() races with its
 * own workers (either may find the listening socket already gone from the epoll set, and panics),
 * and a listening socket in every worker's epoll set wakes all of them for each connection.  A
 * socket that MHD drops for want of memory stays counted.
 *
 * Going down, see http_server_stop(): stop accepting; all requests get their replies; end the
 * stalled handshakes and let none stall any more (MHD_stop_daemon() panics over a suspended
 * connection); end this thread; MHD_stop_daemon(), whose workers still call us; free. */
#include "watcher.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/check.h"
#include "pin.h"
#include "sys/clock.h"
#include "sys/log.h"

#define TICK_MS     100U
#define EVENTS_MAX  64
#define ACCEPTS_MAX 64 /* in one turn, so that resuming is not kept waiting */
#define STALLS_MAX  4096U
/* A handshake younger than this is not ended for others while there is room. */
#define GRACE_MS 1000U

#define EVENT_LISTEN UINT64_MAX
#define EVENT_WAKE   (UINT64_MAX - 1)

struct watcher_conn {
    struct pin             pin; /* first: the session's transport pointer is both */
    struct watcher        *watcher;
    struct MHD_Connection *mhd;
    gnutls_session_t       session; /* NULL: no TLS */
    int                    fd;
    unsigned               stalls; /* worker only */
    _Atomic(unsigned)      phase;
    _Atomic(uint64_t)      deadline_ms; /* 0: none */
    /* under the watcher's lock */
    uint32_t              generation; /* odd: alive */
    bool                  stalled; /* suspended, and the epoll set or a deadline will resume it */
    bool                  in_epoll;
    bool                  shaking; /* its handshake is unfinished */
    bool                  ended;   /* shut down to make room */
    uint64_t              begun_ms;
    struct watcher_conn  *next_free;
    struct watcher_conn  *next_kin;      /* of the same bucket, older */
    struct watcher_conn **bucket;        /* NULL: in none */
    struct watcher_conn  *older, *newer; /* unfinished handshakes */
};

struct watcher {
    struct watcher_config config;
    struct pin_rule       rule;
    struct MHD_Daemon    *daemon;
    int                   epoll_fd;
    int                   wake_fd;
    pthread_t             thread;
    bool                  started;
    _Atomic(uint64_t)     open; /* accepted and not yet closed */
    _Atomic(uint64_t)     accepted;
    _Atomic(uint64_t)     late;
    _Atomic(bool)         paused; /* the listening socket is not looked at meanwhile */

    pthread_mutex_t       lock;
    pthread_cond_t        changed;
    bool                  listening;
    bool                  quiesce;
    bool                  down; /* no handshake stalls any more */
    bool                  stop;
    uint64_t              stalled_n;
    struct watcher_conn  *oldest, *newest; /* unfinished handshakes */
    unsigned              shaking_n;
    uint64_t              handshakes_ended;
    uint64_t              connections_ended;
    struct watcher_conn **kin; /* buckets of connections whose certificates have a limit */
    unsigned              kin_mask;
    struct watcher_conn  *free;
    unsigned              conns_used; /* of conns[], ever */
    struct watcher_conn   conns[];
};

static void
lock(struct watcher *w)
{
    const int rc = pthread_mutex_lock(&w->lock);
    TLY_CHECK(rc == 0);
}

static void
unlock(struct watcher *w)
{
    const int rc = pthread_mutex_unlock(&w->lock);
    TLY_CHECK(rc == 0);
}

static void
wake(struct watcher *w)
{
    const uint64_t one = 1;
    ssize_t        n;
    do {
        n = write(w->wake_fd, &one, sizeof one);
    } while (n < 0 && errno == EINTR);
}

/* ---- phases -----------------------------------------------------------------------------------
 */

void
watcher_phase(struct watcher_conn *conn, enum watcher_phase phase, size_t bytes)
{
    uint64_t allowed = 0;
    switch (phase) {
    case WATCHER_HANDSHAKE:
        allowed = conn->watcher->config.handshake_ms_max;
        break;
    case WATCHER_HEAD:
        allowed = conn->watcher->config.head_ms_max;
        break;
    case WATCHER_BODY:
        allowed = conn->watcher->config.body_ms_max;
        break;
    case WATCHER_REPLY:
        allowed = conn->watcher->config.reply_ms_max;
        if (bytes > HTTP_REPLY_FREE) {
            allowed +=
                (uint64_t)(bytes - HTTP_REPLY_FREE) * 1000 / conn->watcher->config.reply_rate_min;
        }
        break;
    case WATCHER_IDLE:
    case WATCHER_HANDLER:
        break;
    }
    const uint64_t deadline = allowed == 0 ? 0 : clock_mono_ms() + allowed;
    atomic_store_explicit(&conn->phase, phase, memory_order_relaxed);
    /* Release: whoever finds a deadline may use the record's fd. */
    atomic_store_explicit(&conn->deadline_ms, deadline, memory_order_release);
}

static enum watcher_phase
phase_of(struct watcher_conn *conn)
{
    return (enum watcher_phase)atomic_load_explicit(&conn->phase, memory_order_relaxed);
}

/* ---- stalling and resuming --------------------------------------------------------------------
 */

/* Under lock.  Lets the worker go on with a stalled connection. */
static void
resume(struct watcher *w, struct watcher_conn *c)
{
    TLY_CHECK(c->stalled);
    c->stalled = false;
    w->stalled_n--;
    MHD_resume_connection(c->mhd);
}

static uint64_t
event_of(const struct watcher_conn *c)
{
    return (uint64_t)c->generation << 32 | (uint64_t)(c - c->watcher->conns);
}

/* Under lock.  One event of the socket will come to the watcher. */
static bool
arm(struct watcher *w, struct watcher_conn *c, uint32_t events)
{
    struct epoll_event ev = {.events = events | EPOLLRDHUP | EPOLLONESHOT, .data.u64 = event_of(c)};
    const int          op = c->in_epoll ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
    if (epoll_ctl(w->epoll_fd, op, c->fd, &ev) != 0) {
        return false;
    }
    c->in_epoll = true;
    return true;
}

/* Worker, from pull or push in the handshake: takes the connection off the worker until the socket
 * is ready.  False: it must end instead. */
static bool
stall(struct watcher_conn *c, uint32_t events)
{
    struct watcher                 *w = c->watcher;
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(c->mhd, MHD_CONNECTION_INFO_CONNECTION_SUSPENDED);
    if (info->suspended == MHD_YES) {
        return true; /* asked twice in one turn: once is enough, twice would break MHD's lists */
    }
    if (++c->stalls > STALLS_MAX) {
        return false;
    }
    lock(w);
    const bool ok = !w->down && arm(w, c, events);
    if (ok) {
        MHD_suspend_connection(c->mhd);
        c->stalled = true;
        w->stalled_n++;
    }
    unlock(w);
    return ok;
}

/* Under lock. */
static void
shaking_in(struct watcher *w, struct watcher_conn *c)
{
    c->shaking                                            = true;
    c->begun_ms                                           = clock_mono_ms();
    c->older                                              = w->newest;
    *(w->newest == NULL ? &w->oldest : &w->newest->newer) = c;
    w->newest                                             = c;
    w->shaking_n++;
}

/* Under lock. */
static void
shaking_out(struct watcher *w, struct watcher_conn *c)
{
    if (!c->shaking) {
        return;
    }
    *(c->older == NULL ? &w->oldest : &c->older->newer) = c->newer;
    *(c->newer == NULL ? &w->newest : &c->newer->older) = c->older;
    c->shaking                                          = false;
    w->shaking_n--;
}

/* Under lock.  The worker finds the end of the connection and closes it. */
static void
end(struct watcher *w, struct watcher_conn *c)
{
    shaking_out(w, c);
    c->ended = true;
    atomic_store_explicit(&c->deadline_ms, 0, memory_order_relaxed);
    (void)shutdown(c->fd, SHUT_RDWR);
    if (c->stalled) {
        resume(w, c);
    }
}

/* ---- connections of one certificate -----------------------------------------------------------
 */

/* Under lock.  Makes room for one more connection of this certificate; false: those that were ended
 * have not left yet. */
static bool
kin_room(struct watcher *w, struct watcher_conn *first, const struct tly_hash *cert, unsigned max)
{
    struct watcher_conn *oldest = NULL;
    unsigned             open   = 0;
    unsigned             all    = 0;
    for (struct watcher_conn *c = first; c != NULL; c = c->next_kin) {
        if (tly_hash_eq(&c->pin.cert, cert)) {
            all++;
            open += c->ended ? 0 : 1;
            oldest = c->ended ? oldest : c;
        }
    }
    if (open >= max && all < 2 * max) {
        end(w, oldest);
        w->connections_ended++;
        return true;
    }
    return open < max;
}

/* Worker, in the handshake: may this certificate have this connection? */
static bool
admit(struct pin *pin)
{
    struct watcher_conn   *c    = (struct watcher_conn *)pin; /* its first member */
    struct watcher        *w    = c->watcher;
    const struct tly_hash *cert = &pin->cert;
    unsigned               max  = 0;
    if (!w->config.allow(w->config.arg, cert, &max)) {
        return false;
    }
    if (max == 0) {
        return true;
    }
    uint32_t hash;
    memcpy(&hash, cert->b, sizeof hash);
    struct watcher_conn **bucket = &w->kin[hash & w->kin_mask];
    lock(w);
    const bool ok = kin_room(w, *bucket, cert, max);
    if (ok) {
        c->next_kin = *bucket;
        c->bucket   = bucket;
        *bucket     = c;
    }
    unlock(w);
    return ok;
}

/* Under lock. */
static void
kin_out(struct watcher_conn *c)
{
    if (c->bucket == NULL) {
        return;
    }
    struct watcher_conn **at = c->bucket;
    while (*at != c) {
        at = &(*at)->next_kin;
    }
    *at       = c->next_kin;
    c->bucket = NULL;
}

/* ---- GnuTLS's way to the socket ---------------------------------------------------------------
 */

static ssize_t
pull(gnutls_transport_ptr_t arg, void *buf, size_t n)
{
    struct watcher_conn *c   = arg;
    const ssize_t        got = recv(c->fd, buf, n, 0);
    if (got < 0) {
        int failed = errno;
        if (failed == EAGAIN && !c->pin.finished && !stall(c, EPOLLIN)) {
            failed = ECONNABORTED;
        }
        gnutls_transport_set_errno(c->session, failed);
    }
    const enum watcher_phase phase = phase_of(c);
    if (got > 0 && phase == WATCHER_IDLE) {
        watcher_phase(c, WATCHER_HEAD, 0);
    } else if (phase == WATCHER_HANDSHAKE && c->pin.verified && c->pin.finished) {
        watcher_phase(c, got > 0 ? WATCHER_HEAD : WATCHER_IDLE, 0); /* first read behind it */
        lock(c->watcher);
        shaking_out(c->watcher, c);
        unlock(c->watcher);
    }
    return got;
}

static ssize_t
push(gnutls_transport_ptr_t arg, const giovec_t *iov, int iov_n)
{
    struct watcher_conn *c = arg;
    struct iovec         copy[16];
    const size_t         n = (size_t)iov_n < TLY_N(copy) ? (size_t)iov_n : TLY_N(copy);
    memcpy(copy, iov, n * sizeof copy[0]);
    const struct msghdr msg  = {.msg_iov = copy, .msg_iovlen = n};
    const ssize_t       sent = sendmsg(c->fd, &msg, MSG_NOSIGNAL);
    if (sent < 0) {
        int failed = errno;
        if (failed == EAGAIN && !c->pin.finished && !stall(c, EPOLLOUT)) {
            failed = ECONNABORTED;
        }
        gnutls_transport_set_errno(c->session, failed);
    }
    return sent;
}

/* GnuTLS wants one beside a pull function; with a socket that does not block it is not called. */
static int
pull_timeout(gnutls_transport_ptr_t arg, unsigned ms)
{
    const struct watcher_conn *c   = arg;
    struct pollfd              pfd = {.fd = c->fd, .events = POLLIN};
    return poll(&pfd, 1, ms > INT32_MAX ? -1 : (int)ms);
}

/* ---- a connection's life ----------------------------------------------------------------------
 */

static struct watcher_conn *
conn_take(struct watcher *w)
{
    lock(w);
    struct watcher_conn *c = w->free;
    if (c != NULL) {
        w->free = c->next_free;
    } else {
        TLY_CHECK(w->conns_used < w->config.connections_max); /* the acceptor holds the limit */
        c = &w->conns[w->conns_used++];
    }
    const uint32_t generation = c->generation + 1;
    *c = (struct watcher_conn){.watcher = w, .generation = generation, .pin.rule = &w->rule};
    unlock(w);
    return c;
}

static struct watcher_conn *
conn_begin(struct watcher *w, struct MHD_Connection *mhd)
{
    struct watcher_conn            *c = conn_take(w);
    const union MHD_ConnectionInfo *info;
    c->mhd = mhd;
    info   = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD);
    c->fd  = info->connect_fd;
    if (w->config.tls) {
        info       = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_GNUTLS_SESSION);
        c->session = info->tls_session;
        gnutls_transport_set_ptr(c->session, c);
        gnutls_transport_set_pull_function(c->session, pull);
        gnutls_transport_set_vec_push_function(c->session, push);
        gnutls_transport_set_pull_timeout_function(c->session, pull_timeout);
        pin_require(c->session);
    }
    watcher_phase(c, w->config.tls ? WATCHER_HANDSHAKE : WATCHER_IDLE, 0);
    if (w->config.tls) {
        lock(w);
        shaking_in(w, c);
        unlock(w);
    }
    return c;
}

static void
conn_end(struct watcher *w, struct watcher_conn *c)
{
    lock(w);
    TLY_CHECK(!c->stalled); /* MHD does not close what is suspended */
    shaking_out(w, c);
    kin_out(c);
    if (c->in_epoll) {
        (void)epoll_ctl(w->epoll_fd, EPOLL_CTL_DEL, c->fd, NULL);
    }
    c->generation++;
    c->next_free = w->free;
    w->free      = c;
    unlock(w);
    atomic_fetch_sub(&w->open, 1);
    if (atomic_load(&w->paused)) {
        wake(w);
    }
}

void
watcher_notify(void *arg, struct MHD_Connection *mhd, void **context,
               enum MHD_ConnectionNotificationCode code)
{
    struct watcher *w = arg;
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        *context = conn_begin(w, mhd);
    } else if (*context != NULL) {
        conn_end(w, *context);
        *context = NULL;
    }
}

struct watcher_conn *
watcher_conn(struct MHD_Connection *mhd)
{
    return MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
}

const struct tly_hash *
watcher_peer(const struct watcher_conn *conn)
{
    return conn->session == NULL || conn->pin.verified ? &conn->pin.cert : NULL;
}

/* ---- the thread -------------------------------------------------------------------------------
 */

/* A socket of a stalled handshake is ready. */
static void
on_ready(struct watcher *w, uint64_t event)
{
    const uint32_t i = (uint32_t)event;
    lock(w);
    TLY_CHECK(i < w->conns_used);
    struct watcher_conn *c = &w->conns[i];
    if (c->generation == (uint32_t)(event >> 32) && c->stalled) {
        resume(w, c);
    }
    unlock(w);
}

/* Cuts the connections whose time is over. */
static void
cut_late(struct watcher *w, uint64_t now)
{
    lock(w);
    for (unsigned i = 0; i < w->conns_used; i++) {
        struct watcher_conn *c        = &w->conns[i];
        const uint64_t       deadline = atomic_load_explicit(&c->deadline_ms, memory_order_acquire);
        if (c->generation % 2 == 0 || deadline == 0 || deadline > now) {
            continue;
        }
        if (phase_of(c) == WATCHER_HANDSHAKE) {
            atomic_fetch_add(&w->late, 1);
        }
        atomic_store_explicit(&c->deadline_ms, 0, memory_order_relaxed);
        (void)shutdown(c->fd, SHUT_RDWR);
        if (c->stalled) {
            resume(w, c);
        }
    }
    unlock(w);
}

/* Bytes that wait for our worker. */
static bool
unread(const struct watcher_conn *c)
{
    int n = 0;
    return ioctl(c->fd, FIONREAD, &n) == 0 && n > 0;
}

/* Ends the oldest unfinished handshakes over the limit; not those that wait for us, which in a rush
 * of honest clients are most. */
static void
cut_over(struct watcher *w, uint64_t now)
{
    const unsigned max   = w->config.handshakes_max;
    const uint64_t grace = atomic_load(&w->paused) ? 0 : GRACE_MS;
    if (max == 0) {
        return;
    }
    lock(w);
    for (struct watcher_conn *next = NULL, *c = w->oldest;
         c != NULL && w->shaking_n > max && c->begun_ms + grace <= now; c = next) {
        next = c->newer;
        if (!unread(c)) {
            end(w, c);
            w->handshakes_ended++;
        }
    }
    unlock(w);
}

static void
listen_events(struct watcher *w, uint32_t events)
{
    struct epoll_event ev = {.events = events, .data.u64 = EVENT_LISTEN};
    const int          rc = epoll_ctl(w->epoll_fd, EPOLL_CTL_MOD, w->config.listen_fd, &ev);
    TLY_CHECK(rc == 0);
    atomic_store(&w->paused, events == 0);
}

static void
accept_some(struct watcher *w)
{
    for (unsigned i = 0; i < ACCEPTS_MAX; i++) {
        struct sockaddr_storage addr;
        socklen_t               len = sizeof addr;
        const int               one = 1;
        if (atomic_load(&w->open) >= w->config.connections_max) {
            listen_events(w, 0);
            return;
        }
        const int fd = accept4(w->config.listen_fd, (struct sockaddr *)&addr, &len,
                               SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd < 0) {
            if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
                log_event(LOG_WARNING, "net.accept_paused", "server=%s error=%s", w->config.name,
                          strerrorname_np(errno));
                listen_events(w, 0);
            }
            return;
        }
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        atomic_fetch_add(&w->open, 1);
        atomic_fetch_add(&w->accepted, 1);
        if (MHD_add_connection(w->daemon, fd, (struct sockaddr *)&addr, len) != MHD_YES) {
            atomic_fetch_sub(&w->open, 1); /* over the limit for one address: MHD closed it */
        }
    }
}

/* What other threads asked for; false: to end. */
static bool
obey(struct watcher *w)
{
    lock(w);
    if (w->quiesce && w->listening) {
        (void)epoll_ctl(w->epoll_fd, EPOLL_CTL_DEL, w->config.listen_fd, NULL);
        (void)close(w->config.listen_fd);
        w->listening = false;
        (void)pthread_cond_broadcast(&w->changed);
    }
    const bool stop = w->stop;
    unlock(w);
    return !stop;
}

static void
on_event(struct watcher *w, uint64_t event)
{
    uint64_t drained;
    if (event == EVENT_WAKE) {
        (void)!read(w->wake_fd, &drained, sizeof drained);
    } else if (event == EVENT_LISTEN) {
        accept_some(w);
    } else {
        on_ready(w, event);
    }
}

static void *
watch(void *arg)
{
    struct watcher *w         = arg;
    uint64_t        looked_at = clock_mono_ms();
    while (obey(w)) {
        struct epoll_event events[EVENTS_MAX];
        const bool         quiet = atomic_load(&w->open) == 0 && !atomic_load(&w->paused);
        const int n = epoll_wait(w->epoll_fd, events, EVENTS_MAX, quiet ? -1 : (int)TICK_MS);
        TLY_CHECK(n >= 0 || errno == EINTR);
        for (int i = 0; i < n; i++) {
            on_event(w, events[i].data.u64);
        }
        const uint64_t now = clock_mono_ms();
        if (now - looked_at >= TICK_MS) {
            looked_at = now;
            cut_late(w, now);
            cut_over(w, now);
        }
        if (atomic_load(&w->paused) && w->listening &&
            atomic_load(&w->open) < w->config.connections_max) {
            listen_events(w, EPOLLIN);
        }
    }
    return NULL;
}

/* ---- making and ending ------------------------------------------------------------------------
 */

static bool
open_fds(struct watcher *w)
{
    struct epoll_event listen = {.events = EPOLLIN, .data.u64 = EVENT_LISTEN};
    struct epoll_event waker  = {.events = EPOLLIN, .data.u64 = EVENT_WAKE};
    w->epoll_fd               = epoll_create1(EPOLL_CLOEXEC);
    w->wake_fd                = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return w->epoll_fd >= 0 && w->wake_fd >= 0 &&
           epoll_ctl(w->epoll_fd, EPOLL_CTL_ADD, w->wake_fd, &waker) == 0 &&
           epoll_ctl(w->epoll_fd, EPOLL_CTL_ADD, w->config.listen_fd, &listen) == 0;
}

enum tly_err
watcher_new(const struct watcher_config *config, struct watcher **out, struct tly_diag *diag)
{
    struct watcher *w = calloc(1, sizeof *w + (size_t)config->connections_max * sizeof w->conns[0]);
    if (w == NULL) {
        return tly_fail(diag, TLY_ENOMEM, "%s: no memory for %u connections", config->name,
                        config->connections_max);
    }
    w->epoll_fd   = -1;
    w->wake_fd    = -1;
    w->config     = *config;
    w->rule.admit = admit;
    for (w->kin_mask = 15; w->kin_mask < config->connections_max;
         w->kin_mask = w->kin_mask * 2 + 1) {
    }
    w->kin = calloc((size_t)w->kin_mask + 1, sizeof(struct watcher_conn *));
    (void)pthread_mutex_init(&w->lock, NULL);
    (void)pthread_cond_init(&w->changed, NULL);
    if (w->kin == NULL) {
        watcher_free(w);
        return tly_fail(diag, TLY_ENOMEM, "%s: no memory for %u connections", config->name,
                        config->connections_max);
    }
    if (!open_fds(w)) {
        const int failed = errno;
        watcher_free(w);
        return tly_fail(diag, TLY_EIO, "%s: epoll: %s", config->name, strerrordesc_np(failed));
    }
    *out = w;
    return TLY_OK;
}

enum tly_err
watcher_start(struct watcher *w, struct MHD_Daemon *daemon, struct tly_diag *diag)
{
    char     name[16];
    sigset_t all;
    sigset_t before;
    w->daemon    = daemon;
    w->listening = true;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before); /* signals are the main thread's */
    const int rc = pthread_create(&w->thread, NULL, watch, w);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (rc != 0) {
        w->listening = false;
        return tly_fail(diag, TLY_EIO, "%s: no thread: %s", w->config.name, strerrordesc_np(rc));
    }
    w->started = true;
    (void)snprintf(name, sizeof name, "%.9s-watch", w->config.name);
    (void)pthread_setname_np(w->thread, name);
    return TLY_OK;
}

struct watcher_stats
watcher_stats(struct watcher *w)
{
    lock(w);
    const uint64_t stalled           = w->stalled_n;
    const uint64_t shaking           = w->shaking_n;
    const uint64_t handshakes_ended  = w->handshakes_ended;
    const uint64_t connections_ended = w->connections_ended;
    unlock(w);
    return (struct watcher_stats){
        .handshakes_ended    = handshakes_ended,
        .connections_ended   = connections_ended,
        .connections         = atomic_load(&w->open),
        .handshakes          = shaking,
        .handshakes_waiting  = stalled,
        .accepted            = atomic_load(&w->accepted),
        .refused_certificate = atomic_load(&w->rule.refused),
        .handshakes_late     = atomic_load(&w->late),
    };
}

void
watcher_quiesce(struct watcher *w)
{
    lock(w);
    w->quiesce = true;
    wake(w);
    while (w->listening) {
        (void)pthread_cond_wait(&w->changed, &w->lock);
    }
    unlock(w);
}

void
watcher_stop(struct watcher *w)
{
    lock(w);
    w->down = true;
    w->stop = true;
    for (unsigned i = 0; i < w->conns_used; i++) {
        if (w->conns[i].stalled) {
            (void)shutdown(w->conns[i].fd, SHUT_RDWR);
            resume(w, &w->conns[i]);
        }
    }
    wake(w);
    unlock(w);
    if (w->started) {
        (void)pthread_join(w->thread, NULL);
        w->started = false;
    }
}

void
watcher_free(struct watcher *w)
{
    if (w == NULL) {
        return;
    }
    TLY_CHECK(!w->started);
    if (w->epoll_fd >= 0) {
        (void)close(w->epoll_fd);
    }
    if (w->wake_fd >= 0) {
        (void)close(w->wake_fd);
    }
    (void)pthread_cond_destroy(&w->changed);
    (void)pthread_mutex_destroy(&w->lock);
    free(w->kin);
    free(w);
}
