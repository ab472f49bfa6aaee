/* SPDX-License-Identifier: Apache-2.0 */
/* Cosignatures of witnesses (C2SP tlog-cosignature, Ed25519): "at this time the largest tree that I
 * have seen of this log, and that extends all I saw before, is this one". */
#pragma once

#include "core/note.h"

/* "— NAME BASE64(id, time, signature)\n" and a NUL. */
#define COSIGN_LINE_SIZE (4 + NOTE_ORIGIN_LEN_MAX + 1 + 104 + 2)

/* A witness: name and key, "vkey" of type 0x04 in text form. */
struct cosign_vkey {
    char           name[NOTE_ORIGIN_LEN_MAX + 1];
    uint8_t        id[4];
    struct tly_key key;
};

struct cosignature {
    uint64_t       time_s; /* Unix seconds, at most 2^63 - 1 */
    struct tly_sig sig;
};

/* The name is note_name_ok(). */
void   cosign_vkey_make(const char *name, const struct tly_key *key, struct cosign_vkey *out);
size_t cosign_vkey_write(const struct cosign_vkey *vkey, char out[NOTE_LEN_MAX]);
TLY_MUST bool cosign_vkey_parse(struct tly_bytes text, struct cosign_vkey *out);

/* Signs the body of a note: its three lines, as note_split() gives them. */
void cosign_make(struct tly_bytes body, uint64_t time_s, const struct sign_secret *secret,
                 struct cosignature *out);
/* The signature line; its length, NUL added. */
size_t cosign_line_write(const struct cosign_vkey *vkey, const struct cosignature *cosignature,
                         char out[COSIGN_LINE_SIZE]);
/* Looks for this witness's line among signature lines and verifies it; lines of others are passed
 * over.  Of several the newest is given; every one of them must verify.
 *
 * Errors:  TLY_EINPUT   a line is malformed
 *          TLY_ENOKEY   no line of this witness
 *          TLY_EFORBID  its signature is wrong, or its time over 2^63 - 1 */
TLY_MUST enum tly_err cosign_check(struct tly_bytes body, struct tly_bytes lines,
                                   const struct cosign_vkey *vkey, struct cosignature *out,
                                   struct tly_diag *diag);
/* Is it a line of this witness (name and key)?  And does it verify over the body? */
bool cosign_line_is_of(const struct note_line *line, const struct cosign_vkey *vkey);
bool cosign_line_verifies(const struct note_line *line, struct tly_bytes body,
                          const struct cosign_vkey *vkey);
/* Puts a line behind a note in the caller's storage; false: it does not fit, nothing is changed. */
TLY_MUST bool cosign_append(char note[NOTE_LEN_MAX], size_t *len, struct tly_bytes line);
