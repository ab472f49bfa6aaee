/* SPDX-License-Identifier: Apache-2.0 */
/* What reading and writing PEM by OpenSSL needs, for keys and for certificates. */
#pragma once

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

static inline void
tly_auto_bio(BIO **bio)
{
    BIO_free_all(*bio);
}

static inline void
tly_auto_pkey(EVP_PKEY **pkey)
{
    EVP_PKEY_free(*pkey);
}

/* A key with a passphrase is refused; without this OpenSSL would ask on the terminal. */
int pem_no_passphrase(char *buffer, int size, int writing, void *arg);
