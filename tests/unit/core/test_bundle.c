/* SPDX-License-Identifier: Apache-2.0 */
/* From an envelope to what the sequencer takes: which failure answers when several are there, who
 * may deliver what, how many officers a revision needs, and *out untouched by every refusal. */
#include "base/hex.h"
#include "core/bundle.h"

#include "election_make.h"
#include "t.h"

#define ARENA_MAX   ((size_t)4 << 20)
#define TERMINALS_N 4
#define OFFICERS_N  4
#define TEXT_MAX    2048

enum { OWN, OTHER, REVOKED, SPARE };
enum { SUPERVISION_ALL, SUPERVISION_FAR, COMMISSION_ALL, SUPERVISION_TWO };

static struct election_maker  m;
static struct registry        registry;
static const struct registry *now = &registry;
static struct terminal        terminals[TERMINALS_N];
static struct officer         officers[OFFICERS_N];
static struct sign_secret     terminal_keys[TERMINALS_N], officer_keys[OFFICERS_N], stranger;
static struct area_ix         root, near, far;
static struct tly_arena       keep;

/* Keys are hashed outside the core; any injective id does here. */
static struct tly_hash
keyid_of(const struct sign_secret *secret)
{
    struct tly_hash      id;
    const struct tly_key key = sign_public(secret);
    memcpy(id.b, key.b, sizeof id.b);
    return id;
}

static void
people_make(struct branch_ix own, struct branch_ix other)
{
    static const char *const names[TERMINALS_N] = {"t-own", "t-other", "t-revoked", "t-spare"};
    const struct branch_ix   of[TERMINALS_N]    = {own, other, own, {IX_NONE}};
    for (unsigned i = 0; i < TERMINALS_N; i++) {
        const uint8_t seed[32] = {1, (uint8_t)i};
        sign_from_seed(seed, &terminal_keys[i]);
        terminals[i] =
            (struct terminal){.code      = names[i],
                              .branch    = of[i],
                              .key       = sign_public(&terminal_keys[i]),
                              .keyid     = keyid_of(&terminal_keys[i]),
                              .cert      = {{9, (uint8_t)i}},
                              .not_after = ELECTION_TIME_MAX,
                              .state     = i == REVOKED ? TERMINAL_REVOKED : TERMINAL_ACTIVE};
    }
    static const char *const codes[OFFICERS_N] = {"o-1", "o-2", "o-3", "o-4"};
    const struct area_ix     areas[OFFICERS_N] = {root, far, root, near};
    const enum officer_role  roles[OFFICERS_N] = {OFFICER_SUPERVISION, OFFICER_SUPERVISION,
                                                  OFFICER_COMMISSION, OFFICER_SUPERVISION};
    for (unsigned i = 0; i < OFFICERS_N; i++) {
        const uint8_t seed[32] = {2, (uint8_t)i};
        sign_from_seed(seed, &officer_keys[i]);
        officers[i] = (struct officer){.code  = codes[i],
                                       .role  = roles[i],
                                       .area  = areas[i],
                                       .key   = sign_public(&officer_keys[i]),
                                       .keyid = keyid_of(&officer_keys[i])};
    }
    registry             = (struct registry){.terminals   = terminals,
                                             .terminals_n = TERMINALS_N,
                                             .officers    = officers,
                                             .officers_n  = OFFICERS_N};
    struct tly_diag diag = {0};
    T_EQ(registry_index(&registry, &m.arena, &diag), TLY_OK, "a registry");
    T_STR(diag.text, "", "without a fault");
}

static void
world_make(void)
{
    const uint8_t seed[32] = {3};
    sign_from_seed(seed, &stranger);
    make_begin(&m, ARENA_MAX);
    root                          = make_area(&m, "ir", (struct area_ix){IX_NONE}, LEVEL_COUNTRY);
    near                          = make_area(&m, "near", root, LEVEL_PROVINCE);
    far                           = make_area(&m, "far", root, LEVEL_PROVINCE);
    const uint32_t          block = make_rule(&m, "block");
    const struct contest_ix one   = make_contest(&m, "c-1", near, block, 1);
    make_candidate(&m, "k-1", (struct list_ix){IX_NONE});
    make_candidate(&m, "k-2", (struct list_ix){IX_NONE});
    const struct branch_ix own = make_branch(&m, "b-own", near, 0);
    make_slot(&m, one);
    const struct branch_ix other = make_branch(&m, "b-other", far, 0);
    make_slot(&m, one);
    make_done(&m);
    m.e.policy.kinds[POLICY_REVISE].n[OFFICER_SUPERVISION] = 2;
    people_make(own, other);
}

