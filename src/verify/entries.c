/* SPDX-License-Identifier: Apache-2.0 */
/* The entries, tile by tile: while the threads read and verify one round of tiles, the one before is put in
 * order.  What is in memory at one time does not grow with the log, but for hashes. */
#include <inttypes.h>
#include <stdlib.h>

#include "announce.h"
#include "base/check.h"
#include "ledger.h"
#include "recount.h"
#include "wanted.h"

#define ROUND_TILES 8 /* jobs of one round: some for each core */
#define JOB_MAX     ((size_t)4 << 30)

/* One tile of entries, with its pack. */
struct job {
    struct tly_arena arena;
    struct tile      tile;
    struct wanted    entries, pack;
    struct record    records[TILE_WIDTH];
    struct item      items[TILE_WIDTH];
    enum tly_err     err;
    struct tly_diag  diag;
};

struct round {
    const struct verify *v;
    unsigned             n;
    struct job           jobs[ROUND_TILES];
};

struct pipeline {
    struct verify *v;
    struct round  *rounds[2];
    unsigned       filling; /* the other one is with the threads */
};

/* ---- on a thread ---- */

static enum tly_err
tile_verify(const struct verify *v, struct job *job)
{
    const struct archive *archive = v->archive;
    struct tile           pack    = job->tile;
    pack.kind                     = TILE_BUNDLES;
    job->entries                  = wanted_find(archive, &job->tile);
    job->pack                     = wanted_find(archive, &pack);
    enum tly_err err =
        wanted_records(archive, &job->tile, &job->entries, &job->arena, job->records, &job->diag);
    if (err != TLY_OK) {
        return err;
    }
    for (unsigned i = 0; i < job->tile.width; i++) {
        job->items[i] = (struct item){0};
        if (!job->entries.bad) {
            item_leaf(&job->items[i], job->records[i].bytes);
        }
    }
    err = wanted_records(archive, &pack, &job->pack, &job->arena, job->records, &job->diag);
    for (unsigned i = 0; i < job->tile.width && err == TLY_OK && !job->entries.bad; i++) {
        struct item *item = &job->items[i];
        if (!job->pack.bad) {
            item_envelope(v, item, &job->records[i]);
        }
        if (item->good && v->interpreted) {
            err = item_interpret(&(struct item_view){v, v->registry}, item, &job->arena);
        }
    }
    return err;
}

static void
job_run(void *arg, size_t i)
{
    struct round *round = arg;
    struct job   *job   = &round->jobs[i];
    job->err            = tile_verify(round->v, job);
}

/* ---- in order ---- */

static void
file_found(struct verify *v, const struct wanted *wanted)
{
    if (wanted->bad) {
        findings_add(&v->findings, wanted->found, wanted->path);
    }
}

static void
genesis_check(const struct verify *v, struct item *item, uint64_t position)
{
    if (v->interpreted && position == 0 && item->leaf.kind == LEAF_GENESIS &&
        (!tly_hash_eq(&item->leaf.definition, &v->definition) ||
         !tly_hash_eq(&item->leaf.registry, &v->registry_hash))) {
        item_find(item, FOUND_GENESIS_PACKAGE);
    }
}

static enum tly_err
item_take(struct verify *v, struct item *item, struct tly_arena *keep, uint64_t position)
{
    enum tly_err err   = TLY_OK;
    uint64_t     found = 0;
    v->counts.entries += item->read;
    v->counts.envelopes += item->envelope == ITEM_THERE;
    v->counts.withheld += item->envelope == ITEM_WITHHELD;
    if (v->recount != NULL) {
        err = item_again(&(struct item_view){v, book_registry(v->recount->book)}, item, keep);
    }
    if (err == TLY_OK && item->good) {
        genesis_check(v, item, position);
        err = ledger_take(v->ledger, position, &item->leaf, item->found, &found);
        item->found |= found;
    }
    if (err == TLY_OK && v->recount != NULL && item->leaf.kind == LEAF_RESULT) {
        err = announce_judge(v, item, position);
    }
    if (err == TLY_OK && v->recount != NULL) {
        err = recount_take(v->recount, item);
    }
    if (err == TLY_OK && !merkle_append(&v->tree, &item->hash)) { /* zeros where it is not known */
        err = TLY_ENOMEM;
    }
    findings_entry(&v->findings, item->found, position);
    return err;
}

