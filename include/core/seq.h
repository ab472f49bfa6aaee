/* SPDX-License-Identifier: Apache-2.0 */
/* The sequencer: puts verified bundles in order, one batch at a time, and answers only what is
 * durable (doc/architecture.md).  A pure state machine over a table of effects: the daemon fills
 * the table with PostgreSQL and the signing key, a simulator with lies. */
#pragma once

#include "base/arena.h"
#include "base/bytes.h"
#include "base/err.h"
#include "core/book.h"
#include "core/checks.h"
#include "core/decision.h"
#include "core/envelope.h"
#include "core/history.h"
#include "core/tally.h"

#define SEQ_BATCH_MAX       512               /* items of one batch */
#define SEQ_BATCH_BYTES_MAX ((size_t)8 << 20) /* of bundles and evidence in one, but for one */
#define SEQ_CONFLICTS_MAX   100 /* conflict leaves of one branch; what comes over it is evidence */

/* What a worker hands in: verified, parsed, checked; nothing about it is left to decide but its
 * place.  Of SEQ_DECISION only hashes, payload, head, tail, alphabet and envelope_len are set. */
struct seq_bundle {
    struct branch_ix   branch;
    struct terminal_ix terminal; /* whose key signed it: the row that was in force then */
    uint32_t           revision;
    bool               has_prev;
    bool             revise_ok; /* has the signatures that policy `revise` wants (revision >= 2) */
    struct tly_hash  prev, payload_hash, envelope_hash;
    struct tly_bytes payload, head, tail; /* views; valid until the answer */
    enum tly_base64  alphabet;
    uint32_t         envelope_len;
    const struct checked *checked;
    struct tly_bytes      held; /* lines of the leaf */
};

/* A refused body to keep; the status and code it was answered with. */
struct seq_evidence {
    struct tly_hash  sender; /* certificate */
    struct tly_bytes body;   /* cut by the caller at its limit */
    struct tly_hash  body_hash;
    uint64_t         body_len; /* before the cut */
    int              status;
    const char      *code; /* "S01" */
    const char      *detail;
};

enum seq_kind { SEQ_BUNDLE, SEQ_EVIDENCE, SEQ_DECISION };

/* One thing in the queue.  The worker fills the first part and owns the item; the sequencer fills
 * the second and calls answer() exactly once, after which it does not touch the item again.
 *
 * Of SEQ_BUNDLE the worker fills evidence too (sender, body, body_hash, body_len): a bundle that is
 * refused for its place (revision gap, wrong prev, no cosignature, too many conflicts) is kept by
 * the sequencer with status 409 and code S04, in the same transaction, before it is answered.  So
 * is a decision that is refused for its place, with the code of decision_judge(), and a bundle whose
 * key was taken from its terminal while it was on its way, with status 403 and code A03. */
struct seq_item {
    enum seq_kind          kind;
    struct seq_bundle      bundle;
    const struct decision *decision; /* SEQ_DECISION */
    struct seq_evidence    evidence;
    struct tly_arena      *arena; /* the request's; the receipt goes here */
    void                  *user;

    /* TLY_OK; ECONFLICT 409 with diag S04; EFORBID A03; EBUSY nothing was done, nor will be (code
     * "state": the election takes no bundles now); EUNSURE it is journaled, or may be, or is in the ledger but not signed; ENOMEM. */
    enum tly_err err;
    bool         created;  /* 201; else the same as before: 200 */
    uint64_t     position; /* of the bundle's (or the conflict's) leaf; UINT64_MAX: it has none */
    uint64_t     checks;   /* holds of all its slots; for Tally-Checks the worker has `checked` */
    struct tly_bytes receipt;
    struct tly_diag  diag;
};

/* One row to store; the same order as the leaves. */
struct seq_row {
    uint64_t                 position;
    const struct book_entry *entry;
    const struct seq_bundle *bundle;            /* payload, head, tail, alphabet */
    const char              *branch, *terminal; /* codes; of a decision NULL */
    struct decision         *decision;          /* NULL: a bundle or a conflict */
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
    /* Makes a batch with rows durable on this machine, before anything else is done with it: from
     * then on it is settled as it is, also after a crash (seq_redo()).  Any error stops: whether it
     * is there is not known any more. */
    enum tly_err (*journal)(void *ctx, const struct seq_batch *batch, struct tly_diag *diag);
    /* Stores a batch in one transaction: rows, evidence, compare-and-swap of the head row.
     * TLY_OK committed without a warning; TLY_EBUSY certainly not done, may be tried again;
     * TLY_EUNSURE sent, outcome unknown (connection lost, or a WARNING before the COMMIT tag);
     * TLY_ECORRUPT the head row is not ours: somebody else writes, stop.  Any other error stops
     * too, and must mean that nothing was done. */
    enum tly_err (*commit)(void *ctx, const struct seq_batch *batch, struct tly_diag *diag);
    /* After doubt: connects again, commits a barrier, reads the stored head.  TLY_EBUSY: not yet.
     */
    enum tly_err (*recover)(void *ctx, struct note_head *stored, struct tly_diag *diag);
    /* Signs a head.  TLY_EBUSY: not yet, try again.  TLY_ENOENT, only while seq_redo() puts back
     * what was stored before: a later head was signed already, which covers this one. */
    enum tly_err (*sign)(void *ctx, const struct note_head *head, struct tly_sig *out,
                         struct tly_diag *diag);
    /* Brackets every change of book and tally, so that readers can be kept out. */
    void (*change_begin)(void *ctx);
    void (*change_end)(void *ctx);
    /* The head is signed, book and tally are up to date: readers may see it.  The batch's rows and
     * their envelopes are still there; after the replay it has none. */
    void (*publish)(void *ctx, const struct seq_batch *batch);
    /* The item is decided.  Never called inside the bracket. */
    void (*answer)(void *ctx, struct seq_item *item);
};

