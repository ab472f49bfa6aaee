/* SPDX-License-Identifier: Apache-2.0 */
/* Evidence is no part of the ledger: it is compared with what was sealed of it, and with the counts
 * of its senders, so that a row that is added without them shows at once. */
#include <inttypes.h>

#include "base/hex.h"
#include "scrub_int.h"
#include "sys/log.h"

#define PAGE        256
#define SENDERS_MAX 1000000
#define NAME_BYTES  8 /* of a sender, for people and as a key */

#define DIGEST_BYTES (SEAL_BYTES - STORE_TAGS)

struct evidence {
    struct scrub_pass *pass;
    uint64_t           sealed; /* the last id that was, before this pass */
    uint64_t           next;   /* the first id that was not looked at yet */
    int64_t            key;    /* of the last row */
    unsigned           seen;   /* rows of the page */
};

/* Rows that were sealed, with ids from `next` to below this one. */
static void
rows_missing(struct evidence *e, uint64_t below)
{
    const struct seals *seals = e->pass->seals;
    for (const struct seal *seal                 = seals_at(seals, SEAL_EVIDENCE, e->next);
         seal != NULL && seal->key < below; seal = seals_at(seals, SEAL_EVIDENCE, seal->key + 1)) {
        scrub_differs(e->pass, SCRUB_NOWHERE, "evidence %" PRIu64 ": no such row, but it was there",
                      seal->key);
    }
}

/* The seal of a row: its hash, cut, and the tags that tell the columns apart. */
static void
seal_of(const struct store_small *row, uint8_t out[SEAL_BYTES])
{
    memcpy(out, row->hash.b, DIGEST_BYTES);
    memcpy(out + DIGEST_BYTES, row->tags, STORE_TAGS);
}

/* One in 256 changes of a column has the same tag: then only the row is told. */
static const char *
changed_column(const uint8_t was[SEAL_BYTES], const uint8_t is[SEAL_BYTES])
{
    static const char *const names[STORE_TAGS] = {"received_at", "sender", "body_hash", "body_len",
                                                  "body",        "status", "code",      "detail"};
    for (unsigned i = 0; i < STORE_TAGS; i++) {
        if (was[DIGEST_BYTES + i] != is[DIGEST_BYTES + i]) {
            return names[i];
        }
    }
    return "a column";
}

static enum tly_err
row_compare(void *arg, const struct store_small *row, struct tly_diag *diag)
{
    struct evidence   *e    = arg;
    struct scrub_pass *pass = e->pass;
    (void)diag;
    e->seen++;
    e->key = row->key;
    pass->rows++;
    if (row->key <= 0) {
        scrub_differs(pass, SCRUB_NOWHERE, "evidence %" PRId64 ": id: no such value can be",
                      row->key);
        return TLY_OK;
    }
    const uint64_t id = (uint64_t)row->key;
    rows_missing(e, id);
    e->next                   = id + 1;
    const struct seal *sealed = seals_find(pass->seals, SEAL_EVIDENCE, id);
    uint8_t            is[SEAL_BYTES];
    seal_of(row, is);
    if (row->fault != NULL) {
        scrub_differs(pass, SCRUB_NOWHERE, "evidence %" PRIu64 ": %s", id, row->fault);
    } else if (sealed != NULL && memcmp(sealed->b, is, SEAL_BYTES) != 0) {
        scrub_differs(pass, SCRUB_NOWHERE, "evidence %" PRIu64 ": %s: another than was sealed", id,
                      changed_column(sealed->b, is));
    } else if (!row->whole) {
        scrub_differs(pass, SCRUB_NOWHERE,
                      "evidence %" PRIu64 ": body: not what body_hash and body_len say", id);
    } else if (sealed == NULL && id <= e->sealed) {
        scrub_differs(pass, SCRUB_NOWHERE, "evidence %" PRIu64 ": it was not there before", id);
    } else if (sealed == NULL) {
        return scrub_fresh(pass, SEAL_EVIDENCE, id, is, SEAL_BYTES);
    }
    return TLY_OK;
}

enum tly_err
scrub_evidence(struct scrub_pass *pass, struct tly_diag *diag)
{
    struct evidence e   = {.pass   = pass,
                           .sealed = seals_last(pass->seals, SEAL_EVIDENCE),
                           .key    = INT64_MIN,
                           .seen   = PAGE};
    enum tly_err    err = TLY_OK;
    while (err == TLY_OK && e.seen == PAGE) {
        e.seen = 0;
        err =
            store_scrub_evidence(pass->store, e.key, PAGE, API_EVIDENCE_MAX, row_compare, &e, diag);
    }
    if (err == TLY_OK && pass->lost) { /* the newest went with the newest batches */
        if (seals_at(pass->seals, SEAL_EVIDENCE, e.next) != NULL) {
            log_event(LOG_WARNING, "scrub.lost", "table=evidence from=%" PRIu64 " to=%" PRIu64,
                      e.next, seals_last(pass->seals, SEAL_EVIDENCE));
        }
        return seals_cut(pass->seals, SEAL_EVIDENCE, e.next);
    }
    if (err == TLY_OK) {
        rows_missing(&e, UINT64_MAX);
    }
    return err;
}

/* ---- senders ---- */

static enum tly_err
sender_compare(void *arg, const struct store_small *row, struct tly_diag *diag)
{
    struct scrub_pass *pass                           = arg;
    char               name[TLY_HEX_SIZE(NAME_BYTES)] = "?";
    uint64_t           key                            = 0;
    (void)diag;
    pass->rows++;
    if (row->sender.len >= NAME_BYTES) {
        tly_hex(row->sender.data, NAME_BYTES, name);
        memcpy(&key, row->sender.data, sizeof key);
    }
    key |= UINT64_C(1) << 63; /* apart from those of the head row */
    if (row->fault != NULL) {
        scrub_differs(pass, SCRUB_NOWHERE, "evidence_sender %s...: %s: no such value can be", name,
                      row->fault);
        return TLY_OK;
    }
    const bool n_differs = row->kept_n != row->are_n;
    if (n_differs || row->bytes != row->are_bytes) {
        scrub_differs(pass, SCRUB_NOWHERE,
                      "evidence_sender %s...: %s: it counts %" PRIu64 ", its rows are %" PRIu64,
                      name, n_differs ? "kept_n" : "bytes", n_differs ? row->kept_n : row->bytes,
                      n_differs ? row->are_n : row->are_bytes);
        return TLY_OK;
    }
    const uint64_t was = scrub_noted(pass, key);
    if (row->dropped < was && !pass->lost) {
        scrub_differs(pass, SCRUB_NOWHERE,
                      "evidence_sender %s...: dropped: was %" PRIu64 ", the database has %" PRIu64,
                      name, was, row->dropped);
    }
    return row->dropped != was ? scrub_note(pass, key, row->dropped) : TLY_OK;
}

enum tly_err
scrub_senders(struct scrub_pass *pass, struct tly_diag *diag)
{
    return store_scrub_senders(pass->store, SENDERS_MAX, sender_compare, pass, diag);
}

enum tly_err
scrub_small(struct scrub_pass *pass, struct tly_diag *diag)
{
    enum tly_err (*const parts[])(struct scrub_pass *, struct tly_diag *) = {
        scrub_once, scrub_versions, scrub_heads, scrub_evidence, scrub_senders};
    enum tly_err err = TLY_OK;
    for (size_t i = 0; i < TLY_N(parts) && err == TLY_OK; i++) {
        err = parts[i](pass, diag);
    }
    return err;
}
