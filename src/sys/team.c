/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/team.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/check.h"

#define THREADS_MAX 64

struct team {
    pthread_mutex_t lock;
    pthread_cond_t  begun, over;
    team_job        job;
    void           *arg;
    size_t          jobs_n, next, done; /* next is taken, done is finished */
    bool            closing;
    unsigned        threads_n;
    pthread_t       threads[THREADS_MAX];
};

static void *
team_run(void *arg)
{
    struct team *team = arg;
    pthread_mutex_lock(&team->lock);
    for (;;) {
        while (team->next == team->jobs_n && !team->closing) {
            pthread_cond_wait(&team->begun, &team->lock);
        }
        if (team->next == team->jobs_n) {
            break;
        }
        const size_t i = team->next++;
        pthread_mutex_unlock(&team->lock);
        team->job(team->arg, i);
        pthread_mutex_lock(&team->lock);
        if (++team->done == team->jobs_n) {
            pthread_cond_signal(&team->over);
        }
    }
    pthread_mutex_unlock(&team->lock);
    return NULL;
}

void
team_begin(struct team *team, team_job job, void *arg, size_t n)
{
    pthread_mutex_lock(&team->lock);
    TLY_CHECK(team->done == team->jobs_n);
    team->job    = job;
    team->arg    = arg;
    team->jobs_n = n;
    team->next   = 0;
    team->done   = 0;
    pthread_cond_broadcast(&team->begun);
    pthread_mutex_unlock(&team->lock);
}

void
team_wait(struct team *team)
{
    pthread_mutex_lock(&team->lock);
    while (team->done < team->jobs_n) {
        pthread_cond_wait(&team->over, &team->lock);
    }
    pthread_mutex_unlock(&team->lock);
}

enum tly_err
team_new(unsigned threads_n, struct team **out, struct tly_diag *diag)
{
    TLY_CHECK(threads_n >= 1);
    struct team *team = calloc(1, sizeof *team);
    if (team == NULL) {
        return TLY_ENOMEM;
    }
    pthread_mutex_init(&team->lock, NULL);
    pthread_cond_init(&team->begun, NULL);
    pthread_cond_init(&team->over, NULL);
    while (team->threads_n < threads_n && team->threads_n < THREADS_MAX) {
        if (pthread_create(&team->threads[team->threads_n], NULL, team_run, team) != 0) {
            team_free(team);
            return tly_fail(diag, TLY_EIO, "cannot start a thread");
        }
        team->threads_n++;
    }
    *out = team;
    return TLY_OK;
}

void
team_free(struct team *team)
{
    if (team == NULL) {
        return;
    }
    team_wait(team);
    pthread_mutex_lock(&team->lock);
    team->closing = true;
    pthread_cond_broadcast(&team->begun);
    pthread_mutex_unlock(&team->lock);
    for (unsigned i = 0; i < team->threads_n; i++) {
        pthread_join(team->threads[i], NULL);
    }
    pthread_mutex_destroy(&team->lock);
    pthread_cond_destroy(&team->begun);
    pthread_cond_destroy(&team->over);
    free(team);
}
