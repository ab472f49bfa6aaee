/* SPDX-License-Identifier: Apache-2.0 */
/* Files are gone through twice: first for the numbers of all branches (P08 compares them), then to
 * report, a bundle at a time. */
#include "submit/check.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "check_int.h"
#include "pack/definition.h"
#include "pack/registry_load.h"
#include "sys/file.h"
#include "sys/progress.h"

#define CHECK_ARENA_MAX  ((size_t)8 << 30) /* packages and the newest numbers of all branches */
#define BUNDLE_ARENA_MAX ((size_t)256 << 20)
#define REGISTRY_DIR     "/etc/tallyd/registry"

/* What was found in one file. */
struct counter {
    uint64_t bundles, counted, flagged, held, refused, bad;
};

struct checking {
    const struct cli *cli;
    struct tly_arena  arena;
    struct election  *election;
    struct registry  *registry;
    struct tally      tally;
    uint64_t          position;
};

static enum tly_err
load(struct checking *c, struct tly_diag *diag)
{
    struct faults faults = {.arena = &c->arena};
    char          beside[FILE_PATH_SIZE];
    const char   *registry = cli_value(c->cli, "registry", REGISTRY_DIR);
    file_path(beside, "%s/../definition", registry);
    const char  *definition = cli_value(c->cli, "definition", beside);
    const char  *dir        = definition;
    enum tly_err err        = definition_load(definition, &c->arena, &c->election, &faults, diag);
    if (err == TLY_OK) {
        dir = registry;
        err = registry_load(registry, c->election, &c->arena, &c->registry, &faults, diag);
    }
    faults_print(&faults, dir, stderr);
    return err == TLY_OK ? tally_init(&c->tally, c->election, &c->arena) : err;
}

/* ---- the numbers of all ---- */

static bool
counts_keep(struct checking *c, struct slot_ix ix, const struct counts **counts)
{
    const struct contest *contest = &c->election->contests[c->election->slots[ix.v].contest.v];
    const size_t          size    = sizeof(struct counts) +
                        ((size_t)contest->lists_n + contest->candidates_n) * sizeof(uint32_t);
    if (*counts == NULL) {
        return true;
    }
    void *copy = tly_arena_alloc(&c->arena, 1, size);
    if (copy != NULL) {
        memcpy(copy, *counts, size);
        *counts = copy;
    }
    return copy != NULL;
}

/* The newest revision of each branch, in whatever order they come. */
static enum tly_err
numbers_add(struct checking *c, const struct bundle *b)
{
    for (uint32_t i = 0; b->revise_ok && i < b->checked.slots_n; i++) {
        const struct checked_slot *s      = &b->checked.slots[i];
        struct tally_change        change = {.slot     = s->slot,
                                             .counts   = s->counts,
                                             .checks   = s->holds | s->flags,
                                             .revision = b->revision,
                                             .held     = s->holds != 0,
                                             .not_held = s->not_held};
        if (b->revision <= c->tally.slots[s->slot.v].revision) {
            continue;
        }
        if (!counts_keep(c, s->slot, &change.counts)) {
            return TLY_ENOMEM;
        }
        tally_apply(&c->tally, &change, 1, c->position);
    }
    c->position++;
    return TLY_OK;
}

static enum tly_err
file_numbers(struct checking *c, const struct recording *r)
{
    const struct bundle_rules rules = {c->election, c->registry, NULL};
    struct progress_line      progress;
    enum tly_err              err = TLY_OK;
    progress_begin(&progress, "read", r->n);
    for (size_t i = 0; i < r->n && err == TLY_OK; i++) {
        TLY_AUTO(arena) struct tly_arena arena = {.bytes_max = BUNDLE_ARENA_MAX};
        struct bundle                    b;
        progress_step(&progress, i);
        if (r->items[i].envelope.len > 0 &&
            bundle_read(&rules, r->items[i].envelope, &arena, &arena, &b, NULL) == TLY_OK) {
            err = numbers_add(c, &b);
        }
    }
    progress_end(&progress, r->n);
    return err;
}

/* ---- one bundle's report ---- */

static const char *
contest_code(const struct election *e, struct slot_ix ix)
{
    return ix.v == IX_NONE ? NULL : e->contests[e->slots[ix.v].contest.v].code;
}

static void
line_words(struct check_line *line, enum check check)
{
    static const char *const levels[] = {
        [CHECK_REJECT] = "REJECT", [CHECK_HOLD] = "HOLD", [CHECK_FLAG] = "FLAG"};
    line->code      = check_code(check);
    line->level     = levels[check_level(check)];
    line->text_en   = check_text_en(check);
    line->text_fa   = check_text_fa(check);
    line->advice_en = check_advice_en(check);
    line->advice_fa = check_advice_fa(check);
}

