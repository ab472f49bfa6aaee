/* SPDX-License-Identifier: Apache-2.0 */
/* The ledger from its first entry: while the threads verify one chunk of rows, the next is read.
 * Rows are applied in order, by the sequencer's own rules; what was verified before a change of the
 * registry that stands above it is verified again. */
#include <inttypes.h>
#include <stdlib.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "base/check.h"
#include "core/bundle.h"
#include "core/recover.h"
#include "service.h"
#include "sys/clock.h"
#include "sys/log.h"
#include "sys/team.h"

#define CHUNK_ROWS    512
#define CHUNK_BYTES   ((size_t)16 << 20) /* of payloads; one row more may go over it */
#define SAY_MS        2000
#define EXTEND_US     60000000
#define ROW_ARENA_MAX ((size_t)32 << 20)

/* One row on its way: read, verified by a thread, applied. */
struct job {
    const struct service  *service;
    const struct registry *registry; /* as it was when the threads began */
    struct tly_arena       arena;    /* what the row and its verification need */
    struct store_row       row;
    struct book_entry      entry;
    struct bundle          bundle;
    struct decision        decision;
    struct tly_bytes       envelope; /* in the arena; empty of genesis */
    enum tly_err           err;
    struct tly_diag        diag;
};

struct chunk {
    struct job jobs[CHUNK_ROWS];
    size_t     n, bytes;
};

struct rebuild {
    struct service *service;
    struct team    *team;
    struct chunk   *chunks[2];
    unsigned        filling; /* the other one is being verified */
    uint64_t        size;    /* entries in all */
    uint64_t        said_ms;
};

static bool
copy_bytes(struct tly_arena *arena, struct tly_bytes *bytes)
{
    char *copy  = tly_arena_text(arena, *bytes);
    bytes->data = (const uint8_t *)copy;
    return copy != NULL;
}

static bool
copy_text(struct tly_arena *arena, const char **text)
{
    *text = tly_arena_text(arena, tly_text(*text));
    return *text != NULL;
}

static bool
copy_row(struct tly_arena *arena, const struct store_row *from, struct store_row *to)
{
    *to = *from;
    return copy_bytes(arena, &to->payload) && copy_bytes(arena, &to->head) &&
           copy_bytes(arena, &to->tail) && copy_bytes(arena, &to->held) &&
           copy_text(arena, &to->branch) && copy_text(arena, &to->terminal);
}

/* ---- verifying one row ---- */

static enum tly_err
contradicts(struct job *job, const char *what)
{
    return tly_fail(&job->diag, TLY_ECORRUPT, "ledger position %" PRIu64 ": %s", job->row.position,
                    what);
}

/* What the columns say is what the signed payload says. */
static enum tly_err
columns_check(struct job *job)
{
    const struct store_row *row = &job->row;
    const struct bundle    *b   = &job->bundle;
    const struct ground    *g   = &job->service->ground;
    if (strcmp(row->branch, g->election->branches[b->branch.v].code) != 0) {
        return contradicts(job, "branch is not the payload's");
    }
    if (strcmp(row->terminal, registry_row(job->registry, b->terminal)->code) != 0) {
        return contradicts(job, "terminal is not the payload's");
    }
    if (row->revision != b->revision) {
        return contradicts(job, "revision is not the payload's");
    }
    if (row->has_prev != b->has_prev || (b->has_prev && !tly_hash_eq(&row->prev, &b->prev))) {
        return contradicts(job, "prev is not the payload's");
    }
    if (row->kind == LEAF_BUNDLE && !b->revise_ok) {
        return contradicts(job, "a revision without the signatures of policy revise");
    }
    if (row->kind == LEAF_BUNDLE && !tly_bytes_eq(row->held, b->held)) {
        return contradicts(job, "held: the checks hold something else than what was logged");
    }
    /* Their leaf does not have it, so that nothing else would tell. */
    return row->kind == LEAF_BUNDLE || row->held.len == 0
               ? TLY_OK
               : contradicts(job, "held: a conflict holds nothing");
}

