/* SPDX-License-Identifier: Apache-2.0 */
/* RFC 4180 in place: fields become C strings inside the file's own bytes, so that a country's
 * tables cost no copy.  Every fault is reported with line and byte column, and reading goes on with
 * the next row. */
#pragma once

#include "base/arena.h"
#include "base/bytes.h"
#include "pack/faults.h"

#define CSV_COLUMNS_MAX 16

struct csv {
    const char    *file; /* as faults name it */
    struct faults *faults;
    uint8_t       *p, *end, *line_start;
    const char    *names[CSV_COLUMNS_MAX]; /* of the columns; a comma or the end stands behind */
    unsigned       columns_n;
    uint32_t       rows_max; /* no more rows than this follow the header */
    uint32_t       next_line;
    bool           cut; /* a quote was never closed: what stands behind it was not read */
    /* the row that csv_next() read last */
    uint32_t         line;                     /* where the row begins */
    uint32_t         lines[CSV_COLUMNS_MAX];   /* where each field begins */
    uint32_t         columns[CSV_COLUMNS_MAX]; /* in bytes, from 1 */
    struct tly_bytes fields[CSV_COLUMNS_MAX];  /* a NUL stands behind each */
};

/* Begins to read; data is changed in place and lives as long as the fields; data[len] must be
 * writable.  header is the row that must stand first ("branch,contest").
 * false: it does not, or the text holds a NUL or is not UTF-8: a fault for each such line. */
TLY_MUST bool csv_open(struct csv *csv, const char *file, uint8_t *data, size_t len,
                       const char *header, struct faults *faults);
/* The next good row; rows with a fault are passed over.  false: the end. */
TLY_MUST bool csv_next(struct csv *csv);
/* The field as a C string. */
const char *csv_text(const struct csv *csv, unsigned field);
/* A fault at a field of the row last read; the column's name stands before the text. */
void csv_fault(const struct csv *csv, unsigned field, const char *format, ...) TLY_PRINTF(3, 4);