/* Have these very numbers a twin among the files? */
static bool
has_twin(const struct checking *c, const struct bundle *b, const struct checked_slot *s)
{
    const struct standing *st     = &c->tally.slots[s->slot.v];
    const struct contest *contest = &c->election->contests[c->election->slots[s->slot.v].contest.v];
    const size_t          size    = sizeof(struct counts) +
                        ((size_t)contest->lists_n + contest->candidates_n) * sizeof(uint32_t);
    return (st->checks & CHECK_BIT(CHECK_P08)) != 0 && st->revision == b->revision &&
           s->counts != NULL && memcmp(st->counts, s->counts, size) == 0;
}

static enum tly_err
report_findings(const struct checking *c, struct check_report *r, struct tly_arena *arena)
{
    const struct checked *found = &r->bundle->checked;
    struct check_line    *lines =
        TLY_NEW(arena, struct check_line, (size_t)found->findings_n + found->slots_n);
    if (lines == NULL) {
        return TLY_ENOMEM;
    }
    for (uint32_t i = 0; i < found->findings_n; i++) {
        const struct finding *f    = &found->findings[i];
        struct check_line    *line = &lines[r->lines_n++];
        line_words(line, f->check);
        line->contest    = contest_code(c->election, f->slot);
        line->field      = f->field;
        line->has_values = true;
        line->left       = f->left;
        line->right      = f->right;
        line->tolerance  = f->tolerance;
    }
    for (uint32_t i = 0; i < found->slots_n; i++) {
        const struct checked_slot *s = &found->slots[i];
        if (!has_twin(c, r->bundle, s)) {
            continue;
        }
        struct check_line   *line = &lines[r->lines_n++];
        const struct slot_ix twin = tally_twin(&c->tally, s->slot);
        line_words(line, CHECK_P08);
        line->contest    = contest_code(c->election, s->slot);
        line->field      = "contests";
        line->has_values = true;
        line->left = line->right = s->counts->n[COUNT_CAST];
        line->twin               = c->election->branches[c->election->slots[twin.v].branch.v].code;
    }
    r->lines = lines;
    r->more  = found->findings_n == CHECKS_FINDINGS_MAX;
    return TLY_OK;
}

static enum tly_err
report_refusal(struct check_report *r, enum tly_err err, const struct tly_diag *why,
               struct tly_arena *arena)
{
    const struct refusal *refusal = refusal_find(why->code);
    struct check_line    *line    = TLY_NEW(arena, struct check_line, 1);
    TLY_CHECK(refusal != NULL);
    if (line == NULL) {
        return TLY_ENOMEM;
    }
    *line      = (struct check_line){.code      = refusal->code,
                                     .level     = "REJECT",
                                     .field     = why->field,
                                     .detail    = why->text,
                                     .text_en   = refusal->text_en,
                                     .text_fa   = refusal->text_fa,
                                     .advice_en = refusal->advice_en,
                                     .advice_fa = refusal->advice_fa};
    r->status  = tly_err_http(err);
    r->bundle  = NULL;
    r->lines   = line;
    r->lines_n = 1;
    return TLY_OK;
}

/* What a bundle that was refused says that it is. */
static void
claims_read(struct check_report *r, struct tly_arena *arena)
{
    struct envelope envelope;
    r->terminal = r->item->terminal.len > 0 ? tly_arena_text(arena, r->item->terminal) : NULL;
    if (r->item->envelope.len > BUNDLE_ENVELOPE_MAX ||
        envelope_parse(r->item->envelope, PAYLOAD_BYTES_MAX, arena, &envelope, NULL) != TLY_OK) {
        return;
    }
    const size_t         votes_n = PAYLOAD_VOTES_MAX(envelope.payload.len);
    struct payload      *payload = TLY_NEW(arena, struct payload, 1);
    struct payload_vote *votes   = TLY_NEW(arena, struct payload_vote, votes_n);
    if (payload == NULL || votes == NULL ||
        payload_parse(envelope.payload, votes, (uint32_t)votes_n, payload, NULL) != TLY_OK) {
        return;
    }
    r->branch   = tly_arena_text(arena, payload->branch);
    r->terminal = tly_arena_text(arena, payload->terminal);
    r->revision = payload->revision;
}

