/* SPDX-License-Identifier: Apache-2.0 */
#include "pack/cert.h"

#include <openssl/ec.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/arena.h"
#include "pack/keyfile.h"
#include "pack/newfile.h"
#include "pem.h"
#include "sys/file.h"
#include "sys/sha256.h"

#define SERIAL_BYTES 16
#define KEY_MODE     0600
#define CRT_MODE     0644

struct cert_ca {
    X509              *crt;
    EVP_PKEY          *key;
    ASN1_OCTET_STRING *key_id; /* its subject key identifier: the issued ones' authority's */
};

static void
tly_auto_x509(X509 **crt)
{
    X509_free(*crt);
}

static void
tly_auto_san(GENERAL_NAMES **san)
{
    sk_GENERAL_NAME_pop_free(*san, GENERAL_NAME_free);
}

static void
tly_auto_ca(struct cert_ca **ca)
{
    cert_ca_free(*ca);
}

/* A positive random number of 127 bits. */
static bool
serial_set(X509 *crt)
{
    uint8_t b[SERIAL_BYTES];
    if (RAND_bytes(b, sizeof b) != 1) {
        return false;
    }
    b[0]          = (uint8_t)((b[0] & 0x7f) | 0x40);
    BIGNUM    *bn = BN_bin2bn(b, sizeof b, NULL);
    const bool ok = bn != NULL && BN_to_ASN1_INTEGER(bn, X509_get_serialNumber(crt)) != NULL;
    BN_free(bn);
    return ok;
}

/* Version 3, serial, subject, dates, key. */
static bool
base_set(X509 *crt, const char *name, uint64_t not_before, uint64_t not_after, EVP_PKEY *key)
{
    X509_NAME *subject = X509_get_subject_name(crt);
    return X509_set_version(crt, X509_VERSION_3) == 1 && serial_set(crt) &&
           X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, (const unsigned char *)name, -1,
                                      -1, 0) == 1 &&
           ASN1_TIME_set(X509_getm_notBefore(crt), (time_t)not_before) != NULL &&
           ASN1_TIME_set(X509_getm_notAfter(crt), (time_t)not_after) != NULL &&
           X509_set_pubkey(crt, key) == 1;
}

static bool
basic_constraints_set(X509 *crt, bool ca)
{
    BASIC_CONSTRAINTS *bc = BASIC_CONSTRAINTS_new();
    if (bc == NULL) {
        return false;
    }
    bc->ca        = ca ? 0xff : 0;
    const bool ok = X509_add1_ext_i2d(crt, NID_basic_constraints, bc, 1, 0) == 1;
    BASIC_CONSTRAINTS_free(bc);
    return ok;
}

/* bits as in RFC 5280 4.2.1.3: 0 digitalSignature, 5 keyCertSign, 6 cRLSign. */
static bool
key_usage_set(X509 *crt, const int bits[], unsigned n)
{
    ASN1_BIT_STRING *usage = ASN1_BIT_STRING_new();
    bool             ok    = usage != NULL;
    for (unsigned i = 0; ok && i < n; i++) {
        ok = ASN1_BIT_STRING_set_bit(usage, bits[i], 1) == 1;
    }
    ok = ok && X509_add1_ext_i2d(crt, NID_key_usage, usage, 1, 0) == 1;
    ASN1_BIT_STRING_free(usage);
    return ok;
}

static bool
extended_usage_set(X509 *crt, enum cert_usage usage)
{
    EXTENDED_KEY_USAGE *eku = sk_ASN1_OBJECT_new_null();
    const bool          ok =
        eku != NULL &&
        sk_ASN1_OBJECT_push(
            eku, OBJ_nid2obj(usage == CERT_SERVER ? NID_server_auth : NID_client_auth)) > 0 &&
        X509_add1_ext_i2d(crt, NID_ext_key_usage, eku, 0, 0) == 1;
    sk_ASN1_OBJECT_pop_free(eku, ASN1_OBJECT_free);
    return ok;
}

/* SHA-1 of the key's bits, as RFC 5280 4.2.1.2 (1) has it: a name, no protection. */
static bool
subject_key_id_set(X509 *crt)
{
    uint8_t            id[EVP_MAX_MD_SIZE];
    unsigned           len   = 0;
    ASN1_OCTET_STRING *octet = ASN1_OCTET_STRING_new();
    const bool         ok = octet != NULL && X509_pubkey_digest(crt, EVP_sha1(), id, &len) == 1 &&
                    ASN1_OCTET_STRING_set(octet, id, (int)len) == 1 &&
                    X509_add1_ext_i2d(crt, NID_subject_key_identifier, octet, 0, 0) == 1;
    ASN1_OCTET_STRING_free(octet);
    return ok;
}

