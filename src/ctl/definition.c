/* SPDX-License-Identifier: Apache-2.0 */
/* tallyctl definition check: every fault of a definition package, or its counts and hash. */
#include "pack/definition.h"
#include "check.h"
#include "cmd.h"

static enum cli_exit
run(const struct cli *cli)
{
    TLY_AUTO(arena) struct tly_arena arena    = {.bytes_max = CHECK_ARENA_BYTES};
    struct faults                    faults   = {.arena = &arena};
    struct election                  none     = {0};
    struct election                 *election = &none;
    struct tly_diag                  diag     = {0};
    const char                      *dir      = cli_arg(cli, 0);
    const enum tly_err               err = definition_load(dir, &arena, &election, &faults, &diag);
    if (err != TLY_OK && faults.n == 0) {
        return cli_fail(cli, TLY_EIO, &diag);
    }
    const struct check_count counts[] = {
        {"areas", election->areas_n},
        {"contests", election->contests_n},
        {"lists", election->lists_n},
        {"candidates", election->candidates_n},
        {"branches", election->branches_n},
        {"ballots", election->slots_n},
        {NULL, 0},
    };
    return check_report(cli, "definition", dir, &faults, counts, &election->definition);
}

static const struct cli_option options[] = {
    {"json", NULL, "one JSON object instead of lines", false}, {NULL, NULL, NULL, false}};

const struct cli_command ctl_definition_check = {
    .name    = "definition check",
    .args    = "DIR",
    .summary = "check a definition: all faults, or its counts and hash",
    .more = "Prints FILE:LINE:COLUMN: SENTENCE for each fault (the first 1000) and ends with 1;\n"
            "without faults prints how much there is of everything and the package hash.",
    .args_min = 1,
    .args_max = 1,
    .options  = options,
    .run      = run,
};
