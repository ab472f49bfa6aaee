/* SPDX-License-Identifier: Apache-2.0 */
#include "submit/recording.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/num.h"
#include "sys/file.h"

#define TIME_MS_MAX 999999999999999999 /* of a bundle in a recording; times 1000 it still fits */

/* A cursor over one line.  The line's members are found without a JSON tree: the envelope must
 * leave as the bytes that were recorded, and a tree of 80,000 of them would take seconds. */
struct scan {
    const uint8_t *p, *end;
};

static void
scan_space(struct scan *s)
{
    while (s->p < s->end && (*s->p == ' ' || *s->p == '\t' || *s->p == '\r')) {
        s->p++;
    }
}

static bool
scan_char(struct scan *s, char c)
{
    scan_space(s);
    if (s->p == s->end || *s->p != (uint8_t)c) {
        return false;
    }
    s->p++;
    return true;
}

/* A string's inside, escapes left as they are. */
static bool
scan_string(struct scan *s, struct tly_bytes *out)
{
    if (!scan_char(s, '"')) {
        return false;
    }
    out->data = s->p;
    while (s->p < s->end && *s->p != '"' && *s->p != '\n') { /* JSON has no raw LF in strings */
        s->p += *s->p == '\\' && s->p + 1 < s->end ? 2 : 1;
    }
    if (s->p >= s->end || *s->p != '"') {
        return false;
    }
    out->len = (size_t)(s->p - out->data);
    s->p++;
    return true;
}

static bool
scan_number(struct scan *s, uint64_t *out)
{
    scan_space(s);
    const uint8_t *first = s->p;
    while (s->p < s->end && *s->p >= '0' && *s->p <= '9') {
        s->p++;
    }
    return tly_u64_parse((struct tly_bytes){first, (size_t)(s->p - first)}, TIME_MS_MAX, out);
}

/* An object with everything in it, by its braces. */
static bool
scan_object(struct scan *s, struct tly_bytes *out)
{
    scan_space(s);
    const uint8_t *first = s->p;
    ptrdiff_t      depth = 0; /* of a file of any length */
    while (s->p < s->end) {
        struct tly_bytes text;
        if (*s->p == '"') {
            if (!scan_string(s, &text)) {
                return false;
            }
            continue;
        }
        depth += (*s->p == '{') - (*s->p == '}');
        s->p++;
        if (depth <= 0) {
            *out = (struct tly_bytes){first, (size_t)(s->p - first)};
            return *first == '{';
        }
    }
    return false;
}

static bool
scan_member(struct scan *s, struct recorded *item)
{
    struct tly_bytes key;
    if (!scan_string(s, &key) || !scan_char(s, ':')) {
        return false;
    }
    if (tly_bytes_eq(key, tly_text("at_ms"))) {
        return scan_number(s, &item->at_ms);
    }
    if (tly_bytes_eq(key, tly_text("terminal"))) {
        return scan_string(s, &item->terminal);
    }
    return tly_bytes_eq(key, tly_text("envelope")) && scan_object(s, &item->envelope);
}

static bool
scan_line(struct tly_bytes line, struct recorded *item)
{
    struct scan s = {line.data, line.data + line.len};
    if (!scan_char(&s, '{')) {
        return false;
    }
    do {
        if (!scan_member(&s, item)) {
            return false;
        }
    } while (scan_char(&s, ','));
    const bool closed = scan_char(&s, '}');
    scan_space(&s);
    return closed && s.p == s.end && item->envelope.len > 0 && item->terminal.len > 0;
}

