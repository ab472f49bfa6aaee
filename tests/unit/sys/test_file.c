/* SPDX-License-Identifier: Apache-2.0 */
/* Files: limits to the byte, replacing whole or not at all, sorted lists, modes of secrets. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"
#include "dir.h"
#include "sys/file.h"
#include "t.h"

static struct tly_arena arena;
static struct tly_diag  diag;
static const char      *dir;

static const char *
in_dir(const char *name)
{
    static char path[4][128];
    static int  i;
    i = (i + 1) % 4;
    (void)snprintf(path[i], sizeof path[i], "%s/%s", dir, name);
    return path[i];
}

static void
reading(void)
{
    const char            *path = in_dir("r");
    struct tly_bytes       got  = {NULL, 77};
    const struct tly_bytes text = tly_text("0123456789");
    T_EQ(file_read(path, 10, &arena, &got, &diag), TLY_ENOENT, "missing");
    T_OK(strstr(diag.text, "/r: No such file") != NULL, "the diag names it");
    T_EQ(file_write(path, text, 0640, FILE_SYNC, &diag), TLY_OK, "written");
    T_EQ(file_read(path, 9, &arena, &got, &diag), TLY_ETOOBIG, "one byte over the limit");
    T_OK(got.data == NULL && got.len == 77, "output untouched");
    T_EQ(file_read(path, 10, &arena, &got, NULL), TLY_OK, "exactly the limit");
    T_OK(tly_bytes_eq(got, text) && got.data[10] == '\0', "whole, with a NUL behind");
    T_EQ(file_write(path, (struct tly_bytes){NULL, 0}, 0600, FILE_NOSYNC, NULL), TLY_OK, "emptied");
    T_EQ(file_read(path, 0, &arena, &got, NULL), TLY_OK, "empty, limit 0");
    T_EQ(got.len, 0, "nothing in it");
    T_EQ(file_read(dir, 10, &arena, &got, NULL), TLY_EIO, "a folder");
    T_EQ(file_read("/proc/self/status", 1 << 16, &arena, &got, NULL), TLY_OK, "a file of size 0");
    T_OK(got.len > 100, "that has text all the same");
    struct tly_arena small;
    tly_arena_init(&small, 8);
    T_EQ(file_write(path, text, 0600, FILE_NOSYNC, NULL), TLY_OK, "written again");
    T_EQ(file_read(path, 10, &small, &got, NULL), TLY_ENOMEM, "an arena without room");
    tly_arena_done(&small);
}

/* What somebody else lays down: a pipe that nobody writes to would hold the reader for ever. */
static void
regular_only(void)
{
    const char            *path = in_dir("regular");
    const char            *fifo = in_dir("fifo");
    const struct tly_bytes text = tly_text("0123456789");
    struct tly_bytes       got  = {NULL, 77};
    TLY_CHECK(mkfifo(fifo, 0600) == 0);
    T_EQ(file_read_regular(fifo, 10, &arena, &got, &diag), TLY_EIO, "a pipe");
    T_OK(strstr(diag.text, "/fifo: not a regular file") != NULL, "the diag says so");
    T_EQ(file_read_regular(dir, 10, &arena, &got, NULL), TLY_EIO, "a folder");
    T_EQ(file_read_regular(path, 10, &arena, &got, NULL), TLY_ENOENT, "missing");
    T_OK(got.data == NULL && got.len == 77, "output untouched");
    T_EQ(file_write(path, text, 0600, FILE_NOSYNC, NULL), TLY_OK, "written");
    T_EQ(file_read_regular(path, 10, &arena, &got, NULL), TLY_OK, "a file");
    T_OK(tly_bytes_eq(got, text), "whole");
    T_EQ(unlink(fifo), 0, "gone");
    T_EQ(unlink(path), 0, "gone");
}

/* A pipe gives its bytes in pieces and has no size. */
static void
from_pipe(void)
{
    static uint8_t sent[20000];
    int            ends[2];
    char           path[64];
    for (size_t i = 0; i < sizeof sent; i++) {
        sent[i] = (uint8_t)(i * 7);
    }
    const int error = pipe(ends);
    TLY_CHECK(error == 0);
    const ssize_t n = write(ends[1], sent, sizeof sent);
    TLY_CHECK(n == sizeof sent);
    close(ends[1]);
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", ends[0]);
    struct tly_bytes got = {NULL, 0};
    T_EQ(file_read(path, sizeof sent, &arena, &got, NULL), TLY_OK, "a pipe, exactly the limit");
    T_OK(tly_bytes_eq(got, (struct tly_bytes){sent, sizeof sent}), "all of it");
    close(ends[0]);
}

