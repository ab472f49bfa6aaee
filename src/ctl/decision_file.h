/* SPDX-License-Identifier: Apache-2.0 */
/* The file that a decision, or a results document, travels in from officer to officer: its envelope, one line. */
#pragma once

#include "core/decision.h"

#define DECISION_FILE_ARENA ((size_t)16 << 20)

/* Errors: TLY_EINPUT it is no decision; those of file_read(). */
TLY_MUST enum tly_err decision_file_read(const char *path, struct tly_arena *arena,
                                         struct envelope *out, struct tly_bytes *text,
                                         struct tly_diag *diag);
/* A new one; path NULL: standard output.  Errors: TLY_ECONFLICT there is a file of that name, which
 * may hold others' signatures; TLY_EIO, TLY_ENOMEM. */
TLY_MUST enum tly_err decision_file_new(const char *path, struct tly_bytes envelope,
                                        struct tly_arena *arena, struct tly_diag *diag);
/* In place of the one that was read.  Errors: TLY_EIO, TLY_ENOMEM. */
TLY_MUST enum tly_err decision_file_write(const char *path, struct tly_bytes envelope,
                                          struct tly_arena *arena, struct tly_diag *diag);
