/* SPDX-License-Identifier: Apache-2.0 */
/* UTF-8 as RFC 3629 has it: no overlong forms, no surrogates, nothing above U+10FFFF. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* How many bytes from the start are good text without a NUL; len when all are. */
size_t utf8_good(const uint8_t *data, size_t len);
