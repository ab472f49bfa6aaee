/* SPDX-License-Identifier: Apache-2.0 */
/* What was sent before a correction: the payload hashes of an earlier recording, which `prev` must name
 * when counts.csv has changed since. */
#include <inttypes.h>

#include "core/envelope.h"
#include "pack/keyfile.h"
#include "record_int.h"
#include "submit/recording.h"
#include "sys/sha256.h"

#define ENVELOPE_ARENA_MAX ((size_t)16 << 20)

/* Notes the branch and the hash of one recorded bundle. */
static enum tly_err
note_bundle(struct record *r, const struct recorded *item, uint32_t revision, struct tly_diag *diag)
{
    TLY_AUTO(arena) struct tly_arena arena;
    struct envelope                  envelope;
    static struct payload            payload; /* some KB of contests: too large for a stack */
    tly_arena_init(&arena, ENVELOPE_ARENA_MAX);
    enum tly_err err = envelope_parse(item->envelope, PAYLOAD_BYTES_MAX, &arena, &envelope, diag);
    if (err != TLY_OK) {
        return err;
    }
    const size_t         max   = PAYLOAD_VOTES_MAX(envelope.payload.len);
    struct payload_vote *votes = TLY_NEW(&arena, struct payload_vote, max);
    if (votes == NULL) {
        return tly_fail(diag, TLY_ENOMEM, "no memory for a payload");
    }
    err = payload_parse(envelope.payload, votes, (uint32_t)max, &payload, diag);
    if (err != TLY_OK) {
        return err;
    }
    const struct branch_ix branch = election_branch(r->election, payload.branch);
    if (branch.v == IX_NONE || payload.revision != revision) {
        return tly_fail(diag, TLY_EINPUT,
                        "the bundle of terminal %.*s is of revision %" PRIu32
                        " or of another election; revision %" PRIu32 " is wanted",
                        (int)item->terminal.len, (const char *)item->terminal.data,
                        payload.revision, revision);
    }
    r->after[branch.v].known = true;
    r->after[branch.v].hash  = sys_sha256(envelope.payload);
    return TLY_OK;
}

enum tly_err
record_after(struct record *r, const char *path, uint32_t revision, struct tly_diag *diag)
{
    struct recording recording = {0};
    r->after                   = TLY_NEW(&r->arena, struct record_sent, r->election->branches_n);
    if (r->after == NULL) {
        return tly_fail(diag, TLY_ENOMEM, "%s: no memory for its hashes", path);
    }
    enum tly_err err = recording_open(path, &recording, diag);
    for (size_t i = 0; i < recording.n && err == TLY_OK; i++) {
        err = note_bundle(r, &recording.items[i], revision, diag);
    }
    recording_close(&recording);
    return err;
}
