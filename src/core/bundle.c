/* SPDX-License-Identifier: Apache-2.0 */
#include "core/bundle.h"

#include "base/check.h"

enum tly_err
bundle_retired(const struct registry *registry, struct terminal_ix row, struct tly_diag *diag)
{
    const struct terminal *t = registry_row(registry, row);
    return tly_fail_at(diag, TLY_EFORBID, "A03", "signatures",
                       t->state == TERMINAL_REVOKED ? "the key of terminal %s is revoked"
                                                    : "terminal %s has another key now",
                       t->code);
}

/* The terminal whose key verifies a signature; its place in *signature_i. */
static enum tly_err
signer_find(const struct bundle_rules *rules, const struct envelope *envelope,
            struct terminal_ix *out, struct tly_diag *diag)
{
    const struct registry *registry = rules->registry;
    for (unsigned i = 0; i < envelope->signatures_n; i++) {
        const struct terminal_ix ix =
            registry_terminal_by_keyid(registry, &envelope->signatures[i].keyid, rules->at);
        if (ix.v == IX_NONE || !envelope_verify(envelope, i, &registry_row(registry, ix)->key)) {
            continue;
        }
        if (!registry_in_force(registry, ix, rules->at)) {
            return bundle_retired(registry, ix, diag);
        }
        *out = ix;
        return TLY_OK;
    }
    return tly_fail_at(diag, TLY_ENOKEY, "A02", "signatures",
                       "no registered terminal's key verifies the signature");
}

bool
bundle_revise_allowed(const struct bundle_rules *rules, const struct envelope *envelope,
                      struct branch_ix branch)
{
    const struct election *election              = rules->election;
    const struct quorum   *want                  = &election->policy.kinds[POLICY_REVISE];
    uint32_t               have[OFFICER_ROLES_N] = {0};
    uint32_t               seen[ENVELOPE_SIGNATURES_MAX];
    unsigned               seen_n = 0;
    for (unsigned i = 0; i < envelope->signatures_n; i++) {
        const struct officer_ix ix =
            registry_officer_by_keyid(rules->registry, &envelope->signatures[i].keyid);
        bool again = ix.v == IX_NONE;
        for (unsigned j = 0; j < seen_n; j++) {
            again = again || seen[j] == ix.v;
        }
        if (again) {
            continue;
        }
        const struct officer *officer = &rules->registry->officers[ix.v];
        if (election_within(election, election->branches[branch.v].area, officer->area) &&
            envelope_verify(envelope, i, &officer->key)) {
            seen[seen_n++] = ix.v;
            have[officer->role]++;
        }
    }
    for (unsigned role = 0; role < OFFICER_ROLES_N; role++) {
        if (have[role] < want->n[role]) {
            return false;
        }
    }
    return true;
}

/* Whoever delivered it may speak for this branch. */
static enum tly_err
sender_check(const struct bundle_rules *rules, struct terminal_ix signer, struct branch_ix branch,
             struct tly_diag *diag)
{
    const struct speaker *sender = rules->sender;
    if (sender == NULL) {
        return TLY_OK;
    }
    if (sender->role == ROLE_RELAY) {
        const struct branch *b = &rules->election->branches[branch.v];
        return election_within(rules->election, b->area, sender->area)
                   ? TLY_OK
                   : tly_fail_at(diag, TLY_EFORBID, "A03", "branch",
                                 "branch %s lies outside this relay's area", b->code);
    }
    if (sender->role != ROLE_TERMINAL ||
        sender->terminal_first.v != registry_first(rules->registry, signer).v) {
        return tly_fail_at(diag, TLY_EFORBID, "A03", "terminal",
                           "the certificate is not that of terminal %s, which signed",
                           registry_row(rules->registry, signer)->code);
    }
    return TLY_OK;
}

/* Certificate, terminal, key and branch belong together; election and phase are ours. */
static enum tly_err
identity_check(const struct bundle_rules *rules, const struct payload *payload,
               struct terminal_ix signer, struct branch_ix *out, struct tly_diag *diag)
{
    const struct terminal *terminal = registry_row(rules->registry, signer);
    if (!tly_bytes_eq(payload->terminal, tly_text(terminal->code))) {
        return tly_fail_at(diag, TLY_EFORBID, "A03", "terminal",
                           "signed by terminal %s, which it does not name", terminal->code);
    }
    if (!tly_bytes_eq(payload->election, tly_text(rules->election->code))) {
        return tly_fail_at(diag, TLY_ERANGE, "A07", "election", "the election here is %s",
                           rules->election->code);
    }
    if (payload->phase != rules->election->phase) {
        return tly_fail_at(diag, TLY_ERANGE, "A05", "phase", "the phase here is %s",
                           phase_name(rules->election->phase));
    }
    const struct branch_ix branch = election_branch(rules->election, payload->branch);
    if (branch.v == IX_NONE) {
        return tly_fail_at(diag, TLY_ERANGE, "A07", "branch", "no such branch in this election");
    }
    if (terminal->branch.v != branch.v) {
        return tly_fail_at(diag, TLY_EFORBID, "A03", "branch",
                           "terminal %s is not registered for branch %s", terminal->code,
                           rules->election->branches[branch.v].code);
    }
    const enum tly_err err = sender_check(rules, signer, branch, diag);
    if (err == TLY_OK) {
        *out = branch;
    }
    return err;
}

