/* SPDX-License-Identifier: Apache-2.0 */
/* tallyctl registry check: the same of a registry package, against its definition. */
#include <stdio.h>

#include "check.h"
#include "cmd.h"
#include "pack/registry_load.h"

static enum cli_exit
run(const struct cli *cli)
{
    TLY_AUTO(arena) struct tly_arena arena    = {.bytes_max = CHECK_ARENA_BYTES};
    struct faults                    faults   = {.arena = &arena};
    struct election                 *election = NULL;
    struct registry                  none     = {0};
    struct registry                 *registry = &none;
    struct tly_diag                  diag     = {0};
    const char                      *dir      = cli_arg(cli, 0);

    enum tly_err err = check_definition(cli, dir, &arena, &faults, &election, &diag);
    if (err != TLY_OK) {
        return cli_say(cli, CLI_UNUSABLE, "%s", diag.text);
    }
    err = registry_load(dir, election, &arena, &registry, &faults, &diag);
    if (err != TLY_OK && faults.n == 0) {
        return cli_fail(cli, TLY_EIO, &diag);
    }
    const struct check_count counts[] = {
        {"terminals", registry->terminals_n},
        {"clients", registry->clients_n},
        {"officers", registry->officers_n},
        {NULL, 0},
    };
    return check_report(cli, "registry", dir, &faults, counts, &registry->hash);
}

static const struct cli_option options[] = {
    {"definition", "DIR", "the definition that it belongs to (default: DIR/../definition)", false},
    {"json", NULL, "one JSON object instead of lines", false},
    {NULL, NULL, NULL, false}};

const struct cli_command ctl_registry_check = {
    .name    = "registry check",
    .args    = "DIR",
    .summary = "check a registry against its definition",
    .more = "Prints FILE:LINE:COLUMN: SENTENCE for each fault (the first 1000) and ends with 1;\n"
            "without faults prints how much there is of everything and the package hash.",
    .args_min = 1,
    .args_max = 1,
    .options  = options,
    .run      = run,
};
