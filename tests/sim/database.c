/* SPDX-License-Identifier: Apache-2.0 */
/* The database, as store.h promises it: one transaction a batch, whose outcome may not be told.  A
 * commit with a warning, or one whose answer is lost, may be on the first server alone, and is gone
 * when the standby takes over; a commit that succeeds without a warning takes all before it along. */
#include "daemons.h"
#include "edges.h"

enum fate { DONE, NOT_DONE, LOST_DONE, LOST_NOT_DONE, WARNED };

/* ---- commits ---- */

const struct dbcommit *
database_now(const struct database *db)
{
    return &db->commits[db->commits_n - 1];
}

const struct dbcommit *
database_of_size(const struct database *db, uint64_t size)
{
    for (unsigned i = db->commits_n; i-- > 0;) {
        if (db->commits[i].size == size) {
            return &db->commits[i];
        }
    }
    return NULL;
}

const struct dbcommit *
database_ever(uint64_t size)
{
    const struct dbcommit *c = database_of_size(&sim.db, size);
    return c == NULL && sim.db_went_back ? database_of_size(&sim.db_before, size) : c;
}

static void
commit_add(const struct dbcommit *commit, bool told)
{
    struct database *db = &sim.db;
    TLY_CHECK(db->commits_n < TLY_N(db->commits));
    db->commits[db->commits_n++] = *commit;
    if (told) {
        db->copied = db->commits_n;
    }
}

/* The history ends behind commit n. */
static void
cut(unsigned n)
{
    sim.db.commits_n = n;
    sim.db.copied    = sim.db.copied < n ? sim.db.copied : n;
    sim_cause(false, CAUSE_MOVED);
}

void
database_begin(void)
{
    static struct dbrow              genesis = {.kind = LEAF_GENESIS, .accepted_ms = 1000};
    const struct book_entry          entry   = {.kind = LEAF_GENESIS, .accepted_ms = 1000};
    TLY_AUTO(arena) struct tly_arena arena;
    struct book                     *book;
    tly_arena_init(&arena, (size_t)4 << 20);
    const bool ok = book_new(papers_election(), papers_registry(), &arena, &book) == TLY_OK &&
                    book_append(book, &entry) == TLY_OK;
    TLY_CHECK(ok);
    genesis.root     = merkle_root(book_tree(book), 1);
    sim.db.rows[0]   = &genesis;
    sim.db.commits_n = 0;
    sim.db_went_back = false;
    commit_add(&(struct dbcommit){.size = 1, .root = merkle_root(book_tree(book), 1)}, true);
}

void
database_failover(void)
{
    if (sim.db.copied < sim.db.commits_n) {
        sim_say("database: its standby takes over; %u commits are gone",
                sim.db.commits_n - sim.db.copied);
        cut(sim.db.copied);
    }
}

void
database_back(unsigned commits)
{
    if (sim.db_went_back || sim.db.commits_n < 2) {
        return;
    }
    const unsigned left = commits >= sim.db.commits_n ? 1 : sim.db.commits_n - commits;
    sim.db_before       = sim.db;
    sim.db_went_back    = true;
    sim.db_ever_back    = true;
    cut(left);
    sim_say("database: an older copy, size %llu of %llu",
            (unsigned long long)database_now(&sim.db)->size,
            (unsigned long long)database_now(&sim.db_before)->size);
    sim_cause(false, CAUSE_STORE | CAUSE_MOVED);
}

void
database_restore(void)
{
    sim.db           = sim.db_before;
    sim.db_went_back = false;
    sim_say("database: the newest copy is back");
}

/* ---- calls ---- */

static enum tly_err
away(struct tly_diag *diag)
{
    if (sim.proc != NULL) {
        sim.proc->causes |= CAUSE_AWAY;
    }
    return tly_fail(diag, TLY_EBUSY, "the database is away");
}

static bool
is_away(void)
{
    return !sim_moment() || sim_chance(sim.odds.away);
}

enum tly_err
__wrap_store_open(const char *conninfo, struct store **out, struct tly_diag *diag)
{
    (void)conninfo;
    if (is_away()) {
        return away(diag);
    }
    *out = &sim.daemon->store;
    return TLY_OK;
}

void
__wrap_store_close(struct store *store)
{
    if (store != NULL) {
        store->marked = false;
    }
}

