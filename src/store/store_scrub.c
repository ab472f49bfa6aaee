/* SPDX-License-Identifier: Apache-2.0 */
/* The tables as they are, for whoever compares them with what they must be. */
#include "store/scrub.h"

#include <stdlib.h>

#include "store_int.h"

#define PARAMS_BYTES ((size_t)4 << 10)
#define ONCE_ROWS    2 /* one is right, a second says that it is wrong */

/* Parameters that are all int8. */
struct numbers {
    struct tly_arena    memory;
    struct store_params ps;
};

static void
numbers_make(struct numbers *out, const int64_t values[], unsigned n)
{
    *out = (struct numbers){0};
    tly_arena_init(&out->memory, PARAMS_BYTES);
    out->ps.arena = &out->memory;
    for (unsigned i = 0; i < n; i++) {
        store_param_int8(&out->ps, (uint64_t)values[i]);
    }
}

static enum tly_err
each(struct store *store, enum store_stmt stmt, const int64_t values[], unsigned n,
     store_each_fn give, void *arg, struct tly_diag *diag)
{
    struct numbers numbers;
    numbers_make(&numbers, values, n);
    const enum tly_err err = store_each(store, stmt, &numbers.ps, give, arg, diag);
    tly_arena_done(&numbers.memory);
    return err;
}

/* ---- what stands once ---- */

/* The first column of tally.election or tally.log_head that is nothing that we write. */
static const char *
once_take(const PGresult *r, struct store_once *out)
{
    struct store_election *e    = &out->election;
    const struct tly_bytes code = store_result_bytes(r, 1);
    if (store_result_null(r, 0) || !store_result_bool(r, 0)) {
        return "election.one";
    }
    if (code.len > CODE_LEN_MAX || store_result_null(r, 1)) {
        return "election.code";
    }
    (void)snprintf(e->code, sizeof e->code, "%s", store_result_text(r, 1));
    if (!store_take_exact(r, 2, e->definition.b, sizeof e->definition.b)) {
        return "election.definition";
    }
    if (!store_take_exact(r, 3, e->registry.b, sizeof e->registry.b)) {
        return "election.registry";
    }
    if (!store_take_exact(r, 4, out->opened_at, sizeof out->opened_at)) {
        return "election.opened_at";
    }
    if (store_result_null(r, 5) || !store_result_bool(r, 5)) {
        return "log_head.one";
    }
    if (!store_take_int(r, 6, &e->head.size)) {
        return "log_head.size";
    }
    if (!store_take_exact(r, 7, e->head.root.b, sizeof e->head.root.b)) {
        return "log_head.root";
    }
    if (!store_take_int(r, 8, &e->epoch)) {
        return "log_head.epoch";
    }
    if (!store_take_int(r, 9, &out->barrier)) {
        return "log_head.barrier";
    }
    if (!store_take_int(r, 10, &out->first) || !store_take_int(r, 11, &out->last)) {
        return "ledger.position";
    }
    return store_result_bool(r, 12) ? "ledger.position, head.size or evidence.id" : NULL;
}

static enum tly_err
give_once(void *arg, const PGresult *result, struct tly_diag *diag)
{
    struct store_once *out = arg;
    (void)diag;
    if (out->rows_n++ == 0) {
        out->fault = once_take(result, out);
    }
    return TLY_OK;
}

enum tly_err
store_once(struct store *store, struct store_once *out, struct tly_diag *diag)
{
    const int64_t      values[] = {ONCE_ROWS};
    struct store_once  once     = {0};
    const enum tly_err err =
        each(store, STMT_SCRUB_ELECTION, values, TLY_N(values), give_once, &once, diag);
    if (err == TLY_OK) {
        *out = once;
    }
    return err;
}

/* ---- the ledger ---- */

struct row_target {
    store_row_fn fn;
    void        *arg;
};

static enum tly_err
give_row(void *arg, const PGresult *result, struct tly_diag *diag)
{
    const struct row_target *target = arg;
    const struct store_row   row    = store_row_of(result);
    return target->fn(target->arg, &row, diag);
}

enum tly_err
store_scrub_ledger(struct store *store, uint64_t from, uint64_t to, uint64_t rows_max,
                   store_row_fn fn, void *arg, struct tly_diag *diag)
{
    const int64_t     values[] = {(int64_t)from, (int64_t)to, (int64_t)rows_max};
    struct row_target target   = {.fn = fn, .arg = arg};
    return each(store, STMT_SCRUB_LEDGER, values, TLY_N(values), give_row, &target, diag);
}

/* ---- small rows ---- */

typedef void (*small_take)(const PGresult *r, struct store_small *out);

