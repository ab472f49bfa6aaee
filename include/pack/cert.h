/* SPDX-License-Identifier: Apache-2.0 */
/* TLS certificates: ECDSA P-256, a private CA, by OpenSSL (doc/formats.md, keys folder). */
#pragma once

#include "base/bytes.h"
#include "base/err.h"

struct cert_ca; /* certificate and key of an issuing authority, loaded once */

enum cert_usage { CERT_SERVER, CERT_CLIENT };

struct cert_request {
    const char *common_name;
    const char *uri;   /* subject alternative name "urn:tally:ELECTION:terminal:CODE"; NULL: none */
    const char *hosts; /* server: "localhost,127.0.0.1"; NULL: none */
    enum cert_usage usage;
    uint64_t        not_before, not_after; /* Unix seconds */
};

/* Makes a self-signed CA with a new key; writes certificate and key (0600).
 * Errors: TLY_EINPUT the name or the dates make no certificate; TLY_ECONFLICT one of the files is
 * there already; TLY_EIO; TLY_ENOMEM. */
TLY_MUST enum tly_err cert_ca_make(const char *crt_path, const char *key_path, const char *name,
                                   uint64_t not_before, uint64_t not_after, struct tly_diag *diag);
/* Errors: those of file_read(), and of file_private() for the key; TLY_EINPUT not a certificate, not
 * a key, or they are no authority's pair. */
TLY_MUST enum tly_err cert_ca_load(const char *crt_path, const char *key_path, struct cert_ca **out,
                                   struct tly_diag *diag);
void                  cert_ca_free(struct cert_ca *ca); /* NULL is fine */
/* Issues a certificate with a new key; writes one file with both (pem_path), or two (crt_path,
 * key_path: pem NULL).  *fingerprint: SHA-256 of the DER.  Errors: as cert_ca_make(). */
TLY_MUST enum tly_err cert_issue(const struct cert_ca *ca, const struct cert_request *request,
                                 const char *pem_path, const char *crt_path, const char *key_path,
                                 struct tly_hash *fingerprint, struct tly_diag *diag);
/* Fingerprint of the first certificate in a file.
 * Errors: those of file_read(); TLY_EINPUT no certificate. */
TLY_MUST enum tly_err cert_fingerprint(const char *path, struct tly_hash *out,
                                       struct tly_diag *diag);

/* What a TLS server would stumble over. */
enum cert_fault {
    CERT_GOOD,
    CERT_NO_CERTIFICATE, /* no PEM certificate in the text */
    CERT_NO_KEY,         /* no PEM private key without a passphrase in the text */
    CERT_OTHER_KEY,      /* the key is not the certificate's */
    CERT_NO_SERVER,      /* its usage is another */
    CERT_EXPIRED
};
/* The first certificate of a text and a key's text, at that time; *begins and *ends, Unix seconds,
 * when there is a certificate. */
enum cert_fault cert_server_check(struct tly_bytes crt_pem, struct tly_bytes key_pem, uint64_t now,
                                  uint64_t *begins, uint64_t *ends);
