/* SPDX-License-Identifier: Apache-2.0 */
/* Lower-case hexadecimal, RFC 4648 section 8. */
#pragma once

#include "base/attr.h"
#include "base/bytes.h"

/* Characters that len bytes take, with the NUL. */
#define TLY_HEX_SIZE(len) (2 * (len) + 1)

/* Writes TLY_HEX_SIZE(len) characters to out. */
void tly_hex(const uint8_t *data, size_t len, char *out);
/* Reads exactly 2 * len lower-case digits; false (out untouched) on any other text. */
TLY_MUST bool tly_unhex(struct tly_bytes text, uint8_t *out, size_t len);
