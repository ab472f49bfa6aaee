/* SPDX-License-Identifier: Apache-2.0 */
/* The definition in memory: what is elected, where, by whom (doc/formats.md, packages).  Dense
 * arrays, built once by pack/definition, then read only. */
#pragma once

#include "base/bytes.h"
#include "core/codes.h"
#include "core/ids.h"
#include "core/method.h"

#define ELECTION_TIME_MAX            ((UINT64_C(1) << 40) - 1) /* seconds since 1970 */
#define ELECTION_COUNT_MAX           INT32_MAX /* of anything counted at one branch */
#define ELECTION_BRANCH_CONTESTS_MAX 64        /* contests of one branch: a bit each in masks */

enum phase { PHASE_REHEARSAL, PHASE_OFFICIAL };

/* From the root down; a level may be left out, never turned round. */
enum area_level {
    LEVEL_COUNTRY,
    LEVEL_PROVINCE,
    LEVEL_COUNTY,
    LEVEL_DISTRICT,
    LEVEL_CITY,
    LEVEL_RURAL_DISTRICT,
    LEVEL_VILLAGE,
    LEVEL_NOMAD,
    LEVELS_N
};

/* Free text, kept byte for byte. */
struct name {
    const char *fa, *en;
};

struct area {
    const char     *code;
    struct name     name;
    struct area_ix  parent; /* IX_NONE: the root */
    enum area_level level;
    uint32_t        children_n;
    uint32_t        contests_n; /* whose area this is */
};

/* A rule of election.json: a method with its parameters, defaults filled in. */
struct rule {
    const char          *code;
    const struct method *method;
    uint32_t             params[METHOD_PARAMS_MAX];
};

struct contest {
    const char    *code;
    struct name    name;
    struct area_ix area;
    uint32_t       rule; /* in election.rules */
    uint32_t       seats, alternates, max_choices;
    bool           has_closes_at;
    uint64_t       closes_at;                      /* Unix seconds */
    uint32_t       lists_first, lists_n;           /* in election.lists */
    uint32_t       candidates_first, candidates_n; /* in election.candidates */
    uint32_t       options_first;        /* in tally.options: lists_n, then candidates_n */
    uint32_t       slots_first, slots_n; /* in election.contest_slots */
};

struct list {
    const char       *code;
    struct name       name;
    struct contest_ix contest;
    uint32_t          members_n;
};

struct candidate {
    const char       *code;
    struct name       name;
    struct contest_ix contest;
    struct list_ix    list; /* IX_NONE: independent */
};

enum branch_kind { BRANCH_FIXED, BRANCH_MOBILE };

struct branch {
    const char      *code;
    struct name      name;
    struct area_ix   area;
    enum branch_kind kind;
    uint32_t         capacity;             /* most ballots it can take; 0: unknown, no check N09 */
    uint32_t         slots_first, slots_n; /* in election.slots, in the order of ballots.csv */
};

struct slot {
    struct branch_ix  branch;
    struct contest_ix contest;
};

/* limits of election.json: shares in basis points, but P03_abs and P08_min (doc/checks.md). */
struct limits {
    uint32_t p01_bp, p02_bp, p03_bp, p03_abs, p05_bp, p06_bp, p07_bp, p08_min, n08_missing_bp;
};

enum officer_role { OFFICER_COMMISSION, OFFICER_SUPERVISION, OFFICER_OPERATOR, OFFICER_ROLES_N };

/* How many officers of each role a decision of a kind needs (policy of election.json). */
struct quorum {
    uint32_t n[OFFICER_ROLES_N];
};

enum policy_kind {
    POLICY_RELEASE,
    POLICY_EXPLAIN,
    POLICY_ANNUL,
    POLICY_REINSTATE,
    POLICY_LOT,
    POLICY_EXCLUDE,
    POLICY_KEY,
    POLICY_STATE,
    POLICY_CERTIFY,
    POLICY_REVISE,
    POLICIES_N
};

struct policy {
    uint32_t      root; /* signatures of root keys a package needs, >= 1 */
    struct quorum kinds[POLICIES_N];
    uint32_t      publish_min_ballots;
};

struct election {
    const char     *code, *domain, *time_zone;
    struct name     name;
    enum phase      phase;
    struct tly_hash definition; /* package hash: doc/formats.md */
    struct limits   limits;
    struct policy   policy;

    const struct rule *rules;
    uint32_t           rules_n;

    /* A parent stands before its children: one pass backwards adds up the tree. */
    const struct area *areas;
    uint32_t           areas_n;

    const struct contest   *contests;
    uint32_t                contests_n;
    const struct list      *lists; /* grouped by contest, in file order within */
    uint32_t                lists_n;
    const struct candidate *candidates; /* grouped by contest, in file order within */
    uint32_t                candidates_n;
    const struct branch    *branches;
    uint32_t                branches_n;
    const struct slot      *slots; /* grouped by branch */
    uint32_t                slots_n;
    const struct slot_ix   *contest_slots; /* grouped by contest */
    uint32_t                options_n;     /* lists_n + candidates_n */

    struct codes area_codes, contest_codes, branch_codes; /* scope 0 */
    struct codes list_codes, candidate_codes;             /* scope: the contest's index */
};

const char *phase_name(enum phase phase);      /* "rehearsal" */
const char *level_name(enum area_level level); /* "rural_district" */
const char *branch_kind_name(enum branch_kind kind);
const char *policy_name(enum policy_kind kind);        /* "release" */
const char *officer_role_name(enum officer_role role); /* "commission" */
bool        phase_find(struct tly_bytes name, enum phase *out);
bool        level_find(struct tly_bytes name, enum area_level *out);
bool        branch_kind_find(struct tly_bytes name, enum branch_kind *out);
bool        policy_find(struct tly_bytes name, enum policy_kind *out);
bool        officer_role_find(struct tly_bytes name, enum officer_role *out);

struct area_ix      election_area(const struct election *election, struct tly_bytes code);
struct contest_ix   election_contest(const struct election *election, struct tly_bytes code);
struct branch_ix    election_branch(const struct election *election, struct tly_bytes code);
struct list_ix      election_list(const struct election *election, struct contest_ix contest,
                                  struct tly_bytes code);
struct candidate_ix election_candidate(const struct election *election, struct contest_ix contest,
                                       struct tly_bytes code);
/* The slot of a contest at a branch, or IX_NONE when the branch does not report it. */
struct slot_ix election_slot(const struct election *election, struct branch_ix branch,
                             struct contest_ix contest);
/* Is `area` this area or one below it?  Cost: the depth of the tree. */
bool election_within(const struct election *election, struct area_ix area, struct area_ix above);
