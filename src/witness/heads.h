/* SPDX-License-Identifier: Apache-2.0 */
/* What the witness knows of each log: the newest head that it cosigned, in memory and in a file.  The
 * file is a checkpoint with the log's signature and our own line, and is on the disk before anybody
 * gets that line. */
#pragma once

#include "core/extend.h"
#include "core/trust.h"

struct heads;

struct heads_config {
    const char               *dir; /* exists; one process at a time */
    const struct trust       *policy;
    const struct cosign_vkey *vkey;
    const struct sign_secret *secret;
};

/* Reads every log's file; none: that log was never cosigned.  Everything is borrowed.
 *
 * Errors:  TLY_EBUSY     another process has the folder
 *          TLY_ENOENT    there is no such folder
 *          TLY_ECORRUPT  a file is there and is not what we wrote: never begun from zero
 *          TLY_EFORBID, TLY_EIO, TLY_ENOMEM */
TLY_MUST enum tly_err heads_open(const struct heads_config *config, struct heads **out,
                                 struct tly_diag *diag);
void                  heads_close(struct heads *heads); /* NULL is fine */

/* The index of the log of that origin, -1: none. */
int heads_find(const struct heads *heads, struct tly_bytes origin);
/* The newest cosigned head of a log, size 0: none; any thread. */
struct note_head heads_known(struct heads *heads, int log);
/* Its whole file, as last written; the length, 0: none. */
size_t heads_note(struct heads *heads, int log, char out[NOTE_LEN_MAX]);

struct heads_reply {
    enum extend_verdict verdict;
    uint64_t            size; /* that is known; for EXTEND_STALE and EXTEND_FORK */
    size_t              len;
    char                line[COSIGN_LINE_SIZE]; /* for EXTEND_GROWS */
};

/* Judges a request whose note's signature was checked and, when the head grows, cosigns it: compared,
 * stored and synced as one step, so that of two that come at once one is judged by the other.  note
 * is the request's, in its parts.
 *
 * Errors: TLY_EIO: nothing was cosigned, the head known before stays. */
TLY_MUST enum tly_err heads_add(struct heads *heads, int log, const struct extend *request,
                                const struct note *note, uint64_t now_s, struct heads_reply *out,
                                struct tly_diag *diag);
/* Keeps a head that the log signed and that does not extend what we know: evidence.  At most
 * HEADS_EVIDENCE_MAX files of forks, and as many of what was only not proven: proofs are not signed, so
 * anybody can bring a good head with a wrong one.  False: it was kept already or there is no room. */
#define HEADS_EVIDENCE_MAX 64
enum heads_evidence { HEADS_FORK, HEADS_UNPROVEN, HEADS_EVIDENCES_N };
bool heads_evidence(struct heads *heads, enum heads_evidence kind, const struct note *note,
                    struct tly_bytes text);
