/* SPDX-License-Identifier: Apache-2.0 */
/* Decisions without a daemon: who must have signed (every subset of the officers against the rule
 * said once more in other words), what stands where in the ledger, and what each does to a tally. */
#include "core/decision.h"
#include "core/outcome.h"
#include "ledger_fixture.h"
#include "t.h"

#define OFFICERS 6

struct world {
    struct fixture     f;
    struct area        areas[3];
    struct officer     officers[OFFICERS];
    struct sign_secret secrets[OFFICERS];
    struct rule        rules[1];
    struct slot_ix     contest_slots[BRANCHES];
    struct tly_arena   arena;
    struct book       *book;
    struct tally       tally;
};

/* A key's id in this test: any hash will do, since keys are hashed outside the core. */
static void
officers_make(struct world *w)
{
    static const struct {
        enum officer_role role;
        uint32_t          area;
    } people[OFFICERS]                       = {{OFFICER_COMMISSION, 0},  {OFFICER_COMMISSION, 1},
                                                {OFFICER_SUPERVISION, 0}, {OFFICER_SUPERVISION, 2},
                                                {OFFICER_OPERATOR, 0},    {OFFICER_COMMISSION, 2}};
    static const char *const codes[OFFICERS] = {"com0", "com1", "sup0", "sup2", "ope0", "com2"};
    for (unsigned i = 0; i < OFFICERS; i++) {
        const uint8_t seed[32] = {(uint8_t)(i + 100)};
        sign_from_seed(seed, &w->secrets[i]);
        w->officers[i] = (struct officer){.code  = codes[i],
                                          .role  = people[i].role,
                                          .area  = {people[i].area},
                                          .key   = sign_public(&w->secrets[i]),
                                          .keyid = fixture_hash("officer", i)};
    }
}

static void
world_init(struct world *w)
{
    struct tly_diag diag = {0};
    memset(w, 0, sizeof *w);
    fixture_init(&w->f);
    tly_arena_init(&w->arena, (size_t)64 << 20);
    w->areas[0]        = (struct area){.code = "ir", .parent = {IX_NONE}};
    w->areas[1]        = (struct area){.code = "p1", .parent = {0}};
    w->areas[2]        = (struct area){.code = "p2", .parent = {0}};
    struct election *e = &w->f.election;
    for (uint32_t i = 0; i < BRANCHES; i++) {
        w->f.branches[i].area = (struct area_ix){1};
        w->contest_slots[i]   = (struct slot_ix){i};
    }
    w->f.contests[0].area = (struct area_ix){1};
    w->rules[0]           = (struct rule){.code = "r", .method = method_find(tly_text("block"))};
    e->areas              = w->areas;
    e->areas_n            = 3;
    e->rules              = w->rules;
    e->rules_n            = 1;
    e->contest_slots      = w->contest_slots;
    bool ok               = codes_init(&e->branch_codes, &w->arena, BRANCHES) &&
              codes_init(&e->contest_codes, &w->arena, 1) &&
              codes_init(&e->candidate_codes, &w->arena, 2) &&
              codes_init(&e->list_codes, &w->arena, 1) && codes_init(&e->area_codes, &w->arena, 3);
    for (uint32_t i = 0; i < BRANCHES; i++) {
        ok = ok && codes_add(&e->branch_codes, 0, fixture_branches[i], i);
    }
    ok = ok && codes_add(&e->contest_codes, 0, "c-0", 0) &&
         codes_add(&e->candidate_codes, 0, "k-0", 0) && codes_add(&e->candidate_codes, 0, "k-1", 1);
    officers_make(w);
    w->f.registry.officers   = w->officers;
    w->f.registry.officers_n = OFFICERS;
    for (uint32_t i = 0; i < BRANCHES; i++) { /* the registry wants certificates and keys apart */
        w->f.terminals[i].cert = fixture_hash("cert", i);
        memcpy(w->f.terminals[i].key.b, w->f.terminals[i].keyid.b, 32);
    }
    ok = ok && registry_index(&w->f.registry, &w->arena, &diag) == TLY_OK &&
         book_new(e, &w->f.registry, &w->arena, &w->book) == TLY_OK &&
         tally_init(&w->tally, e, &w->arena) == TLY_OK;
    if (!ok) {
        printf("Bail out! fixture: %s\n", diag.text);
        exit(1);
    }
}

