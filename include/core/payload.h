/* SPDX-License-Identifier: Apache-2.0 */
/* The strict reader of a bundle's payload (doc/formats.md): one pass, schema-bound, no
 * allocation. */
#pragma once

#include "base/bytes.h"
#include "base/err.h"
#include "core/election.h"

#define PAYLOAD_BYTES_MAX    ((size_t)1 << 20)
#define PAYLOAD_CONTESTS_MAX ELECTION_BRANCH_CONTESTS_MAX
/* The shortest vote is ["a",0] and a comma: more rows than this no payload of len bytes can hold.
 */
#define PAYLOAD_VOTES_MAX(len) ((len) / 7 + 1)
#define PAYLOAD_REASON_LEN_MAX 256

enum count {
    COUNT_ONLINE,  /* authenticated.online */
    COUNT_OFFLINE, /* authenticated.offline */
    COUNT_MANUAL,  /* authenticated.manual */
    COUNT_ISSUED,
    COUNT_CAST,
    COUNT_BLANK,
    COUNT_INVALID,
    COUNT_VALID,
    COUNT_EXCLUDED,
    COUNT_MIXED, /* list methods only */
    COUNTS_N
};

struct payload_vote {
    struct tly_bytes code; /* a view of the payload */
    uint32_t         votes;
    uint32_t         order; /* payload_parse()'s own: where it sorts the codes */
};

struct payload_contest {
    struct tly_bytes code;
    struct tly_bytes not_held; /* the reason, its escapes as they stand; data NULL: was held */
    uint32_t         counts[COUNTS_N];
    bool     has_lists; /* "lists" and "mixed" stand (one without the other: TLY_ERANGE, S06) */
    uint32_t lists_first, lists_n;           /* in the votes array */
    uint32_t candidates_first, candidates_n; /* in the votes array */
};

struct payload {
    struct tly_bytes       election, branch, terminal;
    struct tly_hash        definition;
    enum phase             phase;
    uint32_t               revision; /* >= 1 */
    bool                   has_prev;
    struct tly_hash        prev;
    uint8_t                salt[16];
    uint64_t               opened_at, closed_at, made_at; /* Unix seconds */
    uint32_t               contests_n;
    struct payload_contest contests[PAYLOAD_CONTESTS_MAX];
    struct payload_vote   *votes; /* the caller's array */
    uint32_t               votes_n;
};

const char *count_name(enum count count); /* "authenticated_online" ... as in counts.csv */

/* Reads a payload.
 *
 * Limits:  PAYLOAD_*; counts 0 to 2^31-1; times 0 to 2^40-1; revision 1 to 2^31-1; votes_max rows.
 *          O(n log n) in the rows of one contest that do not stand in order, O(n) in those that do
 *          (shorter codes first, codes of one length in byte order), whatever the codes are.
 * Owns:    views of `in`; writes votes[0..votes_max); *out is undefined on failure (it is large).
 * Errors:  TLY_EINPUT   S01: not JSON as RFC 8259 has it, not UTF-8, repeated or unknown key, a
 *                       value of the wrong type (1.0 is one), an escape in a code, a NUL in a
 *                       reason, trailing bytes, a contest twice, a code twice in one contest
 *          TLY_ERANGE   S06: required key missing, number negative or over its limit, text empty,
 *                       over its limit or not of its form (a code, 64 hex digits, a phase), too
 *                       many contests or rows, numbers beside not_held, lists without mixed
 *          TLY_ETOOBIG  longer than PAYLOAD_BYTES_MAX
 *          The diag names the field by its path ("contests[1].cast"). */
TLY_MUST enum tly_err payload_parse(struct tly_bytes in, struct payload_vote votes[],
                                    uint32_t votes_max, struct payload *out, struct tly_diag *diag);
