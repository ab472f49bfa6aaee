/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates of the client.  A load test holds one client_tls for each of many thousand
 * terminals, so what they have in common (the SSL_CTX with the CA) is made once and counted. */
#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "client_int.h"

/* One CA file as it was when read. */
struct shared {
    SSL_CTX    *ctx;
    char       *ca_file;
    struct stat st;
    unsigned    uses; /* under `lock` */
};

struct client_tls {
    struct shared *shared;
    X509          *cert; /* NULL: none is shown */
    EVP_PKEY      *key;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct shared  *newest; /* under `lock`, one use of it counted */

static void
shared_drop(struct shared *shared)
{
    if (shared != NULL && --shared->uses == 0) {
        SSL_CTX_free(shared->ctx);
        free(shared->ca_file);
        free(shared);
    }
}

static bool
same_file(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
           a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* TLS 1.3 only; the server's chain must lead to the CA. */
static SSL_CTX *
ctx_new(const char *ca_file)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    if (ctx == NULL || SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION) != 1 ||
        SSL_CTX_load_verify_file(ctx, ca_file) != 1) {
        SSL_CTX_free(ctx);
        return NULL;
    }
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
    (void)SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    (void)SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE |
                                    SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
    return ctx;
}

/* Under `lock`. */
static struct shared *
shared_get(const char *ca_file, const struct stat *st)
{
    if (newest != NULL && strcmp(newest->ca_file, ca_file) == 0 && same_file(&newest->st, st)) {
        newest->uses++;
        return newest;
    }
    struct shared *shared = calloc(1, sizeof *shared);
    if (shared == NULL) {
        return NULL;
    }
    shared->uses    = 1;
    shared->st      = *st;
    shared->ca_file = strdup(ca_file);
    shared->ctx     = ctx_new(ca_file);
    if (shared->ca_file == NULL || shared->ctx == NULL) {
        shared_drop(shared);
        return NULL;
    }
    shared_drop(newest);
    newest = shared;
    newest->uses++;
    return shared;
}

static int
no_password(char *buf, int size, int writing, void *arg)
{
    (void)buf;
    (void)size;
    (void)writing;
    (void)arg;
    return -1; /* an encrypted key is refused, never asked about */
}

static enum tly_err
pem_load(struct client_tls *tls, const char *pem_file, struct tly_diag *diag)
{
    BIO *bio = BIO_new_file(pem_file, "r");
    if (bio == NULL) {
        return tly_fail(diag, TLY_EINPUT, "%s: cannot be read: %s", pem_file,
                        strerrordesc_np(errno));
    }
    tls->cert = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    if (BIO_reset(bio) == 0) {
        tls->key = PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL);
    }
    BIO_free(bio);
    ERR_clear_error();
    if (tls->cert == NULL || tls->key == NULL) {
        return tly_fail(diag, TLY_EINPUT, "%s: no %s in it", pem_file,
                        tls->cert == NULL ? "certificate" : "private key");
    }
    if (X509_check_private_key(tls->cert, tls->key) != 1) {
        ERR_clear_error();
        return tly_fail(diag, TLY_EINPUT, "%s: the key is not the certificate's", pem_file);
    }
    return TLY_OK;
}

enum tly_err
client_tls_load(const char *ca_file, const char *pem_file, struct client_tls **out,
                struct tly_diag *diag)
{
    struct stat st;
    if (stat(ca_file, &st) != 0) {
        return tly_fail(diag, TLY_EINPUT, "%s: %s", ca_file, strerrordesc_np(errno));
    }
    struct client_tls *tls = calloc(1, sizeof *tls);
    if (tls == NULL) {
        return tly_fail(diag, TLY_ENOMEM, "no memory for a client certificate");
    }
    (void)pthread_mutex_lock(&lock);
    tls->shared = shared_get(ca_file, &st);
    (void)pthread_mutex_unlock(&lock);
    enum tly_err err = TLY_OK;
    if (tls->shared == NULL) {
        ERR_clear_error();
        err = tly_fail(diag, TLY_EINPUT, "%s: no CA certificate in it", ca_file);
    } else if (pem_file != NULL) {
        err = pem_load(tls, pem_file, diag);
    }
    if (err != TLY_OK) {
        client_tls_free(tls);
        return err;
    }
    *out = tls;
    return TLY_OK;
}

void
client_tls_free(struct client_tls *tls)
{
    if (tls == NULL) {
        return;
    }
    (void)pthread_mutex_lock(&lock);
    shared_drop(tls->shared);
    if (newest != NULL && newest->uses == 1) { /* nobody else: a leak checker sees none */
        shared_drop(newest);
        newest = NULL;
    }
    (void)pthread_mutex_unlock(&lock);
    X509_free(tls->cert);
    EVP_PKEY_free(tls->key);
    free(tls);
}

/* The name or address that the server's certificate must be for. */
static bool
expect_host(SSL *ssl, char *host)
{
    if (X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host) == 1) {
        return true;
    }
    ERR_clear_error();
    /* What SSL_set_tlsext_host_name() stands for, without its cast from const. */
    return SSL_set1_host(ssl, host) == 1 &&
           SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
                    (void *)(uintptr_t)host) == 1;
}

SSL *
client_tls_ssl(struct client *client)
{
    const struct client_tls *tls = client->tls;
    SSL                     *ssl = SSL_new(tls->shared->ctx);
    if (ssl == NULL || !expect_host(ssl, client->host) ||
        (tls->cert != NULL &&
         (SSL_use_certificate(ssl, tls->cert) != 1 || SSL_use_PrivateKey(ssl, tls->key) != 1))) {
        SSL_free(ssl);
        return NULL;
    }
    return ssl;
}
