/* SPDX-License-Identifier: Apache-2.0 */
/* Places in the election's arrays.  Different things are different types, so that a branch cannot
 * be passed as a contest. */
#pragma once

#include <stdint.h>

#define IX_NONE UINT32_MAX

struct area_ix {
    uint32_t v;
};
struct contest_ix {
    uint32_t v;
};
struct list_ix {
    uint32_t v;
};
struct candidate_ix {
    uint32_t v;
};
struct branch_ix {
    uint32_t v;
};
/* One contest at one branch (a row of ballots.csv): what is expected, reported, held, counted. */
struct slot_ix {
    uint32_t v;
};
struct terminal_ix {
    uint32_t v;
};
struct client_ix {
    uint32_t v;
};
struct officer_ix {
    uint32_t v;
};
