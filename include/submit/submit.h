/* SPDX-License-Identifier: Apache-2.0 */
/* The sending side: posts recorded bundles over mutual TLS, repeats what was not promised, reads
 * the answers. */
#pragma once

#include <stdint.h>

#include "base/bytes.h"
#include "base/err.h"
#include "submit/recording.h"

#define SUBMIT_CONNECTIONS_MAX 2048
#define SUBMIT_BATCH_MAX       512

/* What became of one bundle. */
struct submit_answer {
    const struct recorded *bundle;
    int                    status;       /* 201, 200, 409 ...; 0: no answer until the time was up */
    struct tly_bytes       tally_status; /* "counted" "held" "partly"; empty when refused */
    struct tly_bytes       checks;       /* "CONTEST:CODE,..." */
    struct tly_bytes       receipt;      /* when 200 or 201 */
    struct tly_bytes       problem;      /* RFC 9457 JSON otherwise, or why there was no answer */
};

/* Called once a bundle, one call at a time; views are valid until it returns. */
typedef void (*submit_answer_fn)(void *arg, const struct submit_answer *answer);

struct submit_config {
    const char      *url; /* https://HOST:PORT */
    const char      *ca_file;
    const char      *pem_file;  /* the relay's; unused when fresh */
    const char      *terminals; /* folder of TERMINAL.pem; used when fresh */
    unsigned         connections_n;
    bool             fresh;   /* a new connection a bundle, with its terminal's certificate */
    unsigned         batch_n; /* > 1: NDJSON bodies of so many bundles */
    unsigned         rate;    /* bundles a second; 0: as fast as possible */
    bool             timed;   /* at their at_ms */
    unsigned         duplicates_pct; /* so many of 100 bundles are sent twice */
    unsigned         timeout_ms;     /* of one request */
    unsigned         retry_ms_max;   /* repeat a bundle that was not promised for so long */
    submit_answer_fn answer;         /* NULL: nobody listens */
    void            *arg;
    bool             progress; /* a line on stderr */
};

struct submit_stats {
    uint64_t sent;                   /* bundles that left, duplicates included, repetitions not */
    uint64_t created;                /* 201 */
    uint64_t same;                   /* 200 */
    uint64_t held;                   /* of the created: at least one contest is held */
    uint64_t conflict;               /* 409 */
    uint64_t refused;                /* any other answer, or none */
    uint64_t retried;                /* repetitions after 429, 503 or a lost line */
    uint64_t usec;                   /* from the first request to the last answer */
    uint64_t cpu_usec;               /* of this process in that time */
    uint32_t p50_us, p95_us, p99_us; /* of a request that was answered */
};

/* Sends the whole recording.  Refusals are no error: see *stats.
 *
 * Errors:  TLY_EINPUT  a key file or the URL is unusable
 *          TLY_ENOMEM */
TLY_MUST enum tly_err submit_run(const struct submit_config *config,
                                 const struct recording *recording, struct submit_stats *stats,
                                 struct tly_diag *diag);
