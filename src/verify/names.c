/* SPDX-License-Identifier: Apache-2.0 */
/* Files whose names are none of the layout. */
#include "verify.h"

static bool
begins(const char *path, const char *with)
{
    return strncmp(path, with, strlen(with)) == 0;
}

static bool
is_of_layout(const char *path)
{
    struct tile tile;
    if (strcmp(path, "checkpoint") == 0 || strcmp(path, "policy") == 0) {
        return true;
    }
    if (begins(path, "doc/definition/") || begins(path, "doc/registry/")) {
        return true; /* package.files says what does not belong there */
    }
    return tile_parse(tly_text(path), &tile) && tile.level < TILE_LEVELS_MAX;
}

enum tly_err
verify_names(struct verify *v)
{
    for (size_t i = 0; i < archive_files_n(v->archive); i++) {
        const char *path = archive_file(v->archive, i)->path;
        if (!is_of_layout(path)) {
            findings_add(&v->findings, FOUND_FILE_UNKNOWN, path);
        }
    }
    return TLY_OK;
}
