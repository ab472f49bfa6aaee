/* SPDX-License-Identifier: Apache-2.0 */
/* The folder at every kind of size, grown batch by batch: a reader who trusts only the entries finds
 * the root, all tiles, all envelopes and the checkpoint; what a failed write lost comes back; and the
 * files of logs that others published are made byte for byte.  Timeout: 240 s. */
#include "../../../src/publish/strip.h"
#include "base/hex.h"
#include "ledger_vector.h"
#include "rig.h"
#include "shared.h"
#include "sys/sha256.h"
#include "t.h"

static void
publish_now(struct rig *r, uint64_t from, const char *name)
{
    uint64_t         due  = 0;
    struct seq_batch none = {.old_size = from, .new_size = book_size(r->book)};
    enum tly_err     err  = rig_add(r, from, false);
    err                   = err == TLY_OK ? publish_batch(r->publish, &none, &r->diag) : err;
    err                   = err == TLY_OK ? publish_turn(r->publish, 1000, &due, &r->diag) : err;
    T_OK(err == TLY_OK && due == UINT64_MAX && publish_size(r->publish) == book_size(r->book) &&
             rig_right(r),
         name);
}

static unsigned
files_in(const struct rig *r, const char *name)
{
    char     path[FILE_PATH_SIZE];
    unsigned n = 0;
    file_path(path, "%s/%s", r->dir, name);
    DIR *dir = opendir(path);
    while (dir != NULL && readdir(dir) != NULL) {
        n++;
    }
    if (dir != NULL) {
        (void)closedir(dir);
    }
    return n < 2 ? 0 : n - 2;
}

static void
grows(struct rig *r)
{
    static const uint64_t sizes[] = {2, 255, 256, 257, 300, 511, 512, 513, 65535, 65536, 65537};
    r->withheld_each              = 41;
    rig_sign(r);
    T_EQ(rig_start(r), TLY_OK, "an empty folder and a ledger of one entry");
    T_OK(rig_right(r), "size 1");
    for (size_t i = 0; i < TLY_N(sizes); i++) {
        char           name[64];
        const uint64_t from = book_size(r->book);
        (void)snprintf(name, sizeof name, "size %llu, from %llu", (unsigned long long)sizes[i],
                       (unsigned long long)from);
        rig_grow(r, sizes[i]);
        publish_now(r, from, name);
    }
    T_EQ(files_in(r, "tile/entries/000.p") + files_in(r, "bundle/001.p") +
             files_in(r, "tile/1/000.p"),
         0, "partial files went with the full one");
    T_EQ(files_in(r, "tile/entries"), 257, "256 full tiles and a partial one");
}

/* One entry a batch: entry tiles stay for every checkpoint, packs only the newest. */
static void
trickles(struct rig *r)
{
    const uint64_t began = book_size(r->book);
    for (uint64_t size = began + 1; size <= began + 20; size++) {
        rig_grow(r, size);
        publish_now(r, size - 1, "one entry more");
    }
    T_EQ(files_in(r, "tile/entries/005.p"), 21, "a partial entry tile for each checkpoint");
    T_EQ(files_in(r, "tile/0/005.p"), 21, "a partial tile for each");
    T_EQ(files_in(r, "bundle/005.p"), STRIP_PARTIALS_MAX, "only the newest partial packs");
}

static void
throttles(struct rig *r)
{
    const struct publish_config config = {.dir             = r->dir,
                                          .election        = &r->f.election,
                                          .book            = r->book,
                                          .vkey            = &r->f.vkey,
                                          .definition      = r->definition,
                                          .registry        = r->registry,
                                          .definition_hash = r->definition_hash,
                                          .registry_hash   = r->registry_hash,
                                          .policy          = "",
                                          .interval_ms     = 500};
    uint64_t                    due    = 0;
    publish_close(TLY_TAKE(r->publish));
    enum tly_err err = publish_open(&config, &r->publish, &r->diag);
    publish_begin(r->publish, book_size(r->book));
    err = err == TLY_OK ? rig_add(r, 0, true) : err;
    err = err == TLY_OK ? publish_complete(r->publish, &r->diag) : err;
    T_EQ(err, TLY_OK, "started again, 500 ms between checkpoints");
    for (unsigned i = 0; i < 3; i++) {
        const uint64_t   from = book_size(r->book);
        const uint64_t   now  = 10000 + i * 400;
        struct seq_batch none = {.old_size = from, .new_size = from + 1};
        rig_grow(r, from + 1);
        err = rig_add(r, from, false);
        err = err == TLY_OK ? publish_batch(r->publish, &none, &r->diag) : err;
        err = err == TLY_OK ? publish_turn(r->publish, now, &due, &r->diag) : err;
        T_OK(err == TLY_OK && due == (i == 1 ? 10500 : UINT64_MAX) &&
                 publish_size(r->publish) == (i == 1 ? from : from + 1),
             i == 1 ? "too early: due 500 ms after the last" : "due: published");
    }
    T_OK(rig_right(r), "all of it is there");
}

