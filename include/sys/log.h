/* SPDX-License-Identifier: Apache-2.0 */
/* Log lines on stderr, `<level>event key=value ...`, as journald reads them.
 *
 * ERR: someone must act.  WARNING: we coped.  NOTICE: life cycle.  INFO: one line a request.  Never
 * a key, a token or a ballot; strings from outside go through log_text() or log_why().  `error=` is a
 * name (EINPUT, EMFILE), `why=` a reason for a person. */
#pragma once

#include <syslog.h> /* LOG_ERR LOG_WARNING LOG_NOTICE LOG_INFO LOG_DEBUG */

#include "base/attr.h"
#include "base/bytes.h"

#define LOG_LINE_MAX 1024 /* bytes of a line with its newline; the rest is cut */
#define LOG_TEXT_MAX 64   /* bytes of a foreign string; the rest is cut */
#define LOG_WHY_MAX  640  /* characters of a reason, escaped and without its quotes */

/* Writes one line by one write(); any thread.  event is a constant ("record.accept"), listed in
 * doc/operations.md; a control character that gets into the line is written as '?'. */
void log_event(int level, const char *event, const char *format, ...) TLY_PRINTF(3, 4);
/* Lines above this level are dropped: LOG_INFO at first. */
void log_level(int level_max);

/* A foreign string made harmless: quoted, cut at LOG_TEXT_MAX bytes (then "..." follows the quote),
 * everything but printable ASCII as \xNN, quote and backslash escaped.
 * Use: log_event(LOG_INFO, "x.refuse", "path=%s", log_text(path).s); */
struct log_text {
    char s[4 * LOG_TEXT_MAX + 6];
};
struct log_text log_text(struct tly_bytes foreign);
/* A reason, the value of `why=`: a diag's or a fault's text may carry what a file or a sender said.
 * As above, but cut at LOG_WHY_MAX characters. */
struct log_why {
    char s[LOG_WHY_MAX + 6];
};
struct log_why log_why(const char *text);
