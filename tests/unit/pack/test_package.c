/* SPDX-License-Identifier: Apache-2.0 */
/* Packages as a whole, key files and certificates: what counts as signed, what is refused. */
#include "pack/package.h"

#include <fcntl.h>
#include <sodium.h>

#include "base/hex.h"
#include "dir.h"
#include "pack/cert.h"
#include "pack/keyfile.h"
#include "package_files.h"
#include "t.h"

static const char        *dir;
static char               at[64];
static struct tly_diag    diag;
static struct sign_secret secrets[5];
static struct tly_key     keys[5];

static const char *
in_dir(const char *name)
{
    static char path[4][128];
    static int  i;
    i = (i + 1) % 4;
    (void)snprintf(path[i], sizeof path[i], "%s/%s", dir, name);
    return path[i];
}

static enum tly_err
verify(const struct tly_hash *hash, const struct tly_key given[], unsigned n, unsigned threshold)
{
    return package_verify(at, PACKAGE_DEFINITION, "e1", hash, given, n, threshold, &diag);
}

/* The hash of the fixture by coreutils: sha256sum * | sha256sum. */
static void
hashing(struct tly_hash *hash)
{
    struct tly_hash other;
    package_write(at, definition_files, NULL, NULL, NULL);
    T_EQ(package_hash(at, PACKAGE_DEFINITION, hash, &diag), TLY_OK, "hashed");
    char hex[65];
    tly_hex(hash->b, 32, hex);
    T_STR(hex, "11a2cafd9a4d02dd8a1f196f1963b843f6ff48f8aa633088a5432c1d76bda8b5",
          "as sha256sum makes it");
    package_write(at, definition_files, "lists.csv", "Hope", "hope");
    T_EQ(package_hash(at, PACKAGE_DEFINITION, &other, &diag), TLY_OK, "one letter changed");
    T_OK(!tly_hash_eq(hash, &other), "another hash");
    package_write(at, definition_files, NULL, NULL, NULL);
    package_file_write(at, "extra", "", 0);
    other = *hash;
    T_EQ(package_hash(at, PACKAGE_DEFINITION, &other, &diag), TLY_EINPUT, "a file too many");
    T_OK(strstr(diag.text, "extra") != NULL && tly_hash_eq(hash, &other), "named, untouched");
    (void)unlink(in_dir("d/extra"));
    (void)unlink(in_dir("d/lists.csv"));
    T_EQ(package_hash(at, PACKAGE_DEFINITION, &other, &diag), TLY_EINPUT, "a file too few");
    T_EQ(package_hash("/nonexistent", PACKAGE_DEFINITION, &other, &diag), TLY_EINPUT, "no folder");
    package_write(at, definition_files, NULL, NULL, NULL);
}

static enum tly_err
sign(const struct tly_hash *hash, unsigned key)
{
    return package_sign(at, PACKAGE_DEFINITION, "e1", hash, &secrets[key], &diag);
}

static void
signing(const struct tly_hash *hash)
{
    struct tly_hash wrong = *hash;
    wrong.b[0] ^= 1;
    T_EQ(verify(hash, keys, 1, 1), TLY_ENOKEY, "nobody has signed");
    T_EQ(sign(hash, 0), TLY_OK, "the first");
    T_EQ(verify(hash, keys, 1, 1), TLY_OK, "is enough for one");
    T_EQ(verify(hash, keys, 2, 2), TLY_ENOKEY, "not for two");
    const struct tly_key twice[2] = {keys[0], keys[0]};
    T_EQ(verify(hash, twice, 2, 2), TLY_ENOKEY, "one key given twice counts once");
    T_EQ(sign(hash, 0), TLY_OK, "the first again");
    T_EQ(verify(hash, keys, 2, 2), TLY_ENOKEY, "and still counts once");
    T_EQ(sign(hash, 1), TLY_OK, "the second");
    T_EQ(verify(hash, keys, 2, 2), TLY_OK, "two of two");
    T_EQ(verify(hash, keys + 1, 2, 1), TLY_OK, "one of another two");
    T_EQ(verify(hash, keys + 2, 2, 1), TLY_ENOKEY, "none of others");
    T_EQ(verify(&wrong, keys, 2, 1), TLY_EINPUT, "another hash");
    T_OK(strstr(diag.text, "hash") != NULL && strstr(diag.text, "tallyctl sign") != NULL,
         "says which member, and the way on");
    T_EQ(package_verify(at, PACKAGE_REGISTRY, "e1", hash, keys, 2, 1, &diag), TLY_EINPUT,
         "another kind");
    T_EQ(package_verify(at, PACKAGE_DEFINITION, "e2", hash, keys, 2, 1, &diag), TLY_EINPUT,
         "another election");
    T_EQ(sign(hash, 2), TLY_OK, "the third");
    T_EQ(sign(hash, 3), TLY_OK, "the fourth");
    T_EQ(sign(hash, 4), TLY_ECONFLICT, "the fifth finds no room");
    T_EQ(verify(hash, keys, 4, 4), TLY_OK, "four of four");
    T_EQ(sign(&wrong, 1), TLY_OK, "a new hash drops the old signatures");
    T_EQ(verify(&wrong, keys, 4, 1), TLY_OK, "one");
    T_EQ(verify(&wrong, keys, 4, 2), TLY_ENOKEY, "only one");
    package_file_write(at, "signatures.dsse", "{}", 2);
    T_EQ(verify(hash, keys, 1, 1), TLY_EINPUT, "no envelope");
    T_EQ(sign(hash, 0), TLY_EINPUT, "is not signed over either");
    (void)unlink(in_dir("d/signatures.dsse"));
}

