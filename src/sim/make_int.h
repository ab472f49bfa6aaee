/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of `tallysim make` share: the package being written, and a contest's made-up
 * opinion. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"
#include "core/codes.h"
#include "dice.h"

#define MAKE_CANDIDATES_MAX 3000
#define MAKE_LISTS_MAX      12
#define MAKE_CLOSES_AT      UINT64_C(1792182600) /* 16 October 2026, 24:00 in Tehran */

struct make_name {
    const char *fa, *en;
};

struct make_province {
    struct make_name name;
    uint32_t         people; /* thousands: shares out the branches */
};

#define MAKE_PROVINCES_N 31
#define MAKE_TEHRAN      27 /* place of Tehran in the table */
extern const struct make_province make_provinces[MAKE_PROVINCES_N];

/* Names by number: repeat after a while, as real ones do. */
struct make_name make_village_name(uint32_t i);
struct make_name make_city_name(uint32_t i);
struct make_name make_list_name(uint32_t i);
void             make_person_name(struct dice *dice, char fa[128], char en[128]);

enum make_file {
    MAKE_AREAS,
    MAKE_CONTESTS,
    MAKE_LISTS,
    MAKE_CANDIDATES,
    MAKE_BRANCHES,
    MAKE_BALLOTS,
    MAKE_COUNTS,
    MAKE_FILES_N
};

struct make {
    FILE       *files[MAKE_FILES_N];
    struct dice dice;
    uint32_t    branches_n; /* written so far */
    uint32_t    branches_wanted;
    uint32_t    contests_n, candidates_n, areas_n;
};

/* A contest and how people like its candidates: of 1,000 ballots that name persons, so many name
 * each. */
struct make_contest {
    char     code[CODE_LEN_MAX + 1];
    uint32_t seats;
    uint32_t candidates_n, lists_n;
    uint16_t liked[MAKE_CANDIDATES_MAX];
    uint16_t list_liked[MAKE_LISTS_MAX]; /* of 1,000 ballots */
};

/* Writes the rows of a contest, its lists and its candidates. */
void make_block(struct make *make, struct make_contest *contest, const char *code, const char *area,
                const char *rule, uint32_t seats, uint32_t alternates, uint32_t candidates_n,
                struct make_name name);
void make_tehran(struct make *make, struct make_contest *contest, const char *code,
                 const char *area, uint32_t lists_n, uint32_t candidates_n);
/* Writes a branch with its ballots and its counts. */
void make_branch(struct make *make, const char *area, bool mobile, uint32_t voters,
                 const struct make_contest *const contests[], unsigned contests_n);
/* The whole country. */
void make_country(struct make *make);
