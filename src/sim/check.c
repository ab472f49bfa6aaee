/* SPDX-License-Identifier: Apache-2.0 */
/* tallysim check: what a terminal does before it sends, with the daemon's own checks. */
#include "submit/check.h"

#include "cmd.h"

static const struct cli_option options[] = {
    SUBMIT_CHECK_OPTIONS, {"json", NULL, "a JSON object a bundle", false}, {NULL}};

const struct cli_command sim_check = {
    .name    = "check",
    .args    = "FILE...",
    .summary = "what the daemon would say to these bundles, before they are sent",
    .more =
        "FILE is a recording, NDJSON of envelopes, or one envelope.  Prints every finding with "
        "its field and\n"
        "values, in English and Persian, and what to do.  Exit status 0: all would be counted, "
        "with or\n"
        "without flags; 1: something would be held or refused; 2: a file or a line is no bundle.",
    .args_min = 1,
    .args_max = 10000,
    .options  = options,
    .run      = submit_check,
};
