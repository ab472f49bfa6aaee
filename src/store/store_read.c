/* SPDX-License-Identifier: Apache-2.0 */
/* Reading at start: the election, the ledger, the signed heads. */
#include <inttypes.h>
#include <stdio.h>

#include "base/check.h"
#include "store_int.h"
#include "sys/sha256.h"

/* The one row of tally.election and of tally.log_head. */
static enum tly_err
election_take(const PGresult *result, struct store_election *out, struct tly_diag *diag)
{
    struct store_election  e    = {0};
    const struct tly_bytes code = store_result_bytes(result, 0);
    const char            *at   = NULL;
    if (code.len > CODE_LEN_MAX || store_result_null(result, 0)) {
        at = "election.code";
    } else if (!store_take_exact(result, 1, e.definition.b, sizeof e.definition.b)) {
        at = "election.definition";
    } else if (!store_take_exact(result, 2, e.registry.b, sizeof e.registry.b)) {
        at = "election.registry";
    } else if (!store_take_int(result, 3, &e.head.size)) {
        at = "log_head.size";
    } else if (!store_take_exact(result, 4, e.head.root.b, sizeof e.head.root.b)) {
        at = "log_head.root";
    } else if (!store_take_int(result, 5, &e.epoch)) {
        at = "log_head.epoch";
    }
    if (at != NULL) {
        return tly_fail(diag, TLY_ECORRUPT, "tally.%s: no such value can be", at);
    }
    (void)snprintf(e.code, sizeof e.code, "%s", store_result_text(result, 0));
    *out = e;
    return TLY_OK;
}

enum tly_err
store_election(struct store *store, struct store_election *out, struct tly_diag *diag)
{
    struct store_call call = {.stmt = STMT_ELECTION_READ};
    enum tly_err      err  = store_connect(store, diag);
    if (err == TLY_OK) {
        err = store_calls(store, &call, 1, diag);
    }
    if (err == TLY_OK && PQntuples(call.result) == 0) {
        err = tly_fail(diag, TLY_ENOENT,
                       "no election is open in this database (tallyctl election open)");
    }
    if (err == TLY_OK && PQntuples(call.result) > 1) {
        err = tly_fail(diag, TLY_ECORRUPT, "tally.election and tally.log_head: more than one row");
    }
    if (err == TLY_OK) {
        err = election_take(call.result, out, diag);
    }
    store_calls_done(&call, 1);
    return err;
}

/* ---- a ledger row ---- */

enum column {
    POSITION,
    KIND,
    BRANCH,
    TERMINAL,
    REVISION,
    PREV,
    PAYLOAD_HASH,
    ENVELOPE_HASH,
    FIRST_ENVELOPE,
    PAYLOAD,
    HEAD,
    TAIL,
    ALPHABET,
    HELD,
    ACCEPTED,
    COLUMNS_N
};

static const char *const column_names[COLUMNS_N] = {[POSITION]       = "position",
                                                    [KIND]           = "kind",
                                                    [BRANCH]         = "branch",
                                                    [TERMINAL]       = "terminal",
                                                    [REVISION]       = "revision",
                                                    [PREV]           = "prev",
                                                    [PAYLOAD_HASH]   = "payload_hash",
                                                    [ENVELOPE_HASH]  = "envelope_hash",
                                                    [FIRST_ENVELOPE] = "first_envelope",
                                                    [PAYLOAD]        = "payload",
                                                    [HEAD]           = "head",
                                                    [TAIL]           = "tail",
                                                    [ALPHABET]       = "alphabet",
                                                    [HELD]           = "held",
                                                    [ACCEPTED]       = "accepted_ms"};

#define BIT(column) (1U << (column))

/* Columns that a row of that kind has, and one that it may have. */
static bool
columns_of(enum leaf_kind kind, unsigned *must, unsigned *may)
{
    const unsigned always   = BIT(POSITION) | BIT(KIND) | BIT(ACCEPTED);
    const unsigned document = always | BIT(PAYLOAD_HASH) | BIT(ENVELOPE_HASH) | BIT(PAYLOAD) |
                              BIT(HEAD) | BIT(TAIL) | BIT(ALPHABET) | BIT(HELD);
    const unsigned voted = document | BIT(BRANCH) | BIT(TERMINAL) | BIT(REVISION);
    *may                 = 0;
    if (kind == LEAF_GENESIS) {
        *must = always;
    } else if (kind == LEAF_BUNDLE || kind == LEAF_CONFLICT) {
        *must = voted | (kind == LEAF_CONFLICT ? BIT(FIRST_ENVELOPE) : 0);
        *may  = BIT(PREV);
    } else {
        *must = document;
    }
    return kind == LEAF_GENESIS || kind == LEAF_BUNDLE || kind == LEAF_CONFLICT ||
           leaf_is_decision(kind);
}

