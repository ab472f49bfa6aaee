/* SPDX-License-Identifier: Apache-2.0 */
/* PostgreSQL: one connection, prepared statements from sql/queries, doubt told apart from failure.
 *
 * The daemon's connection string names a login role that may do no more than sql/roles.sql grants
 * (tallyd); tallyctl's names the owner.  All objects live in the schema `tally`. */
#pragma once

#include "base/arena.h"
#include "base/bytes.h"
#include "base/err.h"
#include "core/seq.h"

#define STORE_SCHEMA_VERSION 3
#define STORE_ANSWER_MS      10000 /* longest wait for the server's answer; COMMIT: then in doubt */
#define STORE_CONNECT_MS     5000
/* The owner's commands: a person waits, and a migration may take long or stand behind a lock. */
#define STORE_OWNER_ANSWER_MS  600000
#define STORE_OWNER_CONNECT_MS 30000

struct store; /* one connection; one thread at a time */

/* What the genesis entry and the head row say. */
struct store_election {
    char             code[CODE_LEN_MAX + 1];
    struct tly_hash  definition, registry;
    struct note_head head;
    uint64_t         epoch;
};

/* One ledger row as stored; texts and bytes are valid until the callback returns.
 *
 * The schema's constraints are the owner's, who can take them away: `fault` names a column whose
 * value no program of ours wrote there (null where it must not be, or not null; a wrong length),
 * else NULL.  With a fault only it and the position mean anything. */
struct store_row {
    const char      *fault;
    uint64_t         position;
    enum leaf_kind   kind;
    const char      *branch, *terminal; /* "" for genesis and decisions */
    uint32_t         revision;
    bool             has_prev;
    struct tly_hash  prev, payload_hash, envelope_hash, first_envelope;
    struct tly_bytes payload, head, tail, held;
    enum tly_base64  alphabet;
    uint64_t         accepted_ms;
};

/* Connects, refuses unsafe settings (fsync, full_page_writes, synchronous_commit off), another
 * schema version, and a role that could change what is recorded; prepares every statement.
 * conninfo: as libpq reads it; "" takes libpq's defaults.
 *
 * Errors:  TLY_EBUSY     not reachable, or a standby
 *          TLY_ECORRUPT  settings, schema or role are not as they must be
 *          TLY_ENOMEM */
TLY_MUST enum tly_err store_open(const char *conninfo, struct store **out, struct tly_diag *diag);
void                  store_close(struct store *store);     /* NULL is fine */
void                  tly_auto_store(struct store **store); /* for TLY_AUTO(store) */

/* How long to wait for each answer, instead of STORE_ANSWER_MS. */
void store_set_deadline(struct store *store, unsigned answer_ms);

/* Errors of every function below that takes a store, beside its own:
 *          TLY_EBUSY     the connection is lost, or the server says later; the next call connects
 *                        again
 *          TLY_ECORRUPT  the server refuses what it never should */

/* Errors:  TLY_ENOENT    no election was opened in this database */
TLY_MUST enum tly_err store_election(struct store *store, struct store_election *out,
                                     struct tly_diag *diag);
/* Takes over as the one writer: epoch + 1.  Whoever wrote before finds the head not his own.
 *
 * Errors:  TLY_ENOENT    no election was opened */
TLY_MUST enum tly_err store_take_over(struct store *store, uint64_t *epoch, struct tly_diag *diag);
/* Marks this session as the writer's, and each one after it as far as nobody else has the mark.
 * It keeps a second daemon from taking over by mistake; what guards the ledger is the epoch.
 * TLY_EBUSY: another one has the mark; the diag says which. */
TLY_MUST enum tly_err store_claim(struct store *store, struct tly_diag *diag);
/* Between calls: is the connection still there, as far as this side knows?  Tries again for the
 * writer's mark when that was still with a session that died, else sends nothing. */
TLY_MUST enum tly_err store_idle_check(struct store *store, struct tly_diag *diag);
/* The effects `commit` and `recover` of core/seq.h.
 *
 * A batch takes two round trips on purpose: COMMIT is sent only after the head row was moved, and
 * with it locked.  So a batch whose COMMIT was not sent is certainly not done, and one in doubt
 * holds the row until it is decided: the barrier of store_recover() waits for that. */
TLY_MUST enum tly_err store_commit(struct store *store, const struct seq_batch *batch,
                                   struct tly_diag *diag);
TLY_MUST enum tly_err store_recover(struct store *store, struct note_head *stored,
                                    struct tly_diag *diag);

/* Streams ledger rows with from <= position < to in order, without gaps and faults; stops at the
 * callback's first error and returns it.  The callback must not use this store.  Hashes are not
 * checked here but by store_row_check(), which costs most and can run on all cores. */
typedef enum tly_err (*store_row_fn)(void *arg, const struct store_row *row, struct tly_diag *diag);
TLY_MUST enum tly_err store_read(struct store *store, uint64_t from, uint64_t to, store_row_fn fn,
                                 void *arg, struct tly_diag *diag);
size_t                store_row_envelope_len(const struct store_row *row);
/* The exact envelope as it was received, in the arena.  Errors: TLY_ENOMEM. */
TLY_MUST enum tly_err store_row_envelope(const struct store_row *row, struct tly_arena *arena,
                                         struct tly_bytes *out);
/* Envelopes that show no difference are stored as of the standard alphabet: false where a row says
 * URL-safe, and no character of its envelope does. */
TLY_MUST bool store_row_alphabet(const struct store_row *row, struct tly_bytes envelope);
/* Payload and envelope have the hashes that the row says; *out is the envelope, in the arena (empty
 * for genesis).  Any thread.  Errors: TLY_ECORRUPT, TLY_ENOMEM. */
TLY_MUST enum tly_err store_row_check(const struct store_row *row, struct tly_arena *arena,
                                      struct tly_bytes *out, struct tly_diag *diag);
/* Streams the signed heads in order. */
typedef enum tly_err (*store_head_fn)(void *arg, const struct book_head *head,
                                      struct tly_diag *diag);
TLY_MUST enum tly_err store_heads(struct store *store, store_head_fn fn, void *arg,
                                  struct tly_diag *diag);

/* tallyctl's side: the owner's connection. */

/* Applies what is missing of sql/migrations, and sql/roles.sql, in one transaction.
 *
 * Errors:  TLY_EBUSY     not reachable
 *          TLY_ECONFLICT the database is newer than this program
 *          TLY_ECORRUPT  a script failed and nothing was changed (the diag has the server's words)
 */
TLY_MUST enum tly_err store_migrate(const char *conninfo, unsigned *from, unsigned *to,
                                    struct tly_diag *diag);
/* Writes the genesis entry, once.  *created: false when this very election is open already.
 *
 * Errors:  TLY_ECONFLICT another election is open in this database
 *          and those of store_open() */
TLY_MUST enum tly_err store_genesis(const char *conninfo, const struct leaf *genesis, bool *created,
                                    struct tly_diag *diag);
