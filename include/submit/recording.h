/* SPDX-License-Identifier: Apache-2.0 */
/* Recordings: NDJSON of signed bundles, {"at_ms":N,"terminal":CODE,"envelope":{...}} a line. */
#pragma once

#include "base/arena.h"
#include "base/bytes.h"
#include "base/err.h"

#define RECORDING_LINE_MAX ((size_t)4 << 20)

struct recorded {
    uint64_t         at_ms;
    struct tly_bytes terminal; /* views of the mapped file */
    struct tly_bytes envelope; /* the exact bytes between "envelope": and the line's last brace */
};

struct recording {
    struct tly_bytes map; /* the whole file, mapped read-only */
    struct recorded *items;
    size_t           n;
};

/* Maps a file and finds its bundles.  Errors: TLY_EIO; TLY_EINPUT with the line; TLY_ENOMEM. */
TLY_MUST enum tly_err recording_open(const char *path, struct recording *out,
                                     struct tly_diag *diag);
void                  recording_close(struct recording *recording);
