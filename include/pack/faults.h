/* SPDX-License-Identifier: Apache-2.0 */
/* What is wrong with a package: every fault with file, line and column, not only the first. */
#pragma once

#include <stdio.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/err.h"

#define FAULTS_MAX 1000 /* kept; all are counted */

struct fault {
    const char *file;         /* "candidates.csv" */
    uint32_t    line, column; /* from 1; 0: the file as a whole.  Column counts bytes. */
    const char *text;         /* one sentence with the value and what would be right */
};

struct faults {
    struct tly_arena *arena;
    struct fault     *list;
    uint32_t          kept; /* <= FAULTS_MAX */
    uint64_t          n;
};

void faults_add(struct faults *faults, const char *file, uint32_t line, uint32_t column,
                const char *format, ...) TLY_PRINTF(5, 6);
/* By file, line and column; the loaders do it before they return. */
void faults_sort(struct faults *faults);
/* DIR/FILE:LINE:COLUMN: TEXT for each that is kept, and how many more there are.  dir NULL: the
 * files are of several folders. */
void faults_print(const struct faults *faults, const char *dir, FILE *out);