static void
writing(void)
{
    const char      *path = in_dir("w");
    struct tly_bytes got;
    struct stat      st;
    T_EQ(file_write(path, tly_text("old"), 0644, FILE_NOSYNC, NULL), TLY_OK, "a file");
    T_EQ(file_write(path, tly_text("new one"), 0600, FILE_NOSYNC, NULL), TLY_OK, "replaced");
    T_OK(stat(path, &st) == 0 && (st.st_mode & 0777) == 0600, "with its mode");
    T_OK(file_read(path, 99, &arena, &got, NULL) == TLY_OK &&
             tly_bytes_eq(got, tly_text("new one")),
         "and its bytes");
    T_EQ(file_write(in_dir("no/such/w"), got, 0600, FILE_NOSYNC, &diag), TLY_EIO, "no such folder");
    T_EQ(file_write(in_dir(""), got, 0600, FILE_NOSYNC, &diag), TLY_EIO, "no name");
    T_EQ(mkdir(in_dir("d"), 0700), 0, "a folder in the way");
    T_EQ(file_write(in_dir("d"), got, 0600, FILE_NOSYNC, &diag), TLY_EIO, "is not replaced");
}

static void
listing(void)
{
    const char **names   = NULL;
    size_t       names_n = 99;
    T_EQ(file_mkdirs(in_dir("l/m/n"), 0700, &diag), TLY_OK, "folders below each other");
    T_EQ(file_mkdirs(in_dir("l/m/n"), 0700, &diag), TLY_OK, "once more");
    T_EQ(file_mkdirs(in_dir("r/x"), 0700, &diag), TLY_EIO, "below a file");
    T_EQ(file_mkdirs(in_dir("r"), 0700, &diag), TLY_EIO, "a file");
    T_EQ(file_mkdirs("", 0700, &diag), TLY_EIO, "no path");
    T_EQ(file_list(in_dir("l/m/n"), 9, &arena, &names, &names_n, &diag), TLY_OK, "an empty folder");
    T_EQ(names_n, 0, "has nothing");
    static const char *const put[]    = {"b", "a", "B", "\xd8\xb4", "a.b", "a-b", ".hidden"};
    static const char *const sorted[] = {".hidden", "B", "a", "a-b", "a.b", "b", "\xd8\xb4"};
    for (size_t i = 0; i < TLY_N(put); i++) {
        char name[64];
        (void)snprintf(name, sizeof name, "l/m/%s", put[i]);
        T_EQ(file_write(in_dir(name), tly_text(""), 0600, FILE_NOSYNC, NULL), TLY_OK, put[i]);
    }
    T_EQ(rmdir(in_dir("l/m/n")), 0, "no folder among them");
    T_EQ(file_list(in_dir("l/m"), 6, &arena, &names, &names_n, &diag), TLY_ETOOBIG, "one too many");
    T_EQ(names_n, 0, "output untouched");
    T_EQ(file_list(in_dir("l/m"), 7, &arena, &names, &names_n, &diag), TLY_OK, "as many as may be");
    for (size_t i = 0; i < names_n && i < TLY_N(sorted); i++) {
        T_STR(names[i], sorted[i], "sorted by bytes; no temporary file is left");
    }
    T_EQ(file_list(in_dir("nowhere"), 9, &arena, &names, &names_n, &diag), TLY_ENOENT, "no folder");
    for (int i = 0; i < 100; i++) {
        char name[64];
        (void)snprintf(name, sizeof name, "l/m/%03d", i);
        if (file_write(in_dir(name), tly_text(""), 0600, FILE_NOSYNC, NULL) != TLY_OK) {
            T_OK(false, name);
        }
    }
    T_EQ(file_list(in_dir("l/m"), 999, &arena, &names, &names_n, &diag), TLY_OK, "many");
    T_EQ(names_n, 107, "all of them");
}

