/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

static atomic_int level_now = LOG_INFO;

void
log_level(int level_max)
{
    atomic_store_explicit(&level_now, level_max, memory_order_relaxed);
}

/* Keeps what snprintf wrote, cut to what there was room for. */
static size_t
fitting(int written, size_t room)
{
    if (written < 0) {
        return 0;
    }
    return (size_t)written < room ? (size_t)written : room - 1;
}

void
log_event(int level, const char *event, const char *format, ...)
{
    if (level > atomic_load_explicit(&level_now, memory_order_relaxed)) {
        return;
    }
    char   line[LOG_LINE_MAX + 1]; /* the newline takes the place of the NUL */
    size_t len = fitting(snprintf(line, LOG_LINE_MAX, "<%d>%s ", level, event), LOG_LINE_MAX);

    va_list args;
    va_start(args, format);
    len += fitting(vsnprintf(line + len, LOG_LINE_MAX - len, format, args), LOG_LINE_MAX - len);
    va_end(args);

    for (size_t i = 0; i < len; i++) {
        if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f) {
            line[i] = '?';
        }
    }
    if (len > 0 && line[len - 1] == ' ') {
        len--; /* an event without values */
    }
    line[len++] = '\n';
    /* Nobody can be told that stderr is gone. */
    const ssize_t done = write(STDERR_FILENO, line, len);
    (void)done;
}

struct log_text
log_text(struct tly_bytes foreign)
{
    static const char digits[] = "0123456789abcdef";
    struct log_text   out;
    char             *p = out.s;
    *p++                = '"';
    for (size_t i = 0; i < foreign.len && i < LOG_TEXT_MAX; i++) {
        const uint8_t c = foreign.data[i];
        if (c < 0x20 || c > 0x7e) {
            *p++ = '\\';
            *p++ = 'x';
            *p++ = digits[c >> 4];
            *p++ = digits[c & 15];
        } else {
            if (c == '"' || c == '\\') {
                *p++ = '\\';
            }
            *p++ = (char)c;
        }
    }
    *p++ = '"';
    if (foreign.len > LOG_TEXT_MAX) {
        *p++ = '.';
        *p++ = '.';
        *p++ = '.';
    }
    *p = '\0';
    return out;
}
