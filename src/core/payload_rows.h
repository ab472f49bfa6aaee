/* SPDX-License-Identifier: Apache-2.0 */
/* Codes that stand twice among the rows of one contest, found without memory. */
#pragma once

#include "core/payload.h"

/* Is a code twice among the rows?  *row is then the second of the two.  Sorts places in
 * rows[].order, if the codes do not ascend already: a sender can make this n log n and no worse. */
bool payload_rows_repeat(struct payload_vote rows[], uint32_t n, uint32_t *row);
