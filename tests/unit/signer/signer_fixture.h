/* SPDX-License-Identifier: Apache-2.0 */
/* A log with a key and a tree to prove from; and a disk that can fail: fdatasync() and pwrite()
 * of the program under test are these. */
#pragma once

#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../../../src/signer/slots.h"
#include "base/check.h"
#include "core/merkle.h"
#include "t.h"

static const char f_origin[] = "tally.example/ir-councils-7/rehearsal";

static struct {
    struct sign_secret secret;
    struct note_vkey   vkey;
    struct tly_arena   arena;
    struct merkle      tree;
} f;

/* The call, counted from the next, that fails; 0: none. */
static unsigned f_fdatasync_fails, f_pwrite_fails;
static unsigned f_fdatasyncs;

int
fdatasync(int fd)
{
    f_fdatasyncs++;
    if (f_fdatasync_fails > 0 && --f_fdatasync_fails == 0) {
        errno = EIO;
        return -1;
    }
    return (int)syscall(SYS_fdatasync, fd);
}

/* What fails writes a part. */
ssize_t
pwrite(int fd, const void *data, size_t len, off_t at)
{
    if (f_pwrite_fails > 0 && --f_pwrite_fails == 0) {
        len = 100;
    }
    return syscall(SYS_pwrite64, fd, data, len, at);
}

static inline void
f_key(uint8_t seed_byte, struct sign_secret *secret, struct note_vkey *vkey, const char *origin)
{
    uint8_t seed[32];
    memset(seed, seed_byte, sizeof seed);
    sign_from_seed(seed, secret);
    const struct tly_key key = sign_public(secret);
    note_vkey_make(origin, &key, vkey);
}

static inline void
f_init(unsigned leaves)
{
    f_key(7, &f.secret, &f.vkey, f_origin);
    tly_arena_init(&f.arena, (size_t)64 << 20);
    bool good = merkle_init(&f.tree, &f.arena);
    for (unsigned i = 0; i < leaves && good; i++) {
        const struct tly_hash leaf = merkle_leaf((struct tly_bytes){(const uint8_t *)&i, sizeof i});
        good                       = merkle_append(&f.tree, &leaf);
    }
    TLY_CHECK(good);
}

static inline struct slots_head
f_head(uint64_t size)
{
    struct slots_head it = {.head = {.size = size, .root = merkle_root(&f.tree, size)}};
    note_sign(f.vkey.name, &it.head, &f.secret, &it.sig);
    return it;
}
