/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#define ESCAPED_MAX 4 /* characters of a byte: \xNN */

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

/* A byte in at most ESCAPED_MAX characters; how many. */
static size_t
escape(uint8_t c, char out[ESCAPED_MAX])
{
    static const char digits[] = "0123456789abcdef";
    if (c < 0x20 || c > 0x7e) {
        memcpy(out, (char[]){'\\', 'x', digits[c >> 4], digits[c & 15]}, 4);
        return 4;
    }
    const bool   marked = c == '"' || c == '\\';
    const size_t n      = marked ? 2 : 1;
    out[0]              = '\\';
    out[n - 1]          = (char)c;
    return n;
}

/* Quotes what fits into out whole: chars_max characters of escaped text. */
static void
quote(struct tly_bytes foreign, char *out, size_t chars_max)
{
    char  *p = out;
    size_t i = 0;
    *p++     = '"';
    for (; i < foreign.len; i++) {
        char         escaped[ESCAPED_MAX];
        const size_t n = escape(foreign.data[i], escaped);
        if (n > chars_max) {
            break;
        }
        memcpy(p, escaped, n);
        p += n;
        chars_max -= n;
    }
    const char *end = i < foreign.len ? "\"..." : "\"";
    memcpy(p, end, strlen(end) + 1);
}

struct log_text
log_text(struct tly_bytes foreign)
{
    struct log_text  out;
    struct tly_bytes first = {foreign.data,
                              foreign.len < LOG_TEXT_MAX ? foreign.len : LOG_TEXT_MAX};
    quote(first, out.s, ESCAPED_MAX * LOG_TEXT_MAX);
    if (first.len < foreign.len) {
        memcpy(out.s + strlen(out.s), "...", 4);
    }
    return out;
}

struct log_why
log_why(const char *text)
{
    struct log_why out;
    quote(tly_text(text), out.s, LOG_WHY_MAX);
    return out;
}
