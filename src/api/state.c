/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdlib.h>

#include "api_int.h"
#include "base/check.h"
#include "base/hex.h"
#include "sys/clock.h"

#define SNAPSHOT_ARENA_MAX ((size_t)1 << 30)

struct api_snapshot *
api_snapshot_new(const struct election *election)
{
    struct api_snapshot *s = calloc(1, sizeof *s);
    if (s == NULL) {
        return NULL;
    }
    atomic_init(&s->refs, 1);
    tly_arena_init(&s->arena, SNAPSHOT_ARENA_MAX);
    if (tally_init(&s->tally, election, &s->arena) != TLY_OK) {
        tly_arena_done(&s->arena);
        free(s);
        return NULL;
    }
    return s;
}

static void
snapshot_free(struct api_snapshot *s)
{
    if (s != NULL) {
        tly_arena_done(&s->arena);
        free(s);
    }
}

struct api_snapshot *
api_snapshot_get(struct api_state *state)
{
    pthread_mutex_lock(&state->lock);
    struct api_snapshot *s = state->snapshot;
    atomic_fetch_add(&s->refs, 1);
    pthread_mutex_unlock(&state->lock);
    return s;
}

void
api_snapshot_put(struct api_snapshot *s)
{
    if (s != NULL && atomic_fetch_sub(&s->refs, 1) == 1) {
        snapshot_free(s);
    }
}

void
api_count(struct api_state *state, enum api_counter counter)
{
    atomic_fetch_add_explicit(&state->counters[counter], 1, memory_order_relaxed);
}

const struct registry *
api_registry(const struct api_state *state)
{
    return atomic_load_explicit(&state->registry, memory_order_acquire);
}

/* Takes the spare when no reader is left on it: its pages are there already. */
static struct api_snapshot *
snapshot_blank(struct api_state *state)
{
    struct api_snapshot *spare = TLY_TAKE(state->spare);
    if (spare != NULL && atomic_load(&spare->refs) == 1) {
        return spare;
    }
    api_snapshot_put(spare);
    return api_snapshot_new(state->config.election);
}

static bool
snapshot_swap(struct api_state *state)
{
    struct api_snapshot *s = snapshot_blank(state);
    if (s == NULL) {
        return false;
    }
    tally_copy(&s->tally, state->config.tally);
    s->published = s->tally.position;
    s->as_of_s   = clock_unix_s();
    pthread_mutex_lock(&state->lock);
    state->spare    = state->snapshot; /* with the state's own reference */
    state->snapshot = s;
    (void)snprintf(state->marks.published, API_MARK_MAX, "%" PRIu64, s->published);
    pthread_mutex_unlock(&state->lock);
    return true;
}

uint64_t
api_snapshot(struct api_state *state, uint64_t now_ms)
{
    /* snapshot is only written by this thread. */
    if (state->snapshot->published == state->config.tally->position) {
        return UINT64_MAX;
    }
    const uint64_t due_ms = state->snapshot_at_ms + state->config.snapshot_ms;
    if (now_ms < due_ms) {
        return due_ms;
    }
    const bool swapped    = snapshot_swap(state);
    state->snapshot_at_ms = now_ms;
    return swapped ? UINT64_MAX : now_ms + state->config.snapshot_ms;
}

void
api_change_begin(struct api_state *state)
{
    pthread_rwlock_wrlock(&state->book_lock);
}

void
api_change_end(struct api_state *state)
{
    pthread_rwlock_unlock(&state->book_lock);
}

void
api_publish(struct api_state *state)
{
    const struct book_head *newest = book_newest_head(state->config.book);
    if (newest == NULL) {
        return;
    }
    const struct note_head head = {
        .size = newest->size, .root = merkle_root(book_tree(state->config.book), newest->size)};
    char root[TLY_BASE64_LEN(sizeof head.root.b)];
    tly_base64_encode((struct tly_bytes){head.root.b, sizeof head.root.b}, TLY_BASE64_STD, root);
    atomic_store(&state->registry, book_registry(state->config.book));
    atomic_store(&state->state_until, state->config.tally->state_until);
    atomic_store(&state->election_state, (int)state->config.tally->state);
    pthread_mutex_lock(&state->lock);
    state->marks.size = head.size;
    (void)snprintf(state->marks.position, API_MARK_MAX, "%" PRIu64, head.size);
    (void)snprintf(state->marks.root, API_MARK_MAX, "%.*s", (int)sizeof root, root);
    pthread_mutex_unlock(&state->lock);
}

