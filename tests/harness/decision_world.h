/* SPDX-License-Identifier: Apache-2.0 */
/* A small election at the point where people decide, for tests of decisions: c-0 has a branch that
 * counts, one held and one annulled; the others are complete: c-1 with a tie of persons, c-2 (list_ir)
 * with one of lists, c-3 without.  The ledger: genesis, a bundle of each branch, the annulment. */
#pragma once

#include <sodium.h>

#include "base/check.h"
#include "base/hex.h"
#include "core/decision.h"
#include "core/outcome.h"

#include "election_make.h"

#define WORLD_MAX       ((size_t)4 << 20)
#define WORLD_BRANCHES  3
#define WORLD_CONTESTS  4
#define WORLD_TERMINALS 5 /* of the branches, "spare", and "gone", which is revoked */
#define WORLD_OFFICERS  2 /* a commission's and a supervision's; every kind asks for both */

struct world {
    struct election_maker m;
    struct tly_arena      arena, scratch;
    struct officer        officers[WORLD_OFFICERS];
    struct terminal       terminals[WORLD_TERMINALS];
    struct sign_secret    secrets[WORLD_OFFICERS];
    struct tly_hash       keyids[WORLD_OFFICERS];
    struct registry       registry;
    struct book          *book;
    struct tally          tally, copy;
};

static inline struct tly_hash
world_hash(const char *kind, uint64_t n)
{
    char      text[64];
    const int len = snprintf(text, sizeof text, "%s %llu", kind, (unsigned long long)n);
    return merkle_leaf((struct tly_bytes){(uint8_t *)text, (size_t)len});
}

static inline void
world_election(struct world *w)
{
    static const char *const branches[WORLD_BRANCHES] = {"b-0", "b-1", "b-2"};
    const struct list_ix     none                     = {IX_NONE};
    make_begin(&w->m, WORLD_MAX);
    const uint32_t       block = make_rule(&w->m, "block"), ir = make_rule(&w->m, "list_ir");
    const struct area_ix root = make_area(&w->m, "ir", (struct area_ix){IX_NONE}, LEVEL_COUNTRY);
    const struct area_ix city = make_area(&w->m, "city", root, LEVEL_CITY);
    (void)make_area(&w->m, "other", root, LEVEL_CITY);
    for (unsigned i = 0; i < 2; i++) {
        (void)make_contest(&w->m, i == 0 ? "c-0" : "c-1", city, block, 2);
        (void)make_candidate(&w->m, "k-0", none);
        (void)make_candidate(&w->m, "k-1", none);
        (void)make_candidate(&w->m, "k-2", none);
    }
    (void)make_contest(&w->m, "c-2", city, ir, 3);
    const struct list_ix a = make_list(&w->m, "A"), b = make_list(&w->m, "B");
    (void)make_candidate(&w->m, "k-0", a);
    (void)make_candidate(&w->m, "k-1", a);
    (void)make_candidate(&w->m, "k-2", b);
    (void)make_candidate(&w->m, "k-3", b);
    (void)make_candidate(&w->m, "k-4", none);
    (void)make_contest(&w->m, "c-3", city, block, 1);
    (void)make_candidate(&w->m, "k-0", none);
    (void)make_candidate(&w->m, "k-1", none);
    for (unsigned i = 0; i < WORLD_BRANCHES; i++) {
        (void)make_branch(&w->m, branches[i], city, 0);
        for (uint32_t c = 0; c < WORLD_CONTESTS; c++) {
            (void)make_slot(&w->m, (struct contest_ix){c});
        }
    }
    for (unsigned kind = 0; kind < POLICIES_N; kind++) {
        w->m.e.policy.kinds[kind] = (struct quorum){.n = {1, 1, 0}};
    }
    (void)make_done(&w->m);
}

static inline struct tly_hash
world_keyid(const struct tly_key *key)
{
    struct tly_hash id;
    (void)crypto_hash_sha256(id.b, key->b, sizeof key->b);
    return id;
}

