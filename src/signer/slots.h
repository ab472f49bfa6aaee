/* SPDX-License-Identifier: Apache-2.0 */
/* The signer's memory: the last tree head that it signed, kept so that no crash loses it.
 *
 * A file of two slots, each a sector of its own, allocated when it is made.  A head goes into the
 * slot of the older one, by one pwrite and one fdatasync, before its signature leaves; whatever a
 * power cut does to that write, the slot beside it still holds the head before.  The newest slot
 * that is whole counts.
 *
 * A copy put back (an old backup, a snapshot of a machine) looks as good as the newest: this file
 * cannot tell, whoever knows a later head must (the daemon, witnesses). */
#pragma once

#include "core/note.h"

#define SLOTS_SLOT_BYTES 4096 /* the largest sector that disks have */
#define SLOTS_FILE_BYTES (2 * SLOTS_SLOT_BYTES)

struct slots_head {
    struct note_head head; /* size 0: nothing was signed yet, and sig means nothing */
    struct tly_sig   sig;
};

/* An object in the caller's storage; only slots_open() makes a good one. */
struct slots {
    const struct note_vkey *vkey;
    struct tly_hash         log; /* hash of its text, which stands in every slot */
    int                     fd;
    unsigned                newest;   /* which slot holds `last` */
    unsigned                damaged;  /* slots that were not whole when it was opened: 0 or 1 */
    uint64_t                sequence; /* of the newest; one more each write */
    struct slots_head       last;
    bool                    dead; /* a write failed: what the disk holds is not known any more */
};

/* Makes the file of a log that begins at `first`, on the disk when it returns.
 * Errors: TLY_ECONFLICT there is one already; TLY_EIO. */
TLY_MUST enum tly_err slots_make(const char *path, const struct note_vkey *vkey,
                                 const struct slots_head *first, struct tly_diag *diag);
/* What the file remembers, for a look: neither locked nor written.  Errors: as slots_open(). */
TLY_MUST enum tly_err slots_look(const char *path, const struct note_vkey *vkey,
                                 struct slots_head *out, struct tly_diag *diag);
/* Opens it, alone, and writes the newest head once more: the one that was read may stand in the
 * page cache only, behind an fdatasync that failed.
 *
 * Owns:    keeps vkey; *out is untouched on failure.
 * Errors:  TLY_ENOENT     no such file
 *          TLY_EINPUT     others can read it
 *          TLY_ECONFLICT  another process has it
 *          TLY_ECORRUPT   both slots are damaged or contradict each other, or they are of another
 *                         log or key
 *          TLY_EFORBID, TLY_EIO; the diag names the file and what to do */
TLY_MUST enum tly_err slots_open(const char *path, const struct note_vkey *vkey, struct slots *out,
                                 struct tly_diag *diag);
/* Remembers a head: on the disk when it returns.  Errors: TLY_EIO; nothing is tried a second time
 * then (an fdatasync that failed once may succeed without having written), the process must end. */
TLY_MUST enum tly_err slots_put(struct slots *slots, const struct slots_head *head,
                                struct tly_diag *diag);
void                  slots_close(struct slots *slots); /* fine on a zeroed one */
