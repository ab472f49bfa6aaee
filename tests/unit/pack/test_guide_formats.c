/* SPDX-License-Identifier: Apache-2.0 */
/* The example of doc/formats.md, computed again: packages, hashes, signatures, envelope, bundle,
 * leaves, checkpoint, receipt.  The page's own blocks are what the program must read and write. */
#include <unistd.h>

#include "base/hex.h"
#include "core/book.h"
#include "core/bundle.h"
#include "core/receipt.h"
#include "dir.h"
#include "pack/definition.h"
#include "pack/package.h"
#include "pack/registry_load.h"
#include "package_files.h"
#include "sys/file.h"
#include "sys/sha256.h"
#include "t.h"

#define GUIDE     "doc/formats.md"
#define ORIGIN    "tally.example/demo-2026/rehearsal"
#define ARENA_MAX ((size_t)16 << 20)

static struct tly_arena arena;
static struct tly_bytes guide;
static const char      *dir;
static struct tly_diag  diag;

/* What stands between the line "```text NAME" and the next "```". */
static struct tly_bytes
block(const char *name)
{
    char head[128];
    (void)snprintf(head, sizeof head, "\n```text %s\n", name);
    const uint8_t *at = memmem(guide.data, guide.len, head, strlen(head));
    if (at == NULL) {
        printf("Bail out! " GUIDE " has no block %s\n", name);
        exit(EXIT_FAILURE);
    }
    at += strlen(head);
    const uint8_t *end = memmem(at, (size_t)(guide.data + guide.len - at), "\n```\n", 5);
    TLY_CHECK(end != NULL);
    return (struct tly_bytes){at, (size_t)(end + 1 - at)};
}

/* Without the line feed that ends the block. */
static struct tly_bytes
block_line(const char *name)
{
    struct tly_bytes text = block(name);
    text.len--;
    return text;
}

/* The value of a name in the block "values". */
static const char *
value(const char *name)
{
    const struct tly_bytes values = block("values");
    char                   head[64];
    (void)snprintf(head, sizeof head, "%-16s", name);
    const uint8_t *at = memmem(values.data, values.len, head, strlen(head));
    TLY_CHECK(at != NULL);
    at += strlen(head);
    const uint8_t *end  = memchr(at, '\n', (size_t)(values.data + values.len - at));
    const char    *text = tly_arena_text(&arena, (struct tly_bytes){at, (size_t)(end - at)});
    TLY_CHECK(text != NULL);
    return text;
}

static const char *
hex_of(const void *data, size_t len)
{
    char hex[TLY_HEX_SIZE(64)];
    tly_hex(data, len, hex);
    const char *text = tly_arena_text(&arena, tly_text(hex));
    TLY_CHECK(text != NULL);
    return text;
}

static const char *
hash_text(struct tly_bytes bytes)
{
    const struct tly_hash hash = sys_sha256(bytes);
    return hex_of(hash.b, sizeof hash.b);
}

static struct sign_secret
secret_of(const char *name)
{
    uint8_t            seed[32];
    struct sign_secret secret;
    TLY_CHECK(tly_unhex(tly_text(value(name)), seed, sizeof seed));
    sign_from_seed(seed, &secret);
    return secret;
}

static void
same(struct tly_bytes got, struct tly_bytes want, const char *what)
{
    T_OK(tly_bytes_eq(got, want), what);
}

static const char *const definition_names[] = {
    "areas.csv",    "ballots.csv",   "branches.csv", "candidates.csv",
    "contests.csv", "election.json", "lists.csv",    NULL};
static const char *const registry_names[] = {"clients.csv", "officers.csv", "terminals.csv", NULL};

/* The package's files into dir/NAME, without signatures. */
static void
folder_write(const char *name, const char *const files[], char path[128])
{
    (void)snprintf(path, 128, "%s/%s", dir, name);
    TLY_CHECK(mkdir(path, 0700) == 0);
    for (; *files != NULL; files++) {
        char at[64];
        (void)snprintf(at, sizeof at, "%s/%s", name, *files);
        const struct tly_bytes text = block(at);
        package_file_write(path, *files, (const char *)text.data, text.len);
    }
}

