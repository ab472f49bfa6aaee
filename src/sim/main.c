/* SPDX-License-Identifier: Apache-2.0 */
/* tallysim: terminals that make, enrol, record and replay a rehearsal election. */
#include "cmd.h"
#include "sys/version.h"

static const struct cli_command *const commands[] = {&sim_make,  &sim_enrol,  &sim_record,
                                                     &sim_check, &sim_replay, NULL};

int
main(int argc, char *argv[])
{
    const struct cli_program program = {
        .name     = "tallysim",
        .summary  = "rehearsal elections and the terminals that send them",
        .version  = version_text(),
        .commands = commands,
    };
    return cli_main(&program, argc, argv);
}