static enum tly_err
report_make(const struct checking *c, struct check_report *r, struct bundle *b,
            struct tly_arena *arena, struct tly_diag *why)
{
    const struct bundle_rules rules = {c->election, c->registry, NULL};
    enum tly_err              err   = bundle_read(&rules, r->item->envelope, arena, arena, b, why);
    if (err == TLY_ENOMEM) {
        return err;
    }
    if (err != TLY_OK) {
        claims_read(r, arena);
        return report_refusal(r, err, why, arena);
    }
    r->bundle   = b;
    r->status   = 201;
    r->branch   = c->election->branches[b->branch.v].code;
    r->terminal = registry_row(c->registry, b->terminal)->code;
    r->revision = b->revision;
    if (!b->revise_ok) {
        err = tly_fail_at(why, TLY_ECONFLICT, "S04", "signatures",
                          "revision %" PRIu32 " lacks the officers' signatures of policy revise",
                          b->revision);
        return report_refusal(r, err, why, arena);
    }
    return report_findings(c, r, arena);
}

static void
count(struct counter *n, const struct check_report *r)
{
    const bool counted = r->bundle != NULL && bundle_status(&r->bundle->checked) == BUNDLE_COUNTED;
    n->bundles += r->status != 0;
    n->bad += r->status == 0;
    n->refused += r->status != 0 && r->bundle == NULL;
    n->held += r->bundle != NULL && !counted;
    n->counted += counted;
    n->flagged += counted && check_is_flagged(r);
}

static enum tly_err
file_report(const struct checking *c, const char *file, const struct recording *recording,
            struct counter *n)
{
    const bool           json = cli_flag(c->cli, "json");
    struct progress_line progress;
    progress_begin(&progress, "checked", recording->n);
    for (size_t i = 0; i < recording->n; i++) {
        TLY_AUTO(arena) struct tly_arena arena = {.bytes_max = BUNDLE_ARENA_MAX};
        struct bundle                    b;
        struct tly_diag                  why = {0};
        struct check_report              r   = {.file     = file,
                                                .item     = &recording->items[i],
                                                .election = c->election,
                                                .registry = c->registry};
        if (r.item->envelope.len > 0) {
            const enum tly_err err = report_make(c, &r, &b, &arena, &why);
            if (err != TLY_OK) {
                return err;
            }
        }
        (json ? check_show_json : check_show_text)(&r);
        count(n, &r);
        progress_step(&progress, i + 1);
    }
    progress_end(&progress, recording->n);
    return TLY_OK;
}

/* ---- all files ---- */

static void
summary(const char *file, const struct counter *n)
{
    (void)printf("%s: %" PRIu64 " bundles: %" PRIu64 " would be counted (%" PRIu64
                 " with flags), %" PRIu64 " held or partly, %" PRIu64 " refused",
                 file, n->bundles, n->counted, n->flagged, n->held, n->refused);
    (void)printf(n->bad > 0 ? "; %" PRIu64 " lines are no bundle\n" : "\n", n->bad);
}

/* One file, for its numbers or for the report; one that cannot be read is told once. */
static enum cli_exit
file_run(struct checking *c, const char *file, bool report)
{
    struct recording recording = {0};
    struct tly_diag  diag      = {0};
    struct counter   n         = {0};
    enum tly_err     err       = recording_scan(file, &recording, &diag);
    if (err != TLY_OK) {
        return report ? cli_fail(c->cli, err, &diag) : CLI_DONE;
    }
    err = report ? file_report(c, file, &recording, &n) : file_numbers(c, &recording);
    recording_close(&recording);
    if (err != TLY_OK) {
        (void)tly_fail(&diag, err, "%s: no memory to check it", file);
        return cli_fail(c->cli, err, &diag);
    }
    if (report && !cli_flag(c->cli, "json")) {
        summary(file, &n);
    }
    return n.bad > 0 ? CLI_UNUSABLE : n.held + n.refused > 0 ? CLI_REFUSED : CLI_DONE;
}

static enum cli_exit
files_run(struct checking *c)
{
    enum cli_exit worst = CLI_DONE;
    for (unsigned pass = 0; pass < 2 && worst == CLI_DONE; pass++) {
        for (unsigned i = 0; i < cli_args_n(c->cli); i++) {
            const enum cli_exit code = file_run(c, cli_arg(c->cli, i), pass == 1);
            worst                    = code > worst ? code : worst;
        }
    }
    return worst;
}

enum cli_exit
submit_check(const struct cli *cli)
{
    struct checking c    = {.cli = cli, .position = 1};
    struct tly_diag diag = {0};
    TLY_CHECK(sodium_init() >= 0);
    tly_arena_init(&c.arena, CHECK_ARENA_MAX);
    const enum tly_err  err  = load(&c, &diag);
    const enum cli_exit code = err == TLY_OK ? files_run(&c) : CLI_UNUSABLE;
    if (err != TLY_OK) {
        (void)cli_fail(cli, err, &diag);
    }
    tly_arena_done(&c.arena);
    return code;
}
