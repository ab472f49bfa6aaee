/* SPDX-License-Identifier: Apache-2.0 */
/* counts.csv in memory: what each branch reported, grouped by slot (doc/formats.md). */
#pragma once

#include "core/election.h"
#include "core/payload.h"
#include "pack/faults.h"

/* What one row says; COUNTS_NUMBER is any of enum count. */
enum counts_kind { COUNTS_NUMBER, COUNTS_LIST, COUNTS_CANDIDATE, COUNTS_NOT_HELD };

struct counts_row {
    struct slot_ix   slot;
    enum counts_kind kind;
    enum count       count; /* of a COUNTS_NUMBER */
    const char      *code;  /* list, candidate, or the reason of not_held */
    uint32_t         value;
    uint32_t         place; /* of what it is about, among all that a slot can have: repeats */
    uint32_t         line;
};

struct counts_file {
    struct counts_row *rows;  /* grouped by slot, in file order within */
    uint32_t          *first; /* slots_n + 1: where each slot's rows begin */
};

/* Reads DIR/counts.csv against a definition: every code is known, and nothing is said twice.
 * Errors: TLY_EINPUT faults (listed); TLY_EIO; TLY_ENOMEM. */
TLY_MUST enum tly_err counts_read(const char *dir, const struct election *election,
                                  struct tly_arena *arena, struct counts_file *out,
                                  struct faults *faults, struct tly_diag *diag);
