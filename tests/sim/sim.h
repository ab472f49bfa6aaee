/* SPDX-License-Identifier: Apache-2.0 */
/* The simulator's world: machines with disks, one database, one signer, terminals, and daemons whose
 * code is the real one from service_start() to service_stop(); only what lies outside the processes
 * is made here.  One seed is one run: whatever chance decides is drawn from it.
 *
 * A process that died goes on as a ghost until it has unwound: nothing that it does has an effect
 * any more, and every call that it makes fails. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/check.h"
#include "core/bundle.h"
#include "core/decision.h"

#define SIM_BRANCHES  5
#define SIM_HOSTS     3 /* two daemons' and the signer's */
#define SIM_SIGNER    2
#define SIM_ROWS_MAX  500
#define SIM_SENT_MAX  500
#define SIM_BATCH_MAX 6 /* items that come at once: their frame fits into the smallest journal */

struct world;

/* ---- chance (world.c) ---- */

uint64_t sim_rnd(void);
uint64_t sim_below(uint64_t n);          /* 0 to n - 1 */
bool     sim_chance(unsigned per_mille); /* never for 0: draws all the same */

/* ---- processes ---- */

struct proc {
    const char *name;
    unsigned    host;
    bool        dead;
    unsigned    causes; /* enum cause */
};

/* How often what happens, per mille of the moments where it can. */
struct odds {
    unsigned crash, power;             /* a daemon is killed; its machine loses power */
    unsigned away, lost, warned, fail; /* the database; fail: its standby takes over */
    unsigned rollback;                 /* an older copy of the database is put into its place */
    unsigned signer, signer_back;      /* the signer; an older copy of its state */
    unsigned eio, slow;                /* a disk: errors; short and interrupted calls */
    unsigned second;                   /* another daemon is started */
    unsigned clock;                    /* the clock is set back */
};

/* Why a daemon may stop for good, or refuse to start. */
enum cause {
    CAUSE_DISK   = 1 << 0, /* an error of its disk */
    CAUSE_STORE  = 1 << 1, /* the database went back, or somebody else took over */
    CAUSE_SIGNER = 1 << 2, /* the signer's state went back */
    CAUSE_MOVED  = 1 << 4, /* somebody else's commit, or one lost, since it read the database */
    CAUSE_AWAY   = 1 << 3  /* database or signer were away: it may give up, or be told to stop */
};

struct daemon; /* daemons.h */

/* ---- terminals and officers (papers.c: what they sign; terminals.c: what they send) ---- */

/* What somebody signed, and what reading it gives.  The same paper in every run: made once. */
struct paper {
    struct paper    *next, *next_bytes, *next_payload; /* of its cells */
    uint64_t         key; /* what it says, as a number: equal keys are equal papers */
    bool             is_decision;
    enum policy_kind kind;
    uint32_t         branch, revision, votes;
    bool             held, cosigned, has_prev;
    struct tly_bytes envelope, payload;
    struct tly_hash  payload_hash, envelope_hash, prev;
    bool             was_read;
    struct bundle    bundle;
    struct decision  decision;
};

/* One that was sent in this run. */
struct sent {
    const struct paper *paper;
    bool                acked; /* with a receipt */
    bool                maybe; /* it may be logged, or come to be, whatever is under way */
    unsigned            under_way;
    uint64_t            index;
    struct note_head    head;
    uint8_t            *receipt;
    size_t              receipt_len;
};

/* A request: all memory of an item is its own and goes with the answer. */
struct request {
    struct seq_item  item;
    struct tly_arena arena;
    struct bundle    bundle;
    struct decision  decision;
    struct sent     *sent; /* NULL: evidence */
};

void                      papers_init(void);
void                      papers_done(void);
const struct paper       *paper_bundle(uint32_t branch, uint32_t revision, uint32_t variant,
                                       const struct paper *prev, bool cosigned);
const struct paper       *paper_decision(enum policy_kind kind, uint32_t branch, uint64_t position);
const struct paper       *paper_by_payload(const struct tly_hash *payload);
struct election          *papers_election(void);
struct registry          *papers_registry(void);
const struct note_vkey   *papers_vkey(void);
const struct sign_secret *papers_log_secret(void);

struct request *terminals_send(void); /* the next item, whatever somebody wants now */
struct request *terminals_resend(struct sent *s);
void            terminals_answer(struct seq_item *item, uint64_t shown);
struct sent    *terminals_find(const struct paper *paper); /* NULL: nobody sent it */
void            request_free(struct request *r);

/* ---- the database (database.c) ---- */

struct dbrow {
    const struct paper *paper; /* NULL: genesis */
    enum leaf_kind      kind;
    const char         *branch, *terminal;
    uint32_t            branch_i;
    struct tly_hash     first_envelope;
    uint64_t            accepted_ms;
    struct tly_hash     root; /* of the ledger that ends with it */
    char                held[64];
    size_t              held_len;
};

