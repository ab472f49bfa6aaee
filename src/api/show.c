/* SPDX-License-Identifier: Apache-2.0 */
/* Objects of doc/api.md.  Where nothing is counted the numbers are null, never 0. */
#include "api_int.h"
#include "base/hex.h"

static json_t *
number(uint64_t v)
{
    return json_integer((json_int_t)v);
}

json_t *
api_show_name(const struct name *name)
{
    return json_pack("{s:s,s:s}", "fa", name->fa, "en", name->en);
}

json_t *
api_show_progress(const struct progress *p)
{
    return json_pack("{s:I,s:I,s:I,s:I,s:I}", "expected", (json_int_t)p->expected, "reported",
                     (json_int_t)p->reported, "counted", (json_int_t)p->counted, "held",
                     (json_int_t)p->held, "annulled", (json_int_t)p->annulled);
}

/* The object "ballots" from sums by enum count. */
static json_t *
ballots(const uint64_t n[COUNTS_N])
{
    json_t *b = json_object();
    json_object_set_new(b, "authenticated",
                        number(n[COUNT_ONLINE] + n[COUNT_OFFLINE] + n[COUNT_MANUAL]));
    json_object_set_new(b, "issued", number(n[COUNT_ISSUED]));
    json_object_set_new(b, "cast", number(n[COUNT_CAST]));
    json_object_set_new(b, "blank", number(n[COUNT_BLANK]));
    json_object_set_new(b, "invalid", number(n[COUNT_INVALID]));
    json_object_set_new(b, "valid", number(n[COUNT_VALID]));
    json_object_set_new(b, "excluded", number(n[COUNT_EXCLUDED]));
    return b;
}

json_t *
api_show_totals(const struct totals *totals, const struct progress *progress)
{
    return progress->counted == 0 ? json_null() : ballots(totals->n);
}

json_t *
api_show_counts(const struct counts *counts)
{
    if (counts == NULL) {
        return json_null();
    }
    uint64_t n[COUNTS_N];
    for (unsigned i = 0; i < COUNTS_N; i++) {
        n[i] = counts->n[i];
    }
    return ballots(n);
}

json_t *
api_show_checks(uint64_t checks)
{
    json_t *list = json_array();
    for (unsigned i = 0; i < CHECKS_N; i++) {
        if (checks & CHECK_BIT(i)) {
            json_array_append_new(list, json_string(check_code((enum check)i)));
        }
    }
    return list;
}

json_t *
api_show_hash(const struct tly_hash *hash)
{
    char hex[TLY_HEX_SIZE(sizeof hash->b)];
    tly_hex(hash->b, sizeof hash->b, hex);
    return json_string(hex);
}
