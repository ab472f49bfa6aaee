/* SPDX-License-Identifier: Apache-2.0 */
/* The owner's side: migrations and opening an election. */
#include <stdlib.h>

#include "base/check.h"
#include "store_int.h"

static enum tly_err
owner_new(const char *conninfo, struct store **out, struct tly_diag *diag)
{
    TLY_AUTO(store) struct store *store = calloc(1, sizeof *store);
    if (store == NULL || (store->conninfo = strdup(conninfo)) == NULL) {
        return tly_fail(diag, TLY_ENOMEM, "no memory for a connection");
    }
    store->owner     = true;
    store->answer_ms = STORE_OWNER_ANSWER_MS;
    *out             = TLY_TAKE(store);
    return TLY_OK;
}

static enum tly_err
read_version(struct store *store, unsigned *version, struct tly_diag *diag)
{
    TLY_AUTO(pgresult) PGresult *result = NULL;
    const struct store_params    none   = {0};
    const enum tly_err           err =
        store_run(store, store_stmt_texts[STMT_SCHEMA_VERSION_READ].sql, &none, &result, diag);
    if (err == TLY_OK) {
        *version = (unsigned)store_result_int(result, 0);
    }
    return err;
}

static enum tly_err
record(struct store *store, const struct store_script *script, struct tly_diag *diag)
{
    TLY_AUTO(arena) struct tly_arena memory;
    struct store_params              ps = {.arena = &memory};
    tly_arena_init(&memory, (size_t)64 << 10);
    store_param_int4(&ps, (uint32_t)script->version);
    store_param_bytes(&ps, tly_text(script->name));
    if (ps.no_memory) {
        return tly_fail(diag, TLY_ENOMEM, "no memory");
    }
    return store_run(store, store_stmt_texts[STMT_SCHEMA_VERSION_INSERT].sql, &ps, NULL, diag);
}

/* The scripts in order: the first makes the table of versions, and only then is there one to read.
 */
static enum tly_err
run_scripts(struct store *store, unsigned *from, struct tly_diag *diag)
{
    for (const struct store_script *script = store_scripts; script->sql != NULL; script++) {
        if (script->version > 0 && (unsigned)script->version <= *from) {
            continue;
        }
        enum tly_err err = store_run(store, script->sql, NULL, NULL, diag);
        if (err == TLY_OK && script == store_scripts) {
            err =
                store_run(store, store_stmt_texts[STMT_SCHEMA_VERSION_LOCK].sql, NULL, NULL, diag);
            if (err == TLY_OK) {
                err = read_version(store, from, diag);
            }
            if (err == TLY_OK && *from > STORE_SCHEMA_VERSION) {
                err = tly_fail(diag, TLY_ECONFLICT,
                               "the database has schema version %u, newer than this program's %d",
                               *from, STORE_SCHEMA_VERSION);
            }
        } else if (err == TLY_OK && script->version > 0) {
            err = record(store, script, diag);
        }
        if (err != TLY_OK) {
            return err;
        }
    }
    return TLY_OK;
}

enum tly_err
store_migrate(const char *conninfo, unsigned *from, unsigned *to, struct tly_diag *diag)
{
    TLY_AUTO(store) struct store *store = NULL;
    unsigned                      was   = 0;
    enum tly_err                  err   = owner_new(conninfo, &store, diag);
    if (err == TLY_OK) {
        err = store_dial(store, diag);
    }
    if (err == TLY_OK) {
        err = store_run(store, store_stmt_texts[STMT_TX_BEGIN].sql, NULL, NULL, diag);
    }
    if (err == TLY_OK) {
        err = run_scripts(store, &was, diag);
    }
    if (err == TLY_OK) {
        err = store_run(store, store_stmt_texts[STMT_TX_COMMIT].sql, NULL, NULL, diag);
    }
    if (err == TLY_OK) {
        *from = was;
        *to   = STORE_SCHEMA_VERSION;
    }
    return err;
}

/* ---- opening an election ---- */

static enum tly_err
insert_genesis(struct store *store, const struct leaf *genesis, const struct tly_hash *root,
               bool *created, struct tly_diag *diag)
{
    TLY_AUTO(arena) struct tly_arena memory;
    struct store_params              ps = {.arena = &memory};
    tly_arena_init(&memory, (size_t)64 << 10);
    store_param_bytes(&ps, tly_text(genesis->election));
    store_param_bytes(&ps, (struct tly_bytes){genesis->definition.b, sizeof genesis->definition.b});
    store_param_bytes(&ps, (struct tly_bytes){genesis->registry.b, sizeof genesis->registry.b});
    store_param_int8(&ps, genesis->accepted_ms);
    store_param_bytes(&ps, (struct tly_bytes){root->b, sizeof root->b});
    struct store_call calls[] = {{.stmt = STMT_TX_BEGIN},
                                 {.stmt = STMT_ELECTION_INSERT, .params = &ps}};
    store->warned             = false;
    enum tly_err err          = store_calls(store, calls, TLY_N(calls), diag);
    if (err == TLY_OK) {
        const bool inserted = PQntuples(calls[1].result) == 1;
        err                 = store_commit_now(store, diag);
        if (err == TLY_OK) {
            *created = inserted;
        }
    }
    store_calls_done(calls, TLY_N(calls));
    return err;
}

enum tly_err
store_genesis(const char *conninfo, const struct leaf *genesis, bool *created,
              struct tly_diag *diag)
{
    TLY_AUTO(store) struct store *store = NULL;
    struct store_election         open;
    char                          text[LEAF_SIZE];
    const size_t                  len = leaf_write(genesis, text);
    TLY_CHECK(genesis->kind == LEAF_GENESIS);
    TLY_CHECK(len > 0);
    const struct tly_hash root = merkle_leaf((struct tly_bytes){(const uint8_t *)text, len});
    bool                  made = false;
    enum tly_err          err  = owner_new(conninfo, &store, diag);
    if (err == TLY_OK) {
        err = store_connect(store, diag);
    }
    if (err == TLY_OK) {
        err = insert_genesis(store, genesis, &root, &made, diag);
    }
    if (err == TLY_OK) {
        err = store_election(store, &open, diag);
    }
    if (err != TLY_OK) {
        return err;
    }
    if (strcmp(open.code, genesis->election) != 0 ||
        !tly_hash_eq(&open.definition, &genesis->definition) ||
        !tly_hash_eq(&open.registry, &genesis->registry)) {
        return tly_fail(
            diag, TLY_ECONFLICT,
            "election %s is open in this database%s; another needs a database of its own",
            open.code,
            strcmp(open.code, genesis->election) == 0 ? " with another definition or registry"
                                                      : "");
    }
    *created = made;
    return TLY_OK;
}
