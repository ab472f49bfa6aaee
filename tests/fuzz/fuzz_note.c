/* SPDX-License-Identifier: Apache-2.0 */
/* A note that is accepted begins with the body of its head; a vkey that is read is written again.
 */
#include "core/note.h"

#include "base/attr.h"
#include "base/check.h"
#include "ledger_vector.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct tly_bytes in = {data, size};
    struct note_vkey       vkey;
    struct note_head       head;
    char                   text[NOTE_LEN_MAX];
    const bool             known = note_vkey_parse(tly_text(vector_log_vkey), &vkey);
    TLY_CHECK(known);
    const enum tly_err err = note_check(in, &vkey, &head, NULL);
    TLY_CHECK(err == TLY_OK || err == TLY_EINPUT || err == TLY_ENOKEY || err == TLY_EFORBID);
    if (err == TLY_OK) {
        const size_t n = note_body(vkey.name, &head, text);
        TLY_CHECK(n < size && memcmp(text, data, n) == 0);
        TLY_CHECK(head.size == 2);
    }
    if (note_vkey_parse(in, &vkey)) {
        const size_t n = note_vkey_write(&vkey, text);
        TLY_CHECK(n == size && memcmp(text, data, n) == 0);
    }
    return 0;
}
