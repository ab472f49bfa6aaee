/* SPDX-License-Identifier: Apache-2.0 */
/* The writer's transactions: taking over, a batch, the barrier after doubt. */
#include <inttypes.h>
#include <stdio.h>

#include "base/check.h"
#include "store_int.h"

#define CALLS_MAX 5

/* Parameters of a batch are at most its bytes, once over, and arrays of 512. */
#define MEMORY_MAX (6 * SEQ_BATCH_BYTES_MAX)

static bool
is_durable(const char *synchronous_commit)
{
    return strcmp(synchronous_commit, "on") == 0 || strcmp(synchronous_commit, "remote_apply") == 0;
}

static enum tly_err
not_durable(struct store *store, const char *setting, struct tly_diag *diag)
{
    char text[32];
    (void)snprintf(text, sizeof text, "%s", setting);
    store_drop(store);
    return tly_fail(diag, TLY_ECORRUPT, "unsafe database: synchronous_commit is %s", text);
}

/* ---- a batch ---- */

static struct tly_bytes
hash_bytes(const struct tly_hash *hash)
{
    return (struct tly_bytes){hash->b, sizeof hash->b};
}

/* Columns of the batch's rows, filled one after the other. */
struct columns {
    unsigned          n;
    uint64_t         *ints;
    struct tly_bytes *bytes;
};

enum int_column { KIND, REVISION, ALPHABET, ACCEPTED };

static void
put_ints(struct store_params *ps, const struct columns *columns, const struct seq_batch *batch,
         enum int_column column, enum store_oid oid)
{
    for (unsigned i = 0; i < batch->rows_n; i++) {
        const struct book_entry *entry = batch->rows[i].entry;
        switch (column) {
        case KIND:
            columns->ints[i] = entry->kind;
            break;
        case REVISION:
            columns->ints[i] = entry->revision;
            break;
        case ALPHABET:
            columns->ints[i] = batch->rows[i].bundle->alphabet;
            break;
        case ACCEPTED:
            columns->ints[i] = entry->accepted_ms;
            break;
        }
    }
    store_param_ints(ps, oid, columns->ints, batch->rows_n);
}

enum bytes_column {
    BRANCH,
    TERMINAL,
    PREV,
    PAYLOAD_HASH,
    ENVELOPE_HASH,
    FIRST_ENVELOPE,
    PAYLOAD,
    HEAD,
    TAIL,
    HELD
};

static struct tly_bytes
row_bytes(const struct seq_row *row, enum bytes_column column)
{
    const struct book_entry *entry = row->entry;
    switch (column) {
    case BRANCH:
        return row->branch == NULL ? STORE_NULL : tly_text(row->branch);
    case TERMINAL:
        return row->terminal == NULL ? STORE_NULL : tly_text(row->terminal);
    case PREV:
        return entry->has_prev ? hash_bytes(&entry->prev) : STORE_NULL;
    case PAYLOAD_HASH:
        return hash_bytes(&entry->payload);
    case ENVELOPE_HASH:
        return hash_bytes(&entry->envelope);
    case FIRST_ENVELOPE:
        return entry->kind == LEAF_CONFLICT ? hash_bytes(&entry->first_envelope) : STORE_NULL;
    case PAYLOAD:
        return row->bundle->payload;
    case HEAD:
        return row->bundle->head;
    case TAIL:
        return row->bundle->tail;
    case HELD:
        return entry->held;
    }
    TLY_CHECK(false);
    return STORE_NULL;
}

static void
put_bytes(struct store_params *ps, const struct columns *columns, const struct seq_batch *batch,
          enum bytes_column column, enum store_oid oid)
{
    for (unsigned i = 0; i < batch->rows_n; i++) {
        columns->bytes[i] = row_bytes(&batch->rows[i], column);
    }
    store_param_array(ps, oid, columns->bytes, batch->rows_n);
}

static void
put_rows(struct store_params *ps, const struct columns *columns, const struct seq_batch *batch)
{
    store_param_int8(ps, batch->old_size);
    put_ints(ps, columns, batch, KIND, STORE_INT2);
    put_bytes(ps, columns, batch, BRANCH, STORE_TEXT);
    put_bytes(ps, columns, batch, TERMINAL, STORE_TEXT);
    put_ints(ps, columns, batch, REVISION, STORE_INT4);
    put_bytes(ps, columns, batch, PREV, STORE_BYTEA);
    put_bytes(ps, columns, batch, PAYLOAD_HASH, STORE_BYTEA);
    put_bytes(ps, columns, batch, ENVELOPE_HASH, STORE_BYTEA);
    put_bytes(ps, columns, batch, FIRST_ENVELOPE, STORE_BYTEA);
    put_bytes(ps, columns, batch, PAYLOAD, STORE_BYTEA);
    put_bytes(ps, columns, batch, HEAD, STORE_BYTEA);
    put_bytes(ps, columns, batch, TAIL, STORE_BYTEA);
    put_ints(ps, columns, batch, ALPHABET, STORE_INT2);
    put_bytes(ps, columns, batch, HELD, STORE_TEXT);
    put_ints(ps, columns, batch, ACCEPTED, STORE_INT8);
}

