/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <sodium.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "pack/keyfile.h"
#include "signer.h"
#include "sys/log.h"

void
signer_close_process(void)
{
    const struct rlimit none = {0, 0};
    if (prctl(PR_SET_DUMPABLE, 0) != 0 || setrlimit(RLIMIT_CORE, &none) != 0) {
        log_event(LOG_WARNING, "memory.open", "why=\"core dumps cannot be forbidden\"");
    }
    /* The key has locked pages of its own; this is for copies of its making. */
    if (mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) != 0) {
        log_event(LOG_WARNING, "memory.open",
                  "why=\"only the key's own page is kept out of swap: raise LimitMEMLOCK\"");
    }
}

/* As a key's name in a signed note: printable ASCII without space and '+'. */
static bool
origin_ok(const char *origin)
{
    for (const char *p = origin; *p != '\0'; p++) {
        if (*p <= ' ' || *p > '~' || *p == '+') {
            return false;
        }
    }
    return *origin != '\0' && strlen(origin) <= NOTE_ORIGIN_LEN_MAX;
}

enum tly_err
signer_key(struct signer *signer, const struct settings *settings, struct tly_diag *diag)
{
    if (!origin_ok(settings->origin)) {
        return tly_fail(diag, TLY_EINPUT,
                        "origin = \"%s\" is no log's name: set DOMAIN/ELECTION/PHASE, as in "
                        "election.json",
                        settings->origin);
    }
    struct sign_secret *secret = sodium_malloc(sizeof *secret); /* guarded and wiped when freed */
    if (secret == NULL || sodium_mlock(secret, sizeof *secret) != 0) {
        sodium_free(secret);
        return tly_fail(diag, TLY_ENOMEM, "no memory that can be locked for the key: %s",
                        strerrordesc_np(errno));
    }
    const enum tly_err err = keyfile_read_secret(settings->key, secret, diag);
    if (err != TLY_OK) {
        sodium_free(secret);
        return err;
    }
    (void)sodium_mprotect_readonly(secret);
    const struct tly_key key = sign_public(secret);
    note_vkey_make(settings->origin, &key, &signer->vkey);
    signer->secret = secret;
    return TLY_OK;
}

void
signer_key_wipe(struct signer *signer)
{
    sodium_free(signer->secret);
    signer->secret = NULL;
    /* Nothing is left to dump, and leak checkers of tests look into a process as debuggers do. */
    (void)prctl(PR_SET_DUMPABLE, 1);
}
