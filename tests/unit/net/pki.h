/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates made on the spot, in a folder of their own that goes when the test ends. */
#pragma once

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/check.h"
#include "dir.h"

struct pki_cert {
    X509           *x509;
    EVP_PKEY       *key;
    struct tly_hash hash;    /* SHA-256 of the DER */
    char            pem[96]; /* the file with certificate and key */
};

static const char *pki_dir;
static unsigned    pki_files_n;

static inline void
pki_begin(void)
{
    pki_dir = t_dir();
}

static inline void
pki_extension(X509 *x509, int nid, const char *value)
{
    X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
    TLY_CHECK(ext != NULL);
    TLY_CHECK(X509_add_ext(x509, ext, -1) == 1);
    X509_EXTENSION_free(ext);
}

/* issuer NULL: signs itself.  alt: subjectAltName or NULL. */
static inline struct pki_cert
pki_make(const char *name, const struct pki_cert *issuer, const char *alt)
{
    static long     serial = 1;
    struct pki_cert c      = {0};
    c.key                  = EVP_EC_gen("P-256");
    c.x509                 = X509_new();
    TLY_CHECK(c.key != NULL);
    TLY_CHECK(c.x509 != NULL);
    (void)X509_set_version(c.x509, X509_VERSION_3);
    (void)ASN1_INTEGER_set(X509_get_serialNumber(c.x509), serial++);
    (void)X509_gmtime_adj(X509_getm_notBefore(c.x509), -3600);
    (void)X509_gmtime_adj(X509_getm_notAfter(c.x509), 3600L * 24);
    (void)X509_set_pubkey(c.x509, c.key);
    X509_NAME *subject = X509_get_subject_name(c.x509);
    (void)X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)name, -1,
                                     -1, 0);
    (void)X509_set_issuer_name(c.x509,
                               issuer == NULL ? subject : X509_get_subject_name(issuer->x509));
    pki_extension(c.x509, NID_basic_constraints,
                  alt == NULL && issuer == NULL ? "critical,CA:TRUE" : "CA:FALSE");
    if (alt != NULL) {
        pki_extension(c.x509, NID_subject_alt_name, alt);
    }
    TLY_CHECK(X509_sign(c.x509, issuer == NULL ? c.key : issuer->key, EVP_sha256()) > 0);
    unsigned len = 0;
    TLY_CHECK(X509_digest(c.x509, EVP_sha256(), c.hash.b, &len) == 1);
    (void)snprintf(c.pem, sizeof c.pem, "%s/%u.pem", pki_dir, ++pki_files_n);
    FILE *f = fopen(c.pem, "w");
    TLY_CHECK(f != NULL);
    TLY_CHECK(PEM_write_X509(f, c.x509) == 1);
    TLY_CHECK(PEM_write_PrivateKey(f, c.key, NULL, NULL, 0, NULL, NULL) == 1);
    TLY_CHECK(fclose(f) == 0);
    return c;
}

static inline void
pki_free(struct pki_cert *c)
{
    X509_free(c->x509);
    EVP_PKEY_free(c->key);
    *c = (struct pki_cert){0};
}

/* The text of a certificate or key, to be freed. */
static inline char *
pki_text(const struct pki_cert *c, bool key)
{
    BIO  *bio  = BIO_new(BIO_s_mem());
    char *data = NULL;
    TLY_CHECK(bio != NULL);
    const int ok = key ? PEM_write_bio_PrivateKey(bio, c->key, NULL, NULL, 0, NULL, NULL)
                       : PEM_write_bio_X509(bio, c->x509);
    TLY_CHECK(ok == 1);
    const long n    = BIO_get_mem_data(bio, &data);
    char      *text = strndup(data, (size_t)n);
    BIO_free(bio);
    return text;
}