void
api_set_witnessed(struct api_state *state, const struct api_witnessed *witnessed)
{
    pthread_mutex_lock(&state->lock);
    state->witnessed = *witnessed;
    pthread_mutex_unlock(&state->lock);
}

void
api_book_begin(struct api_state *state)
{
    pthread_rwlock_rdlock(&state->book_lock);
}

void
api_book_end(struct api_state *state)
{
    pthread_rwlock_unlock(&state->book_lock);
}

void
api_set_scrub(struct api_state *state, const struct api_scrub *scrub)
{
    pthread_mutex_lock(&state->lock);
    state->scrub = *scrub;
    pthread_mutex_unlock(&state->lock);
}

struct api_scrub
api_scrub_get(struct api_state *state)
{
    pthread_mutex_lock(&state->lock);
    const struct api_scrub scrub = state->scrub;
    pthread_mutex_unlock(&state->lock);
    return scrub;
}

enum api_head
api_head_is(struct api_state *state, const struct note_head *head)
{
    enum api_head is = API_HEAD_LATER;
    pthread_rwlock_rdlock(&state->book_lock);
    const struct book_head *newest = book_newest_head(state->config.book);
    if (newest != NULL && head->size <= newest->size) {
        const struct tly_hash root = merkle_root(book_tree(state->config.book), head->size);
        is = tly_hash_eq(&root, &head->root) ? API_HEAD_OURS : API_HEAD_OTHER;
    }
    pthread_rwlock_unlock(&state->book_lock);
    return is;
}

void
api_set_published(struct api_state *state, uint64_t size)
{
    atomic_store(&state->published, size);
}

void
api_set_health(struct api_state *state, enum api_health health)
{
    atomic_store(&state->health, (int)health);
}

enum api_health
api_health(const struct api_state *state)
{
    return (enum api_health)atomic_load(&state->health);
}

void
api_set_server(struct api_state *state, enum api_listener listener,
               const struct http_server *server)
{
    atomic_store(&state->sides[listener].server, server);
}

void *
api_arg(struct api_state *state, enum api_listener listener)
{
    TLY_CHECK(listener < API_LISTENERS_N);
    return &state->sides[listener];
}

/* The sequencer must not wait behind an unbroken row of readers, which is glibc's default. */
static void
lock_init(pthread_rwlock_t *lock)
{
    pthread_rwlockattr_t attr;
    pthread_rwlockattr_init(&attr);
    pthread_rwlockattr_setkind_np(&attr, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
    pthread_rwlock_init(lock, &attr);
    pthread_rwlockattr_destroy(&attr);
}

enum tly_err
api_state_new(const struct api_config *config, struct api_state **out, struct tly_diag *diag)
{
    struct api_state *state = calloc(1, sizeof *state);
    if (state == NULL) {
        return TLY_ENOMEM;
    }
    state->config = *config;
    atomic_init(&state->registry, config->registry);
    lock_init(&state->book_lock);
    pthread_mutex_init(&state->lock, NULL);
    for (unsigned i = 0; i < API_LISTENERS_N; i++) {
        state->sides[i].state    = state;
        state->sides[i].listener = (enum api_listener)i;
    }
    tly_hex(config->election->definition.b, sizeof config->election->definition.b,
            state->definition);
    (void)snprintf(state->marks.position, API_MARK_MAX, "0");
    state->snapshot  = snapshot_blank(state);
    enum tly_err err = state->snapshot == NULL ? TLY_ENOMEM : TLY_OK;
    if (err == TLY_OK) {
        err = snapshot_swap(state) ? TLY_OK : TLY_ENOMEM;
    }
    if (err == TLY_OK) {
        err = api_evidence_new(config->registry, &state->evidence);
    }
    if (err == TLY_OK) {
        err = api_rows_new(state, &state->rows, diag);
    }
    if (err == TLY_OK) {
        err = api_at_new(state, &state->at, diag);
    }
    if (err != TLY_OK) {
        api_state_free(state);
        return err;
    }
    *out = state;
    return TLY_OK;
}

void
api_state_free(struct api_state *state)
{
    if (state == NULL) {
        return;
    }
    api_at_free(state->at);
    api_rows_free(state->rows);
    api_evidence_free(state->evidence);
    api_snapshot_put(state->snapshot);
    api_snapshot_put(state->spare);
    pthread_rwlock_destroy(&state->book_lock);
    pthread_mutex_destroy(&state->lock);
    free(state);
}