static void
secrets(void)
{
    const char *path = in_dir("key");
    T_EQ(file_private(path, &diag), TLY_ENOENT, "missing");
    static const struct {
        mode_t       mode;
        enum tly_err want;
    } modes[] = {{0600, TLY_OK},     {0400, TLY_OK},     {0700, TLY_OK},    {0640, TLY_EINPUT},
                 {0620, TLY_EINPUT}, {0604, TLY_EINPUT}, {0601, TLY_EINPUT}};
    for (size_t i = 0; i < TLY_N(modes); i++) {
        T_EQ(file_write(path, tly_text("k"), modes[i].mode, FILE_NOSYNC, NULL), TLY_OK, "a key");
        T_EQ(file_private(path, &diag), modes[i].want, "its mode decides");
    }
    T_OK(strstr(diag.text, "chmod 600") != NULL, "the refusal says what to do");
    T_EQ(file_private(dir, &diag), TLY_EINPUT, "a folder");
    if (geteuid() == 0) {
        T_EQ(file_write(path, tly_text("k"), 0600, FILE_NOSYNC, NULL), TLY_OK, "a key");
        T_EQ(chown(path, 65534, 65534), 0, "somebody else's");
        T_EQ(file_private(path, &diag), TLY_EINPUT, "belongs to another user");
    } else {
        T_SKIP("belongs to another user", "needs root to give a file away");
    }
}

/* A path is whole, or one that nothing opens. */
static void
paths(void)
{
    char path[FILE_PATH_SIZE];
    char longest[FILE_PATH_SIZE + 10];
    file_path(path, "%s/%s.%s", "a", "b", "c");
    T_STR(path, "a/b.c", "the pieces");

    /* ".////...": the same folder, however many there are. */
    memset(longest, '/', sizeof longest);
    longest[0]            = '.';
    longest[PATH_MAX - 1] = '\0';
    file_path(path, "%s", longest);
    T_EQ(strlen(path), PATH_MAX - 1, "as long as a path may be");
    T_OK(access(path, F_OK) == 0, "opens");
    longest[PATH_MAX - 1] = '/';
    longest[PATH_MAX]     = '\0';
    file_path(path, "%s", longest);
    T_OK(access(path, F_OK) != 0 && errno == ENAMETOOLONG, "a byte longer does not");
    longest[PATH_MAX]           = '/';
    longest[sizeof longest - 1] = '\0';
    file_path(path, "%s", longest);
    T_OK(access(path, F_OK) != 0 && errno == ENAMETOOLONG, "nor the beginning of a longer one");
    struct tly_bytes text;
    T_EQ(file_read(path, 10, &arena, &text, NULL), TLY_EIO, "an error like any other");
}

static void
renaming(void)
{
    char             from[512];
    char             to[512];
    struct tly_bytes got;
    (void)snprintf(from, sizeof from, "%s", in_dir("from"));
    (void)snprintf(to, sizeof to, "%s", in_dir("to"));
    T_EQ(file_write(from, tly_text("new"), 0600, FILE_SYNC, NULL), TLY_OK, "a file");
    T_EQ(file_write(to, tly_text("old"), 0600, FILE_SYNC, NULL), TLY_OK, "and another");
    T_EQ(file_rename(from, to, NULL), TLY_OK, "takes its place");
    T_EQ(file_read(to, 10, &arena, &got, NULL), TLY_OK, "which is read");
    T_OK(tly_bytes_eq(got, tly_text("new")) && access(from, F_OK) != 0, "and is the first");
    T_EQ(file_rename(from, to, &diag), TLY_EIO, "what is not there takes no place");
    T_OK(strstr(diag.text, "/to") != NULL && access(to, F_OK) == 0, "told, and the other stays");
}

static void
clean_up(void)
{
    const char             **names;
    size_t                   n;
    static const char *const in[] = {"l/m", ""};
    for (size_t d = 0; d < TLY_N(in); d++) {
        if (file_list(in_dir(in[d]), 999, &arena, &names, &n, NULL) != TLY_OK) {
            return;
        }
        for (size_t i = 0; i < n; i++) {
            char name[512];
            (void)snprintf(name, sizeof name, "%s/%s/%s", dir, in[d], names[i]);
            (void)(unlink(name) != 0 && rmdir(name) != 0);
        }
        (void)rmdir(in_dir(in[d]));
    }
    (void)rmdir(in_dir("l"));
    (void)rmdir(dir);
}

int
main(void)
{
    tly_arena_init(&arena, 1 << 20);
    dir = t_dir();
    reading();
    regular_only();
    from_pipe();
    writing();
    listing();
    secrets();
    paths();
    renaming();
    (void)rmdir(in_dir("l/m"));
    clean_up();
    (void)rmdir(dir);
    T_OK(access(dir, F_OK) != 0, "nothing is left behind");
    tly_arena_done(&arena);
    return T_DONE();
}
