/* SPDX-License-Identifier: Apache-2.0 */
#include "core/decision.h"

#include "base/check.h"
#include "base/text.h"

/* Leaf kinds of decisions stand in the order of the policy's kinds. */
_Static_assert(LEAF_CERTIFY - LEAF_RELEASE == POLICY_CERTIFY - POLICY_RELEASE, "one order");

enum leaf_kind
decision_leaf(enum policy_kind kind)
{
    TLY_CHECK(kind <= POLICY_CERTIFY);
    return (enum leaf_kind)(LEAF_RELEASE + (unsigned)kind);
}

enum leaf_kind
decision_leaf_of(const struct decision *d)
{
    return d->results != NULL ? LEAF_RESULT : decision_leaf(d->kind);
}

bool
decision_of_leaf(enum leaf_kind leaf, enum policy_kind *out)
{
    if (leaf < LEAF_RELEASE || leaf > LEAF_CERTIFY) {
        return false;
    }
    *out = (enum policy_kind)(leaf - LEAF_RELEASE);
    return true;
}

/* ---- who signed ---- */

/* What was found of the signatures. */
struct signers {
    uint32_t    have[OFFICER_ROLES_N];
    uint32_t    seen[ENVELOPE_SIGNATURES_MAX];
    unsigned    seen_n;
    bool        known;      /* at least one is a registered officer's */
    unsigned    ignored;    /* the first that does not count, from 1; 0: all do */
    const char *ignored_by; /* the officer, or "nobody" */
    const char *why;
};

static void
ignore(struct signers *s, unsigned i, const char *officer, const char *why)
{
    if (s->ignored == 0) {
        s->ignored    = i + 1;
        s->ignored_by = officer;
        s->why        = why;
    }
}

static bool
areas_within(const struct decision_rules *rules, const struct decision_areas *areas,
             struct area_ix above)
{
    bool within = true;
    for (unsigned i = 0; i < areas->n; i++) {
        within = within && election_within(rules->election, areas->at[i], above);
    }
    return within;
}

static void
signer_add(const struct decision_rules *rules, const struct envelope *envelope, unsigned i,
           const struct decision_areas *areas, struct signers *s)
{
    const struct officer_ix ix =
        registry_officer_by_keyid(rules->registry, &envelope->signatures[i].keyid);
    if (ix.v == IX_NONE) {
        ignore(s, i, "nobody", "the key is not that of a registered officer");
        return;
    }
    const struct officer *officer = &rules->registry->officers[ix.v];
    if (!envelope_verify(envelope, i, &officer->key)) {
        ignore(s, i, officer->code, "the signature is not over this document");
        return;
    }
    s->known = true;
    for (unsigned k = 0; k < s->seen_n; k++) {
        if (s->seen[k] == ix.v) {
            ignore(s, i, officer->code, "the same officer again");
            return;
        }
    }
    s->seen[s->seen_n++] = ix.v;
    if (!areas_within(rules, areas, officer->area)) {
        ignore(s, i, officer->code, "the officer's area does not hold the target");
        return;
    }
    s->have[officer->role]++;
}

/* "release needs commission 1, supervision 1; it has commission 1, supervision 0 (signature ...)". */
static enum tly_err
too_few(const struct signers *s, const struct quorum *want, enum policy_kind kind,
        struct tly_diag *diag)
{
    char        line[sizeof diag->text];
    struct text text;
    text_init(&text, line, sizeof line);
    for (unsigned pass = 0; pass < 2; pass++) {
        text_add(&text, pass == 0 ? policy_name(kind) : "; it has");
        text_add(&text, pass == 0 ? " needs" : "");
        bool first = true;
        for (unsigned role = 0; role < OFFICER_ROLES_N; role++) {
            if (want->n[role] > 0) {
                text_add(&text, first ? " " : ", ");
                text_add(&text, officer_role_name((enum officer_role)role));
                text_add(&text, " ");
                text_add_u64(&text, pass == 0 ? want->n[role] : s->have[role]);
                first = false;
            }
        }
    }
    if (s->ignored > 0) {
        text_add(&text, " (signature ");
        text_add_u64(&text, s->ignored);
        text_add(&text, ", by ");
        text_add(&text, s->ignored_by);
        text_add(&text, ", does not count: ");
        text_add(&text, s->why);
        text_add(&text, ")");
    }
    return tly_fail_at(diag, TLY_EFORBID, "quorum", "signatures", "%s", line);
}

enum tly_err
decision_signers(const struct decision_rules *rules, const struct envelope *envelope,
                 enum policy_kind kind, const struct decision_areas *areas, struct tly_diag *diag)
{
    const struct quorum *want = &rules->election->policy.kinds[kind];
    struct signers       s    = {0};
    for (unsigned i = 0; i < envelope->signatures_n; i++) {
        signer_add(rules, envelope, i, areas, &s);
    }
    if (!s.known) {
        return tly_fail_at(diag, TLY_ENOKEY, "A02", "signatures",
                           "no registered officer's key verifies any signature");
    }
    for (unsigned role = 0; role < OFFICER_ROLES_N; role++) {
        if (s.have[role] < want->n[role]) {
            return too_few(&s, want, kind, diag);
        }
    }
    return TLY_OK;
}

/* ---- the whole ---- */

