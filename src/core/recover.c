/* SPDX-License-Identifier: Apache-2.0 */
#include "core/recover.h"

#include <inttypes.h>

bool
recover_is_head(const struct book *book, const struct note_head *head)
{
    if (head->size > book_size(book)) {
        return false;
    }
    const struct tly_hash root = merkle_root(book_tree(book), head->size);
    return tly_hash_eq(&root, &head->root);
}

enum tly_err
recover_head_row(const struct book *book, const struct note_head *row, struct tly_diag *diag)
{
    const uint64_t size = book_size(book);
    if (size != row->size) {
        return tly_fail(diag, TLY_ECORRUPT,
                        "the ledger has %" PRIu64 " entries, its head row says %" PRIu64, size,
                        row->size);
    }
    return recover_is_head(book, row)
               ? TLY_OK
               : tly_fail(diag, TLY_ECORRUPT,
                          "the ledger's root is not that of its head row, at size %" PRIu64, size);
}

bool
recover_is_signed(const struct book *book, const struct note_vkey *vkey,
                  const struct book_head *head)
{
    char body[NOTE_LEN_MAX];
    if (head->size == 0 || head->size > book_size(book)) {
        return false;
    }
    const struct note_head it  = {head->size, merkle_root(book_tree(book), head->size)};
    const size_t           len = note_body(vkey->name, &it, body);
    return sign_verify(&vkey->key, (struct tly_bytes){(const uint8_t *)body, len}, &head->sig);
}

/* ---- the journal ---- */

/* The journal says `size` entries under `root`; does the ledger, as far as it goes? */
static enum tly_err
agree(const struct book *book, const struct note_head *head, struct tly_diag *diag)
{
    return recover_is_head(book, head)
               ? TLY_OK
               : tly_fail(diag, TLY_ECORRUPT,
                          "journal and database disagree about the first %" PRIu64
                          " entries; keep both as they are, and find out which is the other "
                          "election's or was changed (doc/operations.md, recovery)",
                          head->size);
}

enum tly_err
recover_frame(const struct book *book, const struct frame *frame, enum recover_step *out,
              struct tly_diag *diag)
{
    const uint64_t size = book_size(book);
    if (frame->before.size > size) {
        return tly_fail(diag, TLY_ECORRUPT,
                        "the database has %" PRIu64 " entries, the journal goes on at %" PRIu64
                        ": entries between them are missing, or the journal is another "
                        "election's (doc/operations.md, recovery)",
                        size, frame->before.size);
    }
    enum tly_err err = agree(book, &frame->before, diag);
    if (err == TLY_OK && frame->after.size <= size) {
        err = agree(book, &frame->after, diag);
    } else if (err == TLY_OK && frame->before.size != size) {
        err = tly_fail(diag, TLY_ECORRUPT,
                       "the database ends with entry %" PRIu64
                       ", in the middle of a batch of the journal",
                       size - 1);
    }
    if (err == TLY_OK) {
        *out = frame->after.size <= size ? RECOVER_STORED : RECOVER_REDO;
    }
    return err;
}

/* ---- the signer ---- */

enum tly_err
recover_signer(const struct book *book, const struct note_head *last, bool redo,
               struct tly_diag *diag)
{
    const struct book_head *newest = book_newest_head(book);
    const uint64_t          size   = book_size(book);
    if (last->size > size && redo) {
        return TLY_OK;
    }
    if (last->size > size) {
        return tly_fail(
            diag, TLY_ECORRUPT,
            "the signer signed a head of size %" PRIu64 ", the ledger has %" PRIu64
            " entries, and the journal no more: the database is an older copy.  Restore "
            "its newest backup; never give the signer another state",
            last->size, size);
    }
    if (newest != NULL && last->size < newest->size) {
        return tly_fail(diag, TLY_ECORRUPT,
                        "the signer's last head has size %" PRIu64 ", but it signed size %" PRIu64
                        ": its state file is an older copy.  Put the newest one back, or run "
                        "tally-signer --init --from with the newest checkpoint",
                        last->size, newest->size);
    }
    return recover_is_head(book, last)
               ? TLY_OK
               : tly_fail(diag, TLY_ECORRUPT,
                          "the signer signed another root for size %" PRIu64
                          " than this ledger's: the database is not the one that it signed.  Keep "
                          "both, restore the right one",
                          last->size);
}
