/* SPDX-License-Identifier: Apache-2.0 */
/* Values of the API's objects as texts of a table. */
#pragma once

#include "pack/json.h"

/* "-" when it is null: not reported is not zero. */
const char *shown_number(const json_t *object, const char *key, char out[24]);
const char *shown_text(const json_t *object, const char *key); /* "" when there is none */
/* English first on a terminal, Persian where there is no English. */
const char *shown_name(const json_t *object);