struct small_target {
    small_take     take;
    store_small_fn fn;
    void          *arg;
};

static enum tly_err
give_small(void *arg, const PGresult *result, struct tly_diag *diag)
{
    const struct small_target *target = arg;
    struct store_small         row    = {.name = ""};
    target->take(result, &row);
    return target->fn(target->arg, &row, diag);
}

/* A key may be negative, where no program of ours wrote it. */
static bool
key_take(const PGresult *r, int64_t *out)
{
    const int len = PQgetlength(r, 0, 0);
    if (store_result_null(r, 0) || (len != 4 && len != 8)) {
        return false;
    }
    const uint64_t value = store_result_int(r, 0);
    *out                 = len == 4 ? (int32_t)value : (int64_t)value;
    return true;
}

static void
version_take(const PGresult *r, struct store_small *out)
{
    out->name = store_result_text(r, 1);
    if (!key_take(r, &out->key)) {
        out->fault = "version";
    } else if (!store_take_exact(r, 2, out->at, sizeof out->at)) {
        out->fault = "applied_at";
    }
}

static void
head_take(const PGresult *r, struct store_small *out)
{
    if (!key_take(r, &out->key)) {
        out->fault = "size";
    } else if (!store_take_exact(r, 1, out->sig.b, sizeof out->sig.b)) {
        out->fault = "sig";
    }
}

static void
evidence_take(const PGresult *r, struct store_small *out)
{
    if (!key_take(r, &out->key)) {
        out->fault = "id";
    } else if (!store_take_exact(r, 1, out->hash.b, sizeof out->hash.b) ||
               !store_take_exact(r, 2, out->tags, sizeof out->tags) || store_result_null(r, 3)) {
        out->fault = "a column that is null";
    } else {
        out->whole = store_result_bool(r, 3);
    }
}

static void
sender_take(const PGresult *r, struct store_small *out)
{
    out->sender = store_result_bytes(r, 0);
    if (out->sender.len != sizeof(struct tly_hash)) {
        out->fault = "sender";
    } else if (!store_take_int(r, 1, &out->kept_n) || !store_take_int(r, 4, &out->are_n) ||
               !store_take_int(r, 5, &out->are_bytes)) {
        out->fault = "kept_n";
    } else if (!store_take_int(r, 2, &out->bytes)) {
        out->fault = "bytes";
    } else if (!store_take_int(r, 3, &out->dropped)) {
        out->fault = "dropped";
    }
}

static enum tly_err
small(struct store *store, enum store_stmt stmt, const int64_t values[], unsigned n,
      const struct small_target *target, struct tly_diag *diag)
{
    struct small_target copy = *target;
    return each(store, stmt, values, n, give_small, &copy, diag);
}

enum tly_err
store_scrub_versions(struct store *store, uint64_t rows_max, store_small_fn fn, void *arg,
                     struct tly_diag *diag)
{
    const int64_t             values[] = {(int64_t)rows_max};
    const struct small_target target   = {version_take, fn, arg};
    return small(store, STMT_SCRUB_SCHEMA_VERSION, values, TLY_N(values), &target, diag);
}

enum tly_err
store_scrub_senders(struct store *store, uint64_t rows_max, store_small_fn fn, void *arg,
                    struct tly_diag *diag)
{
    const int64_t             values[] = {(int64_t)rows_max};
    const struct small_target target   = {sender_take, fn, arg};
    return small(store, STMT_SCRUB_EVIDENCE_SENDER, values, TLY_N(values), &target, diag);
}

enum tly_err
store_scrub_heads(struct store *store, int64_t after, uint64_t rows_max, store_small_fn fn,
                  void *arg, struct tly_diag *diag)
{
    const int64_t             values[] = {after, (int64_t)rows_max};
    const struct small_target target   = {head_take, fn, arg};
    return small(store, STMT_SCRUB_HEAD, values, TLY_N(values), &target, diag);
}

enum tly_err
store_scrub_evidence(struct store *store, int64_t after, uint64_t rows_max, uint64_t body_max,
                     store_small_fn fn, void *arg, struct tly_diag *diag)
{
    const int64_t             values[] = {after, (int64_t)rows_max, (int64_t)body_max};
    const struct small_target target   = {evidence_take, fn, arg};
    return small(store, STMT_SCRUB_EVIDENCE, values, TLY_N(values), &target, diag);
}

const char *
store_version_name(unsigned version)
{
    for (const struct store_script *s = store_scripts; s->sql != NULL; s++) {
        if (s->version > 0 && (unsigned)s->version == version) {
            return s->name;
        }
    }
    return NULL;
}