static enum tly_err
bundle_verify(struct job *job)
{
    const struct ground      *g     = &job->service->ground;
    const struct bundle_rules rules = {g->election, job->registry, NULL, job->row.position};
    struct tly_diag           why   = {0};
    enum tly_err              err   = store_row_check(&job->row, &job->arena, &job->envelope, &why);
    if (err == TLY_OK) {
        err = bundle_read(&rules, job->envelope, &job->arena, &job->arena, &job->bundle, &why);
    }
    if (err == TLY_ENOMEM) {
        return err;
    }
    if (err != TLY_OK) {
        return contradicts(job, why.text);
    }
    job->entry.branch       = job->bundle.branch;
    job->entry.terminal     = job->bundle.terminal;
    job->entry.envelope_len = (uint32_t)job->envelope.len;
    return columns_check(job);
}

/* The row is the document that it says, signed as the policy asks for; whether it can stand at its
 * place is for the sequencer. */
static enum tly_err
decision_verify(struct job *job)
{
    const struct store_row     *row   = &job->row;
    const struct ground        *g     = &job->service->ground;
    const struct decision_rules rules = {g->election, job->registry, NULL, row->position};
    struct tly_diag             why   = {0};
    enum tly_err                err   = store_row_check(row, &job->arena, &job->envelope, &why);
    if (err == TLY_OK) {
        err = decision_read(&rules, job->envelope, &job->arena, &job->decision, &why);
    }
    if (err != TLY_OK) {
        return err == TLY_ENOMEM ? err : contradicts(job, why.text);
    }
    if (decision_leaf_of(&job->decision) != row->kind ||
        !tly_bytes_eq(row->held, job->decision.target)) {
        return contradicts(job, "kind or target is not the payload's");
    }
    const struct seq_bundle stored = {.payload       = row->payload,
                                      .payload_hash  = row->payload_hash,
                                      .envelope_hash = row->envelope_hash,
                                      .envelope_len  = (uint32_t)job->envelope.len};
    job->entry                     = seq_decision_entry(&stored, &job->decision, row->accepted_ms);
    return TLY_OK;
}

static void
job_run(void *arg, size_t i)
{
    struct job             *job = &((struct chunk *)arg)->jobs[i];
    const struct store_row *row = &job->row;
    job->entry                  = (struct book_entry){.kind           = row->kind,
                                                      .revision       = row->revision,
                                                      .has_prev       = row->has_prev,
                                                      .payload_len    = (uint32_t)row->payload.len,
                                                      .accepted_ms    = row->accepted_ms,
                                                      .prev           = row->prev,
                                                      .payload        = row->payload_hash,
                                                      .envelope       = row->envelope_hash,
                                                      .first_envelope = row->first_envelope};
    if (row->kind == LEAF_BUNDLE) {
        job->entry.held = row->held;
    }
    if (leaf_is_decision(row->kind)) {
        job->err = decision_verify(job);
    } else {
        job->err = row->kind == LEAF_GENESIS ? TLY_OK : bundle_verify(job);
    }
}

/* ---- chunks ---- */

/* Every few seconds; systemd then waits longer for READY=1. */
static void
say_progress(struct rebuild *rb)
{
    const uint64_t now  = clock_mono_ms();
    const uint64_t done = book_size(rb->service->book);
    if (now - rb->said_ms < SAY_MS) {
        return;
    }
    rb->said_ms = now;
    log_event(LOG_NOTICE, "ledger.reading", "entries=%" PRIu64 " of=%" PRIu64, done, rb->size);
    (void)sd_notifyf(0,
                     "EXTEND_TIMEOUT_USEC=%d\nSTATUS=reading the ledger, %" PRIu64 " of %" PRIu64,
                     EXTEND_US, done, rb->size);
}

