/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdlib.h>

#include "base/check.h"
#include "publish_int.h"
#include "sys/log.h"

#define SAID_MAX  20U
#define ARENA_MAX ((size_t)64 << 10)
#define RETRY_MS  1000U

/* ---- opening ---- */

/* A file that a power cut left: it was renamed before its bytes were on the disk. */
static bool
is_blank(struct tly_bytes text)
{
    size_t i = 0;
    while (i < text.len && text.data[i] == 0) {
        i++;
    }
    return i == text.len;
}

/* Keeps the head, and the cosignatures behind our own signature. */
static enum tly_err
checkpoint_read(struct publish *p, struct tly_diag *diag)
{
    TLY_AUTO(arena) struct tly_arena arena = {.bytes_max = ARENA_MAX};
    char                             path[FILE_PATH_SIZE];
    struct tly_bytes                 text = {0};
    struct tly_diag                  why  = {0};
    file_path(path, "%s/" PUBLISH_CHECKPOINT, p->folder.dir);
    enum tly_err err = file_read(path, NOTE_LEN_MAX, &arena, &text, &why);
    if (err == TLY_ENOENT || (err == TLY_OK && is_blank(text))) {
        if (err == TLY_OK) {
            log_event(LOG_WARNING, "publish.blank", "file=" PUBLISH_CHECKPOINT);
        }
        return TLY_OK;
    }
    if (err == TLY_OK) {
        err = note_check(text, p->config.vkey, &p->found, &why);
    }
    if (err == TLY_ENOMEM || err == TLY_EIO) {
        return tly_fail(diag, err, "publish: %s", why.text);
    }
    if (err != TLY_OK) {
        return tly_fail(diag, TLY_ECORRUPT,
                        "publish: %s: not a checkpoint of this log and key (%s); a folder belongs "
                        "to one log: name another",
                        path, why.text[0] != '\0' ? why.text : tly_err_text(err));
    }
    const char  *own = strstr((const char *)text.data, "\n\n");
    const size_t at  = own == NULL ? text.len : (size_t)(own + 2 - (const char *)text.data);
    p->lines_len     = text.len - at; /* the log's own line is taken off when it is known */
    p->cosigned      = p->found.size;
    memcpy(p->lines, text.data + at, p->lines_len);
    return TLY_OK;
}

enum tly_err
publish_open(const struct publish_config *config, struct publish **out, struct tly_diag *diag)
{
    struct publish *p = calloc(1, sizeof *p);
    if (p == NULL) {
        return TLY_ENOMEM;
    }
    p->config        = *config;
    enum tly_err err = folder_open(config->dir, &p->folder, diag);
    if (err != TLY_OK) {
        free(p);
        return err;
    }
    err = strip_init(&p->entries, &p->folder, TILE_ENTRIES);
    if (err == TLY_OK) {
        err = strip_init(&p->bundles, &p->folder, TILE_BUNDLES);
    }
    if (err == TLY_OK) {
        err = checkpoint_read(p, diag);
    }
    if (err != TLY_OK) {
        publish_close(p);
        return err;
    }
    p->trusted = p->found.size == 0;
    *out       = p;
    return TLY_OK;
}

void
publish_close(struct publish *p)
{
    if (p != NULL) {
        strip_done(&p->entries);
        strip_done(&p->bundles);
        if (p->folder.fd >= 0) {
            folder_side_drop(&p->folder);
        }
        folder_close(&p->folder);
        free(p);
    }
}

struct note_head
publish_found(const struct publish *p)
{
    return p->found;
}

void
publish_begin(struct publish *p, uint64_t size)
{
    folder_side_drop(&p->folder); /* of a start that did not come to its end */
    p->entries.target = size;
    p->bundles.target = size;
    p->entries.side   = !p->trusted;
    p->bundles.side   = !p->trusted;
}

/* ---- adding ---- */

/* At the size of the folder's checkpoint: is it a checkpoint of this ledger?  Then what waited
 * beside may go to its place. */
static enum tly_err
trust(struct publish *p, struct tly_diag *diag)
{
    const struct tly_hash root = merkle_root(book_tree(p->config.book), p->found.size);
    if (!tly_hash_eq(&root, &p->found.root)) {
        return tly_fail(diag, TLY_ECORRUPT,
                        "publish: %s/" PUBLISH_CHECKPOINT ": at size %" PRIu64
                        " the published root is not the ledger's",
                        p->folder.dir, p->found.size);
    }
    p->trusted      = true;
    p->entries.side = false;
    p->bundles.side = false;
    return folder_side_place(&p->folder, diag);
}

