/* SPDX-License-Identifier: Apache-2.0 */
/* One log's copy: a published folder like the log's own (doc/formats.md). */
#pragma once

#include <stdio.h>

#include "core/leaf.h"
#include "follow/follow.h"

struct copy {
    char           dir[FILENAME_MAX];
    struct follow  follow;
    struct source *from;
    uint64_t       size; /* of the checkpoint in the folder; below it everything is there */
    bool           docs; /* the documents are there */
};

/* Makes the folder and takes up what it holds, if that is whole.  vkey is borrowed.
 * Errors: those of source_open(); TLY_EIO, TLY_ENOMEM. */
TLY_MUST enum tly_err copy_open(const char *dir, const struct note_vkey *vkey,
                                const struct source_config *from, struct copy *out,
                                struct tly_diag *diag);
void                  copy_close(struct copy *copy);
/* Fetches and verifies everything below the head, then puts the note into its place.
 *
 * Errors:  TLY_ECORRUPT  what was fetched is not what the head is over; nothing of it was kept
 *          those of source_get(); TLY_EIO */
TLY_MUST enum tly_err copy_to(struct copy *copy, const struct note_head *head,
                              struct tly_bytes note, struct tly_diag *diag);
