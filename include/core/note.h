/* SPDX-License-Identifier: Apache-2.0 */
/* Checkpoints: C2SP signed notes of a tree head, and the keys that sign them (doc/formats.md). */
#pragma once

#include "base/bytes.h"
#include "base/err.h"
#include "core/sign.h"

#define NOTE_ORIGIN_LEN_MAX 200 /* "DOMAIN/ELECTION/PHASE" */
#define NOTE_LEN_MAX        4096

struct note_head {
    uint64_t        size;
    struct tly_hash root;
};

/* A verifier of notes: name and key, "vkey" in text form. */
struct note_vkey {
    char           name[NOTE_ORIGIN_LEN_MAX + 1];
    uint8_t        id[4];
    struct tly_key key;
};

/* A key's name: 1 to NOTE_ORIGIN_LEN_MAX bytes of printable ASCII, no space, no '+' (C2SP signed-note). */
bool note_name_ok(struct tly_bytes name);
/* The name is note_name_ok(). */
void          note_vkey_make(const char *name, const struct tly_key *key, struct note_vkey *out);
size_t        note_vkey_write(const struct note_vkey *vkey, char out[NOTE_LEN_MAX]); /* NUL added */
TLY_MUST bool note_vkey_parse(struct tly_bytes text, struct note_vkey *out);

/* "<origin>\n<size>\n<base64 root>\n"; its length, NUL added. */
size_t note_body(const char *origin, const struct note_head *head, char out[NOTE_LEN_MAX]);
/* Reads such a body, and nothing behind it: *origin is a view into it.  false: not three lines in
 * their only spelling. */
TLY_MUST bool note_body_parse(struct tly_bytes body, struct tly_bytes *origin,
                              struct note_head *out);

/* A note taken apart, its signatures not looked at: views into the text. */
struct note {
    struct tly_bytes origin;
    struct note_head head;
    struct tly_bytes body;  /* what is signed */
    struct tly_bytes lines; /* the signature lines, at least one byte of them */
};

/* false: not three lines, a blank one and something behind, or over NOTE_LEN_MAX. */
TLY_MUST bool note_split(struct tly_bytes text, struct note *out);

/* A signature line: views into it. */
struct note_line {
    struct tly_bytes name;
    struct tly_bytes field; /* base64 of id and signature */
    uint8_t          id[4];
};

/* Takes the first line off; false: there is none, or it is malformed. */
TLY_MUST bool note_line_next(struct tly_bytes *lines, struct note_line *out);
/* Is it a line of this key (name and id)?  And does it verify over the body? */
bool note_line_is_of(const struct note_line *line, const struct note_vkey *vkey);
bool note_line_verifies(const struct note_line *line, struct tly_bytes body,
                        const struct note_vkey *vkey);

/* The signature over the body, and the whole note from head, key and signature (so that a kept
 * signature gives the same bytes again); length, NUL added. */
void   note_sign(const char *origin, const struct note_head *head, const struct sign_secret *secret,
                 struct tly_sig *out);
size_t note_write(const struct note_head *head, const struct note_vkey *vkey,
                  const struct tly_sig *sig, char out[NOTE_LEN_MAX]);
/* Reads a note and requires this key's signature; other signature lines are passed over.
 *
 * Errors:  TLY_EINPUT   not a checkpoint, or of another origin
 *          TLY_ENOKEY   no line of this key
 *          TLY_EFORBID  the signature is wrong */
TLY_MUST enum tly_err note_check(struct tly_bytes note, const struct note_vkey *vkey,
                                 struct note_head *out, struct tly_diag *diag);
/* The first signature line of this key, its newline included; not verified.  false: there is none. */
TLY_MUST bool note_line_of(const struct note *note, const struct note_vkey *vkey,
                           struct tly_bytes *out);
