/* SPDX-License-Identifier: Apache-2.0 */
/* The document of a decision, before anybody's signature is looked at. */

#include "decision_read.h"
#include "base/check.h"
#include "base/hex.h"
#include "base/text.h"
#include "rd.h"

#define SALT_LEN  32
#define DEPTH_MAX 3
#define POOL      "pool"

enum tly_err
decision_refuse(const struct decision_reader *r, enum tly_err err, const char *code,
                const char *field, const char *why)
{
    char        path[sizeof r->diag->field];
    struct text wr;
    text_init(&wr, path, sizeof path);
    text_add(&wr, r->part);
    text_add(&wr, field);
    return tly_fail_at(r->diag, err, code, path, "%s", why);
}

static enum tly_err
syntax(const struct decision_reader *r, const char *field, const char *why)
{
    return decision_refuse(r, TLY_EINPUT, "S01", field, why);
}

static struct decision_field *
field_find(struct decision_field fields[], unsigned n, struct tly_bytes name)
{
    for (unsigned i = 0; i < n; i++) {
        if (tly_bytes_eq(name, tly_text(fields[i].name))) {
            return &fields[i];
        }
    }
    return NULL;
}

static enum tly_err
read_value(const struct decision_reader *r, struct rd *rd, struct decision_field *f)
{
    struct rd_string text;
    struct rd_int    n;
    if (f->type == NUMBER) {
        if (!rd_int(rd, &n)) {
            return syntax(r, f->name, "not a whole number");
        }
        if (n.negative || n.over) {
            return decision_refuse(r, TLY_ERANGE, "range", f->name, "out of range");
        }
        f->n = n.n;
        return TLY_OK;
    }
    if (f->type == INNER) {
        rd_space(rd);
        const uint8_t *start = rd->p;
        if (!rd_skip(rd, r->depth)) {
            return syntax(r, f->name, "not JSON");
        }
        f->text = (struct tly_bytes){start, (size_t)(rd->p - start)};
        return TLY_OK;
    }
    if (!rd_string(rd, &text)) {
        return syntax(r, f->name, "not a string");
    }
    if (text.nul || (f->type == TEXT && text.escaped)) {
        return syntax(r, f->name, "an escape stands where none may");
    }
    f->text = text.raw;
    return TLY_OK;
}

enum tly_err
decision_object(const struct decision_reader *r, struct tly_bytes in,
                struct decision_field fields[], unsigned n)
{
    struct rd rd = rd_of(in);
    if (!rd_is(&rd, '{')) {
        return syntax(r, "", "not an object");
    }
    for (unsigned i = 0; !rd_is(&rd, '}'); i++) {
        struct rd_string name;
        if ((i > 0 && !rd_is(&rd, ',')) || !rd_string(&rd, &name) || !rd_is(&rd, ':')) {
            return syntax(r, "", "not JSON");
        }
        struct decision_field *f = field_find(fields, n, name.raw);
        if (f == NULL || f->seen) {
            return syntax(r, f == NULL ? "" : f->name, f == NULL ? "unknown key" : "stands twice");
        }
        f->seen                = true;
        const enum tly_err err = read_value(r, &rd, f);
        if (err != TLY_OK) {
            return err;
        }
    }
    for (unsigned i = 0; i < n; i++) {
        if (!fields[i].seen && !fields[i].optional) {
            return syntax(r, "", "a field is missing");
        }
    }
    rd_space(&rd);
    return rd_left(&rd) == 0 ? TLY_OK : syntax(r, "", "something stands behind the object");
}

/* ---- the target ---- */

static enum tly_err
read_contest(const struct decision_reader *r, const struct decision_field *f, struct decision *d)
{
    d->contest = election_contest(r->election, f->text);
    return d->contest.v != IX_NONE
               ? TLY_OK
               : decision_refuse(r, TLY_ERANGE, "A07", f->name, "no such contest in this election");
}

static enum tly_err
target_slot(struct decision_reader *r, struct tly_bytes in, struct decision *d)
{
    struct decision_field f[] = {{.name = "branch", .type = TEXT},
                                 {.name = "contest", .type = TEXT}};
    enum tly_err          err = decision_object(r, in, f, TLY_N(f));
    if (err == TLY_OK) {
        d->branch = election_branch(r->election, f[0].text);
        err       = d->branch.v == IX_NONE ? decision_refuse(r, TLY_ERANGE, "A07", "branch",
                                                             "no such branch in this election")
                                           : read_contest(r, &f[1], d);
    }
    if (err == TLY_OK) {
        d->slot = election_slot(r->election, d->branch, d->contest);
        err     = d->slot.v == IX_NONE ? decision_refuse(r, TLY_ERANGE, "A07", "contest",
                                                         "the branch does not report this contest")
                                       : TLY_OK;
    }
    return err;
}

