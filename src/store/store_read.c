/* SPDX-License-Identifier: Apache-2.0 */
/* Reading at start: the election, the ledger, the signed heads. */
#include <inttypes.h>
#include <stdio.h>

#include "base/check.h"
#include "store_int.h"
#include "sys/sha256.h"

enum tly_err
store_election(struct store *store, struct store_election *out, struct tly_diag *diag)
{
    struct store_call call = {.stmt = STMT_ELECTION_READ};
    enum tly_err      err  = store_connect(store, diag);
    if (err == TLY_OK) {
        err = store_calls(store, &call, 1, diag);
    }
    if (err == TLY_OK && PQntuples(call.result) != 1) {
        err = tly_fail(diag, TLY_ENOENT,
                       "no election is open in this database (tallyctl election open)");
    }
    if (err == TLY_OK) {
        struct store_election e = {.definition = store_result_hash(call.result, 1),
                                   .registry   = store_result_hash(call.result, 2),
                                   .head       = {.size = store_result_int(call.result, 3),
                                                  .root = store_result_hash(call.result, 4)},
                                   .epoch      = store_result_int(call.result, 5)};
        (void)snprintf(e.code, sizeof e.code, "%s", store_result_text(call.result, 0));
        *out = e;
    }
    store_calls_done(&call, 1);
    return err;
}

static struct store_row
row_of(const PGresult *result)
{
    struct store_row row = {.position    = store_result_int(result, 0),
                            .kind        = (enum leaf_kind)store_result_int(result, 1),
                            .branch      = store_result_text(result, 2),
                            .terminal    = store_result_text(result, 3),
                            .accepted_ms = store_result_int(result, 14)};
    if (row.kind == LEAF_GENESIS) {
        return row;
    }
    row.revision       = store_result_null(result, 4) ? 0 : (uint32_t)store_result_int(result, 4);
    row.has_prev       = !store_result_null(result, 5);
    row.prev           = store_result_hash(result, 5);
    row.payload_hash   = store_result_hash(result, 6);
    row.envelope_hash  = store_result_hash(result, 7);
    row.first_envelope = store_result_hash(result, 8);
    row.payload        = store_result_bytes(result, 9);
    row.head           = store_result_bytes(result, 10);
    row.tail           = store_result_bytes(result, 11);
    row.alphabet       = store_result_int(result, 12) == 0 ? TLY_BASE64_STD : TLY_BASE64_URL;
    row.held           = store_result_bytes(result, 13);
    return row;
}

/* Gives each row of the streaming statement to `give`. */
static enum tly_err
stream(struct store *store, enum store_stmt stmt, const struct store_params *params,
       enum tly_err (*give)(void *arg, const PGresult *row, struct tly_diag *diag), void *arg,
       struct tly_diag *diag)
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
    const struct store_row row    = row_of(result);
    if (row.position != target->next) {
        return tly_fail(diag, TLY_ECORRUPT, "the ledger has no row %" PRIu64, target->next);
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
    return stream(store, STMT_LEDGER_READ, &ps, give_row, &target, diag);
}

struct head_target {
    store_head_fn fn;
    void         *arg;
};

static enum tly_err
give_head(void *arg, const PGresult *result, struct tly_diag *diag)
{
    const struct head_target *target = arg;
    struct book_head          head   = {.size = store_result_int(result, 0)};
    const struct tly_bytes    sig    = store_result_bytes(result, 1);
    TLY_CHECK(sig.len == sizeof head.sig.b);
    memcpy(head.sig.b, sig.data, sig.len);
    return target->fn(target->arg, &head, diag);
}

enum tly_err
store_heads(struct store *store, store_head_fn fn, void *arg, struct tly_diag *diag)
{
    struct head_target target = {.fn = fn, .arg = arg};
    return stream(store, STMT_HEAD_READ, NULL, give_head, &target, diag);
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
                        payload_ok ? "envelope" : "payload");
    }
    *out = envelope;
    return TLY_OK;
}
