/* SPDX-License-Identifier: Apache-2.0 */
#include "bring.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/num.h"
#include "core/extend.h"
#include "sys/clock.h"
#include "sys/file.h"
#include "sys/log.h"

#define ANSWER_MAX ((size_t)16 << 10)
#define ARENA_MAX  ((size_t)1 << 20)
#define TRIES      3 /* a witness may grow by another courier between our question and its answer */

/* What was brought before we were started. */
static void
file_take(struct bring *b)
{
    TLY_AUTO(arena) struct tly_arena arena;
    struct tly_bytes                 text;
    struct note                      note;
    struct cosignature               got;
    tly_arena_init(&arena, ARENA_MAX);
    if (file_read(b->path, NOTE_LEN_MAX, &arena, &text, NULL) == TLY_OK &&
        note_split(text, &note) && tly_bytes_eq(note.origin, tly_text(b->log->name)) &&
        cosign_check(note.body, note.lines, &b->witness->vkey, &got, NULL) == TLY_OK) {
        b->have   = note.head;
        b->have_s = got.time_s;
        b->known  = note.head.size;
    }
}

enum tly_err
bring_open(const struct settings *settings, const struct note_vkey *log,
           const struct trust_witness *witness, struct client_tls *tls, struct bring *out,
           struct tly_diag *diag)
{
    *out = (struct bring){.settings = settings, .log = log, .witness = witness};
    if (!trust_file_name(witness->name)) {
        return tly_fail(diag, TLY_EINPUT,
                        "witness \"%.64s\": the name must do for a file: letters, digits, '.', "
                        "'_', '-'",
                        witness->name);
    }
    if (!source_url_split(witness->url, &out->url)) {
        return tly_fail(diag, TLY_EINPUT,
                        "witness %s: \"%.200s\" is not http[s]://HOST[:PORT][/PREFIX]",
                        witness->name, witness->url);
    }
    if (out->url.secure && tls == NULL) {
        return tly_fail(diag, TLY_EINPUT, "witness %s: its URL is https; set witness.ca",
                        witness->name);
    }
    const int len =
        snprintf(out->path, sizeof out->path, "%s/%s", settings->cosignatures, witness->name);
    if (len < 0 || (size_t)len >= sizeof out->path) {
        return tly_fail(diag, TLY_EINPUT, "cosignatures: the path is too long");
    }
    file_take(out);
    return client_new(out->url.server, out->url.secure ? tls : NULL, (unsigned)settings->timeout_ms,
                      &out->client, diag);
}

void
bring_close(struct bring *bring)
{
    client_free(bring->client);
    bring->client = NULL;
}

bool
bring_due(const struct bring *bring, const struct note_head *head, uint64_t now_s)
{
    const uint64_t refresh_ms = bring->settings->refresh_ms;
    if (head->size != bring->have.size || !tly_hash_eq(&head->root, &bring->have.root)) {
        return true;
    }
    /* The time in it is the witness's.  A clock that is wrong must not have us ask without a pause. */
    if (bring->brought_ms != 0 && clock_mono_ms() - bring->brought_ms < refresh_ms) {
        return false;
    }
    return now_s < bring->have_s || (now_s - bring->have_s) * 1000 >= refresh_ms;
}

/* "old KNOWN", the proof and the note, sent; the answer. */
static enum tly_err
ask(struct bring *b, const struct follow_head *head, const struct merkle *tree,
    struct tly_arena *arena, struct client_reply *reply, struct tly_diag *diag)
{
    char          path[SOURCE_URL_MAX + 32];
    char          text[EXTEND_LEN_MAX + 1];
    struct extend request = {.old = b->known, .note = {(const uint8_t *)head->note, head->len}};
    merkle_consistency(tree, b->known, head->head.size, &request.proof);
    const size_t len = extend_write(&request, text);
    (void)snprintf(path, sizeof path, "%s/add-checkpoint", b->url.prefix);
    const enum tly_err err = client_request(b->client, "POST", path, "text/plain; charset=utf-8",
                                            (struct tly_bytes){(const uint8_t *)text, len}, NULL,
                                            ANSWER_MAX, arena, reply, diag);
    return err == TLY_EUNSURE ? TLY_EBUSY : err; /* asking again is safe */
}