/* Somebody else's mark may have gone with a connection that he has not missed yet. */
enum tly_err
__wrap_store_claim(struct store *store, struct tly_diag *diag)
{
    if (is_away()) {
        return away(diag);
    }
    for (struct daemon *d = sim.daemon->outer; d != NULL; d = d->outer) {
        if (d->store.marked && !d->proc.dead && sim_below(3) == 0) {
            sim.proc->causes |= CAUSE_AWAY;
            return tly_fail(diag, TLY_EBUSY, "another tallyd writes to this database");
        }
        d->store.marked = false;
    }
    store->marked = true;
    return TLY_OK;
}

enum tly_err
__wrap_store_idle_check(struct store *store, struct tly_diag *diag)
{
    (void)store;
    return is_away() ? away(diag) : TLY_OK;
}

enum tly_err
__wrap_store_election(struct store *store, struct store_election *out, struct tly_diag *diag)
{
    (void)store;
    if (is_away()) {
        return away(diag);
    }
    const struct dbcommit *now = database_now(&sim.db);
    *out = (struct store_election){.definition = papers_election()->definition,
                                   .registry   = papers_registry()->hash,
                                   .head       = {now->size, now->root},
                                   .epoch      = now->epoch};
    (void)snprintf(out->code, sizeof out->code, "%s", papers_election()->code);
    return TLY_OK;
}

static enum fate
fate_draw(void)
{
    if (!sim_moment() || sim_chance(sim.odds.away)) {
        return NOT_DONE;
    }
    if (sim_chance(sim.odds.lost)) {
        return sim_below(2) == 0 ? LOST_DONE : LOST_NOT_DONE;
    }
    return sim_chance(sim.odds.warned) ? WARNED : DONE;
}

enum tly_err
__wrap_store_take_over(struct store *store, uint64_t *epoch, struct tly_diag *diag)
{
    const enum fate outcome = fate_draw();
    struct dbcommit next    = *database_now(&sim.db);
    next.epoch++;
    if (outcome == NOT_DONE || outcome == LOST_NOT_DONE) {
        return away(diag);
    }
    commit_add(&next, outcome == DONE);
    sim_cause(true, CAUSE_STORE | CAUSE_MOVED);
    if (outcome != DONE) {
        return away(diag);
    }
    *epoch = store->epoch = next.epoch;
    return TLY_OK;
}

static bool
is_head(const struct dbcommit *now, const struct seq_batch *batch)
{
    return now->size == batch->old_size && now->epoch == batch->epoch &&
           tly_hash_eq(&now->root, &batch->old_root);
}

static void
row_add(const struct seq_row *r)
{
    struct dbrow *row = TLY_NEW(&sim.arena, struct dbrow, 1);
    TLY_CHECK(row != NULL);
    const struct paper *p = paper_by_payload(&r->entry->payload);
    WANT_SAY(p != NULL && tly_bytes_eq(p->payload, r->bundle->payload),
             "a row of a payload that nobody signed"); /* I2 */
    if (p == NULL) {
        return;
    }
    const struct sent *s = terminals_find(p);
    WANT_SAY(s != NULL && (s->maybe || s->under_way > 0 || s->acked),
             "a row of what nobody sent, or what was answered as not taken"); /* I2, I6 */
    *row = (struct dbrow){.paper          = p,
                          .kind           = r->entry->kind,
                          .branch         = r->branch == NULL ? "" : r->branch,
                          .terminal       = r->terminal == NULL ? "" : r->terminal,
                          .branch_i       = p->branch,
                          .first_envelope = r->entry->first_envelope,
                          .accepted_ms    = r->entry->accepted_ms,
                          .root = merkle_root(book_tree(sim.daemon->service.book), r->position + 1),
                          .held_len = r->entry->held.len};
    WANT(row->held_len <= sizeof row->held);
    WANT(r->position < SIM_ROWS_MAX);
    if (row->held_len > 0) {
        memcpy(row->held, r->entry->held.data, row->held_len);
    }
    sim.db.rows[r->position] = row;
}