static inline bool
world_registry(struct world *w)
{
    static const char *const codes[WORLD_TERMINALS] = {"b-0", "b-1", "b-2", "spare", "gone"};
    for (uint32_t i = 0; i < WORLD_OFFICERS; i++) {
        const uint8_t seed[32] = {(uint8_t)(i + 1)};
        sign_from_seed(seed, &w->secrets[i]);
        const struct tly_key key = sign_public(&w->secrets[i]);
        w->keyids[i]             = world_keyid(&key);
        w->officers[i]           = (struct officer){.code = i == 0 ? "com" : "sup",
                                                    .role = i == 0 ? OFFICER_COMMISSION : OFFICER_SUPERVISION,
                                                    .key  = key,
                                                    .keyid = w->keyids[i]};
    }
    for (uint32_t i = 0; i < WORLD_TERMINALS; i++) {
        const uint8_t      seed[32] = {(uint8_t)(i + 50)};
        struct sign_secret secret;
        sign_from_seed(seed, &secret);
        w->terminals[i]       = (struct terminal){.code   = codes[i],
                                                  .branch = {i < WORLD_BRANCHES ? i : IX_NONE},
                                                  .key    = sign_public(&secret),
                                                  .cert   = world_hash("cert", i),
                                                  .state  = i == 4 ? TERMINAL_REVOKED : TERMINAL_ACTIVE};
        w->terminals[i].keyid = world_keyid(&w->terminals[i].key);
    }
    w->registry = (struct registry){.officers    = w->officers,
                                    .officers_n  = WORLD_OFFICERS,
                                    .terminals   = w->terminals,
                                    .terminals_n = WORLD_TERMINALS};
    return registry_index(&w->registry, &w->arena, NULL) == TLY_OK;
}

/* Equal votes, but in c-3. */
static inline const struct counts *
world_votes(struct world *w, uint32_t contest)
{
    const struct contest *c = &w->m.contests[contest];
    const uint32_t        n = c->lists_n + c->candidates_n;
    struct counts        *v = tly_arena_alloc(&w->arena, 1, sizeof *v + n * sizeof v->options[0]);
    TLY_CHECK(v != NULL);
    v->n[COUNT_CAST] = v->n[COUNT_VALID] = 12;
    for (uint32_t i = 0; i < n; i++) {
        v->options[i] = c->lists_n > 0 && i >= c->lists_n ? 0 : 4;
    }
    v->options[0] += contest == WORLD_CONTESTS - 1;
    return v;
}

static inline bool
world_ledger(struct world *w)
{
    const struct book_entry genesis = {.kind = LEAF_GENESIS, .accepted_ms = 1};
    bool                    ok      = book_append(w->book, &genesis) == TLY_OK;
    for (uint32_t i = 0; i < WORLD_BRANCHES && ok; i++) {
        const uint64_t          position = book_size(w->book);
        const struct book_entry entry    = {.kind        = LEAF_BUNDLE,
                                            .branch      = {i},
                                            .terminal    = {i},
                                            .revision    = 1,
                                            .accepted_ms = 1,
                                            .payload     = world_hash("payload", position)};
        ok                               = book_append(w->book, &entry) == TLY_OK;
        for (uint32_t c = 0; c < WORLD_CONTESTS; c++) {
            const bool held = c == 0 && i == 1;
            tally_apply(&w->tally,
                        &(struct tally_change){.slot     = {WORLD_CONTESTS * i + c},
                                               .counts   = world_votes(w, c),
                                               .checks   = held,
                                               .revision = 1,
                                               .held     = held},
                        1, position);
        }
    }
    const struct book_entry annul = {.kind        = LEAF_ANNUL,
                                     .branch      = {2},
                                     .terminal    = {IX_NONE},
                                     .accepted_ms = 1,
                                     .payload     = world_hash("payload", WORLD_BRANCHES + 1)};
    ok                            = ok && book_append(w->book, &annul) == TLY_OK;
    tally_annul(&w->tally, (struct slot_ix){2 * WORLD_CONTESTS}, WORLD_BRANCHES + 1);
    return ok;
}

static inline void
world_make(struct world *w)
{
    tly_arena_init(&w->arena, WORLD_MAX);
    tly_arena_init(&w->scratch, WORLD_MAX);
    world_election(w);
    const bool ok = world_registry(w) &&
                    book_new(&w->m.e, &w->registry, &w->arena, &w->book) == TLY_OK &&
                    tally_init(&w->tally, &w->m.e, &w->arena) == TLY_OK &&
                    tally_init(&w->copy, &w->m.e, &w->arena) == TLY_OK && world_ledger(w);
    TLY_CHECK(ok);
}

/* Reads a payload that all officers signed; all of it in the scratch arena. */
static inline enum tly_err
world_read(struct world *w, struct tly_bytes payload, struct decision *out, struct tly_diag *diag)
{
    const struct decision_rules rules = {&w->m.e, book_registry(w->book), NULL};
    struct tly_bytes            envelope;
    const enum tly_err made = envelope_write(ENVELOPE_TYPE_DECISION, payload, w->secrets, w->keyids,
                                             WORLD_OFFICERS, &w->scratch, &envelope);
    TLY_CHECK(made == TLY_OK);
    return decision_read(&rules, envelope, &w->scratch, out, diag);
}

static inline void
world_scratch(struct world *w)
{
    tly_arena_done(&w->scratch);
    tly_arena_init(&w->scratch, WORLD_MAX);
}

static inline void
world_free(struct world *w)
{
    tly_arena_done(&w->scratch);
    tly_arena_done(&w->arena);
    make_free(&w->m);
}
