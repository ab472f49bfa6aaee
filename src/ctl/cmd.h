/* SPDX-License-Identifier: Apache-2.0 */
/* The commands of tallyctl, one file each; main.c lists them. */
#pragma once

#include "sys/cli.h"

extern const struct cli_command ctl_branches, ctl_cosign, ctl_decide, ctl_definition_check,
    ctl_election_open, ctl_import, ctl_key_new, ctl_key_public, ctl_migrate, ctl_pki_ca,
    ctl_pki_issue, ctl_pki_list, ctl_pki_revoke, ctl_post, ctl_receipt_check, ctl_registry_check,
    ctl_results, ctl_seats, ctl_sign, ctl_status;