static enum tly_err
add_leaf(struct publish *p, uint64_t position, struct tly_diag *diag)
{
    char         leaf[2 + LEAF_SIZE];
    const size_t len = book_leaf(p->config.book, position, leaf + 2);
    _Static_assert(LEAF_LEN_MAX <= UINT16_MAX, "an entry's length is 16 bits");
    leaf[0]          = (char)(len >> 8);
    leaf[1]          = (char)(len & 0xFF);
    enum tly_err err = strip_add(&p->entries, (struct tly_bytes){(uint8_t *)leaf, len + 2}, diag);
    return err == TLY_OK ? strip_end(&p->entries, diag) : err;
}

static enum tly_err
add_envelope(struct publish *p, const struct publish_envelope *e, bool withheld,
             struct tly_diag *diag)
{
    uint32_t len = TILE_ENVELOPE_NONE;
    if (withheld) {
        len = TILE_ENVELOPE_WITHHELD;
    } else if (e != NULL) {
        const size_t all = e->head.len + TLY_BASE64_LEN(e->payload.len) + e->tail.len;
        TLY_CHECK(all > 0 && all < TILE_ENVELOPE_WITHHELD);
        len = (uint32_t)all;
    }
    const uint8_t prefix[4] = {(uint8_t)(len >> 24), (uint8_t)(len >> 16), (uint8_t)(len >> 8),
                               (uint8_t)len};
    struct strip *s         = &p->bundles;
    enum tly_err  err       = strip_add(s, (struct tly_bytes){prefix, sizeof prefix}, diag);
    if (e != NULL && !withheld) {
        err = err == TLY_OK ? strip_add(s, e->head, diag) : err;
        err = err == TLY_OK ? strip_add_base64(s, e->payload, e->alphabet, diag) : err;
        err = err == TLY_OK ? strip_add(s, e->tail, diag) : err;
    }
    return err == TLY_OK ? strip_end(s, diag) : err;
}

/* Both strips begin the tile under way anew; its entries have to come again. */
static void
break_off(struct publish *p, enum tly_err err, const struct tly_diag *why)
{
    p->broken     = true;
    p->broken_err = err;
    p->broken_why = *why;
    p->next       = p->next / TILE_WIDTH * TILE_WIDTH;
    strip_reset(&p->entries, p->next / TILE_WIDTH);
    strip_reset(&p->bundles, p->next / TILE_WIDTH);
}

enum tly_err
publish_add(struct publish *p, uint64_t position, const struct publish_envelope *envelope,
            bool withheld, struct tly_diag *diag)
{
    struct tly_diag why = {0};
    enum tly_err    err = TLY_OK;
    TLY_CHECK(position == p->next);
    TLY_CHECK(position < book_size(p->config.book));
    if (!p->trusted && position == p->found.size) {
        err = trust(p, &why);
    }
    if (err == TLY_OK) {
        err = add_leaf(p, position, &why);
    }
    if (err == TLY_OK) {
        err = add_envelope(p, envelope, withheld, &why);
    }
    if (err != TLY_OK) {
        break_off(p, err, &why);
        return tly_fail(diag, err, "%s", why.text);
    }
    p->next++;
    return TLY_OK;
}

enum tly_err
publish_batch(struct publish *p, const struct seq_batch *batch, struct tly_diag *diag)
{
    enum tly_err err = TLY_OK;
    p->waiting       = p->waiting || batch->new_size > p->shown;
    for (unsigned i = 0; i < batch->rows_n && err == TLY_OK && !p->broken; i++) {
        const struct seq_row         *row = &batch->rows[i];
        const struct seq_bundle      *b   = row->bundle;
        const struct publish_envelope e   = {b->head, b->payload, b->tail, b->alphabet};
        const bool                    withheld =
            row->decision == NULL && checks_withheld(p->config.election, b->checked);
        err = publish_add(p, row->position, &e, withheld, diag);
    }
    return err;
}

void
publish_leave(struct publish *p)
{
    const struct tly_diag why = {.text = "publish: entries were left out"};
    p->waiting                = true;
    if (!p->broken) {
        break_off(p, TLY_EBUSY, &why);
    }
}

