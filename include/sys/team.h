/* SPDX-License-Identifier: Apache-2.0 */
/* A few threads that work through numbered jobs: verification at the start takes all cores. */
#pragma once

#include <stddef.h>

#include "base/err.h"

struct team;

/* Runs once a job, on any of the threads; jobs of one round run at the same time. */
typedef void (*team_job)(void *arg, size_t i);

/* Errors: TLY_ENOMEM, TLY_EIO no thread. */
TLY_MUST enum tly_err team_new(unsigned threads_n, struct team **out, struct tly_diag *diag);
void                  team_free(struct team *team); /* waits for the round under way */
/* Begins a round of n jobs; the one before must be over (team_wait()). */
void team_begin(struct team *team, team_job job, void *arg, size_t n);
void team_wait(struct team *team); /* until the round is over; no round: returns at once */
