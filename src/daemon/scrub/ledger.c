/* SPDX-License-Identifier: Apache-2.0 */
/* Ledger rows against the book: every column, the bytes of payload and envelope by their hashes. */
#include <inttypes.h>
#include <stdio.h>

#include "base/check.h"
#include "base/hex.h"
#include "scrub_int.h"
#include "sys/sha256.h"

#define ARENA_MAX  ((size_t)32 << 20)
#define VALUE_SIZE 80

/* A value of either side, for a person. */
struct value {
    char s[VALUE_SIZE];
};

struct chunk {
    struct scrub_pass       *pass;
    uint64_t                 from, next; /* the position that comes next */
    const struct book_entry *entries[SCRUB_CHUNK];
    const struct registry   *registry; /* as it was when the entries were taken */
};

static struct value
of_hash(const struct tly_hash *hash)
{
    struct value v;
    tly_hex(hash->b, 16, v.s);
    return v;
}

static struct value
of_optional(bool has, const struct tly_hash *hash)
{
    return has ? of_hash(hash) : (struct value){"null"};
}

static struct value
of_text(struct tly_bytes text)
{
    struct value v;
    const int    len = text.len < VALUE_SIZE - 4 ? (int)text.len : VALUE_SIZE - 4;
    (void)snprintf(v.s, sizeof v.s, "\"%.*s\"", len, (const char *)text.data);
    return v;
}

static struct value
of_number(uint64_t n)
{
    struct value v;
    (void)snprintf(v.s, sizeof v.s, "%" PRIu64, n);
    return v;
}

static bool
differs(struct chunk *c, uint64_t position, const char *column, struct value memory,
        struct value stored)
{
    scrub_differs(c->pass, position,
                  "ledger position %" PRIu64 ": %s: memory has %s, the database %s", position,
                  column, memory.s, stored.s);
    return true;
}

/* The columns that a leaf is made of. */
static bool
facts_differ(struct chunk *c, const struct store_row *row, const struct book_entry *e)
{
    const struct ground *g        = &c->pass->service->ground;
    const uint64_t       at       = row->position;
    const bool           voted    = e->kind == LEAF_BUNDLE || e->kind == LEAF_CONFLICT;
    const char          *branch   = voted ? g->election->branches[e->branch.v].code : "";
    const char          *terminal = voted ? registry_row(c->registry, e->terminal)->code : "";
    if (row->kind != e->kind) {
        return differs(c, at, "kind", of_number(e->kind), of_number(row->kind));
    }
    if (strcmp(row->branch, branch) != 0) {
        return differs(c, at, "branch", of_text(tly_text(branch)), of_text(tly_text(row->branch)));
    }
    if (strcmp(row->terminal, terminal) != 0) {
        return differs(c, at, "terminal", of_text(tly_text(terminal)),
                       of_text(tly_text(row->terminal)));
    }
    if (row->revision != e->revision) {
        return differs(c, at, "revision", of_number(e->revision), of_number(row->revision));
    }
    if (row->has_prev != e->has_prev || (e->has_prev && !tly_hash_eq(&row->prev, &e->prev))) {
        return differs(c, at, "prev", of_optional(e->has_prev, &e->prev),
                       of_optional(row->has_prev, &row->prev));
    }
    if (!tly_bytes_eq(row->held, e->held)) {
        return differs(c, at, "held", of_text(e->held), of_text(row->held));
    }
    if (row->accepted_ms != e->accepted_ms) {
        return differs(c, at, "accepted_ms", of_number(e->accepted_ms),
                       of_number(row->accepted_ms));
    }
    return false;
}

static bool
hashes_differ(struct chunk *c, const struct store_row *row, const struct book_entry *e)
{
    const uint64_t at = row->position;
    if (!tly_hash_eq(&row->payload_hash, &e->payload)) {
        return differs(c, at, "payload_hash", of_hash(&e->payload), of_hash(&row->payload_hash));
    }
    if (!tly_hash_eq(&row->envelope_hash, &e->envelope)) {
        return differs(c, at, "envelope_hash", of_hash(&e->envelope), of_hash(&row->envelope_hash));
    }
    if (e->kind == LEAF_CONFLICT && !tly_hash_eq(&row->first_envelope, &e->first_envelope)) {
        return differs(c, at, "first_envelope", of_hash(&e->first_envelope),
                       of_hash(&row->first_envelope));
    }
    return false;
}

