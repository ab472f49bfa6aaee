/* SPDX-License-Identifier: Apache-2.0 */
/* Who may speak: terminals, clients, officers (doc/formats.md, packages).  Built once by
 * pack/registry_load, then read only; a `key` decision makes a next version of it (registry_with()).
 *
 * A row is a terminal as it stands from one ledger entry to another: with its key, certificate,
 * branch, dates and state.  Rows of the package come first, each change of a terminal adds one, and
 * none changes or goes, so that an old leaf's row keeps naming the key that signed it.  Where a row
 * is looked for, `at` says for which place in the ledger: what the first `at` entries made of the
 * registry counts; REGISTRY_NOW: all of them. */
#pragma once

#include "base/bytes.h"
#include "base/err.h"
#include "core/codes.h"
#include "core/election.h"
#include "core/ids.h"

enum terminal_state { TERMINAL_ACTIVE, TERMINAL_REVOKED };

struct terminal {
    const char         *code;
    struct branch_ix    branch;                /* IX_NONE: spare */
    struct tly_key      key;                   /* signing key */
    struct tly_hash     keyid;                 /* SHA-256 of key */
    struct tly_hash     cert;                  /* SHA-256 of the TLS certificate's DER */
    uint64_t            not_before, not_after; /* Unix seconds, both inclusive */
    enum terminal_state state;
    uint64_t from; /* entries before it: 0 of the package, else the position behind its entry */
};

/* Bits, so that a route's column can name several. */
enum role {
    ROLE_TERMINAL  = 1 << 0,
    ROLE_RELAY     = 1 << 1,
    ROLE_DASHBOARD = 1 << 2,
    ROLE_OBSERVER  = 1 << 3,
    ROLE_OFFICER   = 1 << 4,
    ROLE_AUDITOR   = 1 << 5,
    ROLE_OPERATOR  = 1 << 6,
    ROLE_WITNESS   = 1 << 7
};

struct client {
    const char     *code, *name;
    enum role       role;
    struct area_ix  area;
    struct tly_hash cert;
    uint64_t        not_before, not_after;
};

struct officer {
    const char       *code, *name;
    enum officer_role role;
    struct area_ix    area;
    struct tly_key    key;
    struct tly_hash   keyid; /* SHA-256 of key */
};

/* From a 32-byte hash (certificate, key id) to an index; filled once. */
struct hash_index {
    uint32_t *cells;
    uint32_t  mask;
};

struct registry_made;
struct registry_node;

#define REGISTRY_NOW UINT64_C(0) /* entry 0 is the genesis: nothing is judged there */

struct registry {
    struct tly_hash        hash; /* package hash */
    const struct terminal *terminals;
    uint32_t               terminals_n;
    const struct client   *clients;
    uint32_t               clients_n;
    const struct officer  *officers;
    uint32_t               officers_n;
    struct codes           terminal_codes;
    struct hash_index terminal_keyids, officer_keyids, certs; /* certs: terminals, then clients */
    /* registry_version.c: rows made since, of this version made_n, and how they are found */
    struct registry_made       *made;
    uint32_t                    made_n;
    const struct registry_node *root;
};

/* Who a certificate belongs to. */
struct speaker {
    enum role          role;
    struct terminal_ix terminal;       /* role terminal: its row, else IX_NONE */
    struct terminal_ix terminal_first; /* which terminal: registry_first() */
    struct client_ix   client;         /* any other role, else IX_NONE */
    struct area_ix     area;           /* a terminal's: its branch's; a spare's: IX_NONE */
};

const char *role_name(enum role role);
bool        role_find(struct tly_bytes name, enum role *out);

/* Fills terminal_codes and the three indexes from the arrays (keyids must be set).
 *
 * Errors:  TLY_ERANGE  two with one code, certificate or key (the diag names both)
 *          TLY_ENOMEM */
TLY_MUST enum tly_err registry_index(struct registry *registry, struct tly_arena *arena,
                                     struct tly_diag *diag);
/* The speaker of a certificate at a moment, as the registry is now; false: unknown, not the
 * terminal's any more, outside its dates, or revoked (A01). */
bool registry_speaker(const struct registry *registry, const struct election *election,
                      const struct tly_hash *cert, uint64_t now_s, struct speaker *out);
/* The row that had this key last, in force or not; IX_NONE: no terminal (officer) had it. */
struct terminal_ix registry_terminal_by_keyid(const struct registry *registry,
                                              const struct tly_hash *keyid, uint64_t at);
struct officer_ix  registry_officer_by_keyid(const struct registry *registry,
                                             const struct tly_hash *keyid);
/* The row of a terminal; IX_NONE: there is no such terminal. */
struct terminal_ix     registry_terminal(const struct registry *registry, struct tly_bytes code,
                                         uint64_t at);
const struct terminal *registry_row(const struct registry *registry, struct terminal_ix row);
/* Is it the terminal's row there, and not revoked? */
bool registry_in_force(const struct registry *registry, struct terminal_ix row, uint64_t at);
/* The newest row of the same terminal; and its first, which tells terminals apart. */
struct terminal_ix registry_newest(const struct registry *registry, struct terminal_ix row);
struct terminal_ix registry_first(const struct registry *registry, struct terminal_ix row);
/* Does, or did, anybody have this key (certificate)? */
bool registry_knows_key(const struct registry *registry, const struct tly_hash *keyid);
bool registry_knows_cert(const struct registry *registry, const struct tly_hash *cert);

/* ---- versions ---- */

uint32_t registry_rows_n(const struct registry *registry);
/* The next version: with one row more, behind the newest one of its terminal (IX_NONE: a new terminal).
 * The version before stays as it is, for who still reads it; only the newest one has a next.
 *
 * Owns:    copies the row; its code, the arena and `registry` must outlive the version.
 * Returns: NULL: no memory, nothing is in force. */
TLY_MUST const struct registry *registry_with(const struct registry *registry,
                                              struct terminal_ix before, const struct terminal *row,
                                              struct tly_arena *arena);