static enum tly_err
sender_check(const struct decision_rules *rules, const struct decision_areas *areas,
             struct tly_diag *diag)
{
    return rules->sender == NULL || (rules->sender->area.v != IX_NONE &&
                                     areas_within(rules, areas, rules->sender->area))
               ? TLY_OK
               : tly_fail_at(diag, TLY_EFORBID, "area", "target",
                             "outside the area of this certificate");
}

/* The document of either kind, by what the envelope says that it is. */
static enum tly_err
document_read(const struct decision_rules *rules, struct tly_bytes in,
              const struct envelope *envelope, struct tly_arena *arena, struct decision *out,
              struct tly_diag *diag)
{
    if (tly_bytes_eq(envelope->type, tly_text(ENVELOPE_TYPE_RESULTS))) {
        struct results *results = TLY_NEW(arena, struct results, 1);
        *out                    = (struct decision){.kind      = POLICY_CERTIFY,
                                                    .branch    = {IX_NONE},
                                                    .slot      = {IX_NONE},
                                                    .contest   = {IX_NONE},
                                                    .candidate = {IX_NONE},
                                                    .results   = results};
        if (results == NULL) {
            return TLY_ENOMEM;
        }
        const enum tly_err err =
            results_document(rules, envelope->payload, arena, results, &out->target, diag);
        return err != TLY_OK || results_is_of_log(rules->election, results)
                   ? err
                   : tly_fail_at(diag, TLY_ERANGE, "A07", "log.origin",
                                 "another log than the one here");
    }
    if (!tly_bytes_eq(envelope->type, tly_text(ENVELOPE_TYPE_DECISION))) {
        return tly_fail_at(diag, TLY_EINPUT, "S01", "payloadType", "neither %s nor %s",
                           ENVELOPE_TYPE_DECISION, ENVELOPE_TYPE_RESULTS);
    }
    if (in.len > DECISION_ENVELOPE_MAX || envelope->payload.len > DECISION_PAYLOAD_MAX) {
        return tly_fail_at(diag, TLY_ETOOBIG, "too_large", "",
                           "a decision has at most %zu bytes, its payload %zu",
                           DECISION_ENVELOPE_MAX, DECISION_PAYLOAD_MAX);
    }
    return decision_document(rules, envelope->payload, arena, out, diag);
}

enum tly_err
decision_read(const struct decision_rules *rules, struct tly_bytes in, struct tly_arena *arena,
              struct decision *out, struct tly_diag *diag)
{
    struct envelope       envelope;
    struct decision       d;
    struct decision_areas areas;
    if (in.len > RESULTS_ENVELOPE_MAX) {
        return tly_fail_at(diag, TLY_ETOOBIG, "too_large", "", "%zu bytes, at most %zu", in.len,
                           RESULTS_ENVELOPE_MAX);
    }
    enum tly_err err = envelope_parse(in, RESULTS_PAYLOAD_MAX, arena, &envelope, diag);
    if (err == TLY_OK) {
        err = document_read(rules, in, &envelope, arena, &d, diag);
    }
    if (err != TLY_OK) {
        return err;
    }
    decision_areas(rules, &d, &areas);
    err = decision_signers(rules, &envelope, d.kind, &areas, diag);
    if (err == TLY_OK) {
        err = sender_check(rules, &areas, diag);
    }
    if (err == TLY_OK) {
        d.envelope = envelope;
        *out       = d;
    }
    return err;
}

/* ---- in force ---- */

bool
decision_keep(struct decision *d, struct tly_arena *arena)
{
    if (d->kind != POLICY_LOT || d->lot != NULL) {
        return true;
    }
    struct lot *lot =
        tly_arena_alloc(arena, sizeof *lot + (size_t)d->order_n * sizeof *lot->order, 1);
    if (lot == NULL) {
        return false;
    }
    const uint32_t *order = d->order_of_lists ? d->lists : d->candidates;
    TLY_CHECK(order != NULL);
    lot->lists = d->order_of_lists;
    lot->n     = d->order_n;
    memcpy(lot->order, order, (size_t)d->order_n * sizeof *order);
    d->lot = lot;
    return true;
}

void
decision_apply(struct tally *tally, const struct decision *d, uint64_t position)
{
    switch (d->kind) {
    case POLICY_RELEASE:
        tally_release(tally, d->slot, position);
        return;
    case POLICY_EXPLAIN:
        tally_explain(tally, d->slot, position);
        return;
    case POLICY_ANNUL:
        tally_annul(tally, d->slot, position);
        return;
    case POLICY_REINSTATE:
        tally_reinstate(tally, d->slot, position);
        return;
    case POLICY_LOT:
        TLY_CHECK(d->lot != NULL);
        tally_lot(tally, d->contest, d->lot, position);
        return;
    case POLICY_EXCLUDE:
        tally_exclude(tally, d->candidate, position);
        return;
    case POLICY_CERTIFY:
        tally_certify(tally, d->contest, position);
        return;
    case POLICY_KEY: /* the rest is the registry's: a past needs no keys */
        tally->terminals_added += d->key.action == KEY_ADD;
        return;
    case POLICY_STATE:
        tally_state(tally, d->state, d->until, position);
        return;
    case POLICY_REVISE:
    case POLICIES_N:
        break;
    }
    TLY_CHECK(false);
}
