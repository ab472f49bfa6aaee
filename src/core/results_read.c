/* SPDX-License-Identifier: Apache-2.0 */
#include "core/results.h"

#include "base/base64.h"
#include "base/check.h"
#include "base/hex.h"
#include "base/text.h"
#include "decision_read.h"
#include "rd.h"

#define SALT_LEN     32
#define SOFTWARE_MAX 64
#define DEPTH_MAX    5
#define ROOT_SIZE    44 /* base64 of a root */
#define LINES_MAX    256

static enum tly_err
syntax(const struct decision_reader *r, const char *field, const char *why)
{
    return decision_refuse(r, TLY_EINPUT, "S01", field, why);
}

/* ---- values ---- */

static bool
is_null(struct tly_bytes text)
{
    return tly_bytes_eq(text, tly_text("null"));
}

/* A whole number, nothing else; one over 2^63 is none that we give out. */
static bool
read_number(struct tly_bytes text, uint64_t *out)
{
    struct rd     rd = rd_of(text);
    struct rd_int n;
    if (!rd_int(&rd, &n) || n.negative || n.over || rd_left(&rd) > 0) {
        return false;
    }
    *out = n.n;
    return true;
}

/* "HEX64" with its quotes. */
static bool
read_hash(struct tly_bytes text, struct tly_hash *out)
{
    struct rd        rd = rd_of(text);
    struct rd_string s;
    return rd_string(&rd, &s) && rd_left(&rd) == 0 && !s.escaped &&
           tly_unhex(s.raw, out->b, sizeof out->b);
}

/* Codes of an array, no longer than `max`; or [CODE, N] each when seats is not NULL. */
static bool
read_codes(struct tly_bytes text, struct tly_bytes codes[], uint64_t *seats, uint32_t max,
           uint32_t *n)
{
    struct rd rd = rd_of(text);
    *n           = 0;
    if (!rd_is(&rd, '[')) {
        return false;
    }
    while (!rd_is(&rd, ']')) {
        struct rd_string code;
        struct rd_int    number = {0};
        if (*n == max || (*n > 0 && !rd_is(&rd, ',')) || (seats != NULL && !rd_is(&rd, '[')) ||
            !rd_string(&rd, &code) || code.escaped ||
            (seats != NULL && (!rd_is(&rd, ',') || !rd_int(&rd, &number) || number.negative ||
                               number.over || !rd_is(&rd, ']')))) {
            return false;
        }
        codes[*n] = code.raw;
        if (seats != NULL) {
            seats[*n] = number.n;
        }
        ++*n;
    }
    return rd_left(&rd) == 0;
}

/* ---- contests ---- */

enum { CONTEST, STATUS, BALLOTS, WINNERS, ALTERNATES, SEATS, RESULT, MEMBERS_N };

static enum tly_err
read_contest(const struct decision_reader *r, struct tly_bytes in, struct results_contest *out)
{
    struct decision_field f[MEMBERS_N] = {
        [CONTEST]    = {.name = "contest", .type = TEXT},
        [STATUS]     = {.name = "status", .type = TEXT},
        [BALLOTS]    = {.name = "ballots", .type = INNER},
        [WINNERS]    = {.name = "winners", .type = INNER},
        [ALTERNATES] = {.name = "alternates", .type = INNER},
        [SEATS]      = {.name = "seats", .type = INNER},
        [RESULT]     = {.name = "result", .type = INNER},
    };
    const enum tly_err err = decision_object(r, in, f, MEMBERS_N);
    if (err != TLY_OK) {
        return err;
    }
    /* An element has four bytes at least, comma included; with seats eight. */
    const size_t      winners    = f[WINNERS].text.len / 4 + 1;
    const size_t      alternates = f[ALTERNATES].text.len / 4 + 1;
    const size_t      lists      = f[SEATS].text.len / 8 + 1;
    struct tly_bytes *w          = TLY_NEW(r->arena, struct tly_bytes, winners);
    struct tly_bytes *a          = TLY_NEW(r->arena, struct tly_bytes, alternates);
    struct tly_bytes *l          = TLY_NEW(r->arena, struct tly_bytes, lists);
    uint64_t         *seats      = TLY_NEW(r->arena, uint64_t, lists);
    if (w == NULL || a == NULL || l == NULL || seats == NULL) {
        return TLY_ENOMEM;
    }
    struct results_contest c = {.contest     = f[CONTEST].text,
                                .status      = f[STATUS].text,
                                .has_ballots = !is_null(f[BALLOTS].text),
                                .has_result  = !is_null(f[RESULT].text),
                                .winners     = w,
                                .alternates  = a,
                                .lists       = l,
                                .seats       = seats};
    if (c.has_ballots && !read_number(f[BALLOTS].text, &c.ballots)) {
        return syntax(r, "ballots", "neither a number nor null");
    }
    if (c.has_result && !read_hash(f[RESULT].text, &c.result)) {
        return syntax(r, "result", "neither 64 lower-case hex digits nor null");
    }
    if (!read_codes(f[WINNERS].text, w, NULL, (uint32_t)winners, &c.winners_n) ||
        !read_codes(f[ALTERNATES].text, a, NULL, (uint32_t)alternates, &c.alternates_n)) {
        return syntax(r, "winners", "no array of codes, or alternates is none");
    }
    if (!read_codes(f[SEATS].text, l, seats, (uint32_t)lists, &c.lists_n)) {
        return syntax(r, "seats", "no array of [CODE,N]");
    }
    *out = c;
    return TLY_OK;
}

