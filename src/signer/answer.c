/* SPDX-License-Identifier: Apache-2.0 */
/* What is signed and what is not.  Every head that leaves is an extension of all that left before:
 * it is compared with the last one, remembered on the disk, and only then signed. */
#include <inttypes.h>
#include <stdio.h>

#include "signer.h"
#include "sys/log.h"

static void
refuse(struct signwire_answer *answer, const char *why)
{
    answer->kind = SIGNWIRE_REFUSED;
    (void)snprintf(answer->why, sizeof answer->why, "%s", why);
}

/* Somebody asked for two truths: whoever sees this line has to act. */
static void
refuse_head(const struct signer *s, const struct note_head *head, struct signwire_answer *answer,
            const char *why)
{
    log_event(LOG_ERR, "head.refused", "size=%" PRIu64 " last=%" PRIu64 " why=%s", head->size,
              s->slots.last.head.size, log_why(why).s);
    refuse(answer, why);
}

static void
refuse_request(struct signwire_answer *answer, const struct tly_diag *why)
{
    log_event(LOG_WARNING, "request.refused", "why=%s", log_why(why->text).s);
    refuse(answer, why->text);
}

/* The same head again is signed without a write: after a crash the daemon asks for it once more,
 * and Ed25519 gives the same bytes. */
static enum tly_err
sign_head(struct signer *s, const struct note_head *head, struct signwire_answer *answer,
          struct tly_diag *diag)
{
    const struct note_head *last = &s->slots.last.head;
    struct slots_head       made = {.head = *head};
    const bool same = head->size == last->size && tly_hash_eq(&head->root, &last->root);
    note_sign(s->vkey.name, head, s->secret, &made.sig);
    if (!same) {
        const enum tly_err err = slots_put(&s->slots, &made, diag);
        if (err != TLY_OK) {
            return err;
        }
    }
    log_event(LOG_DEBUG, "head.signed", "size=%" PRIu64 " again=%d", head->size, same);
    answer->kind = SIGNWIRE_SIGNED;
    answer->sig  = made.sig;
    return TLY_OK;
}

static enum tly_err
judge(struct signer *s, const struct extend *request, const struct note_head *head,
      struct signwire_answer *answer, struct tly_diag *diag)
{
    const struct note_head *last = &s->slots.last.head;
    if (head->size == 0) {
        refuse_head(s, head, answer, "a head without an entry is never signed");
        return TLY_OK;
    }
    if (head->size == last->size && tly_hash_eq(&head->root, &last->root)) {
        return sign_head(s, head, answer, diag);
    }
    if (head->size == last->size) {
        refuse_head(s, head, answer, "another root was signed for this size: a fork");
        return TLY_OK;
    }
    if (head->size < last->size) {
        refuse_head(s, head, answer, "a larger head was signed already: the log went back");
        return TLY_OK;
    }
    switch (extend_check(last, request, head)) {
    case EXTEND_GROWS:
        return sign_head(s, head, answer, diag);
    case EXTEND_STALE:
        log_event(LOG_WARNING, "head.stale", "old=%" PRIu64 " last=%" PRIu64, request->old,
                  last->size);
        answer->kind = SIGNWIRE_LAST;
        answer->last = *last;
        return TLY_OK;
    case EXTEND_UNPROVEN:
        refuse_head(s, head, answer, "the proof does not lead from the last head to this one");
        return TLY_OK;
    case EXTEND_BACKWARDS:
        refuse_head(s, head, answer, "the old size is over the new one");
        return TLY_OK;
    case EXTEND_FORK:
        refuse_head(s, head, answer, "another root was signed for this size: a fork");
        return TLY_OK;
    }
    return TLY_OK;
}

enum tly_err
signer_answer(struct signer *s, struct tly_bytes in, char out[SIGNWIRE_ANSWER_MAX], size_t *len,
              struct tly_diag *diag)
{
    struct signwire_answer answer = {
        .kind = SIGNWIRE_HELLO, .vkey = s->vkey, .last = s->slots.last.head};
    struct tly_diag why = {0};
    struct extend   request;
    enum tly_err    err = TLY_OK;
    if (!tly_bytes_eq(in, tly_text(SIGNWIRE_HELLO_TEXT))) {
        struct note_head head;
        err = extend_parse(in, &request, &why);
        if (err == TLY_OK) {
            err = signwire_body_read(request.note, s->vkey.name, &head, &why);
        }
        if (err != TLY_OK) {
            refuse_request(&answer, &why);
            err = TLY_OK;
        } else {
            err = judge(s, &request, &head, &answer, diag);
        }
    }
    if (err == TLY_OK) {
        *len = signwire_answer_write(&answer, out);
    }
    return err;
}