/* The first column that is null where the kind has it, or is not where it has not; or NULL. */
static const char *
nulls_check(const PGresult *result, enum leaf_kind kind)
{
    unsigned must, may;
    if (!columns_of(kind, &must, &may)) {
        return column_names[KIND];
    }
    for (int i = 0; i < COLUMNS_N; i++) {
        const bool null = store_result_null(result, i);
        if ((must & BIT(i)) != 0 ? null : !null && (may & BIT(i)) == 0) {
            return column_names[i];
        }
    }
    return NULL;
}

static bool
take_hash(const PGresult *result, enum column column, struct tly_hash *out)
{
    return store_result_null(result, (int)column) ||
           store_take_exact(result, (int)column, out->b, sizeof out->b);
}

/* The values of a row whose nulls are where they must be. */
static const char *
values_take(const PGresult *result, struct store_row *row)
{
    uint64_t revision = 0, alphabet = 0;
    if (!store_result_null(result, REVISION) &&
        (!store_take_int(result, REVISION, &revision) || revision > UINT32_MAX)) {
        return column_names[REVISION];
    }
    if (!store_result_null(result, ALPHABET) &&
        (!store_take_int(result, ALPHABET, &alphabet) || alphabet > 1)) {
        return column_names[ALPHABET];
    }
    struct tly_hash *const hashes[] = {&row->prev, &row->payload_hash, &row->envelope_hash,
                                       &row->first_envelope};
    for (unsigned i = 0; i < TLY_N(hashes); i++) {
        if (!take_hash(result, PREV + i, hashes[i])) {
            return column_names[PREV + i];
        }
    }
    row->branch   = store_result_text(result, BRANCH);
    row->terminal = store_result_text(result, TERMINAL);
    row->revision = (uint32_t)revision;
    row->has_prev = !store_result_null(result, PREV);
    row->payload  = store_result_bytes(result, PAYLOAD);
    row->head     = store_result_bytes(result, HEAD);
    row->tail     = store_result_bytes(result, TAIL);
    row->alphabet = alphabet == 0 ? TLY_BASE64_STD : TLY_BASE64_URL;
    row->held     = store_result_bytes(result, HELD);
    return NULL;
}

struct store_row
store_row_of(const PGresult *result)
{
    struct store_row row  = {.branch = "", .terminal = ""};
    uint64_t         kind = 0;
    if (!store_take_int(result, POSITION, &row.position)) {
        row.fault = column_names[POSITION];
    } else if (!store_take_int(result, KIND, &kind) || kind > INT16_MAX) {
        row.fault = column_names[KIND];
    } else if (!store_take_int(result, ACCEPTED, &row.accepted_ms)) {
        row.fault = column_names[ACCEPTED];
    }
    if (row.fault == NULL) {
        row.kind  = (enum leaf_kind)kind;
        row.fault = nulls_check(result, row.kind);
    }
    if (row.fault == NULL) {
        row.fault = values_take(result, &row);
    }
    return row;
}

/* ---- streams ---- */

enum tly_err
store_each(struct store *store, enum store_stmt stmt, const struct store_params *params,
           store_each_fn give, void *arg, struct tly_diag *diag)
{
    enum tly_err err = store_connect(store, diag);
    if (err == TLY_OK) {
        err = store_stream(store, stmt, params, diag);
    }
    while (err == TLY_OK) {
        TLY_AUTO(pgresult) PGresult *row = NULL;
        err                              = store_next(store, &row, diag);
        if (err != TLY_OK) {
            return err;
        }
        if (row == NULL) {
            return TLY_OK;
        }
        err = give(arg, row, diag);
        if (err != TLY_OK) {
            store_drop(store); /* the rest of the rows is still on its way */
        }
    }
    return err;
}

struct row_target {
    store_row_fn fn;
    void        *arg;
    uint64_t     next;
};

