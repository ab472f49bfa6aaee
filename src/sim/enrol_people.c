/* SPDX-License-Identifier: Apache-2.0 */
/* Clients and officers: at least one client of each role, one relay for the whole country, a
 * dashboard a province. */
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "base/hex.h"
#include "core/registry.h"
#include "enrol_int.h"
#include "pack/keyfile.h"
#include "sys/file.h"

static enum tly_err
client(const struct enrol *enrol, FILE *csv, const char *code, enum role role, const char *area,
       struct tly_diag *diag)
{
    char                uri[256], pem[FILE_PATH_SIZE], cert[TLY_HEX_SIZE(32)];
    struct tly_hash     fingerprint;
    struct cert_request request = {.common_name = code,
                                   .uri         = uri,
                                   .usage       = CERT_CLIENT,
                                   .not_before  = enrol->not_before,
                                   .not_after   = enrol->not_after};
    (void)snprintf(uri, sizeof uri, "urn:tally:%s:client:%s", enrol->election->code, code);
    enrol_path(enrol, pem, "keys/clients", code, ".pem");
    const enum tly_err err = cert_issue(enrol->ca, &request, pem, NULL, NULL, &fingerprint, diag);
    if (err == TLY_OK) {
        tly_hex(fingerprint.b, sizeof fingerprint.b, cert);
        (void)fprintf(csv, "%s,%s,%s,%s,%" PRIu64 ",%" PRIu64 ",%s\n", code, role_name(role), area,
                      cert, enrol->not_before, enrol->not_after, code);
    }
    return err;
}

enum tly_err
enrol_clients(const struct enrol *enrol, struct tly_diag *diag)
{
    static const enum role roles[] = {ROLE_RELAY,   ROLE_DASHBOARD, ROLE_OBSERVER, ROLE_OFFICER,
                                      ROLE_AUDITOR, ROLE_OPERATOR,  ROLE_WITNESS};
    const struct election *e       = enrol->election;
    const char            *root    = e->areas[0].code; /* a parent stands before its children */
    TLY_AUTO(file) FILE   *csv     = NULL;
    enum tly_err           err     = enrol_create(enrol, "registry", "clients.csv", &csv, diag);
    if (err != TLY_OK) {
        return err;
    }
    (void)fputs("client,role,area,certificate,not_before,not_after,name\n", csv);
    for (unsigned i = 0; i < TLY_N(roles) && err == TLY_OK; i++) {
        err = client(enrol, csv, role_name(roles[i]), roles[i], root, diag);
    }
    for (uint32_t a = 0; a < e->areas_n && err == TLY_OK; a++) {
        if (e->areas[a].level == LEVEL_PROVINCE && strlen(e->areas[a].code) < CODE_LEN_MAX - 10) {
            char code[CODE_LEN_MAX + 1];
            (void)snprintf(code, sizeof code, "dashboard.%s", e->areas[a].code);
            err = client(enrol, csv, code, ROLE_DASHBOARD, e->areas[a].code, diag);
        }
    }
    const enum tly_err closed =
        enrol_close(TLY_TAKE(csv), "clients.csv", err == TLY_OK ? diag : NULL);
    return err != TLY_OK ? err : closed;
}

static enum tly_err
officer(const struct enrol *enrol, FILE *csv, const char *code, enum officer_role role,
        struct tly_diag *diag)
{
    TLY_AUTO(secret) struct sign_secret secret;
    uint8_t                             seed[32];
    char                                path[FILE_PATH_SIZE], key[TLY_HEX_SIZE(32)];
    randombytes_buf(seed, sizeof seed);
    sign_from_seed(seed, &secret);
    sodium_memzero(seed, sizeof seed);
    enrol_path(enrol, path, "keys/officers", code, ".key");
    const enum tly_err err = keyfile_write_secret(path, &secret, diag);
    if (err == TLY_OK) {
        const struct tly_key public_key = sign_public(&secret);
        tly_hex(public_key.b, sizeof public_key.b, key);
        (void)fprintf(csv, "%s,%s,%s,%s,%s\n", code, officer_role_name(role),
                      enrol->election->areas[0].code, key, code);
    }
    return err;
}

enum tly_err
enrol_officers(const struct enrol *enrol, struct tly_diag *diag)
{
    static const struct {
        const char       *code;
        enum officer_role role;
    } people[]               = {{"commission1", OFFICER_COMMISSION},
                                {"commission2", OFFICER_COMMISSION},
                                {"supervision1", OFFICER_SUPERVISION},
                                {"supervision2", OFFICER_SUPERVISION},
                                {"operator1", OFFICER_OPERATOR}};
    TLY_AUTO(file) FILE *csv = NULL;
    enum tly_err         err = enrol_create(enrol, "registry", "officers.csv", &csv, diag);
    if (err != TLY_OK) {
        return err;
    }
    (void)fputs("officer,role,area,signing_key,name\n", csv);
    for (unsigned i = 0; i < TLY_N(people) && err == TLY_OK; i++) {
        err = officer(enrol, csv, people[i].code, people[i].role, diag);
    }
    const enum tly_err closed =
        enrol_close(TLY_TAKE(csv), "officers.csv", err == TLY_OK ? diag : NULL);
    return err != TLY_OK ? err : closed;
}
