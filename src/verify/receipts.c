/* SPDX-License-Identifier: Apache-2.0 */
/* Receipts and older heads that somebody kept: what they promise stands in the log. */
#include "core/receipt.h"

#include "sys/file.h"
#include "verify.h"

#define NAMES_MAX     ((size_t)1 << 30)
#define SCRATCH_MAX   ((size_t)8 << 20)
#define RECEIPT_FIRST "c2sp.org/tlog-proof@v1\n"
#define SUFFIX        ".tlog-proof"

/* Where its findings stand: "receipt NAME". */
struct held {
    struct verify *v;
    const char    *kind, *name;
};

static void
find(const struct held *h, enum found found)
{
    findings_addf(&h->v->findings, found, "%s %s", h->kind, h->name);
}

/* Signed by the log's key, and of the log of the archive. */
static bool
is_of_log(const struct verify *v, const struct note *note)
{
    return tly_bytes_eq(note->origin, v->note.origin) && verify_note_signed(v, note);
}

/* The archive's log is the continuation of that head. */
static bool
contradicts(const struct verify *v, const struct note_head *head)
{
    struct tly_hash root;
    if (head->size > v->note.head.size) {
        return true;
    }
    return verify_root(v, head->size, &root) && !tly_hash_eq(&root, &head->root);
}

/* The whole of a file, data NULL when it is longer than any receipt is. */
static enum tly_err
text_read(struct verify *v, const char *path, struct tly_arena *arena, struct tly_bytes *out)
{
    const enum tly_err err = file_read_regular(path, VERIFY_RECEIPT_MAX, arena, out, &v->diag);
    if (err == TLY_ETOOBIG) {
        *out = (struct tly_bytes){0};
        return TLY_OK;
    }
    return err == TLY_ENOENT ? TLY_EIO : err;
}

/* ---- receipts ---- */

static void
entry_check(const struct held *h, const struct receipt_parts *parts)
{
    const struct verify *v = h->v;
    if (parts->index >= v->note.head.size) {
        find(h, FOUND_RECEIPT_ENTRY);
    } else if (v->known[parts->index / TILE_WIDTH]) {
        const struct tly_hash want = merkle_leaf(parts->leaf);
        const struct tly_hash got  = merkle_leaf_at(&v->tree, parts->index);
        if (!tly_hash_eq(&want, &got)) {
            find(h, FOUND_RECEIPT_ENTRY);
        }
    }
}

static enum tly_err
receipt_verify(const struct held *h, const char *path)
{
    struct verify                   *v       = h->v;
    TLY_AUTO(arena) struct tly_arena scratch = {.bytes_max = SCRATCH_MAX};
    struct tly_bytes                 text;
    struct receipt_parts             parts;
    struct note                      note;
    enum tly_err                     err = text_read(v, path, &scratch, &text);
    if (err != TLY_OK) {
        return err;
    }
    err = text.data == NULL ? TLY_EINPUT : receipt_split(text, &scratch, &parts, NULL);
    if (err == TLY_ENOMEM) {
        return err;
    }
    if (err != TLY_OK || !verify_note(parts.note, &note) || parts.index > VERIFY_SIZE_MAX) {
        find(h, FOUND_RECEIPT_SYNTAX);
        return TLY_OK;
    }
    const struct tly_hash leaf = merkle_leaf(parts.leaf);
    if (!is_of_log(v, &note)) {
        find(h, FOUND_RECEIPT_SIGNATURE);
    }
    if (!merkle_check_inclusion(parts.index, note.head.size, &leaf, parts.proof.hashes,
                                parts.proof.n, &note.head.root)) {
        find(h, FOUND_RECEIPT_PROOF);
    }
    if (contradicts(v, &note.head)) {
        find(h, FOUND_RECEIPT_PREFIX);
    }
    entry_check(h, &parts);
    return TLY_OK;
}

static bool
is_receipt(const char *name)
{
    const size_t len = strlen(name);
    return name[0] != '.' && len >= sizeof SUFFIX - 1 &&
           strcmp(name + len - (sizeof SUFFIX - 1), SUFFIX) == 0;
}

enum tly_err
verify_receipts(struct verify *v)
{
    TLY_AUTO(arena) struct tly_arena arena = {.bytes_max = NAMES_MAX};
    const char                     **names = NULL;
    size_t                           n     = 0;
    const char                      *dir   = v->options->receipts;
    enum tly_err                     err   = TLY_OK;
    if (dir != NULL) {
        err = file_list(dir, VERIFY_RECEIPTS_MAX, &arena, &names, &n, &v->diag);
        err = err == TLY_ENOENT ? TLY_EIO : err;
    }
    progress_begin(&v->progress, "receipts", n);
    for (size_t i = 0; i < n && err == TLY_OK; i++) {
        if (is_receipt(names[i])) {
            char path[FILE_PATH_SIZE];
            file_path(path, "%s/%s", dir, names[i]);
            err = receipt_verify(&(struct held){v, "receipt", names[i]}, path);
            v->counts.receipts++;
        }
        progress_step(&v->progress, i + 1);
    }
    progress_end(&v->progress, n);
    return err;
}

/* ---- older heads ---- */

/* Of a receipt what stands behind its first empty line. */
static struct tly_bytes
checkpoint_of(struct tly_bytes text)
{
    const size_t len = sizeof RECEIPT_FIRST - 1;
    if (text.len < len || memcmp(text.data, RECEIPT_FIRST, len) != 0) {
        return text;
    }
    const uint8_t *gap = memmem(text.data, text.len, "\n\n", 2);
    if (gap == NULL) {
        return (struct tly_bytes){0};
    }
    return (struct tly_bytes){gap + 2, text.len - (size_t)(gap + 2 - text.data)};
}

static enum tly_err
since_verify(const struct held *h, const char *path)
{
    struct verify                   *v       = h->v;
    TLY_AUTO(arena) struct tly_arena scratch = {.bytes_max = SCRATCH_MAX};
    struct tly_bytes                 text;
    struct note                      note;
    const enum tly_err               err = text_read(v, path, &scratch, &text);
    if (err != TLY_OK) {
        return err;
    }
    if (text.data == NULL || !verify_note(checkpoint_of(text), &note)) {
        find(h, FOUND_SINCE_SYNTAX);
        return TLY_OK;
    }
    if (!is_of_log(v, &note)) {
        find(h, FOUND_SINCE_SIGNATURE);
    }
    if (contradicts(v, &note.head)) {
        find(h, FOUND_SINCE_PREFIX);
    }
    return TLY_OK;
}

enum tly_err
verify_since(struct verify *v)
{
    enum tly_err err = TLY_OK;
    for (unsigned i = 0; i < v->options->since_n && err == TLY_OK; i++) {
        const char *path  = v->options->since[i];
        const char *slash = strrchr(path, '/');
        err = since_verify(&(struct held){v, "since", slash == NULL ? path : slash + 1}, path);
        v->counts.since++;
    }
    return err;
}
