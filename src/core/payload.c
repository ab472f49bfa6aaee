/* SPDX-License-Identifier: Apache-2.0 */
#include "core/payload.h"

#include "base/hex.h"
#include "base/text.h"
#include "core/codes.h"
#include "payload_rows.h"
#include "rd.h"

/* The reader: where it is, which part it reads, and what it found wrong. */
struct pr {
    struct rd       rd;
    struct payload *out;
    uint32_t        votes_max;
    bool            in_contest; /* out->contests[out->contests_n] is being read */
    const char     *part;       /* "lists"...; "": the contest itself */
    bool            in_row;
    uint32_t        row;
    enum tly_err    err;
    const char     *field; /* the key; "": the part itself */
    const char     *why;
};

struct key {
    const char *name;
    size_t      len;
};

/* The keys of one object: those known, those met. */
struct object {
    const struct key *keys;
    unsigned          keys_n;
    uint32_t          seen; /* a bit each */
    unsigned          now;  /* the key at hand; keys_n: the object ended */
};

#define KEY(name)                                                                                  \
    {                                                                                              \
        name, sizeof(name) - 1                                                                     \
    }
#define BIT(i) (UINT32_C(1) << (i))

enum top {
    TOP_ELECTION,
    TOP_DEFINITION,
    TOP_PHASE,
    TOP_BRANCH,
    TOP_TERMINAL,
    TOP_REVISION,
    TOP_PREV,
    TOP_SALT,
    TOP_OPENED_AT,
    TOP_CLOSED_AT,
    TOP_MADE_AT,
    TOP_CONTESTS,
    TOP_N
};
static const struct key top_keys[TOP_N] = {KEY("election"),  KEY("definition"), KEY("phase"),
                                           KEY("branch"),    KEY("terminal"),   KEY("revision"),
                                           KEY("prev"),      KEY("salt"),       KEY("opened_at"),
                                           KEY("closed_at"), KEY("made_at"),    KEY("contests")};

enum contest_key {
    C_CONTEST,
    C_AUTHENTICATED,
    C_ISSUED,
    C_CAST,
    C_BLANK,
    C_INVALID,
    C_VALID,
    C_EXCLUDED,
    C_LISTS,
    C_MIXED,
    C_CANDIDATES,
    C_NOT_HELD,
    C_N
};
static const struct key contest_keys[C_N] = {KEY("contest"), KEY("authenticated"), KEY("issued"),
                                             KEY("cast"),    KEY("blank"),         KEY("invalid"),
                                             KEY("valid"),   KEY("excluded"),      KEY("lists"),
                                             KEY("mixed"),   KEY("candidates"),    KEY("not_held")};
#define C_LIST_KEYS (BIT(C_LISTS) | BIT(C_MIXED))
#define C_HELD_KEYS ((BIT(C_N) - 1) & ~(C_LIST_KEYS | BIT(C_NOT_HELD)))

static const struct key authenticated_keys[] = {KEY("online"), KEY("offline"), KEY("manual")};

const char *
count_name(enum count count)
{
    static const char *const names[COUNTS_N] = {"authenticated_online",
                                                "authenticated_offline",
                                                "authenticated_manual",
                                                "issued",
                                                "cast",
                                                "blank",
                                                "invalid",
                                                "valid",
                                                "excluded",
                                                "mixed"};
    return names[count];
}

static bool
wrong(struct pr *pr, enum tly_err err, const char *field, const char *why)
{
    pr->err   = err;
    pr->field = field;
    pr->why   = why;
    return false;
}

/* Which key it is; the one after the last is tried first, since most write them in our order. */
static unsigned
find_key(const struct object *o, struct tly_bytes text)
{
    unsigned at = o->now + 1;
    for (unsigned tried = 0; tried < o->keys_n; tried++, at++) {
        at = at >= o->keys_n ? 0 : at;
        if (o->keys[at].len == text.len && memcmp(o->keys[at].name, text.data, text.len) == 0) {
            return at;
        }
    }
    return o->keys_n;
}

static bool
begin_object(struct pr *pr, struct object *o, const struct key keys[], unsigned keys_n)
{
    *o = (struct object){.keys = keys, .keys_n = keys_n, .now = keys_n};
    return rd_is(&pr->rd, '{') || wrong(pr, TLY_EINPUT, "", "not an object");
}

