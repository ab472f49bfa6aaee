/* SPDX-License-Identifier: Apache-2.0 */
/* The published vectors in $TALLY_SHARED (default ../shared): unpacked into a folder of the test's
 * own, which is removed at its end. */
#pragma once

#include <dirent.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/bytes.h"

extern char **environ;

struct shared {
    char root[512]; /* what TALLY_SHARED says */
    char dir[512];  /* our own */
};

static inline bool
shared_run(char *const argv[], const char *stdout_path)
{
    posix_spawn_file_actions_t actions;
    pid_t                      pid;
    int                        status = -1;
    posix_spawn_file_actions_init(&actions);
    if (stdout_path != NULL) {
        posix_spawn_file_actions_addopen(&actions, 1, stdout_path, O_WRONLY | O_CREAT | O_EXCL,
                                         0600);
    }
    const bool ok = posix_spawnp(&pid, argv[0], &actions, NULL, argv, environ) == 0 &&
                    waitpid(pid, &status, 0) == pid && status == 0;
    posix_spawn_file_actions_destroy(&actions);
    return ok;
}

/* false: not there. */
static inline bool
shared_open(struct shared *s)
{
    const char *root = secure_getenv("TALLY_SHARED");
    const char *tmp  = secure_getenv("TMPDIR");
    (void)snprintf(s->root, sizeof s->root, "%s", root != NULL ? root : "../shared");
    (void)snprintf(s->dir, sizeof s->dir, "%s/tally-vectors-XXXXXX", tmp != NULL ? tmp : "/tmp");
    return access(s->root, R_OK) == 0 && mkdtemp(s->dir) != NULL;
}

static inline void
shared_close(struct shared *s)
{
    char  rm[]   = "rm";
    char  rf[]   = "-rf";
    char *argv[] = {rm, rf, s->dir, NULL};
    if (!shared_run(argv, NULL)) {
        abort();
    }
}

/* Unpacks vectors/NAME (a .tar.xz) into the folder; false: not there. */
static inline bool
shared_untar(struct shared *s, const char *name)
{
    char path[4096];
    (void)snprintf(path, sizeof path, "%s/vectors/%s", s->root, name);
    char  tar[]  = "tar";
    char  xjf[]  = "-xJf";
    char  c[]    = "-C";
    char *argv[] = {tar, xjf, path, c, s->dir, NULL};
    return access(path, R_OK) == 0 && shared_run(argv, NULL);
}

/* Unpacks vectors/NAME (an .xz) to FILE in the folder. */
static inline bool
shared_unxz(struct shared *s, const char *name, const char *file)
{
    char path[4096];
    char to[4096];
    (void)snprintf(path, sizeof path, "%s/vectors/%s", s->root, name);
    (void)snprintf(to, sizeof to, "%s/%s", s->dir, file);
    char  xz[]   = "xz";
    char  dc[]   = "-dc";
    char *argv[] = {xz, dc, path, NULL};
    return access(path, R_OK) == 0 && shared_run(argv, to);
}

/* A whole file of the folder, in the arena; data NULL: not there. */
static inline struct tly_bytes
shared_read(const struct shared *s, const char *file, struct tly_arena *arena)
{
    char path[4096];
    (void)snprintf(path, sizeof path, "%s/%s", s->dir, file);
    struct tly_bytes out = {0};
    FILE            *f   = fopen(path, "rb");
    if (f == NULL) {
        return out;
    }
    uint8_t *data = tly_arena_alloc(arena, (size_t)2 << 20, 1);
    if (data == NULL) {
        abort();
    }
    out = (struct tly_bytes){data, fread(data, 1, (size_t)2 << 20, f)};
    (void)fclose(f);
    return out;
}