/* Hash, and the signature of the root key byte for byte. */
static void
package(const char *name, const char *path, enum package_kind kind, const struct tly_hash *loaded)
{
    const struct sign_secret root = secret_of("root seed");
    const struct tly_key     key  = sign_public(&root);
    struct tly_hash          hash = {0};
    struct tly_bytes         text;
    char                     at[256];
    (void)snprintf(at, sizeof at, "%s hash", name);
    T_EQ(package_hash(path, kind, &hash, &diag), TLY_OK, "the package is hashed");
    T_STR(hex_of(hash.b, sizeof hash.b), value(at), "as the guide says");
    T_OK(tly_hash_eq(&hash, loaded), "and as it is loaded with");
    T_EQ(package_sign(path, kind, "demo-2026", &hash, &root, &diag), TLY_OK, "signed");
    (void)snprintf(at, sizeof at, "%s/signatures.dsse", path);
    T_EQ(file_read(at, 4096, &arena, &text, &diag), TLY_OK, "its signatures");
    (void)snprintf(at, sizeof at, "%s/signatures.dsse", name);
    same(text, block(at), "are the guide's");
    T_EQ(package_verify(path, kind, "demo-2026", &hash, &key, 1, 1, &diag), TLY_OK, "and verify");
}

static void
packages(struct election **election, struct registry **registry)
{
    char          definition_dir[128], registry_dir[128];
    struct faults faults = {.arena = &arena};
    folder_write("definition", definition_names, definition_dir);
    folder_write("registry", registry_names, registry_dir);
    T_EQ(definition_load(definition_dir, &arena, election, &faults, &diag), TLY_OK, "definition");
    T_EQ(registry_load(registry_dir, *election, &arena, registry, &faults, &diag), TLY_OK,
         "registry");
    faults_print(&faults, NULL, stdout);
    TLY_CHECK(*election != NULL && *registry != NULL);
    package("definition", definition_dir, PACKAGE_DEFINITION, &(*election)->definition);
    package("registry", registry_dir, PACKAGE_REGISTRY, &(*registry)->hash);
}

/* The terminal's side: keys, PAE, envelope. */
static void
terminal_signs(void)
{
    const struct sign_secret secret  = secret_of("terminal seed");
    const struct tly_key     key     = sign_public(&secret);
    const struct tly_hash    keyid   = sys_sha256((struct tly_bytes){key.b, sizeof key.b});
    const struct tly_bytes   payload = block_line("payload");
    struct tly_bytes         text    = {0};
    struct envelope          envelope;
    T_STR(hex_of(key.b, sizeof key.b), value("terminal key"), "the terminal's key");
    T_STR(hex_of(keyid.b, sizeof keyid.b), value("terminal keyid"), "its key id");
    T_EQ(envelope_write(ENVELOPE_TYPE_BUNDLE, payload, &secret, &keyid, 1, &arena, &text), TLY_OK,
         "the terminal signs");
    same(text, block_line("envelope"), "the guide's envelope");
    T_EQ(envelope_parse(text, payload.len, &arena, &envelope, &diag), TLY_OK, "it is read");
    T_EQ(envelope.pae.len, atoll(value("PAE bytes")), "length of the PAE");
    T_STR(hash_text(envelope.pae), value("PAE hash"), "what is signed");
}

/* The bundle as the daemon reads it from its terminal. */
static struct bundle
bundle_taken(const struct election *election, const struct registry *registry)
{
    const struct speaker             sender  = {.role     = ROLE_TERMINAL,
                                                .terminal = {0},
                                                .client   = {IX_NONE},
                                                .area     = election->branches[0].area};
    const struct bundle_rules        rules   = {election, registry, &sender};
    const struct tly_bytes           text    = block_line("envelope");
    struct bundle                    bundle  = {0};
    TLY_AUTO(arena) struct tly_arena scratch = {.bytes_max = ARENA_MAX};
    T_EQ(bundle_read(&rules, text, &arena, &scratch, &bundle, &diag), TLY_OK,
         "the bundle is taken");
    T_STR(bundle_status_name(bundle_status(&bundle.checked)), "counted", "and counted");
    T_EQ(bundle.checked.slots[0].flags, 0, "without a flag");
    same(bundle.envelope.payload, block_line("payload"), "the payload");
    T_EQ(text.len, atoll(value("envelope bytes")), "bytes of the envelope");
    T_STR(hash_text(text), value("envelope hash"), "its hash");
    T_EQ(bundle.envelope.payload.len, atoll(value("payload bytes")), "bytes of the payload");
    T_STR(hash_text(bundle.envelope.payload), value("payload hash"), "its hash");
    return bundle;
}

static void
leaf_same(const struct book *book, uint64_t position, const char *name)
{
    char                  text[LEAF_SIZE];
    char                  hash[32];
    const size_t          len = book_leaf(book, position, text);
    const struct tly_hash h   = merkle_leaf_at(book_tree(book), position);
    (void)snprintf(hash, sizeof hash, "%s hash", name);
    same((struct tly_bytes){(const uint8_t *)text, len}, block(name), name);
    T_STR(hex_of(h.b, sizeof h.b), value(hash), hash);
}

