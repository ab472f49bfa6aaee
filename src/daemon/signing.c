/* SPDX-License-Identifier: Apache-2.0 */
/* Asking the signer.  It remembers the last head it signed, so does the ledger: where the two
 * contradict each other one of them was put back from an older copy, and going on could give two
 * heads for one size.  The daemon then stops and says which. */
#include "signing.h"

#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "base/check.h"
#include "core/recover.h"
#include "service.h"
#include "sys/clock.h"
#include "sys/log.h"

#define RETRY_MS  200
#define EXTEND_US 60000000 /* of systemd's patience, while the signer is away */
#define TRIES_MAX 3        /* a dead connection, then a stale size, then it must do */

void
signing_close(struct signing *c)
{
    if (c->open) {
        (void)close(c->fd);
        c->open = false;
    }
}

/* ---- a request and its answer ---- */

static enum tly_err
failed(struct signing *c, const struct settings *settings, const char *why, struct tly_diag *diag)
{
    signing_close(c);
    c->away = true;
    return tly_fail(diag, TLY_EBUSY, "the signer at %s: %s", settings->signer, why);
}

/* Waits for the socket; false: the deadline. */
static bool
ready(int fd, short events, uint64_t until)
{
    for (;;) {
        struct pollfd  p   = {.fd = fd, .events = events};
        const uint64_t now = clock_mono_ms();
        const int      n   = poll(&p, 1, now < until ? (int)(until - now) : 0);
        if (n > 0) {
            return true;
        }
        if (n == 0 || errno != EINTR) {
            errno = ETIMEDOUT;
            return false;
        }
    }
}

/* Both move all of it before the deadline, or leave a reason in errno. */
static bool
send_all(int fd, const uint8_t *data, size_t len, uint64_t until)
{
    while (len > 0) {
        const ssize_t n = send(fd, data, len, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n > 0) {
            data += n;
            len -= (size_t)n;
        } else if ((errno != EAGAIN && errno != EINTR) || !ready(fd, POLLOUT, until)) {
            return false;
        }
    }
    return true;
}

static bool
recv_all(int fd, uint8_t *data, size_t len, uint64_t until)
{
    while (len > 0) {
        const ssize_t n = recv(fd, data, len, MSG_DONTWAIT);
        if (n > 0) {
            data += n;
            len -= (size_t)n;
        } else if (n == 0) {
            errno = ECONNRESET;
            return false;
        } else if ((errno != EAGAIN && errno != EINTR) || !ready(fd, POLLIN, until)) {
            return false;
        }
    }
    return true;
}

static enum tly_err
exchange(struct signing *c, const struct settings *settings, struct tly_bytes request,
         struct signwire_answer *out, struct tly_diag *diag)
{
    uint8_t        frame[SIGNWIRE_LENGTH_BYTES + SIGNWIRE_REQUEST_MAX];
    uint8_t        text[SIGNWIRE_ANSWER_MAX];
    uint32_t       length = htobe32((uint32_t)request.len);
    const uint64_t until  = clock_mono_ms() + settings->signer_ms;
    TLY_CHECK(request.len <= SIGNWIRE_REQUEST_MAX);
    memcpy(frame, &length, sizeof length);
    memcpy(frame + SIGNWIRE_LENGTH_BYTES, request.data, request.len);
    if (!send_all(c->fd, frame, SIGNWIRE_LENGTH_BYTES + request.len, until) ||
        !recv_all(c->fd, (uint8_t *)&length, sizeof length, until)) {
        return failed(c, settings, strerrordesc_np(errno), diag);
    }
    length = be32toh(length);
    if (length > sizeof text) {
        return failed(c, settings, "its answer is too long", diag);
    }
    if (!recv_all(c->fd, text, length, until)) {
        return failed(c, settings, strerrordesc_np(errno), diag);
    }
    if (!signwire_answer_read((struct tly_bytes){text, length}, out)) {
        return failed(c, settings, "its answer is none", diag);
    }
    return TLY_OK;
}

/* ---- hello ---- */

