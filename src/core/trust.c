/* SPDX-License-Identifier: Apache-2.0 */
#include "core/trust.h"

#include "base/check.h"
#include "base/num.h"

#define WORDS_MAX  (3 + 2 * TRUST_EACH_MAX) /* of a group line */
#define GROUP_BIT  32
#define NOT_A_NAME UINT32_MAX

struct reading {
    struct trust     *policy;
    struct tly_arena *arena;
    struct tly_diag  *diag;
    unsigned          line;
    bool              quorum;
    unsigned          words_n;
    struct tly_bytes  words[WORDS_MAX];
};

static enum tly_err
wrong(const struct reading *rd, const char *what)
{
    return tly_fail(rd->diag, TLY_EINPUT, "line %u: %s", rd->line, what);
}

static bool
is(struct tly_bytes word, const char *text)
{
    return tly_bytes_eq(word, tly_text(text));
}

/* A witness's or a group's bit. */
static uint32_t
find(const struct trust *p, struct tly_bytes name)
{
    for (unsigned i = 0; i < p->witnesses_n; i++) {
        if (is(name, p->witnesses[i].name)) {
            return i;
        }
    }
    for (unsigned i = 0; i < p->groups_n; i++) {
        if (is(name, p->groups[i].name)) {
            return GROUP_BIT + i;
        }
    }
    return NOT_A_NAME;
}

static enum tly_err
name_new(const struct reading *rd, struct tly_bytes name, const char **out)
{
    if (name.len > TRUST_NAME_MAX || is(name, "none") || find(rd->policy, name) != NOT_A_NAME) {
        return wrong(rd, "the name is too long, taken already, or \"none\"");
    }
    *out = tly_arena_text(rd->arena, name);
    return *out == NULL ? TLY_ENOMEM : TLY_OK;
}

static enum tly_err
url_of(const struct reading *rd, unsigned word, const char **out)
{
    *out = rd->words_n > word ? tly_arena_text(rd->arena, rd->words[word]) : "";
    return *out == NULL ? TLY_ENOMEM : TLY_OK;
}

/* log <vkey> [<url>] */
static enum tly_err
read_log(struct reading *rd)
{
    struct trust    *p   = rd->policy;
    struct trust_log log = {0};
    if (rd->words_n < 2 || rd->words_n > 3 || !note_vkey_parse(rd->words[1], &log.vkey)) {
        return wrong(rd, "not \"log VKEY [URL]\" with a log's vkey");
    }
    if (p->logs_n == TRUST_EACH_MAX) {
        return wrong(rd, "more logs than are taken");
    }
    for (unsigned i = 0; i < p->logs_n; i++) {
        if (memcmp(&p->logs[i].vkey.key, &log.vkey.key, sizeof log.vkey.key) == 0) {
            return wrong(rd, "a log's key stands twice");
        }
    }
    const enum tly_err err = url_of(rd, 2, &log.url);
    p->logs[p->logs_n++]   = log;
    return err;
}

/* witness <name> <vkey> [<url>] */
static enum tly_err
read_witness(struct reading *rd)
{
    struct trust        *p       = rd->policy;
    struct trust_witness witness = {0};
    if (rd->words_n < 3 || rd->words_n > 4 || !cosign_vkey_parse(rd->words[2], &witness.vkey)) {
        return wrong(rd, "not \"witness NAME VKEY [URL]\" with a witness's vkey");
    }
    if (p->witnesses_n == TRUST_EACH_MAX) {
        return wrong(rd, "more witnesses than are taken");
    }
    for (unsigned i = 0; i < p->witnesses_n; i++) {
        if (memcmp(&p->witnesses[i].vkey.key, &witness.vkey.key, sizeof witness.vkey.key) == 0) {
            return wrong(rd, "a witness's key stands twice");
        }
    }
    enum tly_err err = name_new(rd, rd->words[1], &witness.name);
    if (err == TLY_OK) {
        err = url_of(rd, 3, &witness.url);
    }
    if (err == TLY_OK) {
        p->witnesses[p->witnesses_n++] = witness;
    }
    return err;
}

static bool
threshold_read(struct tly_bytes word, unsigned members_n, unsigned *out)
{
    uint64_t k = 0;
    if (is(word, "any")) {
        k = 1;
    } else if (is(word, "all")) {
        k = members_n;
    } else if (!tly_u64_parse(word, members_n, &k)) {
        return false;
    }
    *out = (unsigned)k;
    return k >= 1;
}

/* group <name> <k>|any|all <name>... */
static enum tly_err
read_group(struct reading *rd)
{
    struct trust      *p     = rd->policy;
    struct trust_group group = {0};
    if (rd->words_n < 4 || !threshold_read(rd->words[2], rd->words_n - 3, &group.threshold)) {
        return wrong(rd, "not \"group NAME any|all|NUMBER NAME...\" with a number from 1 to the "
                         "count of names");
    }
    if (p->groups_n == TRUST_EACH_MAX) {
        return wrong(rd, "more groups than are taken");
    }
    for (unsigned i = 3; i < rd->words_n; i++) {
        const uint32_t member = find(p, rd->words[i]);
        if (member == NOT_A_NAME || (group.members >> member & 1) != 0) {
            return wrong(rd, "a member is not defined above, or stands twice");
        }
        group.members |= UINT64_C(1) << member;
    }
    const enum tly_err err = name_new(rd, rd->words[1], &group.name);
    if (err == TLY_OK) {
        p->groups[p->groups_n++] = group;
    }
    return err;
}

