/* SPDX-License-Identifier: Apache-2.0 */
/* What the entries before one say: payloads, revisions, the election, the time.  By texts and hashes alone,
 * so that it works without the packages, too. */
#pragma once

#include "base/bytes.h"
#include "base/err.h"
#include "core/leaf.h"

struct ledger; /* one thread at a time */

/* Errors: TLY_ENOMEM. */
TLY_MUST enum tly_err ledger_new(struct ledger **out);
void                  ledger_free(struct ledger *ledger); /* NULL is fine */

/* Checks a leaf against those before it, and takes it in.  Positions ascend; those that could not be read
 * are left out.
 *
 * skip:    FOUND_BITs of the entry so far; a bundle with leaf.branch does not become its branch's newest.
 * Returns: in *found the FOUND_BITs of leaf.genesis, leaf.election, leaf.time, revision.*,
 *          payload.twice and conflict.first.
 * Errors:  TLY_ENOMEM. */
TLY_MUST enum tly_err ledger_take(struct ledger *ledger, uint64_t position, const struct leaf *leaf,
                                  uint64_t skip, uint64_t *found);