/* Up to the next key's value; o->now is keys_n at the object's end. */
static bool
next_key(struct pr *pr, struct object *o)
{
    struct rd_string text;
    if (rd_is(&pr->rd, '}')) {
        o->now = o->keys_n;
        return true;
    }
    if (o->seen != 0 && !rd_is(&pr->rd, ',')) {
        return wrong(pr, TLY_EINPUT, o->keys[o->now].name,
                     "neither comma nor end behind the value");
    }
    if (!rd_string(&pr->rd, &text)) {
        return wrong(pr, TLY_EINPUT, "", "no key where one must stand");
    }
    const unsigned key = find_key(o, text.raw);
    if (key == o->keys_n) {
        return wrong(pr, TLY_EINPUT, "", "unknown key");
    }
    if ((o->seen & BIT(key)) != 0) {
        return wrong(pr, TLY_EINPUT, o->keys[key].name, "stands twice");
    }
    o->seen |= BIT(key);
    o->now = key;
    return rd_is(&pr->rd, ':') ||
           wrong(pr, TLY_EINPUT, o->keys[key].name, "no colon behind the key");
}

/* Are all these keys there?  The first that is not is named. */
static bool
need(struct pr *pr, const struct object *o, uint32_t keys)
{
    const uint32_t missing = keys & ~o->seen;
    return missing == 0 || wrong(pr, TLY_ERANGE, o->keys[__builtin_ctz(missing)].name, "missing");
}

static bool
read_number(struct pr *pr, const char *field, uint64_t least, uint64_t most, uint64_t *out)
{
    struct rd_int n;
    if (!rd_int(&pr->rd, &n)) {
        return wrong(pr, TLY_EINPUT, field, "not a whole number");
    }
    if (n.negative || n.over || n.n < least || n.n > most) {
        return wrong(pr, TLY_ERANGE, field, "out of range");
    }
    *out = n.n;
    return true;
}

static bool
read_count(struct pr *pr, const char *field, uint32_t *out)
{
    uint64_t n = 0;
    if (!read_number(pr, field, 0, ELECTION_COUNT_MAX, &n)) {
        return false;
    }
    *out = (uint32_t)n;
    return true;
}

static bool
read_code(struct pr *pr, const char *field, struct tly_bytes *out)
{
    struct rd_string text;
    if (!rd_string(&pr->rd, &text)) {
        return wrong(pr, TLY_EINPUT, field, "not a string");
    }
    if (text.escaped) {
        return wrong(pr, TLY_EINPUT, field, "an escape in a code");
    }
    if (!codes_valid(text.raw)) {
        return wrong(pr, TLY_ERANGE, field, "not 1 to 64 of A-Z a-z 0-9 . _ -");
    }
    *out = text.raw;
    return true;
}

static bool
read_hex(struct pr *pr, const char *field, uint8_t *out, size_t len)
{
    struct rd_string text;
    if (!rd_string(&pr->rd, &text)) {
        return wrong(pr, TLY_EINPUT, field, "not a string");
    }
    return tly_unhex(text.raw, out, len) ||
           wrong(pr, TLY_ERANGE, field, "not so many lower-case hexadecimal digits");
}

static bool
read_phase(struct pr *pr, enum phase *out)
{
    struct rd_string text;
    if (!rd_string(&pr->rd, &text)) {
        return wrong(pr, TLY_EINPUT, "phase", "not a string");
    }
    if (tly_bytes_eq(text.raw, tly_text("official"))) {
        *out = PHASE_OFFICIAL;
    } else if (tly_bytes_eq(text.raw, tly_text("rehearsal"))) {
        *out = PHASE_REHEARSAL;
    } else {
        return wrong(pr, TLY_ERANGE, "phase", "neither official nor rehearsal");
    }
    return true;
}

static bool
read_prev(struct pr *pr, struct payload *out)
{
    rd_space(&pr->rd);
    out->has_prev = !rd_lit(&pr->rd, "null");
    return !out->has_prev || read_hex(pr, "prev", out->prev.b, sizeof out->prev.b);
}

static bool
read_reason(struct pr *pr, struct tly_bytes *out)
{
    struct rd_string text;
    if (!rd_string(&pr->rd, &text) || text.nul) {
        return wrong(pr, TLY_EINPUT, "not_held", "not a string, or with a NUL");
    }
    if (text.raw.len < 1 || text.raw.len > PAYLOAD_REASON_LEN_MAX) {
        return wrong(pr, TLY_ERANGE, "not_held", "empty, or longer than 256 bytes");
    }
    *out = text.raw;
    return true;
}

static bool
read_authenticated(struct pr *pr, struct payload_contest *c)
{
    struct object o;
    pr->part = "authenticated";
    if (!begin_object(pr, &o, authenticated_keys, TLY_N(authenticated_keys))) {
        return false;
    }
    for (;;) {
        if (!next_key(pr, &o)) {
            return false;
        }
        if (o.now == o.keys_n) {
            break;
        }
        if (!read_count(pr, o.keys[o.now].name, &c->counts[COUNT_ONLINE + o.now])) {
            return false;
        }
    }
    if (!need(pr, &o, BIT(o.keys_n) - 1)) {
        return false;
    }
    pr->part = "";
    return true;
}

