/* SPDX-License-Identifier: Apache-2.0 */
/* What stands once, the migrations, the signed heads. */
#include <inttypes.h>
#include <stdio.h>

#include "base/check.h"
#include "scrub_int.h"

#define VERSIONS_MAX 1000
#define PAGE         1024
#define ALL_OF_IT    0 /* the ledger position that a head row touches */

/* ---- the election and the head row ---- */

/* The head of the tree that memory holds, also of what is committed and not signed yet. */
static void
head_compare(struct scrub_pass *pass, const struct note_head *stored, uint64_t signed_before)
{
    const struct book *book = pass->service->book;
    struct tly_hash    root = {0};
    api_book_begin(pass->service->api);
    const uint64_t size  = book_size(book);
    const bool     known = stored->size <= size;
    if (known) {
        root = merkle_root(book_tree(book), stored->size);
    }
    api_book_end(pass->service->api);
    if (!known || stored->size < signed_before) {
        scrub_differs(pass, ALL_OF_IT,
                      "log_head: size: memory has %" PRIu64 ", the database %" PRIu64,
                      known ? signed_before : size, stored->size);
    } else if (!tly_hash_eq(&root, &stored->root)) {
        scrub_differs(pass, ALL_OF_IT, "log_head: root: another than memory has at size %" PRIu64,
                      stored->size);
    }
}

/* A number that only grows is not below what was noted of it, unless an older copy of the database
 * was put back, which the journal completed. */
static enum tly_err
counter(struct scrub_pass *pass, const char *name, uint64_t key, uint64_t value)
{
    const uint64_t was = scrub_noted(pass, key);
    if (value < was && !pass->lost) {
        scrub_differs(pass, ALL_OF_IT, "log_head: %s: was %" PRIu64 ", the database has %" PRIu64,
                      name, was, value);
    }
    return value != was ? scrub_note(pass, key, value) : TLY_OK;
}

static enum tly_err
counters(struct scrub_pass *pass, const struct store_once *once)
{
    const uint64_t epoch = pass->service->epoch;
    if (once->election.epoch != epoch) {
        scrub_differs(pass, ALL_OF_IT,
                      "log_head: epoch: memory has %" PRIu64 ", the database %" PRIu64
                      " (another tallyd?)",
                      epoch, once->election.epoch);
    }
    /* Taking over counted it up: before that it was what we had, or more. */
    const uint64_t     before = once->election.epoch - (pass->start && once->election.epoch > 0);
    const enum tly_err err    = counter(pass, "epoch", 0, before);
    return err == TLY_OK ? counter(pass, "barrier", 1, once->barrier) : err;
}

static enum tly_err
election_compare(struct scrub_pass *pass, const struct store_once *once)
{
    const struct ground *g      = &pass->service->ground;
    const struct seal   *sealed = seals_find(pass->seals, SEAL_ELECTION, 0);
    if (strcmp(once->election.code, g->election->code) != 0) {
        scrub_differs(pass, SCRUB_NOWHERE, "election: code: memory has %s, the database %s",
                      g->election->code, once->election.code);
    } else if (!tly_hash_eq(&once->election.definition, &g->election->definition)) {
        scrub_differs(pass, SCRUB_NOWHERE, "election: definition: another hash than memory has");
    } else if (!tly_hash_eq(&once->election.registry, &g->registry->hash)) {
        scrub_differs(pass, SCRUB_NOWHERE, "election: registry: another hash than memory has");
    }
    if (sealed == NULL) {
        return scrub_fresh(pass, SEAL_ELECTION, 0, once->opened_at, sizeof once->opened_at);
    }
    if (memcmp(sealed->b, once->opened_at, sizeof once->opened_at) != 0) {
        scrub_differs(pass, SCRUB_NOWHERE, "election: opened_at: another time than was sealed");
    }
    return TLY_OK;
}

enum tly_err
scrub_once(struct scrub_pass *pass, struct tly_diag *diag)
{
    struct store_once  once;
    const struct book *book = pass->service->book;
    api_book_begin(pass->service->api);
    const struct book_head *newest        = book_newest_head(book);
    const uint64_t          signed_before = newest == NULL ? 0 : newest->size;
    api_book_end(pass->service->api);
    enum tly_err err = store_once(pass->store, &once, diag);
    if (err != TLY_OK) {
        return err;
    }
    pass->rows += 2;
    if (once.rows_n != 1) {
        scrub_differs(pass, ALL_OF_IT, "election and log_head: %s",
                      once.rows_n == 0 ? "no row" : "more than one row");
        return TLY_OK;
    }
    if (once.fault != NULL) {
        scrub_differs(pass, ALL_OF_IT, "%s: no such value can be", once.fault);
        return TLY_OK;
    }
    head_compare(pass, &once.election.head, signed_before);
    if (once.last + 1 > once.election.head.size) {
        scrub_differs(pass, once.election.head.size,
                      "ledger position %" PRIu64 ": behind the head row's size %" PRIu64, once.last,
                      once.election.head.size);
    }
    err = counters(pass, &once);
    return err == TLY_OK ? election_compare(pass, &once) : err;
}

/* ---- migrations ---- */

struct versions {
    struct scrub_pass *pass;
    int64_t            next;
};

