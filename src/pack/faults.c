/* SPDX-License-Identifier: Apache-2.0 */
#include "pack/faults.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>

#define TEXT_MAX 400

void
faults_add(struct faults *faults, const char *file, uint32_t line, uint32_t column,
           const char *format, ...)
{
    faults->n++;
    if (faults->list == NULL) {
        faults->list = TLY_NEW(faults->arena, struct fault, FAULTS_MAX);
    }
    if (faults->list == NULL || faults->kept == FAULTS_MAX) {
        return;
    }
    char    text[TEXT_MAX];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    const char *kept = tly_arena_text(faults->arena, tly_text(text));
    if (kept != NULL) {
        faults->list[faults->kept++] = (struct fault){file, line, column, kept};
    }
}

static int
by_place(const void *a, const void *b)
{
    const struct fault *x    = a;
    const struct fault *y    = b;
    const int           file = strcmp(x->file, y->file);
    if (file != 0) {
        return file;
    }
    if (x->line != y->line) {
        return x->line < y->line ? -1 : 1;
    }
    if (x->column != y->column) {
        return x->column < y->column ? -1 : 1;
    }
    return strcmp(x->text, y->text);
}

void
faults_sort(struct faults *faults)
{
    if (faults->kept > 1) {
        qsort(faults->list, faults->kept, sizeof *faults->list, by_place);
    }
}

void
faults_print(const struct faults *faults, const char *dir, FILE *out)
{
    for (uint32_t i = 0; i < faults->kept; i++) {
        const struct fault *f = &faults->list[i];
        (void)fprintf(out, "%s%s%s", dir != NULL ? dir : "", dir != NULL ? "/" : "", f->file);
        if (f->line > 0) {
            (void)fprintf(out, ":%" PRIu32 ":%" PRIu32, f->line, f->column);
        }
        (void)fprintf(out, ": %s\n", f->text);
    }
    if (faults->n > faults->kept) {
        (void)fprintf(out, "... and %" PRIu64 " more\n", faults->n - faults->kept);
    }
}
