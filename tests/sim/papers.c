/* SPDX-License-Identifier: Apache-2.0 */
/* The election of every run, and what its terminals and officers sign.  A paper is made once for all
 * runs, and read once by the real bundle_read() and decision_read(): the same bytes give the same. */
#include <inttypes.h>
#include <stdio.h>

#include "base/hex.h"
#include "edges.h"
#include "election_make.h"
#include "sim.h"
#include "sys/sha256.h"

#define POOL_MAX   ((size_t)512 << 20)
#define CELLS      (1U << 14)
#define TEXT_MAX   2048
#define OFFICERS_N 2

static struct election_maker m;
static struct tly_arena      pool;
static struct terminal       terminals[SIM_BRANCHES];
static struct officer        officers[OFFICERS_N];
static struct sign_secret terminal_secrets[SIM_BRANCHES], officer_secrets[OFFICERS_N], log_secret;
static struct registry    registry;
static struct note_vkey   vkey;
static struct paper      *by_key[CELLS], *by_bytes[CELLS], *by_payload[CELLS];

struct election *
papers_election(void)
{
    return &m.e;
}

struct registry *
papers_registry(void)
{
    return &registry;
}

const struct note_vkey *
papers_vkey(void)
{
    return &vkey;
}

const struct sign_secret *
papers_log_secret(void)
{
    return &log_secret;
}

/* ---- the election ---- */

static struct tly_hash
keyid(const struct tly_key *key)
{
    return sys_sha256((struct tly_bytes){key->b, sizeof key->b});
}

static void
secret_make(uint8_t kind, uint8_t i, struct sign_secret *out)
{
    const uint8_t seed[32] = {kind, i};
    sign_from_seed(seed, out);
}

static void
people_make(void)
{
    static const char *const names[SIM_BRANCHES] = {"t-0", "t-1", "t-2", "t-3", "t-4"};
    for (uint8_t i = 0; i < SIM_BRANCHES; i++) {
        secret_make(1, i, &terminal_secrets[i]);
        terminals[i]       = (struct terminal){.code      = names[i],
                                               .branch    = {i},
                                               .key       = sign_public(&terminal_secrets[i]),
                                               .cert      = {{9, i}},
                                               .not_after = ELECTION_TIME_MAX};
        terminals[i].keyid = keyid(&terminals[i].key);
    }
    for (uint8_t i = 0; i < OFFICERS_N; i++) {
        secret_make(2, i, &officer_secrets[i]);
        officers[i]       = (struct officer){.code = i == 0 ? "com" : "sup",
                                             .role = i == 0 ? OFFICER_COMMISSION : OFFICER_SUPERVISION,
                                             .key  = sign_public(&officer_secrets[i])};
        officers[i].keyid = keyid(&officers[i].key);
    }
    registry      = (struct registry){.terminals   = terminals,
                                      .terminals_n = SIM_BRANCHES,
                                      .officers    = officers,
                                      .officers_n  = OFFICERS_N};
    const bool ok = registry_index(&registry, &m.arena, NULL) == TLY_OK;
    TLY_CHECK(ok);
}

void
papers_init(void)
{
    static const char *const names[SIM_BRANCHES] = {"b-0", "b-1", "b-2", "b-3", "b-4"};
    make_begin(&m, (size_t)4 << 20);
    tly_arena_init(&pool, POOL_MAX);
    const struct area_ix    root    = make_area(&m, "ir", (struct area_ix){IX_NONE}, LEVEL_COUNTRY);
    const struct contest_ix contest = make_contest(&m, "c-0", root, make_rule(&m, "block"), 1);
    (void)make_candidate(&m, "k-0", (struct list_ix){IX_NONE});
    (void)make_candidate(&m, "k-1", (struct list_ix){IX_NONE});
    for (unsigned i = 0; i < SIM_BRANCHES; i++) {
        (void)make_branch(&m, names[i], root, 0);
        (void)make_slot(&m, contest);
    }
    for (unsigned kind = 0; kind < POLICIES_N; kind++) {
        m.e.policy.kinds[kind] = (struct quorum){.n = {1, 1, 0}};
    }
    (void)make_done(&m);
    people_make();
    secret_make(3, 0, &log_secret);
    const struct tly_key key = sign_public(&log_secret);
    note_vkey_make("tally.example/test/rehearsal", &key, &vkey);
}

void
papers_done(void)
{
    tly_arena_done(&pool);
    make_free(&m);
}

