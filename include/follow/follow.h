/* SPDX-License-Identifier: Apache-2.0 */
/* Follows a log by what it publishes: the newest checkpoint, and the tree grown from the tiles of its
 * lowest level until its root is the checkpoint's. */
#pragma once

#include "core/merkle.h"
#include "core/note.h"
#include "follow/source.h"

/* Entries of a log that is followed: a gigabyte of hashes, and ten times what a country needs.  A
 * head says any size, and whoever follows it to there fetches and keeps so much before the first
 * doubt. */
#define FOLLOW_ENTRIES_MAX (UINT64_C(1) << 24)

/* One thread updates.  Others may read proofs of sizes that it handed to them, as core/merkle.h
 * says. */
struct follow {
    const struct note_vkey *vkey;
    struct tly_arena        arena; /* of the tree */
    struct merkle           tree;
};

/* A checkpoint whose signature was checked. */
struct follow_head {
    struct note_head head;
    size_t           len;
    char             note[NOTE_LEN_MAX];
};

/* vkey is borrowed.  Errors: TLY_ENOMEM. */
TLY_MUST enum tly_err follow_init(struct follow *follow, const struct note_vkey *vkey);
void                  follow_done(struct follow *follow); /* fine on a zeroed struct */

/* Reads the newest checkpoint and checks the log's signature.
 * Errors: those of source_get(); TLY_ECORRUPT it is not this log's. */
TLY_MUST enum tly_err follow_newest(const struct follow *follow, struct source *source,
                                    struct follow_head *out, struct tly_diag *diag);
/* Grows the tree to the head, unless it has that size already.
 *
 * Owns:    on failure the tree is as it was.
 * Errors:  TLY_ETOOBIG   over FOLLOW_ENTRIES_MAX; nothing was read
 *          TLY_ECORRUPT  the tiles do not give the head's root, or a smaller head is not a prefix
 *          those of source_get() */
TLY_MUST enum tly_err follow_to(struct follow *follow, struct source *source,
                                const struct note_head *head, struct tly_diag *diag);