static uint32_t
place_candidate(const struct election *e, struct contest_ix contest, struct tly_bytes code)
{
    const struct candidate_ix ix = election_candidate(e, contest, code);
    return ix.v == IX_NONE ? IX_NONE : ix.v - e->contests[contest.v].candidates_first;
}

static uint32_t
place_list(const struct election *e, struct contest_ix contest, struct tly_bytes code)
{
    const struct contest *c = &e->contests[contest.v];
    if (tly_bytes_eq(code, tly_text(POOL))) {
        return c->lists_n;
    }
    const struct list_ix ix = election_list(e, contest, code);
    return ix.v == IX_NONE ? IX_NONE : ix.v - c->lists_first;
}

static bool
stands_before(const uint32_t places[], uint32_t n, uint32_t place)
{
    for (uint32_t i = 0; i < n; i++) {
        if (places[i] == place) {
            return true;
        }
    }
    return false;
}

/* The codes of the order, each once, as candidates and as lists as far as they are. */
static enum tly_err
read_order(struct decision_reader *r, struct tly_bytes in, struct decision *d)
{
    struct rd rd         = rd_of(in);
    uint32_t *candidates = TLY_NEW(r->arena, uint32_t, DECISION_ORDER_MAX);
    uint32_t *lists      = TLY_NEW(r->arena, uint32_t, DECISION_ORDER_MAX);
    bool      all_c = true, all_l = true;
    if (candidates == NULL || lists == NULL) {
        return TLY_ENOMEM;
    }
    if (!rd_is(&rd, '[')) {
        return syntax(r, "order", "not an array");
    }
    while (!rd_is(&rd, ']')) {
        struct rd_string code;
        if ((d->order_n > 0 && !rd_is(&rd, ',')) || !rd_string(&rd, &code) || code.escaped) {
            return syntax(r, "order", "not an array of codes");
        }
        if (d->order_n == DECISION_ORDER_MAX) {
            return decision_refuse(r, TLY_ERANGE, "range", "order", "too many codes");
        }
        const uint32_t c = place_candidate(r->election, d->contest, code.raw);
        const uint32_t l = place_list(r->election, d->contest, code.raw);
        all_c            = all_c && c != IX_NONE && !stands_before(candidates, d->order_n, c);
        all_l            = all_l && l != IX_NONE && !stands_before(lists, d->order_n, l);
        if (!all_c && !all_l) {
            return decision_refuse(
                r, TLY_ERANGE, "A07", "order",
                "neither different candidates of this contest nor different lists");
        }
        candidates[d->order_n] = c;
        lists[d->order_n++]    = l;
    }
    if (d->order_n < 2) {
        return decision_refuse(r, TLY_ERANGE, "range", "order", "an order is of two at least");
    }
    d->candidates = all_c ? candidates : NULL;
    d->lists      = all_l ? lists : NULL;
    return TLY_OK;
}

const char *
decision_ground_name(enum decision_ground ground)
{
    static const char *const names[GROUNDS_N] = {
        [GROUND_VETERAN] = "veteran", [GROUND_DEGREE] = "degree", [GROUND_LOT] = "lot"};
    TLY_CHECK((unsigned)ground < GROUNDS_N);
    return names[ground];
}

static enum tly_err
target_lot(struct decision_reader *r, struct tly_bytes in, struct decision *d)
{
    struct decision_field f[] = {{.name = "contest", .type = TEXT},
                                 {.name = "order", .type = INNER},
                                 {.name = "ground", .type = TEXT}};
    enum tly_err          err = decision_object(r, in, f, TLY_N(f));
    if (err == TLY_OK) {
        err = read_contest(r, &f[0], d);
    }
    if (err == TLY_OK) {
        err = read_order(r, f[1].text, d);
    }
    if (err != TLY_OK) {
        return err;
    }
    for (unsigned i = 0; i < GROUNDS_N; i++) {
        if (tly_bytes_eq(f[2].text, tly_text(decision_ground_name((enum decision_ground)i)))) {
            d->ground = (enum decision_ground)i;
            return TLY_OK;
        }
    }
    return decision_refuse(r, TLY_ERANGE, "range", "ground", "neither veteran, degree nor lot");
}

