/* SPDX-License-Identifier: Apache-2.0 */
/* Fields of a row as what they must be; each adds its own fault. */
#pragma once

#include "base/bytes.h"
#include "pack/csv.h"

/* A code; NULL with a fault when it is none. */
const char *fields_code(const struct csv *csv, unsigned field);
/* A whole number without leading zeros. */
bool fields_number(const struct csv *csv, unsigned field, uint64_t min, uint64_t max,
                   uint64_t *out);
/* The same in 32 bits. */
bool fields_number_u32(const struct csv *csv, unsigned field, uint32_t min, uint32_t max,
                       uint32_t *out);
/* 64 lower-case hexadecimal digits. */
bool fields_hex32(const struct csv *csv, unsigned field, uint8_t out[32]);
bool fields_empty(const struct csv *csv, unsigned field);
