/* SPDX-License-Identifier: Apache-2.0 */
/* The ledger in memory: indexes, heads, receipts and truncation agree with a plain array through
 * thousands of random appends and truncations; an append without memory changes nothing. */
#include "core/book.h"
#include "ledger_fixture.h"
#include "t.h"

#define STEPS 4000
#define MAX   6000

struct model {
    struct book_entry entries[MAX];
    char              held[MAX][80];
    size_t            n;
    uint32_t          last[BRANCHES];
    uint64_t          serial;
    struct book_head  head; /* the newest; size 0: none */
};

static struct book_entry
next_entry(struct model *m, uint64_t *state)
{
    if (m->n == 0) {
        return fixture_genesis();
    }
    const uint32_t    branch = (uint32_t)(rnd(state) % BRANCHES);
    const bool        clash  = m->last[branch] > 0 && rnd(state) % 5 == 0;
    struct book_entry entry  = {.kind         = clash ? LEAF_CONFLICT : LEAF_BUNDLE,
                                .branch       = {branch},
                                .terminal     = {branch},
                                .revision     = clash ? 1 : m->last[branch] + 1,
                                .payload_len  = 100,
                                .envelope_len = 300,
                                .accepted_ms  = 1000 + m->n,
                                .payload      = fixture_hash("payload", m->serial),
                                .envelope     = fixture_hash("envelope", m->serial)};
    m->serial++;
    if (clash) {
        entry.first_envelope = fixture_hash("first", m->n);
    } else if (rnd(state) % 2 == 0) {
        const int len = snprintf(m->held[m->n], sizeof m->held[m->n], "held c-%zu N08%s\n", m->n,
                                 rnd(state) % 2 == 0 ? "" : ",S03,N02,N09,A04,A06");
        entry.held    = (struct tly_bytes){(const uint8_t *)m->held[m->n], (size_t)len};
    }
    return entry;
}

static void
model_recount(struct model *m)
{
    memset(m->last, 0, sizeof m->last);
    for (size_t i = 0; i < m->n; i++) {
        if (m->entries[i].kind == LEAF_BUNDLE) {
            m->last[m->entries[i].branch.v] = m->entries[i].revision;
        }
    }
}

static bool
same_entry(const struct book_entry *a, const struct book_entry *b)
{
    return a->kind == b->kind && a->branch.v == b->branch.v && a->revision == b->revision &&
           tly_hash_eq(&a->payload, &b->payload) && tly_bytes_eq(a->held, b->held) &&
           a->accepted_ms == b->accepted_ms;
}

/* Everything the book answers, against the array. */
static bool
agrees(const struct book *book, const struct model *m)
{
    bool ok = book_size(book) == m->n && book_tree(book)->size == m->n;
    for (size_t i = 0; ok && i < m->n; i++) {
        const struct book_entry *e = book_entry(book, i);
        ok                         = same_entry(e, &m->entries[i]);
        ok = ok && (e->kind == LEAF_GENESIS || book_find_payload(book, &e->payload) == i);
        ok = ok && (e->kind != LEAF_BUNDLE || book_revision(book, e->branch, e->revision) == i);
    }
    for (uint32_t b = 0; ok && b < BRANCHES; b++) {
        uint64_t newest  = UINT64_MAX;
        uint32_t clash   = 0;
        bool     chained = true;
        uint64_t before  = UINT64_MAX; /* the entry of the branch before this one */
        for (size_t i = 0; i < m->n; i++) {
            if (m->entries[i].kind == LEAF_BUNDLE && m->entries[i].branch.v == b) {
                newest = i;
            }
            if (m->entries[i].kind != LEAF_GENESIS && m->entries[i].branch.v == b) {
                chained = chained && book_before(book, i) == before;
                before  = i;
            }
            clash += m->entries[i].kind == LEAF_CONFLICT && m->entries[i].branch.v == b;
        }
        ok = chained && book_last(book, (struct branch_ix){b}) == before &&
             book_newest(book, (struct branch_ix){b}) == newest &&
             book_conflicts(book, (struct branch_ix){b}) == clash &&
             book_revision(book, (struct branch_ix){b}, m->last[b] + 1) == UINT64_MAX;
    }
    for (uint64_t i = m->serial; ok && i < m->serial + 10; i++) {
        const struct tly_hash never = fixture_hash("payload", i);
        ok                          = book_find_payload(book, &never) == UINT64_MAX;
    }
    return ok;
}

static bool
grow(struct book *book, struct model *m, uint64_t *state)
{
    const struct book_entry entry = next_entry(m, state);
    if (book_append(book, &entry) != TLY_OK) {
        return false;
    }
    m->entries[m->n++] = entry;
    model_recount(m);
    return true;
}