static enum tly_err
target_exclude(struct decision_reader *r, struct tly_bytes in, struct decision *d)
{
    struct decision_field f[] = {{.name = "contest", .type = TEXT},
                                 {.name = "candidate", .type = TEXT}};
    enum tly_err          err = decision_object(r, in, f, TLY_N(f));
    if (err == TLY_OK) {
        err = read_contest(r, &f[0], d);
    }
    if (err == TLY_OK) {
        d->candidate = election_candidate(r->election, d->contest, f[1].text);
        err = d->candidate.v == IX_NONE ? decision_refuse(r, TLY_ERANGE, "A07", "candidate",
                                                          "no such candidate in this contest")
                                        : TLY_OK;
    }
    return err;
}

static enum tly_err
target_certify(struct decision_reader *r, struct tly_bytes in, struct decision *d)
{
    struct decision_field f[] = {{.name = "contest", .type = TEXT},
                                 {.name = "at", .type = NUMBER},
                                 {.name = "result", .type = TEXT}};
    enum tly_err          err = decision_object(r, in, f, TLY_N(f));
    if (err == TLY_OK) {
        err = read_contest(r, &f[0], d);
    }
    if (err == TLY_OK && !tly_unhex(f[2].text, d->result.b, sizeof d->result.b)) {
        err = syntax(r, "result", "not 64 lower-case hex digits");
    }
    d->at = f[1].n;
    return err;
}

static enum tly_err
read_target(struct decision_reader *r, struct tly_bytes in, struct decision *d)
{
    r->part = "target.";
    switch (d->kind) {
    case POLICY_RELEASE:
    case POLICY_EXPLAIN:
    case POLICY_ANNUL:
    case POLICY_REINSTATE:
        return target_slot(r, in, d);
    case POLICY_LOT:
        return target_lot(r, in, d);
    case POLICY_EXCLUDE:
        return target_exclude(r, in, d);
    case POLICY_CERTIFY:
        return target_certify(r, in, d);
    case POLICY_KEY:
        return decision_target_key(r, in, d);
    case POLICY_STATE:
        return decision_target_state(r, in, d);
    case POLICY_REVISE:
    case POLICIES_N:
        break;
    }
    r->part = "";
    return decision_refuse(r, TLY_ERANGE, "kind", "kind", "a bundle's policy, no kind of decision");
}

/* ---- the document ---- */

enum top { ELECTION, PHASE, KIND, TARGET, REASON, POSITION, MADE_AT, SALT, TOP_N };

static bool
is_blank(struct tly_bytes text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] != ' ') {
            return false;
        }
    }
    return true;
}

static enum tly_err
check_top(const struct decision_reader *r, const struct decision_field f[TOP_N])
{
    const struct election *e    = r->election;
    const struct tly_bytes salt = f[SALT].text;
    uint8_t                bytes[SALT_LEN / 2];
    if (!tly_bytes_eq(f[ELECTION].text, tly_text(e->code))) {
        return decision_refuse(r, TLY_ERANGE, "A07", "election",
                               "another election than the one here");
    }
    if (!tly_bytes_eq(f[PHASE].text, tly_text(phase_name(e->phase)))) {
        return decision_refuse(r, TLY_ERANGE, "A05", "phase", "another phase than the one here");
    }
    if (salt.len != SALT_LEN || !tly_unhex(salt, bytes, sizeof bytes)) {
        return syntax(r, "salt", "not 32 lower-case hex digits");
    }
    if (is_blank(f[REASON].text) || f[REASON].text.len > DECISION_REASON_MAX) {
        return decision_refuse(r, TLY_ERANGE, "range", "reason",
                               "a decision has a reason, not longer than "
                               "1000 bytes");
    }
    if (f[POSITION].n < 1 || f[POSITION].n > BOOK_ENTRIES_MAX) {
        return decision_refuse(r, TLY_ERANGE, "range", "position",
                               "no position that a ledger can have");
    }
    return f[MADE_AT].n <= ELECTION_TIME_MAX
               ? TLY_OK
               : decision_refuse(r, TLY_ERANGE, "range", "made_at", "no time that can be");
}

