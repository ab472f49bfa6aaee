/* SPDX-License-Identifier: Apache-2.0 */
/* The document of a decision, before anybody's signature is looked at: what decision_read.c and
 * decision_key.c share. */
#pragma once

#include "core/decision.h"

enum decision_type { TEXT, PROSE, NUMBER, INNER };

/* One field of an object: what it must be, and what was there. */
struct decision_field {
    const char        *name;
    enum decision_type type;
    bool               optional;
    bool               seen;
    struct tly_bytes   text; /* of a string its inside; of an array or object all of it */
    uint64_t           n;
};

struct decision_reader {
    const struct decision_rules *rules;
    const struct election       *election;
    struct tly_arena            *arena;
    struct tly_diag             *diag;
    const char                  *part;  /* "" or "target." */
    unsigned                     depth; /* arrays and objects in one another */
};

/* Refuses a field of the part that is being read. */
enum tly_err decision_refuse(const struct decision_reader *r, enum tly_err err, const char *code,
                             const char *field, const char *why);
/* A whole object with these fields, once each, in any order, and nothing behind it. */
TLY_MUST enum tly_err decision_object(const struct decision_reader *r, struct tly_bytes in,
                                      struct decision_field fields[], unsigned n);
/* decision_key.c: targets of `key` and `state`, and their lines of the leaf. */
struct text;
TLY_MUST enum tly_err decision_target_key(const struct decision_reader *r, struct tly_bytes in,
                                          struct decision *d);
TLY_MUST enum tly_err decision_target_state(const struct decision_reader *r, struct tly_bytes in,
                                            struct decision *d);
void decision_lines_key(const struct decision_reader *r, const struct decision *d, struct text *wr);
void decision_lines_state(const struct decision *d, struct text *wr);
/* Copies the code of a terminal that is added.  false: no memory. */
TLY_MUST bool decision_copy_code(struct decision *d, struct tly_arena *arena);