/* Its own line, and only that, beside the head that it is of. */
static enum tly_err
keep(struct bring *b, const struct note *note, struct tly_bytes answer, struct tly_diag *diag)
{
    struct cosignature got;
    char               text[NOTE_LEN_MAX];
    char               line[COSIGN_LINE_SIZE];
    size_t             len = note->body.len;
    if (cosign_check(note->body, answer, &b->witness->vkey, &got, diag) != TLY_OK) {
        return TLY_EINPUT;
    }
    memcpy(text, note->body.data, len);
    text[len++]           = '\n';
    const size_t line_len = cosign_line_write(&b->witness->vkey, &got, line);
    if (!cosign_append(text, &len, (struct tly_bytes){(const uint8_t *)line, line_len})) {
        return tly_fail(diag, TLY_EINPUT, "the cosignature is too long to be kept");
    }
    const enum tly_err err =
        file_write(b->path, (struct tly_bytes){(const uint8_t *)text, len}, 0644, FILE_SYNC, diag);
    if (err == TLY_OK) {
        b->have       = note->head;
        b->have_s     = got.time_s;
        b->brought_ms = clock_mono_ms();
        b->known      = note->head.size;
    }
    return err;
}

/* 409: the size that the witness knows. */
static enum tly_err
learn(struct bring *b, const struct note_head *head, const struct client_reply *reply,
      struct tly_diag *diag)
{
    uint64_t size = 0;
    if (reply->body.len < 2 || reply->body.data[reply->body.len - 1] != '\n' ||
        !tly_u64_parse((struct tly_bytes){reply->body.data, reply->body.len - 1}, UINT64_MAX,
                       &size)) {
        return tly_fail(diag, TLY_EINPUT, "answered 409 without the size that it knows");
    }
    if (size == b->known) {
        return tly_fail(diag, TLY_ECORRUPT,
                        "it knows another root of size %" PRIu64 ": the log was forked", size);
    }
    b->known = size;
    return size <= head->size ? TLY_OK
                              : tly_fail(diag, TLY_ECONFLICT,
                                         "it knows size %" PRIu64 ", we read only %" PRIu64
                                         ": what is published was set back",
                                         size, head->size);
}

static enum tly_err
refused(const struct client_reply *reply, struct tly_diag *diag)
{
    if (reply->status == 422) {
        return tly_fail(diag, TLY_ECORRUPT,
                        "it does not accept the proof from the head that it knows: the log was "
                        "forked");
    }
    if (reply->status == 403 || reply->status == 404) {
        return tly_fail(diag, TLY_EFORBID, "answered %d: %s", reply->status,
                        reply->status == 404 ? "it does not witness this log, or has another path"
                                             : "it does not take the log's signature");
    }
    return tly_fail(diag, reply->status == 429 || reply->status >= 500 ? TLY_EBUSY : TLY_EINPUT,
                    "answered %d", reply->status);
}

enum tly_err
bring_head(struct bring *bring, const struct follow_head *head, const struct merkle *tree,
           struct tly_diag *diag)
{
    struct note note;
    if (!note_split((struct tly_bytes){(const uint8_t *)head->note, head->len}, &note)) {
        return tly_fail(diag, TLY_EINPUT, "not a checkpoint");
    }
    if (bring->known > head->head.size) {
        bring->known = 0; /* it tells: perhaps the file was of another log */
    }
    for (unsigned i = 0; i < TRIES; i++) {
        TLY_AUTO(arena) struct tly_arena arena;
        struct client_reply              reply;
        tly_arena_init(&arena, ARENA_MAX);
        enum tly_err err = ask(bring, head, tree, &arena, &reply, diag);
        if (err != TLY_OK) {
            return err;
        }
        if (reply.status == 200) {
            return keep(bring, &note, reply.body, diag);
        }
        if (reply.status != 409) {
            return refused(&reply, diag);
        }
        err = learn(bring, &head->head, &reply, diag);
        if (err != TLY_OK) {
            return err;
        }
    }
    return tly_fail(diag, TLY_EBUSY, "it grows faster than we ask");
}

bool
bring_and_say(struct bring *bring, const struct follow_head *head, const struct merkle *tree)
{
    struct tly_diag    diag = {0};
    const uint64_t     had  = bring->have.size;
    const enum tly_err err  = bring_head(bring, head, tree, &diag);
    if (err == TLY_OK) {
        log_event(bring->have.size > had || bring->said.text[0] != '\0' ? LOG_INFO : LOG_DEBUG,
                  "courier.cosigned", "witness=%s size=%" PRIu64, bring->witness->name,
                  bring->have.size);
        bring->said = (struct tly_diag){0};
        return true;
    }
    if (diag.text[0] == '\0') {
        (void)tly_fail(&diag, err, "%s", tly_err_text(err));
    }
    if (strcmp(diag.text, bring->said.text) != 0) {
        log_event(err == TLY_ECORRUPT ? LOG_ERR : LOG_WARNING,
                  err == TLY_ECORRUPT ? "courier.fork" : "courier.failed",
                  "witness=%s error=%s why=%s", bring->witness->name, tly_err_name(err),
                  log_why(diag.text).s);
        bring->said = diag;
    }
    return false;
}
