/* SPDX-License-Identifier: Apache-2.0 */
/* tallyctl results --document: the results of an area as a document that officers sign. */
#pragma once

#include "remote.h"
#include "sys/cli.h"

/* Makes it from what the daemon shows at its published head, signs it with --key, writes it to -o.
 * Errors: those of remote.h; TLY_EINPUT an option; TLY_ECONFLICT the file is there. */
TLY_MUST enum tly_err results_document_make(const struct cli *cli, struct remote *remote,
                                            struct tly_arena *arena, struct tly_diag *diag);
