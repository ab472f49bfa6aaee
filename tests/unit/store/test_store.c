/* SPDX-License-Identifier: Apache-2.0 */
/* The store against a real PostgreSQL: what is written is read back, what is in doubt is called so
 * and settled, a second writer is refused, the daemon's role can change nothing, unsafe settings
 * are refused, evidence is capped.
 *
 * tests/integration/test_store.sh gives it a cluster: TALLY_TEST_OWNER and TALLY_TEST_DAEMON are
 * connection strings of an empty database's owner (a superuser) and of the daemon's role. */
#include "store/store.h"

#include <libpq-fe.h>
#include <poll.h>
#include <pthread.h>

#include "base/check.h"
#include "sys/clock.h"
#include "sys/sha256.h"
#include "t.h"

#define ROWS 5

static const char *owner, *daemon_conn;
static PGconn     *admin;

/* The first value of a statement's first row, "" when there is none; of an error its SQLSTATE. */
static const char *
sql(PGconn *conn, const char *text)
{
    static _Thread_local char out[256];
    PGresult                 *r = PQexec(conn, text);
    const ExecStatusType      s = PQresultStatus(r);
    if (s != PGRES_TUPLES_OK && s != PGRES_COMMAND_OK) {
        (void)snprintf(out, sizeof out, "%s", PQresultErrorField(r, PG_DIAG_SQLSTATE));
    } else {
        (void)snprintf(out, sizeof out, "%s", PQntuples(r) > 0 ? PQgetvalue(r, 0, 0) : "");
    }
    PQclear(r);
    return out;
}

#define PATIENCE_MS 60000 /* no machine is so busy that what is right takes so long */

/* Polls until the statement's first value is this one. */
static bool
sql_until(PGconn *conn, const char *text, const char *want)
{
    const uint64_t until = clock_mono_ms() + PATIENCE_MS;
    while (strcmp(sql(conn, text), want) != 0) {
        if (clock_mono_ms() >= until) {
            return false;
        }
        (void)poll(NULL, 0, 10);
    }
    return true;
}

/* ---- batches ---- */

struct batch {
    struct seq_batch  b;
    struct book_entry entries[ROWS];
    struct seq_bundle bundles[ROWS];
    struct seq_row    rows[ROWS];
    char              payloads[ROWS][64];
    char              branches[ROWS][24];
    struct book_head  head;
};

static struct tly_hash
hash_of(const char *text, uint64_t n)
{
    char      buffer[64];
    const int len = snprintf(buffer, sizeof buffer, "%s %llu", text, (unsigned long long)n);
    return sys_sha256((struct tly_bytes){(uint8_t *)buffer, (size_t)len});
}

static struct tly_hash
envelope_hash(const struct seq_bundle *b)
{
    char         text[256];
    const size_t b64 = TLY_BASE64_LEN(b->payload.len);
    memcpy(text, b->head.data, b->head.len);
    tly_base64_encode(b->payload, b->alphabet, text + b->head.len);
    memcpy(text + b->head.len + b64, b->tail.data, b->tail.len);
    return sys_sha256((struct tly_bytes){(uint8_t *)text, b->head.len + b64 + b->tail.len});
}

/* Row 3 is a conflict, row 2 is held, row 4 has the largest revision and a prev. */
static void
row_make(struct batch *m, unsigned i, unsigned serial)
{
    struct seq_bundle *b = &m->bundles[i];
    struct book_entry *e = &m->entries[i];
    const int len = snprintf(m->payloads[i], sizeof m->payloads[i], "~~~payload %u %u", serial, i);
    (void)snprintf(m->branches[i], sizeof m->branches[i], "b-%u-%u", serial, i == 3 ? 0 : i);
    *b = (struct seq_bundle){.payload  = {(uint8_t *)m->payloads[i], (size_t)len},
                             .head     = tly_text("{\"payload\":\""),
                             .tail     = tly_text("\",\"x\":1}"),
                             .alphabet = i % 2 == 0 ? TLY_BASE64_STD : TLY_BASE64_URL};
    *e = (struct book_entry){.kind           = i == 3 ? LEAF_CONFLICT : LEAF_BUNDLE,
                             .revision       = i == 4 ? INT32_MAX : 1,
                             .has_prev       = i == 4,
                             .accepted_ms    = 1793232000000 + i,
                             .prev           = hash_of("prev", i),
                             .payload        = sys_sha256(b->payload),
                             .envelope       = envelope_hash(b),
                             .first_envelope = hash_of("first", i)};
    if (i == 2) {
        e->held = tly_text("held c-1 N08,S03\nheld c-2 N02\n");
    }
    m->rows[i] = (struct seq_row){.position = m->b.old_size + i,
                                  .entry    = e,
                                  .bundle   = b,
                                  .branch   = m->branches[i],
                                  .terminal = "t-1"};
}

