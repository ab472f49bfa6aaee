/* SPDX-License-Identifier: Apache-2.0 */
/* "This head extends that one": the request that a signer and a witness take (C2SP tlog-witness,
 * add-checkpoint), and the one check that both make before they sign. */
#pragma once

#include "base/bytes.h"
#include "base/err.h"
#include "core/merkle.h"
#include "core/note.h"

#define EXTEND_PROOF_MAX 63 /* hashes, C2SP tlog-witness */
/* "old N", the proof, the blank line and the note. */
#define EXTEND_LEN_MAX (32 + EXTEND_PROOF_MAX * 45 + NOTE_LEN_MAX)

struct extend {
    uint64_t            old;   /* leaves of the head that the receiver is thought to know */
    struct merkle_proof proof; /* of consistency, old to new */
    struct tly_bytes    note;  /* the new head: a checkpoint, or its body alone; not looked into */
};

/* What a request means to who knows one head of a log. */
enum extend_verdict {
    EXTEND_GROWS,     /* the new head extends the known one, or is it */
    EXTEND_BACKWARDS, /* its old size is over its new one: malformed (400) */
    EXTEND_STALE,     /* the receiver knows another size than its old: ask again from that (409) */
    EXTEND_FORK,      /* the known size with another root (409): evidence against the log */
    EXTEND_UNPROVEN,  /* the proof does not lead from the known root to the new one (422) */
};

/* Reads a request in its only spelling: sizes without leading zeros, canonical base64, LF.
 *
 * Limits:  EXTEND_LEN_MAX bytes, EXTEND_PROOF_MAX hashes; out->note is what follows the blank line,
 *          not empty, and a view into the request.
 * Errors:  TLY_ETOOBIG  longer, or of more hashes
 *          TLY_EINPUT   not such a request; diag names the line */
TLY_MUST enum tly_err extend_parse(struct tly_bytes request, struct extend *out,
                                   struct tly_diag *diag);
/* Writes one; its length, NUL added.  note.len <= NOTE_LEN_MAX, proof.n <= EXTEND_PROOF_MAX. */
size_t extend_write(const struct extend *request, char out[EXTEND_LEN_MAX + 1]);

/* Compares the head that is known (size 0: none was ever seen, whatever its root) with the new one.
 * A known size of 0 is extended by any head, with an empty proof.  The verdicts come in the order
 * of the enum: nothing is said of a proof whose old size is not the known one. */
TLY_MUST enum extend_verdict extend_check(const struct note_head *known,
                                          const struct extend    *request,
                                          const struct note_head *head);
