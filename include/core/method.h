/* SPDX-License-Identifier: Apache-2.0 */
/* Tally methods: one file in src/core/methods/ and one row in its table each. */
#pragma once

#include "base/arena.h"
#include "base/bytes.h"
#include "base/err.h"
#include "core/ids.h"

#define METHOD_PARAMS_MAX 16

struct method_input;
struct outcome;

/* One parameter of a method as the definition may give it (doc/methods.md); the value is a
 * number, a word's place in words[], or 0/1. */
struct method_param {
    const char        *name;
    const char *const *words; /* NULL-terminated choices; NULL: a number or a bool */
    bool               boolean;
    bool               reading; /* the law can be read as any of the words: see core/readings.h */
    uint32_t           initial, min, max;
};

#define METHOD_VARIANT_SETS 3

/* A named reading of the law: what it sets; everything else is as in the definition. */
struct method_variant {
    const char *name;
    struct {
        const char *param;
        uint32_t    value;
    } set[METHOD_VARIANT_SETS];
};

struct method {
    const char                  *name;    /* as in election.json */
    const char                  *source;  /* article of law or paper */
    bool                         lists;   /* bundles carry lists and mixed */
    bool                         credits; /* a list ballot credits every member (list_ir) */
    const struct method_param   *params;
    unsigned                     params_n; /* <= METHOD_PARAMS_MAX */
    const struct method_variant *variants; /* up to one without a name; NULL: one reading only */
    enum tly_err (*run)(const struct method_input *in, struct tly_arena *arena,
                        struct outcome *out);
};

/* NULL when there is none of that name. */
const struct method *method_find(struct tly_bytes name);
/* The i-th method, for lists and help; NULL past the end. */
const struct method *method_at(unsigned i);
/* Place in method->params, or -1. */
int method_param_find(const struct method *method, struct tly_bytes name);
