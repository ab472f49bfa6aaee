/* SPDX-License-Identifier: Apache-2.0 */
/* PostgreSQL: one connection, prepared statements from sql/queries, doubt told apart from failure.
 */
#pragma once

#include "base/arena.h"
#include "base/bytes.h"
#include "base/err.h"
#include "core/seq.h"

#define STORE_SCHEMA_VERSION 1

struct store; /* one connection; one thread at a time */

/* What the genesis entry and the head row say. */
struct store_election {
    char             code[CODE_LEN_MAX + 1];
    struct tly_hash  definition, registry;
    struct note_head head;
    uint64_t         epoch;
};

/* One ledger row as stored; texts and bytes are valid until the callback returns. */
struct store_row {
    uint64_t         position;
    enum leaf_kind   kind;
    const char      *branch, *terminal; /* "" for genesis */
    uint32_t         revision;
    bool             has_prev;
    struct tly_hash  prev, payload_hash, envelope_hash, first_envelope;
    struct tly_bytes payload, head, tail, held;
    enum tly_base64  alphabet;
    uint64_t         accepted_ms;
};

/* Connects, refuses unsafe settings (fsync, full_page_writes, synchronous_commit off) and another
 * schema version, prepares every statement. Errors: TLY_EBUSY not reachable; TLY_ECORRUPT settings,
 * schema or role are not as they must be. */
TLY_MUST enum tly_err store_open(const char *conninfo, struct store **out, struct tly_diag *diag);
void                  store_close(struct store *store);

/* TLY_ENOENT: no election was opened in this database. */
TLY_MUST enum tly_err store_election(struct store *store, struct store_election *out,
                                     struct tly_diag *diag);
/* Takes over as the one writer: epoch + 1 (compare-and-swap). */
TLY_MUST enum tly_err store_take_over(struct store *store, uint64_t *epoch, struct tly_diag *diag);
/* The effects `commit` and `recover` of core/seq.h. */
TLY_MUST enum tly_err store_commit(struct store *store, const struct seq_batch *batch,
                                   struct tly_diag *diag);
TLY_MUST enum tly_err store_recover(struct store *store, struct note_head *stored,
                                    struct tly_diag *diag);
/* Streams ledger rows with from <= position < to in order; stops at the callback's first error. */
typedef enum tly_err (*store_row_fn)(void *arg, const struct store_row *row, struct tly_diag *diag);
TLY_MUST enum tly_err store_read(struct store *store, uint64_t from, uint64_t to, store_row_fn fn,
                                 void *arg, struct tly_diag *diag);
/* Streams the signed heads in order. */
typedef enum tly_err (*store_head_fn)(void *arg, const struct book_head *head,
                                      struct tly_diag *diag);
TLY_MUST enum tly_err store_heads(struct store *store, store_head_fn fn, void *arg,
                                  struct tly_diag *diag);

/* tallyctl's side: the owner's connection. */
TLY_MUST enum tly_err store_migrate(const char *conninfo, unsigned *from, unsigned *to,
                                    struct tly_diag *diag);
/* Writes the genesis entry, once.  TLY_ECONFLICT: an election is open in this database already. */
TLY_MUST enum tly_err store_genesis(const char *conninfo, const struct leaf *genesis,
                                    struct tly_diag *diag);
