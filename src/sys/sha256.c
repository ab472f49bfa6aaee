/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/sha256.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "sys/file.h"

#define FILE_PIECE_BYTES 65536

struct sys_sha256_ctx {
    EVP_MD_CTX *md;
};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t  ctx_key; /* the thread's EVP_MD_CTX, freed when the thread ends */
static EVP_MD        *sha256;  /* kept until the process ends */

static void
ctx_free(void *ctx)
{
    EVP_MD_CTX_free(ctx);
}

static void
fetch(void)
{
    sha256          = EVP_MD_fetch(NULL, "SHA256", NULL);
    const int error = pthread_key_create(&ctx_key, ctx_free);
    TLY_CHECK(sha256 != NULL);
    TLY_CHECK(error == 0);
}

static void
begin(EVP_MD_CTX *ctx)
{
    const int ok = EVP_DigestInit_ex2(ctx, sha256, NULL);
    TLY_CHECK(ok == 1);
}

static void
add(EVP_MD_CTX *ctx, struct tly_bytes piece)
{
    const int ok = EVP_DigestUpdate(ctx, piece.data, piece.len);
    TLY_CHECK(ok == 1);
}

static struct tly_hash
end(EVP_MD_CTX *ctx)
{
    struct tly_hash hash;
    const int       ok = EVP_DigestFinal_ex(ctx, hash.b, NULL);
    TLY_CHECK(ok == 1);
    return hash;
}

/* The calling thread's own context.  Made once a thread: failing there is failing to start it. */
static EVP_MD_CTX *
ctx_mine(void)
{
    (void)pthread_once(&once, fetch);
    EVP_MD_CTX *ctx = pthread_getspecific(ctx_key);
    if (ctx == NULL) {
        ctx = EVP_MD_CTX_new();
        TLY_CHECK(ctx != NULL);
        const int error = pthread_setspecific(ctx_key, ctx);
        TLY_CHECK(error == 0);
    }
    return ctx;
}

struct tly_hash
sys_sha256(struct tly_bytes in)
{
    EVP_MD_CTX *ctx = ctx_mine();
    begin(ctx);
    add(ctx, in);
    return end(ctx);
}

enum tly_err
sys_sha256_new(struct sys_sha256_ctx **out)
{
    (void)pthread_once(&once, fetch);
    struct sys_sha256_ctx *ctx = malloc(sizeof *ctx);
    if (ctx == NULL) {
        return TLY_ENOMEM;
    }
    ctx->md = EVP_MD_CTX_new();
    if (ctx->md == NULL) {
        free(ctx);
        return TLY_ENOMEM;
    }
    begin(ctx->md);
    *out = ctx;
    return TLY_OK;
}

void
sys_sha256_free(struct sys_sha256_ctx *ctx)
{
    if (ctx != NULL) {
        EVP_MD_CTX_free(ctx->md);
        free(ctx);
    }
}

void
tly_auto_sha256(struct sys_sha256_ctx **ctx)
{
    sys_sha256_free(*ctx);
}

void
sys_sha256_add(struct sys_sha256_ctx *ctx, struct tly_bytes piece)
{
    add(ctx->md, piece);
}

struct tly_hash
sys_sha256_end(struct sys_sha256_ctx *ctx)
{
    const struct tly_hash hash = end(ctx->md);
    begin(ctx->md);
    return hash;
}

enum tly_err
sys_sha256_file(const char *path, struct tly_hash *out, struct tly_diag *diag)
{
    TLY_AUTO(sha256) struct sys_sha256_ctx *ctx = NULL;
    TLY_AUTO(fd) int                        fd  = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return tly_fail(diag, errno == ENOENT ? TLY_ENOENT : TLY_EIO, "%s: %s", path,
                        strerrordesc_np(errno));
    }
    const enum tly_err err = sys_sha256_new(&ctx);
    if (err != TLY_OK) {
        return err;
    }
    uint8_t piece[FILE_PIECE_BYTES];
    for (;;) {
        const ssize_t n = read(fd, piece, sizeof piece);
        if (n == 0) {
            break;
        }
        if (n < 0 && errno != EINTR) {
            return tly_fail(diag, TLY_EIO, "%s: %s", path, strerrordesc_np(errno));
        }
        if (n > 0) {
            sys_sha256_add(ctx, (struct tly_bytes){piece, (size_t)n});
        }
    }
    *out = sys_sha256_end(ctx);
    return TLY_OK;
}
