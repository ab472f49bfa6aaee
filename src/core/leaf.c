/* SPDX-License-Identifier: Apache-2.0 */
#include "core/leaf.h"

#include "base/check.h"
#include "core/election.h"
#include "leaf_lines.h"
#include "rd.h"

#define FIRST_LINE    "tally/leaf/v1\n"
#define CHECK_LEN_MAX 8 /* "N08" */

/* Kinds in the order of enum leaf_kind; 0 is none. */
static const char *const kind_names[] = {[LEAF_GENESIS] = "genesis",     [LEAF_BUNDLE] = "bundle",
                                         [LEAF_CONFLICT] = "conflict",   [LEAF_RELEASE] = "release",
                                         [LEAF_EXPLAIN] = "explain",     [LEAF_ANNUL] = "annul",
                                         [LEAF_REINSTATE] = "reinstate", [LEAF_LOT] = "lot",
                                         [LEAF_EXCLUDE] = "exclude",     [LEAF_KEY] = "key",
                                         [LEAF_STATE] = "state",         [LEAF_CERTIFY] = "certify",
                                         [LEAF_RESULT] = "result"};

const char *
leaf_kind_name(enum leaf_kind kind)
{
    TLY_CHECK(kind >= LEAF_GENESIS && kind <= LEAF_RESULT);
    return kind_names[kind];
}

static void
line_hash(struct text *wr, const char *name, const struct tly_hash *hash)
{
    text_add(wr, name);
    text_add_hash(wr, hash);
    text_add(wr, "\n");
}

static void
line_hash_len(struct text *wr, const char *name, const struct tly_hash *hash, uint64_t len)
{
    text_add(wr, name);
    text_add_hash(wr, hash);
    line_number(wr, " ", len);
}

/* What bundles and conflicts have in common, from branch to terminal. */
static void
bundle_add(struct text *wr, const struct leaf *leaf)
{
    line_text(wr, "branch ", leaf->branch);
    line_number(wr, "revision ", leaf->revision);
    if (leaf->has_prev) {
        line_hash(wr, "prev ", &leaf->prev);
    } else {
        text_add(wr, "prev -\n");
    }
    line_hash(wr, "key ", &leaf->key);
    line_hash_len(wr, "payload ", &leaf->payload, leaf->payload_len);
    line_hash_len(wr, "envelope ", &leaf->envelope, leaf->envelope_len);
    line_number(wr, "accepted ", leaf->accepted_ms);
    line_text(wr, "terminal ", leaf->terminal);
}

size_t
leaf_write(const struct leaf *leaf, char out[LEAF_SIZE])
{
    struct text wr;
    text_init(&wr, out, LEAF_SIZE);
    text_add(&wr, FIRST_LINE);
    line_text(&wr, "kind ", leaf_kind_name(leaf->kind));
    line_text(&wr, "election ", leaf->election);
    switch (leaf->kind) {
    case LEAF_GENESIS:
        line_hash(&wr, "definition ", &leaf->definition);
        line_hash(&wr, "registry ", &leaf->registry);
        line_number(&wr, "accepted ", leaf->accepted_ms);
        break;
    case LEAF_BUNDLE:
        bundle_add(&wr, leaf);
        text_add_bytes(&wr, leaf->held);
        break;
    case LEAF_CONFLICT:
        bundle_add(&wr, leaf);
        line_hash(&wr, "first ", &leaf->first_envelope);
        break;
    case LEAF_RELEASE:
    case LEAF_EXPLAIN:
    case LEAF_ANNUL:
    case LEAF_REINSTATE:
    case LEAF_LOT:
    case LEAF_EXCLUDE:
    case LEAF_KEY:
    case LEAF_STATE:
    case LEAF_CERTIFY:
    case LEAF_RESULT:
        line_hash_len(&wr, "payload ", &leaf->payload, leaf->payload_len);
        line_hash_len(&wr, "envelope ", &leaf->envelope, leaf->envelope_len);
        line_number(&wr, "accepted ", leaf->accepted_ms);
        text_add_bytes(&wr, leaf->held);
        break;
    }
    return text_done(&wr);
}

static bool
read_kind(struct rd *rd, struct leaf *leaf)
{
    struct tly_bytes text;
    if (!rd_lit(rd, "kind ") || !rd_until(rd, '\n', &text)) {
        return false;
    }
    for (unsigned kind = LEAF_GENESIS; kind <= LEAF_RESULT; kind++) {
        if (tly_bytes_eq(text, tly_text(kind_names[kind]))) {
            leaf->kind = (enum leaf_kind)kind;
            return true;
        }
    }
    return false;
}

static bool
read_prev(struct rd *rd, struct leaf *leaf)
{
    if (!rd_lit(rd, "prev ")) {
        return false;
    }
    if (rd_lit(rd, "-\n")) {
        return true;
    }
    leaf->has_prev = true;
    return rd_hash(rd, '\n', &leaf->prev);
}