/* It was verified while rows before it were not applied yet: is the registry still what it was then? */
static bool
is_outdated(const struct service *s, const struct job *job)
{
    const struct registry *registry = book_registry(s->book);
    if (job->err != TLY_OK) {
        return job->err != TLY_ENOMEM; /* its terminal may have come in between */
    }
    if (job->row.kind == LEAF_KEY) {
        const struct decision_key *key = &job->decision.key;
        return registry_terminal(registry, tly_text(key->row.code), REGISTRY_NOW).v !=
               key->before.v;
    }
    return (job->row.kind == LEAF_BUNDLE || job->row.kind == LEAF_CONFLICT) &&
           !registry_in_force(registry, job->entry.terminal, REGISTRY_NOW);
}

/* A verified row: into book and tally, then into what is published. */
static enum tly_err
job_apply(struct service *s, struct job *job, struct tly_diag *diag)
{
    const enum leaf_kind kind     = job->row.kind;
    const bool           voted    = kind == LEAF_BUNDLE || kind == LEAF_CONFLICT;
    const uint64_t       position = book_size(s->book);
    const enum tly_err   err =
        seq_replay(s->seq, &job->entry, kind == LEAF_BUNDLE ? &job->bundle.checked : NULL,
                   leaf_is_decision(kind) ? &job->decision : NULL, diag);
    return err != TLY_OK ? err
                         : service_publish_read(s, position, voted ? &job->bundle : NULL,
                                                job->envelope, diag);
}

static enum tly_err
chunk_apply(struct rebuild *rb, struct chunk *chunk, struct tly_diag *diag)
{
    struct service *s   = rb->service;
    enum tly_err    err = TLY_OK;
    for (size_t i = 0; i < chunk->n; i++) {
        struct job *job = &chunk->jobs[i];
        if (err == TLY_OK && is_outdated(s, job)) {
            job->diag     = (struct tly_diag){0};
            job->registry = book_registry(s->book);
            job_run(chunk, i);
        }
        if (err == TLY_OK) {
            err = job->err != TLY_OK ? tly_fail(diag, job->err, "%s", job->diag.text)
                                     : job_apply(s, job, diag);
        }
        tly_arena_done(&job->arena);
    }
    chunk->n     = 0;
    chunk->bytes = 0;
    say_progress(rb);
    return err;
}

/* Hands the full chunk to the threads, once the one before is applied. */
static enum tly_err
chunk_turn(struct rebuild *rb, struct tly_diag *diag)
{
    struct chunk *full  = rb->chunks[rb->filling];
    struct chunk *other = rb->chunks[!rb->filling];
    team_wait(rb->team);
    for (size_t i = 0; i < full->n; i++) {
        full->jobs[i].registry = book_registry(rb->service->book);
    }
    team_begin(rb->team, job_run, full, full->n);
    rb->filling = !rb->filling;
    return chunk_apply(rb, other, diag);
}

static enum tly_err
row_take(void *arg, const struct store_row *row, struct tly_diag *diag)
{
    struct rebuild *rb    = arg;
    struct chunk   *chunk = rb->chunks[rb->filling];
    struct job     *job   = &chunk->jobs[chunk->n];
    *job                  = (struct job){.service = rb->service};
    tly_arena_init(&job->arena, ROW_ARENA_MAX);
    chunk->n++;
    chunk->bytes += row->payload.len;
    if (!copy_row(&job->arena, row, &job->row)) {
        return tly_fail(diag, TLY_ENOMEM, "no memory for ledger position %" PRIu64, row->position);
    }
    if (chunk->n < CHUNK_ROWS && chunk->bytes < CHUNK_BYTES) {
        return TLY_OK;
    }
    if (service_told_to_stop(0)) {
        return tly_fail(diag, TLY_ELIMIT, "told to stop while reading the ledger");
    }
    return chunk_turn(rb, diag);
}

