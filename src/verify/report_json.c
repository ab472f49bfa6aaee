/* SPDX-License-Identifier: Apache-2.0 */
/* Written by hand, key by key: the order and every byte are part of the contract (doc/verifying.md). */
#include <inttypes.h>

#include "base/hex.h"
#include "contests.h"
#include "report.h"

#define CONTEST_MAX ((size_t)1 << 30)

static void
put_text(FILE *out, struct tly_bytes text)
{
    (void)fputc('"', out);
    for (size_t i = 0; i < text.len; i++) {
        const uint8_t c = text.data[i];
        if (c == '"' || c == '\\') {
            (void)fputc('\\', out);
            (void)fputc(c, out);
        } else if (c < 0x20) {
            (void)fprintf(out, "\\u%04x", c);
        } else {
            (void)fputc(c, out);
        }
    }
    (void)fputc('"', out);
}

static void
put_string(FILE *out, const char *text)
{
    put_text(out, tly_text(text));
}

/* A hash, or null. */
static void
put_hash(FILE *out, bool known, const struct tly_hash *hash)
{
    char hex[TLY_HEX_SIZE(sizeof hash->b)];
    if (!known) {
        (void)fputs("null", out);
        return;
    }
    tly_hex(hash->b, sizeof hash->b, hex);
    put_string(out, hex);
}

static void
put_log(const struct verify *v, FILE *out)
{
    (void)fputs(",\"log\":", out);
    if (!v->has_head) {
        (void)fputs("null", out);
        return;
    }
    (void)fputs("{\"origin\":", out);
    put_text(out, v->note.origin);
    (void)fprintf(out, ",\"size\":%" PRIu64 ",\"root\":", v->note.head.size);
    put_hash(out, true, &v->note.head.root);
    (void)fprintf(out, ",\"key\":\"%s\"}", v->options->has_log ? "given" : "archive");
}

static void
put_election(const struct verify *v, FILE *out)
{
    (void)fputs(",\"election\":", out);
    if (v->election == NULL) {
        (void)fputs("null,\"phase\":null", out);
    } else {
        put_string(out, v->election->code);
        (void)fprintf(out, ",\"phase\":\"%s\"", phase_name(v->election->phase));
    }
    (void)fputs(",\"definition\":", out);
    put_hash(out, v->has_definition, &v->definition);
    (void)fputs(",\"registry\":", out);
    put_hash(out, v->has_registry, &v->registry_hash);
}

static void
put_checked(const struct verify *v, FILE *out)
{
    const struct verify_counts *c = &v->counts;
    (void)fprintf(out,
                  ",\"checked\":{\"entries\":%" PRIu64 ",\"envelopes\":%" PRIu64
                  ",\"withheld\":%" PRIu64 ",\"receipts\":%" PRIu64 ",\"since\":%" PRIu64
                  ",\"cosignatures\":%" PRIu64 "}",
                  c->entries, c->envelopes, c->withheld, c->receipts, c->since, c->cosignatures);
}

static void
put_units(const struct verify *v, FILE *out)
{
    if (v->recount == NULL) {
        (void)fputs(",\"units\":null,\"conflicted\":[", out);
        return;
    }
    const struct unit_counts u = contests_units(v->recount);
    (void)fprintf(out,
                  ",\"units\":{\"expected\":%" PRIu64 ",\"counted\":%" PRIu64 ",\"held\":%" PRIu64
                  ",\"annulled\":%" PRIu64 ",\"missing\":%" PRIu64 "},\"conflicted\":[",
                  u.expected, u.counted, u.held, u.annulled, u.missing);
    const char *comma = "";
    for (uint32_t i = 0; i < v->recount->tally.election->branches_n; i++) {
        if (v->recount->tally.branch_conflict[i]) {
            (void)fputs(comma, out);
            put_string(out, v->recount->tally.election->branches[i].code);
            comma = ",";
        }
    }
}

/* ---- contests ---- */