/* The next batch on this head; serial makes its branches and payloads its own. */
static void
batch_make(struct batch *m, const struct note_head *at, uint64_t epoch, unsigned rows_n,
           unsigned serial)
{
    memset(m, 0, sizeof *m);
    m->b = (struct seq_batch){.old_size = at->size,
                              .new_size = at->size + rows_n,
                              .old_root = at->root,
                              .new_root = rows_n == 0 ? at->root : hash_of("root", serial),
                              .epoch    = epoch,
                              .rows     = m->rows,
                              .rows_n   = rows_n};
    for (unsigned i = 0; i < rows_n; i++) {
        row_make(m, i, serial);
    }
}

static struct note_head
after(const struct batch *m)
{
    return (struct note_head){.size = m->b.new_size, .root = m->b.new_root};
}

/* ---- reading back ---- */

struct reading {
    const struct batch *want; /* rows of this batch are compared */
    uint64_t            n;
    bool                same;
};

static bool
row_same(const struct store_row *row, const struct batch *want, unsigned i)
{
    const struct book_entry *e = &want->entries[i];
    const struct seq_bundle *b = &want->bundles[i];
    return row->kind == e->kind && row->revision == e->revision && row->has_prev == e->has_prev &&
           row->accepted_ms == e->accepted_ms && row->alphabet == b->alphabet &&
           strcmp(row->branch, want->branches[i]) == 0 && strcmp(row->terminal, "t-1") == 0 &&
           tly_bytes_eq(row->payload, b->payload) && tly_bytes_eq(row->held, e->held) &&
           tly_hash_eq(&row->payload_hash, &e->payload) &&
           tly_hash_eq(&row->envelope_hash, &e->envelope) &&
           (!e->has_prev || tly_hash_eq(&row->prev, &e->prev)) &&
           (e->kind != LEAF_CONFLICT || tly_hash_eq(&row->first_envelope, &e->first_envelope));
}

/* A row that was bent in the database is found out. */
static bool
row_bends(const struct store_row *row, struct tly_arena *arena)
{
    struct store_row bent[5] = {*row, *row, *row, *row, *row};
    bool             found   = true;
    struct tly_bytes envelope;
    bent[0].payload_hash.b[31] ^= 1;
    bent[1].envelope_hash.b[0] ^= 1;
    bent[2].tail.len--;
    bent[3].payload.len--;
    bent[4].alphabet = row->alphabet == TLY_BASE64_STD ? TLY_BASE64_URL : TLY_BASE64_STD;
    for (unsigned i = 0; i < TLY_N(bent); i++) {
        found = found && store_row_check(&bent[i], arena, &envelope, NULL) == TLY_ECORRUPT;
    }
    return found;
}

static enum tly_err
read_row(void *arg, const struct store_row *row, struct tly_diag *diag)
{
    struct reading  *r = arg;
    struct tly_arena arena;
    struct tly_bytes envelope;
    tly_arena_init(&arena, (size_t)1 << 20);
    r->n++;
    r->same = r->same && store_row_check(row, &arena, &envelope, diag) == TLY_OK &&
              envelope.len == (row->kind == LEAF_GENESIS ? 0 : store_row_envelope_len(row));
    if (r->want != NULL && row->position >= r->want->b.old_size) {
        r->same = r->same &&
                  row_same(row, r->want, (unsigned)(row->position - r->want->b.old_size)) &&
                  row_bends(row, &arena);
    }
    tly_arena_done(&arena);
    return TLY_OK;
}

static enum tly_err
read_head(void *arg, const struct book_head *head, struct tly_diag *diag)
{
    (void)diag;
    *(struct book_head *)arg = *head;
    return TLY_OK;
}

static enum tly_err
stop_here(void *arg, const struct store_row *row, struct tly_diag *diag)
{
    (void)row;
    return ++*(unsigned *)arg == 2 ? tly_fail(diag, TLY_ELIMIT, "enough") : TLY_OK;
}

struct large_row {
    const struct batch *batch;
    unsigned            n;
    bool                same;
};

