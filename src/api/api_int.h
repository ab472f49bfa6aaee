/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of this layer share. */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "api/state.h"
#include "base/arena.h"
#include "base/hex.h"
#include "core/bundle.h"
#include "core/decision.h"
#include "core/election.h"
#include "pack/json.h"

#define API_MARK_MAX  48 /* a position or a base64 root with its NUL */
#define API_LIST_STD  100
#define API_LIST_MAX  1000
#define API_PATH_ARGS 2

/* The tally as it stood at one position; never changes, freed with its last reference. */
struct api_snapshot {
    atomic_uint      refs;
    struct tally     tally;
    struct tly_arena arena;
    uint64_t         published; /* ledger entries that are in it */
    uint64_t         as_of_s;   /* when it was made, Unix seconds; of a past 0 */
};

/* The newest signed head in the texts that answers carry. */
struct api_marks {
    uint64_t size;
    char     position[API_MARK_MAX];
    char     published[API_MARK_MAX];
    char     root[API_MARK_MAX];
};

enum api_counter {
    COUNTER_CREATED,
    COUNTER_SAME,
    COUNTER_CONFLICT,
    COUNTER_REFUSED,
    COUNTER_LATER, /* 429 and 503 */
    COUNTER_EVIDENCE,
    COUNTER_EVIDENCE_DROPPED,
    COUNTER_READS,
    COUNTER_AT_MADE,    /* pasts */
    COUNTER_AT_REFUSED, /* 503: too many wait for one */
    COUNTERS_N
};

struct api_rows;
struct api_evidence;
struct api_at;

struct api_state {
    struct api_config config;
    struct api_side {
        struct api_state                   *state;
        enum api_listener                   listener;
        _Atomic(const struct http_server *) server;
    } sides[API_LISTENERS_N];
    pthread_rwlock_t     book_lock;
    pthread_mutex_t      lock; /* marks, snapshot */
    struct api_marks     marks;
    struct api_witnessed witnessed; /* under lock */
    struct api_scrub     scrub;     /* under lock */
    struct api_snapshot *snapshot;
    struct api_snapshot *spare; /* the sequencer's: an old one whose memory is used again */
    uint64_t             snapshot_at_ms;
    atomic_int           health;
    _Atomic uint64_t     published; /* size of the published folder's checkpoint */
    /* The newest version: what it says is written before it stands here. */
    _Atomic(const struct registry *) registry;
    atomic_int           election_state; /* as the ledger has it, ahead of the snapshot */
    _Atomic uint64_t     state_until;
    _Atomic uint64_t     counters[COUNTERS_N];
    char                 definition[TLY_HEX_SIZE(32)];
    struct api_rows     *rows;
    struct api_evidence *evidence;
    struct api_at       *at;
};

/* One request on its way through a handler. */
struct api_req {
    struct api_state    *state;
    struct http_req     *http;
    struct api_snapshot *snapshot; /* a reference held until the handler returns */
    uint64_t             at;       /* ?at=: the snapshot is of this position; 0: of now */
    struct speaker       speaker;
    struct tly_bytes     args[API_PATH_ARGS]; /* the {..} of the path */
};

typedef enum http_next (*api_handler)(struct api_req *r);

/* state.c */
struct api_snapshot   *api_snapshot_new(const struct election *election); /* one reference; NULL */
struct api_snapshot   *api_snapshot_get(struct api_state *state);
void                   api_snapshot_put(struct api_snapshot *snapshot);
void                   api_count(struct api_state *state, enum api_counter counter);
const struct registry *api_registry(const struct api_state *state); /* as it is now */
struct api_scrub       api_scrub_get(struct api_state *state);

/* reply.c */
void           api_headers(struct api_state *state, struct http_req *req);
enum http_next api_reply_err(struct api_state *state, struct http_req *req, enum tly_err err,
                             const struct tly_diag *diag);
