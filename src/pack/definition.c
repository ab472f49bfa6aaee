/* SPDX-License-Identifier: Apache-2.0 */
#include "pack/definition.h"

#include <inttypes.h>

#include "build.h"

/* Places that need every table: one pass of sums. */
static void
finish(struct build *b)
{
    struct election *e       = b->election;
    uint32_t         options = 0;
    for (uint32_t i = 0; i < e->contests_n; i++) {
        struct contest *c = &b->contests[i];
        c->options_first  = options;
        options += c->lists_n + c->candidates_n;
        if (c->lists_n + c->candidates_n == 0 && b->lists_usable) {
            faults_add(b->faults, "contests.csv", b->contest_lines[i], 1,
                       "contest \"%s\" has no candidate and no list", c->code);
        }
    }
    e->options_n = options;
}

typedef enum tly_err step(struct build *b);

static enum tly_err
build_all(struct build *b)
{
    static step *const steps[] = {build_json,  build_areas,      build_contests, build_branches,
                                  build_lists, build_candidates, build_ballots};
    for (unsigned i = 0; i < TLY_N(steps); i++) {
        const enum tly_err err = steps[i](b);
        if (err != TLY_OK) {
            return err;
        }
    }
    finish(b);
    return TLY_OK;
}

enum tly_err
definition_read(const struct pack_files *files, struct tly_arena *arena, struct election **out,
                struct faults *faults, struct tly_diag *diag)
{
    TLY_AUTO(arena) struct tly_arena scratch = {.bytes_max = BUILD_SCRATCH_MAX};
    struct part                      parts[PARTS_MAX];
    struct build   b      = {.arena = arena, .scratch = &scratch, .faults = faults, .parts = parts};
    const uint64_t before = faults->n;
    b.election            = TLY_NEW(arena, struct election, 1);
    if (b.election == NULL) {
        return tly_fail(diag, TLY_ENOMEM, "%s: no memory to load it", files->where);
    }
    enum tly_err err = part_read_all(files, PACKAGE_DEFINITION, arena, &scratch, faults, parts,
                                     &b.election->definition, diag);
    if (err != TLY_OK) {
        return err == TLY_ENOENT ? TLY_EIO : err;
    }
    err = build_all(&b);
    if (err != TLY_OK) {
        return tly_fail(diag, err, "%s: no memory to load it", files->where);
    }
    faults_sort(faults);
    if (faults->n > before) {
        return tly_fail(diag, TLY_EINPUT, "%s: %" PRIu64 " faults", files->where,
                        faults->n - before);
    }
    *out = b.election;
    return TLY_OK;
}

enum tly_err
definition_load(const char *dir, struct tly_arena *arena, struct election **out,
                struct faults *faults, struct tly_diag *diag)
{
    const struct pack_files files = pack_files_of(dir);
    return definition_read(&files, arena, out, faults, diag);
}