static enum tly_err
give_row(void *arg, const PGresult *result, struct tly_diag *diag)
{
    struct row_target     *target = arg;
    const struct store_row row    = store_row_of(result);
    if (row.position != target->next) {
        return tly_fail(diag, TLY_ECORRUPT,
                        row.position < target->next ? "ledger position %" PRIu64 ": stands twice"
                                                    : "ledger position %" PRIu64 ": no such row",
                        row.position < target->next ? row.position : target->next);
    }
    if (row.fault != NULL) {
        return tly_fail(diag, TLY_ECORRUPT, "ledger position %" PRIu64 ": %s: no such value can be",
                        row.position, row.fault);
    }
    target->next++;
    return target->fn(target->arg, &row, diag);
}

enum tly_err
store_read(struct store *store, uint64_t from, uint64_t to, store_row_fn fn, void *arg,
           struct tly_diag *diag)
{
    TLY_AUTO(arena) struct tly_arena memory;
    struct row_target                target = {.fn = fn, .arg = arg, .next = from};
    struct store_params              ps     = {.arena = &memory};
    tly_arena_init(&memory, (size_t)64 << 10);
    store_param_int8(&ps, from);
    store_param_int8(&ps, to);
    return store_each(store, STMT_LEDGER_READ, &ps, give_row, &target, diag);
}

struct head_target {
    store_head_fn fn;
    void         *arg;
};

static enum tly_err
give_head(void *arg, const PGresult *result, struct tly_diag *diag)
{
    const struct head_target *target = arg;
    struct book_head          head   = {0};
    if (!store_take_int(result, 0, &head.size) ||
        !store_take_exact(result, 1, head.sig.b, sizeof head.sig.b)) {
        return tly_fail(diag, TLY_ECORRUPT, "signed head of size %" PRIu64 ": no such value can be",
                        head.size);
    }
    return target->fn(target->arg, &head, diag);
}

enum tly_err
store_heads(struct store *store, store_head_fn fn, void *arg, struct tly_diag *diag)
{
    struct head_target target = {.fn = fn, .arg = arg};
    return store_each(store, STMT_HEAD_READ, NULL, give_head, &target, diag);
}

/* ---- envelopes ---- */

size_t
store_row_envelope_len(const struct store_row *row)
{
    return row->head.len + TLY_BASE64_LEN(row->payload.len) + row->tail.len;
}

enum tly_err
store_row_envelope(const struct store_row *row, struct tly_arena *arena, struct tly_bytes *out)
{
    const size_t len = store_row_envelope_len(row);
    char        *p   = tly_arena_alloc(arena, len, 1);
    if (p == NULL) {
        return TLY_ENOMEM;
    }
    memcpy(p, row->head.data, row->head.len);
    tly_base64_encode(row->payload, row->alphabet, p + row->head.len);
    memcpy(p + len - row->tail.len, row->tail.data, row->tail.len);
    *out = (struct tly_bytes){(const uint8_t *)p, len};
    return TLY_OK;
}

bool
store_row_alphabet(const struct store_row *row, struct tly_bytes envelope)
{
    const uint8_t *text = envelope.data + row->head.len;
    const size_t   len  = TLY_BASE64_LEN(row->payload.len);
    return row->alphabet == TLY_BASE64_STD || memchr(text, '-', len) != NULL ||
           memchr(text, '_', len) != NULL;
}

enum tly_err
store_row_check(const struct store_row *row, struct tly_arena *arena, struct tly_bytes *out,
                struct tly_diag *diag)
{
    struct tly_bytes envelope = {0};
    if (row->kind == LEAF_GENESIS) {
        *out = envelope;
        return TLY_OK;
    }
    const enum tly_err err = store_row_envelope(row, arena, &envelope);
    if (err != TLY_OK) {
        return err;
    }
    const struct tly_hash payload_hash  = sys_sha256(row->payload);
    const struct tly_hash envelope_hash = sys_sha256(envelope);
    const bool            payload_ok    = tly_hash_eq(&payload_hash, &row->payload_hash);
    if (!payload_ok || !tly_hash_eq(&envelope_hash, &row->envelope_hash)) {
        return tly_fail(diag, TLY_ECORRUPT, "the %s has another hash",
                        payload_ok ? "envelope (head, tail, alphabet)" : "payload");
    }
    if (!store_row_alphabet(row, envelope)) {
        return tly_fail(diag, TLY_ECORRUPT, "alphabet: the envelope does not show it");
    }
    *out = envelope;
    return TLY_OK;
}