static bool
authority_key_id_set(X509 *crt, const ASN1_OCTET_STRING *key_id)
{
    AUTHORITY_KEYID *aki = AUTHORITY_KEYID_new();
    if (aki == NULL) {
        return false;
    }
    aki->keyid = ASN1_OCTET_STRING_dup(key_id);
    const bool ok =
        aki->keyid != NULL && X509_add1_ext_i2d(crt, NID_authority_key_identifier, aki, 0, 0) == 1;
    AUTHORITY_KEYID_free(aki);
    return ok;
}

static bool
san_push(GENERAL_NAMES *san, int type, const char *text, size_t len)
{
    GENERAL_NAME   *name = GENERAL_NAME_new();
    ASN1_IA5STRING *ia5  = ASN1_IA5STRING_new();
    if (name == NULL || ia5 == NULL || ASN1_STRING_set(ia5, text, (int)len) != 1) {
        GENERAL_NAME_free(name);
        ASN1_IA5STRING_free(ia5);
        return false;
    }
    GENERAL_NAME_set0_value(name, type, ia5);
    return sk_GENERAL_NAME_push(san, name) > 0;
}

static bool
san_push_ip(GENERAL_NAMES *san, ASN1_OCTET_STRING *ip)
{
    GENERAL_NAME *name = GENERAL_NAME_new();
    if (name == NULL) {
        ASN1_OCTET_STRING_free(ip);
        return false;
    }
    GENERAL_NAME_set0_value(name, GEN_IPADD, ip);
    return sk_GENERAL_NAME_push(san, name) > 0;
}

/* One of "localhost,127.0.0.1,::1". */
static bool
san_push_host(GENERAL_NAMES *san, const char *host, size_t len)
{
    char text[256];
    if (len == 0 || len >= sizeof text) {
        return false;
    }
    memcpy(text, host, len);
    text[len]             = '\0';
    ASN1_OCTET_STRING *ip = a2i_IPADDRESS(text);
    return ip != NULL ? san_push_ip(san, ip) : san_push(san, GEN_DNS, text, len);
}

static bool
names_set(X509 *crt, const struct cert_request *request)
{
    if (request->uri == NULL && request->hosts == NULL) {
        return true;
    }
    TLY_AUTO(san) GENERAL_NAMES *san = sk_GENERAL_NAME_new_null();
    bool                         ok  = san != NULL;
    if (ok && request->uri != NULL) {
        ok = san_push(san, GEN_URI, request->uri, strlen(request->uri));
    }
    for (const char *host = request->hosts; ok && host != NULL;) {
        const char *comma = strchr(host, ',');
        ok   = san_push_host(san, host, comma == NULL ? strlen(host) : (size_t)(comma - host));
        host = comma == NULL ? NULL : comma + 1;
    }
    return ok && X509_add1_ext_i2d(crt, NID_subject_alt_name, san, 0, 0) == 1;
}

static enum tly_err
cannot(const char *what, const char *name, struct tly_diag *diag)
{
    return tly_fail(diag, TLY_EINPUT, "cannot %s for \"%s\"", what, name);
}

/* Certificate and key as PEM text into new files; key_path NULL: both into crt_path. */
static enum tly_err
pems_write(X509 *crt, EVP_PKEY *key, const char *crt_path, const char *key_path,
           struct tly_diag *diag)
{
    TLY_AUTO(bio) BIO *crt_bio = BIO_new(BIO_s_mem());
    TLY_AUTO(bio) BIO *key_bio = BIO_new(BIO_s_mem());
    char              *text    = NULL;
    if (crt_bio == NULL || key_bio == NULL || PEM_write_bio_X509(crt_bio, crt) != 1 ||
        PEM_write_bio_PKCS8PrivateKey(key_path == NULL ? crt_bio : key_bio, key, NULL, NULL, 0,
                                      NULL, NULL) != 1) {
        return tly_fail(diag, TLY_ENOMEM, "%s: cannot encode it", crt_path);
    }
    enum tly_err err = TLY_OK;
    if (key_path != NULL) {
        const long len = BIO_get_mem_data(key_bio, &text);
        err = newfile_write(key_path, (struct tly_bytes){(uint8_t *)text, (size_t)len}, KEY_MODE,
                            diag);
        sodium_memzero(text, (size_t)len);
    }
    const long len = BIO_get_mem_data(crt_bio, &text);
    if (err == TLY_OK) {
        err = newfile_write(crt_path, (struct tly_bytes){(uint8_t *)text, (size_t)len},
                            key_path == NULL ? KEY_MODE : CRT_MODE, diag);
    }
    sodium_memzero(text, (size_t)len);
    return err;
}

