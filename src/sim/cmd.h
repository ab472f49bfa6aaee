/* SPDX-License-Identifier: Apache-2.0 */
/* The commands of tallysim, one file each; main.c lists them. */
#pragma once

#include "sys/cli.h"

extern const struct cli_command sim_check, sim_enrol, sim_make, sim_record, sim_replay;
