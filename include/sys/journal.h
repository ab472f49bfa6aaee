/* SPDX-License-Identifier: Apache-2.0 */
/* A journal of frames: durable in one fdatasync each, read back in order at the next start.
 *
 * Two preallocated files in a folder, written in turn: when the next frame does not fit into one,
 * the other begins anew, so that at least the newest half is always there.  A frame begins at a
 * multiple of 512 bytes, so that writing one never touches a sector of another:
 *
 *   magic "TLYFRM1\n"  sequence (64 bits)  length of the body (32 bits)
 *   CRC-32 of these 20 bytes and the body (32 bits)  body          integers big-endian
 *
 * What is cut short by a power failure is the last frame and fails its sum.  A bad frame with a good
 * one of a higher sequence behind it is damage, and refused; so is a file of another turn than the
 * other one wants, but for one that was torn while it was begun anew: nothing of it is given. */
#pragma once

#include <stdint.h>

#include "base/bytes.h"
#include "base/err.h"

#define JOURNAL_HALF_MIN                                                                           \
    ((size_t)4 << 10) /* bytes of one file; the daemon's settings ask for more */

struct journal; /* one thread at a time */

/* Opens the folder, or makes it and its files (zeros), and keeps it locked.  Files that are larger
 * than half_bytes keep their size, smaller ones are made longer.  What is in them is on the disk when
 * this returns, also where the one who wrote it was killed, or failed, before he knew.
 *
 * Limits:  half_bytes >= JOURNAL_HALF_MIN; both files are read whole.
 * Errors:  TLY_ECONFLICT  another process has it open
 *          TLY_ECORRUPT   damaged (file and byte in the diag); nothing was changed
 *          TLY_EIO        the diag says why;  TLY_ENOMEM */
TLY_MUST enum tly_err journal_open(const char *dir, size_t half_bytes, struct journal **out,
                                   struct tly_diag *diag);
void                  journal_close(struct journal *journal); /* NULL is fine */

/* Gives every good frame's body in order of sequence, without gaps; stops at the first error and
 * returns it.  A body is valid until the function returns.  Errors beside those: TLY_EIO. */
typedef enum tly_err (*journal_fn)(void *arg, uint64_t sequence, struct tly_bytes body,
                                   struct tly_diag *diag);
TLY_MUST enum tly_err journal_read(struct journal *journal, journal_fn fn, void *arg,
                                   struct tly_diag *diag);

/* Room for a body of so many bytes, to be filled and then appended.
 * Errors: TLY_ETOOBIG no file can hold it; TLY_ENOMEM. */
TLY_MUST enum tly_err journal_room(struct journal *journal, size_t len, uint8_t **out,
                                   struct tly_diag *diag);
/* Writes the frame whose body was filled in; on the disk when this returns.
 *
 * Errors:  TLY_EIO  it may be there or not, and what the disk holds is not known any more: a failed
 *                   fdatasync is never tried again, every further call gives TLY_EIO. */
TLY_MUST enum tly_err journal_append(struct journal *journal, struct tly_diag *diag);
