/* SPDX-License-Identifier: Apache-2.0 */
#include "pack/csv.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "utf8.h"

#define HEADER_SHOWN_MAX 120

/* Reports each line that holds what no text may hold. */
static bool
text_check(const struct csv *csv, const uint8_t *data, size_t len)
{
    const uint8_t *p          = data;
    const uint8_t *end        = data + len;
    const uint8_t *line_start = data;
    uint32_t       line       = 1;
    bool           good       = true;
    while (p < end) {
        const size_t run = utf8_good(p, (size_t)(end - p));
        for (const uint8_t *q = p; q < p + run; q++) {
            if (*q == '\n') {
                line++;
                line_start = q + 1;
            }
        }
        p += run;
        if (p == end) {
            break;
        }
        faults_add(csv->faults, csv->file, line, (uint32_t)(p - line_start) + 1, "byte 0x%02x: %s",
                   *p, *p == 0 ? "a NUL is no text" : "the text is not UTF-8");
        good               = false;
        const uint8_t *eol = memchr(p, '\n', (size_t)(end - p));
        p                  = eol == NULL ? end : eol;
    }
    return good;
}

static void
names_split(struct csv *csv, const char *header)
{
    const char *p = header;
    for (;;) {
        TLY_CHECK(csv->columns_n < CSV_COLUMNS_MAX);
        csv->names[csv->columns_n++] = p;
        p                            = strchr(p, ',');
        if (p == NULL) {
            return;
        }
        p++;
    }
}

static void
rows_estimate(struct csv *csv)
{
    for (const uint8_t *q = csv->p; q < csv->end;) {
        q = memchr(q, '\n', (size_t)(csv->end - q));
        q = q == NULL ? csv->end : q + 1;
        csv->rows_max++;
    }
}

bool
csv_open(struct csv *csv, const char *file, uint8_t *data, size_t len, const char *header,
         struct faults *faults)
{
    *csv = (struct csv){
        .file = file, .faults = faults, .p = data, .end = data + len, .line_start = data};
    names_split(csv, header);
    if (!text_check(csv, data, len)) {
        return false;
    }
    const size_t   head_len = strlen(header);
    const uint8_t *eol      = memchr(data, '\n', len);
    const size_t   got_len  = eol == NULL ? len : (size_t)(eol - data);
    if (got_len != head_len || memcmp(data, header, head_len) != 0) {
        const size_t shown = got_len < HEADER_SHOWN_MAX ? got_len : HEADER_SHOWN_MAX;
        const bool   cr    = got_len > 0 && data[got_len - 1] == '\r';
        faults_add(faults, file, 1, 1, "the header row is \"%.*s\"%s, it must be \"%s\"",
                   (int)(cr && shown == got_len ? shown - 1 : shown), (const char *)data,
                   cr ? " with a carriage return behind" : "", header);
        return false;
    }
    csv->p += head_len + (eol == NULL ? 0 : 1);
    csv->line_start = csv->p;
    csv->next_line  = 2;
    rows_estimate(csv);
    return true;
}

static uint32_t
column_of(const struct csv *csv, const uint8_t *at)
{
    return (uint32_t)(at - csv->line_start) + 1;
}

static void
fault_here(const struct csv *csv, const uint8_t *at, const char *text)
{
    faults_add(csv->faults, csv->file, csv->next_line, column_of(csv, at), "%s", text);
}

/* How a field ended. */
enum ended { ENDED_FIELD, ENDED_ROW, ENDED_BAD };

/* Behind a field a comma or the row's end.  Writes the NUL at `to`, which is never behind p. */
static enum ended
field_end(struct csv *csv, uint8_t *to)
{
    if (csv->p == csv->end) {
        *to = '\0';
        return ENDED_ROW;
    }
    const uint8_t c = *csv->p;
    if (c == ',') {
        *to = '\0';
        csv->p++;
        return ENDED_FIELD;
    }
    if (c == '\n') {
        *to = '\0';
        csv->p++;
        csv->next_line++;
        csv->line_start = csv->p;
        return ENDED_ROW;
    }
    fault_here(csv, csv->p,
               c == '\r' ? "a carriage return: lines end with a line feed alone"
                         : "behind the closing quote a comma or the line's end must follow");
    return ENDED_BAD;
}

