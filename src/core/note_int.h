/* SPDX-License-Identifier: Apache-2.0 */
/* What checkpoints and cosignatures have in common: names, key ids, signature lines. */
#pragma once

#include "core/note.h"
#include "rd.h"

#define NOTE_DASH   "\xe2\x80\x94 " /* U+2014 and a space open a signature line */
#define NOTE_ID_LEN 4

enum note_alg { NOTE_ALG_ED25519 = 0x01, NOTE_ALG_COSIGNATURE = 0x04 };

/* SHA-256(name || 0x0A || algorithm || key), its first four bytes. */
void note_key_id(struct tly_bytes name, enum note_alg alg, const struct tly_key *key,
                 uint8_t id[NOTE_ID_LEN]);
/* "NAME+ID+BASE64(algorithm || key)". */
size_t        note_vkey_text(const char *name, const uint8_t id[NOTE_ID_LEN], enum note_alg alg,
                             const struct tly_key *key, char out[NOTE_LEN_MAX]);
TLY_MUST bool note_vkey_read(struct tly_bytes text, enum note_alg alg,
                             char name[NOTE_ORIGIN_LEN_MAX + 1], uint8_t id[NOTE_ID_LEN],
                             struct tly_key *key);
/* Canonical base64 in the standard alphabet of exactly len bytes (at most 96). */
TLY_MUST bool note_base64_exact(struct tly_bytes text, uint8_t *out, size_t len);

/* One line "— NAME BASE64".  Of other signers only the form is known: an id and something more. */
TLY_MUST bool note_line_read(struct rd *rd, struct note_line *out);