/* Details may quote what a sender wrote; a text column takes only valid characters. */
static struct tly_bytes
printable(struct tly_arena *arena, const char *text)
{
    char *copy = tly_arena_text(arena, tly_text(text));
    for (char *p = copy; p != NULL && *p != '\0'; p++) {
        if (*p < ' ' || *p > '~') {
            *p = '?';
        }
    }
    return tly_text(copy == NULL ? "" : copy);
}

static void
put_evidence(struct store_params *ps, const struct columns *columns, const struct seq_batch *batch)
{
    const unsigned                    n = batch->evidence_n;
    const struct seq_evidence *const *e = batch->evidence;
    for (unsigned i = 0; i < n; i++) {
        columns->bytes[i] = hash_bytes(&e[i]->sender);
    }
    store_param_array(ps, STORE_BYTEA, columns->bytes, n);
    for (unsigned i = 0; i < n; i++) {
        columns->bytes[i] = e[i]->body;
    }
    store_param_array(ps, STORE_BYTEA, columns->bytes, n);
    for (unsigned i = 0; i < n; i++) {
        columns->bytes[i] = hash_bytes(&e[i]->body_hash);
    }
    store_param_array(ps, STORE_BYTEA, columns->bytes, n);
    for (unsigned i = 0; i < n; i++) {
        columns->ints[i] = e[i]->body_len;
    }
    store_param_ints(ps, STORE_INT8, columns->ints, n);
    for (unsigned i = 0; i < n; i++) {
        columns->ints[i] = (uint64_t)e[i]->status;
    }
    store_param_ints(ps, STORE_INT2, columns->ints, n);
    for (unsigned i = 0; i < n; i++) {
        columns->bytes[i] = printable(ps->arena, e[i]->code);
    }
    store_param_array(ps, STORE_TEXT, columns->bytes, n);
    for (unsigned i = 0; i < n; i++) {
        columns->bytes[i] = printable(ps->arena, e[i]->detail);
    }
    store_param_array(ps, STORE_TEXT, columns->bytes, n);
}

/* The statements of one batch, with their parameters. */
struct transaction {
    struct store_call   calls[CALLS_MAX];
    struct store_params params[CALLS_MAX];
    unsigned            n;
};

static struct store_params *
add_call(struct transaction *tx, enum store_stmt stmt, struct tly_arena *arena)
{
    TLY_CHECK(tx->n < CALLS_MAX);
    struct store_params *ps = &tx->params[tx->n];
    ps->arena               = arena;
    tx->calls[tx->n++]      = (struct store_call){.stmt = stmt, .params = ps};
    return ps;
}

static bool
build(struct transaction *tx, const struct seq_batch *batch, struct tly_arena *arena)
{
    const unsigned       n = batch->rows_n > batch->evidence_n ? batch->rows_n : batch->evidence_n;
    const struct columns columns = {
        .n = n, .ints = TLY_NEW(arena, uint64_t, n), .bytes = TLY_NEW(arena, struct tly_bytes, n)};
    if (columns.ints == NULL || columns.bytes == NULL) {
        return false;
    }
    (void)add_call(tx, STMT_TX_BEGIN, arena);
    struct store_params *ps = add_call(tx, STMT_LOG_HEAD_MOVE, arena);
    store_param_int8(ps, batch->new_size);
    store_param_bytes(ps, hash_bytes(&batch->new_root));
    store_param_int8(ps, batch->old_size);
    store_param_bytes(ps, hash_bytes(&batch->old_root));
    store_param_int8(ps, batch->epoch);
    if (batch->rows_n > 0) {
        put_rows(add_call(tx, STMT_LEDGER_INSERT, arena), &columns, batch);
    }
    if (batch->evidence_n > 0) {
        put_evidence(add_call(tx, STMT_EVIDENCE_INSERT, arena), &columns, batch);
    }
    if (batch->signed_head != NULL) {
        ps = add_call(tx, STMT_HEAD_INSERT, arena);
        store_param_int8(ps, batch->signed_head->size);
        store_param_bytes(
            ps, (struct tly_bytes){batch->signed_head->sig.b, sizeof batch->signed_head->sig.b});
    }
    return true;
}