static enum tly_err
read_large(void *arg, const struct store_row *row, struct tly_diag *diag)
{
    struct large_row *want = arg;
    (void)diag;
    want->same = want->same && tly_bytes_eq(row->payload, want->batch->bundles[want->n].payload) &&
                 tly_bytes_eq(row->head, want->batch->bundles[want->n].head) &&
                 tly_bytes_eq(row->tail, want->batch->bundles[want->n].tail) &&
                 tly_bytes_eq(row->held, want->batch->entries[want->n].held);
    want->n++;
    return TLY_OK;
}

/* What the database says its head is, by another connection. */
static struct note_head
stored_head(void)
{
    TLY_AUTO(store) struct store *store = NULL;
    struct store_election         e     = {0};
    if (store_open(daemon_conn, &store, NULL) != TLY_OK ||
        store_election(store, &e, NULL) != TLY_OK) {
        T_OK(false, "reading the head");
    }
    return e.head;
}

static bool
head_is(const struct note_head *want)
{
    const struct note_head is = stored_head();
    return is.size == want->size && tly_hash_eq(&is.root, &want->root);
}

/* ---- the tests ---- */

static void
test_migrate(void)
{
    struct store   *store = NULL;
    struct tly_diag diag  = {0};
    unsigned        from = 9, to = 9;
    T_EQ(store_open(owner, &store, &diag), TLY_ECORRUPT, "an empty database is refused");
    T_OK(strstr(diag.text, "tallyctl migrate") != NULL, "and the remedy is said");
    T_EQ(store_migrate(owner, &from, &to, &diag), TLY_OK, "migrate");
    T_OK(from == 0 && to == STORE_SCHEMA_VERSION, "from nothing");
    T_EQ(store_migrate(owner, &from, &to, &diag), TLY_OK, "migrate again");
    T_OK(from == STORE_SCHEMA_VERSION && to == from, "nothing to do");
    T_EQ(store_migrate(daemon_conn, &from, &to, &diag), TLY_ECORRUPT, "the daemon may not migrate");
    T_EQ(store_open(owner, &store, &diag), TLY_ECORRUPT, "the owner's role is refused");
    T_STR(sql(admin, "INSERT INTO tally.schema_version VALUES (99, 'x')"), "", "a newer schema");
    T_EQ(store_migrate(owner, &from, &to, &diag), TLY_ECONFLICT, "is not migrated");
    T_EQ(store_open(daemon_conn, &store, &diag), TLY_ECORRUPT, "nor used");
    T_STR(sql(admin, "DELETE FROM tally.schema_version WHERE version = 99"), "", "back");
    T_EQ(store_open("postgresql://x@/x?host=/nowhere", &store, &diag), TLY_EBUSY, "no server");
    T_OK(store == NULL, "nothing came out");
}

static void
test_genesis(void)
{
    TLY_AUTO(store) struct store *store = NULL;
    struct store_election         e;
    uint64_t                      epoch   = 77;
    bool                          created = false;
    struct leaf                   genesis = {.kind        = LEAF_GENESIS,
                                             .election    = "x-1",
                                             .accepted_ms = 1793231000000,
                                             .definition  = hash_of("definition", 0),
                                             .registry    = hash_of("registry", 0)};
    T_EQ(store_open(daemon_conn, &store, NULL), TLY_OK, "the daemon's role");
    T_EQ(store_election(store, &e, NULL), TLY_ENOENT, "no election yet");
    T_EQ(store_take_over(store, &epoch, NULL), TLY_ENOENT, "nothing to take over");
    T_EQ(epoch, 77, "output untouched");
    T_EQ(store_genesis(daemon_conn, &genesis, &created, NULL), TLY_ECORRUPT,
         "the daemon may not open an election");
    T_EQ(store_genesis(owner, &genesis, &created, NULL), TLY_OK, "opened");
    T_OK(created, "now");
    genesis.accepted_ms++;
    T_EQ(store_genesis(owner, &genesis, &created, NULL), TLY_OK, "again");
    T_OK(!created, "nothing changed");
    genesis.registry = hash_of("registry", 1);
    T_EQ(store_genesis(owner, &genesis, &created, NULL), TLY_ECONFLICT, "another registry");
    genesis.registry = hash_of("registry", 0);
    genesis.election = "x-2";
    T_EQ(store_genesis(owner, &genesis, &created, NULL), TLY_ECONFLICT, "another election");
    T_EQ(store_election(store, &e, NULL), TLY_OK, "the election");
    T_STR(e.code, "x-1", "its code");
    T_OK(e.head.size == 1 && e.epoch == 0, "its head");
    T_OK(tly_hash_eq(&e.definition, &genesis.definition), "its definition");
}