/* 503 with code "state", and Retry-After until the time that people were told. */
enum http_next api_reply_closed(struct api_state *state, struct http_req *req);
void           api_closed_header(struct api_state *state, struct http_req *req);
/* 404: "no such contest", say. */
enum http_next api_reply_missing(struct api_req *r, const char *what);
/* True: answered 304, the client has this version; else sets ETag.  The past does not change: its
 * version is its position and the ledger's root there, whatever was given. */
bool           api_not_modified(struct api_req *r, uint64_t version);
enum http_next api_reply_json(struct api_req *r, json_t *json); /* steals json; NULL: no memory */

/* A page of a list: ?cursor= and ?limit=. */
struct api_page {
    uint32_t next; /* first index not looked at yet */
    uint32_t left;
    json_t  *items;
};
void tly_auto_api_page(struct api_page *page); /* for TLY_AUTO(api_page); = {0} at first */
TLY_MUST enum tly_err api_page_begin(struct api_req *r, struct api_page *page,
                                     struct tly_diag *diag);
/* Steals the items. */
enum http_next api_page_reply(struct api_req *r, struct api_page *page, uint32_t total);
/* ?NAME=, "" or absent: IX_NONE; an unknown code: TLY_ENOENT. */
TLY_MUST enum tly_err api_query_area(struct api_req *r, const char *name, struct area_ix *out,
                                     struct tly_diag *diag);

/* show.c: the objects of doc/api.md */
json_t *api_show_name(const struct name *name);
json_t *api_show_progress(const struct progress *progress);
json_t *api_show_totals(const struct totals *totals, const struct progress *progress);
json_t *api_show_counts(const struct counts *counts);
json_t *api_show_checks(uint64_t checks);
json_t *api_show_hash(const struct tly_hash *hash);

/* contest_show.c */
json_t *api_show_contest(const struct tally *tally, struct contest_ix ix, bool whole,
                         struct tly_arena *arena);

/* rows.c: the thread that reads stored envelopes */
TLY_MUST enum tly_err api_rows_new(struct api_state *state, struct api_rows **out,
                                   struct tly_diag *diag);
void                  api_rows_free(struct api_rows *rows);
enum http_next        api_rows_ask(struct api_req *r, uint64_t position);

/* at.c: the numbers as they stood */
TLY_MUST enum tly_err api_at_new(struct api_state *state, struct api_at **out,
                                 struct tly_diag *diag);
void                  api_at_end(struct api_at *at); /* answers what waits */
void                  api_at_free(struct api_at *at);
/* Calls the handler with the snapshot of ?at=, which is there, now or in the thread of at.c; such a
 * handler answers at once.  422 for what is no position of the published ledger. */
enum http_next api_at(struct api_req *r, api_handler handler);

/* evidence.c: which refused bodies are handed in, within the sender's and everybody's share */
TLY_MUST enum tly_err api_evidence_new(const struct registry *registry, struct api_evidence **out);
void                  api_evidence_free(struct api_evidence *evidence);
/* False: it is only counted.  True: api_evidence_end() once it is decided. */
bool api_evidence_begin(struct api_evidence *evidence, const struct speaker *sender, size_t bytes);
void api_evidence_end(struct api_evidence *evidence, size_t bytes);

/* handlers, one file each */
enum http_next api_bundles_post(struct api_req *r);
enum http_next api_decisions_post(struct api_req *r);
enum http_next api_results_post(struct api_req *r);
enum http_next api_results_get(struct api_req *r);
enum http_next api_election_get(struct api_req *r);
enum http_next api_areas_list(struct api_req *r);
enum http_next api_areas_get(struct api_req *r);
enum http_next api_contests_list(struct api_req *r);
enum http_next api_contests_get(struct api_req *r);
enum http_next api_contests_branches(struct api_req *r);
enum http_next api_contests_areas(struct api_req *r);
enum http_next api_branches_list(struct api_req *r);
enum http_next api_branches_get(struct api_req *r);
enum http_next api_branches_bundle(struct api_req *r);
enum http_next api_receipts_get(struct api_req *r);
enum http_next api_log_get(struct api_req *r);
enum http_next api_health_get(struct api_req *r);
enum http_next api_ready_get(struct api_req *r);
enum http_next api_metrics_get(struct api_req *r);
