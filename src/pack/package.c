/* SPDX-License-Identifier: Apache-2.0 */
#include "pack/package.h"

#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/hex.h"
#include "core/envelope.h"
#include "pack/json.h"
#include "pack/keyfile.h"
#include "part.h"
#include "sys/file.h"
#include "sys/sha256.h"

#define SIGNATURES_BYTES_MAX ((size_t)64 << 10)
#define SIGNATURES_MODE      0644
#define PAYLOAD_MAX          512
#define ARENA_BYTES          ((size_t)1 << 20)

const char *const *
package_names(enum package_kind kind)
{
    return part_names(kind);
}

const char *
package_kind_name(enum package_kind kind)
{
    return kind == PACKAGE_DEFINITION ? "definition" : "registry";
}

enum tly_err
package_hash(const char *dir, enum package_kind kind, struct tly_hash *out, struct tly_diag *diag)
{
    TLY_AUTO(arena) struct tly_arena        arena  = {.bytes_max = ARENA_BYTES};
    TLY_AUTO(sha256) struct sys_sha256_ctx *ctx    = NULL;
    struct faults                           faults = {.arena = &arena};
    enum tly_err                            err    = sys_sha256_new(&ctx);
    if (err == TLY_OK) {
        const struct pack_files files = pack_files_of(dir);
        err                           = part_list_check(&files, kind, &faults, diag);
    }
    if (err != TLY_OK) {
        return err == TLY_ENOENT ? TLY_EINPUT : err;
    }
    if (faults.n > 0) {
        return tly_fail(diag, TLY_EINPUT, "%s/%s: %s", dir,
                        faults.kept > 0 ? faults.list[0].file : "?",
                        faults.kept > 0 ? faults.list[0].text : "does not belong here");
    }
    for (const char *const *name = part_names(kind); *name != NULL; name++) {
        char            path[FILE_PATH_SIZE];
        struct tly_hash hash;
        file_path(path, "%s/%s", dir, *name);
        err = sys_sha256_file(path, &hash, diag);
        if (err != TLY_OK) {
            return err == TLY_ENOENT ? TLY_EINPUT : err;
        }
        part_sum_line(ctx, &hash, *name);
    }
    *out = sys_sha256_end(ctx);
    return TLY_OK;
}

/* What is signed: the payload's text. */
static struct tly_bytes
payload_text(enum package_kind kind, const char *election, const struct tly_hash *hash,
             char text[PAYLOAD_MAX])
{
    char hex[TLY_HEX_SIZE(sizeof hash->b)];
    tly_hex(hash->b, sizeof hash->b, hex);
    const int len =
        snprintf(text, PAYLOAD_MAX, "{\"package\":\"%s\",\"election\":\"%s\",\"hash\":\"%s\"}",
                 package_kind_name(kind), election, hex);
    TLY_CHECK(len > 0 && len < PAYLOAD_MAX); /* codes have 64 characters at most */
    return (struct tly_bytes){(const uint8_t *)text, (size_t)len};
}

static enum tly_err
envelope_read(struct tly_bytes bytes, struct tly_arena *arena, struct envelope *out,
              struct tly_diag *diag)
{
    while (bytes.len > 0 && bytes.data[bytes.len - 1] == '\n') {
        bytes.len--; /* an editor's newline at the end is no part of the envelope */
    }
    return envelope_parse(bytes, PAYLOAD_MAX * 2, arena, out, diag);
}

/* Reads DIR/signatures.dsse.  Errors: TLY_ENOENT none there; TLY_EINPUT. */
static enum tly_err
signatures_read(const char *dir, struct tly_arena *arena, struct envelope *out,
                struct tly_diag *diag)
{
    char             path[FILE_PATH_SIZE];
    struct tly_bytes bytes;
    file_path(path, "%s/" PART_SIGNATURES, dir);
    enum tly_err err = file_read(path, SIGNATURES_BYTES_MAX, arena, &bytes, diag);
    if (err == TLY_OK) {
        err = envelope_read(bytes, arena, out, diag);
    }
    return err == TLY_ETOOBIG ? TLY_EINPUT : err;
}

/* One member of the payload against what it must be. */
static enum tly_err
member_check(const char *dir, const json_t *root, const char *key, const char *want,
             struct tly_diag *diag)
{
    const char *got = json_string_value(json_object_get(root, key));
    if (got == NULL) {
        got = "";
    }
    if (strcmp(got, want) == 0) {
        return TLY_OK;
    }
    if (strcmp(key, "hash") == 0) {
        return tly_fail(diag, TLY_EINPUT,
                        "%.80s: is not what was signed: hash %.64s was, it is %s; restore it, or "
                        "sign it again (tallyctl sign)",
                        dir, got, want);
    }
    return tly_fail(diag, TLY_EINPUT,
                    "%.80s/" PART_SIGNATURES ": \"%s\" is \"%.80s\", it must be %s", dir, key, got,
                    want);
}

