/* SPDX-License-Identifier: Apache-2.0 */
/* The report for people: what was found, what it means and what to do, in English and in Persian. */
#include <inttypes.h>

#include "base/hex.h"
#include "contests.h"
#include "report.h"

#define CONTEST_MAX ((size_t)1 << 30)
#define SHOWN_EACH  20 /* places of one check; --json has them all */

static void
put_log(const struct verify *v, FILE *out)
{
    if (!v->has_head) {
        (void)fputs("log          not readable\n", out);
        return;
    }
    char hex[TLY_HEX_SIZE(sizeof v->note.head.root.b)];
    tly_hex(v->note.head.root.b, sizeof v->note.head.root.b, hex);
    (void)fprintf(out, "log          %.*s\nentries      %" PRIu64 "\nroot         %s\n",
                  (int)v->note.origin.len, (const char *)v->note.origin.data, v->note.head.size,
                  hex);
    if (!v->options->has_log) {
        (void)fputs("log's key    as the archive says; compare it with the one on paper (--log)\n",
                    out);
    }
    const struct verify_counts *c = &v->counts;
    (void)fprintf(out,
                  "checked      %" PRIu64 " entries, %" PRIu64 " envelopes (%" PRIu64
                  " withheld), %" PRIu64 " receipts, %" PRIu64 " older heads, %" PRIu64
                  " cosignatures\n",
                  c->entries, c->envelopes, c->withheld, c->receipts, c->since, c->cosignatures);
}

static enum tly_err
put_contests(const struct verify *v, FILE *out)
{
    enum tly_err err = TLY_OK;
    if (v->recount == NULL) {
        (void)fputs("numbers      none: without good packages and a head nothing can be counted\n",
                    out);
        return TLY_OK;
    }
    const struct unit_counts u = contests_units(v->recount);
    (void)fprintf(out,
                  "units        %" PRIu64 " expected, %" PRIu64 " counted, %" PRIu64
                  " held, %" PRIu64 " annulled, %" PRIu64 " missing\n\ncontests\n",
                  u.expected, u.counted, u.held, u.annulled, u.missing);
    for (uint32_t i = 0; i < v->recount->tally.election->contests_n && err == TLY_OK; i++) {
        TLY_AUTO(arena) struct tly_arena scratch = {.bytes_max = CONTEST_MAX};
        struct contest_result            r;
        err = contests_result(v->recount, (struct contest_ix){i}, &scratch, &r);
        if (err != TLY_OK || !r.has_ballots) {
            continue;
        }
        (void)fprintf(out, "  %s  %s, %" PRIu64 " ballots:", r.contest->code, r.status, r.ballots);
        for (uint32_t k = 0; k < r.outcome.winners_n; k++) {
            const uint32_t at = r.contest->candidates_first + r.outcome.winners[k];
            (void)fprintf(out, " %s", v->recount->tally.election->candidates[at].code);
        }
        (void)fputc('\n', out);
    }
    return err;
}

/* All places of the check that begins at i; returns the first of the next. */
static size_t
put_check(const struct findings *f, size_t i, FILE *out)
{
    const struct check_row *row   = findings_row(f->list[i].found);
    const size_t            first = i;
    char                    at[FOUND_AT_SIZE];
    while (i < f->n && f->list[i].found == f->list[first].found) {
        i++;
    }
    (void)fprintf(out, "\n%s (%s), %zu\n  %s\n  do: %s\n  %s\n  %s\n", row->code,
                  findings_family(row->family), i - first, row->what_en, row->todo_en, row->what_fa,
                  row->todo_fa);
    for (size_t k = first; k < i && k < first + SHOWN_EACH; k++) {
        (void)fprintf(out, "    %s\n", findings_at_text(&f->list[k], at));
    }
    if (i - first > SHOWN_EACH) {
        (void)fprintf(out, "    and %zu more (--json)\n", i - first - SHOWN_EACH);
    }
    return i;
}

enum tly_err
report_text(const struct verify *v, FILE *out)
{
    if (v->election != NULL) {
        (void)fprintf(out, "election     %s, %s\n", v->election->code,
                      phase_name(v->election->phase));
    }
    put_log(v, out);
    const enum tly_err err = put_contests(v, out);
    for (size_t i = 0; i < v->findings.n;) {
        i = put_check(&v->findings, i, out);
    }
    if (v->findings.n == 0) {
        (void)fputs("\nclean: nothing wrong was found.\nپاک: هیچ نادرستی یافت نشد.\n", out);
    } else {
        (void)fprintf(out, "\n%zu findings: see above.\n%zu یافته: بالا را ببینید.\n",
                      v->findings.n, v->findings.n);
    }
    return err;
}
