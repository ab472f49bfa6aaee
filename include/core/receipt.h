/* SPDX-License-Identifier: Apache-2.0 */
/* Receipts: C2SP tlog-proof texts (doc/formats.md). */
#pragma once

#include "base/arena.h"
#include "base/bytes.h"
#include "base/err.h"
#include "core/leaf.h"
#include "core/merkle.h"
#include "core/note.h"

#define RECEIPT_LEN_MAX (LEAF_LEN_MAX * 2 + MERKLE_PROOF_MAX * 45 + NOTE_LEN_MAX + 256)

/* The receipt's text, in the arena.  Errors: TLY_ENOMEM. */
TLY_MUST enum tly_err receipt_write(struct tly_bytes leaf, uint64_t index,
                                    const struct merkle_proof *proof, struct tly_bytes note,
                                    struct tly_arena *arena, struct tly_bytes *out);

/* A receipt taken apart; nothing is verified. */
struct receipt_parts {
    struct tly_bytes    leaf; /* in the arena */
    uint64_t            index;
    struct merkle_proof proof;
    struct tly_bytes    note; /* whatever stands behind the path's empty line */
};
/* Errors: TLY_EINPUT, TLY_ENOMEM. */
TLY_MUST enum tly_err receipt_split(struct tly_bytes in, struct tly_arena *arena,
                                    struct receipt_parts *out, struct tly_diag *diag);

struct receipt {
    struct tly_bytes leaf; /* the leaf's text, in the arena */
    uint64_t         index;
    struct note_head head;
};

/* Reads a receipt and checks path and signature.
 *
 * Owns:    *out is untouched on failure; its leaf is not parsed (leaf_parse() does that).
 * Errors:  TLY_EINPUT                not a receipt, or of another origin
 *          TLY_ENOKEY, TLY_EFORBID  as note_check()
 *          TLY_ECORRUPT             the path does not lead to the signed root
 *          TLY_ENOMEM               the arena is full
 * Source:  C2SP tlog-proof; the line `extra` must hold the leaf. */
TLY_MUST enum tly_err receipt_check(struct tly_bytes in, const struct note_vkey *vkey,
                                    struct tly_arena *arena, struct receipt *out,
                                    struct tly_diag *diag);