static void
recovers(struct rig *r)
{
    char             path[FILE_PATH_SIZE];
    uint64_t         due = 0, from = 0;
    const uint64_t   size = book_size(r->book) / 256 * 256 + 256;
    struct seq_batch none = {.old_size = book_size(r->book), .new_size = size};
    file_path(path, "%s/bundle", r->dir);
    char aside[FILE_PATH_SIZE + 8];
    (void)snprintf(aside, sizeof aside, "%s.aside", path);
    T_EQ(rename(path, aside), 0, "the packs' folder is gone");
    rig_write(r->dir, "bundle", "in the way");
    const uint64_t had = book_size(r->book);
    rig_grow(r, size);
    enum tly_err err = rig_add(r, had, false);
    T_EQ(err, TLY_EIO, "a full pack cannot be put into its place");
    T_OK(strstr(r->diag.text, "bundle/") != NULL, "the reason names the file");
    T_EQ(publish_batch(r->publish, &none, &r->diag), TLY_OK, "batches go on");
    T_OK(publish_turn(r->publish, 90000, &due, &r->diag) == TLY_OK &&
             publish_size(r->publish) == had,
         "nothing is published meanwhile");
    T_OK(publish_missing(r->publish, &from) && from == size - 256, "the tile has to come again");
    T_EQ(rig_add(r, from, true), TLY_EIO, "again too early");
    T_OK(publish_missing(r->publish, &from) && from == size - 256, "and again");
    T_OK(unlink(path) == 0 && rename(aside, path) == 0, "the folder is back");
    T_EQ(rig_add(r, from, true), TLY_OK, "they come again");
    T_OK(!publish_missing(r->publish, &from), "nothing is missing");
    T_EQ(publish_turn(r->publish, 91000, &due, &r->diag), TLY_OK, "it is published");
    T_OK(rig_right(r), "and right");
}

static void
cosigns(struct rig *r)
{
    TLY_AUTO(arena) struct tly_arena arena = {.bytes_max = RIG_ARENA_MAX};
    const char                      *line  = "\xE2\x80\x94 board.example/w QUJDREVGR0g=\n";
    const uint64_t                   size  = publish_size(r->publish);
    T_EQ(publish_cosign(r->publish, size, tly_text("no line\n"), &r->diag), TLY_EINPUT,
         "not a line");
    T_EQ(publish_cosign(r->publish, size, tly_text("\xE2\x80\x94 x y"), &r->diag), TLY_EINPUT,
         "no end");
    T_EQ(publish_cosign(r->publish, size, tly_text(line), &r->diag), TLY_OK, "a cosignature");
    struct tly_bytes note = rig_read(r, &arena, "checkpoint");
    T_OK(note.len > strlen(line) &&
             memcmp(note.data + note.len - strlen(line), line, strlen(line)) == 0 && rig_right(r),
         "stands behind the log's");
    publish_close(TLY_TAKE(r->publish));
    T_EQ(rig_start(r), TLY_OK, "started again");
    const struct tly_bytes again = rig_read(r, &arena, "checkpoint");
    T_OK(tly_bytes_eq(note, again), "and is still there");
    rig_grow(r, book_size(r->book) + 1);
    publish_now(r, size, "one entry more");
    note = rig_read(r, &arena, "checkpoint");
    T_OK(note.len > 0 && strstr((const char *)note.data, "board") == NULL,
         "the next checkpoint has none yet");
}

/* ---- what others published ---- */

static void
strip_leaf(struct strip *s, struct tly_bytes leaf)
{
    const uint8_t prefix[2] = {(uint8_t)(leaf.len >> 8), (uint8_t)leaf.len};
    enum tly_err  err       = strip_add(s, (struct tly_bytes){prefix, 2}, NULL);
    err                     = err == TLY_OK ? strip_add(s, leaf, NULL) : err;
    err                     = err == TLY_OK ? strip_end(s, NULL) : err;
    err                     = err == TLY_OK ? strip_show(s, NULL) : err;
    TLY_CHECK(err == TLY_OK);
}

static struct tly_bytes
read_in(const char *dir, struct tly_arena *arena, const char *name)
{
    char             path[FILE_PATH_SIZE];
    struct tly_bytes out = {0};
    file_path(path, "%s/%s", dir, name);
    return file_read(path, (size_t)1 << 20, arena, &out, NULL) == TLY_OK ? out
                                                                         : (struct tly_bytes){0};
}

