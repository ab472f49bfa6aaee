/* SPDX-License-Identifier: Apache-2.0 */
/* Registry packages on disk: read, check wholly, load (doc/formats.md). */
#pragma once

#include "core/registry.h"
#include "pack/faults.h"
#include "pack/files.h"

/* Reads DIR/terminals.csv, clients.csv, officers.csv against a loaded election.  Errors as
 * definition_load(); small-order signing keys are faults. */
TLY_MUST enum tly_err registry_load(const char *dir, const struct election *election,
                                    struct tly_arena *arena, struct registry **out,
                                    struct faults *faults, struct tly_diag *diag);
/* The same of files from anywhere. */
TLY_MUST enum tly_err registry_read(const struct pack_files *files, const struct election *election,
                                    struct tly_arena *arena, struct registry **out,
                                    struct faults *faults, struct tly_diag *diag);