/* Head, checkpoint and receipt over both leaves. */
static void
head_same(struct book *book)
{
    const struct sign_secret log  = secret_of("log seed");
    const struct tly_key     key  = sign_public(&log);
    const struct note_head   head = {2, merkle_root(book_tree(book), 2)};
    struct book_head         kept = {.size = 2};
    struct note_vkey         vkey;
    struct receipt           read;
    struct tly_bytes         receipt;
    char                     text[NOTE_LEN_MAX];
    T_STR(hex_of(head.root.b, sizeof head.root.b), value("root hash"), "the root");
    note_vkey_make(ORIGIN, &key, &vkey);
    (void)note_vkey_write(&vkey, text);
    T_STR(text, value("log vkey"), "the log's vkey");
    note_sign(ORIGIN, &head, &log, &kept.sig);
    const size_t len = note_write(&head, &vkey, &kept.sig, text);
    same((struct tly_bytes){(const uint8_t *)text, len}, block("checkpoint"), "checkpoint");
    T_EQ(book_add_head(book, &kept), TLY_OK, "the head is kept");
    T_EQ(book_receipt(book, 1, book_head_of(book, 1), &vkey, &arena, &receipt), TLY_OK, "receipt");
    same(receipt, block("receipt"), "is the guide's");
    T_EQ(receipt_check(block("receipt"), &vkey, &arena, &read, &diag), TLY_OK, "and is sound");
    same(read.leaf, block("leaf 1"), "for the guide's leaf");
}

/* The same bundle with another salt, as the conflict it would be logged as. */
static void
conflict(struct book *book, const struct registry *registry)
{
    static const char        was[]  = "000102030405060708090a0b0c0d0e0f";
    const struct sign_secret secret = secret_of("terminal seed");
    const struct tly_bytes   first  = block_line("payload");
    char                     other[4096];
    struct tly_bytes         text;
    char                     leaf[LEAF_SIZE];
    TLY_CHECK(first.len < sizeof other);
    memcpy(other, first.data, first.len);
    char *at = memmem(other, first.len, was, strlen(was));
    TLY_CHECK(at != NULL);
    memcpy(at, "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff", strlen(was));
    const struct tly_bytes payload = {(uint8_t *)other, first.len};
    T_EQ(envelope_write(ENVELOPE_TYPE_BUNDLE, payload, &secret, &registry->terminals[0].keyid, 1,
                        &arena, &text),
         TLY_OK, "another salt");
    const struct book_entry entry = {.kind           = LEAF_CONFLICT,
                                     .revision       = 1,
                                     .payload_len    = (uint32_t)payload.len,
                                     .envelope_len   = (uint32_t)text.len,
                                     .accepted_ms    = 1792183000001,
                                     .payload        = sys_sha256(payload),
                                     .envelope       = sys_sha256(text),
                                     .first_envelope = book_entry(book, 1)->envelope};
    T_EQ(book_append(book, &entry), TLY_OK, "a conflict");
    const size_t len = book_leaf(book, 2, leaf);
    same((struct tly_bytes){(const uint8_t *)leaf, len}, block("leaf 2"), "the guide's leaf 2");
}

static void
ledger(const struct election *election, const struct registry *registry, const struct bundle *b)
{
    const struct tly_bytes  text    = block_line("envelope");
    const struct book_entry genesis = {.kind = LEAF_GENESIS, .accepted_ms = 1792100000000};
    const struct book_entry bundle  = {.kind         = LEAF_BUNDLE,
                                       .branch       = b->branch,
                                       .terminal     = b->terminal,
                                       .revision     = b->revision,
                                       .payload_len  = (uint32_t)b->envelope.payload.len,
                                       .envelope_len = (uint32_t)text.len,
                                       .accepted_ms  = 1792183000000,
                                       .payload      = sys_sha256(b->envelope.payload),
                                       .envelope     = sys_sha256(text),
                                       .held         = b->held};
    struct book            *book    = NULL;
    T_EQ(book_new(election, registry, &arena, &book), TLY_OK, "a ledger");
    T_EQ(book_append(book, &genesis), TLY_OK, "with its genesis");
    T_EQ(book_append(book, &bundle), TLY_OK, "and the bundle");
    leaf_same(book, 0, "leaf 0");
    leaf_same(book, 1, "leaf 1");
    head_same(book);
    conflict(book, registry);
}