bool
publish_missing(struct publish *p, uint64_t *from)
{
    if (p->broken) {
        *from = p->next;
    }
    /* Those that come from now on are in their order again. */
    p->broken = p->broken && p->next < book_size(p->config.book);
    return p->broken;
}

/* ---- checkpoints ---- */

void
publish_say(struct publish *p, const char *path, bool known)
{
    if (!known) {
        p->made++;
    } else if (p->repaired++ < SAID_MAX) {
        log_event(LOG_WARNING, "publish.repaired", "file=%s", log_text(tly_text(path)).s);
    }
}

enum tly_err
publish_file(struct publish *p, const char *path, struct tly_bytes bytes, struct tly_diag *diag)
{
    const enum folder_has has = folder_has(&p->folder, path, bytes);
    if (has == FOLDER_SAME) {
        return TLY_OK;
    }
    const enum tly_err err = folder_put(&p->folder, path, bytes, diag);
    if (err == TLY_OK) {
        publish_say(p, path, has == FOLDER_OTHER);
    }
    return err;
}

/* The checkpoint's text: the head as it was signed, then the cosignatures of it. */
static size_t
checkpoint_text(const struct publish *p, const struct book_head *head, char out[2 * NOTE_LEN_MAX])
{
    const struct note_head it  = {.size = head->size,
                                  .root = merkle_root(book_tree(p->config.book), head->size)};
    size_t                 len = note_write(&it, p->config.vkey, &head->sig, out);
    if (p->cosigned == head->size && len + p->lines_len <= NOTE_LEN_MAX) {
        memcpy(out + len, p->lines, p->lines_len);
        len += p->lines_len;
    }
    return len;
}

/* Of the lines that were found at the start ours goes: it is written anew. */
static void
own_line_drop(struct publish *p, const struct book_head *head)
{
    char             note[NOTE_LEN_MAX];
    struct note_head it      = p->found;
    const size_t     len     = note_write(&it, p->config.vkey, &head->sig, note);
    const char      *own     = strstr(note, "\n\n") + 2;
    const size_t     own_len = len - (size_t)(own - note);
    if (p->cosigned != head->size || p->lines_len < own_len ||
        memcmp(p->lines, own, own_len) != 0) {
        p->lines_len = 0;
        return;
    }
    p->lines_len -= own_len;
    memmove(p->lines, p->lines + own_len, p->lines_len);
}

/* Everything that the newest head covers, then its checkpoint. */
static enum tly_err
show(struct publish *p, uint64_t now_ms, struct tly_diag *diag)
{
    const struct book_head *head = book_newest_head(p->config.book);
    char                    text[2 * NOTE_LEN_MAX];
    TLY_CHECK(head != NULL);
    TLY_CHECK(head->size == p->next);
    enum tly_err err = strip_show(&p->entries, diag);
    if (err == TLY_OK) {
        err = publish_tiles(p, p->shown, head->size, diag);
    }
    if (err == TLY_OK) {
        err = strip_show(&p->bundles, diag);
    }
    if (err == TLY_OK) {
        const size_t len = checkpoint_text(p, head, text);
        err = folder_put(&p->folder, PUBLISH_CHECKPOINT, (struct tly_bytes){(uint8_t *)text, len},
                         diag);
    }
    if (err != TLY_OK) {
        return err;
    }
    publish_tidy(p, p->shown, head->size);
    p->shown    = head->size;
    p->shown_ms = now_ms;
    p->waiting  = false;
    return TLY_OK;
}

enum tly_err
publish_turn(struct publish *p, uint64_t now_ms, uint64_t *due_ms, struct tly_diag *diag)
{
    *due_ms = UINT64_MAX;
    if (!p->completed || !p->waiting || p->broken) {
        return TLY_OK;
    }
    const uint64_t due = p->shown_ms + p->config.interval_ms;
    *due_ms            = due > p->retry_ms ? due : p->retry_ms;
    if (now_ms < *due_ms) {
        return TLY_OK;
    }
    const enum tly_err err = show(p, now_ms, diag);
    p->retry_ms            = err == TLY_OK ? 0 : now_ms + RETRY_MS;
    *due_ms                = err == TLY_OK ? UINT64_MAX : p->retry_ms;
    return err;
}

uint64_t
publish_size(const struct publish *p)
{
    return p->shown;
}

