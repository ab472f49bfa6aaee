/* SPDX-License-Identifier: Apache-2.0 */
/* Files of signed bundles, told apart by their content: a recording, NDJSON of
 * {"at_ms":N,"terminal":CODE,"envelope":{...}}; NDJSON of envelopes; or one envelope, which may be
 * written over several lines. */
#pragma once

#include "base/arena.h"
#include "base/bytes.h"
#include "base/err.h"

#define RECORDING_LINE_MAX ((size_t)4 << 20)

struct recorded {
    uint64_t         at_ms;    /* 0 for an envelope alone */
    struct tly_bytes terminal; /* views of the mapped file; "" for an envelope alone */
    struct tly_bytes envelope; /* its exact bytes; empty: the line is no bundle (recording_scan) */
    size_t           line;     /* from 1 */
};

struct recording {
    struct tly_bytes map; /* the whole file, mapped read-only */
    struct recorded *items;
    size_t           n;
};

/* Maps a file and finds its bundles.  Errors: TLY_EIO; TLY_EINPUT with the line; TLY_ENOMEM. */
TLY_MUST enum tly_err recording_open(const char *path, struct recording *out,
                                     struct tly_diag *diag);
/* The same, but a line that is no bundle is an item without an envelope. */
TLY_MUST enum tly_err recording_scan(const char *path, struct recording *out,
                                     struct tly_diag *diag);
void                  recording_close(struct recording *recording);