enum tly_err
cert_ca_make(const char *crt_path, const char *key_path, const char *name, uint64_t not_before,
             uint64_t not_after, struct tly_diag *diag)
{
    static const int         bits[] = {5, 6};
    TLY_AUTO(pkey) EVP_PKEY *key    = EVP_EC_gen("P-256");
    TLY_AUTO(x509) X509     *crt    = X509_new();
    if (key == NULL || crt == NULL || !base_set(crt, name, not_before, not_after, key) ||
        X509_set_issuer_name(crt, X509_get_subject_name(crt)) != 1 ||
        !basic_constraints_set(crt, true) || !key_usage_set(crt, bits, TLY_N(bits)) ||
        !subject_key_id_set(crt) || X509_sign(crt, key, EVP_sha256()) == 0) {
        return cannot("make an authority", name, diag);
    }
    return pems_write(crt, key, crt_path, key_path, diag);
}

/* The first certificate in a PEM file. */
static enum tly_err
crt_read(const char *path, X509 **out, struct tly_diag *diag)
{
    TLY_AUTO(arena) struct tly_arena arena = {.bytes_max = 4 * PEM_BYTES_MAX};
    struct tly_bytes                 text;
    const enum tly_err               err = file_read(path, PEM_BYTES_MAX, &arena, &text, diag);
    if (err != TLY_OK) {
        return err;
    }
    TLY_AUTO(bio) BIO *bio = BIO_new_mem_buf(text.data, (int)text.len);
    X509              *crt = bio == NULL ? NULL : PEM_read_bio_X509(bio, NULL, NULL, NULL);
    sodium_memzero((void *)(uintptr_t)text.data, text.len);
    if (crt == NULL) {
        return tly_fail(diag, TLY_EINPUT, "%s: holds no certificate (PEM)", path);
    }
    *out = crt;
    return TLY_OK;
}

static enum tly_err
key_read(const char *path, EVP_PKEY **out, struct tly_diag *diag)
{
    TLY_AUTO(arena) struct tly_arena arena = {.bytes_max = 4 * PEM_BYTES_MAX};
    struct tly_bytes                 text;
    enum tly_err                     err = file_private(path, diag);
    if (err == TLY_OK) {
        err = file_read(path, PEM_BYTES_MAX, &arena, &text, diag);
    }
    if (err != TLY_OK) {
        return err;
    }
    TLY_AUTO(bio) BIO *bio = BIO_new_mem_buf(text.data, (int)text.len);
    EVP_PKEY          *key =
        bio == NULL ? NULL : PEM_read_bio_PrivateKey(bio, NULL, pem_no_passphrase, NULL);
    sodium_memzero((void *)(uintptr_t)text.data, text.len);
    if (key == NULL) {
        return tly_fail(diag, TLY_EINPUT, "%s: holds no private key (PEM, without passphrase)",
                        path);
    }
    *out = key;
    return TLY_OK;
}

enum tly_err
cert_ca_load(const char *crt_path, const char *key_path, struct cert_ca **out,
             struct tly_diag *diag)
{
    TLY_AUTO(ca) struct cert_ca *ca = calloc(1, sizeof *ca);
    if (ca == NULL) {
        return TLY_ENOMEM;
    }
    enum tly_err err = crt_read(crt_path, &ca->crt, diag);
    if (err == TLY_OK) {
        err = key_read(key_path, &ca->key, diag);
    }
    if (err != TLY_OK) {
        return err;
    }
    if (X509_check_ca(ca->crt) != 1 || X509_check_private_key(ca->crt, ca->key) != 1) {
        return tly_fail(diag, TLY_EINPUT, "%s: is no authority's, or %s is not its key", crt_path,
                        key_path);
    }
    const ASN1_OCTET_STRING *key_id = X509_get0_subject_key_id(ca->crt);
    ca->key_id                      = key_id == NULL ? NULL : ASN1_OCTET_STRING_dup(key_id);
    if (ca->key_id == NULL) {
        return tly_fail(diag, TLY_EINPUT, "%s: has no subject key identifier", crt_path);
    }
    *out = TLY_TAKE(ca);
    return TLY_OK;
}

