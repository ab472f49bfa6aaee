/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of a running daemon and who may touch them. */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "api/state.h"
#include "core/bundle.h"
#include "ground.h"
#include "publish/publish.h"
#include "settings.h"
#include "signing.h"
#include "store/store.h"
#include "sys/journal.h"

struct service {
    const struct settings *settings;
    struct ground          ground;
    struct tly_arena       arena; /* of book, tally, history and sequencer */
    struct book           *book;
    struct tally           tally;
    struct history        *history;
    struct seq_effects     effects;
    struct seq            *seq;
    struct signing         signing; /* as the store */
    struct store          *store;   /* the main thread's until the sequencer runs, then its own */
    struct journal        *journal; /* as store */
    struct queue          *queue;
    struct api_state      *api;
    struct publish        *publish; /* as the store */
    bool                   publish_failing;
    bool                   publish_held;     /* said: the scrubber holds it */
    uint64_t               publish_again_ms; /* after a failure: not before */
    struct cosigned       *cosigned;         /* NULL: no setting `cosignatures` */
    struct scrub          *scrub;            /* NULL: not begun */
    _Atomic uint64_t       held_from; /* entries from here on are not published; UINT64_MAX: none */
    bool                   redone;    /* the journal put batches back at the start */
    struct http_server    *servers[API_LISTENERS_N];
    uint64_t               epoch;
    pthread_t              thread;
    bool                   threaded; /* the sequencer's thread was started */
    atomic_bool            failed;   /* the sequencer stopped for good */
};

/* start.c: everything up to listening.  Errors: what was contradicted, or TLY_ELIMIT: told to stop
 * while waiting. */
TLY_MUST enum tly_err service_start(struct service *service, const char *config_file,
                                    struct tly_diag *diag);
/* stop.c: in order, whatever was started. */
void service_stop(struct service *service);

/* rebuild.c: reads the ledger whole, verifies it on all cores, fills book, tally and heads. */
TLY_MUST enum tly_err service_rebuild(struct service *service, const struct note_head *head,
                                      struct tly_diag *diag);

/* redo.c: puts back what the journal has and the database does not; everything before it is settled.
 * And the effect `journal`. */
TLY_MUST enum tly_err service_redo(struct service *service, struct tly_diag *diag);
TLY_MUST enum tly_err service_journal(struct service *service, const struct seq_batch *batch,
                                      struct tly_diag *diag);

/* sequencer.c */
void                  service_effects(struct service *service);
TLY_MUST enum tly_err service_settle(struct service *service, struct tly_diag *diag);
void                 *service_sequence(void *service); /* the sequencer's thread */

/* published.c: the published folder */
TLY_MUST enum tly_err service_publish_open(struct service *service, struct tly_diag *diag);
/* An entry read at the start.  bundle: of a bundle or a conflict; envelope: none of genesis. */
TLY_MUST enum tly_err service_publish_read(struct service *service, uint64_t position,
                                           const struct bundle *bundle, struct tly_bytes envelope,
                                           struct tly_diag *diag);
/* A batch is signed: it is published now, or when the last checkpoint is old enough. */
void service_publish_batch(struct service *service, const struct seq_batch *batch);
/* Publishes what is due, reads again what a failure lost; returns when to call again. */
uint64_t service_publish_turn(struct service *service, uint64_t now_ms);

/* cosigned.c: what the witnesses signed */
TLY_MUST enum tly_err service_cosigned_open(struct service *service, struct tly_diag *diag);
void                  service_cosigned_close(struct service *service);
/* At the start: no witness cosigned more than the ledger has, or another root.
 * Errors: TLY_ECORRUPT which one, and what. */
TLY_MUST enum tly_err service_cosigned_check(struct service *service, struct tly_diag *diag);
void service_cosigned_look(struct service *service); /* main thread: reads the files that changed */
void service_cosigned_turn(struct service *service); /* sequencer: into the published checkpoint */

/* blame.c: the start ends with err, perhaps because of a root.  Says which row makes it another, as
 * far as the published folder tells. */
void service_blame(struct service *service, enum tly_err err);

/* signals.c */
void service_signals_block(void);
/* A signal that asks to stop within wait_ms; SIGHUP is answered here. */
bool service_told_to_stop(unsigned wait_ms);
