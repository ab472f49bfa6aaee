/* SPDX-License-Identifier: Apache-2.0 */
/* One run: some lives of daemons, with whatever happens in and between them; then all faults end, what
 * has to be put right by hand is, and everything that was ever sent gets its last answer. */
#include <stdarg.h>
#include <stdio.h>

#include "daemons.h"

struct world sim;

/* ---- chance ---- */

uint64_t
sim_rnd(void) /* splitmix64 */
{
    uint64_t z = (sim.rnd += UINT64_C(0x9E3779B97F4A7C15));
    z          = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z          = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

uint64_t
sim_below(uint64_t n)
{
    return sim_rnd() % n;
}

bool
sim_chance(unsigned per_mille)
{
    return sim_rnd() % 1000 < per_mille;
}

/* ---- saying ---- */

void
sim_say(const char *format, ...)
{
    va_list args;
    if (!sim.verbose) {
        return;
    }
    printf("# ");
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    printf("\n");
}

void
sim_wrong(const char *file, int line, const char *format, ...)
{
    char    text[400];
    va_list args;
    if (sim.wrong[0] != '\0') {
        return;
    }
    const char *name = strrchr(file, '/');
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    (void)snprintf(sim.wrong, sizeof sim.wrong, "%s (%s:%d)", text, name == NULL ? file : name + 1,
                   line);
    sim_say("WRONG: %s", sim.wrong);
}

/* ---- what may happen at any moment ---- */

void
sim_die(struct proc *proc, bool power)
{
    proc->dead = true;
    sim.deaths++;
    sim.powers += power;
    sim_say("%s: %s", proc->name, power ? "power failure" : "killed");
    disk_close_all(proc);
    for (struct daemon *d = sim.daemon; power && d != NULL; d = d->outer) {
        if (d->proc.host == proc->host) {
            d->proc.dead = true;
            disk_close_all(&d->proc);
        }
    }
    if (power) {
        disk_power(proc->host);
    }
}

void
sim_cause(bool outer, unsigned causes)
{
    for (struct daemon *d = sim.daemon; d != NULL; d = d->outer) {
        d->proc.causes |= outer && d == sim.daemon ? 0 : causes;
    }
}

static void
signer_turn(void)
{
    if (sim_chance(sim.odds.signer)) {
        if (sim_below(4) == 0) {
            signer_power();
        } else {
            signer_kill();
        }
    }
    if (sim_chance(sim.odds.signer_back) && !sim.signer_went_back && !sim.db_went_back) {
        signer_put_back(false);
        sim_cause(false, sim.signer_went_back ? CAUSE_SIGNER | CAUSE_MOVED : 0);
    }
}

static void
database_turn(void)
{
    if (sim_chance(sim.odds.fail)) {
        database_failover();
    }
    if (sim_chance(sim.odds.rollback) && !sim.signer_went_back) {
        database_back(1 + (unsigned)sim_below(sim_below(4) == 0 ? 40 : 6));
    }
}

bool
sim_moment(void)
{
    struct proc *proc = sim.proc;
    if (proc == NULL || proc->dead) {
        return proc == NULL;
    }
    if (sim_chance(sim.odds.crash)) {
        sim_die(proc, false);
    } else if (sim_chance(sim.odds.power)) {
        sim_die(proc, true);
        if (sim.odds.rollback > 0 && sim_below(5) == 0 && !sim.signer_went_back) {
            database_back(1 + (unsigned)sim_below(3)); /* it stood in the same house */
        }
    }
    if (proc->dead || proc->host == SIM_SIGNER) {
        return !proc->dead;
    }
    database_turn();
    signer_turn();
    if (sim.daemon->outer == NULL && sim_chance(sim.odds.second)) {
        sim.seconds++;
        const unsigned host = sim_below(5) == 0 ? proc->host : 1 - proc->host;
        (void)daemon_life(host, 1 + (unsigned)sim_below(6), false);
    }
    return !proc->dead;
}

/* ---- a run ---- */

/* Each run has its own mixture: some faults often, some never. */
static void
odds_draw(struct odds *o)
{
    const unsigned scale[] = {0, 0, 1, 3, 10};
    unsigned      *all[]   = {&o->crash,  &o->power,       &o->fail, &o->rollback,
                              &o->signer, &o->signer_back, &o->eio,  &o->second};
    for (unsigned i = 0; i < TLY_N(all); i++) {
        *all[i] = scale[sim_below(TLY_N(scale))];
    }
    o->away   = 5 * scale[sim_below(TLY_N(scale))];
    o->lost   = 10 * scale[sim_below(TLY_N(scale))];
    o->warned = 10 * scale[sim_below(TLY_N(scale))];
    o->slow   = 5 * scale[sim_below(TLY_N(scale))];
    o->clock  = 100;
    o->fail *= 5;
    o->signer *= 3;
}

static void
begin(uint64_t seed, bool verbose)
{
    struct tly_arena none = {0};
    sim.seed              = seed;
    sim.rnd               = seed;
    sim.verbose           = verbose;
    sim.mono_ms           = 1000000;
    sim.unix_ms           = 5000000;
    sim.wrong[0]          = '\0';
    sim.odds              = (struct odds){0};
    sim.arena             = none;
    sim.proc              = NULL;
    sim.daemon            = NULL;
    sim.sent_n            = 0;
    sim.signer_newest     = 0;
    sim.evidence_kept = sim.evidence_stored = 0;
    sim.db_went_back = sim.signer_went_back = sim.db_ever_back = false;
    memset(sim.heads, 0, sizeof sim.heads);
    tly_arena_init(&sim.arena, (size_t)16 << 20);
    disk_begin();
    expect_new_journal("/sim/a/journal");
    expect_new_journal("/sim/b/journal");
    database_begin();
    signer_begin();
    sim.half_bytes = (size_t)(8 << sim_below(3)) << 10;
    odds_draw(&sim.odds);
}

/* Who runs the election looks at what is wrong, and puts back what is right. */
static void
mend(unsigned host)
{
    const char *why = "";
    char        journal[32];
    (void)snprintf(journal, sizeof journal, "/sim/%c/journal", (char)('a' + (int)host));
    if (expect_go_on(journal, &why)) {
        return;
    }
    if (sim.db_went_back) {
        database_restore();
    }
    if (sim.signer_went_back) {
        signer_put_back(true);
    }
    if (!expect_go_on(journal,
                      &why)) { /* another daemon's batches stand in the places of its own */
        sim_say("%s: its journal is put aside: %s", journal, why);
        disk_remove(journal);
        expect_new_journal(journal);
    }
    WANT_SAY(expect_go_on(journal, &why), "nothing mends it: %s", why);
}

static void
between(void)
{
    if (sim_chance(20 * sim.odds.power)) {
        disk_power(0);
    }
    database_turn();
    signer_turn();
}

static void
finish(void)
{
    sim_say("all faults end");
    sim.odds = (struct odds){0};
    mend(0);
    const bool on = daemon_life(0, SIM_SENT_MAX, true);
    WANT(on);
    for (unsigned i = 0; i < sim.sent_n; i++) {
        WANT(sim.sent[i].under_way == 0);
    }
}

bool
sim_run(uint64_t seed, bool verbose)
{
    begin(seed, verbose);
    const unsigned lives = 2 + (unsigned)sim_below(4);
    for (unsigned i = 0; i < lives && sim.wrong[0] == '\0'; i++) {
        const unsigned host = sim_below(5) == 0 ? 1 : 0;
        if (!daemon_life(host, 1 + (unsigned)sim_below(12), false) && sim_below(2) == 0) {
            mend(host);
        }
        between();
    }
    if (sim.wrong[0] == '\0') {
        finish();
    }
    signer_done();
    tly_arena_done(&sim.arena);
    return sim.wrong[0] == '\0';
}
