/* SPDX-License-Identifier: Apache-2.0 */
/* Who may finish a handshake: whoever proves the key of a certificate that the registry names.  The
 * certificate itself is the identity; chains, names and dates were checked when it was registered.
 */
#pragma once

#include <gnutls/gnutls.h>
#include <stdatomic.h>

#include "net/http.h"

/* What all connections of a server share. */
struct pin;
struct pin_rule {
    bool (*admit)(struct pin *pin); /* whether pin->cert may have this connection */
    _Atomic(uint64_t) refused;
};

/* One connection's.  The session's transport pointer must point to it; only the connection's worker
 * thread touches it. */
struct pin {
    struct pin_rule *rule;
    struct tly_hash  cert;     /* means nothing until verified */
    bool             verified; /* the certificate is allowed and its key was proven */
    bool             finished; /* the handshake is over, well or not */
};

/* Requires a certificate of this session and checks it in the handshake, before any HTTP.  The peer
 * that is refused gets a TLS alert (certificate_required, access_denied). */
void pin_require(gnutls_session_t session);