static enum tly_err
read_contests(struct decision_reader *r, struct tly_bytes in, struct results *out)
{
    struct rd               rd   = rd_of(in);
    const uint32_t          max  = r->election->contests_n;
    struct results_contest *list = TLY_NEW(r->arena, struct results_contest, (size_t)max + 1);
    if (list == NULL) {
        return TLY_ENOMEM;
    }
    if (!rd_is(&rd, '[')) {
        return syntax(r, "contests", "not an array");
    }
    r->part = "contests.";
    while (!rd_is(&rd, ']')) {
        if (out->contests_n > 0 && !rd_is(&rd, ',')) {
            return syntax(r, "", "not an array of objects");
        }
        rd_space(&rd);
        const uint8_t *start = rd.p;
        if (!rd_skip(&rd, DEPTH_MAX)) {
            return syntax(r, "", "not an array of objects");
        }
        if (out->contests_n == max) {
            return decision_refuse(r, TLY_ERANGE, "range", "", "more contests than there are");
        }
        const struct tly_bytes one = {start, (size_t)(rd.p - start)};
        const enum tly_err     err = read_contest(r, one, &list[out->contests_n]);
        if (err != TLY_OK) {
            return err;
        }
        out->contests_n++;
    }
    r->part       = "";
    out->contests = list;
    return TLY_OK;
}

/* ---- head and units ---- */

/* "DOMAIN/ELECTION/PHASE" */
bool
results_is_of_log(const struct election *e, const struct results *results)
{
    char        text[512];
    struct text wr;
    text_init(&wr, text, sizeof text);
    text_add(&wr, e->domain);
    text_add(&wr, "/");
    text_add(&wr, e->code);
    text_add(&wr, "/");
    text_add(&wr, phase_name(e->phase));
    return !wr.cut && tly_bytes_eq(results->origin, tly_text(text));
}

static enum tly_err
read_log(struct decision_reader *r, struct tly_bytes in, struct results *out)
{
    struct decision_field f[] = {{.name = "origin", .type = TEXT},
                                 {.name = "size", .type = NUMBER},
                                 {.name = "root", .type = TEXT}};
    uint8_t               root[ROOT_SIZE / 4 * 3];
    size_t                n = 0;
    enum tly_base64       alphabet;
    r->part                = "log.";
    const enum tly_err err = decision_object(r, in, f, TLY_N(f));
    if (err != TLY_OK) {
        return err;
    }
    if (f[2].text.len != ROOT_SIZE || !tly_base64_decode(f[2].text, root, &n, &alphabet) ||
        alphabet != TLY_BASE64_STD || n != sizeof out->root.b) {
        return syntax(r, "root", "not the base64 of a root");
    }
    memcpy(out->root.b, root, sizeof out->root.b);
    if (f[1].n < 1 || f[1].n > BOOK_ENTRIES_MAX) {
        return decision_refuse(r, TLY_ERANGE, "range", "size", "no size that a ledger can have");
    }
    out->origin = f[0].text;
    out->at     = f[1].n;
    r->part     = "";
    return TLY_OK;
}

static enum tly_err
read_units(struct decision_reader *r, struct tly_bytes in, struct results *out)
{
    struct decision_field f[UNITS_N] = {
        [UNIT_EXPECTED] = {.name = "expected", .type = NUMBER},
        [UNIT_COUNTED]  = {.name = "counted", .type = NUMBER},
        [UNIT_HELD]     = {.name = "held", .type = NUMBER},
        [UNIT_ANNULLED] = {.name = "annulled", .type = NUMBER},
        [UNIT_MISSING]  = {.name = "missing", .type = NUMBER},
    };
    r->part                = "units.";
    const enum tly_err err = decision_object(r, in, f, UNITS_N);
    for (unsigned i = 0; i < UNITS_N; i++) {
        out->units[i] = f[i].n;
    }
    r->part = "";
    return err;
}

