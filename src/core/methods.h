/* SPDX-License-Identifier: Apache-2.0 */
/* The table of tally methods: one file in methods/ and one row here each. */
#pragma once

#include "core/method.h"

/* clang-format off */
#define METHODS_TABLE(X)        \
    X(block)                    \
    X(list_ir)                  \
    X(hare_lr)                  \
    X(droop_lr)                 \
    X(dhondt)                   \
    X(sainte_lague)             \
    X(modified_sainte_lague)
/* clang-format on */

#define METHODS_DECLARE(name) extern const struct method name##_method;
METHODS_TABLE(METHODS_DECLARE)
#undef METHODS_DECLARE

/* Place of the parameter list_plus_individual of list_ir: check N05 reads it. */
#define LIST_IR_LIST_PLUS 9
