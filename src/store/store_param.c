/* SPDX-License-Identifier: Apache-2.0 */
/* Parameters to and results from PostgreSQL's binary formats: big-endian integers, arrays of one
 * dimension. */
#include "base/check.h"
#include "store_int.h"

static void
put(struct store_params *ps, const void *data, size_t len)
{
    TLY_CHECK(ps->n < STORE_PARAMS_MAX);
    TLY_CHECK(len <= INT32_MAX);
    ps->values[ps->n]  = data;
    ps->lengths[ps->n] = (int)len;
    ps->formats[ps->n] = 1;
    ps->n++;
}

static uint8_t *
take(struct store_params *ps, size_t len)
{
    uint8_t *p = tly_arena_alloc(ps->arena, len, 1);
    if (p == NULL) {
        ps->no_memory = true;
    }
    return p;
}

static uint8_t *
write_be(uint8_t *p, uint64_t value, unsigned width)
{
    for (unsigned i = width; i-- > 0; value >>= 8) {
        p[i] = (uint8_t)value;
    }
    return p + width;
}

static void
put_int(struct store_params *ps, uint64_t value, unsigned width)
{
    uint8_t *p = take(ps, width);
    if (p != NULL) {
        write_be(p, value, width);
    }
    put(ps, p, width);
}

void
store_param_int4(struct store_params *ps, uint32_t value)
{
    put_int(ps, value, 4);
}

void
store_param_int8(struct store_params *ps, uint64_t value)
{
    put_int(ps, value, 8);
}

void
store_param_bytes(struct store_params *ps, struct tly_bytes value)
{
    put(ps, value.data == NULL ? (const uint8_t *)"" : value.data, value.len);
}

/* ndim, has null, element type, length, lower bound. */
#define ARRAY_HEAD 20

static uint8_t *
write_head(uint8_t *p, enum store_oid oid, bool has_null, unsigned n)
{
    p = write_be(p, 1, 4);
    p = write_be(p, has_null, 4);
    p = write_be(p, oid, 4);
    p = write_be(p, n, 4);
    return write_be(p, 1, 4);
}

void
store_param_ints(struct store_params *ps, enum store_oid oid, const uint64_t values[], unsigned n)
{
    const unsigned width = oid == STORE_INT2 ? 2 : oid == STORE_INT4 ? 4 : 8;
    const size_t   len   = ARRAY_HEAD + (size_t)n * (4 + width);
    uint8_t       *start = take(ps, len);
    if (start != NULL) {
        uint8_t *p = write_head(start, oid, false, n);
        for (unsigned i = 0; i < n; i++) {
            p = write_be(p, width, 4);
            p = write_be(p, values[i], width);
        }
    }
    put(ps, start, len);
}

void
store_param_array(struct store_params *ps, enum store_oid oid, const struct tly_bytes values[],
                  unsigned n)
{
    size_t len      = ARRAY_HEAD + (size_t)n * 4;
    bool   has_null = false;
    for (unsigned i = 0; i < n; i++) {
        const bool null = values[i].len == SIZE_MAX;
        len += null ? 0 : values[i].len;
        has_null = has_null || null;
    }
    uint8_t *start = take(ps, len);
    if (start != NULL) {
        uint8_t *p = write_head(start, oid, has_null, n);
        for (unsigned i = 0; i < n; i++) {
            const bool null = values[i].len == SIZE_MAX;
            p               = write_be(p, null ? UINT32_MAX : values[i].len, 4);
            if (!null && values[i].len > 0) {
                memcpy(p, values[i].data, values[i].len);
                p += values[i].len;
            }
        }
    }
    put(ps, start, len);
}

uint64_t
store_result_int(const PGresult *result, int column)
{
    const int   len   = PQgetlength(result, 0, column);
    const char *p     = PQgetvalue(result, 0, column);
    uint64_t    value = 0;
    TLY_CHECK(PQfformat(result, column) == 1);
    TLY_CHECK(len == 2 || len == 4 || len == 8);
    for (int i = 0; i < len; i++) {
        value = value << 8 | (uint8_t)p[i];
    }
    return value;
}

bool
store_result_bool(const PGresult *result, int column)
{
    TLY_CHECK(PQgetlength(result, 0, column) == 1);
    return *PQgetvalue(result, 0, column) != 0;
}

bool
store_result_null(const PGresult *result, int column)
{
    return PQgetisnull(result, 0, column) != 0;
}

struct tly_bytes
store_result_bytes(const PGresult *result, int column)
{
    return (struct tly_bytes){(const uint8_t *)PQgetvalue(result, 0, column),
                              (size_t)PQgetlength(result, 0, column)};
}

const char *
store_result_text(const PGresult *result, int column)
{
    return PQgetvalue(result, 0, column); /* libpq puts a NUL behind each value */
}

bool
store_take_int(const PGresult *result, int column, uint64_t *out)
{
    const int len = PQgetlength(result, 0, column);
    if (store_result_null(result, column) || (len != 2 && len != 4 && len != 8)) {
        return false;
    }
    const uint64_t value = store_result_int(result, column);
    if (value >> (8 * len - 1) != 0) { /* two's complement */
        return false;
    }
    *out = value;
    return true;
}

bool
store_take_exact(const PGresult *result, int column, void *out, size_t len)
{
    const struct tly_bytes bytes = store_result_bytes(result, column);
    if (store_result_null(result, column) || bytes.len != len) {
        return false;
    }
    memcpy(out, bytes.data, len);
    return true;
}
