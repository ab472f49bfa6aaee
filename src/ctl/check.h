/* SPDX-License-Identifier: Apache-2.0 */
/* What "definition check" and "registry check" share. */
#pragma once

#include "core/election.h"
#include "pack/faults.h"
#include "pack/json.h"
#include "sys/cli.h"

#define CHECK_ARENA_BYTES ((size_t)2 << 30) /* a limit, not what it takes */

/* One number of a package, in the order they are printed. */
struct check_count {
    const char *name;
    uint32_t    n;
};

/* Loads the definition that a registry's folder belongs to: --definition, else the one beside it.
 * Errors: those of definition_load(); the diag says that it is the definition. */
TLY_MUST enum tly_err check_definition(const struct cli *cli, const char *registry,
                                       struct tly_arena *arena, struct faults *faults,
                                       struct election **out, struct tly_diag *diag);
/* Prints the faults, or counts (the last has no name) and hash; as text or as one JSON object.
 * Returns CLI_DONE without faults, else CLI_REFUSED. */
enum cli_exit check_report(const struct cli *cli, const char *package, const char *dir,
                           const struct faults *faults, const struct check_count counts[],
                           const struct tly_hash *hash);
