/* SPDX-License-Identifier: Apache-2.0 */
#include "verify.h"

#include <inttypes.h>
#include <stdlib.h>

#include "ledger.h"

#define ARENA_MAX ((size_t)64 << 30)

enum tly_err
verify_read(struct verify *v, const char *path, uint64_t bytes_max, struct tly_arena *arena,
            struct tly_bytes *out)
{
    const struct archive_file *file = archive_find(v->archive, path);
    *out                            = (struct tly_bytes){0};
    if (file == NULL) {
        return TLY_OK;
    }
    if (file->size > bytes_max) {
        findings_add(&v->findings, FOUND_FILE_SIZE, path);
        return TLY_OK;
    }
    return archive_read(v->archive, file, arena, out, &v->diag);
}

bool
verify_note(struct tly_bytes text, struct note *out)
{
    struct note      note;
    struct note_line line;
    if (!note_split(text, &note) || !note_name_ok(note.origin) ||
        note.head.size > VERIFY_SIZE_MAX) {
        return false;
    }
    for (struct tly_bytes lines = note.lines; lines.len > 0;) {
        if (!note_line_next(&lines, &line)) {
            return false;
        }
    }
    *out = note;
    return true;
}

bool
verify_note_signed(const struct verify *v, const struct note *note)
{
    struct note_line line;
    bool             found = false;
    bool             right = true;
    for (struct tly_bytes lines = note->lines; v->key != NULL && lines.len > 0;) {
        if (!note_line_next(&lines, &line)) {
            return false;
        }
        if (note_line_is_of(&line, v->key)) {
            found = true;
            right = right && note_line_verifies(&line, note->body, v->key);
        }
    }
    return v->key == NULL || (found && right);
}

bool
verify_root(const struct verify *v, uint64_t size, struct tly_hash *out)
{
    if (size > v->tree.size) {
        return false;
    }
    for (uint64_t n = 0; n * TILE_WIDTH < size; n++) {
        if (!v->known[n]) {
            return false;
        }
    }
    *out = merkle_root(&v->tree, size);
    return true;
}

typedef enum tly_err stage(struct verify *v);

enum tly_err
verify_run(struct verify *v, const struct verify_options *options)
{
    static stage *const read[]   = {verify_packages, verify_head};
    static stage *const follow[] = {verify_entries, verify_tiles, verify_receipts, verify_since};
    v->options                   = options;
    tly_arena_init(&v->arena, ARENA_MAX);
    enum tly_err err = archive_open(options->where, &v->archive, &v->diag);
    if (err == TLY_OK && archive_find(v->archive, "checkpoint") == NULL) {
        return tly_fail(&v->diag, TLY_EINPUT,
                        "%s is no archive: it has no file \"checkpoint\"; give the folder that was "
                        "published, or a TAR of what is in it",
                        options->where);
    }
    if (err == TLY_OK) {
        err = team_new(options->threads_n, &v->team, &v->diag);
    }
    for (unsigned i = 0; err == TLY_OK && i < TLY_N(read); i++) {
        err = read[i](v);
    }
    for (unsigned i = 0; err == TLY_OK && v->has_head && i < TLY_N(follow); i++) {
        err = follow[i](v);
    }
    if (err == TLY_OK) {
        err = verify_names(v);
    }
    findings_sort(&v->findings);
    if (err == TLY_OK && v->findings.no_memory) {
        err = TLY_ENOMEM;
    }
    return err;
}

void
verify_done(struct verify *v)
{
    team_free(v->team);
    ledger_free(v->ledger);
    free(v->known);
    archive_close(v->archive);
    findings_done(&v->findings);
    tly_arena_done(&v->arena);
}
