/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "sys/clock.h"

#define QUIET_MS     1000 /* what is done by then needs no line */
#define TTY_EVERY_MS 200
#define LOG_EVERY_MS 5000

void
progress_begin(struct progress_line *progress, const char *label, uint64_t total)
{
    *progress = (struct progress_line){.label      = label,
                                       .total      = total,
                                       .started_ms = clock_mono_ms(),
                                       .fd         = STDERR_FILENO,
                                       .tty        = isatty(STDERR_FILENO) == 1};
}

static void
show(struct progress_line *progress, uint64_t done, uint64_t now_ms, bool last)
{
    const uint64_t    ms   = now_ms - progress->started_ms;
    const uint64_t    rate = ms == 0 ? 0 : done * 1000 / ms;
    const char *const cr   = progress->tty ? "\r\033[K" : "";
    const char *const nl   = progress->tty && !last ? "" : "\n";
    char              line[256];
    int               len;
    if (progress->total > 0) {
        len = snprintf(line, sizeof line,
                       "%s%s: %" PRIu64 " of %" PRIu64 " (%" PRIu64 " %%), %" PRIu64 "/s, %" PRIu64
                       " s%s",
                       cr, progress->label, done, progress->total, done * 100 / progress->total,
                       rate, ms / 1000, nl);
    } else {
        len = snprintf(line, sizeof line, "%s%s: %" PRIu64 ", %" PRIu64 "/s, %" PRIu64 " s%s", cr,
                       progress->label, done, rate, ms / 1000, nl);
    }
    if (len > 0 && (size_t)len < sizeof line) {
        const ssize_t written = write(progress->fd, line, (size_t)len);
        (void)written; /* nobody watches */
    }
    progress->shown_ms = now_ms;
}

void
progress_step(struct progress_line *progress, uint64_t done)
{
    const uint64_t now   = clock_mono_ms();
    const uint64_t every = progress->tty ? TTY_EVERY_MS : LOG_EVERY_MS;
    if (now - progress->started_ms < QUIET_MS ||
        (progress->shown_ms != 0 && now - progress->shown_ms < every)) {
        return;
    }
    show(progress, done, now, false);
}

void
progress_end(struct progress_line *progress, uint64_t done)
{
    if (progress->shown_ms != 0) {
        show(progress, done, clock_mono_ms(), true);
    }
}
