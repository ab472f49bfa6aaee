/* SPDX-License-Identifier: Apache-2.0 */
/* The signer's process and the socket to it.  Its state and its answers are the real ones; requests
 * and answers get lost, answers come too late, it dies in the middle and is started again. */
#include "signer/signer.h"

#include <endian.h>
#include <errno.h>
#include <stdlib.h>

#include "edges.h"
#include "sim.h"

#define STATE       "/sim/c/state"
#define FD_FIRST    200000
#define SOCKETS_N   16
#define REQUEST_MAX (SIGNWIRE_LENGTH_BYTES + SIGNWIRE_REQUEST_MAX)

enum link { FREE, OPEN, CONNECTED, SILENT, BROKEN };

static struct conn {
    enum link link;
    uint8_t   request[REQUEST_MAX];
    size_t    request_len;
    uint8_t   answer[SIGNWIRE_LENGTH_BYTES + SIGNWIRE_ANSWER_MAX];
    size_t    answer_len, answer_at;
} conns[SOCKETS_N];

static struct {
    struct proc   proc;
    struct signer signer;
    bool          up;
    uint8_t      *newest; /* its state, while an older copy is in its place */
    size_t        newest_len;
    uint8_t      *older; /* a copy that somebody made */
    size_t        older_len;
} the;

/* ---- the process ---- */

/* Runs as the signer. */
static enum tly_err
start(struct tly_diag *diag)
{
    struct proc *caller = sim.proc;
    the.proc            = (struct proc){.name = "signer", .host = SIM_SIGNER};
    sim.proc            = &the.proc;
    enum tly_err err    = slots_open(STATE, &the.signer.vkey, &the.signer.slots, diag);
    if (err == TLY_OK && the.proc.dead) {
        slots_close(&the.signer.slots);
        err = TLY_EIO;
    }
    the.up   = err == TLY_OK;
    sim.proc = caller;
    return err;
}

static void
end(void)
{
    the.proc.dead = true;
    disk_close_all(&the.proc);
    for (unsigned i = 0; i < SOCKETS_N; i++) {
        if (conns[i].link == CONNECTED || conns[i].link == SILENT) {
            conns[i].link       = BROKEN;
            conns[i].answer_len = conns[i].answer_at = 0;
        }
    }
    if (the.up) {
        the.up = false;
        slots_close(&the.signer.slots);
    }
}

void
signer_kill(void)
{
    sim_say("signer: killed");
    end();
}

void
signer_power(void)
{
    sim_say("signer: power failure");
    end();
    disk_power(SIM_SIGNER);
}

void
signer_begin(void)
{
    static struct sign_secret secret;
    const struct slots_head   first = {.head = {0, merkle_empty()}};
    secret                          = *papers_log_secret();
    memset(conns, 0, sizeof conns);
    the.signer             = (struct signer){.secret = &secret, .vkey = *papers_vkey()};
    the.proc               = (struct proc){.name = "signer", .host = SIM_SIGNER};
    sim.proc               = &the.proc;
    const enum tly_err err = slots_make(STATE, &the.signer.vkey, &first, NULL);
    TLY_CHECK(err == TLY_OK);
    sim.proc = NULL;
}

void
signer_done(void)
{
    end();
    free(the.newest);
    free(the.older);
    the.newest = the.older = NULL;
}

static bool
state_read(struct note_head *out)
{
    struct slots_head last;
    struct proc      *caller = sim.proc;
    struct proc       look   = {.name = "a look", .host = SIM_SIGNER};
    const struct odds odds   = sim.odds;
    sim.odds                 = (struct odds){0};
    sim.proc                 = &look;
    const enum tly_err err   = slots_look(STATE, &the.signer.vkey, &last, NULL);
    sim.proc                 = caller;
    sim.odds                 = odds;
    if (err == TLY_OK) {
        *out = last.head;
    }
    return err == TLY_OK;
}

bool
signer_last(struct note_head *out)
{
    return state_read(out);
}

/* The newest state again, or the copy that was made some time ago; then another copy is made. */
void
signer_put_back(bool newest)
{
    struct note_head last = {0};
    if (newest) {
        end();
        disk_put(STATE, the.newest, the.newest_len);
        free(the.newest);
        the.newest           = NULL;
        sim.signer_went_back = false;
        sim_say("signer: its newest state is back");
        return;
    }
    if (the.older != NULL && sim_below(2) == 0) {
        end();
        const bool whole = state_read(&last);
        TLY_CHECK(whole);
        sim.signer_newest = last.size;
        free(the.newest);
        the.newest = disk_copy(STATE, &the.newest_len);
        disk_put(STATE, the.older, the.older_len);
        sim.signer_went_back = state_read(&last) && last.size < sim.signer_newest;
        sim_say("signer: an older copy of its state, size %llu of %llu",
                (unsigned long long)last.size, (unsigned long long)sim.signer_newest);
    }
    free(the.older);
    the.older = disk_copy(STATE, &the.older_len);
}

/* ---- a request ---- */