static enum tly_err
version_compare(void *arg, const struct store_small *row, struct tly_diag *diag)
{
    struct versions   *v    = arg;
    struct scrub_pass *pass = v->pass;
    (void)diag;
    pass->rows++;
    if (row->fault != NULL || row->key != v->next || row->key > STORE_SCHEMA_VERSION) {
        scrub_differs(pass, SCRUB_NOWHERE, "schema_version %" PRId64 ": %s", row->key,
                      row->fault != NULL ? row->fault : "no such row can be there");
        return TLY_OK;
    }
    v->next++;
    const uint64_t     key    = (uint64_t)row->key;
    const char        *name   = store_version_name((unsigned)key);
    const struct seal *sealed = seals_find(pass->seals, SEAL_VERSION, key);
    if (name == NULL || strcmp(name, row->name) != 0) {
        scrub_differs(pass, SCRUB_NOWHERE,
                      "schema_version %" PRId64 ": name: it is %s, the database has %s", row->key,
                      name == NULL ? "none" : name, row->name);
    }
    if (sealed == NULL) {
        return scrub_fresh(pass, SEAL_VERSION, key, row->at, sizeof row->at);
    }
    if (memcmp(sealed->b, row->at, sizeof row->at) != 0) {
        scrub_differs(pass, SCRUB_NOWHERE,
                      "schema_version %" PRId64 ": applied_at: another time than was sealed",
                      row->key);
    }
    return TLY_OK;
}

enum tly_err
scrub_versions(struct scrub_pass *pass, struct tly_diag *diag)
{
    struct versions    v = {.pass = pass, .next = 1};
    const enum tly_err err =
        store_scrub_versions(pass->store, VERSIONS_MAX, version_compare, &v, diag);
    for (; err == TLY_OK && v.next <= STORE_SCHEMA_VERSION; v.next++) {
        scrub_differs(pass, SCRUB_NOWHERE, "schema_version %" PRId64 ": no such row", v.next);
    }
    return err;
}

/* ---- signed heads ---- */

struct heads {
    struct scrub_pass *pass;
    size_t             i; /* the next head of the book */
    size_t   must;        /* those below have been stored; the newest comes with the next batch */
    int64_t  key;         /* of the last row */
    unsigned seen;        /* rows of the page */
};

/* The i-th head of the book; size 0: there is none. */
static struct book_head
head_at(const struct heads *h, size_t i)
{
    struct book_head   head = {0};
    const struct book *book = h->pass->service->book;
    api_book_begin(h->pass->service->api);
    if (i < book_heads_n(book)) {
        head = *book_head_at(book, i);
    }
    api_book_end(h->pass->service->api);
    return head;
}

/* Those that must be there and have a size below this one. */
static void
heads_missing(struct heads *h, uint64_t below)
{
    for (; h->i < h->must; h->i++) {
        const struct book_head head = head_at(h, h->i);
        if (head.size >= below) {
            return;
        }
        scrub_differs(h->pass, SCRUB_NOWHERE, "head %" PRIu64 ": no such row, but it was signed",
                      head.size);
    }
}

static enum tly_err
head_row(void *arg, const struct store_small *row, struct tly_diag *diag)
{
    struct heads      *h    = arg;
    struct scrub_pass *pass = h->pass;
    (void)diag;
    h->seen++;
    h->key = row->key;
    pass->rows++;
    if (row->fault != NULL) {
        scrub_differs(pass, SCRUB_NOWHERE, "head %" PRId64 ": %s: no such value can be", row->key,
                      row->fault);
        return TLY_OK;
    }
    if (row->key > 0) {
        heads_missing(h, (uint64_t)row->key);
    }
    const struct book_head head = head_at(h, h->i);
    if (row->key <= 0 || head.size != (uint64_t)row->key) {
        scrub_differs(pass, SCRUB_NOWHERE, "head %" PRId64 ": signed by nobody", row->key);
        return TLY_OK;
    }
    h->i++;
    if (memcmp(head.sig.b, row->sig.b, sizeof head.sig.b) != 0) {
        scrub_differs(pass, SCRUB_NOWHERE, "head %" PRIu64 ": sig: another than memory has",
                      head.size);
        return TLY_OK;
    }
    return seals_find(pass->seals, SEAL_HEAD, head.size) == NULL
               ? scrub_fresh(pass, SEAL_HEAD, head.size, row->sig.b, SEAL_BYTES)
               : TLY_OK;
}

/* At the start memory knows no more heads than the database: what was sealed tells of those that are
 * gone. */
static enum tly_err
heads_sealed(struct scrub_pass *pass)
{
    struct heads h = {.pass = pass};
    /* A head is stored with the batch behind it: who lost that one, lost it too. */
    const enum tly_err err = pass->lost ? seals_cut(pass->seals, SEAL_HEAD, pass->had) : TLY_OK;
    for (const struct seal *seal             = seals_at(pass->seals, SEAL_HEAD, 0);
         err == TLY_OK && seal != NULL; seal = seals_at(pass->seals, SEAL_HEAD, seal->key + 1)) {
        while (head_at(&h, h.i).size != 0 && head_at(&h, h.i).size < seal->key) {
            h.i++;
        }
        if (head_at(&h, h.i).size != seal->key) {
            scrub_differs(pass, SCRUB_NOWHERE, "head %" PRIu64 ": no such row, but it was there",
                          seal->key);
        }
    }
    return err;
}

enum tly_err
scrub_heads(struct scrub_pass *pass, struct tly_diag *diag)
{
    struct heads h   = {.pass = pass, .key = INT64_MIN, .seen = PAGE};
    enum tly_err err = heads_sealed(pass);
    api_book_begin(pass->service->api);
    const size_t n = book_heads_n(pass->service->book);
    api_book_end(pass->service->api);
    h.must = n == 0 ? 0 : n - 1;
    while (err == TLY_OK && h.seen == PAGE) {
        h.seen = 0;
        err    = store_scrub_heads(pass->store, h.key, PAGE, head_row, &h, diag);
    }
    if (err == TLY_OK) {
        heads_missing(&h, UINT64_MAX);
    }
    return err;
}
