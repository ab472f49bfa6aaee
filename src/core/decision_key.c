/* SPDX-License-Identifier: Apache-2.0 */
/* What decisions of the kinds `key` and `state` are about: terminals of the registry, and whether the
 * election takes bundles (doc/formats.md, decisions). */
#include <sodium.h>

#include "base/check.h"
#include "base/hex.h"
#include "core/sign.h"
#include "decision_read.h"
#include "leaf_lines.h"

/* Members of a target beside action and terminal. */
enum member { BRANCH, SIGNING_KEY, CERTIFICATE, NOT_BEFORE, NOT_AFTER, MEMBERS_N };

#define BIT(member) (1U << (member))
#define DATES       (BIT(NOT_BEFORE) | BIT(NOT_AFTER))

/* Which of them an action has, and those that it must have. */
static const struct action {
    const char *name;
    unsigned    may, must;
} actions[KEY_ACTIONS_N] = {
    [KEY_ADD]    = {"add", BIT(BRANCH) | BIT(SIGNING_KEY) | BIT(CERTIFICATE) | DATES,
                    BIT(SIGNING_KEY) | BIT(CERTIFICATE) | DATES},
    [KEY_ROTATE] = {"rotate", BIT(SIGNING_KEY) | BIT(CERTIFICATE) | DATES, 0},
    [KEY_REVOKE] = {"revoke", 0, 0},
    [KEY_ASSIGN] = {"assign", BIT(BRANCH), BIT(BRANCH)},
};

const char *
decision_action_name(enum key_action action)
{
    TLY_CHECK((unsigned)action < KEY_ACTIONS_N);
    return actions[action].name;
}

bool
decision_action_find(struct tly_bytes name, enum key_action *out)
{
    for (unsigned i = 0; i < KEY_ACTIONS_N; i++) {
        if (tly_bytes_eq(name, tly_text(actions[i].name))) {
            *out = (enum key_action)i;
            return true;
        }
    }
    return false;
}

/* ---- reading ---- */

static enum tly_err
range(const struct decision_reader *r, const char *field, const char *why)
{
    return decision_refuse(r, TLY_ERANGE, "range", field, why);
}

/* Exactly the members that the action has. */
static enum tly_err
members_check(const struct decision_reader *r, enum key_action action,
              const struct decision_field f[MEMBERS_N])
{
    unsigned seen = 0;
    for (unsigned i = 0; i < MEMBERS_N; i++) {
        seen |= f[i].seen ? BIT(i) : 0;
    }
    if ((seen & ~actions[action].may) != 0) {
        return decision_refuse(r, TLY_EINPUT, "S01", "", "this action has no such member");
    }
    if ((seen & actions[action].must) != actions[action].must) {
        return decision_refuse(r, TLY_EINPUT, "S01", "", "a member of this action is missing");
    }
    if (action == KEY_ROTATE && (seen & (BIT(SIGNING_KEY) | BIT(CERTIFICATE))) == 0) {
        return decision_refuse(r, TLY_EINPUT, "S01", "",
                               "a signing key or a certificate is missing");
    }
    return (seen & DATES) == 0 || (seen & DATES) == DATES
               ? TLY_OK
               : decision_refuse(r, TLY_EINPUT, "S01", "", "one of the two dates is missing");
}

static enum tly_err
read_key(const struct decision_reader *r, const struct decision_field *f, struct decision_key *k)
{
    if (!tly_unhex(f->text, k->row.key.b, sizeof k->row.key.b)) {
        return decision_refuse(r, TLY_EINPUT, "S01", f->name, "not 64 lower-case hex digits");
    }
    if (!sign_key_ok(&k->row.key)) {
        return range(r, f->name, "no sound Ed25519 key (of small order, or no point of the curve)");
    }
    (void)crypto_hash_sha256(k->row.keyid.b, k->row.key.b, sizeof k->row.key.b);
    k->new_key = true;
    return TLY_OK;
}

static enum tly_err
read_dates(const struct decision_reader *r, const struct decision_field f[MEMBERS_N],
           struct decision_key *k)
{
    k->row.not_before = f[NOT_BEFORE].n;
    k->row.not_after  = f[NOT_AFTER].n;
    k->has_dates      = true;
    if (k->row.not_before > ELECTION_TIME_MAX || k->row.not_after > ELECTION_TIME_MAX) {
        return range(r, k->row.not_after > ELECTION_TIME_MAX ? "not_after" : "not_before",
                     "no time that can be");
    }
    return k->row.not_before <= k->row.not_after ? TLY_OK
                                                 : range(r, "not_after", "lies before not_before");
}

/* What the members say, over the row that there was. */
static enum tly_err
members_read(const struct decision_reader *r, const struct decision_field f[MEMBERS_N],
             struct decision_key *k)
{
    enum tly_err err = TLY_OK;
    if (f[BRANCH].seen) {
        k->row.branch = election_branch(r->election, f[BRANCH].text);
        k->has_branch = true;
        if (k->row.branch.v == IX_NONE) {
            return decision_refuse(r, TLY_ERANGE, "A07", "branch",
                                   "no such branch in this election");
        }
    }
    if (f[SIGNING_KEY].seen) {
        err = read_key(r, &f[SIGNING_KEY], k);
    }
    if (err == TLY_OK && f[CERTIFICATE].seen) {
        k->new_cert = true;
        err         = tly_unhex(f[CERTIFICATE].text, k->row.cert.b, sizeof k->row.cert.b)
                          ? TLY_OK
                          : decision_refuse(r, TLY_EINPUT, "S01", "certificate",
                                            "not 64 lower-case hex digits");
    }
    return err == TLY_OK && f[NOT_BEFORE].seen ? read_dates(r, f, k) : err;
}

