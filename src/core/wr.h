/* SPDX-License-Identifier: Apache-2.0 */
/* A writing cursor over the caller's characters; too little room is noticed once, at the end. */
#pragma once

#include "base/base64.h"
#include "base/bytes.h"

struct wr {
    char *p;
    char *end;
    bool  full; /* something did not fit; nothing is written from then on */
};

void wr_bytes(struct wr *wr, struct tly_bytes bytes);
void wr_text(struct wr *wr, const char *text);
void wr_u64(struct wr *wr, uint64_t n); /* decimal */
void wr_hex(struct wr *wr, const uint8_t *data, size_t len);
void wr_hash(struct wr *wr, const struct tly_hash *hash); /* 64 lower-case digits */
void wr_base64(struct wr *wr, struct tly_bytes data, enum tly_base64 alphabet);
/* Puts a NUL, not counted, behind the text; the text's length, 0 when it did not all fit. */
size_t wr_done(struct wr *wr, const char *start);
