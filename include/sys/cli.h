/* SPDX-License-Identifier: Apache-2.0 */
/* Command lines: one table row a subcommand is the parser, --help and the usage message.
 *
 * A program gives cli_main() its rows.  Each knows "--help"; "--" ends the options; an option
 * stands anywhere behind its command, as "--name VALUE" or "--name=VALUE" (a single letter: "-o
 * VALUE"). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"

/* What every command of ours ends with. */
enum cli_exit {
    CLI_DONE     = 0, /* did what was asked */
    CLI_REFUSED  = 1, /* understood it, and says no: faults, a refusal, a failed check */
    CLI_UNUSABLE = 2  /* wrong usage, unreadable input, no way to go on */
};

struct cli; /* one parsed command line */

/* The last row of a table of options is {NULL}. */
struct cli_option {
    const char *name;  /* without dashes: "key"; one letter: "o" */
    const char *value; /* "FILE"; NULL: a flag */
    const char *help;  /* what it does, with its default */
    bool        many;  /* may stand several times */
};

struct cli_command {
    const char              *name;    /* one or two words: "definition check" */
    const char              *args;    /* "DIR"; "" when it takes none */
    const char              *summary; /* one line, for the list of commands */
    const char              *more;    /* further paragraphs for its --help; NULL: none */
    unsigned                 args_min, args_max;
    const struct cli_option *options;
    enum cli_exit (*run)(const struct cli *cli);
};

struct cli_program {
    const char                      *name;    /* "tallyctl" */
    const char                      *summary; /* one line */
    const char                      *version;
    const struct cli_command *const *commands; /* NULL behind the last */
};

/* Parses, runs the command, returns what main() returns. */
int cli_main(const struct cli_program *program, int argc, char *argv[]);

const char *cli_arg(const struct cli *cli, unsigned i); /* NULL past the last */
unsigned    cli_args_n(const struct cli *cli);
bool        cli_flag(const struct cli *cli, const char *name);
/* The value given last, else `initial`. */
const char *cli_value(const struct cli *cli, const char *name, const char *initial);
/* The i-th value of an option that may stand several times; NULL past the last. */
const char *cli_value_at(const struct cli *cli, const char *name, unsigned i);
/* A whole number; the default when the option is absent.  false: said so on stderr; the command
 * returns CLI_UNUSABLE. */
TLY_MUST bool cli_number(const struct cli *cli, const char *name, uint64_t initial, uint64_t min,
                         uint64_t max, uint64_t *out);

/* "tallyctl sign: TEXT" on stderr; returns `code`, so that a way out is one line. */
enum cli_exit cli_say(const struct cli *cli, enum cli_exit code, const char *format, ...)
    TLY_PRINTF(3, 4);
/* The same from an error and its diag: THEIRS that say "no" (forbidden, conflict, no key) end in
 * CLI_REFUSED, everything else in CLI_UNUSABLE. */
enum cli_exit cli_fail(const struct cli *cli, enum tly_err err, const struct tly_diag *diag);
