/* SPDX-License-Identifier: Apache-2.0 */
/* A writer of short texts into the caller's storage: no formats, no allocation, no locale. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base64.h"
#include "base/bytes.h"

/* Always NUL-terminated.  What does not fit whole is left out whole, so that no UTF-8 character is
 * cut, and `cut` says so. */
struct text {
    char  *p;
    size_t len; /* without the NUL */
    size_t size;
    bool   cut;
};

void text_init(struct text *text, char *storage, size_t size); /* size >= 1 */
void text_add(struct text *text, const char *s);
void text_add_bytes(struct text *text, struct tly_bytes bytes);
void text_add_u64(struct text *text, uint64_t v);
void text_add_hex(struct text *text, const uint8_t *data, size_t len); /* lower-case */
void text_add_hash(struct text *text, const struct tly_hash *hash);    /* its 64 digits */
void text_add_base64(struct text *text, struct tly_bytes data, enum tly_base64 alphabet);
void text_add_u64_fa(struct text *text, uint64_t v); /* with Persian digits */

/* The length of a text that all fitted, else 0. */
size_t text_done(const struct text *text);
