/* SPDX-License-Identifier: Apache-2.0 */
/* The one route, POST PREFIX/add-checkpoint (C2SP tlog-witness). */
#pragma once

#include "heads.h"
#include "net/http.h"
#include "settings.h"

#define SERVE_CLIENTS_MAX 64

/* Everything is borrowed while the server runs. */
struct serve {
    const struct settings *settings;
    const struct trust    *policy;
    struct heads          *heads;
    const char            *cert_pem, *key_pem; /* NULL: plain */
    unsigned               clients_n;          /* 0: any certificate */
    struct tly_hash        clients[SERVE_CLIENTS_MAX];
    void (*grown)(void *arg); /* a head was cosigned; any thread; NULL: nobody asks */
    void *arg;
};

/* Reads the setting `clients`.  Errors: TLY_EINPUT. */
TLY_MUST enum tly_err serve_clients(struct serve *serve, struct tly_diag *diag);
struct http_config    serve_config(struct serve *serve);
