/* SPDX-License-Identifier: Apache-2.0 */
/* The order of findings, and that equal ones are one. */
#include "../../../src/verify/findings.h"

#include "t.h"

static int
sign(int n)
{
    return (n > 0) - (n < 0);
}

static void
places(void)
{
    static const char *const sorted[] = {"",
                                         "entry 0",
                                         "entry 00",
                                         "entry 1",
                                         "entry 01",
                                         "entry 2",
                                         "entry 2 a",
                                         "entry 9",
                                         "entry 10",
                                         "entry 99999999999999999998",
                                         "entry 99999999999999999999",
                                         "entry a",
                                         "tile/0/000",
                                         "tile/0/000.p/9",
                                         "tile/0/000.p/10",
                                         "tile/0/001",
                                         "tile/10/000",
                                         "tile/entries/000",
                                         "\xd8\xa7"};
    unsigned                 wrong    = 0;
    for (size_t i = 0; i < TLY_N(sorted); i++) {
        for (size_t j = 0; j < TLY_N(sorted); j++) {
            wrong += sign(findings_at_cmp(sorted[i], sorted[j])) != sign((int)i - (int)j);
        }
    }
    T_EQ(wrong, 0, "numbers as numbers, equal ones by their length, the rest as bytes");
}

static void
lists(void)
{
    struct findings f = {0};
    char            text[FOUND_AT_SIZE];
    findings_add(&f, FOUND_TILE_HASH, "tile/0/10");
    findings_add(&f, FOUND_TILE_HASH, "tile/0/9");
    findings_entry(&f, FOUND_BIT(FOUND_LEAF_KEY) | FOUND_BIT(FOUND_ENVELOPE_HASH), 10);
    findings_entry(&f, FOUND_BIT(FOUND_LEAF_KEY), 9);
    findings_add(&f, FOUND_LEAF_KEY, "entry 10");
    findings_addf(&f, FOUND_RECEIPT_SYNTAX, "receipt %s", "x");
    findings_add(&f, FOUND_RECEIPT_SYNTAX, "receipt x");
    findings_sort(&f);
    static const struct {
        enum found  found;
        const char *at;
    } want[] = {{FOUND_ENVELOPE_HASH, "entry 10"}, {FOUND_LEAF_KEY, "entry 9"},
                {FOUND_LEAF_KEY, "entry 10"},      {FOUND_RECEIPT_SYNTAX, "receipt x"},
                {FOUND_TILE_HASH, "tile/0/9"},     {FOUND_TILE_HASH, "tile/0/10"}};
    T_EQ(f.n, TLY_N(want), "equal ones are one");
    for (size_t i = 0; i < TLY_N(want) && i < f.n; i++) {
        T_EQ(f.list[i].found, want[i].found, "its check");
        T_STR(findings_at_text(&f.list[i], text), want[i].at, "its place");
    }
    findings_done(&f);
    findings_sort(&f);
    T_EQ(f.n, 0, "none");
}

static void
rows(void)
{
    for (unsigned i = 0; i < FOUND_N; i++) {
        const struct check_row *row = findings_row((enum found)i);
        for (unsigned j = 0; j < i; j++) {
            if (strcmp(row->code, findings_row((enum found)j)->code) == 0) {
                T_OK(false, row->code);
            }
        }
        T_OK(row->what_en[0] != '\0' && row->todo_en[0] != '\0' && row->what_fa[0] != '\0' &&
                 row->todo_fa[0] != '\0' && findings_family(row->family)[0] != '\0',
             row->code);
    }
}

int
main(void)
{
    places();
    lists();
    rows();
    return T_DONE();
}
