/* SPDX-License-Identifier: Apache-2.0 */
/* Leaf texts: what the log hashes (doc/formats.md, leaf texts). */
#pragma once

#include "base/bytes.h"
#include "base/err.h"
#include "core/codes.h"

#define LEAF_LEN_MAX 16384 /* the text of one leaf; a bundle with 64 held contests fits */
#define LEAF_SIZE    (LEAF_LEN_MAX + 1) /* with a NUL */

enum leaf_kind {
    LEAF_GENESIS   = 1,
    LEAF_BUNDLE    = 2,
    LEAF_CONFLICT  = 3,
    LEAF_RELEASE   = 4,
    LEAF_EXPLAIN   = 5,
    LEAF_ANNUL     = 6,
    LEAF_REINSTATE = 7,
    LEAF_LOT       = 8,
    LEAF_EXCLUDE   = 9,
    LEAF_KEY       = 10,
    LEAF_STATE     = 11,
    LEAF_CERTIFY   = 12,
    LEAF_RESULT    = 13
};

/* One leaf's facts; which of them stand depends on the kind. */
struct leaf {
    enum leaf_kind kind;
    const char    *election;
    uint64_t       accepted_ms; /* Unix milliseconds, never less than the leaf's before */
    /* genesis */
    struct tly_hash definition, registry;
    /* bundle, conflict */
    const char      *branch, *terminal;
    uint32_t         revision;
    bool             has_prev;
    struct tly_hash  prev, key, payload, envelope;
    uint64_t         payload_len, envelope_len;
    struct tly_bytes held;           /* bundle: lines "held CONTEST CODE,CODE\n"; empty: none;
                                        decision: the lines of its target */
    struct tly_hash  first_envelope; /* conflict: the one already logged for (branch, revision) */
};

/* Where leaf_parse() keeps the texts that a struct leaf points to. */
struct leaf_texts {
    char election[CODE_LEN_MAX + 1], branch[CODE_LEN_MAX + 1], terminal[CODE_LEN_MAX + 1];
};

const char *leaf_kind_name(enum leaf_kind kind);
/* What officers sign: decisions, and published results. */
static inline bool
leaf_is_decision(enum leaf_kind kind)
{
    return kind >= LEAF_RELEASE && kind <= LEAF_RESULT;
}

/* Writes the text.  Order of lines:
 *   genesis:  tally/leaf/v1, kind, election, definition, registry, accepted
 *   bundle:   tally/leaf/v1, kind, election, branch, revision, prev, key, payload HASH LEN,
 *             envelope HASH LEN, accepted, terminal, held CONTEST CODES (each)
 *   conflict: as bundle without held, then: first HASH
 *   decision: tally/leaf/v1, kind, election, payload HASH LEN, envelope HASH LEN, accepted, and of
 *             its target those that it has: branch, contest, candidate, at, result; of key: action,
 *             terminal, branch, signing_key, certificate, not_before, not_after; of state: state, until
 *   result:   as a decision: scope, at, serial
 * Returns its length; 0 when it does not fit. */
size_t leaf_write(const struct leaf *leaf, char out[LEAF_SIZE]);
/* Reads a text back; strict: what it accepts, leaf_write() writes again byte for byte.
 * Errors: TLY_EINPUT. */
TLY_MUST enum tly_err leaf_parse(struct tly_bytes in, struct leaf_texts *texts, struct leaf *out,
                                 struct tly_diag *diag);
