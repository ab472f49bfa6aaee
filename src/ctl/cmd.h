/* SPDX-License-Identifier: Apache-2.0 */
/* The commands of tallyctl, one file each; main.c lists them. */
#pragma once

#include "sys/cli.h"

extern const struct cli_command ctl_branches, ctl_election_open, ctl_import, ctl_migrate,
    ctl_receipt_check, ctl_results, ctl_status;