static void
test_batches(struct store *store, uint64_t epoch)
{
    struct batch     m, next, twice;
    struct tly_diag  diag = {0};
    struct note_head at   = stored_head();
    batch_make(&m, &at, epoch, ROWS, 1);
    T_EQ(store_commit(store, &m.b, &diag), TLY_OK, "a batch");
    at = after(&m);
    T_OK(head_is(&at), "moves the head");
    struct reading r = {.want = &m, .same = true};
    T_EQ(store_read(store, 0, m.b.new_size, read_row, &r, &diag), TLY_OK, "reading");
    T_EQ(r.n, 1 + ROWS, "all rows");
    T_OK(r.same, "as they were written");
    unsigned n = 0;
    T_EQ(store_read(store, 1, 6, stop_here, &n, NULL), TLY_ELIMIT,
         "the callback's error comes out");
    T_EQ(n, 2, "and ends the reading");

    batch_make(&next, &at, epoch, 2, 2);
    next.head = (struct book_head){.size = m.b.new_size};
    memset(next.head.sig.b, 7, sizeof next.head.sig.b);
    next.b.signed_head = &next.head;
    T_EQ(store_commit(store, &next.b, &diag), TLY_OK, "another, with a head");
    struct book_head last = {0};
    T_EQ(store_heads(store, read_head, &last, &diag), TLY_OK, "heads");
    T_OK(last.size == m.b.new_size && memcmp(&last.sig, &next.head.sig, 64) == 0, "as signed");

    T_EQ(store_commit(store, &next.b, &diag), TLY_ECORRUPT, "the same batch once more");
    T_OK(strstr(diag.text, "somebody else") != NULL, "is not ours to write");
    T_EQ(store_commit(store, &m.b, NULL), TLY_ECORRUPT, "an old one neither");
    at = after(&next);
    batch_make(&twice, &at, epoch, 1, 1);
    T_EQ(store_commit(store, &twice.b, &diag), TLY_ECORRUPT, "a revision twice");
    T_OK(head_is(&at), "and none of it is there");
    twice.b.rows_n = 0;
    twice.b.old_root.b[0] ^= 1;
    T_EQ(store_commit(store, &twice.b, &diag), TLY_ECORRUPT, "the right size with another root");
    (void)sql(admin, "ALTER TABLE tally.ledger DISABLE TRIGGER refuse; BEGIN; "
                     "DELETE FROM tally.ledger WHERE position = 3");
    (void)sql(admin, "ALTER TABLE tally.ledger ENABLE TRIGGER refuse; COMMIT");
    r = (struct reading){.same = true};
    T_EQ(store_read(store, 0, at.size, read_row, &r, &diag), TLY_ECORRUPT, "a row is missing");
    T_OK(strstr(diag.text, "position 3: no such row") != NULL, "and named");
}

/* The largest parts that doc/formats.md lets in, none of which compresses. */
static void
test_large(struct store *store, uint64_t epoch)
{
    static uint8_t   payload[1 << 20], tail[1 << 19];
    static char      held[16000];
    struct batch     m;
    struct note_head at    = stored_head();
    uint64_t         state = 1;
    for (size_t i = 0; i < sizeof payload; i++) {
        state                 = state * UINT64_C(6364136223846793005) + 1442695040888963407;
        payload[i]            = (uint8_t)(state >> 56);
        tail[i / 2]           = payload[i];
        held[i % sizeof held] = (char)('a' + payload[i] % 26);
    }
    batch_make(&m, &at, epoch, 2, 50);
    m.bundles[0].payload  = (struct tly_bytes){payload, sizeof payload};
    m.entries[0].payload  = sys_sha256(m.bundles[0].payload);
    m.bundles[1].tail     = (struct tly_bytes){tail, sizeof tail};
    m.bundles[1].head     = m.bundles[1].tail;
    m.entries[0].held     = (struct tly_bytes){(uint8_t *)held, sizeof held};
    m.entries[1].held     = m.entries[0].held;
    struct large_row want = {.batch = &m, .same = true};
    T_EQ(store_commit(store, &m.b, NULL), TLY_OK, "the largest parts");
    T_EQ(store_read(store, at.size, at.size + 2, read_large, &want, NULL), TLY_OK, "reading them");
    T_OK(want.same && want.n == 2, "byte for byte");
}

