/* SPDX-License-Identifier: Apache-2.0 */
/* A service's command line and its signals: settings of a table, --check-config, --print-config,
 * --sample-config, --version, --help, and a few options of its own. */
#pragma once

#include <stdbool.h>

#include "sys/cli.h"
#include "sys/config.h"

#define PROGRAM_OWN_MAX 4

struct program_args {
    const char *config;               /* NULL: none given */
    bool        check;                /* --check-config: say what is wrong, and end */
    const char *own[PROGRAM_OWN_MAX]; /* an option's value, "" of a flag; NULL: not given */
};

struct program {
    const char                *name;
    const char                *summary; /* one line, begins the help */
    const struct config_table *table;
    struct program_own {
        const char *name;  /* "mirror"; NULL behind the last */
        const char *value; /* "DIR"; NULL: a flag */
        const char *help;
    } own[PROGRAM_OWN_MAX];
    enum cli_exit (*run)(void *settings, const struct program_args *args);
};

/* Reads the command line and the settings (into *settings, of the table's size), then runs with
 * SIGTERM, SIGINT and SIGHUP blocked and SIGPIPE ignored; returns what main() returns. */
int program_main(const struct program *program, void *settings, int argc, char *argv[]);
/* A signal that asks to stop within wait_ms; SIGHUP is passed over.  Main thread. */
bool program_told_to_stop(unsigned wait_ms);
/* Logs the event with error and reason; CLI_REFUSED. */
enum cli_exit program_refuse(const char *event, enum tly_err err, const struct tly_diag *diag);