static enum ended
field_quoted(struct csv *csv, struct tly_bytes *out)
{
    const uint32_t line   = csv->next_line;
    const uint32_t column = column_of(csv, csv->p);
    uint8_t       *from   = ++csv->p;
    uint8_t       *to     = from;
    for (;; csv->p++) {
        if (csv->p == csv->end) {
            faults_add(csv->faults, csv->file, line, column,
                       "the quote that opens here is never closed");
            csv->cut = true;
            return ENDED_BAD;
        }
        if (*csv->p == '"') {
            csv->p++;
            if (csv->p == csv->end || *csv->p != '"') {
                break;
            }
        } else if (*csv->p == '\n') {
            csv->next_line++;
            csv->line_start = csv->p + 1;
        }
        *to++ = *csv->p;
    }
    *out = (struct tly_bytes){from, (size_t)(to - from)};
    return field_end(csv, to);
}

static enum ended
field_plain(struct csv *csv, struct tly_bytes *out)
{
    uint8_t *from = csv->p;
    while (csv->p < csv->end && *csv->p != ',' && *csv->p != '\n' && *csv->p != '\r' &&
           *csv->p != '"') {
        csv->p++;
    }
    if (csv->p < csv->end && *csv->p == '"') {
        fault_here(csv, csv->p, "a quote inside a field that does not begin with one");
        return ENDED_BAD;
    }
    *out = (struct tly_bytes){from, (size_t)(csv->p - from)};
    return field_end(csv, csv->p);
}

static void
skip_line(struct csv *csv)
{
    uint8_t *eol = csv->p < csv->end ? memchr(csv->p, '\n', (size_t)(csv->end - csv->p)) : NULL;
    csv->p       = eol == NULL ? csv->end : eol + 1;
    csv->next_line++;
    csv->line_start = csv->p;
}

/* One row into fields[]; false: it has a fault. */
static bool
row_read(struct csv *csv)
{
    const uint8_t *start = csv->p;
    unsigned       n     = 0;
    enum ended     ended = ENDED_FIELD;
    for (csv->line = csv->next_line; ended == ENDED_FIELD; n++) {
        struct tly_bytes field = {0};
        const uint32_t   line  = csv->next_line;
        const uint32_t   col   = column_of(csv, csv->p);
        const bool       quote = csv->p < csv->end && *csv->p == '"';
        ended                  = quote ? field_quoted(csv, &field) : field_plain(csv, &field);
        if (ended == ENDED_BAD) {
            skip_line(csv);
            return false;
        }
        if (n < csv->columns_n) {
            csv->fields[n]  = field;
            csv->lines[n]   = line;
            csv->columns[n] = col;
        }
    }
    if (n != csv->columns_n) {
        const bool empty = n == 1 && csv->p - start <= 1;
        faults_add(csv->faults, csv->file, csv->line, 1, "%s, there must be %u fields",
                   empty ? "an empty line"
                         : (n < csv->columns_n ? "too few fields" : "too many fields"),
                   csv->columns_n);
        return false;
    }
    return true;
}

bool
csv_next(struct csv *csv)
{
    while (csv->p < csv->end) {
        if (row_read(csv)) {
            return true;
        }
    }
    return false;
}

const char *
csv_text(const struct csv *csv, unsigned field)
{
    return (const char *)csv->fields[field].data;
}

void
csv_fault(const struct csv *csv, unsigned field, const char *format, ...)
{
    char    text[320];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    const char *name = csv->names[field];
    faults_add(csv->faults, csv->file, csv->lines[field], csv->columns[field], "%.*s %s",
               (int)strcspn(name, ","), name, text);
}
