/* SPDX-License-Identifier: Apache-2.0 */
/* The socket's side: a few connections, of one user, none of which can hold up another.  A request
 * is answered whole before the next is looked at, so that there is one order of heads. */
#include <endian.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/check.h"
#include "signer.h"
#include "sys/clock.h"
#include "sys/log.h"

#define PEERS_MAX 8 /* over it the one that was silent longest ends */

struct peer {
    int      fd;
    uint64_t heard_ms; /* when it last sent something, or came */
    uint64_t began_ms; /* when the request under way began */
    size_t   len;      /* bytes of it that are here */
    uint8_t  data[SIGNWIRE_LENGTH_BYTES + SIGNWIRE_REQUEST_MAX];
};

struct server {
    const struct serve *serve;
    struct peer         peers[PEERS_MAX];
    unsigned            peers_n;
};

static volatile sig_atomic_t told_to_stop;

static void
on_signal(int sig)
{
    (void)sig;
    told_to_stop = 1;
}

static void
peer_end(struct server *s, unsigned i)
{
    (void)close(s->peers[i].fd);
    s->peers_n--;
    if (i < s->peers_n) {
        s->peers[i] = s->peers[s->peers_n];
    }
}

/* ---- coming ---- */

static unsigned
most_silent(const struct server *s)
{
    unsigned least = 0;
    for (unsigned i = 1; i < s->peers_n; i++) {
        if (s->peers[i].heard_ms < s->peers[least].heard_ms) {
            least = i;
        }
    }
    return least;
}

static bool
may_ask(const struct server *s, int fd)
{
    struct ucred who = {0};
    socklen_t    len = sizeof who;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) != 0) {
        return false;
    }
    if (who.uid != s->serve->client) {
        log_event(LOG_WARNING, "peer.refused", "uid=%u pid=%d", who.uid, who.pid);
        return false;
    }
    return true;
}

static void
peer_take(struct server *s)
{
    const int fd = accept4(s->serve->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0) {
        return; /* gone again */
    }
    if (!may_ask(s, fd)) {
        (void)close(fd);
        return;
    }
    if (s->peers_n == PEERS_MAX) {
        peer_end(s, most_silent(s));
    }
    struct peer *peer = &s->peers[s->peers_n++];
    peer->fd          = fd;
    peer->len         = 0;
    peer->heard_ms    = clock_mono_ms();
}

/* ---- asking ---- */

static bool
send_answer(int fd, const char *text, size_t len)
{
    uint8_t        frame[SIGNWIRE_LENGTH_BYTES + SIGNWIRE_ANSWER_MAX];
    const uint32_t length = htobe32((uint32_t)len);
    const size_t   all    = SIGNWIRE_LENGTH_BYTES + len;
    memcpy(frame, &length, sizeof length);
    memcpy(frame + SIGNWIRE_LENGTH_BYTES, text, len);
    /* An answer is small: who leaves so many unread that it does not fit is not served. */
    return send(fd, frame, all, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)all;
}

/* Answers every whole request that is here.  *keep: whether the peer is one to go on with. */
static enum tly_err
peer_answer(struct server *s, struct peer *peer, bool *keep, struct tly_diag *diag)
{
    *keep = true;
    while (*keep && peer->len >= SIGNWIRE_LENGTH_BYTES) {
        uint32_t length;
        char     text[SIGNWIRE_ANSWER_MAX];
        size_t   text_len = 0;
        memcpy(&length, peer->data, sizeof length);
        length = be32toh(length);
        if (length > SIGNWIRE_REQUEST_MAX) {
            log_event(LOG_WARNING, "request.refused", "why=\"%u bytes; at most %d are taken\"",
                      length, SIGNWIRE_REQUEST_MAX);
            *keep = false;
            return TLY_OK;
        }
        const size_t all = SIGNWIRE_LENGTH_BYTES + length;
        if (peer->len < all) {
            return TLY_OK;
        }
        const struct tly_bytes request = {peer->data + SIGNWIRE_LENGTH_BYTES, length};
        const enum tly_err err = signer_answer(s->serve->signer, request, text, &text_len, diag);
        if (err != TLY_OK) {
            return err;
        }
        peer->len -= all;
        memmove(peer->data, peer->data + all, peer->len);
        peer->began_ms = clock_mono_ms();
        *keep          = send_answer(peer->fd, text, text_len);
    }
    return TLY_OK;
}