static bool
is_space(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* An object, alone, in which a key "payload" stands: an envelope, good or bad. */
static bool
scan_envelope(struct tly_bytes text, struct recorded *item)
{
    struct scan      s = {text.data, text.data + text.len};
    struct tly_bytes object, word;
    ptrdiff_t        depth = 0;
    if (!scan_object(&s, &object) || s.p != s.end) {
        return false;
    }
    for (s.p = object.data; s.p < s.end;) {
        if (*s.p != '"') {
            depth += (*s.p == '{' || *s.p == '[') - (*s.p == '}' || *s.p == ']');
            s.p++;
            continue;
        }
        if (!scan_string(&s, &word)) {
            return false;
        }
        while (s.p < s.end && is_space(*s.p)) {
            s.p++;
        }
        if (depth == 1 && s.p < s.end && *s.p == ':' && tly_bytes_eq(word, tly_text("payload"))) {
            item->at_ms    = 0;
            item->terminal = tly_text("");
            item->envelope = object;
            return true;
        }
    }
    return false;
}

static struct tly_bytes
trimmed(struct tly_bytes text)
{
    while (text.len > 0 && is_space(text.data[0])) {
        text.data++;
        text.len--;
    }
    while (text.len > 0 && is_space(text.data[text.len - 1])) {
        text.len--;
    }
    return text;
}

static enum tly_err
map_file(const char *path, struct tly_bytes *out, struct tly_diag *diag)
{
    TLY_AUTO(fd) int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat      st;
    if (fd < 0 || fstat(fd, &st) != 0) {
        return tly_fail(diag, TLY_EIO, "%s: %s", path, strerrordesc_np(errno));
    }
    if (!S_ISREG(st.st_mode) && st.st_size > 0) {
        return tly_fail(diag, TLY_EINPUT, "%s: a folder or a device, not a recording", path);
    }
    if (st.st_size == 0) {
        return tly_fail(diag, TLY_EINPUT, "%s: empty, no bundle to send", path);
    }
    void *p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (p == MAP_FAILED) {
        return tly_fail(diag, TLY_EIO, "%s: %s", path, strerrordesc_np(errno));
    }
    *out = (struct tly_bytes){p, (size_t)st.st_size};
    return TLY_OK;
}

static size_t
count_lines(struct tly_bytes text)
{
    size_t n = 1;
    for (const uint8_t *p = text.data;
         (p = memchr(p, '\n', (size_t)(text.data + text.len - p))) != NULL; p++) {
        n++;
    }
    return n;
}

static enum tly_err
find_items(struct recording *r, const char *path, bool strict, struct tly_diag *diag)
{
    const uint8_t *p = r->map.data, *end = r->map.data + r->map.len;
    if (scan_envelope(trimmed(r->map), &r->items[0])) {
        r->items[0].line = count_lines((struct tly_bytes){p, (size_t)(trimmed(r->map).data - p)});
        r->n             = 1;
        return TLY_OK;
    }
    for (size_t line = 1; p < end; line++) {
        const uint8_t         *nl   = memchr(p, '\n', (size_t)(end - p));
        const size_t           len  = (size_t)((nl == NULL ? end : nl) - p);
        const struct tly_bytes text = trimmed((struct tly_bytes){p, len});
        p += len + 1;
        if (text.len == 0) {
            continue;
        }
        struct recorded *item = &r->items[r->n++];
        item->line            = line;
        if (len <= RECORDING_LINE_MAX && (scan_line(text, item) || scan_envelope(text, item))) {
            continue;
        }
        if (strict) {
            return tly_fail(diag, TLY_EINPUT,
                            "%s:%zu: not a recorded bundle "
                            "{\"at_ms\":N,\"terminal\":CODE,\"envelope\":{...}}, nor an envelope; "
                            "no line of the file is taken; import --check names all such",
                            path, line);
        }
        *item = (struct recorded){.terminal = tly_text(""), .line = line};
    }
    return r->n > 0 ? TLY_OK : tly_fail(diag, TLY_EINPUT, "%s: only empty lines, no bundle", path);
}

static enum tly_err
open_as(const char *path, bool strict, struct recording *out, struct tly_diag *diag)
{
    struct recording r   = {0};
    enum tly_err     err = map_file(path, &r.map, diag);
    if (err != TLY_OK) {
        return err;
    }
    r.items = calloc(count_lines(r.map), sizeof *r.items);
    err     = r.items == NULL ? tly_fail(diag, TLY_ENOMEM, "%s: no memory for its index", path)
                              : find_items(&r, path, strict, diag);
    if (err != TLY_OK) {
        recording_close(&r);
        return err;
    }
    *out = r;
    return TLY_OK;
}

enum tly_err
recording_open(const char *path, struct recording *out, struct tly_diag *diag)
{
    return open_as(path, true, out, diag);
}

enum tly_err
recording_scan(const char *path, struct recording *out, struct tly_diag *diag)
{
    return open_as(path, false, out, diag);
}

void
recording_close(struct recording *recording)
{
    if (recording->map.len > 0) {
        (void)munmap((void *)(uintptr_t)recording->map.data, recording->map.len);
    }
    free(recording->items);
    *recording = (struct recording){0};
}