/* The envelope that the row makes, with this alphabet; *shown: it tells the alphabet. */
static enum tly_err
envelope_hash(const struct store_row *row, enum tly_base64 alphabet, struct tly_hash *out,
              bool *shown)
{
    TLY_AUTO(arena) struct tly_arena arena;
    struct tly_bytes                 envelope;
    struct store_row                 with = *row;
    tly_arena_init(&arena, ARENA_MAX);
    with.alphabet          = alphabet;
    const enum tly_err err = store_row_envelope(&with, &arena, &envelope);
    if (err == TLY_OK) {
        *out   = sys_sha256(envelope);
        *shown = store_row_alphabet(&with, envelope);
    }
    return err;
}

/* A part of an envelope has no hash of its own in memory: the alphabet is told by trying the other. */
static enum tly_err
bytes_differ(struct chunk *c, const struct store_row *row, const struct book_entry *e)
{
    const uint64_t        at      = row->position;
    const struct tly_hash payload = sys_sha256(row->payload);
    struct tly_hash       got, other;
    if (!tly_hash_eq(&payload, &e->payload)) {
        (void)differs(c, at, "payload", of_hash(&e->payload), of_hash(&payload));
        return TLY_OK;
    }
    bool         shown = true;
    enum tly_err err   = envelope_hash(row, row->alphabet, &got, &shown);
    if (err != TLY_OK || (shown && tly_hash_eq(&got, &e->envelope))) {
        return err;
    }
    const bool            is_std  = row->alphabet == TLY_BASE64_STD;
    const enum tly_base64 swapped = is_std ? TLY_BASE64_URL : TLY_BASE64_STD;
    err                           = envelope_hash(row, swapped, &other, &shown);
    if (err != TLY_OK) {
        return err;
    }
    if (tly_hash_eq(&other, &e->envelope)) {
        (void)differs(c, at, "alphabet", of_number(is_std), of_number(!is_std));
    } else {
        (void)differs(c, at, "head or tail", of_hash(&e->envelope), of_hash(&got));
    }
    return TLY_OK;
}

static enum tly_err
missing(struct chunk *c, uint64_t until)
{
    for (; c->next < until; c->next++) {
        scrub_differs(c->pass, c->next, "ledger position %" PRIu64 ": no such row", c->next);
    }
    return TLY_OK;
}

static enum tly_err
row_compare(void *arg, const struct store_row *row, struct tly_diag *diag)
{
    struct chunk  *c  = arg;
    const uint64_t at = row->position;
    (void)diag;
    c->pass->rows++;
    if (at < c->next) {
        scrub_differs(c->pass, at, "ledger position %" PRIu64 ": stands twice", at);
        return TLY_OK;
    }
    (void)missing(c, at);
    c->next                    = at + 1;
    const struct book_entry *e = c->entries[at - c->from];
    if (row->fault != NULL) {
        scrub_differs(c->pass, at, "ledger position %" PRIu64 ": %s: no such value can be", at,
                      row->fault);
        return TLY_OK;
    }
    if (facts_differ(c, row, e) || e->kind == LEAF_GENESIS || hashes_differ(c, row, e)) {
        return TLY_OK;
    }
    return bytes_differ(c, row, e);
}

enum tly_err
scrub_ledger(struct scrub_pass *pass, uint64_t from, uint64_t to, struct tly_diag *diag)
{
    struct chunk       c = {.pass = pass, .from = from, .next = from};
    const struct book *b = pass->service->book;
    TLY_CHECK(to - from <= SCRUB_CHUNK);
    api_book_begin(pass->service->api);
    c.registry = book_registry(b);
    TLY_CHECK(to <= book_size(b));
    for (uint64_t i = from; i < to; i++) { /* below a signed head nothing ever changes or moves */
        c.entries[i - from] = book_entry(b, i);
    }
    api_book_end(pass->service->api);
    /* Some more than there can be: who put a position there twice shall not choose how many. */
    const enum tly_err err =
        store_scrub_ledger(pass->store, from, to, to - from + SCRUB_CHUNK, row_compare, &c, diag);
    return err == TLY_OK ? missing(&c, to) : err;
}
