/* SPDX-License-Identifier: Apache-2.0 */
/* DSSE v1.0.2 envelopes: JSON with a base64 payload and signatures over PAE(type, payload). */
#pragma once

#include "base/arena.h"
#include "base/base64.h"
#include "base/bytes.h"
#include "base/err.h"
#include "core/sign.h"

#define ENVELOPE_MEDIA_TYPE     "application/vnd.dsse.envelope.v1+json" /* of the envelope itself */
#define ENVELOPE_TYPE_BUNDLE    "application/vnd.tally.bundle.v1+json"
#define ENVELOPE_TYPE_PACKAGE   "application/vnd.tally.package.v1+json"
#define ENVELOPE_TYPE_DECISION  "application/vnd.tally.decision.v1+json"
#define ENVELOPE_TYPE_RESULTS   "application/vnd.tally.results.v1+json"
#define ENVELOPE_SIGNATURES_MAX 4
#define ENVELOPE_TYPE_LEN_MAX   128
#define ENVELOPE_DEPTH_MAX      16 /* arrays and objects in one another */
#define ENVELOPE_FIELDS_MAX     32 /* keys of one object of the envelope, unknown ones included */

struct envelope_signature {
    struct tly_hash keyid; /* SHA-256 of the raw public key; zero: the text was no 64 hex digits */
    struct tly_sig  sig;
};

struct envelope {
    struct tly_bytes          type;
    struct tly_bytes          payload; /* decoded, in the arena; the very bytes that were signed */
    struct tly_bytes          pae;     /* PAE(type, payload), in the arena; payload is its tail */
    struct envelope_signature signatures[ENVELOPE_SIGNATURES_MAX];
    unsigned                  signatures_n;
    /* How the exact bytes are made again: head, base64(payload) in this alphabet, tail.  Views of
     * `in`. */
    struct tly_bytes head, tail;
    enum tly_base64  alphabet;
};

/* Reads an envelope.
 *
 * Limits:  payload_bytes_max on the decoded payload; ENVELOPE_* above.
 * Owns:    views of `in` and of the arena; *out untouched on failure.
 * Errors:  TLY_EINPUT   S01: not JSON, not DSSE, repeated key, trailing bytes, base64 not
 *                       canonical, no or too many signatures, a signature that is not 64 bytes, an
 *                       escape in a key, in payload or in sig; the diag names the field
 *          TLY_ETOOBIG  payload over its limit
 *          TLY_ENOMEM   the arena is full
 * Source:  DSSE v1.0.2, protocol and envelope.  Unknown fields are ignored as it says; they
 *          must be JSON all the same, but keys repeated inside their values are nobody's matter. */
TLY_MUST enum tly_err envelope_parse(struct tly_bytes in, size_t payload_bytes_max,
                                     struct tly_arena *arena, struct envelope *out,
                                     struct tly_diag *diag);
/* Does this key verify signature i over the envelope's PAE? */
bool envelope_verify(const struct envelope *envelope, unsigned i, const struct tly_key *key);
/* Writes the envelope's text (one line, no newline) with n signatures made by the secrets; keyids
 * are those of the public halves, computed by the caller (keys are hashed outside the core).
 * Errors: TLY_ENOMEM. */
TLY_MUST enum tly_err envelope_write(const char *type, struct tly_bytes payload,
                                     const struct sign_secret secrets[],
                                     const struct tly_hash keyids[], unsigned n,
                                     struct tly_arena *arena, struct tly_bytes *out);
/* Writes the envelope again with one signature more, by this secret, behind those it has.
 * Errors: TLY_ECONFLICT it has a signature of this keyid, or ENVELOPE_SIGNATURES_MAX already;
 *         TLY_ENOMEM. */
TLY_MUST enum tly_err envelope_cosign(const struct envelope    *envelope,
                                      const struct sign_secret *secret,
                                      const struct tly_hash *keyid, struct tly_arena *arena,
                                      struct tly_bytes *out, struct tly_diag *diag);