/* ---- finding ---- */

static uint64_t
mix(uint64_t a, uint64_t b)
{
    a = (a ^ b) * UINT64_C(0x9E3779B97F4A7C15);
    return a ^ (a >> 29);
}

static uint64_t
hash_bytes(struct tly_bytes bytes)
{
    uint64_t h = bytes.len;
    size_t   i = 0;
    for (uint64_t word; i + sizeof word <= bytes.len; i += sizeof word) {
        memcpy(&word, bytes.data + i, sizeof word);
        h = mix(h, word);
    }
    for (; i < bytes.len; i++) {
        h = mix(h, bytes.data[i]);
    }
    return h;
}

static const struct paper *
find_key(uint64_t key)
{
    const struct paper *p = by_key[key % CELLS];
    while (p != NULL && p->key != key) {
        p = p->next;
    }
    return p;
}

static struct paper *
find_bytes(struct tly_bytes envelope)
{
    struct paper *p = by_bytes[hash_bytes(envelope) % CELLS];
    while (p != NULL && !tly_bytes_eq(p->envelope, envelope)) {
        p = p->next_bytes;
    }
    return p;
}

const struct paper *
paper_by_payload(const struct tly_hash *payload)
{
    uint64_t at;
    memcpy(&at, payload->b, sizeof at);
    const struct paper *p = by_payload[at % CELLS];
    while (p != NULL && !tly_hash_eq(&p->payload_hash, payload)) {
        p = p->next_payload;
    }
    return p;
}

/* ---- making ---- */

static const struct paper *
keep(const struct paper *made, const char *type, struct tly_bytes payload,
     const struct sign_secret secrets[], const struct tly_hash ids[], unsigned n)
{
    uint64_t      at;
    struct paper *p = TLY_NEW(&pool, struct paper, 1);
    TLY_CHECK(p != NULL);
    *p         = *made;
    p->payload = (struct tly_bytes){(const uint8_t *)tly_arena_text(&pool, payload), payload.len};
    const enum tly_err err = envelope_write(type, p->payload, secrets, ids, n, &pool, &p->envelope);
    TLY_CHECK(err == TLY_OK);
    p->payload_hash          = sys_sha256(p->payload);
    p->envelope_hash         = sys_sha256(p->envelope);
    struct paper **key_cell  = &by_key[p->key % CELLS];
    struct paper **byte_cell = &by_bytes[hash_bytes(p->envelope) % CELLS];
    memcpy(&at, p->payload_hash.b, sizeof at);
    struct paper **payload_cell = &by_payload[at % CELLS];
    p->next                     = *key_cell;
    p->next_bytes               = *byte_cell;
    p->next_payload             = *payload_cell;
    *key_cell = *byte_cell = *payload_cell = p;
    return p;
}

static const struct paper *
bundle_make(const struct paper *made, uint64_t salt)
{
    char text[TEXT_MAX], definition[TLY_HEX_SIZE(32)], prev[TLY_HEX_SIZE(32) + 2] = "null";
    const unsigned cast = made->votes + 5, online = made->held ? cast - 1 : cast;
    tly_hex(m.e.definition.b, sizeof m.e.definition.b, definition);
    if (made->has_prev) {
        char hex[TLY_HEX_SIZE(32)];
        tly_hex(made->prev.b, sizeof made->prev.b, hex);
        (void)snprintf(prev, sizeof prev, "\"%s\"", hex);
    }
    const int len = snprintf(
        text, sizeof text,
        "{\"election\":\"test\",\"definition\":\"%s\",\"phase\":\"%s\",\"branch\":\"%s\","
        "\"terminal\":\"%s\",\"revision\":%u,\"prev\":%s,\"salt\":\"%016" PRIx64 "%016" PRIx64
        "\",\"opened_at\":1000,\"closed_at\":2000,\"made_at\":3000,\"contests\":[{\"contest\":"
        "\"c-0\",\"authenticated\":{\"online\":%u,\"offline\":0,\"manual\":0},\"issued\":%u,"
        "\"cast\":%u,\"blank\":0,\"invalid\":0,\"valid\":%u,\"excluded\":0,\"candidates\":"
        "[[\"k-0\",%u],[\"k-1\",5]]}]}",
        definition, phase_name(m.e.phase), m.branches[made->branch].code,
        terminals[made->branch].code, made->revision, prev, salt, made->key, online, cast, cast,
        cast, made->votes);
    TLY_CHECK(len > 0 && (size_t)len < sizeof text);
    const struct sign_secret secrets[] = {terminal_secrets[made->branch], officer_secrets[0],
                                          officer_secrets[1]};
    const struct tly_hash    ids[]     = {terminals[made->branch].keyid, officers[0].keyid,
                                          officers[1].keyid};
    return keep(made, ENVELOPE_TYPE_BUNDLE, (struct tly_bytes){(const uint8_t *)text, (size_t)len},
                secrets, ids, made->cosigned ? 3 : 1);
}

