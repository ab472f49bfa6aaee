/* SPDX-License-Identifier: Apache-2.0 */
/* The start: whatever happened to the folder, it is right afterwards, or the start is refused and
 * nothing in it was touched.  Timeout: 240 s. */
#include "core/tile.h"
#include "rig.h"
#include "t.h"

#define SIZE 5000 /* 19 full tiles and 136 entries more */

static void
shell(const struct rig *r, const char *command)
{
    char      line[1024];
    const int len = snprintf(line, sizeof line, "cd '%s' && %s", r->dir, command);
    TLY_CHECK(len > 0 && (size_t)len < sizeof line);
    const int rc = system(line); /* NOLINT: the test's own words */
    TLY_CHECK(rc == 0);
}

/* Everything in the folder, names and bytes. */
static struct tly_hash
picture(const struct rig *r)
{
    char            line[1024];
    char            text[64] = "";
    struct tly_hash hash     = {0};
    (void)snprintf(
        line, sizeof line,
        "cd '%s' && find . -type f ! -name .lock | LC_ALL=C sort | xargs sha256sum | sha256sum",
        r->dir);
    FILE *f = popen(line, "r"); /* NOLINT */
    TLY_CHECK(f != NULL);
    const size_t n = fread(text, 1, sizeof text, f);
    TLY_CHECK(pclose(f) == 0);
    TLY_CHECK(n == sizeof text);
    memcpy(hash.b, text, sizeof hash.b);
    return hash;
}

/* What is mended. */
static void
mends(struct rig *r)
{
    static const struct {
        const char *name, *damage;
    } rows[] = {
        {"nothing happened", "true"},
        {"all of it is gone", "rm -rf ./*"},
        {"the checkpoint is gone", "rm checkpoint"},
        {"the checkpoint is empty, after a power cut", ": >checkpoint"},
        {"the checkpoint is zeros", "head -c 300 /dev/zero >checkpoint"},
        {"an entry tile is gone", "rm tile/entries/000"},
        {"the partial entry tile is gone", "rm -r tile/entries/019.p"},
        {"an entry tile is cut", "truncate -s -1 tile/entries/017"},
        {"an entry tile is empty", ": >tile/entries/017"},
        {"an entry tile has more", "printf x >>tile/entries/017"},
        {"an entry tile's byte is another",
         "printf X | dd of=tile/entries/012 bs=1 seek=500 conv=notrunc 2>/dev/null"},
        {"two entry tiles are exchanged",
         "mv tile/entries/003 x && mv tile/entries/004 tile/entries/003 && mv x tile/entries/004"},
        {"the partial entry tile has a byte more", "printf x >>tile/entries/019.p/136"},
        {"a pack is gone", "rm bundle/018"},
        {"the first pack is gone", "rm bundle/000"},
        {"a pack is cut", "truncate -s 3000 bundle/005"},
        {"a pack has more", "printf x >>bundle/014"},
        {"a pack's first byte is another",
         "printf X | dd of=bundle/012 bs=1 conv=notrunc 2>/dev/null"},
        {"a pack's last byte is another", "printf X | dd of=bundle/012 bs=1 seek=$(($(stat -c %s "
                                          "bundle/012) - 1)) conv=notrunc 2>/dev/null"},
        {"the partial pack is cut", "truncate -s -7 bundle/019.p/136"},
        {"packs are exchanged", "mv bundle/010 x && mv bundle/011 bundle/010 && mv x bundle/011"},
        {"all packs are gone", "rm -rf bundle"},
        {"a tile is gone", "rm tile/0/012"},
        {"a tile is cut", "truncate -s 8191 tile/0/012"},
        {"a tile's bit is another",
         "printf X | dd of=tile/1/000.p/19 bs=1 seek=77 conv=notrunc 2>/dev/null"},
        {"a level is gone", "rm -r tile/1"},
        {"an older partial tile is wrong", "printf X >tile/1/000.p/3"},
        {"an older partial entry tile is wrong", "printf X >tile/entries/019.p/40"},
        {"an older partial pack", "printf X >bundle/019.p/40"},
        {"partial files beside full ones", "mkdir tile/0/007.p bundle/007.p tile/entries/007.p && "
                                           "cp tile/0/007 tile/0/007.p/9 && cp bundle/007 "
                                           "bundle/007.p/255 && : >tile/entries/007.p/1"},
        {"half-written files of a process that died",
         "mkdir -p .fix && printf x >.fix/tile+entries+000 && printf x >.open-bundle && printf x "
         ">.put"},
        {"the packages' copies are changed",
         "printf x >doc/definition/areas.csv && rm doc/registry/signatures.dsse"},
        {"the policy is another", "printf x >policy"},
    };
    const struct tly_hash before = picture(r);
    for (size_t i = 0; i < TLY_N(rows); i++) {
        shell(r, rows[i].damage);
        const enum tly_err err   = rig_start(r);
        const bool         right = err == TLY_OK && rig_right(r);
        publish_close(TLY_TAKE(r->publish));
        /* The older partial files that were made here are right now, and stay. */
        shell(r, "rm -rf tile/1/000.p/3 tile/entries/019.p/40");
        const struct tly_hash after = picture(r);
        T_OK(right && tly_hash_eq(&before, &after), rows[i].name);
        if (err != TLY_OK) {
            printf("# %s\n", r->diag.text);
        }
    }
}

