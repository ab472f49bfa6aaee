/* SPDX-License-Identifier: Apache-2.0 */
/* Where the law can be read in more than one way: the outcome under each other reading
 * (doc/methods.md), and whether somebody else would be elected. */
#pragma once

#include "core/outcome.h"

#define READINGS_MAX     32 /* of one method */
#define READING_NAME_MAX 64

struct reading {
    char           name[READING_NAME_MAX]; /* "A" to "E", or what is changed: "cursor=continue" */
    uint32_t       params[METHOD_PARAMS_MAX];
    struct outcome outcome; /* without steps; votes, ranks and order are those of `own` */
    bool           differs; /* other winners, seats or vacancies, or another draw to be made */
};

/* The named variants of the method, then each parameter that is a reading changed alone; a set of
 * parameters once.  None for methods that can be read in one way only.
 *
 * own:    what outcome_of() gave for the same input.
 * Owns:   *out is in the arena, untouched on failure.
 * Errors: TLY_ENOMEM. */
TLY_MUST enum tly_err readings_of(const struct method *method, const struct method_input *in,
                                  const struct outcome *own, struct tly_arena *arena,
                                  struct reading **out, uint32_t *out_n);
