/* SPDX-License-Identifier: Apache-2.0 */
/* Files that must not be there yet: keys and certificates are never overwritten. */
#pragma once

#include <sys/types.h>

#include "base/bytes.h"
#include "base/err.h"

/* Errors: TLY_ECONFLICT there is one already; TLY_EIO (nothing is left behind). */
TLY_MUST enum tly_err newfile_write(const char *path, struct tly_bytes data, mode_t mode,
                                    struct tly_diag *diag);