static void
lines_counted(const struct election *e, const struct decision *d, struct text *wr)
{
    if (d->branch.v != IX_NONE) {
        text_add(wr, "branch ");
        text_add(wr, e->branches[d->branch.v].code);
        text_add(wr, "\n");
    }
    text_add(wr, "contest ");
    text_add(wr, e->contests[d->contest.v].code);
    text_add(wr, "\n");
    if (d->candidate.v != IX_NONE) {
        text_add(wr, "candidate ");
        text_add(wr, e->candidates[d->candidate.v].code);
        text_add(wr, "\n");
    }
    if (d->kind == POLICY_CERTIFY) {
        text_add(wr, "at ");
        text_add_u64(wr, d->at);
        text_add(wr, "\nresult ");
        text_add_hash(wr, &d->result);
        text_add(wr, "\n");
    }
}

/* The lines of the leaf. */
static enum tly_err
write_target(const struct decision_reader *r, struct decision *d)
{
    char *text = tly_arena_alloc(r->arena, DECISION_TARGET_MAX, 1);
    if (text == NULL) {
        return TLY_ENOMEM;
    }
    struct text wr;
    text_init(&wr, text, DECISION_TARGET_MAX);
    if (d->kind == POLICY_KEY) {
        decision_lines_key(r, d, &wr);
    } else if (d->kind == POLICY_STATE) {
        decision_lines_state(d, &wr);
    } else {
        lines_counted(r->election, d, &wr);
    }
    TLY_CHECK(!wr.cut);
    d->target = (struct tly_bytes){(const uint8_t *)text, wr.len};
    return TLY_OK;
}

enum tly_err
decision_document(const struct decision_rules *rules, struct tly_bytes payload,
                  struct tly_arena *arena, struct decision *out, struct tly_diag *diag)
{
    struct tly_diag        unread   = {0};
    struct decision_reader r        = {rules, rules->election, arena, diag == NULL ? &unread : diag,
                                       "",    DEPTH_MAX};
    struct decision_field  f[TOP_N] = {
         [ELECTION] = {.name = "election", .type = TEXT},
         [PHASE]    = {.name = "phase", .type = TEXT},
         [KIND]     = {.name = "kind", .type = TEXT},
         [TARGET]   = {.name = "target", .type = INNER},
         [REASON]   = {.name = "reason", .type = PROSE},
         [POSITION] = {.name = "position", .type = NUMBER},
         [MADE_AT]  = {.name = "made_at", .type = NUMBER},
         [SALT]     = {.name = "salt", .type = TEXT},
    };
    struct decision d = {
        .branch = {IX_NONE}, .slot = {IX_NONE}, .contest = {IX_NONE}, .candidate = {IX_NONE}};
    enum tly_err err = decision_object(&r, payload, f, TOP_N);
    if (err == TLY_OK) {
        err = check_top(&r, f);
    }
    if (err == TLY_OK && !policy_find(f[KIND].text, &d.kind)) {
        err = decision_refuse(&r, TLY_ERANGE, "kind", "kind", "no such kind of decision");
    }
    if (err == TLY_OK) {
        d.position = f[POSITION].n;
        d.made_at  = f[MADE_AT].n;
        d.reason   = f[REASON].text;
        err        = read_target(&r, f[TARGET].text, &d);
    }
    if (err == TLY_OK) {
        err = write_target(&r, &d);
    }
    if (err == TLY_OK) {
        *out = d;
    }
    return err;
}

void
decision_areas(const struct decision_rules *rules, const struct decision *d,
               struct decision_areas *out)
{
    const struct election *e = rules->election;
    *out                     = (struct decision_areas){.n = 1}; /* area 0 is the root */
    if (d->kind == POLICY_KEY) {
        const struct branch_ix to = d->key.row.branch;
        if (to.v != IX_NONE) {
            out->at[0] = e->branches[to.v].area;
        }
        if (d->key.action == KEY_ASSIGN) {
            const struct branch_ix from = registry_row(rules->registry, d->key.before)->branch;
            out->at[1]                  = from.v == IX_NONE ? out->at[0] : e->branches[from.v].area;
            out->n                      = 2;
        }
    } else if (d->results != NULL) {
        out->at[0] = d->results->scope;
    } else if (d->kind != POLICY_STATE) {
        out->at[0] =
            d->branch.v != IX_NONE ? e->branches[d->branch.v].area : e->contests[d->contest.v].area;
    }
}
