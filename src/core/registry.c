/* SPDX-License-Identifier: Apache-2.0 */
#include "core/registry.h"

#include "base/check.h"
#include "registry_int.h"

static const char *const role_words[] = {
    "terminal", "relay", "dashboard", "observer", "officer", "auditor", "operator", "witness",
};

const char *
role_name(enum role role)
{
    const unsigned bits = (unsigned)role;
    TLY_CHECK(bits != 0 && (bits & (bits - 1)) == 0);
    const unsigned i = (unsigned)__builtin_ctz(bits);
    TLY_CHECK(i < TLY_N(role_words));
    return role_words[i];
}

bool
role_find(struct tly_bytes name, enum role *out)
{
    for (unsigned i = 0; i < TLY_N(role_words); i++) {
        if (tly_bytes_eq(name, tly_text(role_words[i]))) {
            *out = (enum role)(1U << i);
            return true;
        }
    }
    return false;
}

/* Open addressing, at most half full: a search ends at the first empty cell. */
static bool
index_init(struct hash_index *index, struct tly_arena *arena, uint32_t n)
{
    uint64_t cells = 2;
    while (cells < (uint64_t)n * 2) {
        cells *= 2;
    }
    if (cells > UINT32_MAX) {
        return false;
    }
    index->cells = TLY_NEW(arena, uint32_t, cells);
    if (index->cells == NULL) {
        return false;
    }
    memset(index->cells, 0xff, cells * sizeof *index->cells); /* IX_NONE */
    index->mask = (uint32_t)(cells - 1);
    return true;
}

/* A digest is uniform already: its first bytes are the place to start. */
static uint32_t
index_start(const struct tly_hash *hash)
{
    uint32_t v;
    memcpy(&v, hash->b, sizeof v);
    return v;
}

typedef const struct tly_hash *hash_at(const struct registry *registry, uint32_t i);

static const struct tly_hash *
terminal_keyid(const struct registry *registry, uint32_t i)
{
    return &registry->terminals[i].keyid;
}

static const struct tly_hash *
officer_keyid(const struct registry *registry, uint32_t i)
{
    return &registry->officers[i].keyid;
}

static const struct tly_hash *
cert(const struct registry *registry, uint32_t i)
{
    return i < registry->terminals_n ? &registry->terminals[i].cert
                                     : &registry->clients[i - registry->terminals_n].cert;
}

/* The cell that holds the hash, or the empty one where it belongs. */
static uint32_t *
index_cell(const struct registry *registry, const struct hash_index *index, hash_at *at,
           const struct tly_hash *hash)
{
    uint32_t i = index_start(hash) & index->mask;
    while (index->cells[i] != IX_NONE && !tly_hash_eq(at(registry, index->cells[i]), hash)) {
        i = (i + 1) & index->mask;
    }
    return &index->cells[i];
}

static uint32_t
index_find(const struct registry *registry, const struct hash_index *index, hash_at *at,
           const struct tly_hash *hash)
{
    return *index_cell(registry, index, at, hash);
}

static const char *
terminal_code(const struct registry *registry, uint32_t i)
{
    return registry->terminals[i].code;
}

static const char *
officer_code(const struct registry *registry, uint32_t i)
{
    return registry->officers[i].code;
}

static const char *
client_code(const struct registry *registry, uint32_t i)
{
    return registry->clients[i].code;
}

static const char *
cert_owner(const struct registry *registry, uint32_t i)
{
    return i < registry->terminals_n ? terminal_code(registry, i)
                                     : client_code(registry, i - registry->terminals_n);
}

typedef const char *code_at(const struct registry *registry, uint32_t i);

static enum tly_err
index_fill(const struct registry *registry, struct hash_index *index, uint32_t n, hash_at *at,
           code_at *code, const char *what, struct tly_diag *diag)
{
    for (uint32_t i = 0; i < n; i++) {
        uint32_t *cell = index_cell(registry, index, at, at(registry, i));
        if (*cell != IX_NONE) {
            return tly_fail(diag, TLY_ERANGE, "%s and %s have one %s", code(registry, *cell),
                            code(registry, i), what);
        }
        *cell = i;
    }
    return TLY_OK;
}

static enum tly_err
codes_fill(const struct registry *registry, struct codes *codes, uint32_t n, code_at *code,
           const char *what, struct tly_arena *arena, struct tly_diag *diag)
{
    if (!codes_init(codes, arena, n)) {
        return tly_fail(diag, TLY_ENOMEM, "index of %u %ss", n, what);
    }
    for (uint32_t i = 0; i < n; i++) {
        if (!codes_add(codes, 0, code(registry, i), i)) {
            return tly_fail(diag, TLY_ERANGE, "%s %s stands twice (rows %u and %u)", what,
                            code(registry, i),
                            codes_find(codes, 0, tly_text(code(registry, i))) + 1, i + 1);
        }
    }
    return TLY_OK;
}

static enum tly_err
index_codes(struct registry *registry, struct tly_arena *arena, struct tly_diag *diag)
{
    struct codes clients; /* only to find doubles */
    struct codes officers;
    enum tly_err err = codes_fill(registry, &registry->terminal_codes, registry->terminals_n,
                                  terminal_code, "terminal", arena, diag);
    if (err == TLY_OK) {
        err =
            codes_fill(registry, &clients, registry->clients_n, client_code, "client", arena, diag);
    }
    if (err == TLY_OK) {
        err = codes_fill(registry, &officers, registry->officers_n, officer_code, "officer", arena,
                         diag);
    }
    return err;
}