static void
test_random(const struct fixture *f, uint64_t seed)
{
    static struct model m;
    struct tly_arena    arena;
    struct book        *book;
    uint64_t            state = seed;
    memset(&m, 0, sizeof m);
    tly_arena_init(&arena, (size_t)64 << 20);
    bool ok = book_new(&f->election, &f->registry, &arena, &book) == TLY_OK;
    for (unsigned i = 0; ok && i < STEPS; i++) {
        const uint64_t what = rnd(&state) % 100;
        if (what < 90 || m.n == 0) {
            ok = m.n == MAX || grow(book, &m, &state);
        } else if (what < 95) {
            const size_t span = m.n - m.head.size;
            m.n -= span == 0 ? 0 : rnd(&state) % (span + 1);
            book_truncate(book, m.n);
            model_recount(&m);
        } else if (m.head.size < m.n) {
            fixture_sign(f, book, &m.head);
            ok = book_add_head(book, &m.head) == TLY_OK;
        }
        ok = ok && (i % 97 != 0 || agrees(book, &m));
    }
    ok = ok && agrees(book, &m);
    for (uint64_t i = 0; ok && i < m.head.size; i++) {
        struct receipt          receipt;
        struct tly_bytes        text;
        struct tly_arena        mine;
        const struct book_head *head = book_head_of(book, i);
        tly_arena_init(&mine, (size_t)1 << 20);
        ok = head != NULL && head->size > i &&
             book_receipt(book, i, head, &f->vkey, &mine, &text) == TLY_OK &&
             receipt_check(text, &f->vkey, &mine, &receipt, NULL) == TLY_OK && receipt.index == i &&
             receipt.head.size == head->size;
        tly_arena_done(&mine);
    }
    ok = ok && book_head_of(book, m.head.size) == NULL;
    ok = ok && m.n > 1000;
    T_OK(ok, "a random history agrees with a plain array");
    if (!ok) {
        printf("# seed %llu, %zu leaves\n", (unsigned long long)seed, m.n);
    }
    tly_arena_done(&arena);
}

/* The arena ends somewhere: an append that fails leaves everything as it was. */
static void
test_no_memory(const struct fixture *f)
{
    static struct model m;
    bool                ok     = true;
    unsigned            failed = 0;
    for (size_t limit = (size_t)100 << 10; limit < (size_t)1 << 20; limit += 40961) {
        struct tly_arena arena;
        struct book     *book  = NULL;
        uint64_t         state = 5;
        memset(&m, 0, sizeof m);
        tly_arena_init(&arena, limit);
        if (book_new(&f->election, &f->registry, &arena, &book) == TLY_OK) {
            while (m.n < MAX && grow(book, &m, &state)) {
            }
            failed += m.n < MAX;
            ok                = ok && agrees(book, &m);
            const size_t keep = m.n;
            m.n /= 2;
            book_truncate(book, m.n);
            model_recount(&m);
            ok = ok && agrees(book, &m);
            while (m.n < keep && grow(book, &m, &state)) { /* truncated memory is used again */
            }
            ok = ok && m.n == keep && agrees(book, &m);
        }
        tly_arena_done(&arena);
    }
    T_OK(ok, "without memory nothing changes, and truncated memory is used again");
    T_OK(failed > 5, "memory did run out");
}

static void
test_too_long(const struct fixture *f)
{
    static uint8_t   held[LEAF_LEN_MAX];
    struct tly_arena arena;
    struct book     *book;
    tly_arena_init(&arena, (size_t)8 << 20);
    memset(held, 'x', sizeof held);
    T_EQ(book_new(&f->election, &f->registry, &arena, &book), TLY_OK, "a book");
    T_OK(book_newest_head(book) == NULL, "no head yet");
    struct book_entry entry = fixture_genesis();
    T_EQ(book_append(book, &entry), TLY_OK, "genesis");
    entry = (struct book_entry){.kind = LEAF_BUNDLE, .revision = 1, .held = {held, sizeof held}};
    T_EQ(book_append(book, &entry), TLY_ETOOBIG, "a leaf over its limit");
    T_EQ(book_size(book), 1, "and nothing changed");
    tly_arena_done(&arena);
}

int
main(void)
{
    struct fixture f;
    fixture_init(&f);
    for (uint64_t seed = 1; seed <= 3; seed++) {
        test_random(&f, seed);
    }
    test_no_memory(&f);
    test_too_long(&f);
    return T_DONE();
}