/* One row ["code",votes]. */
static bool
read_row(struct pr *pr)
{
    if (pr->out->votes_n == pr->votes_max) {
        return wrong(pr, TLY_ERANGE, "", "more rows than there is room for");
    }
    struct payload_vote *vote = &pr->out->votes[pr->out->votes_n++];
    return (rd_is(&pr->rd, '[') || wrong(pr, TLY_EINPUT, "", "not a pair")) &&
           read_code(pr, "", &vote->code) &&
           (rd_is(&pr->rd, ',') || wrong(pr, TLY_EINPUT, "", "not a pair")) &&
           read_count(pr, "", &vote->votes) &&
           (rd_is(&pr->rd, ']') || wrong(pr, TLY_EINPUT, "", "not a pair"));
}

static bool
read_rows(struct pr *pr, const char *part, uint32_t *first, uint32_t *n)
{
    pr->part = part;
    *first   = pr->out->votes_n;
    if (!rd_is(&pr->rd, '[')) {
        return wrong(pr, TLY_EINPUT, "", "not an array");
    }
    if (!rd_is(&pr->rd, ']')) {
        pr->in_row = true;
        do {
            pr->row = pr->out->votes_n - *first;
            if (!read_row(pr)) {
                return false;
            }
        } while (rd_is(&pr->rd, ','));
        pr->in_row = false;
        if (!rd_is(&pr->rd, ']')) {
            return wrong(pr, TLY_EINPUT, "", "neither comma nor end behind a pair");
        }
    }
    *n = pr->out->votes_n - *first;
    if (payload_rows_repeat(pr->out->votes + *first, *n, &pr->row)) {
        pr->in_row = true;
        return wrong(pr, TLY_EINPUT, "", "the code stands twice");
    }
    pr->part = "";
    return true;
}

static bool
read_contest_value(struct pr *pr, enum contest_key key, struct payload_contest *c)
{
    switch (key) {
    case C_CONTEST:
        return read_code(pr, "contest", &c->code);
    case C_AUTHENTICATED:
        return read_authenticated(pr, c);
    case C_ISSUED:
    case C_CAST:
    case C_BLANK:
    case C_INVALID:
    case C_VALID:
    case C_EXCLUDED:
        return read_count(pr, contest_keys[key].name, &c->counts[COUNT_ISSUED + (key - C_ISSUED)]);
    case C_LISTS:
        return read_rows(pr, "lists", &c->lists_first, &c->lists_n);
    case C_MIXED:
        return read_count(pr, "mixed", &c->counts[COUNT_MIXED]);
    case C_CANDIDATES:
        return read_rows(pr, "candidates", &c->candidates_first, &c->candidates_n);
    case C_NOT_HELD:
        return read_reason(pr, &c->not_held);
    case C_N:
        break;
    }
    return wrong(pr, TLY_EINPUT, "", "unknown key");
}

/* Do the keys of a contest go together, and is it there only once? */
static bool
check_contest(struct pr *pr, const struct object *o, struct payload_contest *c)
{
    if (!need(pr, o, BIT(C_CONTEST))) {
        return false;
    }
    for (uint32_t i = 0; i < pr->out->contests_n; i++) {
        if (tly_bytes_eq(pr->out->contests[i].code, c->code)) {
            return wrong(pr, TLY_EINPUT, "contest", "the contest stands twice");
        }
    }
    if ((o->seen & BIT(C_NOT_HELD)) != 0) {
        return o->seen == (BIT(C_CONTEST) | BIT(C_NOT_HELD)) ||
               wrong(pr, TLY_ERANGE, "not_held", "numbers beside it");
    }
    c->has_lists = (o->seen & C_LIST_KEYS) != 0;
    return need(pr, o, C_HELD_KEYS | (c->has_lists ? C_LIST_KEYS : 0));
}

static bool
read_contest(struct pr *pr)
{
    struct payload_contest *c = &pr->out->contests[pr->out->contests_n];
    struct object           o;
    *c = (struct payload_contest){0};
    if (!begin_object(pr, &o, contest_keys, C_N)) {
        return false;
    }
    for (;;) {
        if (!next_key(pr, &o)) {
            return false;
        }
        if (o.now == o.keys_n) {
            return check_contest(pr, &o, c);
        }
        if (!read_contest_value(pr, (enum contest_key)o.now, c)) {
            return false;
        }
    }
}

