/* SPDX-License-Identifier: Apache-2.0 */
#include "pin.h"

#include "sys/sha256.h"

/* A TLS 1.3 Certificate message that carries none: an empty context and an empty list. */
#define CERTIFICATE_EMPTY_BYTES 4

/* Nothing is waited for after this: an alert that does not fit the socket is not worth a stalled
 * connection. */
static void
refuse(gnutls_session_t session, struct pin *pin, gnutls_alert_description_t alert)
{
    pin->finished = true;
    atomic_fetch_add_explicit(&pin->rule->refused, 1, memory_order_relaxed);
    (void)gnutls_alert_send(session, GNUTLS_AL_FATAL, alert);
}

/* Called by GnuTLS when the peer has shown a certificate and proven its key. */
static int
verify(gnutls_session_t session)
{
    struct pin           *pin   = gnutls_transport_get_ptr(session);
    unsigned              n     = 0;
    const gnutls_datum_t *peers = gnutls_certificate_get_peers(session, &n);
    if (peers != NULL && n > 0) {
        pin->cert = sys_sha256((struct tly_bytes){peers[0].data, peers[0].size});
        if (pin->rule->admit(pin)) {
            pin->verified = true;
            return 0;
        }
    }
    refuse(session, pin, GNUTLS_A_ACCESS_DENIED);
    return GNUTLS_E_CERTIFICATE_ERROR;
}

/* GnuTLS refuses a missing certificate itself, but without a word to the peer and to our counter;
 * and the end of the handshake is known here first. */
static int
on_message(gnutls_session_t session, unsigned type, unsigned when, unsigned incoming,
           const gnutls_datum_t *message)
{
    (void)when;
    struct pin *pin = gnutls_transport_get_ptr(session);
    if (incoming == 0) {
        return 0;
    }
    if (type == GNUTLS_HANDSHAKE_CERTIFICATE_PKT && message->size <= CERTIFICATE_EMPTY_BYTES) {
        refuse(session, pin, GNUTLS_A_CERTIFICATE_REQUIRED);
        return GNUTLS_E_CERTIFICATE_REQUIRED;
    }
    if (type == GNUTLS_HANDSHAKE_FINISHED) {
        pin->finished = true;
    }
    return 0;
}

void
pin_require(gnutls_session_t session)
{
    gnutls_certificate_server_set_request(session, GNUTLS_CERT_REQUIRE);
    gnutls_session_set_verify_function(session, verify);
    gnutls_handshake_set_hook_function(session, GNUTLS_HANDSHAKE_ANY, GNUTLS_HOOK_POST, on_message);
}