static void
store_batch(const struct seq_batch *batch, bool told)
{
    struct dbcommit next = *database_now(&sim.db);
    WANT(batch->new_size == batch->old_size + batch->rows_n && batch->new_size < SIM_ROWS_MAX);
    for (unsigned i = 0; i < batch->rows_n; i++) {
        WANT(batch->rows[i].position == batch->old_size + i);
        row_add(&batch->rows[i]);
    }
    const uint64_t last = next.heads_n == 0 ? 0 : sim.db.heads[next.heads_n - 1].size;
    if (batch->signed_head != NULL && batch->signed_head->size != last) { /* repeats do nothing */
        sim.db.heads[next.heads_n++] = *batch->signed_head;
    }
    sim.evidence_stored += batch->evidence_n;
    next.size = batch->new_size;
    next.root = batch->new_root;
    commit_add(&next, told);
}

enum tly_err
__wrap_store_commit(struct store *store, const struct seq_batch *batch, struct tly_diag *diag)
{
    const enum fate outcome = fate_draw();
    (void)store;
    WANT_SAY(batch->rows_n == 0 || sim.proc->dead || expect_journaled(sim.daemon->journal, batch),
             "a batch is sent before it is on the disk");
    if (outcome == NOT_DONE) {
        return away(diag);
    }
    if (!is_head(database_now(&sim.db), batch)) {
        return tly_fail(diag, TLY_ECORRUPT, "the head is not the one of this batch");
    }
    if (outcome != LOST_NOT_DONE) {
        store_batch(batch, outcome == DONE);
    }
    sim_say("%s: commit of size %llu: %s", sim.daemon->proc.name,
            (unsigned long long)batch->new_size,
            outcome == DONE        ? "done"
            : outcome == WARNED    ? "a warning"
            : outcome == LOST_DONE ? "lost, done"
                                   : "lost, not done");
    if (outcome != DONE || !sim_moment()) {
        return tly_fail(diag, TLY_EUNSURE, "outcome unknown");
    }
    return TLY_OK;
}

enum tly_err
__wrap_store_recover(struct store *store, struct note_head *stored, struct tly_diag *diag)
{
    const enum fate outcome = fate_draw();
    if (outcome == NOT_DONE) {
        return away(diag);
    }
    const struct dbcommit now = *database_now(&sim.db);
    if (now.epoch != store->epoch) {
        return tly_fail(diag, TLY_ECORRUPT, "the head is of another epoch");
    }
    if (outcome != DONE) {
        return away(diag);
    }
    commit_add(&now, true);
    *stored = (struct note_head){now.size, now.root};
    return TLY_OK;
}

/* ---- reading ---- */

static struct store_row
row_show(const struct dbrow *row, uint64_t position)
{
    static const struct paper nothing;
    const struct paper       *p = row->paper == NULL ? &nothing : row->paper;
    const struct envelope    *e = p->is_decision ? &p->decision.envelope : &p->bundle.envelope;
    return (struct store_row){.position       = position,
                              .kind           = row->kind,
                              .branch         = row->branch == NULL ? "" : row->branch,
                              .terminal       = row->terminal == NULL ? "" : row->terminal,
                              .revision       = p->revision,
                              .has_prev       = p->has_prev,
                              .prev           = p->prev,
                              .payload_hash   = p->payload_hash,
                              .envelope_hash  = p->envelope_hash,
                              .first_envelope = row->first_envelope,
                              .payload        = p->payload,
                              .head           = e->head,
                              .tail           = e->tail,
                              .held           = {(const uint8_t *)row->held, row->held_len},
                              .alphabet       = e->alphabet,
                              .accepted_ms    = row->accepted_ms};
}

enum tly_err
__wrap_store_read(struct store *store, uint64_t from, uint64_t to, store_row_fn fn, void *arg,
                  struct tly_diag *diag)
{
    const uint64_t size = database_now(&sim.db)->size;
    (void)store;
    if (is_away()) {
        return away(diag);
    }
    for (uint64_t i = from; i < to && i < size; i++) {
        const struct store_row row = row_show(sim.db.rows[i], i);
        const enum tly_err     err = fn(arg, &row, diag);
        if (err != TLY_OK) {
            return err;
        }
    }
    return is_away() ? away(diag) : TLY_OK;
}

enum tly_err
__wrap_store_heads(struct store *store, store_head_fn fn, void *arg, struct tly_diag *diag)
{
    const unsigned n = database_now(&sim.db)->heads_n;
    (void)store;
    if (is_away()) {
        return away(diag);
    }
    for (unsigned i = 0; i < n; i++) {
        const enum tly_err err = fn(arg, &sim.db.heads[i], diag);
        if (err != TLY_OK) {
            return err;
        }
    }
    return TLY_OK;
}
