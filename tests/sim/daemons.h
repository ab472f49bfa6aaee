/* SPDX-License-Identifier: Apache-2.0 */
/* A simulated tallyd: the real service, and what the world keeps of it. */
#pragma once

#include "daemon/service.h"
#include "sim.h"

struct store {
    bool     marked; /* has the writer's mark */
    uint64_t epoch;
};

struct daemon {
    struct proc     proc;
    struct service  service;
    struct settings settings;
    char            journal[32];
    struct store    store;
    void *(*thread)(void *);
    void           *thread_arg;
    struct daemon  *outer;   /* which was running when this one was started */
    unsigned        batches; /* that still come before it is told to stop */
    unsigned        asked;   /* how often it asked whether to stop */
    unsigned        brackets;
    bool            over;  /* told to stop */
    bool            final; /* the last one: it gets whatever is not settled yet */
    unsigned        final_i;
    uint64_t        shown; /* entries published */
    struct request *live[64];
    unsigned        live_n;
};

/* From service_start() to service_stop(); false: it refused to go on, and nobody killed it. */
bool daemon_life(unsigned host, unsigned batches, bool final);
