/* SPDX-License-Identifier: Apache-2.0 */
/* The sequencer: puts verified bundles in order, one batch at a time, and answers only what is
 * durable (ledger.md 2.4).  A pure state machine over a table of effects: the daemon fills the
 * table with PostgreSQL and the signing key, a simulator with lies. */
#pragma once

#include "base/arena.h"
#include "base/bytes.h"
#include "base/err.h"
#include "core/book.h"
#include "core/checks.h"
#include "core/envelope.h"
#include "core/tally.h"

#define SEQ_BATCH_MAX 512

/* What a worker hands in: verified, parsed, checked; nothing about it is left to decide but its
 * place. */
struct seq_bundle {
    struct branch_ix   branch;
    struct terminal_ix terminal; /* whose key signed it */
    uint32_t           revision;
    bool               has_prev;
    bool revise_ok; /* carries the signatures that policy `revise` wants (revision >= 2) */
    struct tly_hash       prev, payload_hash, envelope_hash;
    struct tly_bytes      payload, head, tail; /* views; valid until the answer */
    enum tly_base64       alphabet;
    uint32_t              envelope_len;
    const struct checked *checked;
    struct tly_bytes      held; /* lines of the leaf */
};

/* A refused body to keep (design 2.2); the status and code it was answered with. */
struct seq_evidence {
    struct tly_hash  sender; /* certificate */
    struct tly_bytes body;   /* cut by the caller at its limit */
    struct tly_hash  body_hash;
    uint64_t         body_len; /* before the cut */
    int              status;
    const char      *code; /* "S01" */
    const char      *detail;
};

enum seq_kind { SEQ_BUNDLE, SEQ_EVIDENCE };

/* One thing in the queue.  The worker fills the first part and owns the item; the sequencer fills
 * the second and calls answer() exactly once, after which it does not touch the item again. */
struct seq_item {
    enum seq_kind       kind;
    struct seq_bundle   bundle;
    struct seq_evidence evidence;
    struct tly_arena   *arena; /* the request's; the receipt goes here */
    void               *user;

    enum tly_err     err;      /* TLY_OK, or why not: ECONFLICT, EBUSY, EUNSURE */
    bool             created;  /* 201; else the same as before: 200 */
    uint64_t         position; /* of the bundle's (or the conflict's) leaf */
    uint64_t         checks; /* holds of all its slots, for Tally-Checks the worker has `checked` */
    struct tly_bytes receipt;
    struct tly_diag  diag;
};

/* One row to store; the same order as the leaves. */
struct seq_row {
    uint64_t                 position;
    const struct book_entry *entry;
    const struct seq_bundle *bundle; /* payload, head, tail, alphabet */
};

struct seq_batch {
    uint64_t                          old_size, new_size;
    struct tly_hash                   old_root, new_root;
    uint64_t                          epoch;
    const struct seq_row             *rows;
    unsigned                          rows_n;
    const struct seq_evidence *const *evidence; /* stored in the same transaction */
    unsigned                          evidence_n;
    const struct book_head *signed_head; /* the newest signed head not stored yet; NULL: none */
};

struct seq_effects {
    void *ctx;
    uint64_t (*now_ms)(void *ctx); /* Unix milliseconds */
    /* Stores a batch in one transaction: rows, evidence, compare-and-swap of the head row.
     * TLY_OK committed without a warning; TLY_EBUSY certainly not done, may be tried again;
     * TLY_EUNSURE sent, outcome unknown (connection lost, or a WARNING before the COMMIT tag);
     * TLY_ECORRUPT the head row is not ours: somebody else writes, stop. */
    enum tly_err (*commit)(void *ctx, const struct seq_batch *batch, struct tly_diag *diag);
    /* After doubt: connects again, commits a barrier, reads the stored head.  TLY_EBUSY: not yet.
     */
    enum tly_err (*recover)(void *ctx, struct note_head *stored, struct tly_diag *diag);
    /* Signs a head.  TLY_EBUSY: not yet, try again. */
    enum tly_err (*sign)(void *ctx, const struct note_head *head, struct tly_sig *out,
                         struct tly_diag *diag);
    /* Brackets every change of book and tally, so that readers can be kept out. */
    void (*change_begin)(void *ctx);
    void (*change_end)(void *ctx);
    /* The head is signed, book and tally are up to date: readers may see it. */
    void (*publish)(void *ctx, uint64_t size);
    /* The item is decided. */
    void (*answer)(void *ctx, struct seq_item *item);
};

/* IDLE -> PLACED -> STORED -> SIGNED -> IDLE;  PLACED -> DOUBT -> PLACED | STORED;  any -> FAILED.
 */
enum seq_state {
    SEQ_IDLE,
    SEQ_PLACED,
    SEQ_DOUBT,
    SEQ_STORED,
    SEQ_SIGNED,
    SEQ_FAILED,
    SEQ_STATES_N
};

struct seq;

struct seq_config {
    const struct election *election;
    struct book           *book;  /* already rebuilt */
    struct tally          *tally; /* already rebuilt */
    struct tly_arena      *arena; /* of book and tally: counts of counted bundles are copied here */
    const struct note_vkey   *vkey;
    uint64_t                  epoch;
    const struct seq_effects *effects;
};

TLY_MUST enum tly_err seq_new(const struct seq_config *config, struct tly_arena *arena,
                              struct seq **out);
enum seq_state        seq_state(const struct seq *seq);
/* In IDLE: takes up to SEQ_BATCH_MAX items, places them, and answers at once those that need no
 * leaf. */
void seq_take(struct seq *seq, struct seq_item *items[], unsigned n);
/* Makes one step of the batch under way.  In doubt, the items of the batch have been answered
 * TLY_EUNSURE already; the batch itself is settled before anything else is taken.  Returns
 * TLY_EBUSY when a step must be tried again after a pause, TLY_ECORRUPT when the sequencer stopped
 * for good (SEQ_FAILED; the diag names the contradiction). */
TLY_MUST enum tly_err seq_step(struct seq *seq, struct tly_diag *diag);
/* Puts a ledger row read at start into book and tally: the same code path as live bundles, without
 * answers. */
TLY_MUST enum tly_err seq_replay(struct seq *seq, const struct book_entry *entry,
                                 const struct checked *checked, struct tly_diag *diag);
