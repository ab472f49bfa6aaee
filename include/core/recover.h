/* SPDX-License-Identifier: Apache-2.0 */
/* What the ledger that was read is compared with before anything is added to it: its head row, the
 * heads that were signed, the journal's batches, what the signer remembers.  Where two of them
 * contradict each other one is an older copy, or was changed, or is another election's: going on
 * could give two heads for one size, so it ends there and the diag names the two
 * (doc/ledger.md, "Daemon against signer"). */
#pragma once

#include "base/err.h"
#include "core/book.h"
#include "core/frame.h"
#include "core/note.h"

/* Is this a head of the book?  false, too, when the book does not reach it. */
bool recover_is_head(const struct book *book, const struct note_head *head);
/* The entries that were read end where the head row says.  Errors: TLY_ECORRUPT. */
TLY_MUST enum tly_err recover_head_row(const struct book *book, const struct note_head *row,
                                       struct tly_diag *diag);
/* Did this key sign it, and is it a head of the book?  Any thread. */
bool recover_is_signed(const struct book *book, const struct note_vkey *vkey,
                       const struct book_head *head);

/* What is to be done with a batch of the journal, once everything before it is settled. */
enum recover_step {
    RECOVER_STORED, /* nothing: the database has it */
    RECOVER_REDO    /* it is put back: seq_redo() */
};
/* Errors: TLY_ECORRUPT journal and database contradict each other, or what lies between is lost. */
TLY_MUST enum tly_err recover_frame(const struct book *book, const struct frame *frame,
                                    enum recover_step *out, struct tly_diag *diag);

/* What the signer signed last is a head of the book, and none older than the newest that the book
 * knows to be signed.
 *
 * redo:   the journal is yet to be put back: a head that the book does not reach is no contradiction.
 * Errors: TLY_ECORRUPT which of the two went back, and what to do. */
TLY_MUST enum tly_err recover_signer(const struct book *book, const struct note_head *last,
                                     bool redo, struct tly_diag *diag);
