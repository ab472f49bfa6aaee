/* SPDX-License-Identifier: Apache-2.0 */
/* A request that is read is written again, byte for byte; none extends a head by a wrong proof. */
#include "core/extend.h"

#include "base/attr.h"
#include "base/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct tly_bytes in = {data, size};
    struct extend          request;
    struct note            note;
    const enum tly_err     err = extend_parse(in, &request, NULL);
    TLY_CHECK(err == TLY_OK || err == TLY_EINPUT || err == TLY_ETOOBIG);
    if (err != TLY_OK || request.note.len > NOTE_LEN_MAX) {
        return 0;
    }
    char         text[EXTEND_LEN_MAX + 1];
    const size_t n = extend_write(&request, text);
    TLY_CHECK(n == size && memcmp(text, data, n) == 0);
    if (note_split(request.note, &note) && request.old > 0) {
        /* No known root is a hash that the fuzzer can hit. */
        const struct note_head known = {.size = request.old, .root = {{0x5a}}};
        TLY_CHECK(extend_check(&known, &request, &note.head) != EXTEND_GROWS);
    }
    return 0;
}