static void
test_second_writer(struct store *store, uint64_t epoch)
{
    TLY_AUTO(store) struct store *other = NULL;
    struct batch                  m;
    uint64_t                      newer = 0;
    struct note_head              at    = stored_head(), got;
    T_EQ(store_open(daemon_conn, &other, NULL), TLY_OK, "a second daemon");
    T_EQ(store_take_over(other, &newer, NULL), TLY_OK, "takes over");
    T_EQ(newer, epoch + 1, "epoch");
    batch_make(&m, &at, epoch, 1, 3);
    T_EQ(store_commit(store, &m.b, NULL), TLY_ECORRUPT, "the first one is refused");
    T_EQ(store_recover(store, &got, NULL), TLY_ECORRUPT, "and its barrier too");
    T_OK(head_is(&at), "nothing was stored");
    m.b.epoch = newer;
    T_EQ(store_commit(other, &m.b, NULL), TLY_OK, "the second one writes");
}

/* ---- doubt ---- */

#define SYNC_WAITS "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
#define LOCK_WAITS "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"

/* A thread that does something once somebody waits. */
struct helper {
    const char *when, *then;
    PGconn     *conn; /* for `then`; NULL: its own */
    bool        met;
    pthread_t   thread;
};

static void *
help(void *arg)
{
    struct helper *h    = arg;
    PGconn        *mine = PQconnectdb(owner);
    h->met              = sql_until(mine, h->when, "1");
    (void)sql(h->conn == NULL ? mine : h->conn, h->then);
    PQfinish(mine);
    return NULL;
}

static void
help_begin(struct helper *h)
{
    T_EQ(pthread_create(&h->thread, NULL, help, h), 0, "a helper");
}

static void
help_end(struct helper *h, const char *what)
{
    (void)pthread_join(h->thread, NULL);
    T_OK(h->met, what);
}

/* Whether a commit waits for a standby now; the server's checkpointer decides that, some time after the
 * settings were read. */
static bool
commit_waits(void)
{
    PGconn *probe = PQconnectdb(owner);
    bool    waits = false;
    TLY_CHECK(PQsendQuery(probe, "SELECT pg_logical_emit_message(true, 'probe', '')") == 1);
    while (PQconsumeInput(probe) == 1 && PQisBusy(probe) == 1 && !waits) {
        waits = strcmp(sql(admin, SYNC_WAITS), "0") != 0;
        (void)poll(NULL, 0, 1);
    }
    if (waits) {
        (void)sql(admin, "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE "
                         "wait_event = 'SyncRep'");
    }
    for (PGresult *r = PQgetResult(probe); r != NULL; r = PQgetResult(probe)) {
        PQclear(r);
    }
    PQfinish(probe);
    return waits;
}

static void
standby_set(const char *name)
{
    char text[128];
    (void)snprintf(text, sizeof text, "ALTER SYSTEM SET synchronous_standby_names = '%s'", name);
    (void)sql(admin, text);
    (void)sql(admin, "SELECT pg_reload_conf()");
}

/* No standby of that name exists: a commit waits for ever. */
static void
standby_missing(void)
{
    const uint64_t until = clock_mono_ms() + PATIENCE_MS;
    standby_set("ghost");
    while (!commit_waits()) {
        if (clock_mono_ms() >= until) {
            T_OK(false, "commits wait for the standby");
            return;
        }
    }
    (void)sql_until(admin, SYNC_WAITS, "0");
}

static void
standby_none(void)
{
    standby_set("");
    T_OK(sql_until(admin, SYNC_WAITS, "0"), "nobody waits any more");
}

/* The commit waits for its standby; `then` ends the wait; it must be in doubt, and is done. */
static void
doubt(struct store *store, uint64_t epoch, unsigned serial, const char *then, const char *what)
{
    struct batch     m;
    struct tly_diag  diag = {0};
    struct note_head at = stored_head(), got = {0};
    struct helper    h     = {.when = SYNC_WAITS, .then = then};
    const uint64_t   until = clock_mono_ms() + PATIENCE_MS;
    enum tly_err     err;
    batch_make(&m, &at, epoch, 2, serial);
    standby_missing();
    help_begin(&h);
    do { /* late before COMMIT is certainly not done, and may be sent again */
        err = store_commit(store, &m.b, &diag);
    } while (err == TLY_EBUSY && clock_mono_ms() < until);
    T_EQ(err, TLY_EUNSURE, what);
    help_end(&h, "it waited for the standby");
    store_set_deadline(store, 200);
    T_EQ(store_recover(store, &got, &diag), TLY_EBUSY, "the barrier waits for the standby too");
    standby_none();
    store_set_deadline(store, 0);
    T_EQ(store_recover(store, &got, &diag), TLY_OK, "the barrier");
    T_OK(got.size == m.b.new_size && tly_hash_eq(&got.root, &m.b.new_root), "it was done");
}