static void
keeps_older(struct rig *r)
{
    TLY_AUTO(arena) struct tly_arena arena = {.bytes_max = RIG_ARENA_MAX};
    shell(r, "printf X >tile/entries/019.p/40; printf X >tile/1/000.p/3");
    T_EQ(rig_start(r), TLY_OK, "older partial files that are wrong");
    const struct tly_bytes entries = rig_read(r, &arena, "tile/entries/019.p/40");
    const struct tly_bytes newest  = rig_read(r, &arena, "tile/entries/019.p/136");
    T_OK(entries.len > 0 && memcmp(entries.data, newest.data, entries.len) == 0, "are made right");
    T_EQ(rig_read(r, &arena, "tile/1/000.p/3").len, 96, "each");
    publish_close(TLY_TAKE(r->publish));
    shell(r, "rm tile/entries/019.p/40 tile/1/000.p/3");
}

/* What does not belong there is named, and stays. */
static void
foreign(struct rig *r)
{
    TLY_AUTO(arena) struct tly_arena arena = {.bytes_max = RIG_ARENA_MAX};
    shell(
        r,
        "printf 1 >index.html; printf 1 >tile/0/notes; mkdir -p old/tile; printf 1 >old/tile/x; "
        "ln -s /etc/passwd doc/definition/lists.txt; mkdir tile/0/005.p; printf 1 >tile/0/005.p/x");
    T_EQ(rig_start(r), TLY_OK, "foreign files");
    T_OK(rig_right(r), "the rest is right");
    T_OK(rig_read(r, &arena, "index.html").len == 1 && rig_read(r, &arena, "old/tile/x").len == 1 &&
             rig_read(r, &arena, "tile/0/005.p/x").len == 1,
         "they are still there");
    publish_close(TLY_TAKE(r->publish));
    shell(r, "rm -r index.html tile/0/notes old doc/definition/lists.txt tile/0/005.p");
}

/* What is refused: another log, a longer ledger, another root, somebody else at work. */
static void
refused_to(struct rig *r, enum tly_err want, const char *words, const char *name)
{
    const struct tly_hash before = picture(r);
    const enum tly_err    err    = rig_start(r);
    publish_close(TLY_TAKE(r->publish));
    const struct tly_hash after = picture(r);
    T_EQ(err, want, name);
    T_OK(strstr(r->diag.text, words) != NULL && tly_hash_eq(&before, &after),
         "says so, and touches nothing");
    if (strstr(r->diag.text, words) == NULL) {
        printf("# %s\n", r->diag.text);
    }
}