static void
rebuild_done(struct rebuild *rb)
{
    team_free(rb->team);
    for (unsigned i = 0; i < 2; i++) {
        for (size_t j = 0; rb->chunks[i] != NULL && j < rb->chunks[i]->n; j++) {
            tly_arena_done(&rb->chunks[i]->jobs[j].arena);
        }
        free(rb->chunks[i]);
    }
}

static enum tly_err
rows_read(struct rebuild *rb, struct tly_diag *diag)
{
    /* Rows behind the head, too: left there, one would end the first batch that needs its place. */
    enum tly_err err = store_read(rb->service->store, 0, INT64_MAX, row_take, rb, diag);
    for (unsigned i = 0; i < 2 && err == TLY_OK; i++) {
        err = chunk_turn(rb, diag); /* the last two chunks */
    }
    return err;
}

/* ---- heads ---- */

struct heads {
    struct service   *service;
    struct book_head *list;
    bool             *good;
    size_t            n, size;
};

static enum tly_err
head_take(void *arg, const struct book_head *head, struct tly_diag *diag)
{
    struct heads *heads = arg;
    if (heads->n == heads->size) {
        const size_t      size = heads->size * 2 + 1024;
        struct book_head *list = reallocarray(heads->list, size, sizeof *list);
        if (list == NULL) {
            return tly_fail(diag, TLY_ENOMEM, "no memory for the signed heads");
        }
        heads->list = list;
        heads->size = size;
    }
    heads->list[heads->n++] = *head;
    return TLY_OK;
}

static void
head_verify(void *arg, size_t i)
{
    const struct heads   *heads = arg;
    const struct service *s     = heads->service;
    heads->good[i]              = recover_is_signed(s->book, &s->ground.vkey, &heads->list[i]);
}

/* Every head that was ever signed is a head of this ledger, by this key. */
static enum tly_err
heads_add(struct heads *heads, struct team *team, struct tly_diag *diag)
{
    struct service *s = heads->service;
    heads->good       = calloc(heads->n + 1, sizeof *heads->good);
    if (heads->good == NULL) {
        return TLY_ENOMEM;
    }
    team_wait(team);
    team_begin(team, head_verify, heads, heads->n);
    team_wait(team);
    uint64_t last = 0;
    for (size_t i = 0; i < heads->n; i++) {
        const struct book_head *head = &heads->list[i];
        if (!heads->good[i] || head->size <= last) {
            return tly_fail(diag, TLY_ECORRUPT,
                            "the signed head of size %" PRIu64 " is not of this ledger and log key",
                            head->size);
        }
        last                   = head->size;
        const enum tly_err err = book_add_head(s->book, head);
        if (err != TLY_OK) {
            return err;
        }
    }
    return TLY_OK;
}

static enum tly_err
heads_read(struct service *s, struct team *team, struct tly_diag *diag)
{
    struct heads heads = {.service = s};
    enum tly_err err   = store_heads(s->store, head_take, &heads, diag);
    if (err == TLY_OK) {
        err = heads_add(&heads, team, diag);
    }
    free(heads.list);
    free(heads.good);
    return err;
}

/* ---- all of it ---- */

enum tly_err
service_rebuild(struct service *s, const struct note_head *head, struct tly_diag *diag)
{
    const long     cores = sysconf(_SC_NPROCESSORS_ONLN);
    struct rebuild rb    = {.service = s, .size = head->size, .said_ms = clock_mono_ms()};
    enum tly_err   err   = team_new(cores < 1 ? 1 : (unsigned)cores, &rb.team, diag);
    for (unsigned i = 0; i < 2 && err == TLY_OK; i++) {
        rb.chunks[i] = calloc(1, sizeof *rb.chunks[i]);
        err          = rb.chunks[i] == NULL ? TLY_ENOMEM : TLY_OK;
    }
    if (err == TLY_OK) {
        err = rows_read(&rb, diag);
    }
    if (err == TLY_OK) {
        err = recover_head_row(s->book, head, diag);
    }
    if (err == TLY_OK) {
        err = heads_read(s, rb.team, diag);
    }
    rebuild_done(&rb);
    return err;
}