/* REPLAY -> STORED                          the ledger is read, then its newest head is signed
 * IDLE -> PLACED -> JOURNALED -> STORED -> SIGNED -> IDLE
 * JOURNALED -> JOURNALED                    certainly not stored: items answered EUNSURE, since the
 *                                           same batch is tried again
 * JOURNALED -> IDLE                         the same with evidence alone, which is dropped: EBUSY
 * JOURNALED -> DOUBT -> JOURNALED | STORED  items answered EUNSURE; the same batch is settled
 * IDLE -> JOURNALED                         a journaled batch is put back after a crash
 * any -> FAILED */
enum seq_state {
    SEQ_REPLAY,
    SEQ_IDLE,
    SEQ_PLACED,
    SEQ_JOURNALED,
    SEQ_DOUBT,
    SEQ_STORED,
    SEQ_SIGNED,
    SEQ_FAILED,
    SEQ_STATES_N
};

struct seq;

struct seq_config {
    const struct election    *election;
    struct book              *book;    /* empty, or as far as it was replayed; has the registry */
    struct tally             *tally;   /* as far as the book */
    struct history           *history; /* as far as the tally: what every entry did to it */
    struct tly_arena         *arena;   /* of these three: counts of counted bundles are kept here */
    const struct note_vkey   *vkey;
    uint64_t                  epoch;
    const struct seq_effects *effects;
};

/* A sequencer in SEQ_REPLAY; copies the config; what it points to, and the arena, must outlive it.
 * Errors: TLY_ENOMEM. */
TLY_MUST enum tly_err seq_new(const struct seq_config *config, struct tly_arena *arena,
                              struct seq **out);
void seq_free(struct seq *seq); /* the batch's memory; items that still wait are not answered */
enum seq_state seq_state(const struct seq *seq);

/* In REPLAY: puts a ledger row, read at start and verified by the caller, into book and tally by
 * the rules of live bundles.  checked: of a bundle, decision: of a decision; else NULL.
 * Errors: TLY_ECORRUPT the row cannot stand there (the diag says why); TLY_ENOMEM. */
TLY_MUST enum tly_err seq_replay(struct seq *seq, const struct book_entry *entry,
                                 const struct checked *checked, struct decision *decision,
                                 struct tly_diag *diag);
/* The ledger's entry of a decision; `stored` as in SEQ_DECISION. */
struct book_entry seq_decision_entry(const struct seq_bundle *stored,
                                     const struct decision *decision, uint64_t accepted_ms);
/* Ends the replay.  The heads that are stored have been given to book_add_head(); the next steps
 * sign the newest (the same bytes as before: Ed25519 is deterministic) and publish. */
void seq_start(struct seq *seq);

/* In IDLE: places items in order, up to SEQ_BATCH_MAX and SEQ_BATCH_BYTES_MAX, and answers at once
 * those that need nothing stored.  What the batch needs later is copied, so that an item may go as
 * soon as it is answered.  In any other state all n are answered EBUSY: a way to empty the queue
 * while the database is away.  Returns how many it took: at least 1 when n > 0. */
unsigned seq_take(struct seq *seq, struct seq_item *const items[], unsigned n);
/* In IDLE, before anything was taken: puts a batch back that was journaled and perhaps not stored.
 * The items are those of its rows, in order; all of them must come out at the same places, under the
 * same root, or nothing is placed.  Then seq_step() as with any batch.
 *
 * Errors: TLY_ECORRUPT (the diag says why), TLY_ENOMEM; the items are not answered then. */
TLY_MUST enum tly_err seq_redo(struct seq *seq, struct seq_item *const items[], unsigned n,
                               uint64_t accepted_ms, const struct note_head *after,
                               struct tly_diag *diag);
/* Makes one step of the batch under way; in IDLE nothing.
 * Errors: TLY_EBUSY    pause, then step again (or, back in IDLE, take again); the diag says why
 *         TLY_ECORRUPT stopped for good (SEQ_FAILED; the diag names the contradiction). */
TLY_MUST enum tly_err seq_step(struct seq *seq, struct tly_diag *diag);
