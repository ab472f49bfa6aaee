/* SPDX-License-Identifier: Apache-2.0 */
/* The policy and the checkpoint: which log it is, who signed its head. */
#include <stdio.h>

#include "verify.h"

#define ORIGIN_SIZE (NOTE_ORIGIN_LEN_MAX + 64)

static bool
same_log(const struct note_vkey *a, const struct note_vkey *b)
{
    return strcmp(a->name, b->name) == 0 && memcmp(&a->key, &b->key, sizeof a->key) == 0;
}

static enum tly_err
policy_read(struct verify *v)
{
    const struct verify_options *o = v->options;
    struct tly_bytes             text;
    const struct trust          *own = NULL;
    struct tly_diag              why = {0};
    enum tly_err                 err = verify_read(v, "policy", VERIFY_FILE_MAX, &v->arena, &text);
    if (err != TLY_OK) {
        return err;
    }
    if (text.data != NULL) {
        err = trust_parse(text, &v->arena, &own, &why);
        if (err == TLY_ENOMEM) {
            return err;
        }
        if (err != TLY_OK || own->logs_n != 1) {
            findings_add(&v->findings, FOUND_POLICY_SYNTAX, "policy");
            own = NULL;
        }
    } else if (v->has_head && archive_find(v->archive, "policy") == NULL) {
        findings_add(&v->findings, FOUND_FILE_MISSING, "policy");
    }
    if (own != NULL && o->has_log && !same_log(&o->log, &own->logs[0].vkey)) {
        findings_add(&v->findings, FOUND_LOG_KEY, "policy");
    }
    v->policy = o->policy != NULL ? o->policy : own;
    v->key    = o->has_log ? &o->log : own != NULL ? &own->logs[0].vkey : NULL;
    return TLY_OK;
}

static enum tly_err
checkpoint_read(struct verify *v)
{
    struct tly_bytes   text;
    const enum tly_err err = verify_read(v, "checkpoint", VERIFY_FILE_MAX, &v->arena, &text);
    if (err != TLY_OK || text.data == NULL) {
        return err;
    }
    v->has_head = verify_note(text, &v->note);
    if (!v->has_head) {
        findings_add(&v->findings, FOUND_CHECKPOINT_SYNTAX, "checkpoint");
    }
    return TLY_OK;
}

static void
origin_check(struct verify *v)
{
    const struct election *e = v->election;
    char                   want[ORIGIN_SIZE];
    bool right = v->key == NULL || tly_bytes_eq(v->note.origin, tly_text(v->key->name));
    if (e != NULL) {
        (void)snprintf(want, sizeof want, "%s/%s/%s", e->domain, e->code, phase_name(e->phase));
        right = right && tly_bytes_eq(v->note.origin, tly_text(want));
    }
    if (!right) {
        findings_add(&v->findings, FOUND_LOG_ORIGIN, "checkpoint");
    }
}

/* One line: if it is a witness's, does it verify?  Bits of those that cosigned. */
static void
cosignature_check(struct verify *v, const struct note_line *line, uint32_t *cosigned)
{
    for (unsigned i = 0; i < v->policy->witnesses_n; i++) {
        const struct cosign_vkey *vkey = &v->policy->witnesses[i].vkey;
        if (!cosign_line_is_of(line, vkey)) {
            continue;
        }
        if (cosign_line_verifies(line, v->note.body, vkey)) {
            *cosigned |= UINT32_C(1) << i;
            v->counts.cosignatures++;
        } else {
            findings_addf(&v->findings, FOUND_CHECKPOINT_COSIGNATURE, "checkpoint %s", vkey->name);
        }
    }
}

static void
cosignatures_check(struct verify *v)
{
    struct tly_bytes lines = v->note.lines;
    struct note_line line;
    uint32_t         cosigned = 0;
    if (v->policy == NULL) {
        return;
    }
    while (lines.len > 0 && note_line_next(&lines, &line)) {
        cosignature_check(v, &line, &cosigned);
    }
    if (!trust_quorum(v->policy, cosigned)) {
        findings_add(&v->findings, FOUND_CHECKPOINT_QUORUM, "checkpoint");
    }
}

enum tly_err
verify_head(struct verify *v)
{
    enum tly_err err = checkpoint_read(v);
    if (err == TLY_OK) {
        err = policy_read(v);
    }
    if (err != TLY_OK || !v->has_head) {
        v->interpreted = false;
        return err;
    }
    origin_check(v);
    if (!verify_note_signed(v, &v->note)) {
        findings_add(&v->findings, FOUND_CHECKPOINT_SIGNATURE, "checkpoint");
    }
    cosignatures_check(v);
    return TLY_OK;
}
