/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of `tallysim enrol` share. */
#pragma once

#include <stdio.h>

#include "core/election.h"
#include "core/sign.h"
#include "pack/cert.h"
#include "sys/file.h"

#define ENROL_SPARES 3 /* terminals without a branch */

struct enrol {
    const char            *dir;
    const struct election *election;
    struct cert_ca        *ca;
    uint64_t               not_before, not_after; /* Unix seconds, of every certificate and key */
};

/* One terminal as the registry will name it. */
struct enrolled {
    char            code[24];
    uint8_t         seed[32];
    struct tly_hash cert;
};

void enrol_path(const struct enrol *enrol, char out[FILE_PATH_SIZE], const char *folder,
                const char *name, const char *suffix);
/* Keys and certificates of one terminal a branch and the spares, on all cores; n = branches_n +
 * ENROL_SPARES. */
TLY_MUST enum tly_err enrol_terminals(const struct enrol *enrol, struct enrolled list[], uint32_t n,
                                      struct tly_diag *diag);
/* registry/terminals.csv and keys/signing.csv. */
TLY_MUST enum tly_err enrol_write_terminals(const struct enrol *enrol, const struct enrolled list[],
                                            uint32_t n, struct tly_diag *diag);
/* Certificates and registry/clients.csv. */
TLY_MUST enum tly_err enrol_clients(const struct enrol *enrol, struct tly_diag *diag);
/* Keys and registry/officers.csv. */
TLY_MUST enum tly_err enrol_officers(const struct enrol *enrol, struct tly_diag *diag);
/* A new file of DIR/FOLDER, never one that is there. */
TLY_MUST enum tly_err enrol_create(const struct enrol *enrol, const char *folder, const char *name,
                                   FILE **out, struct tly_diag *diag);
/* Closes it; an error of any write before is told here. */
TLY_MUST enum tly_err enrol_close(FILE *file, const char *name, struct tly_diag *diag);
