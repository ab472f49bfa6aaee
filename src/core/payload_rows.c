/* SPDX-License-Identifier: Apache-2.0 */
#include "payload_rows.h"

/* Shorter first, so that c9 comes before c10, as most lists are numbered. */
static int
code_cmp(const struct payload_vote *a, const struct payload_vote *b)
{
    if (a->code.len != b->code.len) {
        return a->code.len < b->code.len ? -1 : 1;
    }
    return memcmp(a->code.data, b->code.data, a->code.len);
}

static bool
before(const struct payload_vote rows[], uint32_t a, uint32_t b)
{
    return code_cmp(&rows[rows[a].order], &rows[rows[b].order]) < 0;
}

static void
swap(struct payload_vote rows[], uint32_t a, uint32_t b)
{
    const uint32_t place = rows[a].order;
    rows[a].order        = rows[b].order;
    rows[b].order        = place;
}

/* Moves the place at `at` down until both below it come before it. */
static void
sift(struct payload_vote rows[], uint32_t at, uint32_t n)
{
    for (;;) {
        uint32_t child = 2 * at + 1;
        if (child >= n) {
            return;
        }
        if (child + 1 < n && before(rows, child, child + 1)) {
            child++;
        }
        if (!before(rows, at, child)) {
            return;
        }
        swap(rows, at, child);
        at = child;
    }
}

static void
sort(struct payload_vote rows[], uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        rows[i].order = i;
    }
    for (uint32_t i = n / 2; i-- > 0;) {
        sift(rows, i, n);
    }
    for (uint32_t last = n; last-- > 1;) {
        swap(rows, 0, last);
        sift(rows, 0, last);
    }
}

bool
payload_rows_repeat(struct payload_vote rows[], uint32_t n, uint32_t *row)
{
    uint32_t i = 1;
    while (i < n && code_cmp(&rows[i - 1], &rows[i]) < 0) {
        i++;
    }
    if (i >= n) {
        return false;
    }
    sort(rows, n);
    for (i = 1; i < n; i++) {
        const uint32_t a = rows[i - 1].order;
        const uint32_t b = rows[i].order;
        if (code_cmp(&rows[a], &rows[b]) == 0) {
            *row = a > b ? a : b;
            return true;
        }
    }
    return false;
}