/* What a payload says; the rest of it is good. */
struct says {
    const char *election, *phase, *branch, *terminal, *more;
    unsigned    revision, cast;
};

static const struct says good = {"test", NULL, "b-own", "t-own", "", 1, 12};

static struct tly_bytes
payload_of(const struct says *s)
{
    static char text[TEXT_MAX];
    char        definition[65];
    tly_hex(m.e.definition.b, sizeof m.e.definition.b, definition);
    const char *prev = s->revision < 2
                           ? "null"
                           : "\"00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\"";
    const int   len  = snprintf(
           text, sizeof text,
           "{\"election\":\"%s\",\"definition\":\"%s\",\"phase\":\"%s\",\"branch\":\"%s\","
              "\"terminal\":\"%s\",\"revision\":%u,\"prev\":%s,"
              "\"salt\":\"00112233445566778899aabbccddeeff\",\"opened_at\":1000,\"closed_at\":2000,"
              "\"made_at\":3000,\"contests\":[{\"contest\":\"c-1\",\"authenticated\":{\"online\":12,"
              "\"offline\":0,\"manual\":0},\"issued\":12,\"cast\":%u,\"blank\":1,\"invalid\":1,"
              "\"valid\":10,\"excluded\":0,\"candidates\":[[\"k-1\",7],[\"k-2\",3]]}]%s}",
           s->election, definition, s->phase == NULL ? phase_name(m.e.phase) : s->phase, s->branch,
           s->terminal, s->revision, prev, s->cast, s->more);
    TLY_CHECK(len > 0 && (size_t)len < sizeof text);
    return (struct tly_bytes){(const uint8_t *)text, (size_t)len};
}

static struct tly_bytes
signed_by(struct tly_bytes payload, const struct sign_secret *const who[], unsigned n)
{
    struct sign_secret secrets[ENVELOPE_SIGNATURES_MAX];
    struct tly_hash    ids[ENVELOPE_SIGNATURES_MAX];
    struct tly_bytes   out;
    for (unsigned i = 0; i < n; i++) {
        secrets[i] = *who[i];
        ids[i]     = keyid_of(who[i]);
    }
    TLY_CHECK(envelope_write(ENVELOPE_TYPE_BUNDLE, payload, secrets, ids, n, &keep, &out) ==
              TLY_OK);
    return out;
}

static enum tly_err
read_as(const struct speaker *sender, struct tly_bytes in, struct bundle *out,
        struct tly_diag *diag)
{
    const struct bundle_rules        rules   = {&m.e, now, sender};
    TLY_AUTO(arena) struct tly_arena scratch = {.bytes_max = ARENA_MAX};
    return bundle_read(&rules, in, &keep, &scratch, out, diag);
}

/* Refused with this error and code, *out as it was. */
static void
refused(const char *name, const struct speaker *sender, struct tly_bytes in, enum tly_err want,
        const char *code)
{
    struct bundle   out;
    struct bundle   before;
    struct tly_diag diag = {0};
    memset(&out, 0x5a, sizeof out);
    memcpy(&before, &out, sizeof out);
    T_EQ(read_as(sender, in, &out, &diag), want, name);
    T_STR(diag.code, code, name);
    T_OK(memcmp(&out, &before, sizeof out) == 0, "output untouched");
}

