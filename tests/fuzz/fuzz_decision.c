/* SPDX-License-Identifier: Apache-2.0 */
/* Any payload, signed by officers enough: what the reader of decisions accepts jansson accepts with
 * equal values, the same document in other words is the same decision, its leaf can be read again,
 * and where it can stand it leaves every sum as its leaves say. */
#include "decision_json.h"

#include "decision_world.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct world w;

static bool
same_order(const uint32_t *a, const uint32_t *b, uint32_t n)
{
    return (a == NULL) == (b == NULL) && (a == NULL || memcmp(a, b, n * sizeof *a) == 0);
}

/* Keys in another order, escapes written otherwise, no white space: the same decision. */
static void
check_said_again(struct tly_bytes in, const struct decision *d)
{
    struct decision again;
    json_t         *j    = json_loadb((const char *)in.data, in.len, 0, NULL);
    char           *text = json_dumps(j, JSON_SORT_KEYS | JSON_COMPACT);
    TLY_CHECK(text != NULL);
    const enum tly_err err = world_read(&w, tly_text(text), &again, NULL);
    /* A reason is bounded as it stands, and may be longer with other escapes. */
    TLY_CHECK(err == TLY_OK || (err == TLY_ERANGE && strlen(text) > DECISION_REASON_MAX));
    if (err == TLY_OK) {
        TLY_CHECK(again.kind == d->kind && again.position == d->position &&
                  again.made_at == d->made_at && again.branch.v == d->branch.v &&
                  again.slot.v == d->slot.v && again.contest.v == d->contest.v &&
                  again.candidate.v == d->candidate.v && again.at == d->at &&
                  tly_hash_eq(&again.result, &d->result) && again.order_n == d->order_n);
        TLY_CHECK(d->kind != POLICY_LOT || again.ground == d->ground);
        TLY_CHECK(same_order(again.candidates, d->candidates, d->order_n) &&
                  same_order(again.lists, d->lists, d->order_n) &&
                  tly_bytes_eq(again.target, d->target));
    }
    free(text);
    json_decref(j);
}

static void
check_leaf(const struct decision *d)
{
    static char       text[LEAF_SIZE], back[LEAF_SIZE];
    struct leaf_texts texts;
    struct leaf       leaf = {.kind        = decision_leaf(d->kind),
                              .election    = w.m.e.code,
                              .accepted_ms = 1,
                              .payload_len = d->envelope.payload.len,
                              .held        = d->target};
    struct leaf       read;
    const size_t      n = leaf_write(&leaf, text);
    TLY_CHECK(n > 0);
    const enum tly_err err =
        leaf_parse((struct tly_bytes){(const uint8_t *)text, n}, &texts, &read, NULL);
    TLY_CHECK(err == TLY_OK);
    TLY_CHECK(leaf_write(&read, back) == n && memcmp(text, back, n) == 0);
}

/* Every sum of the contests from their leaves. */
static void
check_sums(const struct tally *t)
{
    for (uint32_t c = 0; c < w.m.e.contests_n; c++) {
        const struct contest *contest = &w.m.contests[c];
        const uint32_t        n       = contest->lists_n + contest->candidates_n;
        uint64_t              cast = 0, options[8] = {0};
        uint32_t              counted = 0;
        for (uint32_t s = c; s < w.m.e.slots_n; s += w.m.e.contests_n) {
            const struct standing *slot = &t->slots[s];
            if (slot->state == SLOT_COUNTED || slot->state == SLOT_CORRECTED) {
                counted++;
                cast += slot->counts->n[COUNT_CAST];
                for (uint32_t i = 0; i < n; i++) {
                    options[i] += slot->counts->options[i];
                }
            }
        }
        TLY_CHECK(t->contests[c].progress.counted == counted);
        TLY_CHECK(t->contests[c].totals.n[COUNT_CAST] == cast);
        TLY_CHECK(memcmp(&t->options[contest->options_first], options, n * sizeof *options) == 0);
    }
}

static void
check_standing(struct decision *d)
{
    struct tly_diag    diag = {0};
    const enum tly_err err  = decision_judge(&w.tally, w.book, d, &w.scratch, &diag);
    TLY_CHECK(err == TLY_OK || err == TLY_ECONFLICT);
    if (err == TLY_ECONFLICT) {
        TLY_CHECK(strcmp(diag.code, "changed") == 0 || strcmp(diag.code, "state") == 0);
        return;
    }
    struct outcome o;
    TLY_CHECK(decision_keep(d, &w.scratch) &&
              decision_register(d, book_registry(w.book), w.tally.position, &w.scratch));
    TLY_CHECK(d->kind != POLICY_KEY ||
              registry_row(d->key.after,
                           registry_terminal(d->key.after, tly_text(d->key.row.code), REGISTRY_NOW))
                      ->from == w.tally.position + 1);
    tally_copy(&w.copy, &w.tally);
    decision_apply(&w.copy, d, w.copy.position);
    check_sums(&w.copy);
    TLY_CHECK(d->kind != POLICY_STATE ||
              (w.copy.state == d->state && w.copy.state_until == d->until));
    if (d->contest.v == IX_NONE) {
        return;
    }
    TLY_CHECK(outcome_run(&w.copy, d->contest, &w.scratch, &o) == TLY_OK);
    for (uint32_t i = 0; d->kind == POLICY_EXCLUDE && i < o.winners_n; i++) {
        TLY_CHECK(w.m.contests[d->contest.v].candidates_first + o.winners[i] != d->candidate.v);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct tly_bytes in   = {data, size};
    struct decision        d    = {0};
    struct tly_diag        diag = {0};
    if (w.book == NULL) {
        world_make(&w);
        check_sums(&w.tally);
    }
    if (size > DECISION_PAYLOAD_MAX) {
        return 0; /* cannot stand in an envelope of a decision */
    }
    const enum tly_err err = world_read(&w, in, &d, &diag);
    TLY_CHECK(err == TLY_OK || err == TLY_EINPUT || err == TLY_ERANGE);
    TLY_CHECK(err == TLY_OK || diag.code[0] != '\0');
    TLY_CHECK(err != TLY_EINPUT || strcmp(diag.code, "S01") == 0);
    if (err == TLY_OK) {
        TLY_CHECK(dj_agrees(in, &w.m.e, &d));
        check_said_again(in, &d);
        check_leaf(&d);
        check_standing(&d);
    }
    world_scratch(&w);
    return 0;
}