/* Everything behind the envelope: payload, identity, checks. */
static enum tly_err
content_read(const struct bundle_rules *rules, struct tly_arena *keep, struct tly_arena *scratch,
             struct bundle *b, struct tly_diag *diag)
{
    const struct tly_bytes text      = b->envelope.payload;
    const size_t           votes_max = PAYLOAD_VOTES_MAX(text.len);
    struct payload        *payload   = TLY_NEW(scratch, struct payload, 1);
    struct payload_vote   *votes     = TLY_NEW(scratch, struct payload_vote, votes_max);
    if (payload == NULL || votes == NULL) {
        return TLY_ENOMEM;
    }
    enum tly_err err = payload_parse(text, votes, (uint32_t)votes_max, payload, diag);
    if (err == TLY_OK) {
        err = identity_check(rules, payload, b->terminal, &b->branch, diag);
    }
    if (err != TLY_OK) {
        return err;
    }
    b->revision  = payload->revision;
    b->has_prev  = payload->has_prev;
    b->prev      = payload->prev;
    b->revise_ok = b->revision < 2 || bundle_revise_allowed(rules, &b->envelope, b->branch);
    const struct checks_input in = {.election = rules->election,
                                    .terminal = registry_row(rules->registry, b->terminal),
                                    .branch   = b->branch,
                                    .payload  = payload};
    err                          = checks_run(&in, keep, &b->checked, diag);
    return err == TLY_OK ? checks_held_lines(rules->election, &b->checked, keep, &b->held) : err;
}

enum tly_err
bundle_read(const struct bundle_rules *rules, struct tly_bytes in, struct tly_arena *keep,
            struct tly_arena *scratch, struct bundle *out, struct tly_diag *diag)
{
    struct bundle b = {0};
    if (in.len > BUNDLE_ENVELOPE_MAX) {
        return tly_fail_at(diag, TLY_ETOOBIG, "too_large", "", "%zu bytes, at most %zu", in.len,
                           BUNDLE_ENVELOPE_MAX);
    }
    enum tly_err err = envelope_parse(in, PAYLOAD_BYTES_MAX, keep, &b.envelope, diag);
    if (err != TLY_OK) {
        return err;
    }
    if (!tly_bytes_eq(b.envelope.type, tly_text(ENVELOPE_TYPE_BUNDLE))) {
        return tly_fail_at(diag, TLY_EINPUT, "S01", "payloadType", "not %s", ENVELOPE_TYPE_BUNDLE);
    }
    err = signer_find(rules, &b.envelope, &b.terminal, diag);
    if (err == TLY_OK) {
        err = content_read(rules, keep, scratch, &b, diag);
    }
    if (err == TLY_OK) {
        *out = b;
    }
    return err;
}

struct seq_bundle
bundle_seq(const struct bundle *bundle, const struct tly_hash *payload_hash,
           const struct tly_hash *envelope_hash, size_t envelope_len)
{
    TLY_CHECK(envelope_len <= BUNDLE_ENVELOPE_MAX);
    return (struct seq_bundle){
        .branch        = bundle->branch,
        .terminal      = bundle->terminal,
        .revision      = bundle->revision,
        .has_prev      = bundle->has_prev,
        .revise_ok     = bundle->revise_ok,
        .prev          = bundle->prev,
        .payload_hash  = *payload_hash,
        .envelope_hash = *envelope_hash,
        .payload       = bundle->envelope.payload,
        .head          = bundle->envelope.head,
        .tail          = bundle->envelope.tail,
        .alphabet      = bundle->envelope.alphabet,
        .envelope_len  = (uint32_t)envelope_len,
        .checked       = &bundle->checked,
        .held          = bundle->held,
    };
}

const char *
bundle_status_name(enum bundle_status status)
{
    static const char *const names[] = {
        [BUNDLE_COUNTED] = "counted", [BUNDLE_HELD] = "held", [BUNDLE_PARTLY] = "partly"};
    TLY_CHECK(status < TLY_N(names));
    return names[status];
}

enum bundle_status
bundle_status(const struct checked *checked)
{
    uint32_t held = 0;
    for (uint32_t i = 0; i < checked->slots_n; i++) {
        held += checked->slots[i].holds != 0;
    }
    if (held == 0) {
        return BUNDLE_COUNTED;
    }
    return held == checked->slots_n ? BUNDLE_HELD : BUNDLE_PARTLY;
}