/* The terminal as it is, or the code of one that shall be. */
static enum tly_err
read_terminal(const struct decision_reader *r, struct tly_bytes code, struct decision_key *k)
{
    k->before = registry_terminal(r->rules->registry, code, r->rules->at);
    if (k->action != KEY_ADD) {
        if (k->before.v == IX_NONE) {
            return decision_refuse(r, TLY_ERANGE, "A07", "terminal", "no such terminal");
        }
        k->row = *registry_row(r->rules->registry, k->before);
        return TLY_OK;
    }
    if (!codes_valid(code)) {
        return range(r, "terminal", "not a code: 1 to 64 of A-Z a-z 0-9 . _ -");
    }
    k->row = (struct terminal){.code = tly_arena_text(r->arena, code), .branch = {IX_NONE}};
    return k->row.code == NULL ? TLY_ENOMEM : TLY_OK;
}

enum tly_err
decision_target_key(const struct decision_reader *r, struct tly_bytes in, struct decision *d)
{
    struct decision_field f[MEMBERS_N + 2] = {
        [BRANCH]      = {.name = "branch", .type = TEXT, .optional = true},
        [SIGNING_KEY] = {.name = "signing_key", .type = TEXT, .optional = true},
        [CERTIFICATE] = {.name = "certificate", .type = TEXT, .optional = true},
        [NOT_BEFORE]  = {.name = "not_before", .type = NUMBER, .optional = true},
        [NOT_AFTER]   = {.name = "not_after", .type = NUMBER, .optional = true},
        {.name = "action", .type = TEXT},
        {.name = "terminal", .type = TEXT},
    };
    struct decision_key *k   = &d->key;
    enum tly_err         err = decision_object(r, in, f, TLY_N(f));
    if (err == TLY_OK && !decision_action_find(f[MEMBERS_N].text, &k->action)) {
        err = range(r, "action", "neither add, rotate, revoke nor assign");
    }
    if (err == TLY_OK) {
        err = members_check(r, k->action, f);
    }
    if (err == TLY_OK) {
        err = read_terminal(r, f[MEMBERS_N + 1].text, k);
    }
    if (err == TLY_OK) {
        err = members_read(r, f, k);
    }
    if (k->action == KEY_REVOKE) {
        k->row.state = TERMINAL_REVOKED;
    }
    return err;
}

enum tly_err
decision_target_state(const struct decision_reader *r, struct tly_bytes in, struct decision *d)
{
    struct decision_field f[] = {{.name = "state", .type = TEXT},
                                 {.name = "until", .type = NUMBER, .optional = true}};
    const enum tly_err    err = decision_object(r, in, f, TLY_N(f));
    if (err != TLY_OK) {
        return err;
    }
    if (!election_state_find(f[0].text, &d->state)) {
        return range(r, "state", "neither open, closed nor maintenance");
    }
    d->until = f[1].seen ? f[1].n : ELECTION_NO_UNTIL;
    return !f[1].seen || f[1].n <= ELECTION_TIME_MAX ? TLY_OK
                                                     : range(r, "until", "no time that can be");
}

/* ---- the leaf ---- */

void
decision_lines_key(const struct decision_reader *r, const struct decision *d, struct text *wr)
{
    const struct decision_key *k = &d->key;
    line_text(wr, "action ", decision_action_name(k->action));
    line_text(wr, "terminal ", k->row.code);
    if (k->has_branch) {
        line_text(wr, "branch ", r->election->branches[k->row.branch.v].code);
    }
    if (k->new_key) {
        text_add(wr, "signing_key ");
        text_add_hex(wr, k->row.key.b, sizeof k->row.key.b);
        text_add(wr, "\n");
    }
    if (k->new_cert) {
        text_add(wr, "certificate ");
        text_add_hash(wr, &k->row.cert);
        text_add(wr, "\n");
    }
    if (k->has_dates) {
        line_number(wr, "not_before ", k->row.not_before);
        line_number(wr, "not_after ", k->row.not_after);
    }
}

void
decision_lines_state(const struct decision *d, struct text *wr)
{
    line_text(wr, "state ", election_state_name(d->state));
    if (d->until != ELECTION_NO_UNTIL) {
        line_number(wr, "until ", d->until);
    }
}

/* ---- in force ---- */

bool
decision_changes_rules(const struct decision *d)
{
    return d->kind == POLICY_KEY || d->kind == POLICY_STATE;
}

bool
decision_copy_code(struct decision *d, struct tly_arena *arena)
{
    if (d->kind != POLICY_KEY || d->key.action != KEY_ADD) {
        return true; /* the registry's own */
    }
    d->key.row.code = tly_arena_text(arena, tly_text(d->key.row.code));
    return d->key.row.code != NULL;
}

bool
decision_register(struct decision *d, const struct registry *registry, uint64_t position,
                  struct tly_arena *arena)
{
    struct decision_key *k = &d->key;
    if (d->kind != POLICY_KEY) {
        return true;
    }
    if (!decision_copy_code(d, arena)) {
        return false;
    }
    k->row.from = position + 1;
    k->after    = registry_with(registry, k->before, &k->row, arena);
    return k->after != NULL;
}
