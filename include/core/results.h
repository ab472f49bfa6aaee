/* SPDX-License-Identifier: Apache-2.0 */
/* A published results document (doc/formats.md, results): who is elected by the numbers of an area, as
 * officers sign it.  It changes no number; the daemon and every verifier compute all of it again. */
#pragma once

#include "base/arena.h"
#include "base/bytes.h"
#include "base/err.h"
#include "core/book.h"
#include "core/tally.h"

#define RESULTS_PAYLOAD_MAX  ((size_t)1 << 20)
#define RESULTS_ENVELOPE_MAX ((size_t)2 << 20)

struct decision_rules;

/* What it says of a contest; texts are views of the payload. */
struct results_contest {
    struct tly_bytes        contest, status;
    bool                    has_ballots, has_result; /* else null */
    uint64_t                ballots;
    struct tly_hash         result;
    const struct tly_bytes *winners, *alternates, *lists; /* codes */
    const uint64_t         *seats;                        /* of lists */
    uint32_t                winners_n, alternates_n, lists_n;
};

enum results_unit { UNIT_EXPECTED, UNIT_COUNTED, UNIT_HELD, UNIT_ANNULLED, UNIT_MISSING, UNITS_N };

/* A document that was read. */
struct results {
    struct area_ix                scope;
    struct tly_bytes              origin; /* of the log that it speaks of */
    uint64_t                      at;     /* ledger entries that the numbers are of */
    struct tly_hash               root;
    uint32_t                      serial;
    bool                          has_prev;
    struct tly_hash               prev; /* payload of the scope's document before */
    uint64_t                      units[UNITS_N];
    const struct results_contest *contests;
    uint32_t                      contests_n;
};

/* What stands there now: what a document of this moment has to say. */
struct results_now {
    const char     *status;
    bool            has_ballots; /* result and ballots stand */
    uint64_t        ballots;
    struct tly_hash result;
    struct outcome *outcome; /* NULL without ballots */
};

/* Reads a payload; the lines of the leaf go to *lines.  Views of it and of the arena.  Whether it
 * speaks of this log is not asked: results_is_of_log().
 * Errors: as decision_read(), of the document. */
TLY_MUST enum tly_err results_document(const struct decision_rules *rules, struct tly_bytes payload,
                                       struct tly_arena *arena, struct results *out,
                                       struct tly_bytes *lines, struct tly_diag *diag);
bool results_is_of_log(const struct election *election, const struct results *results);
/* Can it stand as the ledger's next entry?  The tally is as far as the book.
 * Errors: TLY_ECONFLICT with code "state" (serial, prev or head), "changed" (an entry since `at` changed
 *         a contest or a branch of the scope), "numbers" (the diag names contest and member);
 *         TLY_ENOMEM. */
TLY_MUST enum tly_err results_judge(const struct tally *tally, const struct book *book,
                                    const struct results *results, struct tly_diag *diag);
/* Errors: TLY_ENOMEM. */
TLY_MUST enum tly_err results_of(const struct tally *tally, struct contest_ix contest,
                                 struct tly_arena *arena, struct results_now *out);
void results_units(const struct tally *tally, struct area_ix scope, uint64_t out[UNITS_N]);
/* The first member of a contest that says something else than what there is; NULL: none. */
const char *results_differs(const struct election *election, const struct contest *contest,
                            const struct results_contest *said, const struct results_now *now);
