/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of a leaf's text: a name with its space, a value, LF. */
#pragma once

#include "base/text.h"

static inline void
line_text(struct text *wr, const char *name, const char *value)
{
    text_add(wr, name);
    text_add(wr, value);
    text_add(wr, "\n");
}

static inline void
line_number(struct text *wr, const char *name, uint64_t value)
{
    text_add(wr, name);
    text_add_u64(wr, value);
    text_add(wr, "\n");
}
