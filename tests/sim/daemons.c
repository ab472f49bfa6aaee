/* SPDX-License-Identifier: Apache-2.0 */
/* A daemon's life: service_start(), service_sequence() and service_stop() as they are; what comes to it
 * from terminals, and whether it may end as it did. */
#include "daemons.h"

#include <stdio.h>
#include <stdlib.h>

#include "edges.h"

/* ---- requests and answers ---- */

bool
__wrap_queue_drained(struct queue *queue)
{
    (void)queue;
    return sim.daemon->over || sim.daemon->proc.dead || sim.wrong[0] != '\0';
}

/* In the last life whatever is not settled is sent until it is. */
static struct request *
final_request(struct daemon *d)
{
    while (d->final_i < sim.sent_n && sim.sent[d->final_i].acked) {
        d->final_i++;
    }
    if (d->final_i == sim.sent_n) {
        d->over = true;
        return NULL;
    }
    return terminals_resend(&sim.sent[d->final_i++]);
}

size_t
__wrap_queue_take(struct queue *queue, void *items[], size_t items_max, uint64_t deadline_ms)
{
    struct daemon *d = sim.daemon;
    size_t         n = 0;
    (void)queue;
    if (!sim_moment()) {
        return 0;
    }
    if (d->batches == 0) {
        d->over = true;
        return 0;
    }
    d->batches--;
    const size_t want = sim_below(5) == 0 ? 0 : 1 + sim_below(SIM_BATCH_MAX);
    while (n < want && n < items_max && d->live_n < TLY_N(d->live)) {
        struct request *r = d->final ? final_request(d) : terminals_send();
        if (r == NULL) {
            break;
        }
        d->live[d->live_n++] = r;
        items[n++]           = &r->item;
    }
    if (n == 0 && deadline_ms < UINT64_MAX / 4 && deadline_ms > sim.mono_ms) {
        sim.mono_ms = deadline_ms;
    }
    return n;
}

void
api_answer(struct api_state *state, struct seq_item *item)
{
    struct daemon  *d = sim.daemon;
    struct request *r = item->user;
    unsigned        i = 0;
    (void)state;
    if (d->proc.dead) {
        return; /* goes with the process */
    }
    while (i < d->live_n && d->live[i] != r) {
        i++;
    }
    WANT_SAY(i < d->live_n, "a request is answered twice");
    if (i == d->live_n) {
        return;
    }
    d->live[i] = d->live[--d->live_n];
    WANT(d->brackets == 0);
    terminals_answer(item, d->shown);
    request_free(r);
}

/* ---- a life ---- */

static void
requests_drop(struct daemon *d)
{
    while (d->live_n > 0) {
        struct request *r = d->live[--d->live_n];
        if (r->sent != NULL) {
            r->sent->maybe = true;
        }
        request_free(r);
    }
}

/* It started: is that right, and is everything there? */
static void
started(struct daemon *d, bool may, const char *why)
{
    const struct service *s = &d->service;
    WANT_SAY(may || (d->proc.causes & CAUSE_MOVED) != 0, "%s goes on, although %s", d->proc.name,
             why);
    if (d->proc.dead) {
        return;
    }
    WANT(seq_state(s->seq) == SEQ_IDLE);
    const struct dbcommit *now = database_now(&sim.db); /* I7 */
    if ((d->proc.causes & CAUSE_STORE) == 0) {
        WANT(now->size == book_size(s->book));
        check_kept(s->book);
    }
}

static void
ended(const struct daemon *d, enum tly_err err, bool may, const char *text)
{
    const unsigned causes = d->proc.causes;
    if (err == TLY_EBUSY || err == TLY_ELIMIT) {
        WANT_SAY((causes & CAUSE_AWAY) != 0, "%s gives up, and nothing was away: %s", d->proc.name,
                 text);
    } else if (err == TLY_EIO) {
        WANT_SAY((causes & CAUSE_DISK) != 0, "%s gives up, and its disk is fine: %s", d->proc.name,
                 text);
    } else if (err == TLY_ECONFLICT) { /* started twice on one machine */
        WANT_SAY(d->outer != NULL && d->outer->proc.host == d->proc.host, "%s: %s", d->proc.name,
                 text);
    } else {
        WANT_SAY(!may || (causes & ~(unsigned)CAUSE_AWAY) != 0,
                 "%s refuses to go on without a reason: %s", d->proc.name, text);
        sim.refused++;
    }
}

static void
run(struct daemon *d)
{
    (void)d->thread(d->thread_arg);
    if (d->proc.dead || !atomic_load(&d->service.failed)) {
        return;
    }
    sim.failed++;
    WANT_SAY((d->proc.causes & (CAUSE_DISK | CAUSE_STORE | CAUSE_SIGNER)) != 0,
             "%s stops for good without a reason", d->proc.name);
}

bool
daemon_life(unsigned host, unsigned batches, bool final)
{
    static const char *const names[] = {"A", "B"};
    struct daemon           *d       = calloc(1, sizeof *d);
    struct tly_diag          diag    = {0};
    const char              *why     = "";
    struct proc             *caller  = sim.proc;
    TLY_CHECK(d != NULL);
    d->proc    = (struct proc){.name = names[host], .host = host};
    d->outer   = sim.daemon;
    d->batches = batches;
    d->final   = final;
    (void)snprintf(d->journal, sizeof d->journal, "/sim/%c/journal", (char)('a' + (int)host));
    d->settings         = (struct settings){.database      = "",
                                            .journal       = d->journal,
                                            .journal_bytes = 2 * sim.half_bytes,
                                            .signer        = "signer",
                                            .log_vkey      = "",
                                            .signer_ms     = 100};
    d->service.settings = &d->settings;
    bool may            = expect_go_on(d->journal, &why);
    d->proc.causes      = sim.unsure ? CAUSE_MOVED : 0;
    const bool taken =
        d->outer != NULL && d->outer->proc.host == host && d->outer->service.journal != NULL;
    sim.daemon = d;
    sim.proc   = &d->proc;
    sim_say("%s starts%s%s", d->proc.name, may ? "" : "; it must refuse: ", may ? "" : why);
    const enum tly_err err = service_start(&d->service, NULL, &diag);
    if (err == TLY_OK) {
        WANT_SAY(!taken, "two daemons have one journal");
        started(d, may, why);
        run(d);
    } else if (!d->proc.dead) {
        sim_say("%s: %s: %s", d->proc.name, tly_err_name(err), diag.text);
        ended(d, err, may, diag.text);
    }
    if (d->service.book != NULL && err == TLY_OK && !d->proc.dead &&
        (d->proc.causes & CAUSE_STORE) == 0) {
        check_kept(d->service.book);
    }
    service_stop(&d->service);
    disk_close_all(&d->proc);
    requests_drop(d);
    const bool refused = err != TLY_OK && err != TLY_EBUSY && err != TLY_ELIMIT && !d->proc.dead;
    sim.daemon         = d->outer;
    sim.proc           = caller;
    free(d);
    return !refused;
}