static void
test_order(void)
{
    const struct sign_secret *own     = &terminal_keys[OWN];
    const struct sign_secret *other   = &terminal_keys[OTHER];
    const struct sign_secret *revoked = &terminal_keys[REVOKED];
    const struct sign_secret *none    = &stranger;
    struct says               s       = good;
    refused("not an envelope", NULL, tly_text("{}"), TLY_EINPUT, "S01");
    s.more = ",\"more\":1";
    refused("nobody's signature before syntax", NULL, signed_by(payload_of(&s), &none, 1),
            TLY_ENOKEY, "A02");
    refused("a revoked key before syntax", NULL, signed_by(payload_of(&s), &revoked, 1),
            TLY_EFORBID, "A03");
    s.terminal = "t-other";
    refused("syntax before identity", NULL, signed_by(payload_of(&s), &own, 1), TLY_EINPUT, "S01");
    s          = good;
    s.terminal = "t-other";
    s.election = "another";
    refused("another terminal's name", NULL, signed_by(payload_of(&s), &own, 1), TLY_EFORBID,
            "A03");
    s          = good;
    s.election = "another";
    s.phase    = "official";
    refused("election before phase", NULL, signed_by(payload_of(&s), &own, 1), TLY_ERANGE, "A07");
    s.election = "test";
    s.branch   = "b-none";
    refused("phase before branch", NULL, signed_by(payload_of(&s), &own, 1), TLY_ERANGE, "A05");
    s.phase = NULL;
    refused("unknown branch", NULL, signed_by(payload_of(&s), &own, 1), TLY_ERANGE, "A07");
    s.branch   = "b-own";
    s.terminal = "t-other";
    refused("another branch's terminal", NULL, signed_by(payload_of(&s), &other, 1), TLY_EFORBID,
            "A03");
    s.terminal                      = "t-spare";
    const struct sign_secret *spare = &terminal_keys[SPARE];
    refused("a spare terminal", NULL, signed_by(payload_of(&s), &spare, 1), TLY_EFORBID, "A03");
}

static void
test_sender(void)
{
    const struct sign_secret *own = &terminal_keys[OWN];
    const struct tly_bytes    in  = signed_by(payload_of(&good), &own, 1);
    const struct speaker right    = {.role = ROLE_TERMINAL, .terminal_first = {OWN}, .area = near};
    const struct speaker wrong = {.role = ROLE_TERMINAL, .terminal_first = {REVOKED}, .area = near};
    const struct speaker relay = {.role = ROLE_RELAY, .terminal = {IX_NONE}, .area = near};
    const struct speaker away  = {.role = ROLE_RELAY, .terminal = {IX_NONE}, .area = far};
    const struct speaker man   = {.role = ROLE_OFFICER, .terminal = {IX_NONE}, .area = root};
    struct bundle        b;
    T_EQ(read_as(&right, in, &b, NULL), TLY_OK, "the terminal itself");
    T_EQ(read_as(&relay, in, &b, NULL), TLY_OK, "a relay of the area");
    T_EQ(read_as(NULL, in, &b, NULL), TLY_OK, "out of the ledger");
    refused("another terminal's certificate", &wrong, in, TLY_EFORBID, "A03");
    refused("a relay of another area", &away, in, TLY_EFORBID, "A03");
    refused("no sender of bundles", &man, in, TLY_EFORBID, "A03");
}

static void
test_revise(void)
{
    const struct {
        const char *name;
        int         who[3]; /* officers; -1: none */
        bool        ok;
    } rows[] = {
        {"no officer", {-1, -1, -1}, false},
        {"one of two", {SUPERVISION_ALL, -1, -1}, false},
        {"the same one twice", {SUPERVISION_ALL, SUPERVISION_ALL, -1}, false},
        {"one of another area", {SUPERVISION_ALL, SUPERVISION_FAR, -1}, false},
        {"one of another role", {SUPERVISION_ALL, COMMISSION_ALL, -1}, false},
        {"two", {SUPERVISION_ALL, SUPERVISION_TWO, -1}, true},
        {"two and one more", {COMMISSION_ALL, SUPERVISION_TWO, SUPERVISION_ALL}, true},
    };
    struct says s = good;
    s.revision    = 2;
    for (size_t i = 0; i < TLY_N(rows); i++) {
        const struct sign_secret *who[4] = {&terminal_keys[OWN]};
        unsigned                  n      = 1;
        for (unsigned k = 0; k < 3 && rows[i].who[k] >= 0; k++) {
            who[n++] = &officer_keys[rows[i].who[k]];
        }
        struct bundle b;
        T_EQ(read_as(NULL, signed_by(payload_of(&s), who, n), &b, NULL), TLY_OK, "revision 2");
        T_EQ(b.revise_ok, rows[i].ok, rows[i].name);
    }
    struct bundle             b;
    const struct sign_secret *own = &terminal_keys[OWN];
    T_OK(read_as(NULL, signed_by(payload_of(&good), &own, 1), &b, NULL) == TLY_OK && b.revise_ok,
         "revision 1 needs nobody");
}

