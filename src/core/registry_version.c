/* SPDX-License-Identifier: Apache-2.0 */
/* What `key` decisions make of a registry: a version more, which shares all but a few nodes with the one
 * before it.
 *
 * A version never changes, so that workers look things up in theirs while the sequencer makes the next,
 * and no core code has to know of threads: whoever hands a version on to others (api/state.c) orders what
 * was written before, as with history.h.  Rows lie in chunks that all versions share; a row is written
 * before the first version that has it, and no older version looks there.  A trie says which row was the
 * first with a key, a certificate, a code, and which row follows another: a change copies the nodes on its
 * few paths, and old ones stay for who still reads them.  Memory of a change: 2.4 KiB, for ever.
 *
 * For who looks up a key in a registry that nothing happened to, one pointer is compared; after ten
 * thousand changes it is four nodes more, beside a signature of 40 microseconds. */
#include "base/check.h"

#include "registry_int.h"

#define CHUNK_BITS 8
#define CHUNK_N    (1U << CHUNK_BITS)
#define CHUNKS_MAX (1U << 12) /* a million changes in one election */
#define FAN_BITS   4
#define FAN        (1U << FAN_BITS)
#define DEPTH_MAX  (64 / FAN_BITS)

struct made {
    struct terminal terminal;
    uint32_t        before; /* the row that it follows, or IX_NONE */
    uint32_t        first;
};

struct registry_made {
    struct made *chunks[CHUNKS_MAX];
};

/* What is found: BY_KEYID and BY_CERT, then these. */
enum { BY_CODE = REGISTRY_BYS_N, BY_BEFORE, BYS_N };

struct entry {
    uint64_t            hash;
    uint32_t            row;
    uint32_t            by;
    const struct entry *same; /* of the same hash */
};

/* A branch goes on in a node, or ends with an entry, or with nothing. */
struct branch_of_trie {
    const struct registry_node *node;
    const struct entry         *entry;
};

struct registry_node {
    struct branch_of_trie at[FAN];
};

/* ---- rows ---- */

static struct made *
made_at(const struct registry *r, uint32_t row)
{
    const uint32_t i = row - r->terminals_n;
    TLY_CHECK(i < r->made_n);
    return &r->made->chunks[i >> CHUNK_BITS][i & (CHUNK_N - 1)];
}

const struct terminal *
registry_row(const struct registry *r, struct terminal_ix row)
{
    return row.v < r->terminals_n ? &r->terminals[row.v] : &made_at(r, row.v)->terminal;
}

uint32_t
registry_rows_n(const struct registry *r)
{
    return r->terminals_n + r->made_n;
}

/* ---- the trie ---- */

/* What a row is found by.  The first bytes of a digest are spread already; others are multiplied. */
static uint64_t
hash_of(const struct made *m, unsigned by)
{
    uint64_t h = (uint64_t)m->before + 1;
    if (by == REGISTRY_BY_KEYID || by == REGISTRY_BY_CERT) {
        memcpy(&h, by == REGISTRY_BY_KEYID ? m->terminal.keyid.b : m->terminal.cert.b, sizeof h);
        return h + by;
    }
    for (const char *c = m->terminal.code; by == BY_CODE && *c != '\0'; c++) {
        h = (h ^ (uint8_t)*c) * UINT64_C(0x100000001b3);
    }
    h *= UINT64_C(0x9e3779b97f4a7c15);
    return h ^ h >> 32;
}

static bool
is_same(const struct made *a, const struct made *b, unsigned by)
{
    switch (by) {
    case REGISTRY_BY_KEYID:
        return tly_hash_eq(&a->terminal.keyid, &b->terminal.keyid);
    case REGISTRY_BY_CERT:
        return tly_hash_eq(&a->terminal.cert, &b->terminal.cert);
    case BY_CODE:
        TLY_CHECK(a->terminal.code != NULL && b->terminal.code != NULL);
        return strcmp(a->terminal.code, b->terminal.code) == 0;
    default:
        return a->before == b->before;
    }
}

/* The first row that has what `like` has; IX_NONE: none was made. */
static uint32_t
find(const struct registry *r, unsigned by, const struct made *like)
{
    if (r->root == NULL) {
        return IX_NONE;
    }
    const uint64_t              hash  = hash_of(like, by);
    const struct registry_node *node  = r->root;
    const struct entry         *entry = NULL;
    for (unsigned depth = 0; node != NULL; depth++) {
        const struct branch_of_trie *at = &node->at[hash >> depth * FAN_BITS & (FAN - 1)];
        node                            = at->node;
        entry                           = at->entry;
    }
    while (entry != NULL &&
           !(entry->hash == hash && entry->by == by && is_same(made_at(r, entry->row), like, by))) {
        entry = entry->same;
    }
    return entry == NULL ? IX_NONE : entry->row;
}

/* A trie with the entry in it: copies of the nodes on its path, all others are shared; NULL: no memory. */
static const struct registry_node *
trie_with(const struct registry_node *root, struct entry *entry, struct tly_arena *arena)
{
    const struct registry_node  *top   = NULL;
    const struct registry_node **where = &top;
    const struct registry_node  *old   = root;
    for (unsigned depth = 0; depth < DEPTH_MAX; depth++) {
        struct registry_node *node = TLY_NEW(arena, struct registry_node, 1);
        if (node == NULL) {
            return NULL;
        }
        if (old != NULL) {
            *node = *old;
        }
        *where                    = node;
        struct branch_of_trie *at = &node->at[entry->hash >> depth * FAN_BITS & (FAN - 1)];
        if (at->node == NULL && (at->entry == NULL || at->entry->hash == entry->hash)) {
            entry->same = at->entry;
            at->entry   = entry;
            return top;
        }
        if (at->entry != NULL) { /* it goes one deeper, and this one with it */
            struct registry_node *below = TLY_NEW(arena, struct registry_node, 1);
            if (below == NULL) {
                return NULL;
            }
            below->at[at->entry->hash >> (depth + 1) * FAN_BITS & (FAN - 1)].entry = at->entry;
            at->entry                                                              = NULL;
            at->node                                                               = below;
        }
        where = &at->node;
        old   = at->node;
    }
    TLY_CHECK(false); /* different hashes part somewhere */
    return NULL;
}

