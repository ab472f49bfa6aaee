/* SPDX-License-Identifier: Apache-2.0 */
#include "pack/keyfile.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "pack/newfile.h"
#include "pem.h"
#include "sys/file.h"
#include "sys/sha256.h"

#define SEED_BYTES 32

static enum tly_err
wrong(const char *path, const char *what, struct tly_diag *diag)
{
    return tly_fail(diag, TLY_EINPUT, "%s: not %s (PEM, without passphrase)", path, what);
}

/* Reads a key from a PEM file; the text is wiped, it may hold a secret. */
static enum tly_err
pem_read(const char *path, bool secret, EVP_PKEY **out, struct tly_diag *diag)
{
    TLY_AUTO(arena) struct tly_arena arena = {.bytes_max = 4 * PEM_BYTES_MAX};
    struct tly_bytes                 text;
    const enum tly_err               err = file_read(path, PEM_BYTES_MAX, &arena, &text, diag);
    if (err != TLY_OK) {
        return err == TLY_ETOOBIG ? wrong(path, "a key", diag) : err;
    }
    TLY_AUTO(bio) BIO *bio = BIO_new_mem_buf(text.data, (int)text.len);
    EVP_PKEY          *key = NULL;
    if (bio != NULL) {
        key = secret ? PEM_read_bio_PrivateKey(bio, NULL, pem_no_passphrase, NULL)
                     : PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL);
    }
    sodium_memzero((void *)(uintptr_t)text.data, text.len);
    if (key == NULL || EVP_PKEY_get_base_id(key) != EVP_PKEY_ED25519) {
        EVP_PKEY_free(key);
        return wrong(path, secret ? "an Ed25519 private key" : "an Ed25519 key", diag);
    }
    *out = key;
    return TLY_OK;
}

enum tly_err
keyfile_read_secret(const char *path, struct sign_secret *out, struct tly_diag *diag)
{
    TLY_AUTO(pkey) EVP_PKEY *key = NULL;
    uint8_t                  seed[SEED_BYTES];
    size_t                   len = sizeof seed;
    enum tly_err             err = file_private(path, diag);
    if (err == TLY_OK) {
        err = pem_read(path, true, &key, diag);
    }
    if (err != TLY_OK) {
        return err;
    }
    if (EVP_PKEY_get_raw_private_key(key, seed, &len) != 1 || len != sizeof seed) {
        return wrong(path, "an Ed25519 private key", diag);
    }
    sign_from_seed(seed, out);
    sodium_memzero(seed, sizeof seed);
    return TLY_OK;
}

enum tly_err
keyfile_read_public(const char *path, struct tly_key *out, struct tly_diag *diag)
{
    TLY_AUTO(pkey) EVP_PKEY *key = NULL;
    struct tly_key           raw;
    size_t                   len = sizeof raw.b;
    enum tly_err             err = pem_read(path, false, &key, NULL);
    if (err == TLY_EINPUT) {
        err = pem_read(path, true, &key, NULL);
    }
    if (err != TLY_OK) {
        return pem_read(path, false, &key, diag); /* once more, for its words */
    }
    if (EVP_PKEY_get_raw_public_key(key, raw.b, &len) != 1 || len != sizeof raw.b) {
        return wrong(path, "an Ed25519 key", diag);
    }
    *out = raw;
    return TLY_OK;
}

/* What a BIO holds, into a new file. */
static enum tly_err
bio_save(BIO *bio, const char *path, mode_t mode, struct tly_diag *diag)
{
    char      *text = NULL;
    const long len  = BIO_get_mem_data(bio, &text);
    if (len <= 0) {
        return tly_fail(diag, TLY_ENOMEM, "%s: cannot encode the key", path);
    }
    const enum tly_err err =
        newfile_write(path, (struct tly_bytes){(const uint8_t *)text, (size_t)len}, mode, diag);
    sodium_memzero(text, (size_t)len);
    return err;
}

enum tly_err
keyfile_write_secret(const char *path, const struct sign_secret *secret, struct tly_diag *diag)
{
    TLY_AUTO(bio) BIO *bio = BIO_new(BIO_s_mem());
    TLY_AUTO(pkey)
    EVP_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, secret->b, SEED_BYTES);
    if (bio == NULL || key == NULL ||
        PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) != 1) {
        return tly_fail(diag, TLY_ENOMEM, "%s: cannot encode the key", path);
    }
    return bio_save(bio, path, 0600, diag);
}

enum tly_err
keyfile_write_public(const char *path, const struct tly_key *key, struct tly_diag *diag)
{
    TLY_AUTO(bio) BIO *bio = BIO_new(BIO_s_mem());
    TLY_AUTO(pkey)
    EVP_PKEY *pkey = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, key->b, sizeof key->b);
    if (bio == NULL || pkey == NULL || PEM_write_bio_PUBKEY(bio, pkey) != 1) {
        return tly_fail(diag, TLY_ENOMEM, "%s: cannot encode the key", path);
    }
    return bio_save(bio, path, 0644, diag);
}

struct tly_hash
keyfile_keyid(const struct tly_key *key)
{
    return sys_sha256((struct tly_bytes){key->b, sizeof key->b});
}