/* A key with two owners would leave open in which of its roles it signed. */
static enum tly_err
keys_apart(const struct registry *registry, struct tly_diag *diag)
{
    for (uint32_t i = 0; i < registry->officers_n; i++) {
        const uint32_t t = index_find(registry, &registry->terminal_keyids, terminal_keyid,
                                      &registry->officers[i].keyid);
        if (t != IX_NONE) {
            return tly_fail(diag, TLY_ERANGE, "%s and %s have one signing key",
                            terminal_code(registry, t), officer_code(registry, i));
        }
    }
    return TLY_OK;
}

enum tly_err
registry_index(struct registry *registry, struct tly_arena *arena, struct tly_diag *diag)
{
    TLY_CHECK(registry->terminals_n < IX_NONE - registry->clients_n);
    const uint32_t certs_n = registry->terminals_n + registry->clients_n;
    if (!index_init(&registry->terminal_keyids, arena, registry->terminals_n) ||
        !index_init(&registry->officer_keyids, arena, registry->officers_n) ||
        !index_init(&registry->certs, arena, certs_n)) {
        return tly_fail(diag, TLY_ENOMEM, "indexes of %u certificates", certs_n);
    }
    enum tly_err err = index_codes(registry, arena, diag);
    if (err == TLY_OK) {
        err = index_fill(registry, &registry->terminal_keyids, registry->terminals_n,
                         terminal_keyid, terminal_code, "signing key", diag);
    }
    if (err == TLY_OK) {
        err = index_fill(registry, &registry->officer_keyids, registry->officers_n, officer_keyid,
                         officer_code, "signing key", diag);
    }
    if (err == TLY_OK) {
        err =
            index_fill(registry, &registry->certs, certs_n, cert, cert_owner, "certificate", diag);
    }
    return err == TLY_OK ? keys_apart(registry, diag) : err;
}

static bool
speaker_terminal(const struct registry *registry, const struct election *election,
                 struct terminal_ix row, uint64_t now_s, struct speaker *out)
{
    const struct terminal *t = registry_row(registry, row);
    if (!registry_in_force(registry, row, REGISTRY_NOW) || now_s < t->not_before ||
        now_s > t->not_after) {
        return false;
    }
    out->role           = ROLE_TERMINAL;
    out->terminal       = row;
    out->terminal_first = registry_first(registry, row);
    out->client         = (struct client_ix){IX_NONE};
    out->area           = (struct area_ix){IX_NONE};
    if (t->branch.v != IX_NONE) {
        TLY_CHECK(t->branch.v < election->branches_n);
        out->area = election->branches[t->branch.v].area;
    }
    return true;
}

static bool
speaker_client(const struct registry *registry, uint32_t i, uint64_t now_s, struct speaker *out)
{
    const struct client *c = &registry->clients[i];
    if (now_s < c->not_before || now_s > c->not_after) {
        return false;
    }
    out->role           = c->role;
    out->terminal       = (struct terminal_ix){IX_NONE};
    out->terminal_first = (struct terminal_ix){IX_NONE};
    out->client         = (struct client_ix){i};
    out->area           = c->area;
    return true;
}

bool
registry_speaker(const struct registry *registry, const struct election *election,
                 const struct tly_hash *hash, uint64_t now_s, struct speaker *out)
{
    const uint32_t i = index_find(registry, &registry->certs, cert, hash);
    if (i != IX_NONE && i >= registry->terminals_n) {
        return speaker_client(registry, i - registry->terminals_n, now_s, out);
    }
    const struct terminal_ix row =
        registry_follow(registry, i, REGISTRY_BY_CERT, hash, REGISTRY_NOW);
    return row.v != IX_NONE && speaker_terminal(registry, election, row, now_s, out);
}

struct terminal_ix
registry_terminal_by_keyid(const struct registry *registry, const struct tly_hash *keyid,
                           uint64_t at)
{
    const uint32_t i = index_find(registry, &registry->terminal_keyids, terminal_keyid, keyid);
    return registry_follow(registry, i, REGISTRY_BY_KEYID, keyid, at);
}

struct officer_ix
registry_officer_by_keyid(const struct registry *registry, const struct tly_hash *keyid)
{
    return (struct officer_ix){
        index_find(registry, &registry->officer_keyids, officer_keyid, keyid)};
}

bool
registry_knows_key(const struct registry *registry, const struct tly_hash *keyid)
{
    return registry_terminal_by_keyid(registry, keyid, REGISTRY_NOW).v != IX_NONE ||
           registry_officer_by_keyid(registry, keyid).v != IX_NONE;
}

bool
registry_knows_cert(const struct registry *registry, const struct tly_hash *hash)
{
    const uint32_t i = index_find(registry, &registry->certs, cert, hash);
    return i != IX_NONE ||
           registry_follow(registry, i, REGISTRY_BY_CERT, hash, REGISTRY_NOW).v != IX_NONE;
}
