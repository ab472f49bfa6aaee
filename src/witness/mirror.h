/* SPDX-License-Identifier: Apache-2.0 */
/* A whole copy of each log that is witnessed: tiles, entries, envelopes, documents, each verified
 * against a head that we cosigned before it is kept.  In the background: a cosignature says that the
 * log only grew, which the proof shows alone, and must not wait for the log's own server. */
#pragma once

#include "heads.h"
#include "settings.h"

struct mirror;

/* Opens the folders and starts a thread a log.  Everything is borrowed.
 * Errors: TLY_EINPUT a log has no URL or two have the same folder's name; TLY_EIO, TLY_ENOMEM. */
TLY_MUST enum tly_err mirror_start(const struct settings *settings, const struct trust *policy,
                                   struct heads *heads, struct mirror **out, struct tly_diag *diag);
/* Whatever a log's server does, this takes no longer than a look-up of its name.  NULL is fine. */
void mirror_stop(struct mirror *mirror);
/* A head was cosigned: looks at once; any thread. */
void mirror_wake(void *mirror);