static struct tly_bytes
document(struct world *w, const char *kind, const char *target, unsigned position)
{
    char     *text = tly_arena_alloc(&w->arena, 1024, 1);
    const int len  = snprintf(text, 1024,
                              "{\"election\":\"x-1\",\"phase\":\"rehearsal\",\"kind\":\"%s\","
                               "\"target\":%s,\"reason\":\"r\",\"position\":%u,\"made_at\":1,"
                               "\"salt\":\"00000000000000000000000000000000\"}",
                              kind, target, position);
    return (struct tly_bytes){(uint8_t *)text, (size_t)len};
}

static enum tly_err
read_signed(struct world *w, struct tly_bytes payload, const unsigned who[], unsigned n,
            struct decision *out, struct tly_diag *diag)
{
    struct sign_secret          secrets[ENVELOPE_SIGNATURES_MAX];
    struct tly_hash             keyids[ENVELOPE_SIGNATURES_MAX];
    struct tly_bytes            envelope;
    const struct decision_rules rules = {&w->f.election, &w->f.registry, NULL};
    for (unsigned i = 0; i < n; i++) {
        secrets[i] = w->secrets[who[i]];
        keyids[i]  = w->officers[who[i]].keyid;
    }
    const enum tly_err err =
        envelope_write(ENVELOPE_TYPE_DECISION, payload, secrets, keyids, n, &w->arena, &envelope);
    return err == TLY_OK ? decision_read(&rules, envelope, &w->arena, out, diag) : err;
}

#define SLOT "{\"branch\":\"b-0\",\"contest\":\"c-0\"}"

/* Every set of up to four officers, against two policies. */
static void
test_quorum(struct world *w)
{
    static const struct quorum policies[] = {{.n = {1, 1, 0}}, {.n = {2, 0, 0}}, {.n = {1, 1, 1}}};
    const struct tly_bytes     payload    = document(w, "release", SLOT, 1);
    bool                       right = true, said = true;
    unsigned                   enough = 0, tried = 0;
    for (unsigned p = 0; p < TLY_N(policies); p++) {
        w->f.election.policy.kinds[POLICY_RELEASE] = policies[p];
        for (unsigned set = 1; set < 1U << OFFICERS; set++) {
            unsigned who[OFFICERS], n = 0;
            for (unsigned i = 0; i < OFFICERS; i++) {
                if (set >> i & 1) {
                    who[n++] = i;
                }
            }
            if (n > ENVELOPE_SIGNATURES_MAX) {
                continue;
            }
            /* com0 com1 and sup0 ope0 are responsible for p1; sup2 and com2 are not. */
            const unsigned com = (set >> 0 & 1) + (set >> 1 & 1), sup = set >> 2 & 1,
                           ope = set >> 4 & 1;
            const bool want    = com >= policies[p].n[OFFICER_COMMISSION] &&
                              sup >= policies[p].n[OFFICER_SUPERVISION] &&
                              ope >= policies[p].n[OFFICER_OPERATOR];
            struct decision    d;
            struct tly_diag    diag = {0};
            const enum tly_err err  = read_signed(w, payload, who, n, &d, &diag);
            right                   = right && err == (want ? TLY_OK : TLY_EFORBID);
            said                    = said && (want || strcmp(diag.code, "quorum") == 0);
            enough += want;
            tried++;
        }
    }
    printf("# %u sets, %u of them enough\n", tried, enough);
    T_OK(right && enough > 10 && enough < tried, "every set of officers, three policies");
    T_OK(said, "a refusal names the quorum");
    w->f.election.policy.kinds[POLICY_RELEASE] = policies[1];
    struct decision d;
    struct tly_diag diag = {0};
    T_EQ(read_signed(w, payload, (unsigned[]){0, 0}, 2, &d, &diag), TLY_EFORBID,
         "one officer twice");
    T_STR(diag.text,
          "release needs commission 2; it has commission 1 (signature 2, by com0, does not count: "
          "the same officer again)",
          "and the reason in words");
}

