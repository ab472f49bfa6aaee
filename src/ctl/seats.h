/* SPDX-License-Identifier: Apache-2.0 */
/* The seat calculator: a line of JSON is a contest, its outcome a line or a page
 * (doc/methods.md). */
#pragma once

#include <jansson.h>

#include "base/arena.h"
#include "core/readings.h"

#define SEATS_LINE_BYTES_MAX ((size_t)64 << 20)
#define SEATS_ARENA_MAX      ((size_t)1 << 30)
#define SEATS_MAX            10000 /* as in contests.csv */

/* One contest.  Texts are those of the JSON it was read from. */
struct seats_contest {
    const char          *id;
    const struct method *method;
    uint32_t             params[METHOD_PARAMS_MAX];
    struct method_input  in;
    const char         **ids; /* of lists; of candidates in a block contest */
    bool                 valid_given;
    /* Known keys that this method does not read, for a note to whoever wrote the line. */
    const char *unread;
};

/* What became of it. */
struct seats_result {
    struct outcome  outcome;
    struct reading *readings;
    uint32_t        readings_n;
};

/* Reads a contest.
 *
 * Owns:   borrows texts from root and arrays from the arena; *out points to itself, so it stays
 *         where it is.
 * Errors: TLY_EINPUT  missing, of the wrong kind, or twice; the diag names the field
 *         TLY_ERANGE  a number out of its range
 *         TLY_ENOMEM */
TLY_MUST enum tly_err seats_read(json_t *root, struct tly_arena *arena, struct seats_contest *out,
                                 struct tly_diag *diag);
/* Finds the outcome and, without those that need unknown numbers, the other readings.
 * Errors: TLY_ENOMEM. */
TLY_MUST enum tly_err seats_count(const struct seats_contest *c, struct tly_arena *arena,
                                  struct seats_result *out);
/* The line of doc/methods.md, seat calculator.  NULL: no memory. */
json_t *seats_json(const struct seats_contest *c, const struct seats_result *r);
/* Tables, and the steps as sentences, on stdout. */
void seats_page(const struct seats_contest *c, const struct seats_result *r, bool fa,
                struct tly_arena *arena);
/* The code of a list, or "pool" of the independents. */
const char *seats_entity(const struct seats_contest *c, uint32_t entity);