static bool
read_revision(struct rd *rd, struct leaf *leaf)
{
    uint64_t n;
    if (!rd_lit(rd, "revision ") || !rd_u64(rd, '\n', &n) || n < 1 || n > ELECTION_COUNT_MAX) {
        return false;
    }
    leaf->revision = (uint32_t)n;
    return true;
}

static bool
read_bundle(struct rd *rd, struct leaf_texts *texts, struct leaf *leaf)
{
    return rd_lit(rd, "branch ") && rd_code(rd, '\n', texts->branch) && read_revision(rd, leaf) &&
           read_prev(rd, leaf) && rd_lit(rd, "key ") && rd_hash(rd, '\n', &leaf->key) &&
           rd_lit(rd, "payload ") && rd_hash(rd, ' ', &leaf->payload) &&
           rd_u64(rd, '\n', &leaf->payload_len) && rd_lit(rd, "envelope ") &&
           rd_hash(rd, ' ', &leaf->envelope) && rd_u64(rd, '\n', &leaf->envelope_len) &&
           rd_lit(rd, "accepted ") && rd_u64(rd, '\n', &leaf->accepted_ms) &&
           rd_lit(rd, "terminal ") && rd_code(rd, '\n', texts->terminal);
}

/* "N08,S03": upper-case letters and digits, at least one code. */
static bool
checks_ok(struct tly_bytes checks)
{
    size_t len = 0; /* of the code so far */
    for (size_t i = 0; i < checks.len; i++) {
        const uint8_t c = checks.data[i];
        if (c == ',') {
            if (len == 0) {
                return false;
            }
            len = 0;
        } else if (((c < 'A' || c > 'Z') && (c < '0' || c > '9')) || ++len > CHECK_LEN_MAX) {
            return false;
        }
    }
    return len > 0;
}

/* Lines "held CONTEST CODE,CODE" to the end. */
static bool
read_held(struct rd *rd, struct leaf *leaf)
{
    const uint8_t *start = rd->p;
    while (rd_left(rd) > 0) {
        char             contest[CODE_LEN_MAX + 1];
        struct tly_bytes checks;
        if (!rd_lit(rd, "held ") || !rd_code(rd, ' ', contest) || !rd_until(rd, '\n', &checks) ||
            !checks_ok(checks)) {
            return false;
        }
    }
    leaf->held = (struct tly_bytes){start, (size_t)(rd->p - start)};
    return true;
}

/* Two lines with times, the first not after the second. */
static bool
read_dates(struct rd *rd)
{
    uint64_t from, to;
    return rd_lit(rd, "not_before ") && rd_u64(rd, '\n', &from) && rd_lit(rd, "not_after ") &&
           rd_u64(rd, '\n', &to) && from <= to && to <= ELECTION_TIME_MAX;
}

/* "branch CODE\n" */
static bool
read_branch(struct rd *rd)
{
    char code[CODE_LEN_MAX + 1];
    return rd_lit(rd, "branch ") && rd_code(rd, '\n', code);
}

/* Is a line of this name next?  Nothing is passed over. */
static bool
stands(const struct rd *rd, const char *name)
{
    struct rd look = *rd;
    return rd_lit(&look, name);
}

/* Lines of a key, a certificate, and dates: all of them of one that is added. */
static bool
read_credentials(struct rd *rd, bool all)
{
    struct tly_hash hash;
    const bool      key = all || stands(rd, "signing_key ");
    if (key && (!rd_lit(rd, "signing_key ") || !rd_hash(rd, '\n', &hash))) {
        return false;
    }
    const bool cert = all || !key || stands(rd, "certificate ");
    if (cert && (!rd_lit(rd, "certificate ") || !rd_hash(rd, '\n', &hash))) {
        return false;
    }
    return (!all && rd_left(rd) == 0) || read_dates(rd);
}

/* Which lines an action has: decision_key.c. */
static bool
read_target_key(struct rd *rd)
{
    struct tly_bytes action;
    char             code[CODE_LEN_MAX + 1];
    if (!rd_lit(rd, "action ") || !rd_until(rd, '\n', &action) || !rd_lit(rd, "terminal ") ||
        !rd_code(rd, '\n', code)) {
        return false;
    }
    if (tly_bytes_eq(action, tly_text("assign"))) {
        return read_branch(rd);
    }
    if (tly_bytes_eq(action, tly_text("rotate"))) {
        return read_credentials(rd, false);
    }
    if (tly_bytes_eq(action, tly_text("add"))) {
        return (!stands(rd, "branch ") || read_branch(rd)) && read_credentials(rd, true);
    }
    return tly_bytes_eq(action, tly_text("revoke"));
}

static bool
read_target_state(struct rd *rd)
{
    struct tly_bytes word;
    uint64_t         until;
    if (!rd_lit(rd, "state ") || !rd_until(rd, '\n', &word) ||
        (!tly_bytes_eq(word, tly_text("open")) && !tly_bytes_eq(word, tly_text("closed")) &&
         !tly_bytes_eq(word, tly_text("maintenance")))) {
        return false;
    }
    return rd_left(rd) == 0 ||
           (rd_lit(rd, "until ") && rd_u64(rd, '\n', &until) && until <= ELECTION_TIME_MAX);
}