/* quorum <name>|none */
static enum tly_err
read_quorum(struct reading *rd)
{
    if (rd->quorum || rd->words_n != 2) {
        return wrong(rd, "not \"quorum NAME\", or a second one");
    }
    const uint32_t found = is(rd->words[1], "none") ? TRUST_NONE : find(rd->policy, rd->words[1]);
    if (found == NOT_A_NAME && !is(rd->words[1], "none")) {
        return wrong(rd, "the quorum's name is not defined above");
    }
    rd->policy->quorum = found;
    rd->quorum         = true;
    return TLY_OK;
}

static bool
has_control(struct tly_bytes line)
{
    for (size_t i = 0; i < line.len; i++) {
        if ((line.data[i] < ' ' && line.data[i] != '\t') || line.data[i] == 0x7f) {
            return true;
        }
    }
    return false;
}

/* No words of a comment or an empty line. */
static enum tly_err
words_split(struct reading *rd, struct tly_bytes line)
{
    rd->words_n = 0;
    if (has_control(line)) {
        return wrong(rd, "a control character");
    }
    for (size_t i = 0; i < line.len; i++) {
        const size_t from = i;
        while (i < line.len && line.data[i] != ' ' && line.data[i] != '\t') {
            i++;
        }
        if (i == from) {
            continue;
        }
        if (rd->words_n == 0 && line.data[from] == '#') {
            return TLY_OK;
        }
        if (rd->words_n == WORDS_MAX) {
            return wrong(rd, "more words than are taken");
        }
        rd->words[rd->words_n++] = (struct tly_bytes){line.data + from, i - from};
    }
    return TLY_OK;
}

static enum tly_err
read_line(struct reading *rd, struct tly_bytes line)
{
    static const struct {
        const char *word;
        enum tly_err (*read)(struct reading *rd);
    } kinds[]              = {{"log", read_log},
                              {"witness", read_witness},
                              {"group", read_group},
                              {"quorum", read_quorum}};
    const enum tly_err err = words_split(rd, line);
    if (err != TLY_OK || rd->words_n == 0) {
        return err;
    }
    for (size_t i = 0; i < TLY_N(kinds); i++) {
        if (is(rd->words[0], kinds[i].word)) {
            return kinds[i].read(rd);
        }
    }
    return wrong(rd, "begins with none of: log, witness, group, quorum");
}

enum tly_err
trust_parse(struct tly_bytes text, struct tly_arena *arena, const struct trust **out,
            struct tly_diag *diag)
{
    struct reading rd = {.policy = TLY_NEW(arena, struct trust, 1), .arena = arena, .diag = diag};
    if (rd.policy == NULL) {
        return TLY_ENOMEM;
    }
    if (text.len > TRUST_LEN_MAX) {
        return tly_fail(diag, TLY_EINPUT, "over %zu bytes", TRUST_LEN_MAX);
    }
    for (size_t at = 0; at < text.len;) {
        const uint8_t *end = memchr(text.data + at, '\n', text.len - at);
        rd.line++;
        if (end == NULL) {
            return wrong(&rd, "no newline at its end");
        }
        const size_t       len = (size_t)(end - (text.data + at));
        const enum tly_err err = read_line(&rd, (struct tly_bytes){text.data + at, len});
        if (err != TLY_OK) {
            return err;
        }
        at += len + 1;
    }
    if (!rd.quorum) {
        return tly_fail(diag, TLY_EINPUT, "there is no quorum line (\"quorum none\" if so)");
    }
    *out = rd.policy;
    return TLY_OK;
}

static unsigned
count(uint64_t set)
{
    unsigned n = 0;
    for (; set != 0; set &= set - 1) {
        n++;
    }
    return n;
}

bool
trust_quorum(const struct trust *policy, uint32_t cosigned)
{
    uint64_t met = cosigned; /* and above, groups that were met: each names only those before it */
    for (unsigned i = 0; i < policy->groups_n; i++) {
        const struct trust_group *g = &policy->groups[i];
        if (count(met & g->members) >= g->threshold) {
            met |= UINT64_C(1) << (GROUP_BIT + i);
        }
    }
    return policy->quorum == TRUST_NONE || (met >> policy->quorum & 1) != 0;
}

/* Do those witnesses that signed this size or more, at this time or later, make the quorum? */
static bool
is_covered(const struct trust *policy, const struct trust_seen seen[], struct trust_seen least)
{
    uint32_t cosigned = 0;
    for (unsigned i = 0; i < policy->witnesses_n; i++) {
        if (seen[i].time_s > 0 && seen[i].size >= least.size && seen[i].time_s >= least.time_s) {
            cosigned |= UINT32_C(1) << i;
        }
    }
    return cosigned != 0 && trust_quorum(policy, cosigned);
}

struct trust_seen
trust_witnessed(const struct trust *policy, const struct trust_seen seen[])
{
    struct trust_seen out = {0};
    for (unsigned i = 0; i < policy->witnesses_n; i++) {
        const struct trust_seen at = {.size = seen[i].size};
        if (seen[i].time_s > 0 && at.size > out.size && is_covered(policy, seen, at)) {
            out.size = at.size;
        }
    }
    for (unsigned i = 0; out.size > 0 && i < policy->witnesses_n; i++) {
        const struct trust_seen at = {.size = out.size, .time_s = seen[i].time_s};
        if (at.time_s > out.time_s && is_covered(policy, seen, at)) {
            out.time_s = at.time_s;
        }
    }
    return out;
}

bool
trust_file_name(const char *name)
{
    for (const char *p = name; *p != '\0'; p++) {
        const bool plain = (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') ||
                           (*p >= '0' && *p <= '9') || *p == '_' || *p == '-' ||
                           (*p == '.' && p != name);
        if (!plain) {
            return false;
        }
    }
    return *name != '\0';
}
