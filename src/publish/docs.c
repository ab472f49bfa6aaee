/* SPDX-License-Identifier: Apache-2.0 */
/* doc/ and policy: the packages byte for byte, and whose signatures a reader should ask for. */
#include <stdio.h>

#include "base/hex.h"
#include "pack/package.h"
#include "publish_int.h"
#include "sys/sha256.h"

#define FILE_BYTES_MAX ((size_t)512 << 20)
#define POLICY_MAX     ((size_t)16 << 10)

/* The file of a package, and its line of the package's hash. */
static enum tly_err
doc_put(struct publish *p, const char *dir, enum package_kind kind, const char *name,
        struct sys_sha256_ctx *sum, struct tly_diag *diag)
{
    TLY_AUTO(arena) struct tly_arena arena = {.bytes_max = FILE_BYTES_MAX + ((size_t)1 << 20)};
    struct tly_bytes                 bytes = {0};
    char                             from[FILE_PATH_SIZE];
    char                             path[128];
    file_path(from, "%s/%s", dir, name);
    const enum tly_err err = file_read(from, FILE_BYTES_MAX, &arena, &bytes, diag);
    if (err != TLY_OK) {
        return err;
    }
    if (sum != NULL) {
        const struct tly_hash hash = sys_sha256(bytes);
        char                  hex[TLY_HEX_SIZE(sizeof hash.b)];
        tly_hex(hash.b, sizeof hash.b, hex);
        sys_sha256_add(sum, tly_text(hex));
        sys_sha256_add(sum, tly_text("  "));
        sys_sha256_add(sum, tly_text(name));
        sys_sha256_add(sum, tly_text("\n"));
    }
    (void)snprintf(path, sizeof path, PUBLISH_DOC "/%s/%s", package_kind_name(kind), name);
    return publish_file(p, path, bytes, diag);
}

static enum tly_err
package_put(struct publish *p, const char *dir, enum package_kind kind,
            const struct tly_hash *loaded, struct tly_diag *diag)
{
    TLY_AUTO(sha256) struct sys_sha256_ctx *sum = NULL;
    enum tly_err                            err = sys_sha256_new(&sum);
    for (const char *const *name = package_names(kind); err == TLY_OK && *name != NULL; name++) {
        err = doc_put(p, dir, kind, *name, sum, diag);
    }
    if (err == TLY_OK) {
        err = doc_put(p, dir, kind, PACKAGE_SIGNATURES, NULL, diag);
    }
    if (err != TLY_OK) {
        return err;
    }
    const struct tly_hash hash = sys_sha256_end(sum);
    return tly_hash_eq(&hash, loaded)
               ? TLY_OK
               : tly_fail(diag, TLY_ECORRUPT, "%s: changed since it was loaded; start again", dir);
}

/* c2sp.org/tlog-policy. */
static enum tly_err
policy_put(struct publish *p, struct tly_diag *diag)
{
    char text[POLICY_MAX + NOTE_LEN_MAX];
    char vkey[NOTE_LEN_MAX];
    (void)note_vkey_write(p->config.vkey, vkey);
    const char *lines = p->config.policy[0] == '\0' ? "quorum none\n" : p->config.policy;
    const int   len   = snprintf(text, sizeof text, "log %s\n%s", vkey, lines);
    if (len < 0 || (size_t)len >= sizeof text) {
        return tly_fail(diag, TLY_EINPUT, "publish: the policy is over %zu bytes", POLICY_MAX);
    }
    return publish_file(p, PUBLISH_POLICY, (struct tly_bytes){(uint8_t *)text, (size_t)len}, diag);
}

enum tly_err
publish_docs(struct publish *p, struct tly_diag *diag)
{
    enum tly_err err =
        package_put(p, p->config.definition, PACKAGE_DEFINITION, &p->config.definition_hash, diag);
    if (err == TLY_OK) {
        err = package_put(p, p->config.registry, PACKAGE_REGISTRY, &p->config.registry_hash, diag);
    }
    return err == TLY_OK ? policy_put(p, diag) : err;
}