static bool
read_target_result(struct rd *rd)
{
    char     scope[CODE_LEN_MAX + 1];
    uint64_t at, serial;
    return rd_lit(rd, "scope ") && rd_code(rd, '\n', scope) && rd_lit(rd, "at ") &&
           rd_u64(rd, '\n', &at) && at >= 1 && rd_lit(rd, "serial ") && rd_u64(rd, '\n', &serial) &&
           serial >= 1 && serial <= ELECTION_COUNT_MAX;
}

/* The lines of a decision's target, to the end. */
static bool
read_target(struct rd *rd, struct leaf *leaf)
{
    const uint8_t  *start = rd->p;
    char            code[CODE_LEN_MAX + 1];
    struct tly_hash hash;
    uint64_t        n;
    bool            ok = true;
    if (leaf->kind == LEAF_KEY || leaf->kind == LEAF_STATE || leaf->kind == LEAF_RESULT) {
        ok         = leaf->kind == LEAF_KEY     ? read_target_key(rd)
                     : leaf->kind == LEAF_STATE ? read_target_state(rd)
                                                : read_target_result(rd);
        leaf->held = (struct tly_bytes){start, (size_t)(rd->p - start)};
        return ok;
    }
    if (leaf->kind <= LEAF_REINSTATE) {
        ok = rd_lit(rd, "branch ") && rd_code(rd, '\n', code);
    }
    ok = ok && rd_lit(rd, "contest ") && rd_code(rd, '\n', code);
    if (leaf->kind == LEAF_EXCLUDE) {
        ok = ok && rd_lit(rd, "candidate ") && rd_code(rd, '\n', code);
    }
    if (leaf->kind == LEAF_CERTIFY) {
        ok = ok && rd_lit(rd, "at ") && rd_u64(rd, '\n', &n) && rd_lit(rd, "result ") &&
             rd_hash(rd, '\n', &hash);
    }
    leaf->held = (struct tly_bytes){start, (size_t)(rd->p - start)};
    return ok;
}

static bool
read_decision(struct rd *rd, struct leaf *leaf)
{
    return rd_lit(rd, "payload ") && rd_hash(rd, ' ', &leaf->payload) &&
           rd_u64(rd, '\n', &leaf->payload_len) && rd_lit(rd, "envelope ") &&
           rd_hash(rd, ' ', &leaf->envelope) && rd_u64(rd, '\n', &leaf->envelope_len) &&
           rd_lit(rd, "accepted ") && rd_u64(rd, '\n', &leaf->accepted_ms) && read_target(rd, leaf);
}

static bool
read_rest(struct rd *rd, struct leaf_texts *texts, struct leaf *leaf)
{
    switch (leaf->kind) {
    case LEAF_GENESIS:
        return rd_lit(rd, "definition ") && rd_hash(rd, '\n', &leaf->definition) &&
               rd_lit(rd, "registry ") && rd_hash(rd, '\n', &leaf->registry) &&
               rd_lit(rd, "accepted ") && rd_u64(rd, '\n', &leaf->accepted_ms);
    case LEAF_BUNDLE:
        return read_bundle(rd, texts, leaf) && read_held(rd, leaf);
    case LEAF_CONFLICT:
        return read_bundle(rd, texts, leaf) && rd_lit(rd, "first ") &&
               rd_hash(rd, '\n', &leaf->first_envelope);
    case LEAF_RELEASE:
    case LEAF_EXPLAIN:
    case LEAF_ANNUL:
    case LEAF_REINSTATE:
    case LEAF_LOT:
    case LEAF_EXCLUDE:
    case LEAF_KEY:
    case LEAF_STATE:
    case LEAF_CERTIFY:
    case LEAF_RESULT:
        return read_decision(rd, leaf);
    }
    return false;
}

enum tly_err
leaf_parse(struct tly_bytes in, struct leaf_texts *texts, struct leaf *out, struct tly_diag *diag)
{
    struct rd         rd   = rd_of(in);
    struct leaf       leaf = {0};
    struct leaf_texts read = {0};
    if (in.len > LEAF_LEN_MAX) {
        return tly_fail(diag, TLY_EINPUT, "leaf longer than %d bytes", LEAF_LEN_MAX);
    }
    if (!rd_lit(&rd, FIRST_LINE) || !read_kind(&rd, &leaf) || !rd_lit(&rd, "election ") ||
        !rd_code(&rd, '\n', read.election) || !read_rest(&rd, &read, &leaf) || rd_left(&rd) > 0) {
        return tly_fail(diag, TLY_EINPUT, "not a leaf: byte %zu", (size_t)(rd.p - in.data));
    }
    *texts        = read;
    leaf.election = texts->election;
    if (leaf.kind == LEAF_BUNDLE || leaf.kind == LEAF_CONFLICT) {
        leaf.branch   = texts->branch;
        leaf.terminal = texts->terminal;
    }
    *out = leaf;
    return TLY_OK;
}
