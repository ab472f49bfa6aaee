/* SPDX-License-Identifier: Apache-2.0 */
/* Compares what decision_read() read with what jansson reads from the same bytes. */
#pragma once

#include <jansson.h>
#include <stdlib.h>

#include "base/hex.h"
#include "core/decision.h"

static inline bool
dj_text(const json_t *object, const char *key, const char *want)
{
    const json_t *v = json_object_get(object, key);
    return json_is_string(v) && json_string_length(v) == strlen(want) &&
           strcmp(json_string_value(v), want) == 0;
}

static inline bool
dj_int(const json_t *object, const char *key, uint64_t want)
{
    const json_t *v = json_object_get(object, key);
    return json_is_integer(v) && json_integer_value(v) >= 0 &&
           (uint64_t)json_integer_value(v) == want;
}

/* A reason keeps its escapes: jansson reads the raw text between quotes of our own. */
static inline bool
dj_reason(const json_t *document, struct tly_bytes raw)
{
    const json_t *v    = json_object_get(document, "reason");
    char         *text = malloc(raw.len + 4);
    if (text == NULL) {
        abort();
    }
    memcpy(text, "[\"", 2);
    memcpy(text + 2, raw.data, raw.len);
    memcpy(text + 2 + raw.len, "\"]", 2);
    json_t    *alone = json_loadb(text, raw.len + 4, 0, NULL);
    const bool same  = json_is_string(v) && json_equal(json_array_get(alone, 0), v);
    json_decref(alone);
    free(text);
    return same;
}

/* Code of a place of the order, as the list or the candidate that it was read as. */
static inline const char *
dj_code(const struct election *e, const struct decision *d, uint32_t i)
{
    const struct contest *c = &e->contests[d->contest.v];
    if (d->candidates != NULL) {
        return e->candidates[c->candidates_first + d->candidates[i]].code;
    }
    return d->lists[i] == c->lists_n ? "pool" : e->lists[c->lists_first + d->lists[i]].code;
}

static inline bool
dj_target_key(const json_t *t, const struct election *e, const struct decision_key *k)
{
    char   hex[65];
    size_t fields = 2U + k->has_branch + k->new_key + k->new_cert + 2U * k->has_dates;
    bool   same =
        json_object_size(t) == fields && dj_text(t, "action", decision_action_name(k->action)) &&
        dj_text(t, "terminal", k->row.code) &&
        (!k->has_branch || dj_text(t, "branch", e->branches[k->row.branch.v].code)) &&
        (!k->has_dates ||
         (dj_int(t, "not_before", k->row.not_before) && dj_int(t, "not_after", k->row.not_after)));
    tly_hex(k->row.key.b, sizeof k->row.key.b, hex);
    same = same && (!k->new_key || dj_text(t, "signing_key", hex));
    tly_hex(k->row.cert.b, sizeof k->row.cert.b, hex);
    return same && (!k->new_cert || dj_text(t, "certificate", hex));
}

static inline bool
dj_target(const json_t *t, const struct election *e, const struct decision *d)
{
    if (d->kind == POLICY_KEY) {
        return dj_target_key(t, e, &d->key);
    }
    if (d->kind == POLICY_STATE) {
        const bool until = d->until != ELECTION_NO_UNTIL;
        return json_object_size(t) == 1U + until &&
               dj_text(t, "state", election_state_name(d->state)) &&
               (!until || dj_int(t, "until", d->until));
    }
    const size_t fields = d->kind == POLICY_LOT || d->kind == POLICY_CERTIFY ? 3 : 2;
    bool         same   = json_object_size(t) == fields &&
                dj_text(t, "contest", e->contests[d->contest.v].code) &&
                (d->branch.v != IX_NONE) == (json_object_get(t, "branch") != NULL) &&
                (d->candidate.v != IX_NONE) == (json_object_get(t, "candidate") != NULL);
    if (same && d->branch.v != IX_NONE) {
        same = dj_text(t, "branch", e->branches[d->branch.v].code) &&
               e->slots[d->slot.v].branch.v == d->branch.v &&
               e->slots[d->slot.v].contest.v == d->contest.v;
    }
    if (same && d->candidate.v != IX_NONE) {
        same = dj_text(t, "candidate", e->candidates[d->candidate.v].code) &&
               e->candidates[d->candidate.v].contest.v == d->contest.v;
    }
    if (same && d->kind == POLICY_CERTIFY) {
        char hex[65];
        tly_hex(d->result.b, sizeof d->result.b, hex);
        same = dj_int(t, "at", d->at) && dj_text(t, "result", hex);
    }
    if (same && d->kind == POLICY_LOT) {
        const json_t *order = json_object_get(t, "order");
        same                = json_array_size(order) == d->order_n && d->order_n >= 2 &&
               (d->candidates != NULL || d->lists != NULL) &&
               dj_text(t, "ground", decision_ground_name(d->ground));
        for (uint32_t i = 0; i < d->order_n && same; i++) {
            const json_t *code = json_array_get(order, i);
            same = json_is_string(code) && strcmp(json_string_value(code), dj_code(e, d, i)) == 0;
        }
    }
    return same;
}

/* Does jansson accept the bytes too, with equal values? */
static inline bool
dj_agrees(struct tly_bytes in, const struct election *e, const struct decision *d)
{
    json_t    *j    = json_loadb((const char *)in.data, in.len, JSON_REJECT_DUPLICATES, NULL);
    const bool same = json_object_size(j) == 8 && dj_text(j, "election", e->code) &&
                      dj_text(j, "phase", phase_name(e->phase)) &&
                      dj_text(j, "kind", policy_name(d->kind)) &&
                      dj_int(j, "position", d->position) && dj_int(j, "made_at", d->made_at) &&
                      json_string_length(json_object_get(j, "salt")) == 32 &&
                      dj_reason(j, d->reason) && dj_target(json_object_get(j, "target"), e, d);
    json_decref(j);
    return same;
}