static void
refuses(struct rig *r, struct rig *other)
{
    static const struct {
        const char *name, *damage, *words;
    } rows[] = {
        {"text for a checkpoint", "echo hello >checkpoint", "not a checkpoint of this log and key"},
        {"a checkpoint that is cut", "truncate -s 60 checkpoint", "not a checkpoint of this log"},
        {"of another origin", "sed -i '1s/rehearsal/official/' checkpoint",
         "not a checkpoint of this log"},
        {"of another size", "sed -i '2s/.*/4999/' checkpoint", "not a checkpoint of this log"},
        {"a tile beyond", "cp tile/0/000 tile/0/020", "tile/0/020 is of a longer ledger"},
        {"a wider partial tile", "printf x >tile/entries/019.p/137",
         "019.p/137 is of a longer ledger"},
        {"a pack beyond", "cp bundle/000 bundle/019", "bundle/019 is of a longer ledger"},
        {"a level beyond", "mkdir -p tile/3 && cp tile/0/000 tile/3/000",
         "tile/3/000 is of a longer"},
    };
    shell(r, "cp -a . ../kept");
    for (size_t i = 0; i < TLY_N(rows); i++) {
        shell(r, rows[i].damage);
        refused_to(r, TLY_ECORRUPT, rows[i].words, rows[i].name);
        shell(r, "rm -rf ./* && cp -a ../kept/. .");
    }
    T_EQ(rig_start(r), TLY_OK, "all undone: it starts");
    T_OK(rig_right(r), "and is right");
    (void)snprintf(other->dir, sizeof other->dir, "%s", r->dir);
    T_EQ(rig_open(other), TLY_EBUSY, "a second process in the same folder");
    publish_close(TLY_TAKE(r->publish));
    refused_to(other, TLY_ECORRUPT, "the published root is not the ledger's",
               "another ledger of this log");
    struct rig shorter = *other;
    tly_arena_init(&shorter.arena, RIG_ARENA_MAX);
    const struct book_entry genesis = fixture_genesis();
    enum tly_err            err =
        book_new(&shorter.f.election, &shorter.f.registry, &shorter.arena, &shorter.book);
    err = err == TLY_OK ? book_append(shorter.book, &genesis) : err;
    TLY_CHECK(err == TLY_OK);
    rig_grow(&shorter, SIZE - 1);
    refused_to(&shorter, TLY_ECORRUPT, "is of a longer ledger",
               "the same ledger without its last entry");
    shell(r, "rm -r tile/entries/019.p tile/0/019.p bundle/019.p");
    refused_to(&shorter, TLY_ECORRUPT, "5000 entries, the ledger only 4999",
               "by its checkpoint alone");
    tly_arena_done(&shorter.arena);
    T_EQ(rig_start(r), TLY_OK, "whose folder it is starts");
    T_OK(rig_right(r), "and it is right again");
    publish_close(TLY_TAKE(r->publish));
}

/* The folder stopped at an older checkpoint, as a kill leaves it. */
static void
behind(struct rig *r)
{
    rig_grow(r, SIZE + 300);
    shell(r,
          "printf X | dd of=bundle/012 bs=1 seek=9 conv=notrunc 2>/dev/null; rm tile/entries/003");
    T_EQ(rig_start(r), TLY_OK,
         "the ledger has 300 entries more than the checkpoint, and there is damage below");
    T_OK(rig_right(r), "it is right");
    publish_close(TLY_TAKE(r->publish));
}

int
main(void)
{
    static struct rig r, other;
    char              base[2][RIG_PATH];
    const char       *dir = t_dir();
    for (unsigned i = 0; i < 2; i++) {
        (void)snprintf(base[i], sizeof base[i], "%s/%u", dir, i);
    }
    rig_init(&r, base[0]);
    rig_init(&other, base[1]);
    rig_grow(&r, SIZE);
    rig_append(&other, 5); /* a second later than in the first one */
    rig_grow(&other, SIZE);
    T_EQ(rig_start(&r), TLY_OK, "the folder is made");
    T_OK(rig_right(&r), "and right");
    publish_close(TLY_TAKE(r.publish));
    mends(&r);
    keeps_older(&r);
    foreign(&r);
    refuses(&r, &other);
    behind(&r);
    rig_done(&r);
    rig_done(&other);
    return T_DONE();
}