static void
test_good(void)
{
    const struct sign_secret *own = &terminal_keys[OWN];
    struct says               s   = good;
    struct bundle             b;
    const struct tly_bytes    in = signed_by(payload_of(&s), &own, 1);
    T_EQ(read_as(NULL, in, &b, NULL), TLY_OK, "a good bundle");
    T_OK(b.branch.v == 0 && b.terminal.v == OWN && b.revision == 1 && !b.has_prev, "what it is");
    T_EQ(b.held.len, 0, "nothing held");
    T_STR(bundle_status_name(bundle_status(&b.checked)), "counted", "counted");
    const struct tly_hash   a = {{1}};
    const struct tly_hash   c = {{2}};
    const struct seq_bundle q = bundle_seq(&b, &a, &c, in.len);
    T_OK(tly_bytes_eq(q.payload, b.envelope.payload) && q.envelope_len == in.len &&
             q.payload_hash.b[0] == 1 && q.envelope_hash.b[0] == 2 && q.checked == &b.checked,
         "the sequencer's view");
    s.cast = 11;
    T_EQ(read_as(NULL, signed_by(payload_of(&s), &own, 1), &b, NULL), TLY_OK, "a bad sum is held");
    T_STR(bundle_status_name(bundle_status(&b.checked)), "held", "held");
    T_OK(tly_bytes_eq(b.held, tly_text("held c-1 N02\n")), "the leaf's line");
    for (size_t n = 0; n < in.len; n++) {
        struct bundle out;
        if (read_as(NULL, (struct tly_bytes){in.data, n}, &out, NULL) != TLY_EINPUT) {
            T_EQ(n, in.len, "cut there it was not refused");
        }
    }
    T_OK(true, "cut at every byte: refused");
}

/* Keys that decisions change: the old one is out from there on, and good for what stands before. */
static void
test_changes(void)
{
    const struct sign_secret *own    = &terminal_keys[OWN];
    const struct sign_secret *fresh  = &stranger;
    const struct tly_bytes    before = signed_by(payload_of(&good), &own, 1);
    const struct tly_bytes    after  = signed_by(payload_of(&good), &fresh, 1);
    const struct speaker right = {.role = ROLE_TERMINAL, .terminal_first = {OWN}, .area = near};
    struct bundle_rules  rules = {&m.e, NULL, NULL, 6};
    struct terminal      row   = terminals[OWN];
    struct bundle        b;
    refused("the new key, too early", &right, after, TLY_ENOKEY, "A02");
    row.from  = 7;
    row.key   = sign_public(fresh);
    row.keyid = keyid_of(fresh);
    now       = registry_with(&registry, (struct terminal_ix){OWN}, &row, &m.arena);
    TLY_CHECK(now != NULL);
    rules.registry = now;
    refused("the old key", &right, before, TLY_EFORBID, "A03");
    T_EQ(read_as(&right, after, &b, NULL), TLY_OK, "the new one, by a connection that stood");
    T_EQ(b.terminal.v, TERMINALS_N, "which is another row");
    T_EQ(bundle_read(&rules, before, &keep, &keep, &b, NULL), TLY_OK, "entry 6 by the old key");
    T_EQ(bundle_read(&rules, after, &keep, &keep, &b, NULL), TLY_ENOKEY, "not by the new one");
    rules.at = 7;
    T_EQ(bundle_read(&rules, before, &keep, &keep, &b, NULL), TLY_EFORBID, "entry 7 the other way");
    T_EQ(bundle_read(&rules, after, &keep, &keep, &b, NULL), TLY_OK, "round");
}

int
main(void)
{
    tly_arena_init(&keep, (size_t)64 << 20);
    world_make();
    test_good();
    test_order();
    test_sender();
    test_revise();
    test_changes();
    tly_arena_done(&keep);
    make_free(&m);
    return T_DONE();
}