static enum tly_err
job_take(struct verify *v, struct job *job)
{
    if (job->err != TLY_OK) {
        v->diag = job->diag;
        return job->err;
    }
    file_found(v, &job->entries);
    file_found(v, &job->pack);
    v->known[job->tile.n] = !job->entries.bad;
    v->all_known          = v->all_known && !job->entries.bad;
    enum tly_err err      = TLY_OK;
    for (unsigned i = 0; i < job->tile.width && err == TLY_OK; i++) {
        err = item_take(v, &job->items[i], &job->arena, job->tile.n * TILE_WIDTH + i);
    }
    progress_step(&v->progress, v->tree.size);
    return err;
}

/* ---- rounds ---- */

static enum tly_err
round_take(struct pipeline *p, struct round *round)
{
    enum tly_err err = TLY_OK;
    for (unsigned i = 0; i < round->n; i++) {
        if (err == TLY_OK) {
            err = job_take(p->v, &round->jobs[i]);
        }
        tly_arena_done(&round->jobs[i].arena);
    }
    round->n = 0;
    return err;
}

static enum tly_err
round_turn(struct pipeline *p)
{
    struct round *full  = p->rounds[p->filling];
    struct round *other = p->rounds[!p->filling];
    team_wait(p->v->team);
    team_begin(p->v->team, job_run, full, full->n);
    p->filling = !p->filling;
    return round_take(p, other);
}

static enum tly_err
tiles_read(struct pipeline *p, uint64_t size)
{
    enum tly_err err = TLY_OK;
    for (uint64_t n = 0; n * TILE_WIDTH < size && err == TLY_OK; n++) {
        struct round *round = p->rounds[p->filling];
        struct job   *job   = &round->jobs[round->n++];
        tly_arena_init(&job->arena, JOB_MAX);
        job->tile = (struct tile){.kind = TILE_ENTRIES, .n = n, .width = tile_width(0, n, size)};
        if (round->n == ROUND_TILES) {
            err = round_turn(p);
        }
    }
    for (unsigned i = 0; i < 2 && err == TLY_OK; i++) {
        err = round_turn(p); /* the last two rounds */
    }
    return err;
}

static void
pipeline_done(struct pipeline *p)
{
    team_wait(p->v->team);
    for (unsigned i = 0; i < 2; i++) {
        for (unsigned j = 0; p->rounds[i] != NULL && j < p->rounds[i]->n; j++) {
            tly_arena_done(&p->rounds[i]->jobs[j].arena);
        }
        free(p->rounds[i]);
    }
}

static enum tly_err
prepare(struct verify *v, struct pipeline *p)
{
    const uint64_t tiles = v->note.head.size / TILE_WIDTH + 1;
    v->known             = calloc(tiles, 1);
    v->all_known         = true;
    for (unsigned i = 0; i < 2; i++) {
        p->rounds[i] = calloc(1, sizeof *p->rounds[i]);
        if (p->rounds[i] == NULL) {
            return TLY_ENOMEM;
        }
        p->rounds[i]->v = v;
    }
    if (v->known == NULL || !merkle_init(&v->tree, &v->arena)) {
        return TLY_ENOMEM;
    }
    enum tly_err err = ledger_new(&v->ledger);
    if (err == TLY_OK && v->interpreted) {
        v->recount = TLY_NEW(&v->arena, struct recount, 1);
        err        = v->recount == NULL ? TLY_ENOMEM : recount_init(v->recount, v, &v->arena);
    }
    return err;
}

enum tly_err
verify_entries(struct verify *v)
{
    const uint64_t  size = v->note.head.size;
    struct pipeline p    = {.v = v};
    enum tly_err    err  = prepare(v, &p);
    progress_begin(&v->progress, "verifying", size);
    if (err == TLY_OK) {
        err = tiles_read(&p, size);
    }
    progress_end(&v->progress, v->tree.size);
    pipeline_done(&p);
    if (err == TLY_OK && size == 0) {
        findings_entry(&v->findings, FOUND_BIT(FOUND_LEAF_GENESIS), 0);
    }
    if (err == TLY_OK && v->all_known) {
        const struct tly_hash root = merkle_root(&v->tree, size);
        if (!tly_hash_eq(&root, &v->note.head.root)) {
            findings_add(&v->findings, FOUND_CHECKPOINT_ROOT, "checkpoint");
        }
    }
    return err;
}