static enum tly_err
socket_open(struct signing *c, const struct settings *settings, struct tly_diag *diag)
{
    struct sockaddr_un at  = {.sun_family = AF_UNIX};
    const size_t       len = strlen(settings->signer);
    TLY_CHECK(len < sizeof at.sun_path); /* the settings table's limit */
    memcpy(at.sun_path, settings->signer, len);
    c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (c->fd < 0) {
        return failed(c, settings, strerrordesc_np(errno), diag);
    }
    c->open = true;
    return connect(c->fd, (const struct sockaddr *)&at, sizeof at) == 0
               ? TLY_OK
               : failed(c, settings, strerrordesc_np(errno), diag);
}

/* The key is the one that is known, from before or from the settings. */
static enum tly_err
key_compare(const struct settings *settings, const struct note_vkey *got, struct note_vkey *vkey,
            struct tly_diag *diag)
{
    static const struct tly_key none;
    char                        text[NOTE_LEN_MAX];
    (void)note_vkey_write(got, text);
    if (strcmp(got->name, vkey->name) != 0) {
        return tly_fail(diag, TLY_EINPUT, "signer = %s signs for the log %s, this is %s",
                        settings->signer, got->name, vkey->name);
    }
    if (*settings->log_vkey != '\0' && strcmp(settings->log_vkey, text) != 0) {
        return tly_fail(diag, TLY_EINPUT, "signer = %s has the key %s, log_vkey = %s",
                        settings->signer, text, settings->log_vkey);
    }
    if (memcmp(&vkey->key, &none, sizeof none) == 0) {
        *vkey = *got;
        return TLY_OK;
    }
    return memcmp(&vkey->key, &got->key, sizeof got->key) == 0
               ? TLY_OK
               : tly_fail(diag, TLY_EINPUT, "signer = %s has another key than before: %s",
                          settings->signer, text);
}

static enum tly_err
hello(struct signing *c, const struct settings *settings, struct note_vkey *vkey,
      struct tly_diag *diag)
{
    struct signwire_answer answer;
    enum tly_err           err = socket_open(c, settings, diag);
    if (err == TLY_OK) {
        err = exchange(c, settings, tly_text(SIGNWIRE_HELLO_TEXT), &answer, diag);
    }
    if (err == TLY_OK && answer.kind != SIGNWIRE_HELLO) {
        err = failed(c, settings, "it does not say hello", diag);
    }
    if (err != TLY_OK) {
        return err;
    }
    err = key_compare(settings, &answer.vkey, vkey, diag);
    if (err != TLY_OK) {
        signing_close(c);
        return err;
    }
    c->last = answer.last;
    c->away = false;
    return TLY_OK;
}

enum tly_err
signing_try(const struct settings *settings, struct note_vkey *vkey, struct tly_diag *diag)
{
    struct signing     c   = {0};
    const enum tly_err err = hello(&c, settings, vkey, diag);
    signing_close(&c);
    return err;
}

enum tly_err
signing_wait(struct service *s, struct tly_diag *diag)
{
    struct tly_diag said = {0};
    for (;;) {
        const enum tly_err err = hello(&s->signing, s->settings, &s->ground.vkey, diag);
        if (err != TLY_EBUSY) {
            return err;
        }
        if (strcmp(said.text, diag->text) != 0) {
            log_event(LOG_WARNING, "signer.wait", "why=%s", log_why(diag->text).s);
            said = *diag;
        }
        (void)sd_notifyf(0, "EXTEND_TIMEOUT_USEC=%d\nSTATUS=waiting for the signer: %.200s",
                         EXTEND_US, diag->text);
        if (service_told_to_stop(RETRY_MS)) {
            return tly_fail(diag, TLY_ELIMIT, "told to stop while waiting for the signer");
        }
    }
}

/* ---- the signer against the ledger ---- */

enum tly_err
signing_compare(const struct service *s, struct tly_diag *diag)
{
    return recover_signer(s->book, &s->signing.last, s->signing.redo, diag);
}