static void
test_doubt(struct store *store, uint64_t epoch)
{
    doubt(store, epoch, 10,
          "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'",
          "a WARNING before the COMMIT tag is doubt");
    doubt(store, epoch, 11,
          "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'",
          "a connection lost in COMMIT is doubt");
    store_set_deadline(store, 300);
    doubt(store, epoch, 12, "SELECT 1", "an answer that does not come in time is doubt");
}

/* The server takes back what it was about to commit: we were not told for certain, and ask. */
static void
test_error_in_commit(struct store *store, uint64_t epoch)
{
    struct batch     m;
    struct note_head at = stored_head(), got = {0};
    T_STR(sql(admin, "CREATE CONSTRAINT TRIGGER late AFTER INSERT ON tally.ledger "
                     "DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION tally.refuse()"),
          "", "a check at COMMIT");
    batch_make(&m, &at, epoch, 2, 60);
    T_EQ(store_commit(store, &m.b, NULL), TLY_EUNSURE, "an error in COMMIT is doubt");
    T_EQ(store_recover(store, &got, NULL), TLY_OK, "the barrier");
    T_OK(got.size == at.size && tly_hash_eq(&got.root, &at.root), "it was not done");
    T_STR(sql(admin, "DROP TRIGGER late ON tally.ledger"), "", "away with it");
    T_EQ(store_commit(store, &m.b, NULL), TLY_OK, "the same batch again");
}

static void
test_lost_before_commit(struct store *store, uint64_t epoch)
{
    struct batch     m;
    struct note_head at = stored_head(), got = {0};
    struct helper    h = {.when = LOCK_WAITS,
                          .then = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE "
                                     "wait_event_type = 'Lock'"};
    batch_make(&m, &at, epoch, 2, 20);
    (void)sql(admin, "BEGIN");
    (void)sql(admin, "SELECT size FROM tally.log_head FOR UPDATE");
    help_begin(&h);
    T_EQ(store_commit(store, &m.b, NULL), TLY_EBUSY, "killed before COMMIT: later");
    help_end(&h, "it waited for the row");
    (void)sql(admin, "ROLLBACK");
    T_OK(head_is(&at), "not done");
    T_EQ(store_commit(store, &m.b, NULL), TLY_OK, "the same batch again");

    (void)sql(admin,
              "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'tallyd'");
    T_OK(sql_until(admin, "SELECT count(*) FROM pg_stat_activity WHERE usename = 'tallyd'", "0"),
         "an idle connection is gone");
    at = after(&m);
    batch_make(&m, &at, epoch, 1, 21);
    T_EQ(store_commit(store, &m.b, NULL), TLY_OK, "it is noticed before a batch is lost to it");

    PGconn *writer = PQconnectdb(owner); /* a commit that is still on its way when we ask */
    (void)sql(writer, "BEGIN");
    (void)sql(writer, "UPDATE tally.log_head SET size = size + 1");
    h = (struct helper){.when = LOCK_WAITS, .then = "COMMIT", .conn = writer};
    help_begin(&h);
    T_EQ(store_recover(store, &got, NULL), TLY_OK, "the barrier");
    help_end(&h, "waited for who holds the row");
    T_EQ(got.size, m.b.new_size + 1, "and saw what he did");
    PQfinish(writer);
    (void)sql(admin, "UPDATE tally.log_head SET size = size - 1");
}

/* Migrating a large table, or behind somebody's lock, takes longer than the daemon may wait. */
static void
test_migrate_waits(void)
{
    PGconn         *holder = PQconnectdb(owner);
    struct tly_diag diag   = {0};
    unsigned        from = 0, to = 0;
    struct helper   h = {.when = LOCK_WAITS, .then = "SELECT pg_sleep(11); COMMIT", .conn = holder};
    TLY_CHECK(STORE_ANSWER_MS < 11000);
    (void)sql(holder, "BEGIN");
    (void)sql(holder, "LOCK TABLE tally.schema_version IN ACCESS EXCLUSIVE MODE");
    help_begin(&h);
    T_EQ(store_migrate(owner, &from, &to, &diag), TLY_OK, "migrate waits for a long statement");
    help_end(&h, "which held a lock");
    PQfinish(holder);
}

/* ---- privileges and settings ---- */

