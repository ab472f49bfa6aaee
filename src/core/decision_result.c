/* SPDX-License-Identifier: Apache-2.0 */
/* A contest's result as the text that a certificate names by its hash. */
#include <sodium.h>

#include "base/text.h"
#include "core/decision.h"
#include "core/outcome.h"

#define RESULT_LINE_MAX 512

/* One entity by its code, so that the order in the files decides nothing. */
struct named {
    const char *code;
    uint32_t    place;
};

static void
line(crypto_hash_sha256_state *state, const char *name, const char *code, const uint64_t n[],
     unsigned n_n)
{
    char        text[RESULT_LINE_MAX];
    struct text wr;
    text_init(&wr, text, sizeof text);
    text_add(&wr, name);
    if (code != NULL) {
        text_add(&wr, " ");
        text_add(&wr, code);
    }
    for (unsigned i = 0; i < n_n; i++) {
        text_add(&wr, " ");
        text_add_u64(&wr, n[i]);
    }
    text_add(&wr, "\n");
    crypto_hash_sha256_update(state, (const unsigned char *)text, wr.len);
}

/* Codes in the order of their bytes: heapsort, since lists of thousands come. */
static void
named_sort(struct named list[], uint32_t n)
{
    for (uint32_t built = n / 2, left = n; left > 1;) {
        struct named moved;
        if (built > 0) {
            moved = list[--built];
        } else {
            moved      = list[--left];
            list[left] = list[0];
        }
        uint32_t at = built;
        for (uint32_t child = 2 * at + 1; child < left; child = 2 * at + 1) {
            if (child + 1 < left && strcmp(list[child].code, list[child + 1].code) < 0) {
                child++;
            }
            if (strcmp(moved.code, list[child].code) >= 0) {
                break;
            }
            list[at] = list[child];
            at       = child;
        }
        list[at] = moved;
    }
}

static void
put_lists(crypto_hash_sha256_state *state, const struct election *e, const struct contest *c,
          const struct method_input *in, const struct outcome *o, struct named named[])
{
    for (uint32_t i = 0; i < c->lists_n; i++) {
        named[i] = (struct named){e->lists[c->lists_first + i].code, i};
    }
    named_sort(named, c->lists_n);
    for (uint32_t i = 0; i < c->lists_n; i++) {
        const uint32_t l = named[i].place;
        line(state, "list", named[i].code,
             (uint64_t[]){in->list_ballots[l], o->list_votes[l],
                          o->list_seats == NULL ? 0 : o->list_seats[l]},
             3);
    }
    line(state, "pool", NULL, (uint64_t[]){o->pool_votes, o->pool_seats}, 2);
}

static void
put_candidates(crypto_hash_sha256_state *state, const struct election *e, const struct contest *c,
               const struct method_input *in, const struct outcome *o, struct named named[])
{
    for (uint32_t i = 0; i < c->candidates_n; i++) {
        named[i] = (struct named){e->candidates[c->candidates_first + i].code, i};
    }
    named_sort(named, c->candidates_n);
    for (uint32_t i = 0; i < c->candidates_n; i++) {
        const uint32_t p = named[i].place;
        line(state, in->excluded[p] ? "excluded" : "candidate", named[i].code,
             (uint64_t[]){in->personal[p], o->votes[p]}, 2);
    }
    for (uint32_t i = 0; i < o->winners_n; i++) {
        named[i] = (struct named){e->candidates[c->candidates_first + o->winners[i]].code, i};
    }
    named_sort(named, o->winners_n);
    for (uint32_t i = 0; i < o->winners_n; i++) {
        line(state, "winner", named[i].code, NULL, 0);
    }
    for (uint32_t i = 0; i < o->alternates_n; i++) { /* their order is part of the result */
        line(state, "alternate", e->candidates[c->candidates_first + o->alternates[i]].code, NULL,
             0);
    }
}

enum tly_err
decision_result(const struct tally *tally, struct contest_ix ix, struct tly_arena *arena,
                struct tly_hash *out)
{
    const struct election   *e = tally->election;
    const struct contest    *c = &e->contests[ix.v];
    const struct progress   *p = &tally->contests[ix.v].progress;
    struct method_input      in;
    struct outcome           o;
    crypto_hash_sha256_state state;
    struct named *named = TLY_NEW(arena, struct named, (size_t)c->lists_n + c->candidates_n + 1);
    enum tly_err  err   = named == NULL ? TLY_ENOMEM : outcome_input(tally, ix, arena, &in);
    if (err == TLY_OK) {
        in.quiet = true;
        err      = outcome_of(e->rules[c->rule].method, &in, arena, &o);
    }
    if (err != TLY_OK) {
        return err;
    }
    crypto_hash_sha256_init(&state);
    line(&state, "tally/result/v1", NULL, NULL, 0);
    line(&state, "election", e->code, NULL, 0);
    line(&state, "contest", c->code, NULL, 0);
    line(&state, "branches", NULL, (uint64_t[]){p->expected, p->counted, p->annulled}, 3);
    for (unsigned i = 0; i < COUNTS_N; i++) {
        line(&state, count_name((enum count)i), NULL, &tally->contests[ix.v].totals.n[i], 1);
    }
    put_lists(&state, e, c, &in, &o, named);
    put_candidates(&state, e, c, &in, &o, named);
    line(&state, "vacancies", NULL, (uint64_t[]){o.vacancies}, 1);
    crypto_hash_sha256_final(&state, out->b);
    return TLY_OK;
}
