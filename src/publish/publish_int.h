/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of this layer share. */
#pragma once

#include "publish/publish.h"
#include "strip.h"

struct publish {
    struct publish_config config;
    struct folder         folder;
    struct strip          entries, bundles;
    uint64_t              next;       /* position that publish_add() takes */
    bool                  broken;     /* a strip failed: entries from `next` on are missing */
    enum tly_err          broken_err; /* why */
    struct tly_diag       broken_why;
    bool                  completed; /* publish_complete() was done */
    bool                  trusted;   /* the ledger has the head of the folder's checkpoint */
    struct note_head      found;     /* that head; size 0: there was none */
    uint64_t              shown;     /* size of the checkpoint that is in place */
    bool                  waiting;   /* something is new since */
    uint64_t              shown_ms;  /* when it was put there */
    uint64_t              retry_ms;  /* after a failure: not before */
    uint64_t              cosigned;  /* size that the lines are of */
    size_t                lines_len;
    char                  lines[NOTE_LEN_MAX];
    unsigned              made, repaired, removed, foreign;
};

/* tiles.c: the tiles of hashes that differ between two sizes, low levels first. */
TLY_MUST enum tly_err publish_tiles(struct publish *p, uint64_t from, uint64_t size,
                                    struct tly_diag *diag);
/* Removes the partial files of what became full between two sizes. */
void publish_tidy(struct publish *p, uint64_t from, uint64_t size);
/* Compares all of them with the tree and writes those that are not right. */
TLY_MUST enum tly_err publish_tiles_check(struct publish *p, uint64_t size, struct tly_diag *diag);

/* docs.c: the packages and the policy. */
TLY_MUST enum tly_err publish_docs(struct publish *p, struct tly_diag *diag);

/* sweep.c: looks at every file.  `look` alone changes nothing and says whether one is of a longer
 * ledger; else stale ones are removed and older partial ones put right. */
TLY_MUST enum tly_err publish_sweep(struct publish *p, uint64_t size, bool look,
                                    struct tly_diag *diag);

/* A file that had to be written; known: there was another. */
void publish_say(struct publish *p, const char *path, bool known);
/* Compares and writes one whole file. */
TLY_MUST enum tly_err publish_file(struct publish *p, const char *path, struct tly_bytes bytes,
                                   struct tly_diag *diag);