static struct counts *
counts(struct world *w, uint32_t a, uint32_t b)
{
    struct counts *c = tly_arena_alloc(&w->arena, sizeof *c + 2 * sizeof(uint32_t), 1);
    c->options[0]    = a;
    c->options[1]    = b;
    c->n[COUNT_CAST] = a + b;
    return c;
}

static void
log_bundle(struct world *w, uint32_t branch, uint32_t revision, const struct counts *c, bool held)
{
    const uint64_t            position = book_size(w->book);
    const struct book_entry   entry    = {.kind     = LEAF_BUNDLE,
                                          .branch   = {branch},
                                          .terminal = {branch},
                                          .revision = revision,
                                          .payload  = fixture_hash("payload", position)};
    const struct tally_change change   = {
          .slot = {branch}, .counts = c, .revision = revision, .held = held, .checks = held};
    if (book_append(w->book, &entry) != TLY_OK) {
        exit(1);
    }
    tally_apply(&w->tally, &change, 1, position);
}

/* Judges, and when it can stand logs and applies it. */
static enum tly_err
decide(struct world *w, const char *kind, const char *target, uint64_t position,
       struct tly_diag *diag)
{
    struct decision  d;
    struct quorum    none = {.n = {1, 0, 0}};
    enum policy_kind at;
    if (!policy_find(tly_text(kind), &at)) {
        return TLY_EINPUT;
    }
    w->f.election.policy.kinds[at] = none;
    enum tly_err err =
        read_signed(w, document(w, kind, target, (unsigned)position), (unsigned[]){0}, 1, &d, diag);
    if (err == TLY_OK) {
        err = decision_judge(&w->tally, w->book, &d, &w->arena, diag);
    }
    if (err != TLY_OK) {
        return err;
    }
    const uint64_t          here  = book_size(w->book);
    const struct book_entry entry = {.kind    = decision_leaf(d.kind),
                                     .branch  = d.branch,
                                     .contest = d.contest,
                                     .payload = fixture_hash("payload", here),
                                     .held    = d.target};
    if (book_append(w->book, &entry) != TLY_OK || !decision_keep(&d, &w->arena)) {
        return TLY_ENOMEM;
    }
    decision_apply(&w->tally, &d, here);
    w->tally.position = here + 1;
    return TLY_OK;
}

static bool
sums(const struct world *w, uint64_t a, uint64_t b, uint32_t counted, uint32_t held,
     uint32_t annulled)
{
    const struct progress *p = &w->tally.contests[0].progress;
    return w->tally.options[0] == a && w->tally.options[1] == b && p->counted == counted &&
           p->held == held && p->annulled == annulled &&
           w->tally.contests[0].totals.n[COUNT_CAST] == a + b;
}