static void
test_privileges(void)
{
    static const char *const forbidden[] = {
        "UPDATE tally.ledger SET revision = 2",
        "DELETE FROM tally.ledger",
        "TRUNCATE tally.ledger",
        "DROP TABLE tally.ledger",
        "ALTER TABLE tally.ledger DISABLE TRIGGER refuse",
        "UPDATE tally.head SET sig = sig",
        "DELETE FROM tally.head",
        "UPDATE tally.evidence SET status = 1",
        "DELETE FROM tally.evidence",
        "UPDATE tally.election SET code = 'y'",
        "INSERT INTO tally.election (code, definition, registry) VALUES ('y', '', '')",
        "DELETE FROM tally.log_head",
        "INSERT INTO tally.log_head (size, root, epoch) VALUES (1, '', 1)",
        "DELETE FROM tally.evidence_sender",
        "DELETE FROM tally.schema_version",
        "CREATE TABLE tally.x ()",
        "CREATE TABLE public.x ()",
        "SET ROLE tally",
    };
    PGconn *conn = PQconnectdb(daemon_conn);
    for (size_t i = 0; i < TLY_N(forbidden); i++) {
        T_STR(sql(conn, forbidden[i]), "42501", forbidden[i]);
    }
    PQfinish(conn);
    T_STR(sql(admin, "UPDATE tally.ledger SET revision = 2"), "P0001", "the owner's seat belt");
    T_STR(sql(admin, "DELETE FROM tally.ledger"), "P0001", "the owner's seat belt");
    T_STR(sql(admin, "TRUNCATE tally.ledger"), "P0001", "the owner's seat belt");
    T_STR(sql(admin, "DELETE FROM tally.log_head"), "P0001", "the owner's seat belt");

    static const char *const loose[][2] = {
        {"GRANT tally TO tallyd", "REVOKE tally FROM tallyd"},
        {"GRANT DELETE ON tally.ledger TO tallyd", "REVOKE DELETE ON tally.ledger FROM tallyd"},
        {"GRANT UPDATE (held) ON tally.ledger TO PUBLIC",
         "REVOKE UPDATE (held) ON tally.ledger FROM PUBLIC"},
        {"ALTER ROLE tallyd SUPERUSER", "ALTER ROLE tallyd NOSUPERUSER"},
    };
    for (size_t i = 0; i < TLY_N(loose); i++) {
        struct store *store = NULL;
        T_STR(sql(admin, loose[i][0]), "", loose[i][0]);
        T_EQ(store_open(daemon_conn, &store, NULL), TLY_ECORRUPT, "such a role is refused");
        T_STR(sql(admin, loose[i][1]), "", loose[i][1]);
        store_close(store);
    }
}

static void
test_settings(struct store *store, uint64_t epoch)
{
    static const char *const unsafe[] = {"fsync", "full_page_writes", "synchronous_commit"};
    struct tly_diag          diag     = {0};
    char                     text[128], show[128];
    for (size_t i = 0; i < TLY_N(unsafe); i++) {
        struct store *other = NULL;
        (void)snprintf(text, sizeof text, "ALTER SYSTEM SET %s = off", unsafe[i]);
        (void)snprintf(show, sizeof show, "SELECT current_setting('%s')", unsafe[i]);
        T_STR(sql(admin, text), "", text);
        (void)sql(admin, "SELECT pg_reload_conf()");
        T_OK(sql_until(admin, show, "off"), "reloaded");
        T_EQ(store_open(daemon_conn, &other, &diag), TLY_ECORRUPT, "refused");
        T_OK(strstr(diag.text, unsafe[i]) != NULL, "and named");
        if (i == 2) { /* a session that is open already */
            struct batch     m;
            struct note_head at = {.size = 0};
            PGconn          *c  = PQconnectdb(daemon_conn);
            T_OK(sql_until(c, show, "off"), "in sessions");
            PQfinish(c);
            (void)sql(admin, "SELECT 1");
            batch_make(&m, &at, epoch, 1, 30);
            m.b.old_size = strtoull(sql(admin, "SELECT size FROM tally.log_head"), NULL, 10);
            m.b.new_size = m.b.old_size + 1;
            PGresult *r  = PQexecParams(admin, "SELECT root FROM tally.log_head", 0, NULL, NULL,
                                        NULL, NULL, 1);
            memcpy(m.b.old_root.b, PQgetvalue(r, 0, 0), 32);
            PQclear(r);
            T_EQ(store_commit(store, &m.b, &diag), TLY_ECORRUPT, "a batch in such a session");
            T_OK(strstr(diag.text, "synchronous_commit") != NULL, "is refused for that");
            T_EQ(strtoull(sql(admin, "SELECT size FROM tally.log_head"), NULL, 10), m.b.old_size,
                 "and not done");
        }
        (void)snprintf(text, sizeof text, "ALTER SYSTEM RESET %s", unsafe[i]);
        (void)sql(admin, text);
        (void)sql(admin, "SELECT pg_reload_conf()");
        T_OK(sql_until(admin, show, "on"), "back");
        store_close(other);
    }
    struct store *other = NULL;
    (void)sql(admin, "ALTER ROLE tallyd SET synchronous_commit = local");
    T_EQ(store_open(daemon_conn, &other, &diag), TLY_ECORRUPT, "a role's own setting counts too");
    (void)sql(admin, "ALTER ROLE tallyd RESET synchronous_commit");
}

