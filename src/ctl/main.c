/* SPDX-License-Identifier: Apache-2.0 */
/* tallyctl: administration of a tally server, and what observers need of it. */
#include <sodium.h>

#include "base/check.h"
#include "cmd.h"
#include "sys/version.h"

/* In the order of an operator's work: what --help lists. */
static const struct cli_command *const commands[] = {
    &ctl_migrate,   &ctl_election_open, &ctl_definition_check, &ctl_registry_check,
    &ctl_sign,      &ctl_key_new,       &ctl_key_public,       &ctl_pki_ca,
    &ctl_pki_issue, &ctl_pki_revoke,    &ctl_pki_list,         &ctl_status,
    &ctl_results,   &ctl_seats,         &ctl_branches,         &ctl_decide,
    &ctl_cosign,    &ctl_post,          &ctl_import,           &ctl_receipt_check,
    NULL,
};

int
main(int argc, char *argv[])
{
    const struct cli_program program = {
        .name     = "tallyctl",
        .summary  = "administration of a tally server",
        .version  = version_text(),
        .commands = commands,
    };
    TLY_CHECK(sodium_init() >= 0);
    return cli_main(&program, argc, argv);
}