static void
test_states(struct world *w)
{
    const struct book_entry genesis = fixture_genesis();
    struct tly_diag         diag    = {0};
    T_EQ(book_append(w->book, &genesis), TLY_OK, "genesis");
    w->tally.position = 1;
    T_EQ(decide(w, "release", SLOT, 1, &diag), TLY_ECONFLICT, "release of nothing");
    T_EQ(decide(w, "annul", SLOT, 1, &diag), TLY_ECONFLICT, "annul of nothing");
    log_bundle(w, 0, 1, counts(w, 5, 3), true);
    log_bundle(w, 1, 1, counts(w, 10, 10), false);
    T_OK(sums(w, 10, 10, 1, 1, 0), "one held, one counted");
    T_EQ(decide(w, "release", SLOT, 1, &diag), TLY_ECONFLICT, "position 1 had not seen it");
    T_STR(diag.text,
          "the target changed since position 1: entry 1 is a bundle of branch b-0, revision 1",
          "what changed");
    T_EQ(decide(w, "release", SLOT, 4, &diag), TLY_ECONFLICT, "position 4 is not there yet");
    T_EQ(decide(w, "release", SLOT, 2, &diag), TLY_OK,
         "position 2 has: other branches do not matter");
    T_OK(sums(w, 15, 13, 2, 0, 0), "released: counted");
    T_EQ(decide(w, "annul", SLOT, 4, &diag), TLY_OK, "annulled");
    T_OK(sums(w, 10, 10, 1, 0, 1), "its votes left");
    log_bundle(w, 0, 2, counts(w, 7, 7), false);
    T_OK(sums(w, 10, 10, 1, 0, 1), "a revision waits beneath");
    T_EQ(decide(w, "release", SLOT, book_size(w->book), &diag), TLY_ECONFLICT,
         "annulled is not held");
    T_EQ(decide(w, "reinstate", SLOT, book_size(w->book), &diag), TLY_OK, "reinstated");
    T_OK(sums(w, 17, 17, 2, 0, 0), "with the revision's numbers");
    T_EQ(w->tally.slots[0].state, SLOT_CORRECTED, "as a correction");
    log_bundle(w, 2, 1, NULL, true);
    T_EQ(
        decide(w, "release", "{\"branch\":\"b-2\",\"contest\":\"c-0\"}", book_size(w->book), &diag),
        TLY_ECONFLICT, "nothing readable to count");
    T_EQ(decide(w, "annul", "{\"branch\":\"b-2\",\"contest\":\"c-0\"}", book_size(w->book), &diag),
         TLY_OK, "a held one is annulled");
    T_EQ(decide(w, "reinstate", "{\"branch\":\"b-2\",\"contest\":\"c-0\"}", book_size(w->book),
                &diag),
         TLY_OK, "and reinstated");
    T_EQ(w->tally.slots[2].state, SLOT_HELD, "it is held again, not counted");
}

/* One seat, two candidates with 17 votes each, everything counted: the order decides. */
static void
test_lot(struct world *w)
{
    static const char order[] =
        "{\"contest\":\"c-0\",\"order\":[\"k-1\",\"k-0\"],\"ground\":\"lot\"}";
    struct tly_diag diag = {0};
    struct outcome  o;
    T_EQ(decide(w, "lot", order, book_size(w->book), &diag), TLY_ECONFLICT,
         "not while branches wait");
    log_bundle(w, 2, 2, counts(w, 0, 0), false);
    for (uint32_t b = 3; b < BRANCHES; b++) {
        log_bundle(w, b, 1, counts(w, 1, 1), false);
    }
    const uint64_t seen = book_size(w->book);
    T_OK(outcome_run(&w->tally, (struct contest_ix){0}, &w->arena, &o) == TLY_OK && o.ties_n == 1,
         "a tie");
    T_EQ(decide(w, "lot", order, seen, &diag), TLY_OK, "the lot");
    T_OK(outcome_run(&w->tally, (struct contest_ix){0}, &w->arena, &o) == TLY_OK && o.ties_n == 0 &&
             o.winners_n == 1 && o.winners[0] == 1,
         "k-1 is elected");
    T_EQ(decide(w, "lot", order, seen, &diag), TLY_ECONFLICT, "not twice");
    log_bundle(w, 3, 2, counts(w, 1, 1), false);
    T_OK(outcome_run(&w->tally, (struct contest_ix){0}, &w->arena, &o) == TLY_OK && o.ties_n == 1,
         "new numbers, if equal ones: a new tie");
    T_EQ(decide(w, "exclude", "{\"contest\":\"c-0\",\"candidate\":\"k-1\"}", seen, &diag), TLY_OK,
         "k-1 is excluded: what was counted since does not matter");
    T_OK(outcome_run(&w->tally, (struct contest_ix){0}, &w->arena, &o) == TLY_OK && o.ties_n == 0 &&
             o.winners_n == 1 && o.winners[0] == 0 && o.rank[1] == 0,
         "k-0 is elected");
}

int
main(void)
{
    static struct world w;
    world_init(&w);
    test_quorum(&w);
    test_states(&w);
    test_lot(&w);
    tly_arena_done(&w.arena);
    return T_DONE();
}