static enum tly_err
peer_read(struct server *s, unsigned i, struct tly_diag *diag)
{
    struct peer  *peer = &s->peers[i];
    const ssize_t n =
        recv(peer->fd, peer->data + peer->len, sizeof peer->data - peer->len, MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
        return TLY_OK;
    }
    if (n <= 0) {
        peer_end(s, i);
        return TLY_OK;
    }
    peer->heard_ms = clock_mono_ms();
    peer->began_ms = peer->len == 0 ? peer->heard_ms : peer->began_ms;
    peer->len += (size_t)n;
    bool               keep;
    const enum tly_err err = peer_answer(s, peer, &keep, diag);
    if (err == TLY_OK && !keep) {
        peer_end(s, i);
    }
    return err;
}

/* ---- the loop ---- */

/* Ends who began a request and does not finish it; when to look again, -1: not by itself. */
static int
late_end(struct server *s)
{
    const uint64_t now  = clock_mono_ms();
    uint64_t       next = UINT64_MAX;
    for (unsigned i = s->peers_n; i-- > 0;) {
        const uint64_t due = s->peers[i].began_ms + s->serve->request_ms;
        if (s->peers[i].len == 0) {
            continue;
        }
        if (due <= now) {
            log_event(LOG_WARNING, "request.refused", "why=\"it did not come to its end in time\"");
            peer_end(s, i);
        } else if (due - now < next) {
            next = due - now;
        }
    }
    return next == UINT64_MAX ? -1 : (int)next;
}

static enum tly_err
turn(struct server *s, const sigset_t *open, struct tly_diag *diag)
{
    struct pollfd   polled[1 + PEERS_MAX] = {{.fd = s->serve->listen_fd, .events = POLLIN}};
    const int       wait                  = late_end(s);
    const unsigned  n                     = s->peers_n;
    struct timespec until                 = {wait / 1000, (long)(wait % 1000) * 1000000};
    for (unsigned i = 0; i < n; i++) {
        polled[1 + i] = (struct pollfd){.fd = s->peers[i].fd, .events = POLLIN};
    }
    if (ppoll(polled, 1 + n, wait < 0 ? NULL : &until, open) < 0) {
        return errno == EINTR ? TLY_OK
                              : tly_fail(diag, TLY_EIO, "poll: %s", strerrordesc_np(errno));
    }
    /* From the end: ending a peer moves the last one into its place. */
    for (unsigned i = n; i-- > 0;) {
        const enum tly_err err = polled[1 + i].revents != 0 ? peer_read(s, i, diag) : TLY_OK;
        if (err != TLY_OK) {
            return err;
        }
    }
    if (polled[0].revents != 0) {
        peer_take(s);
    }
    return TLY_OK;
}

/* Signals come only while it waits: a write is never interrupted. */
static void
signals_set(sigset_t *open)
{
    sigset_t               closed;
    const struct sigaction stop   = {.sa_handler = on_signal};
    const struct sigaction ignore = {.sa_handler = SIG_IGN};
    sigemptyset(&closed);
    sigaddset(&closed, SIGTERM);
    sigaddset(&closed, SIGINT);
    (void)sigprocmask(SIG_BLOCK, &closed, open);
    sigdelset(open, SIGTERM);
    sigdelset(open, SIGINT);
    (void)sigaction(SIGTERM, &stop, NULL);
    (void)sigaction(SIGINT, &stop, NULL);
    (void)sigaction(SIGHUP, &ignore, NULL);
    (void)sigaction(SIGPIPE, &ignore, NULL);
}

enum tly_err
signer_serve(const struct serve *serve, struct tly_diag *diag)
{
    struct server s   = {.serve = serve};
    enum tly_err  err = TLY_OK;
    sigset_t      open;
    signals_set(&open);
    while (err == TLY_OK && told_to_stop == 0) {
        err = turn(&s, &open, diag);
    }
    while (s.peers_n > 0) {
        peer_end(&s, s.peers_n - 1);
    }
    return err;
}
