/* SPDX-License-Identifier: Apache-2.0 */
/* Published results documents: do they follow from the log? */
#pragma once

#include "recount.h"

/* Judges a results document whose syntax is good, before it is taken: result.serial, and result.numbers,
 * which goes to v->findings by its contests.  Errors: TLY_ENOMEM. */
TLY_MUST enum tly_err announce_judge(struct verify *v, struct item *item, uint64_t position);
