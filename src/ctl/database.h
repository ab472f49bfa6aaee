/* SPDX-License-Identifier: Apache-2.0 */
/* Where the database is, for the commands of its owner. */
#pragma once

#include <stdlib.h>

#include "sys/cli.h"

#define DATABASE_OPTION                                                                            \
    {                                                                                              \
        "database", "URI",                                                                         \
            "connection of the database's owner, as libpq reads it (else TALLY_DATABASE, else "    \
            "libpq's own defaults)",                                                               \
            false                                                                                  \
    }

static inline const char *
database_of(const struct cli *cli)
{
    const char *environment = secure_getenv("TALLY_DATABASE");
    return cli_value(cli, "database", environment == NULL ? "" : environment);
}
