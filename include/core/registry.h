/* SPDX-License-Identifier: Apache-2.0 */
/* Who may speak: terminals, clients, officers (doc/formats.md, packages).  Built once by
 * pack/registry_load, then read only. */
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
};

/* Who a certificate belongs to. */
struct speaker {
    enum role          role;
    struct terminal_ix terminal; /* role terminal, else IX_NONE */
    struct client_ix   client;   /* any other role, else IX_NONE */
    struct area_ix     area;     /* a terminal's: its branch's; a spare's: IX_NONE */
};

const char *role_name(enum role role);
bool        role_find(struct tly_bytes name, enum role *out);

/* Fills terminal_codes and the three indexes from the arrays (keyids must be set).
 *
 * Errors:  TLY_ERANGE  two with one code, certificate or key (the diag names both)
 *          TLY_ENOMEM */
TLY_MUST enum tly_err registry_index(struct registry *registry, struct tly_arena *arena,
                                     struct tly_diag *diag);
/* The speaker of a certificate at a moment; false: unknown, outside its dates, or revoked (A01). */
bool registry_speaker(const struct registry *registry, const struct election *election,
                      const struct tly_hash *cert, uint64_t now_s, struct speaker *out);
/* IX_NONE when no terminal (officer) has it; revoked ones are found too. */
struct terminal_ix registry_terminal_by_keyid(const struct registry *registry,
                                              const struct tly_hash *keyid);
struct officer_ix  registry_officer_by_keyid(const struct registry *registry,
                                             const struct tly_hash *keyid);
struct terminal_ix registry_terminal(const struct registry *registry, struct tly_bytes code);
