/* SPDX-License-Identifier: Apache-2.0 */
/* Where in a JSON text a member stands: jansson tells only where the syntax is wrong. */
#pragma once

#include "base/attr.h"
#include "base/bytes.h"

#define WHERE_KEYS_MAX 4

/* A path of keys from the root, as long as the first NULL. */
struct where {
    const char *keys[WHERE_KEYS_MAX];
};

/* Line and byte column (from 1) of the last key on the path.  text: JSON that jansson accepted.
 * false: no such member (or one with an escape in its key). */
TLY_MUST bool where_find(struct tly_bytes text, const struct where *where, uint32_t *line,
                         uint32_t *column);
