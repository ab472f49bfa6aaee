/* SPDX-License-Identifier: Apache-2.0 */
#include "pack/files.h"

#include "sys/file.h"

static enum tly_err
folder_list(const struct pack_files *files, size_t names_max, struct tly_arena *arena,
            const char ***names, size_t *names_n, struct tly_diag *diag)
{
    return file_list(files->where, names_max, arena, names, names_n, diag);
}

static enum tly_err
folder_read(const struct pack_files *files, const char *name, size_t bytes_max,
            struct tly_arena *arena, struct tly_bytes *out, struct tly_diag *diag)
{
    char path[FILE_PATH_SIZE];
    file_path(path, "%s/%s", files->where, name);
    return file_read(path, bytes_max, arena, out, diag);
}

struct pack_files
pack_files_of(const char *dir)
{
    return (struct pack_files){.where = dir, .list = folder_list, .read = folder_read};
}
