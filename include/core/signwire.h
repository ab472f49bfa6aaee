/* SPDX-License-Identifier: Apache-2.0 */
/* What tallyd and tally-signer say to each other (doc/ledger.md): texts, each behind its length.
 *
 * A request is "hello\n", or an add-checkpoint text (core/extend.h) whose checkpoint is the body
 * alone. */
#pragma once

#include "base/bytes.h"
#include "base/err.h"
#include "core/extend.h"
#include "core/note.h"

#define SIGNWIRE_LENGTH_BYTES 4 /* big-endian, in front of every text */
#define SIGNWIRE_REQUEST_MAX  EXTEND_LEN_MAX
#define SIGNWIRE_ANSWER_MAX   1024
#define SIGNWIRE_WHY_MAX      320
#define SIGNWIRE_HELLO_TEXT   "hello\n"

enum signwire_kind {
    SIGNWIRE_HELLO,  /* vkey, and the last head that was signed (size 0: none yet) */
    SIGNWIRE_SIGNED, /* sig: over the head that was asked for */
    SIGNWIRE_LAST,   /* the request's old size is not that of the last head, which is `last` */
    SIGNWIRE_REFUSED /* why; asking again is of no use */
};

struct signwire_answer {
    enum signwire_kind kind;
    struct note_vkey   vkey;
    struct note_head   last;
    struct tly_sig     sig;
    char               why[SIGNWIRE_WHY_MAX]; /* printable ASCII */
};

/* Writes an answer; its length, NUL added.  What is not printable ASCII in `why` becomes '?'. */
size_t signwire_answer_write(const struct signwire_answer *answer, char out[SIGNWIRE_ANSWER_MAX]);
/* Reads one in its only spelling; false: it is none, *out untouched. */
TLY_MUST bool signwire_answer_read(struct tly_bytes in, struct signwire_answer *out);

/* The three lines of a checkpoint's body, of this origin.
 * Errors: TLY_EINPUT not such lines, or of another origin; *out untouched. */
TLY_MUST enum tly_err signwire_body_read(struct tly_bytes body, const char *origin,
                                         struct note_head *out, struct tly_diag *diag);
