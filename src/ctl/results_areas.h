/* SPDX-License-Identifier: Apache-2.0 */
/* tallyctl results --contest C --areas: one contest area by area. */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "remote.h"
#include "sys/cli.h"

/* Ballots of each area, then who got how many votes there; --json: the API's rows, one a line.
 * Errors: as remote_json(). */
TLY_MUST enum tly_err results_areas(const struct cli *cli, struct remote *remote,
                                    struct tly_arena *arena, struct tly_diag *diag);