/* ---- evidence ---- */

static void
test_evidence(struct store *store, uint64_t epoch)
{
    enum { N = 300 };
    static struct seq_evidence        list[N];
    static const struct seq_evidence *pointers[N];
    static uint8_t                    big[1 << 20];
    struct batch                      m;
    struct note_head                  at = stored_head();
    for (unsigned round = 0; round < 5; round++) { /* 4 rounds of different bodies, one again */
        for (unsigned i = 0; i < N; i++) {
            list[i]     = (struct seq_evidence){.sender    = hash_of("sender", 1),
                                                .body      = tly_text("\x01 not utf-8 \xff"),
                                                .body_hash = hash_of("body", round % 4 * N + i),
                                                .body_len  = 9000,
                                                .status    = 400,
                                                .code      = "S01",
                                                .detail    = "at \xff\x01 byte"};
            pointers[i] = &list[i];
        }
        batch_make(&m, &at, epoch, 0, 40);
        m.b.evidence   = pointers;
        m.b.evidence_n = N;
        T_EQ(store_commit(store, &m.b, NULL), TLY_OK, "evidence alone");
    }
    T_STR(sql(admin, "SELECT count(*) FROM tally.evidence"), "1000", "a sender's rows are capped");
    T_STR(sql(admin, "SELECT dropped FROM tally.evidence_sender"), "200",
          "the rest is counted, and what is there already is not kept twice");
    T_STR(sql(admin, "SELECT detail FROM tally.evidence LIMIT 1"), "at ?? byte", "readable");
    T_STR(sql(admin, "SELECT encode(body, 'hex') FROM tally.evidence LIMIT 1"),
          "01206e6f74207574662d3820ff", "exact");
    for (unsigned i = 0; i < 20; i++) {
        list[i] = (struct seq_evidence){.sender    = hash_of("sender", 2),
                                        .body      = {big, sizeof big},
                                        .body_hash = hash_of("big", i),
                                        .body_len  = sizeof big,
                                        .status    = 413,
                                        .code      = "too_large",
                                        .detail    = ""};
    }
    for (unsigned i = 0; i < 20; i += 5) {
        batch_make(&m, &at, epoch, 0, 41);
        m.b.evidence   = pointers + i;
        m.b.evidence_n = 5;
        T_EQ(store_commit(store, &m.b, NULL), TLY_OK, "large evidence");
    }
    T_STR(
        sql(admin, "SELECT kept_n || ' ' || dropped FROM tally.evidence_sender WHERE bytes > 1e6"),
        "16 4", "a sender's bytes are capped, and another sender's rows do not count");
    T_OK(head_is(&at), "the ledger did not move");
}

int
main(void)
{
    struct store *store = NULL;
    uint64_t      epoch = 0;
    owner               = getenv("TALLY_TEST_OWNER");
    daemon_conn         = getenv("TALLY_TEST_DAEMON");
    if (owner == NULL || daemon_conn == NULL) {
        T_SKIP("the store", "runs in tests/integration/test_store.sh, which has a database for it");
        return T_DONE();
    }
    admin = PQconnectdb(owner);
    test_migrate();
    test_genesis();
    /* Warnings must reach us whatever the role says. */
    (void)sql(admin, "ALTER ROLE tallyd SET client_min_messages = error");
    T_EQ(store_open(daemon_conn, &store, NULL), TLY_OK, "open");
    T_EQ(store_take_over(store, &epoch, NULL), TLY_OK, "take over");
    T_EQ(epoch, 1, "first epoch");
    test_batches(store, epoch);
    test_large(store, epoch);
    test_second_writer(store, epoch);
    T_EQ(store_take_over(store, &epoch, NULL), TLY_OK, "take over again");
    test_doubt(store, epoch);
    test_error_in_commit(store, epoch);
    test_lost_before_commit(store, epoch);
    test_migrate_waits();
    test_evidence(store, epoch);
    test_privileges();
    test_settings(store, epoch);
    store_close(store);
    PQfinish(admin);
    return T_DONE();
}