const struct paper *
paper_bundle(uint32_t branch, uint32_t revision, uint32_t variant, const struct paper *prev,
             bool cosigned)
{
    const uint64_t      says = mix(mix(mix(1, branch), revision), variant);
    const uint64_t      key  = mix(mix(says, prev == NULL ? 0 : prev->key), cosigned ? 2 : 1);
    const struct paper *p    = find_key(key);
    if (p != NULL) {
        return p;
    }
    struct paper made = {.key      = key,
                         .branch   = branch,
                         .revision = revision,
                         .votes    = 10 + branch * 100 + revision * 20 + variant,
                         .held     = variant % 3 == 2,
                         .cosigned = cosigned,
                         .has_prev = prev != NULL};
    if (prev != NULL) {
        made.prev = prev->payload_hash;
    }
    return bundle_make(&made, says);
}

const struct paper *
paper_decision(enum policy_kind kind, uint32_t branch, uint64_t position)
{
    const uint64_t      key = mix(mix(mix(2, kind), branch), position);
    const struct paper *p   = find_key(key);
    if (p != NULL) {
        return p;
    }
    const struct paper made = {.key = key, .is_decision = true, .kind = kind, .branch = branch};
    char               text[TEXT_MAX];
    const int          len = snprintf(
                 text, sizeof text,
                 "{\"election\":\"test\",\"phase\":\"%s\",\"kind\":\"%s\",\"target\":{\"branch\":"
                          "\"%s\",\"contest\":\"c-0\"},\"reason\":\"the minutes say so\",\"position\":%" PRIu64
                 ",\"made_at\":4000,\"salt\":\"%016" PRIx64 "%016" PRIx64 "\"}",
                 phase_name(m.e.phase), policy_name(kind), m.branches[branch].code, position, key, key);
    TLY_CHECK(len > 0 && (size_t)len < sizeof text);
    const struct tly_hash ids[] = {officers[0].keyid, officers[1].keyid};
    return keep(&made, ENVELOPE_TYPE_DECISION,
                (struct tly_bytes){(const uint8_t *)text, (size_t)len}, officer_secrets, ids, 2);
}

/* ---- reading, once ---- */

enum tly_err
__wrap_bundle_read(const struct bundle_rules *rules, struct tly_bytes in, struct tly_arena *keep_in,
                   struct tly_arena *scratch, struct bundle *out, struct tly_diag *diag)
{
    struct paper *p = find_bytes(in);
    WANT_SAY(p != NULL, "an envelope that nobody signed is read");
    if (p == NULL) {
        return __real_bundle_read(rules, in, keep_in, scratch, out, diag);
    }
    if (!p->was_read) {
        const struct bundle_rules        alone = {rules->election, rules->registry, NULL};
        TLY_AUTO(arena) struct tly_arena memory;
        tly_arena_init(&memory, (size_t)4 << 20);
        const enum tly_err err =
            __real_bundle_read(&alone, p->envelope, &pool, &memory, &p->bundle, diag);
        TLY_CHECK(err == TLY_OK);
        p->was_read = true;
    }
    *out = p->bundle;
    return TLY_OK;
}

enum tly_err
__wrap_decision_read(const struct decision_rules *rules, struct tly_bytes in,
                     struct tly_arena *arena, struct decision *out, struct tly_diag *diag)
{
    struct paper *p = find_bytes(in);
    WANT_SAY(p != NULL, "a decision that nobody signed is read");
    if (p == NULL) {
        return __real_decision_read(rules, in, arena, out, diag);
    }
    if (!p->was_read) {
        const enum tly_err err =
            __real_decision_read(rules, p->envelope, &pool, &p->decision, diag);
        TLY_CHECK(err == TLY_OK);
        p->was_read = true;
    }
    *out = p->decision;
    return TLY_OK;
}
