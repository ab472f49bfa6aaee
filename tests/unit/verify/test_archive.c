/* SPDX-License-Identifier: Apache-2.0 */
/* The table of an archive's files: of a folder; hidden names, links, what changes meanwhile. */
#include "../../../src/verify/archive.h"

#include <sys/stat.h>
#include <unistd.h>

#include "dir.h"
#include "sys/file.h"
#include "t.h"

static struct tly_arena arena;
static struct tly_diag  diag;
static const char      *dir;

static void
put(const char *name, const char *text)
{
    char path[FILE_PATH_SIZE];
    file_path(path, "%s/%s", dir, name);
    T_EQ(file_write(path, tly_text(text), 0644, FILE_NOSYNC, &diag), TLY_OK, name);
}

static void
folder(void)
{
    struct archive  *a = NULL;
    struct tly_bytes got;
    char             path[FILE_PATH_SIZE];
    file_path(path, "%s/tile/0/000.p", dir);
    T_EQ(file_mkdirs(path, 0755, &diag), TLY_OK, "folders");
    file_path(path, "%s/.git/x", dir);
    T_EQ(file_mkdirs(path, 0755, &diag), TLY_OK, "hidden ones");
    put("checkpoint", "head\n");
    put("tile/0/000.p/9", "hashes");
    put("tile/0/.put", "x");
    put(".git/config", "x");
    put("a", "");
    T_EQ(archive_open(dir, &a, &diag), TLY_OK, "opened");
    T_EQ(archive_files_n(a), 3, "three files");
    T_STR(archive_file(a, 0)->path, "a", "sorted");
    T_STR(archive_file(a, 2)->path, "tile/0/000.p/9", "by their bytes");
    T_OK(archive_find(a, "tile/0/000.p") == NULL && archive_find(a, "b") == NULL, "no such files");
    T_EQ(archive_lower(a, "b"), 1, "the first behind a name");
    T_EQ(archive_lower(a, "z"), 3, "none");
    T_EQ(archive_read(a, archive_find(a, "tile/0/000.p/9"), &arena, &got, &diag), TLY_OK, "read");
    T_OK(tly_bytes_eq(got, tly_text("hashes")), "whole");
    T_EQ(archive_read(a, archive_find(a, "a"), &arena, &got, &diag), TLY_OK, "an empty one");
    T_OK(got.len == 0 && got.data != NULL, "is there");
    put("checkpoint", "longer head\n");
    T_EQ(archive_read(a, archive_find(a, "checkpoint"), &arena, &got, &diag), TLY_EIO,
         "longer meanwhile");
    T_OK(strstr(diag.text, "changed while it was read") != NULL, "says so");
    put("checkpoint", "h");
    T_EQ(archive_read(a, archive_find(a, "checkpoint"), &arena, &got, &diag), TLY_EIO, "shorter");
    file_path(path, "%s/checkpoint", dir);
    T_EQ(unlink(path), 0, "gone");
    T_EQ(archive_read(a, archive_find(a, "checkpoint"), &arena, &got, &diag), TLY_EIO,
         "not there any more");
    archive_close(a);
}

static void
others(void)
{
    struct archive *a = NULL;
    char            path[FILE_PATH_SIZE];
    file_path(path, "%s/tile/link", dir);
    T_EQ(symlink("0", path), 0, "a link");
    T_EQ(archive_open(dir, &a, &diag), TLY_EINPUT, "is refused");
    T_OK(strstr(diag.text, "tile/link is neither a file nor a folder") != NULL, "by its name");
    T_EQ(unlink(path), 0, "gone");
    file_path(path, "%s/.link", dir);
    T_EQ(symlink("tile", path), 0, "a hidden link");
    T_EQ(archive_open(dir, &a, &diag), TLY_OK, "is passed over");
    archive_close(a);
    file_path(path, "%s/pipe", dir);
    T_EQ(mkfifo(path, 0600), 0, "a pipe");
    T_EQ(archive_open(dir, &a, &diag), TLY_EINPUT, "is refused");
    T_EQ(archive_open(path, &a, &diag), TLY_EINPUT, "in place of a folder, too, without waiting");
    file_path(path, "%s/nothing", dir);
    T_EQ(archive_open(path, &a, &diag), TLY_ENOENT, "what is not there");
    archive_close(NULL);
}

int
main(void)
{
    tly_arena_init(&arena, (size_t)4 << 20);
    dir = t_dir();
    folder();
    others();
    tly_arena_done(&arena);
    return T_DONE();
}
