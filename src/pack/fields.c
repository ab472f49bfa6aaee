/* SPDX-License-Identifier: Apache-2.0 */
#include "fields.h"

#include <inttypes.h>

#include "base/hex.h"
#include "base/num.h"
#include "core/codes.h"

#define SHOWN_MAX 80

/* As much of a field as a sentence can hold. */
static int
shown(const struct csv *csv, unsigned field)
{
    const size_t len = csv->fields[field].len;
    return (int)(len < SHOWN_MAX ? len : SHOWN_MAX);
}

bool
fields_empty(const struct csv *csv, unsigned field)
{
    return csv->fields[field].len == 0;
}

const char *
fields_code(const struct csv *csv, unsigned field)
{
    if (!codes_valid(csv->fields[field])) {
        csv_fault(csv, field, "\"%.*s\" is no code: 1 to %d of A-Z a-z 0-9 . _ -",
                  shown(csv, field), csv_text(csv, field), CODE_LEN_MAX);
        return NULL;
    }
    return csv_text(csv, field);
}

bool
fields_number(const struct csv *csv, unsigned field, uint64_t min, uint64_t max, uint64_t *out)
{
    const struct tly_bytes text  = csv->fields[field];
    uint64_t               value = 0;
    if (!tly_u64_parse(text, max, &value) || value < min || (text.len > 1 && text.data[0] == '0')) {
        csv_fault(csv, field,
                  "\"%.*s\" is no whole number from %" PRIu64 " to %" PRIu64
                  " (digits, no leading zero)",
                  shown(csv, field), csv_text(csv, field), min, max);
        return false;
    }
    *out = value;
    return true;
}

bool
fields_number_u32(const struct csv *csv, unsigned field, uint32_t min, uint32_t max, uint32_t *out)
{
    uint64_t value;
    if (!fields_number(csv, field, min, max, &value)) {
        return false;
    }
    *out = (uint32_t)value;
    return true;
}

bool
fields_hex32(const struct csv *csv, unsigned field, uint8_t out[32])
{
    if (!tly_unhex(csv->fields[field], out, 32)) {
        csv_fault(csv, field, "\"%.*s\" is no 64 lower-case hexadecimal digits", shown(csv, field),
                  csv_text(csv, field));
        return false;
    }
    return true;
}
