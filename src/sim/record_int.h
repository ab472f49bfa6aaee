/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of `tallysim record` share. */
#pragma once

#include "core/election.h"
#include "core/payload.h"
#include "core/registry.h"
#include "core/sign.h"
#include "counts.h"

#define RECORD_BUFFER_SIZE (PAYLOAD_BYTES_MAX + 4096)

/* The payload that a branch sent before. */
struct record_sent {
    bool            known;
    struct tly_hash hash;
};

struct record {
    struct tly_arena       arena; /* packages, counts, keys */
    const struct election *election;
    const struct registry *registry;
    struct counts_file     counts;
    struct sign_secret    *secrets;          /* terminals_n; zero: no seed in signing.csv */
    struct sign_secret    *officer_secrets;  /* officers_n; zero: no key file */
    struct terminal_ix    *branch_terminals; /* branches_n */
    struct record_sent    *after;            /* branches_n; NULL: no earlier recording was named */
    uint64_t               seed;
    char                  *buffer; /* RECORD_BUFFER_SIZE */
};

/* Writes the payload into r->buffer; prev: NULL for revision 1.  false: the branch has no rows, or
 * more than a payload holds. */
bool record_payload(const struct record *record, struct branch_ix branch,
                    const struct terminal *terminal, uint32_t revision, const struct tly_hash *prev,
                    struct tly_bytes *out);
/* Fills record->after from a recording of that revision.
 * Errors: TLY_EINPUT not such a recording; TLY_EIO; TLY_ENOMEM. */
TLY_MUST enum tly_err record_after(struct record *record, const char *path, uint32_t revision,
                                   struct tly_diag *diag);
/* Loads packages, counts and keys of DIR.  Faults are printed. */
TLY_MUST enum tly_err record_load(const char *dir, struct record *out, struct tly_diag *diag);
