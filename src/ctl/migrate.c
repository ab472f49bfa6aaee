/* SPDX-License-Identifier: Apache-2.0 */
/* tallyctl migrate: makes or upgrades the database. */
#include <stdio.h>

#include "cmd.h"
#include "database.h"
#include "store/store.h"

static const struct cli_option options[] = {DATABASE_OPTION, {NULL}};

static enum cli_exit
run(const struct cli *cli)
{
    struct tly_diag    diag = {0};
    unsigned           from = 0, to = 0;
    const enum tly_err err = store_migrate(database_of(cli), &from, &to, &diag);
    if (err != TLY_OK) {
        return cli_fail(cli, err, &diag);
    }
    if (from == to) {
        (void)printf("the database has schema version %u already; roles are set\n", to);
    } else {
        (void)printf("migrated from schema version %u to %u; roles are set\n", from, to);
    }
    return CLI_DONE;
}

const struct cli_command ctl_migrate = {
    .name    = "migrate",
    .args    = "",
    .summary = "create or upgrade the database",
    .more =
        "Run it as the role that owns the database.  It makes the role tallyd, if there is none,\n"
        "and grants it what the daemon needs and nothing more: the daemon refuses to run as a\n"
        "role that could change what is recorded.",
    .options = options,
    .run     = run,
};
