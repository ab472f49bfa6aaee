/* SPDX-License-Identifier: Apache-2.0 */
/* The scrubber: the database against memory, once at the start and then for ever. */
#pragma once

#include "../service.h"

/* Once at the start, when the journal is settled: what the reading of the ledger did not look at.
 * had: entries that the database had before the journal put any back.
 * Errors: TLY_ECORRUPT names the row; TLY_EIO; TLY_ENOMEM; TLY_EBUSY the database is away. */
TLY_MUST enum tly_err scrub_begin(struct service *service, uint64_t had, struct tly_diag *diag);
/* From then on, in a thread of its own, unless the setting says no.  Errors: TLY_EIO no thread. */
TLY_MUST enum tly_err scrub_run(struct service *service, struct tly_diag *diag);
/* Seals what came since the last pass; the sequencer must have ended. */
void scrub_end(struct service *service);
