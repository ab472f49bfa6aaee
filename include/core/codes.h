/* SPDX-License-Identifier: Apache-2.0 */
/* Code to index: a hash table in an arena, filled once and then only read (by any number of
 * threads). */
#pragma once

#include "base/arena.h"
#include "base/bytes.h"
#include "core/ids.h"

#define CODE_LEN_MAX 64

struct codes_cell;

struct codes {
    struct codes_cell *cells;
    uint32_t           mask;
    uint32_t           used;
};

/* [A-Za-z0-9._-]{1,64} */
bool codes_valid(struct tly_bytes code);

/* Room for n codes; false: the arena is full. */
TLY_MUST bool codes_init(struct codes *codes, struct tly_arena *arena, uint32_t n);
/* Keeps the pointer code.  scope tells equal codes apart (the contest of a candidate; 0 where there
 * is one scope).  false: already there. */
TLY_MUST bool codes_add(struct codes *codes, uint32_t scope, const char *code, uint32_t ix);
/* The index, or IX_NONE. */
uint32_t codes_find(const struct codes *codes, uint32_t scope, struct tly_bytes code);
