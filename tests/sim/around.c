/* SPDX-License-Identifier: Apache-2.0 */
/* What is around a daemon and has no part in the ledger: packages, listeners, threads, the published
 * folder's files, clocks, the log.  Readers of the snapshot are check_shown(). */
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "daemon/scrub/scrub.h"
#include "daemons.h"
#include "edges.h"
#include "sys/clock.h"
#include "sys/log.h"
#include "sys/team.h"

#define ASKED_MAX 400 /* who waits so long in a world that comes back waits for ever */

/* ---- ground, listeners, threads ---- */

enum tly_err
ground_listeners_check(const struct settings *settings, struct tly_diag *diag)
{
    (void)settings;
    (void)diag;
    return TLY_OK;
}

enum tly_err
ground_load(const struct settings *settings, const char *config_file, struct ground *out,
            struct tly_diag *diag)
{
    (void)settings;
    (void)config_file;
    (void)diag;
    *out = (struct ground){
        .election = papers_election(), .registry = papers_registry(), .vkey = *papers_vkey()};
    return TLY_OK;
}

void
ground_done(struct ground *ground)
{
    (void)ground;
}

struct http_server {
    int none;
};

enum tly_err
http_server_start(const struct http_config *config, struct http_server **out, struct tly_diag *diag)
{
    static struct http_server server;
    (void)config;
    (void)diag;
    *out = &server;
    return TLY_OK;
}

uint16_t
http_server_port(const struct http_server *server)
{
    (void)server;
    return 1;
}

void
http_server_quiesce(struct http_server *server)
{
    (void)server;
}

void
http_server_stop(struct http_server *server, unsigned wait_ms)
{
    (void)server;
    (void)wait_ms;
}

/* The sequencer's thread runs when the main one would wait for it. */
int
__wrap_pthread_create(pthread_t *out, const pthread_attr_t *attr, void *(*fn)(void *), void *arg)
{
    (void)attr;
    *out                   = 0;
    sim.daemon->thread     = fn;
    sim.daemon->thread_arg = arg;
    return 0;
}

int
__wrap_pthread_join(pthread_t thread, void **out)
{
    (void)thread;
    (void)out;
    return 0;
}

long
__wrap_sysconf(int name)
{
    return name == _SC_NPROCESSORS_ONLN ? 1 : __real_sysconf(name);
}

struct team {
    int none;
};

enum tly_err
team_new(unsigned threads_n, struct team **out, struct tly_diag *diag)
{
    static struct team team;
    (void)threads_n;
    (void)diag;
    *out = &team;
    return TLY_OK;
}

void
team_free(struct team *team)
{
    (void)team;
}

void
team_begin(struct team *team, team_job job, void *arg, size_t n)
{
    (void)team;
    for (size_t i = 0; i < n; i++) {
        job(arg, i);
    }
}

void
team_wait(struct team *team)
{
    (void)team;
}

bool
service_told_to_stop(unsigned wait_ms)
{
    struct daemon *d = sim.daemon;
    sim.mono_ms += wait_ms;
    if (wait_ms > 0 && !d->proc.dead) {
        d->asked++;
        WANT_SAY(d->asked < ASKED_MAX, "a daemon waits for ever");
        d->over = d->over || d->asked >= ASKED_MAX || (!d->final && sim_below(8) == 0);
    }
    return d->over || d->proc.dead || sim.wrong[0] != '\0';
}

/* ---- clocks and log ---- */

uint64_t
clock_mono_us(void)
{
    return ++sim.mono_ms * 1000;
}

uint64_t
clock_mono_ms(void)
{
    return ++sim.mono_ms;
}

uint64_t
clock_unix_ms(void)
{
    sim.unix_ms += sim_below(7);
    if (sim_chance(sim.odds.clock)) {
        sim.unix_ms -= 500;
    }
    return sim.unix_ms;
}

void
__wrap_log_event(int level, const char *event, const char *format, ...)
{
    va_list args;
    if (!sim.verbose || level > LOG_NOTICE) {
        return;
    }
    printf("#   %s%s: %s ", sim.proc == NULL ? "" : sim.proc->name,
           sim.proc != NULL && sim.proc->dead ? " (a ghost)" : "", event);
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    printf("\n");
}

/* ---- what is shown ---- */

