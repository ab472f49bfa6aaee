/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256 against NIST's examples, in one and in many pieces, from a file, and from many threads at
 * once (also under TSan). */
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/check.h"
#include "base/hex.h"
#include "sys/file.h"
#include "sys/sha256.h"
#include "t.h"

#define ABC   "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define EMPTY "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define TWO   "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
#define A_1M  "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"

static const char two_blocks[] = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";

static void
is(struct tly_hash hash, const char *want, const char *what)
{
    char hex[65];
    tly_hex(hash.b, sizeof hash.b, hex);
    T_STR(hex, want, what);
}

static void
in_pieces(void)
{
    struct sys_sha256_ctx *ctx = NULL;
    T_EQ(sys_sha256_new(&ctx), TLY_OK, "a context");
    is(sys_sha256_end(ctx), EMPTY, "nothing added");
    for (size_t piece = 1; piece < sizeof two_blocks; piece += 7) {
        for (size_t at = 0; at < sizeof two_blocks - 1; at += piece) {
            const size_t rest = sizeof two_blocks - 1 - at;
            sys_sha256_add(ctx, (struct tly_bytes){(const uint8_t *)two_blocks + at,
                                                   rest < piece ? rest : piece});
        }
        is(sys_sha256_end(ctx), TWO, "in pieces, the context begins anew");
    }
    sys_sha256_free(ctx);
    sys_sha256_free(NULL);
}

static void
of_file(void)
{
    char            path[] = "/tmp/test_sha256.XXXXXX";
    const int       fd     = mkstemp(path);
    uint8_t        *data   = malloc(1000000);
    struct tly_hash hash   = {{1}};
    TLY_CHECK(fd >= 0 && data != NULL);
    close(fd);
    memset(data, 'a', 1000000);
    const struct tly_bytes million = {data, 1000000};
    is(sys_sha256(million), A_1M, "a million a");
    T_EQ(file_write(path, million, 0600, FILE_NOSYNC, NULL), TLY_OK, "a file");
    T_EQ(sys_sha256_file(path, &hash, NULL), TLY_OK, "is read");
    is(hash, A_1M, "and hashed");
    unlink(path);
    const struct tly_hash keep = hash;
    T_EQ(sys_sha256_file(path, &hash, NULL), TLY_ENOENT, "a missing file");
    T_OK(tly_hash_eq(&hash, &keep), "output untouched");
    T_EQ(sys_sha256_file("/tmp", &hash, NULL), TLY_EIO, "a folder");
    free(data);
}

static void *
hash_often(void *good)
{
    for (unsigned i = 0; i < 2000; i++) {
        struct tly_hash want;
        TLY_CHECK(tly_unhex(tly_text(i % 2 == 0 ? ABC : TWO), want.b, sizeof want.b));
        const struct tly_hash got = sys_sha256(tly_text(i % 2 == 0 ? "abc" : two_blocks));
        if (!tly_hash_eq(&got, &want)) {
            *(bool *)good = false;
        }
    }
    return NULL;
}

int
main(void)
{
    pthread_t threads[4];
    bool      good[4] = {true, true, true, true};
    for (size_t i = 0; i < TLY_N(threads); i++) { /* first of all: the fetch itself is raced for */
        const int error = pthread_create(&threads[i], NULL, hash_often, &good[i]);
        TLY_CHECK(error == 0);
    }
    for (size_t i = 0; i < TLY_N(threads); i++) {
        pthread_join(threads[i], NULL);
        T_OK(good[i], "a thread of four");
    }
    is(sys_sha256(tly_text("abc")), ABC, "abc");
    is(sys_sha256((struct tly_bytes){NULL, 0}), EMPTY, "nothing");
    is(sys_sha256(tly_text(two_blocks)), TWO, "two blocks");
    in_pieces();
    of_file();
    return T_DONE();
}
