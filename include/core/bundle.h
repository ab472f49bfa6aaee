/* SPDX-License-Identifier: Apache-2.0 */
/* From an envelope's bytes to all that the sequencer needs: the one pipeline of ingest, import, the
 * daemon's start and the verifier. */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "core/checks.h"
#include "core/envelope.h"
#include "core/registry.h"
#include "core/seq.h"

#define BUNDLE_ENVELOPE_MAX ((size_t)2 << 20) /* bytes of an envelope */

/* What a bundle is read against. */
struct bundle_rules {
    const struct election *election;
    const struct registry *registry;
    const struct speaker  *sender; /* who delivered it; NULL: out of a ledger, which does not say */
    uint64_t               at;     /* its position there; REGISTRY_NOW: it has none yet */
};

/* A bundle that was verified, parsed and checked. */
struct bundle {
    struct envelope    envelope;
    struct branch_ix   branch;
    struct terminal_ix terminal; /* whose key signed it */
    uint32_t           revision;
    bool               has_prev, revise_ok;
    struct tly_hash    prev;
    struct checked     checked;
    struct tly_bytes   held; /* lines of the leaf */
};

/* Reads a bundle; the first failure answers, in the order of doc/checks.md: size, envelope, key and
 * signature, syntax and ranges, identity and phase.  What the checks of the contests find is in
 * out->checked.
 *
 * Owns:    *out has views of `in` and of `keep`; scratch may be freed at once; *out is untouched on
 *          failure.
 * Errors:  TLY_ETOOBIG  over BUNDLE_ENVELOPE_MAX or PAYLOAD_BYTES_MAX
 *          TLY_EINPUT   S01: not an envelope, or its payload is not what payload_parse() takes
 *          TLY_ENOKEY   A02: no registered terminal's key verifies it
 *          TLY_EFORBID  A03: key revoked or replaced, or sender, terminal, key and branch do not belong
 *                       together
 *          TLY_ERANGE   S06, A05, A07: a value missing or out of range, another election or phase
 *          TLY_ENOMEM   an arena is full */
TLY_MUST enum tly_err bundle_read(const struct bundle_rules *rules, struct tly_bytes in,
                                  struct tly_arena *keep, struct tly_arena *scratch,
                                  struct bundle *out, struct tly_diag *diag);

/* Have enough officers of every role signed that policy `revise` names, each counted once, each
 * responsible for the branch? */
bool bundle_revise_allowed(const struct bundle_rules *rules, const struct envelope *envelope,
                           struct branch_ix branch);

/* A03 of a row that is not in force: why not. */
enum tly_err bundle_retired(const struct registry *registry, struct terminal_ix row,
                            struct tly_diag *diag);
/* The sequencer's view; hashes are computed outside the core.  Keeps views of *bundle. */
struct seq_bundle bundle_seq(const struct bundle *bundle, const struct tly_hash *payload_hash,
                             const struct tly_hash *envelope_hash, size_t envelope_len);

/* How the contests of a branch stand after a bundle: Tally-Status, doc/api.md. */
enum bundle_status { BUNDLE_COUNTED, BUNDLE_HELD, BUNDLE_PARTLY };
const char        *bundle_status_name(enum bundle_status status); /* "counted" */
enum bundle_status bundle_status(const struct checked *checked);