void
cert_ca_free(struct cert_ca *ca)
{
    if (ca != NULL) {
        X509_free(ca->crt);
        EVP_PKEY_free(ca->key);
        ASN1_OCTET_STRING_free(ca->key_id);
        free(ca);
    }
}

static bool
fingerprint(X509 *crt, struct tly_hash *out)
{
    uint8_t  *der = NULL;
    const int len = i2d_X509(crt, &der);
    if (len <= 0) {
        return false;
    }
    *out = sys_sha256((struct tly_bytes){der, (size_t)len});
    OPENSSL_free(der);
    return true;
}

enum tly_err
cert_issue(const struct cert_ca *ca, const struct cert_request *request, const char *pem_path,
           const char *crt_path, const char *key_path, struct tly_hash *fingerprint_out,
           struct tly_diag *diag)
{
    static const int         bits[] = {0};
    struct tly_hash          hash;
    TLY_AUTO(pkey) EVP_PKEY *key = EVP_EC_gen("P-256");
    TLY_AUTO(x509) X509     *crt = X509_new();
    if (key == NULL || crt == NULL ||
        !base_set(crt, request->common_name, request->not_before, request->not_after, key) ||
        X509_set_issuer_name(crt, X509_get_subject_name(ca->crt)) != 1 ||
        !basic_constraints_set(crt, false) || !key_usage_set(crt, bits, TLY_N(bits)) ||
        !extended_usage_set(crt, request->usage) || !subject_key_id_set(crt) ||
        !authority_key_id_set(crt, ca->key_id) || !names_set(crt, request) ||
        X509_sign(crt, ca->key, EVP_sha256()) == 0 || !fingerprint(crt, &hash)) {
        return cannot("issue a certificate", request->common_name, diag);
    }
    const enum tly_err err = pem_path != NULL ? pems_write(crt, key, pem_path, NULL, diag)
                                              : pems_write(crt, key, crt_path, key_path, diag);
    if (err == TLY_OK) {
        *fingerprint_out = hash;
    }
    return err;
}

enum tly_err
cert_fingerprint(const char *path, struct tly_hash *out, struct tly_diag *diag)
{
    TLY_AUTO(x509) X509 *crt = NULL;
    const enum tly_err   err = crt_read(path, &crt, diag);
    if (err != TLY_OK) {
        return err;
    }
    return fingerprint(crt, out) ? TLY_OK : tly_fail(diag, TLY_EINPUT, "%s: not DER", path);
}

/* Unix seconds; what lies before 1970 is 0, what cannot be read too. */
static uint64_t
unix_of(const ASN1_TIME *time)
{
    struct tm tm;
    time_t    at;
    return ASN1_TIME_to_tm(time, &tm) == 1 && (at = timegm(&tm)) > 0 ? (uint64_t)at : 0;
}

enum cert_fault
cert_server_check(struct tly_bytes crt_pem, struct tly_bytes key_pem, uint64_t now,
                  uint64_t *begins, uint64_t *ends)
{
    TLY_AUTO(bio) BIO *crt_bio = BIO_new_mem_buf(crt_pem.data, (int)crt_pem.len);
    TLY_AUTO(bio) BIO *key_bio = BIO_new_mem_buf(key_pem.data, (int)key_pem.len);
    TLY_AUTO(x509)
    X509 *crt = crt_bio == NULL ? NULL : PEM_read_bio_X509(crt_bio, NULL, NULL, NULL);
    TLY_AUTO(pkey)
    EVP_PKEY *key =
        key_bio == NULL ? NULL : PEM_read_bio_PrivateKey(key_bio, NULL, pem_no_passphrase, NULL);
    if (crt == NULL) {
        return CERT_NO_CERTIFICATE;
    }
    *begins = unix_of(X509_get0_notBefore(crt));
    *ends   = unix_of(X509_get0_notAfter(crt));
    if (key == NULL) {
        return CERT_NO_KEY;
    }
    if (X509_check_private_key(crt, key) != 1) {
        return CERT_OTHER_KEY;
    }
    if (X509_check_purpose(crt, X509_PURPOSE_SSL_SERVER, 0) != 1) {
        return CERT_NO_SERVER;
    }
    return *ends < now ? CERT_EXPIRED : CERT_GOOD;
}
