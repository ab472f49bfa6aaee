/* SPDX-License-Identifier: Apache-2.0 */
#include "decision_file.h"

#include <stdio.h>

#include "pack/newfile.h"
#include "sys/file.h"

#define FILE_MODE 0644

enum tly_err
decision_file_read(const char *path, struct tly_arena *arena, struct envelope *out,
                   struct tly_bytes *text, struct tly_diag *diag)
{
    struct tly_diag  why = {0};
    struct tly_bytes bytes;
    enum tly_err     err = file_read(path, RESULTS_ENVELOPE_MAX + 1, arena, &bytes, diag);
    if (err != TLY_OK) {
        return err;
    }
    while (bytes.len > 0 && bytes.data[bytes.len - 1] == '\n') {
        bytes.len--;
    }
    err = envelope_parse(bytes, RESULTS_PAYLOAD_MAX, arena, out, &why);
    if (err != TLY_OK) {
        return tly_fail(diag, TLY_EINPUT, "%s: no decision: %s", path, why.text);
    }
    if (!tly_bytes_eq(out->type, tly_text(ENVELOPE_TYPE_DECISION)) &&
        !tly_bytes_eq(out->type, tly_text(ENVELOPE_TYPE_RESULTS))) {
        return tly_fail(diag, TLY_EINPUT, "%s: no decision: its type is %.*s", path,
                        (int)out->type.len, (const char *)out->type.data);
    }
    *text = bytes;
    return TLY_OK;
}

static enum tly_err
line_make(struct tly_bytes envelope, struct tly_arena *arena, struct tly_bytes *out)
{
    char *line = tly_arena_alloc(arena, envelope.len + 1, 1);
    if (line == NULL) {
        return TLY_ENOMEM;
    }
    memcpy(line, envelope.data, envelope.len);
    line[envelope.len] = '\n';
    *out               = (struct tly_bytes){(const uint8_t *)line, envelope.len + 1};
    return TLY_OK;
}

enum tly_err
decision_file_new(const char *path, struct tly_bytes envelope, struct tly_arena *arena,
                  struct tly_diag *diag)
{
    struct tly_bytes   line;
    const enum tly_err err = line_make(envelope, arena, &line);
    if (err != TLY_OK) {
        return err;
    }
    if (path != NULL) {
        return newfile_write(path, line, FILE_MODE, diag);
    }
    return fwrite(line.data, 1, line.len, stdout) == line.len && fflush(stdout) == 0
               ? TLY_OK
               : tly_fail(diag, TLY_EIO, "cannot write to standard output");
}

enum tly_err
decision_file_write(const char *path, struct tly_bytes envelope, struct tly_arena *arena,
                    struct tly_diag *diag)
{
    struct tly_bytes   line;
    const enum tly_err err = line_make(envelope, arena, &line);
    return err != TLY_OK ? err : file_write(path, line, FILE_MODE, FILE_SYNC, diag);
}
