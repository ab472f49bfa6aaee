/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a decision can stand where the ledger ends: its target is as its signers saw it, and in a
 * state that can be decided so. */
#include <inttypes.h>

#include "base/check.h"
#include "base/text.h"
#include "core/decision.h"
#include "core/outcome.h"

struct judge {
    const struct tally    *tally;
    const struct registry *registry;
    const struct book     *book;
    struct decision       *d;
    struct tly_arena      *arena;
    struct tly_diag       *diag;
};

static enum tly_err
state_refuse(const struct judge *j, const char *why)
{
    return tly_fail_at(j->diag, TLY_ECONFLICT, "state", "target", "%s: %s", policy_name(j->d->kind),
                       why);
}

/* The target changed with the entry at `position`. */
static enum tly_err
changed(const struct judge *j, uint64_t position)
{
    const struct book_entry *entry = book_entry(j->book, position);
    char                     line[sizeof j->diag->text];
    struct text              text;
    text_init(&text, line, sizeof line);
    text_add(&text, "the target changed since position ");
    text_add_u64(&text, j->d->position);
    text_add(&text, ": entry ");
    text_add_u64(&text, position);
    text_add(&text, " is a ");
    text_add(&text, leaf_kind_name(entry->kind));
    if (entry->kind != LEAF_GENESIS && entry->branch.v != IX_NONE) {
        text_add(&text, " of branch ");
        text_add(&text, j->tally->election->branches[entry->branch.v].code);
    }
    if (entry->kind == LEAF_BUNDLE || entry->kind == LEAF_CONFLICT) {
        text_add(&text, ", revision ");
        text_add_u64(&text, entry->revision);
    }
    return tly_fail_at(j->diag, TLY_ECONFLICT, "changed", "position", "%s", line);
}

/* ---- a branch's contest ---- */

/* A conflict that was logged since: the signers did not know that the branch contradicts itself. */
static enum tly_err
conflict_check(const struct judge *j)
{
    for (uint64_t p = book_last(j->book, j->d->branch); p != UINT64_MAX && p >= j->d->position;
         p          = book_before(j->book, p)) {
        if (book_entry(j->book, p)->kind == LEAF_CONFLICT) {
            return changed(j, p);
        }
    }
    return TLY_OK;
}

static enum tly_err
judge_slot(const struct judge *j)
{
    const struct standing *slot     = &j->tally->slots[j->d->slot.v];
    const bool             counted  = slot->state == SLOT_COUNTED || slot->state == SLOT_CORRECTED;
    const bool             held     = slot->state == SLOT_HELD;
    const bool             annulled = slot->state == SLOT_ANNULLED;
    if (slot->state == SLOT_EXPECTED) {
        return state_refuse(j, "the branch has not reported this contest");
    }
    if (slot->position >= j->d->position) {
        return changed(j, slot->position);
    }
    const enum tly_err err = conflict_check(j);
    if (err != TLY_OK) {
        return err;
    }
    if (j->d->kind == POLICY_RELEASE) {
        if (!held) {
            return state_refuse(j, "it is not held");
        }
        return slot->counts != NULL || slot->not_held
                   ? TLY_OK
                   : state_refuse(j, "its numbers cannot be read; only a revision helps");
    }
    if (j->d->kind == POLICY_ANNUL) {
        return counted || held ? TLY_OK : state_refuse(j, "it is annulled already");
    }
    if (j->d->kind == POLICY_REINSTATE) {
        return annulled ? TLY_OK : state_refuse(j, "it is not annulled");
    }
    if (slot->checks == 0) {
        return state_refuse(j, "no check found anything to explain");
    }
    return slot->explained ? state_refuse(j, "it is explained already") : TLY_OK;
}

/* ---- a contest ---- */

/* All of the tie stand in the order, and nobody else; who only shares list seats may be named too,
 * because a draw between lists can touch them on the way. */
static bool
order_is_of(const struct decision *d, const struct tie *tie)
{
    const bool      lists = tie->kind == TIE_LIST;
    const uint32_t *order = lists ? d->lists : d->candidates;
    if (order == NULL || (lists ? tie->among_n > d->order_n : tie->among_n != d->order_n)) {
        return false;
    }
    for (uint32_t i = 0; i < tie->among_n; i++) {
        uint32_t k = 0;
        while (k < d->order_n && order[k] != tie->among[i]) {
            k++;
        }
        if (k == d->order_n) {
            return false;
        }
    }
    return true;
}

static enum tly_err
outcome_now(const struct judge *j, const struct lot *more, struct outcome *out)
{
    const struct election *e       = j->tally->election;
    const struct contest  *contest = &e->contests[j->d->contest.v];
    struct method_input    in;
    enum tly_err           err = outcome_input(j->tally, j->d->contest, j->arena, &in);
    in.quiet                   = true;
    in.lots                    = more != NULL ? more : in.lots;
    return err == TLY_OK ? outcome_of(e->rules[contest->rule].method, &in, j->arena, out) : err;
}

/* Is the order one of the ties'? */
static bool
order_find(struct decision *d, const struct outcome *o)
{
    for (uint32_t i = 0; i < o->ties_n; i++) {
        if (order_is_of(d, &o->ties[i])) {
            d->order_of_lists = o->ties[i].kind == TIE_LIST;
            return true;
        }
    }
    return false;
}

