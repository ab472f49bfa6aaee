/* SPDX-License-Identifier: Apache-2.0 */
/* A progress line on stderr for what takes more than a second: rewritten in place on a terminal, a
 * line every few seconds elsewhere, nothing at all for what is quick. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* In the caller's storage; one thread at a time. */
struct progress_line {
    const char *label; /* borrowed: "replaying" */
    uint64_t    total; /* 0: not known */
    uint64_t    started_ms;
    uint64_t    shown_ms; /* 0: not yet */
    int         fd;
    bool        tty;
};

void progress_begin(struct progress_line *progress, const char *label, uint64_t total);
/* Cheap enough to call for each of a million steps. */
void progress_step(struct progress_line *progress, uint64_t done);
/* The last line, if anything was shown. */
void progress_end(struct progress_line *progress, uint64_t done);