/* ---- looking ---- */

/* The row after this one of the same terminal, if the first `at` entries made it. */
static uint32_t
next_of(const struct registry *r, uint32_t row, uint64_t at)
{
    const struct made like = {.before = row};
    const uint32_t    next = find(r, BY_BEFORE, &like);
    return next != IX_NONE && (at == REGISTRY_NOW || made_at(r, next)->terminal.from <= at)
               ? next
               : IX_NONE;
}

static bool
is_there(const struct registry *r, uint32_t row, uint64_t at)
{
    return row != IX_NONE &&
           (at == REGISTRY_NOW || registry_row(r, (struct terminal_ix){row})->from <= at);
}

static struct terminal_ix
last_of(const struct registry *r, uint32_t row, uint64_t at)
{
    for (uint32_t next = next_of(r, row, at); next != IX_NONE; next = next_of(r, row, at)) {
        row = next;
    }
    return (struct terminal_ix){row};
}

struct terminal_ix
registry_follow(const struct registry *r, uint32_t first, enum registry_by by,
                const struct tly_hash *hash, uint64_t at)
{
    const struct made like = {.terminal = {.keyid = *hash, .cert = *hash}};
    uint32_t          row  = first != IX_NONE ? first : find(r, by, &like);
    if (!is_there(r, row, at)) {
        return (struct terminal_ix){IX_NONE};
    }
    for (uint32_t next                                                 = next_of(r, row, at);
         next != IX_NONE && is_same(made_at(r, next), &like, by); next = next_of(r, row, at)) {
        row = next;
    }
    return (struct terminal_ix){row};
}

struct terminal_ix
registry_terminal(const struct registry *r, struct tly_bytes code, uint64_t at)
{
    char     text[CODE_LEN_MAX + 1] = {0};
    uint32_t row                    = codes_find(&r->terminal_codes, 0, code);
    if (row == IX_NONE && codes_valid(code)) {
        memcpy(text, code.data, code.len);
        const struct made like = {.terminal = {.code = text}, .before = IX_NONE};
        row                    = find(r, BY_CODE, &like);
    }
    return is_there(r, row, at) ? last_of(r, row, at) : (struct terminal_ix){IX_NONE};
}

bool
registry_in_force(const struct registry *r, struct terminal_ix row, uint64_t at)
{
    return registry_row(r, row)->state == TERMINAL_ACTIVE && next_of(r, row.v, at) == IX_NONE;
}

struct terminal_ix
registry_newest(const struct registry *r, struct terminal_ix row)
{
    return last_of(r, row.v, REGISTRY_NOW);
}

struct terminal_ix
registry_first(const struct registry *r, struct terminal_ix row)
{
    return row.v < r->terminals_n ? row : (struct terminal_ix){made_at(r, row.v)->first};
}

/* ---- the next version ---- */

/* Room for the row; false: no memory, or a million are made. */
static bool
row_reserve(struct registry *r, struct tly_arena *arena)
{
    if (r->made == NULL) {
        r->made = TLY_NEW(arena, struct registry_made, 1);
    }
    const uint32_t at = r->made_n >> CHUNK_BITS;
    if (r->made == NULL || at >= CHUNKS_MAX) {
        return false;
    }
    if ((r->made_n & (CHUNK_N - 1)) == 0) {
        r->made->chunks[at] = TLY_NEW(arena, struct made, CHUNK_N);
    }
    return r->made->chunks[at] != NULL;
}

/* Leads to the newest row by what it is the first to have. */
static bool
row_index(struct registry *r, const struct made *made, const struct made *before,
          struct tly_arena *arena)
{
    for (unsigned by = 0; by < BYS_N; by++) {
        if (by == BY_BEFORE ? before == NULL : before != NULL && is_same(before, made, by)) {
            continue;
        }
        struct entry *entry = TLY_NEW(arena, struct entry, 1);
        if (entry == NULL) {
            return false;
        }
        *entry  = (struct entry){hash_of(made, by), r->terminals_n + r->made_n - 1, by, NULL};
        r->root = trie_with(r->root, entry, arena);
        if (r->root == NULL) {
            return false;
        }
    }
    return true;
}

const struct registry *
registry_with(const struct registry *old, struct terminal_ix before, const struct terminal *row,
              struct tly_arena *arena)
{
    struct registry *r = TLY_NEW(arena, struct registry, 1);
    struct made      last;
    if (r == NULL) {
        return NULL;
    }
    *r = *old;
    if (!row_reserve(r, arena)) {
        return NULL;
    }
    const uint32_t ix   = r->terminals_n + r->made_n++;
    struct made   *made = made_at(r, ix);
    *made               = (struct made){.terminal = *row, .before = before.v, .first = ix};
    if (before.v != IX_NONE) {
        TLY_CHECK(next_of(old, before.v, REGISTRY_NOW) == IX_NONE);
        last        = (struct made){.terminal = *registry_row(old, before)};
        made->first = registry_first(old, before).v;
    }
    return row_index(r, made, before.v == IX_NONE ? NULL : &last, arena) ? r : NULL;
}
