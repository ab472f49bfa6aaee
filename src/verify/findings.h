/* SPDX-License-Identifier: Apache-2.0 */
/* What was found: each check and where, in the order of the report. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/attr.h"
#include "checks_rows.h"

enum family { AUTHENTICITY, INTEGRITY, CONSISTENCY, COMPLETENESS, EVIDENCE, FAMILIES_N };

#define CHECK_ENUM(name, family, code, what, todo, what_fa, todo_fa) FOUND_##name,
enum found { CHECK_ROWS(CHECK_ENUM) FOUND_N };
#undef CHECK_ENUM
_Static_assert(FOUND_N <= 64, "an entry's findings are bits of one word");

#define FOUND_BIT(found) (UINT64_C(1) << (found))

struct check_row {
    enum family family;
    const char *code, *what_en, *todo_en, *what_fa, *todo_fa;
};
const struct check_row *findings_row(enum found found);
const char             *findings_family(enum family family); /* "authenticity" */

#define FINDINGS_LISTED 10000 /* more are only counted */

struct found_at {
    enum found found;
    uint64_t   entry; /* where at is NULL */
    char      *at;    /* NULL: "entry N" */
};

/* One thread at a time. */
struct findings {
    struct found_at *list;
    size_t           n, room;
    bool             no_memory;
};

void findings_done(struct findings *findings);
/* `at` is copied. */
void findings_add(struct findings *findings, enum found found, const char *at);
void findings_addf(struct findings *findings, enum found found, const char *format, ...)
    TLY_PRINTF(3, 4);
/* All bits of an entry. */
void findings_entry(struct findings *findings, uint64_t bits, uint64_t entry);
/* By check, then by place, numbers as numbers; of equal ones one stays. */
void findings_sort(struct findings *findings);
/* Where: "entry 12" or the text. */
#define FOUND_AT_SIZE 32
const char *findings_at_text(const struct found_at *found, char storage[FOUND_AT_SIZE]);
/* The order of places: runs of digits as numbers (of equal ones the shorter run first), other bytes as
 * bytes. */
int findings_at_cmp(const char *a, const char *b);
