/* SPDX-License-Identifier: Apache-2.0 */
/* The sequencer's inside: the batch under way, and placing (seq_place.c) beside stepping (seq.c).
 */
#pragma once

#include "core/seq.h"

/* What the batch's end means for an item. */
enum seq_outcome {
    SEQ_CREATED,
    SEQ_SAME,     /* logged already, or earlier in this batch */
    SEQ_CONFLICT, /* its conflict leaf is logged, or is in this batch */
    SEQ_REFUSED,  /* item->err without a leaf; the evidence is in this batch */
    SEQ_LATER,    /* nothing is done, nor kept: item->err says why */
    SEQ_KEPT,     /* an evidence item */
    SEQ_NO_ROOM   /* no memory: item->err says so */
};

struct seq_waiting {
    struct seq_item *item;
    enum seq_outcome outcome;
    uint64_t         position;
};

struct seq {
    struct seq_config config;
    enum seq_state    state;
    struct tly_diag   why; /* FAILED: the contradiction */

    /* the batch under way; rows, evidence and what they point to live in `memory` */
    struct tly_arena     memory;
    size_t               bytes;
    uint64_t             accepted_ms;
    bool                 in_doubt_before; /* its items are answered; it must be settled as it is */
    struct seq_batch     batch;
    struct seq_row       rows[SEQ_BATCH_MAX];
    struct seq_evidence *evidence[SEQ_BATCH_MAX];
    struct seq_waiting   waiting[SEQ_BATCH_MAX];
    unsigned             waiting_n;
    unsigned             kept_n; /* rows whose counts are in the tally's arena */

    const struct book_head *head_unstored; /* signed, and in no committed batch yet */
};

/* What the ledger's rules (doc/formats.md) say about a payload for (branch, revision). */
enum seq_verdict {
    SEQ_FITS,
    SEQ_KNOWN,       /* the same payload is logged as a bundle */
    SEQ_KNOWN_BAD,   /* the same payload is logged as a conflict */
    SEQ_CONTRADICTS, /* another payload is logged for this revision */
    SEQ_GAP,         /* the revision before it is not logged */
    SEQ_WRONG_PREV   /* prev is not the payload that it replaces */
};

struct seq_place {
    enum seq_verdict verdict;
    uint64_t         position; /* of the entry that the verdict is about, or UINT64_MAX */
};

struct seq_place seq_judge(const struct book *book, const struct book_entry *entry);
/* Adds the item to the batch and to the book. */
void seq_place_item(struct seq *seq, struct seq_item *item);
/* A decision is judged by the tally, in which the batch's rows are not yet: it comes first.  And one
 * that changes by what others are judged comes last, too. */
bool seq_must_wait(const struct seq *seq, const struct seq_item *item);
/* Bytes of memory that an item takes in a batch. */
size_t seq_item_bytes(const struct seq *seq, const struct seq_item *item);
/* Puts copies of the slots' counts into the arena and points the slots to them; false: no memory.
 */
TLY_MUST bool seq_copy_counts(const struct election *election, struct checked_slot slots[],
                              uint32_t slots_n, struct tly_arena *arena);