/* Is the envelope about this package?  Any JSON text with the three members will do: the format is
 * open to other signers than package_sign(). */
static enum tly_err
about_check(const char *dir, const struct envelope *envelope, enum package_kind kind,
            const char *election, const struct tly_hash *hash, struct tly_diag *diag)
{
    if (!tly_bytes_eq(envelope->type, tly_text(ENVELOPE_TYPE_PACKAGE))) {
        return tly_fail(diag, TLY_EINPUT,
                        "%s/" PART_SIGNATURES ": of type \"%.*s\", not a package's", dir,
                        (int)envelope->type.len, (const char *)envelope->type.data);
    }
    TLY_AUTO(json)
    json_t *root = json_loadb((const char *)envelope->payload.data, envelope->payload.len,
                              JSON_REJECT_DUPLICATES, NULL);
    if (!json_is_object(root) || json_object_size(root) != 3) {
        return tly_fail(
            diag, TLY_EINPUT,
            "%s/" PART_SIGNATURES ": the payload is not {\"package\",\"election\",\"hash\"}", dir);
    }
    char hex[TLY_HEX_SIZE(sizeof hash->b)];
    tly_hex(hash->b, sizeof hash->b, hex);
    enum tly_err err = member_check(dir, root, "package", package_kind_name(kind), diag);
    if (err == TLY_OK) {
        err = member_check(dir, root, "election", election, diag);
    }
    return err == TLY_OK ? member_check(dir, root, "hash", hex, diag) : err;
}

/* A member's text in the arena; NULL: no string, or no memory. */
static const char *
member_text(const json_t *root, const char *key, struct tly_arena *arena)
{
    const char *text = json_string_value(json_object_get(root, key));
    return text == NULL ? NULL : tly_arena_text(arena, tly_text(text));
}

enum tly_err
package_signed_read(struct tly_bytes bytes, enum package_kind kind, struct tly_arena *arena,
                    struct package_signed *out, struct tly_diag *diag)
{
    struct package_signed s   = {0};
    enum tly_err          err = bytes.len > SIGNATURES_BYTES_MAX
                                    ? TLY_ETOOBIG
                                    : envelope_read(bytes, arena, &s.envelope, diag);
    if (err != TLY_OK) {
        return err == TLY_ETOOBIG ? TLY_EINPUT : err;
    }
    TLY_AUTO(json)
    json_t     *root    = json_loadb((const char *)s.envelope.payload.data, s.envelope.payload.len,
                                     JSON_REJECT_DUPLICATES, NULL);
    const char *package = member_text(root, "package", arena);
    s.election          = member_text(root, "election", arena);
    s.hash              = member_text(root, "hash", arena);
    if (!tly_bytes_eq(s.envelope.type, tly_text(ENVELOPE_TYPE_PACKAGE)) ||
        json_object_size(root) != 3 || package == NULL || s.election == NULL || s.hash == NULL ||
        strcmp(package, package_kind_name(kind)) != 0) {
        return tly_fail(diag, TLY_EINPUT, "not what signs a %s", package_kind_name(kind));
    }
    *out = s;
    return TLY_OK;
}

/* The old signatures over the same payload, then ours: made anew as text, since only the keys'
 * owners can sign. */
struct signature_row {
    struct tly_hash keyid;
    struct tly_sig  sig;
};

static enum tly_err
signatures_write(const char *dir, struct tly_bytes payload, const struct signature_row rows[],
                 unsigned n, struct tly_diag *diag)
{
    TLY_AUTO(arena) struct tly_arena arena = {.bytes_max = ARENA_BYTES};
    const size_t                     room  = 256 + TLY_BASE64_LEN(payload.len) + (size_t)n * 256;
    char                            *text  = tly_arena_alloc(&arena, room, 1);
    char                             path[FILE_PATH_SIZE];
    if (text == NULL) {
        return TLY_ENOMEM;
    }
    file_path(path, "%s/" PART_SIGNATURES, dir);
    size_t at = (size_t)snprintf(text, room, "{\"payload\":\"");
    tly_base64_encode(payload, TLY_BASE64_STD, text + at);
    at += TLY_BASE64_LEN(payload.len);
    at += (size_t)snprintf(text + at, room - at, "\",\"payloadType\":\"%s\",\"signatures\":[",
                           ENVELOPE_TYPE_PACKAGE);
    for (unsigned i = 0; i < n; i++) {
        char hex[2 * sizeof rows[i].keyid.b + 1];
        char sig[TLY_BASE64_LEN(sizeof rows[i].sig.b) + 1] = {0};
        tly_hex(rows[i].keyid.b, sizeof rows[i].keyid.b, hex);
        tly_base64_encode((struct tly_bytes){rows[i].sig.b, sizeof rows[i].sig.b}, TLY_BASE64_STD,
                          sig);
        at += (size_t)snprintf(text + at, room - at, "%s{\"keyid\":\"%s\",\"sig\":\"%s\"}",
                               i == 0 ? "" : ",", hex, sig);
    }
    at += (size_t)snprintf(text + at, room - at, "]}\n");
    TLY_CHECK(at < room);
    return file_write(path, (struct tly_bytes){(const uint8_t *)text, at}, SIGNATURES_MODE,
                      FILE_SYNC, diag);
}