static void
key_files(void)
{
    struct sign_secret back;
    struct tly_key     key;
    const char        *path = in_dir("k.key");
    T_EQ(keyfile_write_secret(path, &secrets[0], &diag), TLY_OK, "written");
    T_EQ(keyfile_write_secret(path, &secrets[1], &diag), TLY_ECONFLICT, "never overwritten");
    T_EQ(keyfile_read_secret(path, &back, &diag), TLY_OK, "read");
    T_OK(memcmp(&back, &secrets[0], sizeof back) == 0, "the same");
    T_EQ(keyfile_read_public(path, &key, &diag), TLY_OK, "its public half");
    T_OK(memcmp(&key, &keys[0], sizeof key) == 0, "the same");
    T_EQ(chmod(path, 0640), 0, "opened to the group");
    T_EQ(keyfile_read_secret(path, &back, &diag), TLY_EINPUT, "refused");
    T_OK(strstr(diag.text, "chmod 600") != NULL, "says what to do");
    (void)unlink(path);
    path = in_dir("k.pub");
    T_EQ(keyfile_write_public(path, &keys[1], &diag), TLY_OK, "a public key");
    T_EQ(keyfile_read_public(path, &key, &diag), TLY_OK, "read");
    T_OK(memcmp(&key, &keys[1], sizeof key) == 0, "the same");
    T_EQ(chmod(path, 0600), 0, "closed");
    T_EQ(keyfile_read_secret(path, &back, &diag), TLY_EINPUT, "is no secret");
    (void)unlink(path);
    T_EQ(keyfile_read_public(path, &key, &diag), TLY_ENOENT, "missing");
}

/* A key file cut at every byte is refused, and the output stays. */
static void
key_cut(void)
{
    char               text[512];
    struct sign_secret back = secrets[2];
    const char        *path = in_dir("c.key");
    T_EQ(keyfile_write_secret(path, &secrets[0], &diag), TLY_OK, "written");
    FILE        *f   = fopen(path, "re");
    const size_t len = fread(text, 1, sizeof text, f);
    (void)fclose(f);
    for (size_t n = 0; n + 1 < len; n++) { /* the last byte is a newline, which may be missing */
        package_file_write(dir, "c.key", text, n);
        T_EQ(keyfile_read_secret(path, &back, NULL), TLY_EINPUT, "cut");
    }
    T_OK(memcmp(&back, &secrets[2], sizeof back) == 0, "output untouched");
    (void)unlink(path);
}

static void
certificates(void)
{
    struct cert_ca *ca = NULL;
    struct tly_hash a, b;
    T_EQ(cert_ca_make(in_dir("ca.crt"), in_dir("ca.key"), "CA", 1000, 2000000000, &diag), TLY_OK,
         "an authority");
    T_EQ(cert_ca_make(in_dir("ca.crt"), in_dir("ca.key"), "CA", 1, 2, &diag), TLY_ECONFLICT,
         "never overwritten");
    T_EQ(cert_ca_load(in_dir("ca.crt"), in_dir("ca.key"), &ca, &diag), TLY_OK, "loaded");
    struct cert_request request = {.common_name = "t1",
                                   .uri         = "urn:tally:e1:terminal:t1",
                                   .usage       = CERT_CLIENT,
                                   .not_before  = 1000,
                                   .not_after   = 2000000000};
    T_EQ(cert_issue(ca, &request, in_dir("t1.pem"), NULL, NULL, &a, &diag), TLY_OK, "a client");
    T_EQ(cert_fingerprint(in_dir("t1.pem"), &b, &diag), TLY_OK, "its fingerprint");
    T_OK(tly_hash_eq(&a, &b), "the same");
    T_EQ(cert_issue(ca, &request, in_dir("t1.pem"), NULL, NULL, &a, &diag), TLY_ECONFLICT,
         "never overwritten");
    T_OK(tly_hash_eq(&a, &b), "output untouched");
    struct stat st;
    T_OK(stat(in_dir("t1.pem"), &st) == 0 && (st.st_mode & 0777) == 0600, "ours alone");
    cert_ca_free(ca);
    ca = NULL;
    T_EQ(cert_ca_load(in_dir("t1.pem"), in_dir("t1.pem"), &ca, &diag), TLY_EINPUT, "no authority");
    T_EQ(chmod(in_dir("ca.key"), 0640), 0, "its key opened to the group");
    T_EQ(cert_ca_load(in_dir("ca.crt"), in_dir("ca.key"), &ca, &diag), TLY_EINPUT,
         "refused, as any key file that others can read");
    T_EQ(cert_ca_load(in_dir("ca.crt"), in_dir("t1.pem"), &ca, &diag), TLY_EINPUT, "not its key");
    T_OK(ca == NULL, "output untouched");
    T_EQ(cert_fingerprint(in_dir("ca.key"), &b, &diag), TLY_EINPUT, "a key is no certificate");
    (void)unlink(in_dir("ca.crt"));
    (void)unlink(in_dir("ca.key"));
    (void)unlink(in_dir("t1.pem"));
}

int
main(void)
{
    struct tly_hash hash;
    TLY_CHECK(sodium_init() >= 0);
    dir = t_dir();
    (void)snprintf(at, sizeof at, "%s/d", dir);
    for (unsigned i = 0; i < TLY_N(secrets); i++) {
        const uint8_t seed[32] = {(uint8_t)(i + 1)};
        sign_from_seed(seed, &secrets[i]);
        keys[i] = sign_public(&secrets[i]);
    }
    hashing(&hash);
    signing(&hash);
    key_files();
    key_cut();
    certificates();
    return T_DONE();
}
