/* SPDX-License-Identifier: Apache-2.0 */
/* The file of entries that is under way: 256 of them, then the next.  At the start what is added is
 * compared with the file that is there, which stays as long as it is right; from the first byte
 * that differs on, and in a running daemon always, it goes to a file of our own, which is renamed
 * once it is full and copied when it has to be shown before.  So a pack of envelopes is never in
 * memory, however large they are. */
#pragma once

#include "base/base64.h"
#include "folder.h"

#define STRIP_PARTIALS_MAX 8 /* partial packs of one number that stay */

struct strip {
    const struct folder *folder;
    enum tile_kind       kind;
    const char          *temp;   /* name of the file of our own */
    uint8_t             *buffer; /* of STRIP_BUFFER bytes */
    size_t               from, to;
    uint64_t             n;     /* which tile */
    unsigned             count; /* entries in it */
    uint64_t             bytes; /* of them, and of the one being added */
    int                  fd;    /* our own file; -1: none yet */
    int                  old;   /* the one compared with; -1: none */
    unsigned             old_width;
    bool                 found;  /* there was one, whatever was in it */
    bool                 side;   /* full ones wait beside (folder_side_path()) */
    uint64_t             target; /* entries that the ledger has, while comparing; 0: it is not */
    unsigned             shown;  /* width of the newest partial file; 0: none */
    unsigned             partials[STRIP_PARTIALS_MAX];
    unsigned             made, repaired; /* files written because none was there, or another */
};

/* Errors: TLY_ENOMEM. */
TLY_MUST enum tly_err strip_init(struct strip *s, const struct folder *folder, enum tile_kind kind);
void                  strip_done(struct strip *s);
/* Begins tile n anew; what was under way is forgotten. */
void strip_reset(struct strip *s, uint64_t n);

/* The entry under way: its pieces, then its end.  Errors: TLY_EIO; then strip_reset(). */
TLY_MUST enum tly_err strip_add(struct strip *s, struct tly_bytes piece, struct tly_diag *diag);
TLY_MUST enum tly_err strip_add_base64(struct strip *s, struct tly_bytes data,
                                       enum tly_base64 alphabet, struct tly_diag *diag);
TLY_MUST enum tly_err strip_end(struct strip *s, struct tly_diag *diag);
/* Ends the comparison: what was right so far is copied into our own file. */
TLY_MUST enum tly_err strip_settle(struct strip *s, struct tly_diag *diag);
/* Puts the partial file of what is there into its place, unless it is. */
TLY_MUST enum tly_err strip_show(struct strip *s, struct tly_diag *diag);