static void
put_persons(const struct verify *v, const struct contest_result *r, const char *name,
            const uint32_t list[], uint32_t n, FILE *out)
{
    (void)fprintf(out, ",\"%s\":[", name);
    for (uint32_t i = 0; r->has_ballots && i < n; i++) {
        (void)fputs(i == 0 ? "" : ",", out);
        put_string(
            out,
            v->recount->tally.election->candidates[r->contest->candidates_first + list[i]].code);
    }
    (void)fputc(']', out);
}

static void
put_seats(const struct verify *v, const struct contest_result *r, FILE *out)
{
    const struct contest *c     = r->contest;
    const char           *comma = "";
    (void)fputs(",\"seats\":[", out);
    for (uint32_t i = 0; r->has_seats && r->outcome.list_seats != NULL && i < c->lists_n; i++) {
        (void)fprintf(out, "%s[", comma);
        put_string(out, v->recount->tally.election->lists[c->lists_first + i].code);
        (void)fprintf(out, ",%" PRIu32 "]", r->outcome.list_seats[i]);
        comma = ",";
    }
    if (r->has_seats && r->outcome.has_pool) {
        (void)fprintf(out, "%s[\"pool\",%" PRIu32 "]", comma, r->outcome.pool_seats);
    }
    (void)fputc(']', out);
}

static void
put_contest(const struct verify *v, const struct contest_result *r, FILE *out)
{
    (void)fputs("{\"contest\":", out);
    put_string(out, r->contest->code);
    (void)fprintf(out, ",\"status\":\"%s\",\"ballots\":", r->status);
    if (r->has_ballots) {
        (void)fprintf(out, "%" PRIu64, r->ballots);
    } else {
        (void)fputs("null", out);
    }
    put_persons(v, r, "winners", r->outcome.winners, r->outcome.winners_n, out);
    put_persons(v, r, "alternates", r->outcome.alternates, r->outcome.alternates_n, out);
    put_seats(v, r, out);
    (void)fputs(",\"result\":", out);
    put_hash(out, r->has_result, &r->result);
    (void)fprintf(out, ",\"withheld\":%" PRIu32 "}", r->withheld);
}

static enum tly_err
put_contests(const struct verify *v, FILE *out)
{
    enum tly_err err = TLY_OK;
    (void)fputs("],\"contests\":[", out);
    for (uint32_t i = 0;
         v->recount != NULL && i < v->recount->tally.election->contests_n && err == TLY_OK; i++) {
        TLY_AUTO(arena) struct tly_arena scratch = {.bytes_max = CONTEST_MAX};
        struct contest_result            r;
        err = contests_result(v->recount, (struct contest_ix){i}, &scratch, &r);
        if (err == TLY_OK) {
            (void)fputs(i == 0 ? "" : ",", out);
            put_contest(v, &r, out);
        }
    }
    return err;
}

static void
put_findings(const struct verify *v, FILE *out)
{
    const struct findings *f = &v->findings;
    (void)fputs("],\"findings\":[", out);
    for (size_t i = 0; i < f->n && i < FINDINGS_LISTED; i++) {
        const struct check_row *row = findings_row(f->list[i].found);
        char                    at[FOUND_AT_SIZE];
        (void)fprintf(out, "%s{\"family\":\"%s\",\"check\":\"%s\",\"at\":", i == 0 ? "" : ",",
                      findings_family(row->family), row->code);
        put_string(out, findings_at_text(&f->list[i], at));
        (void)fputc('}', out);
    }
    (void)fputc(']', out);
    if (f->n > FINDINGS_LISTED) {
        (void)fprintf(out, ",\"more\":%zu", f->n - FINDINGS_LISTED);
    }
    (void)fputs("}\n", out);
}

enum tly_err
report_json(const struct verify *v, FILE *out)
{
    (void)fprintf(out, "{\"format\":\"tally-verify-report/1\",\"verdict\":\"%s\"",
                  v->findings.n == 0 ? "clean" : "findings");
    put_log(v, out);
    put_election(v, out);
    put_checked(v, out);
    put_units(v, out);
    const enum tly_err err = put_contests(v, out);
    put_findings(v, out);
    return err;
}
