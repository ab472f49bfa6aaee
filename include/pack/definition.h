/* SPDX-License-Identifier: Apache-2.0 */
/* Definition packages on disk: read, check wholly, load (doc/formats.md). */
#pragma once

#include "core/election.h"
#include "pack/faults.h"
#include "pack/files.h"

/* Reads DIR/election.json and the six CSV files into the arena.
 * Errors: TLY_EINPUT at least one fault (in *faults); TLY_EIO a file cannot be read; TLY_ENOMEM. */
TLY_MUST enum tly_err definition_load(const char *dir, struct tly_arena *arena,
                                      struct election **out, struct faults *faults,
                                      struct tly_diag *diag);
/* The same of files from anywhere. */
TLY_MUST enum tly_err definition_read(const struct pack_files *files, struct tly_arena *arena,
                                      struct election **out, struct faults *faults,
                                      struct tly_diag *diag);