/* ---- the document ---- */

enum { ELECTION, PHASE, SCOPE, LOG, UNITS, CONTESTS, SOFTWARE, SERIAL, PREV, SALT, TOP_N };

static enum tly_err
check_top(const struct decision_reader *r, const struct decision_field f[TOP_N],
          struct results *out)
{
    const struct election *e = r->election;
    uint8_t                salt[SALT_LEN / 2];
    if (!tly_bytes_eq(f[ELECTION].text, tly_text(e->code))) {
        return decision_refuse(r, TLY_ERANGE, "A07", "election", "another election");
    }
    if (!tly_bytes_eq(f[PHASE].text, tly_text(phase_name(e->phase)))) {
        return decision_refuse(r, TLY_ERANGE, "A05", "phase", "another phase than the one here");
    }
    if (f[SALT].text.len != SALT_LEN || !tly_unhex(f[SALT].text, salt, sizeof salt)) {
        return syntax(r, "salt", "not 32 lower-case hex digits");
    }
    if (f[SOFTWARE].text.len < 1 || f[SOFTWARE].text.len > SOFTWARE_MAX) {
        return decision_refuse(r, TLY_ERANGE, "range", "software", "1 to 64 bytes");
    }
    if (f[SERIAL].n < 1 || f[SERIAL].n > ELECTION_COUNT_MAX) {
        return decision_refuse(r, TLY_ERANGE, "range", "serial", "no serial that there can be");
    }
    out->serial   = (uint32_t)f[SERIAL].n;
    out->has_prev = !is_null(f[PREV].text);
    if (out->has_prev && !read_hash(f[PREV].text, &out->prev)) {
        return syntax(r, "prev", "neither 64 lower-case hex digits nor null");
    }
    out->scope = election_area(e, f[SCOPE].text);
    return out->scope.v != IX_NONE ? TLY_OK
                                   : decision_refuse(r, TLY_ERANGE, "A07", "scope", "no such area");
}

static enum tly_err
write_lines(const struct decision_reader *r, const struct results *d, struct tly_bytes *out)
{
    char       *text = tly_arena_alloc(r->arena, LINES_MAX, 1);
    struct text wr;
    if (text == NULL) {
        return TLY_ENOMEM;
    }
    text_init(&wr, text, LINES_MAX);
    text_add(&wr, "scope ");
    text_add(&wr, r->election->areas[d->scope.v].code);
    text_add(&wr, "\nat ");
    text_add_u64(&wr, d->at);
    text_add(&wr, "\nserial ");
    text_add_u64(&wr, d->serial);
    text_add(&wr, "\n");
    TLY_CHECK(!wr.cut);
    *out = (struct tly_bytes){(const uint8_t *)text, wr.len};
    return TLY_OK;
}

enum tly_err
results_document(const struct decision_rules *rules, struct tly_bytes payload,
                 struct tly_arena *arena, struct results *out, struct tly_bytes *lines,
                 struct tly_diag *diag)
{
    struct tly_diag        unread   = {0};
    struct decision_reader r        = {.rules    = rules,
                                       .election = rules->election,
                                       .arena    = arena,
                                       .diag     = diag == NULL ? &unread : diag,
                                       .part     = "",
                                       .depth    = DEPTH_MAX};
    struct decision_field  f[TOP_N] = {
         [ELECTION] = {.name = "election", .type = TEXT},
         [PHASE]    = {.name = "phase", .type = TEXT},
         [SCOPE]    = {.name = "scope", .type = TEXT},
         [LOG]      = {.name = "log", .type = INNER},
         [UNITS]    = {.name = "units", .type = INNER},
         [CONTESTS] = {.name = "contests", .type = INNER},
         [SOFTWARE] = {.name = "software", .type = TEXT},
         [SERIAL]   = {.name = "serial", .type = NUMBER},
         [PREV]     = {.name = "prev", .type = INNER},
         [SALT]     = {.name = "salt", .type = TEXT},
    };
    struct results d   = {0};
    enum tly_err   err = decision_object(&r, payload, f, TOP_N);
    if (err == TLY_OK) {
        err = check_top(&r, f, &d);
    }
    if (err == TLY_OK) {
        err = read_log(&r, f[LOG].text, &d);
    }
    if (err == TLY_OK) {
        err = read_units(&r, f[UNITS].text, &d);
    }
    if (err == TLY_OK) {
        err = read_contests(&r, f[CONTESTS].text, &d);
    }
    if (err == TLY_OK) {
        err = write_lines(&r, &d, lines);
    }
    if (err == TLY_OK) {
        *out = d;
    }
    return err;
}