static bool
read_contests(struct pr *pr)
{
    if (!rd_is(&pr->rd, '[')) {
        return wrong(pr, TLY_EINPUT, "contests", "not an array");
    }
    if (rd_is(&pr->rd, ']')) {
        return true;
    }
    do {
        if (pr->out->contests_n == PAYLOAD_CONTESTS_MAX) {
            return wrong(pr, TLY_ERANGE, "contests", "more than 64");
        }
        pr->in_contest = true;
        if (!read_contest(pr)) {
            return false;
        }
        pr->in_contest = false;
        pr->out->contests_n++;
    } while (rd_is(&pr->rd, ','));
    return rd_is(&pr->rd, ']') ||
           wrong(pr, TLY_EINPUT, "contests", "neither comma nor end behind a contest");
}

static bool
read_top_value(struct pr *pr, enum top key, struct payload *out)
{
    uint64_t n = 0;
    switch (key) {
    case TOP_ELECTION:
        return read_code(pr, "election", &out->election);
    case TOP_DEFINITION:
        return read_hex(pr, "definition", out->definition.b, sizeof out->definition.b);
    case TOP_PHASE:
        return read_phase(pr, &out->phase);
    case TOP_BRANCH:
        return read_code(pr, "branch", &out->branch);
    case TOP_TERMINAL:
        return read_code(pr, "terminal", &out->terminal);
    case TOP_REVISION:
        if (!read_number(pr, "revision", 1, ELECTION_COUNT_MAX, &n)) {
            return false;
        }
        out->revision = (uint32_t)n;
        return true;
    case TOP_PREV:
        return read_prev(pr, out);
    case TOP_SALT:
        return read_hex(pr, "salt", out->salt, sizeof out->salt);
    case TOP_OPENED_AT:
        return read_number(pr, "opened_at", 0, ELECTION_TIME_MAX, &out->opened_at);
    case TOP_CLOSED_AT:
        return read_number(pr, "closed_at", 0, ELECTION_TIME_MAX, &out->closed_at);
    case TOP_MADE_AT:
        return read_number(pr, "made_at", 0, ELECTION_TIME_MAX, &out->made_at);
    case TOP_CONTESTS:
        return read_contests(pr);
    case TOP_N:
        break;
    }
    return wrong(pr, TLY_EINPUT, "", "unknown key");
}

static bool
read_top(struct pr *pr)
{
    struct object o;
    if (!begin_object(pr, &o, top_keys, TOP_N)) {
        return false;
    }
    for (;;) {
        if (!next_key(pr, &o)) {
            return false;
        }
        if (o.now == o.keys_n) {
            break;
        }
        if (!read_top_value(pr, (enum top)o.now, pr->out)) {
            return false;
        }
    }
    if (!need(pr, &o, BIT(TOP_N) - 1)) {
        return false;
    }
    rd_space(&pr->rd);
    return rd_left(&pr->rd) == 0 || wrong(pr, TLY_EINPUT, "", "bytes behind the object");
}

static void
add_index(struct text *path, const char *name, uint32_t i)
{
    text_add(path, name);
    text_add(path, "[");
    text_add_u64(path, i);
    text_add(path, "]");
}

static enum tly_err
refuse(const struct pr *pr, const uint8_t *start, struct tly_diag *diag)
{
    char        field[sizeof diag->field];
    struct text path;
    if (diag == NULL) {
        return pr->err;
    }
    text_init(&path, field, sizeof field);
    if (pr->in_contest) {
        add_index(&path, "contests", pr->out->contests_n);
        if (pr->part[0] != '\0') {
            text_add(&path, ".");
        }
        if (pr->in_row) {
            add_index(&path, pr->part, pr->row);
        } else {
            text_add(&path, pr->part);
        }
    }
    if (path.len > 0 && pr->field[0] != '\0') {
        text_add(&path, ".");
    }
    text_add(&path, pr->field);
    return tly_fail_at(diag, pr->err, pr->err == TLY_EINPUT ? "S01" : "S06", field, "%s (byte %zu)",
                       pr->why, (size_t)(pr->rd.p - start));
}

enum tly_err
payload_parse(struct tly_bytes in, struct payload_vote votes[], uint32_t votes_max,
              struct payload *out, struct tly_diag *diag)
{
    struct pr pr = {.rd = rd_of(in), .out = out, .votes_max = votes_max, .part = ""};
    if (in.len > PAYLOAD_BYTES_MAX) {
        return tly_fail_at(diag, TLY_ETOOBIG, "too_large", "", "%zu bytes, at most %zu", in.len,
                           PAYLOAD_BYTES_MAX);
    }
    out->contests_n = 0;
    out->votes      = votes;
    out->votes_n    = 0;
    return read_top(&pr) ? TLY_OK : refuse(&pr, in.data, diag);
}