/* "— NAME BASE64\n", each. */
static bool
are_lines(struct tly_bytes lines)
{
    bool good = lines.len > 0 && memchr(lines.data, '\0', lines.len) == NULL;
    while (good && lines.len > 0) {
        const uint8_t *end = memchr(lines.data, '\n', lines.len);
        const size_t   len = end == NULL ? 0 : (size_t)(end - lines.data) + 1;
        good               = len > 5 && memcmp(lines.data, "\xE2\x80\x94 ", 4) == 0;
        lines.data += len;
        lines.len -= len;
    }
    return good;
}

enum tly_err
publish_cosign(struct publish *p, uint64_t size, struct tly_bytes lines, struct tly_diag *diag)
{
    const struct book_head *head = book_newest_head(p->config.book);
    if (!are_lines(lines)) {
        return tly_fail(diag, TLY_EINPUT, "not cosignature lines");
    }
    if (lines.len > sizeof p->lines / 2) {
        return tly_fail(diag, TLY_ETOOBIG, "cosignature lines of %zu bytes", lines.len);
    }
    memcpy(p->lines, lines.data, lines.len);
    p->lines_len = lines.len;
    p->cosigned  = size;
    if (!p->completed || size != p->shown || head == NULL || head->size != size) {
        return TLY_OK;
    }
    char         text[2 * NOTE_LEN_MAX];
    const size_t len = checkpoint_text(p, head, text);
    return folder_put(&p->folder, PUBLISH_CHECKPOINT, (struct tly_bytes){(uint8_t *)text, len},
                      diag);
}

/* ---- the start ---- */

/* Until this is content nothing in the folder was changed. */
static enum tly_err
ledger_check(struct publish *p, uint64_t size, struct tly_diag *diag)
{
    if (p->found.size > size) {
        return tly_fail(diag, TLY_ECORRUPT,
                        "publish: %s/" PUBLISH_CHECKPOINT " has %" PRIu64
                        " entries, the ledger only %" PRIu64
                        ": entries that were published are missing from it",
                        p->folder.dir, p->found.size, size);
    }
    return p->trusted ? TLY_OK : trust(p, diag);
}

static enum tly_err
complete(struct publish *p, const struct book_head *head, struct tly_diag *diag)
{
    char         text[2 * NOTE_LEN_MAX];
    enum tly_err err = strip_settle(&p->entries, diag);
    err              = err == TLY_OK ? strip_show(&p->entries, diag) : err;
    err              = err == TLY_OK ? publish_tiles_check(p, head->size, diag) : err;
    err              = err == TLY_OK ? strip_settle(&p->bundles, diag) : err;
    err              = err == TLY_OK ? strip_show(&p->bundles, diag) : err;
    err              = err == TLY_OK ? publish_docs(p, diag) : err;
    err              = err == TLY_OK ? publish_sweep(p, head->size, false, diag) : err;
    own_line_drop(p, head);
    const size_t len = checkpoint_text(p, head, text);
    if (err == TLY_OK && folder_has(&p->folder, PUBLISH_CHECKPOINT,
                                    (struct tly_bytes){(uint8_t *)text, len}) != FOLDER_SAME) {
        err = folder_put(&p->folder, PUBLISH_CHECKPOINT, (struct tly_bytes){(uint8_t *)text, len},
                         diag);
    }
    return err;
}

enum tly_err
publish_complete(struct publish *p, struct tly_diag *diag)
{
    const struct book_head *head = book_newest_head(p->config.book);
    TLY_CHECK(head != NULL);
    if (p->broken) { /* by a batch that the start put back */
        return tly_fail(diag, p->broken_err, "%s", p->broken_why.text);
    }
    TLY_CHECK(head->size == p->next);
    enum tly_err err = publish_sweep(p, head->size, true, diag);
    if (err == TLY_OK) {
        err = ledger_check(p, head->size, diag);
    }
    if (err == TLY_OK) {
        err = complete(p, head, diag);
    }
    if (err != TLY_OK) {
        return err;
    }
    p->made += p->entries.made + p->bundles.made;
    p->repaired += p->entries.repaired + p->bundles.repaired;
    p->entries.target = 0;
    p->bundles.target = 0;
    p->shown          = head->size;
    p->waiting        = false;
    p->completed      = true;
    log_event(LOG_NOTICE, "publish.complete",
              "size=%" PRIu64 " made=%u repaired=%u removed=%u foreign=%u dir=%s", head->size,
              p->made, p->repaired, p->removed, p->foreign, log_why(p->folder.dir).s);
    return TLY_OK;
}