enum tly_err
api_state_new(const struct api_config *config, struct api_state **out, struct tly_diag *diag)
{
    (void)config;
    (void)diag;
    *out = (struct api_state *)sim.daemon;
    return TLY_OK;
}

void
api_state_free(struct api_state *state)
{
    (void)state;
}

void
api_drain(struct api_state *state)
{
    (void)state;
}

void *
api_arg(struct api_state *state, enum api_listener listener)
{
    (void)listener;
    return state;
}

enum http_next
api_handle(void *arg, struct http_req *req)
{
    (void)arg;
    (void)req;
    TLY_CHECK(false);
    return HTTP_WAIT;
}

bool
api_allow(void *arg, const struct tly_hash *cert, unsigned *connections_max)
{
    (void)arg;
    (void)cert;
    (void)connections_max;
    return false;
}

size_t
api_body_max(void *arg, const struct http_peer *peer, const char *method, const char *path)
{
    (void)arg;
    (void)peer;
    (void)method;
    (void)path;
    return 0;
}

void
api_set_health(struct api_state *state, enum api_health health)
{
    (void)state;
    (void)health;
}

void
api_set_published(struct api_state *state, uint64_t size)
{
    (void)state;
    (void)size;
}

void
api_set_server(struct api_state *state, enum api_listener listener,
               const struct http_server *server)
{
    (void)state;
    (void)listener;
    (void)server;
}

uint64_t
api_snapshot(struct api_state *state, uint64_t now_ms)
{
    (void)state;
    (void)now_ms;
    return UINT64_MAX;
}

void
api_change_begin(struct api_state *state)
{
    (void)state;
    WANT(sim.daemon->brackets++ == 0);
}

void
api_change_end(struct api_state *state)
{
    (void)state;
    WANT(--sim.daemon->brackets == 0);
}

void
api_publish(struct api_state *state)
{
    struct daemon *d = sim.daemon;
    (void)state;
    if (d->proc.dead) {
        return;
    }
    WANT(d->brackets == 0 && book_size(d->service.book) >= d->shown);
    d->shown = book_size(d->service.book);
    check_shown(d->service.book, &d->service.tally);
}

enum tly_err
service_publish_open(struct service *s, struct tly_diag *diag)
{
    (void)s;
    (void)diag;
    return TLY_OK;
}

enum tly_err
service_publish_read(struct service *s, uint64_t position, const struct bundle *bundle,
                     struct tly_bytes envelope, struct tly_diag *diag)
{
    (void)diag;
    WANT(position + 1 == book_size(s->book));
    WANT((envelope.len == 0) == (position == 0));
    (void)bundle;
    return TLY_OK;
}

void
service_publish_batch(struct service *s, const struct seq_batch *batch)
{
    (void)s;
    (void)batch;
}

uint64_t
service_publish_turn(struct service *s, uint64_t now_ms)
{
    (void)s;
    (void)now_ms;
    return UINT64_MAX;
}

struct note_head
publish_found(const struct publish *p)
{
    (void)p;
    return (struct note_head){0};
}

void
publish_begin(struct publish *p, uint64_t size)
{
    (void)p;
    (void)size;
}

enum tly_err
publish_complete(struct publish *p, struct tly_diag *diag)
{
    (void)p;
    (void)diag;
    return TLY_OK;
}

uint64_t
publish_size(const struct publish *p)
{
    (void)p;
    return 0;
}

void
publish_close(struct publish *p)
{
    (void)p;
}

enum tly_err
service_cosigned_open(struct service *s, struct tly_diag *diag)
{
    (void)s;
    (void)diag;
    return TLY_OK;
}

enum tly_err
service_cosigned_check(struct service *s, struct tly_diag *diag)
{
    (void)s;
    (void)diag;
    return TLY_OK;
}

void
service_blame(struct service *s, enum tly_err err)
{
    (void)s;
    (void)err;
}

enum tly_err
scrub_begin(struct service *s, uint64_t had, struct tly_diag *diag)
{
    (void)s;
    (void)had;
    (void)diag;
    return TLY_OK;
}

enum tly_err
scrub_run(struct service *s, struct tly_diag *diag)
{
    (void)s;
    (void)diag;
    return TLY_OK;
}

void
scrub_end(struct service *s)
{
    (void)s;
}

void
service_cosigned_close(struct service *s)
{
    (void)s;
}

void
service_cosigned_turn(struct service *s)
{
    (void)s;
}
