/* SPDX-License-Identifier: Apache-2.0 */
/* What the daemon would answer, without asking it: `tallyctl import --check` and `tallysim check`. */
#pragma once

#include "sys/cli.h"

/* Rows of a command's options; `import` adds its own --check. */
#define SUBMIT_CHECK_OPTIONS                                                                       \
    {"registry", "DIR", "the registry to check against (default: /etc/tallyd/registry)", false},   \
    {                                                                                              \
        "definition", "DIR", "the definition (default: REGISTRY/../definition)", false             \
    }

/* Reads the bundles of all files that are the command's arguments, runs the daemon's own checks,
 * and prints for each what the answer would be with every finding, in English and Persian; a JSON
 * object a bundle with the flag "json", which the command must have.  P08 is looked for among these
 * files.  What the daemon has logged is not known here: whether a revision follows the one before,
 * contradicts it or is the same again.
 *
 * Returns CLI_DONE: all would be counted, flagged or not; CLI_REFUSED: something would be held or
 * refused; CLI_UNUSABLE: a package, a file or a line could not be read (the others were). */
enum cli_exit submit_check(const struct cli *cli);
