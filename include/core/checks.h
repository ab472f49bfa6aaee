/* SPDX-License-Identifier: Apache-2.0 */
/* The checks of a bundle (doc/checks.md): one table, one function for daemon, import, terminal,
 * verifier. */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "core/election.h"
#include "core/payload.h"
#include "core/registry.h"
#include "core/tally.h"

enum check_level { CHECK_REJECT, CHECK_HOLD, CHECK_FLAG };

/*    code  level   what is wrong, in English; Persian beside it in checks.c */
/* clang-format off */
#define CHECKS_TABLE(X)                                                                    \
    X(A04, HOLD, "signing key not valid when the bundle was made")                         \
    X(A06, HOLD, "made with another definition")                                           \
    X(S02, HOLD, "a contest, list or candidate that is not this branch's")                 \
    X(S03, HOLD, "a contest of this branch is missing")                                    \
    X(S05, HOLD, "times out of order, or closed before the contest closes")                \
    X(N02, HOLD, "cast is not valid + blank + invalid")                                    \
    X(N03, HOLD, "a person has more votes than ballots that name persons")                 \
    X(N04, HOLD, "more votes for persons than max_choices allows")                         \
    X(N05, HOLD, "list ballots and mixed ballots do not add up to valid")                  \
    X(N07, HOLD, "valid ballots without votes, or votes without valid ballots")            \
    X(N08, HOLD, "more ballots cast than voters authenticated")                            \
    X(N09, HOLD, "more than the branch can take")                                          \
    X(N10, HOLD, "more ballots cast than issued")                                          \
    X(N08M, FLAG, "authenticated voters without a ballot")                                 \
    X(P01, FLAG, "many blank ballots")                                                     \
    X(P02, FLAG, "many invalid ballots")                                                   \
    X(P03, FLAG, "cast and authenticated differ much")                                     \
    X(P04, FLAG, "nobody voted, or nobody was authenticated")                              \
    X(P05, FLAG, "nearly all votes for one")                                               \
    X(P06, FLAG, "many voters authenticated by hand or offline")                           \
    X(P07, FLAG, "contests of this branch differ in authenticated voters")                 \
    X(P08, FLAG, "another branch has the very same counts")                                \
    X(P09, FLAG, "few ballots: published only as part of its area")
/* clang-format on */

#define CHECKS_ENUM(code, level, text) CHECK_##code,
enum check { CHECKS_TABLE(CHECKS_ENUM) CHECKS_N };
#undef CHECKS_ENUM

/* Why a bundle is refused whole: what code a problem carries, and what to do. */
struct refusal {
    const char *code, *text_en, *text_fa, *advice_en, *advice_fa;
};
const struct refusal *
refusal_at(unsigned i); /* in the order of doc/checks.md; NULL past the last */
const struct refusal *refusal_find(const char *code); /* NULL: none of them */

#define CHECK_BIT(check) (UINT64_C(1) << (check))

const char      *check_code(enum check check); /* "N08" (N08M shows as "N08") */
enum check_level check_level(enum check check);
const char      *check_text_en(enum check check);
const char      *check_text_fa(enum check check);
const char      *check_advice_en(enum check check); /* what to do now */
const char      *check_advice_fa(enum check check);
/* CHECK_BITs of the findings of which this one would only be a consequence: it is not reported for
 * a slot that has one of them. */
uint64_t checks_hidden_by(enum check check);

/* What the checks say about one slot of the branch. */
struct checked_slot {
    struct slot_ix       slot;
    const struct counts *counts; /* NULL: not held there, missing, or not readable */
    bool                 not_held;
    uint64_t             holds; /* CHECK_BIT of HOLD rows */
    uint64_t             flags; /* CHECK_BIT of FLAG rows */
};

/* One finding, for people. */
struct finding {
    enum check     check;
    struct slot_ix slot;        /* IX_NONE: every slot of the branch */
    char           field[64];   /* "contests[0].candidates[12]", places in the payload */
    uint64_t       left, right; /* the two values compared; 0 for a code that is not known */
    uint64_t       tolerance;   /* what was allowed between them, or of the right one */
};

struct checked {
    struct checked_slot *slots; /* every slot of the branch, in its order */
    uint32_t             slots_n;
    struct finding      *findings; /* at most CHECKS_FINDINGS_MAX; holds and flags are complete */
    uint32_t             findings_n;
};

#define CHECKS_FINDINGS_MAX 64

/* What the checks need beside the payload. */
struct checks_input {
    const struct election *election;
    const struct terminal *terminal; /* whose key verified */
    struct branch_ix       branch;
    const struct payload  *payload;
};

/* Resolves the payload's codes against the definition and runs every HOLD and FLAG row but P08,
 * which needs all branches (tally_apply).  Pure: the same payload and definition give the same answer
 * for ever (the verifier derives it again; A04 looks only at made_at).
 *
 * An unknown contest code is S02 for every slot of the branch.  Of several findings that follow
 * from one cause only the first is kept.
 *
 * Owns:    counts, slots and findings are in the arena; counts may outlive it only if copied.
 * Errors:  TLY_EINPUT (S01) a contest, or a list or candidate of one contest, twice; "lists" in a
 *          contest without lists
 *          TLY_ERANGE (S06) no "lists" in a contest with lists (with another definition, A06, both
 *          of these are S02)
 *          TLY_ENOMEM */
TLY_MUST enum tly_err checks_run(const struct checks_input *in, struct tly_arena *arena,
                                 struct checked *out, struct tly_diag *diag);

/* "CONTEST CODE,CODE" lines for the leaf ("held " before, LF behind each), in slot order; empty
 * when nothing is held.  Errors: TLY_ENOMEM. */
TLY_MUST enum tly_err checks_held_lines(const struct election *election,
                                        const struct checked *checked, struct tly_arena *arena,
                                        struct tly_bytes *out);

/* Must the envelope stay out of what is published (policy publish_min_ballots)?  It holds all
 * contests of the branch, so that one with too few ballots withholds the whole; so does one that
 * could not be read, since nobody can tell.  Always false where the policy says 0. */
bool checks_withheld(const struct election *election, const struct checked *checked);