/* The guide's last sentence: with more ballots cast the same bundle is held. */
static void
held(const struct election *election, const struct registry *registry)
{
    static const char                was[]  = "\"cast\":112";
    const struct sign_secret         secret = secret_of("terminal seed");
    const struct tly_bytes           good   = block_line("payload");
    char                             bad[4096];
    struct tly_bytes                 text;
    struct bundle                    bundle  = {0};
    TLY_AUTO(arena) struct tly_arena scratch = {.bytes_max = ARENA_MAX};
    TLY_CHECK(good.len < sizeof bad);
    memcpy(bad, good.data, good.len);
    char *at = memmem(bad, good.len, was, strlen(was));
    TLY_CHECK(at != NULL);
    memcpy(at, "\"cast\":120", strlen(was));
    T_EQ(envelope_write(ENVELOPE_TYPE_BUNDLE, (struct tly_bytes){(uint8_t *)bad, good.len}, &secret,
                        &registry->terminals[0].keyid, 1, &arena, &text),
         TLY_OK, "120 cast");
    const struct bundle_rules rules = {election, registry, NULL};
    T_EQ(bundle_read(&rules, text, &arena, &scratch, &bundle, &diag), TLY_OK, "it is taken");
    same(bundle.held, tly_text("held council N02,N08,N10\n"), "and held as the guide says");
    T_STR(bundle_status_name(bundle_status(&bundle.checked)), "held", "Tally-Status");
}

/* The cell n of the table row that holds `name` in backticks, after `section`. */
static const char *
cell(const char *section, const char *name, unsigned n)
{
    char head[64];
    (void)snprintf(head, sizeof head, "\n%s", section);
    const char *at = strstr((const char *)guide.data, head);
    TLY_CHECK(at != NULL);
    (void)snprintf(head, sizeof head, "`%s`", name);
    for (at = strchr(at + 1, '\n'); at != NULL; at = strchr(at + 1, '\n')) {
        const char *bar = strchr(at + 2, '|'); /* the first cell ends here */
        const char *hit = strstr(at, head);
        if (at[1] == '|' && bar != NULL && hit != NULL && hit < bar) {
            for (; n > 1; n--) {
                bar = strchr(bar + 1, '|');
                TLY_CHECK(bar != NULL);
            }
            const size_t len = strcspn(bar + 2, "|\n");
            TLY_CHECK(len > 0);
            return tly_arena_text(&arena, (struct tly_bytes){(const uint8_t *)bar + 2, len - 1});
        }
    }
    printf("# no row %s\n", name);
    return "";
}

/* The columns in the tables are those of the files. */
static void
columns(const char *folder, const char *const files[])
{
    for (; *files != NULL; files++) {
        char       name[64];
        char       want[256];
        const bool csv = strstr(*files, ".csv") != NULL;
        (void)snprintf(name, sizeof name, "%s/%s", folder, *files);
        const struct tly_bytes text = block(name);
        const uint8_t         *end  = memchr(text.data, '\n', text.len);
        TLY_CHECK(end != NULL);
        (void)snprintf(want, sizeof want, "`%.*s`", (int)(end - text.data),
                       (const char *)text.data);
        (void)snprintf(name, sizeof name, "### %s/", folder);
        T_STR(cell(name, *files, 1), csv ? want : "below", *files);
    }
}

/* The example names no policy: its defaults are those of the table. */
static void
policy(const struct election *election)
{
    for (unsigned kind = 0; kind < POLICIES_N; kind++) {
        const struct quorum *quorum = &election->policy.kinds[kind];
        char                 want[128];
        size_t               at = 0;
        for (unsigned role = 0; role < OFFICER_ROLES_N; role++) {
            if (quorum->n[role] > 0) {
                at += (size_t)snprintf(want + at, sizeof want - at, "%s%s %u", at > 0 ? ", " : "",
                                       officer_role_name((enum officer_role)role), quorum->n[role]);
            }
        }
        const char *name = policy_name((enum policy_kind)kind);
        T_STR(cell("| key of `policy`", name, 2), want, name);
    }
    T_EQ(election->policy.root, atoll(cell("| key of `policy`", "root", 2)), "root keys");
    T_EQ(election->policy.publish_min_ballots,
         atoll(cell("| key of `policy`", "publish_min_ballots", 2)), "publish_min_ballots");
}

int
main(void)
{
    struct election *election = NULL;
    struct registry *registry = NULL;
    tly_arena_init(&arena, ARENA_MAX);
    dir = t_dir();
    if (file_read(GUIDE, (size_t)1 << 20, &arena, &guide, &diag) != TLY_OK) {
        printf("Bail out! %s\n", diag.text);
        return EXIT_FAILURE;
    }
    guide.data = (const uint8_t *)tly_arena_text(&arena, guide); /* with a NUL behind */
    TLY_CHECK(guide.data != NULL);
    packages(&election, &registry);
    columns("definition", definition_names);
    columns("registry", registry_names);
    policy(election);
    terminal_signs();
    const struct bundle bundle = bundle_taken(election, registry);
    ledger(election, registry, &bundle);
    held(election, registry);
    tly_arena_done(&arena);
    return T_DONE();
}