/* "DSSEv1 LEN TYPE LEN PAYLOAD". */
static struct tly_bytes
pae_text(struct tly_bytes payload, char text[2 * PAYLOAD_MAX])
{
    const int len = snprintf(text, (size_t)2 * PAYLOAD_MAX, "DSSEv1 %zu %s %zu %.*s",
                             strlen(ENVELOPE_TYPE_PACKAGE), ENVELOPE_TYPE_PACKAGE, payload.len,
                             (int)payload.len, (const char *)payload.data);
    TLY_CHECK(len > 0 && len < 2 * PAYLOAD_MAX);
    return (struct tly_bytes){(const uint8_t *)text, (size_t)len};
}

enum tly_err
package_sign(const char *dir, enum package_kind kind, const char *election,
             const struct tly_hash *hash, const struct sign_secret *secret, struct tly_diag *diag)
{
    TLY_AUTO(arena) struct tly_arena arena = {.bytes_max = ARENA_BYTES};
    struct signature_row             rows[ENVELOPE_SIGNATURES_MAX];
    unsigned                         n   = 0;
    struct envelope                  old = {0};
    char                             text[PAYLOAD_MAX];
    char                             pae[2 * PAYLOAD_MAX];
    const struct tly_bytes           payload = payload_text(kind, election, hash, text);
    const struct tly_key             key     = sign_public(secret);
    const struct signature_row       mine    = {.keyid = keyfile_keyid(&key)};

    const enum tly_err err = signatures_read(dir, &arena, &old, diag);
    if (err != TLY_OK && err != TLY_ENOENT) {
        return err;
    }
    /* Signatures over anything else (the package before it was changed) are worth nothing now. */
    const bool same = err == TLY_OK && tly_bytes_eq(old.payload, payload) &&
                      tly_bytes_eq(old.type, tly_text(ENVELOPE_TYPE_PACKAGE));
    for (unsigned i = 0; same && i < old.signatures_n; i++) {
        if (!tly_hash_eq(&old.signatures[i].keyid, &mine.keyid)) {
            rows[n++] = (struct signature_row){old.signatures[i].keyid, old.signatures[i].sig};
        }
    }
    if (n == ENVELOPE_SIGNATURES_MAX) {
        return tly_fail(diag, TLY_ECONFLICT, "%s/" PART_SIGNATURES ": has %u signatures already",
                        dir, n);
    }
    rows[n] = mine;
    sign_make(secret, pae_text(payload, pae), &rows[n].sig);
    return signatures_write(dir, payload, rows, n + 1, diag);
}

unsigned
package_signers(const struct envelope *envelope, const struct tly_key keys[], unsigned keys_n)
{
    unsigned good = 0;
    for (unsigned k = 0; k < keys_n; k++) {
        bool verified = false;
        for (unsigned earlier = 0; earlier < k; earlier++) { /* a key given twice counts once */
            verified = verified || memcmp(&keys[earlier], &keys[k], sizeof keys[k]) == 0;
        }
        if (verified) {
            continue;
        }
        for (unsigned i = 0; i < envelope->signatures_n && !verified; i++) {
            verified = envelope_verify(envelope, i, &keys[k]);
        }
        good += verified;
    }
    return good;
}

enum tly_err
package_verify(const char *dir, enum package_kind kind, const char *election,
               const struct tly_hash *hash, const struct tly_key keys[], unsigned keys_n,
               unsigned threshold, struct tly_diag *diag)
{
    TLY_AUTO(arena) struct tly_arena arena    = {.bytes_max = ARENA_BYTES};
    struct envelope                  envelope = {0};
    enum tly_err                     err      = signatures_read(dir, &arena, &envelope, diag);
    if (err == TLY_ENOENT) {
        return tly_fail(diag, TLY_ENOKEY, "%s: nobody has signed it (no " PART_SIGNATURES ")", dir);
    }
    if (err == TLY_OK) {
        err = about_check(dir, &envelope, kind, election, hash, diag);
    }
    if (err != TLY_OK) {
        return err;
    }
    const unsigned good = package_signers(&envelope, keys, keys_n);
    if (good < threshold) {
        return tly_fail(diag, TLY_ENOKEY,
                        "%s: %u of the %u root keys given have signed it, %u must have", dir, good,
                        keys_n, threshold);
    }
    return TLY_OK;
}