static enum tly_err
send_batch(struct store *store, const struct seq_batch *batch, struct transaction *tx,
           struct tly_diag *diag)
{
    store->warned    = false;
    enum tly_err err = store_calls(store, tx->calls, tx->n, diag);
    /* Looked at first: on a foreign head the rows' positions may be taken, too. */
    const PGresult *moved = tx->calls[1].result;
    if (moved != NULL && PQntuples(moved) != 1) {
        store_drop(store);
        return tly_fail(diag, TLY_ECORRUPT,
                        "the database's head is not size %" PRIu64 " of epoch %" PRIu64
                        ": somebody else writes (another "
                        "tallyd on this database?)",
                        batch->old_size, batch->epoch);
    }
    if (err != TLY_OK) {
        return err;
    }
    if (!is_durable(store_result_text(moved, 0))) {
        return not_durable(store, store_result_text(moved, 0), diag);
    }
    if (store->warned) { /* COMMIT was not sent: certainly not done */
        store_drop(store);
        return tly_fail(diag, TLY_EBUSY, "warning before COMMIT: %s", store->warning);
    }
    return store_commit_now(store, diag);
}

enum tly_err
store_commit(struct store *store, const struct seq_batch *batch, struct tly_diag *diag)
{
    TLY_AUTO(arena) struct tly_arena memory;
    struct transaction               tx = {0};
    tly_arena_init(&memory, MEMORY_MAX);
    enum tly_err err = store_connect(store, diag);
    if (err != TLY_OK) {
        return err == TLY_ENOMEM ? TLY_EBUSY : err;
    }
    if (!build(&tx, batch, &memory)) {
        return tly_fail(diag, TLY_EBUSY, "no memory for a batch");
    }
    err = send_batch(store, batch, &tx, diag);
    store_calls_done(tx.calls, tx.n);
    return err;
}

/* ---- taking over, and the barrier: a statement in a transaction of its own ---- */

static enum tly_err
run_alone(struct store *store, enum store_stmt stmt, PGresult **out, struct tly_diag *diag)
{
    struct store_call calls[] = {{.stmt = STMT_TX_BEGIN}, {.stmt = stmt}};
    enum tly_err      err     = store_connect(store, diag);
    if (err != TLY_OK) {
        return err == TLY_ENOMEM ? TLY_EBUSY : err;
    }
    store->warned = false;
    err           = store_calls(store, calls, TLY_N(calls), diag);
    if (err == TLY_OK) {
        *out            = calls[1].result;
        calls[1].result = NULL;
    }
    store_calls_done(calls, TLY_N(calls));
    return err;
}

/* The result's last column is synchronous_commit.  Repeating is harmless, so doubt is "later". */
static enum tly_err
commit_alone(struct store *store, const PGresult *result, struct tly_diag *diag)
{
    const char *setting = store_result_text(result, PQnfields(result) - 1);
    if (!is_durable(setting)) {
        return not_durable(store, setting, diag);
    }
    const enum tly_err err = store_commit_now(store, diag);
    return err == TLY_EUNSURE ? TLY_EBUSY : err;
}

enum tly_err
store_take_over(struct store *store, uint64_t *epoch, struct tly_diag *diag)
{
    TLY_AUTO(pgresult) PGresult *result = NULL;
    enum tly_err                 err    = run_alone(store, STMT_LOG_HEAD_TAKE, &result, diag);
    if (err != TLY_OK) {
        return err;
    }
    uint64_t taken = 0;
    if (PQntuples(result) == 0) {
        store_drop(store);
        return tly_fail(diag, TLY_ENOENT,
                        "no election is open in this database (tallyctl election open)");
    }
    if (PQntuples(result) != 1 || !store_take_int(result, 0, &taken)) {
        store_drop(store);
        return tly_fail(diag, TLY_ECORRUPT, "tally.log_head: more than one row, or no epoch");
    }
    err = commit_alone(store, result, diag);
    if (err == TLY_OK) {
        *epoch = store->epoch = taken;
    }
    return err;
}

enum tly_err
store_recover(struct store *store, struct note_head *stored, struct tly_diag *diag)
{
    TLY_AUTO(pgresult) PGresult *result = NULL;
    store_drop(store);
    enum tly_err err = run_alone(store, STMT_LOG_HEAD_BARRIER, &result, diag);
    if (err != TLY_OK) {
        return err;
    }
    uint64_t epoch = 0;
    if (PQntuples(result) != 1 || !store_take_int(result, 2, &epoch) || epoch != store->epoch) {
        store_drop(store);
        return tly_fail(diag, TLY_ECORRUPT, "the database's head is of another epoch than %" PRIu64,
                        store->epoch);
    }
    struct note_head head;
    if (!store_take_int(result, 0, &head.size) ||
        !store_take_exact(result, 1, head.root.b, sizeof head.root.b)) {
        store_drop(store);
        return tly_fail(diag, TLY_ECORRUPT, "tally.log_head: no such size or root can be");
    }
    err = commit_alone(store, result, diag);
    if (err == TLY_OK) {
        *stored = head;
    }
    return err;
}
