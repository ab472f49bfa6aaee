/* SPDX-License-Identifier: Apache-2.0 */
/* A definition being built: what the readers of its files share. */
#pragma once

#include "core/election.h"
#include "pack/csv.h"
#include "pack/faults.h"
#include "part.h"

#define BUILD_RULES_MAX   64
#define BUILD_SEATS_MAX   10000
#define BUILD_SCRATCH_MAX ((size_t)1 << 30)
#define BUILD_DOMAIN_MAX  100 /* the log's origin, DOMAIN/ELECTION/PHASE, has 200 */

struct build {
    struct tly_arena *arena;   /* of the election */
    struct tly_arena *scratch; /* gone when the loading is over */
    struct faults    *faults;
    struct election  *election;
    struct part      *parts;

    struct area      *areas;
    struct contest   *contests;
    struct list      *lists;
    struct candidate *candidates;
    struct branch    *branches;

    /* Where each stands in its file, by its place in the array. */
    uint32_t *contest_lines, *list_lines, *branch_lines;

    bool full; /* the arena is */

    /* Was the file readable at all?  Else nothing that refers to it is worth a fault. */
    bool rules_usable, areas_usable, contests_usable, lists_usable, branches_usable;
};

/* Each reads one file or more.  Errors: TLY_ENOMEM; what is wrong with the text is a fault. */
TLY_MUST enum tly_err build_json(struct build *b);
TLY_MUST enum tly_err build_areas(struct build *b);
TLY_MUST enum tly_err build_contests(struct build *b);
TLY_MUST enum tly_err build_lists(struct build *b);
TLY_MUST enum tly_err build_candidates(struct build *b);
TLY_MUST enum tly_err build_branches(struct build *b);
TLY_MUST enum tly_err build_ballots(struct build *b);

/* Opens one of the package's CSV files; false: missing or unusable (a fault says so). */
TLY_MUST bool build_csv(struct build *b, const char *name, const char *header, struct csv *csv);
/* The contest that a row names, or IX_NONE with a fault. */
struct contest_ix build_contest_of(const struct build *b, const struct csv *csv, unsigned field);
