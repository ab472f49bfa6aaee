/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever the payload's reader accepts jansson accepts, with equal values; what it refuses it
 * refuses by name. */
#include "payload_json.h"

#include "base/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct payload  payload;
    const struct tly_bytes in        = {data, size};
    const size_t           votes_max = PAYLOAD_VOTES_MAX(size);
    struct tly_diag        diag      = {0};
    struct payload_vote   *votes     = calloc(votes_max, sizeof *votes);
    TLY_CHECK(votes != NULL);
    const enum tly_err err = payload_parse(in, votes, (uint32_t)votes_max, &payload, &diag);
    TLY_CHECK(err == TLY_OK || err == TLY_EINPUT || err == TLY_ERANGE || err == TLY_ETOOBIG);
    TLY_CHECK(err != TLY_OK || pj_agrees(in, &payload));
    TLY_CHECK(err != TLY_EINPUT || strcmp(diag.code, "S01") == 0);
    TLY_CHECK(err != TLY_ERANGE || strcmp(diag.code, "S06") == 0);
    TLY_CHECK(err != TLY_ETOOBIG || size > PAYLOAD_BYTES_MAX);
    free(votes);
    return 0;
}