/* A connection whose signer was compared with the ledger. */
static enum tly_err
connect_again(struct service *s, struct tly_diag *diag)
{
    const bool   away = s->signing.away;
    enum tly_err err  = hello(&s->signing, s->settings, &s->ground.vkey, diag);
    if (err == TLY_EINPUT) {
        return TLY_ECORRUPT; /* it changed under us */
    }
    if (err == TLY_OK) {
        err = signing_compare(s, diag);
    }
    if (err == TLY_OK && away) {
        log_event(LOG_NOTICE, "signer.back", "size=%" PRIu64, s->signing.last.size);
    }
    return err;
}

/* ---- signing ---- */

static enum tly_err
ask(struct service *s, const struct note_head *head, struct signwire_answer *out,
    struct tly_diag *diag)
{
    char           body[NOTE_LEN_MAX];
    char           text[EXTEND_LEN_MAX + 1];
    struct extend  request = {.old = s->signing.last.size};
    const uint64_t old     = request.old;
    request.note =
        (struct tly_bytes){(const uint8_t *)body, note_body(s->ground.vkey.name, head, body)};
    TLY_CHECK(old <= head->size);
    if (old > 0) {
        merkle_consistency(book_tree(s->book), old, head->size, &request.proof);
    }
    const size_t len = extend_write(&request, text);
    return exchange(&s->signing, s->settings, (struct tly_bytes){(const uint8_t *)text, len}, out,
                    diag);
}

/* What it gave is given to senders at once: a fault of a bit in it would show the key. */
static enum tly_err
signature_take(struct service *s, const struct note_head *head, const struct tly_sig *sig,
               struct tly_sig *out, struct tly_diag *diag)
{
    char         body[NOTE_LEN_MAX];
    const size_t len = note_body(s->ground.vkey.name, head, body);
    if (!sign_verify(&s->ground.vkey.key, (struct tly_bytes){(const uint8_t *)body, len}, sig)) {
        return tly_fail(diag, TLY_ECORRUPT,
                        "the signer's signature of size %" PRIu64 " does not verify", head->size);
    }
    s->signing.last = *head;
    *out            = *sig;
    return TLY_OK;
}

enum tly_err
signing_sign(struct service *s, const struct note_head *head, struct tly_sig *out,
             struct tly_diag *diag)
{
    enum tly_err err = TLY_EBUSY;
    for (unsigned i = 0; i < TRIES_MAX; i++) {
        struct signwire_answer answer;
        const bool             kept = s->signing.open;
        err                         = kept ? TLY_OK : connect_again(s, diag);
        if (err != TLY_OK) {
            return err;
        }
        if (s->signing.redo && s->signing.last.size > head->size) {
            return TLY_ENOENT;
        }
        err = ask(s, head, &answer, diag);
        if (err != TLY_OK && !kept) {
            return err;
        }
        if (err != TLY_OK) {
            continue; /* it was restarted since */
        }
        switch (answer.kind) {
        case SIGNWIRE_SIGNED:
            return signature_take(s, head, &answer.sig, out, diag);
        case SIGNWIRE_REFUSED:
            return tly_fail(diag, TLY_ECORRUPT,
                            "the signer refuses the head of size %" PRIu64 ": %s", head->size,
                            answer.why);
        case SIGNWIRE_LAST: /* an answer of it was lost */
            s->signing.last = answer.last;
            err             = signing_compare(s, diag);
            break;
        case SIGNWIRE_HELLO:
            return failed(&s->signing, s->settings, "it answers another question", diag);
        }
        if (err != TLY_OK) {
            return err;
        }
        err = tly_fail(diag, TLY_EBUSY, "the signer's last head changes");
    }
    return err;
}

enum tly_err
signing_look(struct service *s, struct tly_diag *diag)
{
    struct pollfd p = {.fd = s->signing.fd, .events = POLLIN | POLLRDHUP};
    if (s->signing.open && poll(&p, 1, 0) == 0) {
        return TLY_OK;
    }
    signing_close(&s->signing); /* it says nothing unasked: it is gone */
    return connect_again(s, diag);
}
