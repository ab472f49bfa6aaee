/* SPDX-License-Identifier: Apache-2.0 */
/* What the REST surface shares with the sequencer: the definition, the registry and the ledger's
 * index, the published snapshot, the queue of what was handed in. */
#pragma once

#include "base/err.h"
#include "core/book.h"
#include "core/registry.h"
#include "core/seq.h"
#include "core/tally.h"
#include "net/http.h"
#include "sys/queue.h"

#define API_QUEUE_ENTRIES ((size_t)4096 + API_QUEUE_ALONE)
#define API_QUEUE_BYTES   ((size_t)64 << 20)
#define API_QUEUE_ALONE                                                                            \
    ((size_t)512) /* of the entries: not for batches, and of the bytes an eighth */
#define API_BATCH_BODY   ((size_t)8 << 20) /* bytes of an NDJSON body */
#define API_BATCH_LINES  ((size_t)4096)    /* envelopes in one */
#define API_OWN_BODY     ((size_t)2 << 20) /* the same of a terminal, which has only its own */
#define API_OWN_LINES    ((size_t)16)
#define API_EVIDENCE_MAX ((size_t)64 << 10) /* bytes kept of a refused body */

/* The three listeners: terminals and relays, readers, the service's own machine. */
enum api_listener { API_INGEST, API_READ, API_OPS, API_LISTENERS_N };

/* An object, made once; everything in the config is borrowed while it lives. */
struct api_state;

struct api_config {
    const struct election  *election;
    const struct registry  *registry; /* of the package; then book_registry() */
    const struct book      *book;     /* read under the state's lock */
    const struct tally     *tally;   /* the sequencer's; read by api_publish() and api_snapshot() */
    const struct history   *history; /* read below what was published, without a lock */
    const struct note_vkey *vkey;
    struct queue           *queue;     /* of struct seq_item * */
    const char             *conninfo;  /* for the one reader of stored envelopes */
    const char             *published; /* the folder that /log/ offers */
    const char             *software;
    unsigned                per_terminal_max; /* connections of one terminal; 0: no limit */
    unsigned                snapshot_ms;      /* least time between two snapshots */
};

/* Errors: TLY_ENOMEM, TLY_EIO (no thread). */
TLY_MUST enum tly_err api_state_new(const struct api_config *config, struct api_state **out,
                                    struct tly_diag *diag);
/* Going down, when no handler runs any more: answers what waits for the database or
 * for the past. */
void api_drain(struct api_state *state);
/* The servers must have stopped.  NULL is fine. */
void api_state_free(struct api_state *state);

/* For struct http_config of a listener: arg, then the three functions. */
void          *api_arg(struct api_state *state, enum api_listener listener);
enum http_next api_handle(void *arg, struct http_req *req);
bool           api_allow(void *arg, const struct tly_hash *cert, unsigned *connections_max);
size_t api_body_max(void *arg, const struct http_peer *peer, const char *method, const char *path);

/* What the sequencer's thread calls, and nobody else. */
void api_change_begin(struct api_state *state); /* keeps readers out of the book */
void api_change_end(struct api_state *state);
/* A head was signed: receipts and headers name it from now on. */
void api_publish(struct api_state *state);
/* How far the quorum of witnesses goes; as_of_s: since when, Unix seconds, 0: not yet.  Any thread. */
struct api_witnessed {
    uint64_t size, as_of_s;
};
void api_set_witnessed(struct api_state *state, const struct api_witnessed *witnessed);
/* Is this a head of our ledger?  Any thread. */
enum api_head { API_HEAD_OURS, API_HEAD_OTHER, API_HEAD_LATER };
enum api_head api_head_is(struct api_state *state, const struct note_head *head);
/* Keeps the sequencer's changes of the book out, for a moment.  Any thread but the sequencer's. */
void api_book_begin(struct api_state *state);
void api_book_end(struct api_state *state);
/* Does the database hold what memory says?  Any thread. */
#define API_SCRUB_WHY 320
struct api_scrub {
    bool     red;            /* it does not: why[] names the first row, as printable ASCII */
    uint64_t since_s;        /* Unix seconds, while red */
    uint64_t differences;    /* of the pass that was last made or is under way */
    uint64_t passes, failed; /* whole ones; those that the database's absence ended */
    uint64_t rows, took_ms;  /* of the last whole pass */
    uint64_t ended_ms;       /* clock_mono_ms() at its end; 0: none yet */
    char     why[API_SCRUB_WHY];
};
void api_set_scrub(struct api_state *state, const struct api_scrub *scrub);
/* The published folder's checkpoint has this size. */
void api_set_published(struct api_state *state, uint64_t size);
/* Swaps the snapshot when the tally changed and the last one is old enough; now_ms of
 * clock_mono_ms().  Returns when to call again, UINT64_MAX: nothing is waiting.  Without memory it
 * tries again at the next turn. */
uint64_t api_snapshot(struct api_state *state, uint64_t now_ms);
/* The item is decided: its request is answered once nothing of it is under way. */
void api_answer(struct api_state *state, struct seq_item *item);

/* How the service stands, for /readyz and for refusing at once what cannot be stored now. */
enum api_health {
    API_STARTING, /* loading: only the ops listener answers */
    API_READY,
    API_AWAY,     /* PostgreSQL is not reachable, or the last commit is in doubt: 503 */
    API_UNSIGNED, /* the signer is not reachable: 503 */
    API_STOPPING,
    API_FAILED /* the sequencer stopped for good */
};
void            api_set_health(struct api_state *state, enum api_health health);
enum api_health api_health(const struct api_state *state);

/* Servers whose counters /metrics shows. */
void api_set_server(struct api_state *state, enum api_listener listener,
                    const struct http_server *server);
