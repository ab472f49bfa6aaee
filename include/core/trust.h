/* SPDX-License-Identifier: Apache-2.0 */
/* Whom to believe: logs, witnesses and how many of them (C2SP tlog-policy). */
#pragma once

#include "base/arena.h"
#include "core/cosign.h"

#define TRUST_LEN_MAX  ((size_t)64 << 10)
#define TRUST_EACH_MAX 32 /* logs, witnesses, groups */
#define TRUST_NAME_MAX NOTE_ORIGIN_LEN_MAX
#define TRUST_NONE     UINT32_MAX /* "quorum none" */

struct trust_log {
    struct note_vkey vkey;
    const char      *url; /* "" none */
};

struct trust_witness {
    const char        *name; /* within the policy, also of its file in a folder of cosignatures */
    struct cosign_vkey vkey;
    const char        *url; /* where it takes checkpoints; "" none */
};

struct trust_group {
    const char *name;
    unsigned    threshold;
    uint64_t    members; /* bit i: witness i; bit 32 + i: group i */
};

struct trust {
    unsigned             logs_n, witnesses_n, groups_n;
    struct trust_log     logs[TRUST_EACH_MAX];
    struct trust_witness witnesses[TRUST_EACH_MAX];
    struct trust_group   groups[TRUST_EACH_MAX];
    uint32_t             quorum; /* a bit as of members, or TRUST_NONE */
};

/* Reads a policy.
 *
 * Owns:    everything is in the arena; *out untouched on failure.
 * Errors:  TLY_EINPUT  diag names the line
 *          TLY_ENOMEM */
TLY_MUST enum tly_err trust_parse(struct tly_bytes text, struct tly_arena *arena,
                                  const struct trust **out, struct tly_diag *diag);
/* Is it enough that these witnesses (bit i: witness i) cosigned? */
bool trust_quorum(const struct trust *policy, uint32_t cosigned);
/* What a witness signed last, when; time_s 0: nothing yet. */
struct trust_seen {
    uint64_t size, time_s;
};
/* How far the quorum goes: the largest size that enough witnesses signed it or a larger one (of one
 * log that only grows), and the time since when they all did, the latest such.  seen: one a witness of
 * the policy; with "quorum none" any single one is enough.  size 0, time_s 0: nowhere yet. */
struct trust_seen trust_witnessed(const struct trust *policy, const struct trust_seen seen[]);
/* May a witness's name be that of a file: letters, digits, '.', '_', '-', no '.' first? */
bool trust_file_name(const char *name);
