/* SPDX-License-Identifier: Apache-2.0 */
/* The one list of errors: name, HTTP status, whose move it is, text. */
#pragma once

#include <stddef.h>

#include "base/attr.h"

/* Whose move it is: THEIRS the sender is wrong, do not repeat; LATER nothing was done, repeat;
 * UNSURE it may have been done, look first (every write repeats safely); OURS we are wrong or
 * broken. */
enum tly_blame { TLY_NOBODY, TLY_THEIRS, TLY_LATER, TLY_UNSURE, TLY_OURS };

/*    name       http  blame   text */
/* clang-format off */
#define TLY_ERR_TABLE(X)                                                        \
    X(OK,        200, NOBODY, "ok")                                             \
    X(EINPUT,    400, THEIRS, "malformed")                                      \
    X(ENOKEY,    401, THEIRS, "no registered key verifies it")                  \
    X(EFORBID,   403, THEIRS, "not allowed for this sender")                    \
    X(ENOENT,    404, THEIRS, "no such thing")                                  \
    X(EMETHOD,   405, THEIRS, "method not offered here")                        \
    X(ECONFLICT, 409, THEIRS, "contradicts what is already recorded")           \
    X(ETIE,      409, THEIRS, "a tie that the law settles by lot")              \
    X(ETOOBIG,   413, THEIRS, "too large")                                      \
    X(ETYPE,     415, THEIRS, "media type not accepted here")                   \
    X(ERANGE,    422, THEIRS, "value missing or out of range")                  \
    X(ELIMIT,    429, LATER,  "too many requests from this sender")             \
    X(EBUSY,     503, LATER,  "not done, try again")                            \
    X(ENOMEM,    503, LATER,  "no memory for it now, try again")                \
    X(EUNSURE,   503, UNSURE, "sent, outcome unknown")                          \
    X(EIO,       500, OURS,   "a file, a socket or the database failed")        \
    X(ECORRUPT,  500, OURS,   "stored data fails its own checks")
/* clang-format on */

#define TLY_ERR_ENUM(name, http, blame, text) TLY_##name,
enum tly_err { TLY_ERR_TABLE(TLY_ERR_ENUM) TLY_ERR_N };
#undef TLY_ERR_ENUM

const char    *tly_err_name(enum tly_err err); /* "EINPUT" */
const char    *tly_err_text(enum tly_err err);
int            tly_err_http(enum tly_err err);
enum tly_blame tly_err_blame(enum tly_err err);

/* Where and why, for a person; optional everywhere (NULL: nobody will read it).
 *
 * code:  the check that failed ("S01", "A02"), or a word ("too_large"); "" when the error says all.
 * field: the path of the offending field ("contests[1].cast"), "" when none.
 * text:  one sentence with the value and the limit. */
struct tly_diag {
    char code[24];
    char field[96];
    char text[320];
};

/* Records where and why and returns err, so that a refusal is one line.  A NULL diag is fine. */
enum tly_err tly_fail(struct tly_diag *diag, enum tly_err err, const char *format, ...)
    TLY_PRINTF(3, 4);
/* The same with a check's code and a field. */
enum tly_err tly_fail_at(struct tly_diag *diag, enum tly_err err, const char *code,
                         const char *field, const char *format, ...) TLY_PRINTF(5, 6);

#ifdef __clang_analyzer__
/* The analyzer sees no bodies of other files: it has to be told that err is what comes back. */
/* NOLINTBEGIN(readability-identifier-naming): they stand for the functions of the same names. */
#define tly_fail(diag, err, ...)    (tly_fail((diag), (err), __VA_ARGS__), (err))
#define tly_fail_at(diag, err, ...) (tly_fail_at((diag), (err), __VA_ARGS__), (err))
/* NOLINTEND(readability-identifier-naming) */
#endif
