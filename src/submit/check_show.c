/* SPDX-License-Identifier: Apache-2.0 */
/* The report of one bundle, for people in two languages, and for scripts. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "check_int.h"
#include "pack/json.h"

#define NOT_A_BUNDLE                                                                               \
    "not a bundle: neither {\"at_ms\":N,\"terminal\":CODE,\"envelope\":{...}} nor an envelope; "   \
    "was it cut? copy it again, or export it again from the terminal"

/* What somebody else wrote, without what would move a terminal's cursor or break UTF-8. */
static const char *
plain(const char *text, char out[512])
{
    size_t n = 0;
    for (; text[n] != '\0' && n < 511; n++) {
        out[n] = (text[n] < ' ' || text[n] > '~') ? '?' : text[n];
    }
    out[n] = '\0';
    return out;
}

bool
check_is_flagged(const struct check_report *report)
{
    for (uint32_t i = 0; i < report->lines_n; i++) {
        if (strcmp(report->lines[i].level, "FLAG") == 0) {
            return true;
        }
    }
    return false;
}

static const char *
or_dash(const char *text, char out[512])
{
    return text == NULL ? "-" : plain(text, out);
}

static void
text_line(const struct check_line *line)
{
    char field[512], detail[512];
    (void)printf("  %s %s", line->level, line->code);
    if (line->contest != NULL) {
        (void)printf(" contest %s", line->contest);
    }
    if (line->field[0] != '\0') {
        (void)printf(" %s", plain(line->field, field));
    }
    if (line->has_values) {
        (void)printf(": %" PRIu64 " against %" PRIu64 ", tolerance %" PRIu64, line->left,
                     line->right, line->tolerance);
    }
    if (line->twin != NULL) {
        (void)printf(", as branch %s", line->twin);
    }
    if (line->detail != NULL) {
        (void)printf(": %s", plain(line->detail, detail));
    }
    (void)printf("\n    en: %s; now: %s\n    fa: %s؛ اکنون: %s\n", line->text_en, line->advice_en,
                 line->text_fa, line->advice_fa);
}

void
check_show_text(const struct check_report *r)
{
    char branch[512], terminal[512];
    (void)printf("%s:%zu: ", r->file, r->item->line);
    if (r->status == 0) {
        (void)printf("%s\n", NOT_A_BUNDLE);
        return;
    }
    (void)printf("branch %s, revision %" PRIu64 ", terminal %s: %d ", or_dash(r->branch, branch),
                 r->revision, or_dash(r->terminal, terminal), r->status);
    (void)printf("%s%s\n",
                 r->bundle == NULL ? "refused"
                                   : bundle_status_name(bundle_status(&r->bundle->checked)),
                 check_is_flagged(r) ? ", flagged" : "");
    for (uint32_t i = 0; i < r->lines_n; i++) {
        text_line(&r->lines[i]);
    }
    if (r->more) {
        (void)printf("  only the first %d findings are told\n", CHECKS_FINDINGS_MAX);
    }
}

/* ---- JSON ---- */

static json_t *
words(const char *en, const char *fa)
{
    return json_pack("{s:s,s:s}", "en", en, "fa", fa);
}

static json_t *
foreign(const char *text)
{
    char out[512];
    return text == NULL ? json_null() : json_string(plain(text, out));
}

static json_t *
value(const struct check_line *line, uint64_t n)
{
    return line->has_values ? json_integer((json_int_t)n) : json_null();
}

static json_t *
findings(const struct check_report *r)
{
    json_t *out = json_array();
    for (uint32_t i = 0; i < r->lines_n; i++) {
        const struct check_line *line = &r->lines[i];
        json_array_append_new(
            out,
            json_pack("{s:s,s:s,s:s?,s:o,s:o,s:o,s:o,s:s?,s:o,s:o,s:o}", "code", line->code,
                      "level", line->level, "contest", line->contest, "field", foreign(line->field),
                      "left", value(line, line->left), "right", value(line, line->right),
                      "tolerance", value(line, line->tolerance), "twin", line->twin, "detail",
                      foreign(line->detail), "text", words(line->text_en, line->text_fa), "advice",
                      words(line->advice_en, line->advice_fa)));
    }
    return out;
}

/* Every contest of the branch with all its codes, also those that no line tells of. */
static json_t *
contests(const struct check_report *r)
{
    const struct election *e   = r->election;
    json_t                *out = json_array();
    for (uint32_t i = 0; r->bundle != NULL && i < r->bundle->checked.slots_n; i++) {
        const struct checked_slot *s    = &r->bundle->checked.slots[i];
        const char                *code = e->contests[e->slots[s->slot.v].contest.v].code;
        uint64_t                   bits = s->holds | s->flags;
        json_t                    *list = json_array();
        for (uint32_t k = 0; k < r->lines_n; k++) {
            const bool twin = r->lines[k].twin != NULL && strcmp(r->lines[k].contest, code) == 0;
            bits |= twin ? CHECK_BIT(CHECK_P08) : 0;
        }
        for (unsigned c = 0; c < CHECKS_N; c++) {
            if ((bits & CHECK_BIT(c)) != 0) {
                json_array_append_new(list, json_string(check_code((enum check)c)));
            }
        }
        json_array_append_new(out, json_pack("{s:s,s:s,s:o}", "contest", code, "state",
                                             s->holds != 0 ? "held" : "counted", "checks", list));
    }
    return out;
}

void
check_show_json(const struct check_report *r)
{
    json_t *file = json_string(r->file);
    file         = file != NULL ? file : foreign(r->file);
    TLY_AUTO(json)
    json_t *o =
        r->status == 0
            ? json_pack("{s:o,s:I,s:s}", "file", file, "line", (json_int_t)r->item->line, "error",
                        NOT_A_BUNDLE)
            : json_pack("{s:o,s:I,s:o,s:o,s:o,s:i,s:s?,s:o,s:o}", "file", file, "line",
                        (json_int_t)r->item->line, "branch", foreign(r->branch), "revision",
                        r->revision == 0 ? json_null() : json_integer((json_int_t)r->revision),
                        "terminal", foreign(r->terminal), "status", r->status, "tally_status",
                        r->bundle == NULL ? NULL
                                          : bundle_status_name(bundle_status(&r->bundle->checked)),
                        "contests", contests(r), "findings", findings(r));
    if (o != NULL && json_dumpf(o, stdout, JSON_COMPACT) == 0) {
        (void)printf("\n");
    }
}