/* Entry and hash tiles of every size, from these leaves. */
static void
tessera(const char *base)
{
    static const char *const         leaves[] = {"one",    "two",   "three",    "four",    "five",
                                                 "six",    "seven", "eit",      "nain",    "ten",
                                                 "ileven", "twelf", "threeten", "fourten", "fivten"};
    struct shared                    shared   = {0};
    TLY_AUTO(arena) struct tly_arena arena    = {.bytes_max = RIG_ARENA_MAX};
    struct folder                    folder;
    struct strip                     strip;
    struct merkle                    tree;
    char                             dir[RIG_PATH];
    if (!shared_open(&shared) || !shared_untar(&shared, "tessera-log.tar.xz")) {
        T_SKIP("Tessera's log", "vectors are not there");
        return;
    }
    (void)snprintf(dir, sizeof dir, "%s/tessera", base);
    bool ok = folder_open(dir, &folder, NULL) == TLY_OK &&
              strip_init(&strip, &folder, TILE_ENTRIES) == TLY_OK && merkle_init(&tree, &arena);
    for (unsigned size = 1; ok && size <= TLY_N(leaves); size++) {
        char                  name[64];
        uint8_t               hashes[TILE_BYTES];
        const struct tile     tile = {.kind = TILE_HASHES, .width = size};
        const struct tly_hash leaf = merkle_leaf(tly_text(leaves[size - 1]));
        ok                         = merkle_append(&tree, &leaf);
        strip_leaf(&strip, tly_text(leaves[size - 1]));
        tile_hashes(&tree, &tile, hashes);
        (void)snprintf(name, sizeof name, "log/tile/0/000.p/%u", size);
        const struct tly_bytes theirs = shared_read(&shared, name, &arena);
        T_OK(tly_bytes_eq(theirs, (struct tly_bytes){hashes, (size_t)32 * size}), name);
        (void)snprintf(name, sizeof name, "log/tile/entries/000.p/%u", size);
        T_OK(tly_bytes_eq(shared_read(&shared, name, &arena), read_in(dir, &arena, name + 4)),
             name);
    }
    T_OK(ok, "Tessera's log was made again");
    strip_done(&strip);
    folder_close(&folder);
    shared_close(&shared);
}

/* Our own vector, whose hashes others computed. */
static void
vector(const char *base)
{
    static const char *const         leaves[] = {vector_leaf0, vector_leaf1};
    TLY_AUTO(arena) struct tly_arena arena    = {.bytes_max = RIG_ARENA_MAX};
    struct folder                    folder;
    struct strip                     strip;
    struct merkle                    tree;
    char                             dir[RIG_PATH];
    char                             hex[TLY_HEX_SIZE(32)];
    uint8_t                          hashes[TILE_BYTES];
    const struct tile                tile = {.kind = TILE_HASHES, .width = 2};
    (void)snprintf(dir, sizeof dir, "%s/vector", base);
    bool ok = folder_open(dir, &folder, NULL) == TLY_OK &&
              strip_init(&strip, &folder, TILE_ENTRIES) == TLY_OK && merkle_init(&tree, &arena);
    for (size_t i = 0; ok && i < TLY_N(leaves); i++) {
        const struct tly_hash leaf = merkle_leaf(tly_text(leaves[i]));
        ok                         = merkle_append(&tree, &leaf);
        strip_leaf(&strip, tly_text(leaves[i]));
    }
    const struct tly_bytes entries = read_in(dir, &arena, "tile/entries/000.p/2");
    struct tly_hash        hash    = sys_sha256(entries);
    tly_hex(hash.b, sizeof hash.b, hex);
    T_EQ(entries.len, 546, "tile/entries/000.p/2");
    T_STR(hex, "5921698c1d2adf0807393c547318409803c2fa746bcbeeaa3771091c556f8eda", "its hash");
    tile_hashes(&tree, &tile, hashes);
    hash = sys_sha256((struct tly_bytes){hashes, 64});
    tly_hex(hash.b, sizeof hash.b, hex);
    T_STR(hex, "c1a22bfb1893d3648456ceb8a51c437ef86ba16f7fcd6b8f02cfe31ce002f79e",
          "tile/0/000.p/2");
    strip_done(&strip);
    folder_close(&folder);
}

int
main(void)
{
    static struct rig r;
    const char       *base = t_dir();
    char              small[RIG_PATH - 16];
    rig_init(&r, base);
    grows(&r);
    rig_done(&r);
    (void)snprintf(small, sizeof small, "%s/small", base);
    rig_init(&r, small);
    rig_grow(&r, 1300);
    T_EQ(rig_start(&r), TLY_OK, "an empty folder and a ledger of 1300 entries");
    trickles(&r);
    throttles(&r);
    recovers(&r);
    cosigns(&r);
    rig_done(&r);
    tessera(base);
    vector(base);
    return T_DONE();
}
