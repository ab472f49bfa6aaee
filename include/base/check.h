/* SPDX-License-Identifier: Apache-2.0 */
/* A bug of ours stops the process.  Always compiled in, one condition each, no side effects inside.
 */
#pragma once

#include "base/attr.h"

TLY_NORETURN void tly_check_failed(const char *file, int line, const char *condition);

#define TLY_CHECK(condition)                                                                       \
    (__builtin_expect(!!(condition), 1) ? (void)0                                                  \
                                        : tly_check_failed(__FILE__, __LINE__, #condition))