static enum tly_err
judge_lot(const struct judge *j)
{
    struct outcome  o;
    struct decision tried = *j->d;
    if (!tally_is_complete(j->tally, j->d->contest)) {
        return state_refuse(j, "not every branch is counted or annulled: a tie is not certain yet");
    }
    enum tly_err err = outcome_now(j, NULL, &o);
    if (err != TLY_OK) {
        return err;
    }
    if (!order_find(j->d, &o)) {
        return state_refuse(j, o.ties_n == 0 ? "the contest has no tie"
                                             : "no tie of the contest is between exactly these");
    }
    tried.order_of_lists = j->d->order_of_lists;
    if (!decision_keep(&tried, j->arena)) {
        return TLY_ENOMEM;
    }
    tried.lot->before = j->tally->contests[j->d->contest.v].lots;
    err               = outcome_now(j, tried.lot, &o);
    if (err == TLY_OK && order_find(&tried, &o)) {
        err = state_refuse(
            j, "an order of these does not settle this tie; between lists, name all of them");
    }
    return err;
}

static enum tly_err
judge_certify(const struct judge *j)
{
    if (tally_is_certified(j->tally, j->d->contest)) {
        return state_refuse(j, "the contest is certified already");
    }
    if (j->d->at > j->d->position || j->tally->contests[j->d->contest.v].position >= j->d->at) {
        return state_refuse(j, "the contest changed behind the position that the result is of");
    }
    return TLY_OK;
}

static enum tly_err
judge_result(const struct judge *j)
{
    struct outcome  o;
    struct tly_hash result;
    if (!tally_is_complete(j->tally, j->d->contest)) {
        return state_refuse(j, "not every branch is counted or annulled");
    }
    enum tly_err err = outcome_now(j, NULL, &o);
    if (err == TLY_OK && o.ties_n > 0) {
        return state_refuse(j, "a tie waits for a decision");
    }
    if (err == TLY_OK) {
        err = decision_result(j->tally, j->d->contest, j->arena, &result);
    }
    if (err == TLY_OK && !tly_hash_eq(&result, &j->d->result)) {
        err = state_refuse(j, "the result is another one than what was signed");
    }
    return err;
}

/* ---- the registry, and the election ---- */

/* What is given is new to the registry. */
static enum tly_err
judge_credentials(const struct judge *j)
{
    const struct decision_key *k = &j->d->key;
    if (k->new_key && registry_knows_key(j->registry, &k->row.keyid)) {
        return state_refuse(j, "the signing key stands, or stood, in the registry");
    }
    return k->new_cert && registry_knows_cert(j->registry, &k->row.cert)
               ? state_refuse(j, "the certificate stands, or stood, in the registry")
               : TLY_OK;
}

static enum tly_err
judge_key(const struct judge *j)
{
    const struct decision_key *k = &j->d->key;
    const struct terminal_ix   newest =
        registry_terminal(j->registry, tly_text(k->row.code), REGISTRY_NOW);
    const struct terminal *now = newest.v == IX_NONE ? NULL : registry_row(j->registry, newest);
    /* Where it was read, perhaps by another thread some time ago, it was judged who must sign. */
    if (now != NULL && (now->from > j->d->position || (now->from > 0 && newest.v != k->before.v))) {
        return changed(j, now->from - 1);
    }
    if (k->action == KEY_ADD) {
        return now != NULL ? state_refuse(j, "a terminal of that code is registered")
                           : judge_credentials(j);
    }
    TLY_CHECK(now != NULL); /* it was there when the document was read, and none ever goes */
    if (now->state != TERMINAL_ACTIVE) {
        return state_refuse(j, "the terminal is revoked");
    }
    return k->action == KEY_ASSIGN && now->branch.v == k->row.branch.v
               ? state_refuse(j, "the terminal is that branch's already")
               : judge_credentials(j);
}

static enum tly_err
judge_state(const struct judge *j)
{
    const struct tally *t = j->tally;
    if (t->state_position > 0 && t->state_position >= j->d->position) {
        return changed(j, t->state_position);
    }
    return t->state == j->d->state && t->state_until == j->d->until
               ? state_refuse(j, "it is in that state already")
               : TLY_OK;
}

enum tly_err
decision_judge_state(const struct tally *tally, const struct book *book, struct decision *d,
                     struct tly_arena *arena, struct tly_diag *diag)
{
    const struct judge j = {tally, book_registry(book), book, d, arena, diag};
    TLY_CHECK(tally->position == book_size(book));
    if (d->position > book_size(book)) {
        return tly_fail_at(diag, TLY_ECONFLICT, "changed", "position",
                           "the ledger has not come to position %" PRIu64 " yet", d->position);
    }
    if (d->kind == POLICY_KEY) {
        return judge_key(&j);
    }
    if (d->kind == POLICY_STATE) {
        return judge_state(&j);
    }
    if (d->slot.v != IX_NONE) {
        return judge_slot(&j);
    }
    if (d->kind == POLICY_EXCLUDE) { /* whether others count does not matter to it */
        return tally->excluded[d->candidate.v]
                   ? state_refuse(&j, "the candidate is excluded already")
                   : TLY_OK;
    }
    if (tally->contests[d->contest.v].position >= d->position) {
        return changed(&j, tally->contests[d->contest.v].position);
    }
    return d->kind == POLICY_LOT ? judge_lot(&j) : judge_certify(&j);
}

enum tly_err
decision_judge_result(const struct tally *tally, const struct decision *d, struct tly_arena *arena,
                      struct tly_diag *diag)
{
    struct decision    copy = *d;
    const struct judge j    = {tally, NULL, NULL, &copy, arena, diag};
    return d->kind == POLICY_CERTIFY ? judge_result(&j) : TLY_OK;
}

enum tly_err
decision_judge(const struct tally *tally, const struct book *book, struct decision *d,
               struct tly_arena *arena, struct tly_diag *diag)
{
    if (d->results != NULL) {
        return results_judge(tally, book, d->results, diag);
    }
    const enum tly_err err = decision_judge_state(tally, book, d, arena, diag);
    return err == TLY_OK ? decision_judge_result(tally, d, arena, diag) : err;
}
