/* SPDX-License-Identifier: Apache-2.0 */
/* jansson's values as handles that free themselves. */
#pragma once

#include <jansson.h>

#include "base/attr.h"

/* For TLY_AUTO(json) json_t *root = ...; */
static inline void
tly_auto_json(json_t **json)
{
    json_decref(*json);
}