static void
answer_to(struct conn *c)
{
    char                   text[SIGNWIRE_ANSWER_MAX];
    size_t                 len    = 0;
    struct proc           *caller = sim.proc;
    struct tly_diag        diag   = {0};
    struct signwire_answer said;
    const struct tly_bytes request = {c->request + SIGNWIRE_LENGTH_BYTES,
                                      c->request_len - SIGNWIRE_LENGTH_BYTES};
    sim.proc                       = &the.proc;
    const bool   alive             = sim_moment();
    enum tly_err err = alive ? signer_answer(&the.signer, request, text, &len, &diag) : TLY_EIO;
    sim.proc         = caller;
    if (err != TLY_OK || the.proc.dead) {
        end();
        return;
    }
    TLY_CHECK(signwire_answer_read((struct tly_bytes){(const uint8_t *)text, len}, &said));
    if (said.kind == SIGNWIRE_SIGNED) {
        check_signed(&the.signer.slots.last.head);
    }
    if (c->link != CONNECTED) {
        return;
    }
    const uint32_t length = htobe32((uint32_t)len);
    memcpy(c->answer, &length, sizeof length);
    memcpy(c->answer + sizeof length, text, len);
    c->answer_at  = 0;
    c->answer_len = sizeof length + len;
    if (sim_chance(sim.odds.signer)) { /* lost on its way, or too late */
        sim_say("signer: its answer is lost");
        c->answer_len = c->answer_at = 0;
        c->link                      = sim_below(2) == 0 ? BROKEN : SILENT;
        sim.proc->causes |= CAUSE_AWAY;
    }
}

/* ---- sockets ---- */

static struct conn *
conn_of(int fd)
{
    TLY_CHECK(fd >= FD_FIRST && fd < FD_FIRST + SOCKETS_N);
    TLY_CHECK(conns[fd - FD_FIRST].link != FREE);
    return &conns[fd - FD_FIRST];
}

int
sockets_close(int fd)
{
    if (fd >= FD_FIRST) {
        conn_of(fd)->link = FREE;
    }
    return 0;
}

int
__wrap_socket(int domain, int type, int protocol)
{
    (void)domain;
    (void)type;
    (void)protocol;
    for (int i = 0; i < SOCKETS_N; i++) {
        if (conns[i].link == FREE) {
            memset(&conns[i], 0, sizeof conns[i]);
            conns[i].link = OPEN;
            return FD_FIRST + i;
        }
    }
    errno = EMFILE;
    return -1;
}

int
__wrap_connect(int fd, const struct sockaddr *to, socklen_t len)
{
    struct tly_diag diag = {0};
    struct conn    *c    = conn_of(fd);
    (void)to;
    (void)len;
    errno = ECONNREFUSED;
    if (!sim_moment() || (!the.up && sim_chance(sim.odds.signer))) {
        sim.proc->causes |= CAUSE_AWAY;
        return -1;
    }
    if (!the.up && start(&diag) != TLY_OK) {
        WANT_SAY(the.proc.dead || (the.proc.causes & CAUSE_DISK) != 0,
                 "the signer does not start: %s", diag.text);
        end();
        sim.proc->causes |= CAUSE_AWAY;
        errno = ECONNREFUSED;
        return -1;
    }
    c->link = CONNECTED;
    return 0;
}

ssize_t
__wrap_send(int fd, const void *data, size_t len, int flags)
{
    struct conn *c = conn_of(fd);
    uint32_t     length;
    (void)flags;
    if (!sim_moment() || c->link == BROKEN) {
        sim.proc->causes |= CAUSE_AWAY;
        errno = ECONNRESET;
        return -1;
    }
    TLY_CHECK(c->request_len + len <= sizeof c->request);
    memcpy(c->request + c->request_len, data, len);
    c->request_len += len;
    if (c->request_len < sizeof length) {
        return (ssize_t)len;
    }
    memcpy(&length, c->request, sizeof length);
    if (c->request_len == sizeof length + be32toh(length)) {
        if (sim_chance(sim.odds.signer)) {
            sim_say("signer: a request is lost");
            c->link = BROKEN;
            sim.proc->causes |= CAUSE_AWAY;
        } else {
            answer_to(c);
        }
        c->request_len = 0;
    }
    return (ssize_t)len;
}

ssize_t
__wrap_recv(int fd, void *out, size_t len, int flags)
{
    struct conn *c    = conn_of(fd);
    const size_t left = c->answer_len - c->answer_at;
    (void)flags;
    if (left == 0 || sim.proc->dead) {
        errno = EAGAIN;
        if (c->link == BROKEN) {
            errno = ECONNRESET;
            sim.proc->causes |= CAUSE_AWAY;
        }
        return -1;
    }
    const size_t n = len < left ? len : left;
    memcpy(out, c->answer + c->answer_at, n);
    c->answer_at += n;
    return (ssize_t)n;
}

ssize_t
__wrap___recv_chk(int fd, void *out, size_t len, size_t room, int flags)
{
    TLY_CHECK(len <= room);
    return __wrap_recv(fd, out, len, flags);
}

int
__wrap_poll(struct pollfd *fds, nfds_t n, int timeout_ms)
{
    TLY_CHECK(n == 1);
    const struct conn *c = conn_of(fds->fd);
    if (c->link == BROKEN || c->answer_at < c->answer_len) {
        fds->revents = fds->events;
        return 1;
    }
    sim.mono_ms += (uint64_t)timeout_ms;
    return 0;
}

int
__wrap___poll_chk(struct pollfd *fds, nfds_t n, int timeout_ms, size_t room)
{
    (void)room;
    return __wrap_poll(fds, n, timeout_ms);
}