/* A commit: how the database stood after it. */
struct dbcommit {
    uint64_t        size, epoch;
    struct tly_hash root;
    unsigned        heads_n;
};

struct database {
    const struct dbrow *rows[SIM_ROWS_MAX];
    struct book_head    heads[SIM_ROWS_MAX];
    struct dbcommit     commits[SIM_ROWS_MAX * 4];
    unsigned            commits_n;
    unsigned            copied; /* commits that a standby has, too */
};

const struct dbcommit *database_now(const struct database *db);
const struct dbcommit *database_of_size(const struct database *db, uint64_t size);
void                   database_begin(void);
void                   database_failover(void);
void database_back(unsigned commits); /* an older copy: so many commits are gone */
void database_restore(void);          /* the newest one again */
/* The commit of that size, also of the database that an older copy stands in for. */
const struct dbcommit *database_ever(uint64_t size);

/* ---- disks (disk.c, files.c) ---- */

void disk_begin(void);
void files_begin(void);
void disk_close_all(const struct proc *proc); /* its files and locks go with a process */
void disk_power(unsigned host);               /* what was not synced is lost, or part of it */
void disk_remove(const char *prefix);
/* The bytes of a file, as processes see it or (durable) as a power failure leaves it; NULL: none. */
const uint8_t *disk_look(const char *path, bool durable, size_t *len);
/* A file as processes see it, to be put back later; NULL: no such file.  The caller frees it. */
uint8_t *disk_copy(const char *path, size_t *len);
void     disk_put(const char *path, const uint8_t *data, size_t len);

/* ---- the signer (signer.c) ---- */

void signer_begin(void);
void signer_done(void);
void signer_kill(void);
void signer_power(void);
void signer_put_back(bool newest);       /* an older copy of its state, or the newest again */
bool signer_last(struct note_head *out); /* what it remembers; false: it cannot start */

/* ---- what must hold (checks.c, expect.c) ---- */

void sim_wrong(const char *file, int line, const char *format, ...) TLY_PRINTF(3, 4);
#define WANT(cond)                                                                                 \
    do {                                                                                           \
        if (!(cond)) {                                                                             \
            sim_wrong(__FILE__, __LINE__, "%s", #cond);                                            \
        }                                                                                          \
    } while (0)
#define WANT_SAY(cond, ...)                                                                        \
    do {                                                                                           \
        if (!(cond)) {                                                                             \
            sim_wrong(__FILE__, __LINE__, __VA_ARGS__);                                            \
        }                                                                                          \
    } while (0)

/* Every answer of the signer that goes on its way is looked at. */
void check_signed(const struct note_head *head); /* the signer gives this one away */
void check_shown(const struct book *book, const struct tally *tally); /* and this is shown */
void check_receipt(struct sent *s, const struct seq_item *item, uint64_t shown);
void check_kept(const struct book *book); /* what was acknowledged, and every head */
/* May a daemon of this host go on?  By what lies on the disks now; why: in words. */
/* sim.unsure: what lies there does not tell. */
bool expect_go_on(const char *journal, const char **why);

/* Is the batch on the disk, whatever happens? */
bool expect_journaled(const char *journal, const struct seq_batch *batch);
void expect_new_journal(const char *journal); /* it begins anew */

/* ---- the run (world.c) ---- */

struct world {
    uint64_t         seed, rnd;
    uint64_t         mono_ms, unix_ms;
    bool             verbose;
    char             wrong[512]; /* the first promise that was broken; empty: none */
    struct odds      odds;
    size_t           half_bytes;
    struct tly_arena arena;        /* of rows; goes with the run */
    struct database db, db_before; /* before: the newest one, while an older copy is in its place */
    bool            unsure;        /* expect_go_on() */
    bool            db_went_back, signer_went_back, db_ever_back;
    struct proc    *proc; /* who is running */
    struct daemon  *daemon;
    struct sent     sent[SIM_SENT_MAX];
    unsigned        sent_n, evidence_kept, evidence_stored;
    struct note_head
             heads[SIM_ROWS_MAX]; /* every head that left the signer, by size; size 0: none */
    uint64_t signer_newest;       /* size of its newest head, while an older one is remembered */
    unsigned deaths, powers, redone, refused, seconds, failed; /* how much of it there was */
};

extern struct world sim;

void sim_say(const char *format, ...) TLY_PRINTF(1, 2);
/* A moment in the life of the process that is running: it may die, and the world may turn.  false:
 * it is dead. */
bool sim_moment(void);
void sim_cause(bool outer, unsigned causes); /* for every daemon, or for those around this one */
void sim_die(struct proc *proc, bool power);
bool sim_run(uint64_t seed, bool verbose);
