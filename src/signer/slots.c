/* SPDX-License-Identifier: Apache-2.0 */
#include "slots.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/check.h"
#include "core/merkle.h"
#include "sys/file.h"
#include "sys/sha256.h"

/* A slot: magic, sequence, size (big-endian), root, hash of the log's vkey, signature, SHA-256 of
 * all before it; zeros up to the sector's end. */
#define MAGIC       "tally-signer/1\n"
#define MAGIC_LEN   16 /* with its NUL */
#define AT_SEQUENCE MAGIC_LEN
#define AT_SIZE     (AT_SEQUENCE + 8)
#define AT_ROOT     (AT_SIZE + 8)
#define AT_LOG      (AT_ROOT + 32)
#define AT_SIG      (AT_LOG + 32)
#define AT_SUM      (AT_SIG + 64)
#define RECORD_LEN  (AT_SUM + 32)

_Static_assert(sizeof MAGIC == MAGIC_LEN, "the magic fills its field");
_Static_assert(RECORD_LEN <= 512, "within the smallest sector");

#define MEND                                                                                       \
    "put the newest copy of it back, or make it from the newest signed checkpoint: tally-signer "  \
    "--init --from FILE"

struct slot {
    uint64_t          sequence;
    struct tly_hash   log;
    struct slots_head is;
};

static enum tly_err
failed_io(const char *what, struct tly_diag *diag)
{
    return tly_fail(diag, TLY_EIO, "the signer's state: %s: %s", what, strerrordesc_np(errno));
}

static struct tly_hash
log_hash(const struct note_vkey *vkey)
{
    char         text[NOTE_LEN_MAX];
    const size_t len = note_vkey_write(vkey, text);
    return sys_sha256((struct tly_bytes){(const uint8_t *)text, len});
}

static void
slot_write(const struct slot *slot, uint8_t out[SLOTS_SLOT_BYTES])
{
    const uint64_t sequence = htobe64(slot->sequence);
    const uint64_t size     = htobe64(slot->is.head.size);
    memset(out, 0, SLOTS_SLOT_BYTES);
    memcpy(out, MAGIC, MAGIC_LEN);
    memcpy(out + AT_SEQUENCE, &sequence, sizeof sequence);
    memcpy(out + AT_SIZE, &size, sizeof size);
    memcpy(out + AT_ROOT, slot->is.head.root.b, sizeof slot->is.head.root.b);
    memcpy(out + AT_LOG, slot->log.b, sizeof slot->log.b);
    memcpy(out + AT_SIG, slot->is.sig.b, sizeof slot->is.sig.b);
    const struct tly_hash sum = sys_sha256((struct tly_bytes){out, AT_SUM});
    memcpy(out + AT_SUM, sum.b, sizeof sum.b);
}

/* false: not whole. */
static bool
slot_read(const uint8_t in[SLOTS_SLOT_BYTES], struct slot *out)
{
    const struct tly_hash sum = sys_sha256((struct tly_bytes){in, AT_SUM});
    if (memcmp(in, MAGIC, MAGIC_LEN) != 0 || memcmp(in + AT_SUM, sum.b, sizeof sum.b) != 0) {
        return false;
    }
    memcpy(&out->sequence, in + AT_SEQUENCE, sizeof out->sequence);
    memcpy(&out->is.head.size, in + AT_SIZE, sizeof out->is.head.size);
    out->sequence     = be64toh(out->sequence);
    out->is.head.size = be64toh(out->is.head.size);
    memcpy(out->is.head.root.b, in + AT_ROOT, sizeof out->is.head.root.b);
    memcpy(out->log.b, in + AT_LOG, sizeof out->log.b);
    memcpy(out->is.sig.b, in + AT_SIG, sizeof out->is.sig.b);
    return true;
}

/* ---- making ---- */

static bool
dir_sync(const char *path)
{
    char        dir[FILE_PATH_SIZE];
    const char *slash = strrchr(path, '/');
    file_path(dir, "%.*s", slash == NULL ? 1 : (int)(slash - path + 1), slash == NULL ? "." : path);
    TLY_AUTO(fd) int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd >= 0 && fsync(fd) == 0;
}

enum tly_err
slots_make(const char *path, const struct note_vkey *vkey, const struct slots_head *first,
           struct tly_diag *diag)
{
    uint8_t     data[SLOTS_FILE_BYTES];
    struct slot slot = {.log = log_hash(vkey), .is = *first};
    for (unsigned i = 0; i < 2; i++) {
        slot.sequence = i + 1;
        slot_write(&slot, data + (size_t)i * SLOTS_SLOT_BYTES);
    }
    TLY_AUTO(fd) int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0 && errno == EEXIST) {
        return tly_fail(
            diag, TLY_ECONFLICT,
            "%s: is there already, and remembers what was signed; it is never made anew "
            "over that",
            path);
    }
    /* Both are written, so that later writes find their blocks and change no length. */
    if (fd < 0 || posix_fallocate(fd, 0, sizeof data) != 0 ||
        pwrite(fd, data, sizeof data, 0) != (ssize_t)sizeof data || fsync(fd) != 0 ||
        !dir_sync(path)) {
        const int e = errno;
        if (fd >= 0) {
            (void)unlink(path);
        }
        return tly_fail(diag, TLY_EIO, "%s: cannot be made: %s", path, strerrordesc_np(e));
    }
    return TLY_OK;
}

/* ---- opening ---- */

static enum tly_err
file_open(const char *path, int flags, int *out, struct tly_diag *diag)
{
    enum tly_err err = file_private(path, diag);
    if (err == TLY_ENOENT) {
        return tly_fail(diag, err,
                        "%s: no such file: what was signed last is not known.  For a new log run "
                        "tally-signer --init; else " MEND,
                        path);
    }
    if (err != TLY_OK) {
        return err;
    }
    const int fd = open(path, flags | O_CLOEXEC);
    if (fd < 0) {
        return tly_fail(diag, TLY_EIO, "%s: %s", path, strerrordesc_np(errno));
    }
    *out = fd;
    return TLY_OK;
}

static enum tly_err
file_lock(const char *path, int fd, struct tly_diag *diag)
{
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    if (fcntl(fd, F_OFD_SETLK, &whole) == 0) {
        return TLY_OK;
    }
    return errno == EAGAIN || errno == EACCES
               ? tly_fail(diag, TLY_ECONFLICT, "%s: another tally-signer has it", path)
               : tly_fail(diag, TLY_EIO, "%s: %s", path, strerrordesc_np(errno));
}

/* The whole file; what is missing at its end is zeros, which make no slot. */
static bool
file_load(int fd, uint8_t data[SLOTS_FILE_BYTES])
{
    size_t len = 0;
    memset(data, 0, SLOTS_FILE_BYTES);
    while (len < SLOTS_FILE_BYTES) {
        const ssize_t n = pread(fd, data + len, SLOTS_FILE_BYTES - len, (off_t)len);
        if (n < 0 && errno != EINTR) {
            return false;
        }
        if (n == 0) {
            break;
        }
        len += n > 0 ? (size_t)n : 0;
    }
    return true;
}

/* Is it this log's, and signed by this key? */
static bool
slot_ours(const struct slot *slot, const struct slots *s)
{
    char                  body[NOTE_LEN_MAX];
    const struct tly_hash empty = merkle_empty();
    if (!tly_hash_eq(&s->log, &slot->log)) {
        return false;
    }
    if (slot->is.head.size == 0) {
        return tly_hash_eq(&slot->is.head.root, &empty);
    }
    const size_t len = note_body(s->vkey->name, &slot->is.head, body);
    return sign_verify(&s->vkey->key, (struct tly_bytes){(const uint8_t *)body, len},
                       &slot->is.sig);
}

/* Two whole slots are two heads of one log, the later one in the later write.  Writes may be missing
 * between them: one whose fdatasync failed is in the page cache when the next start reads and
 * answers it with another, and is gone after a power failure. */
static bool
slots_agree(const struct slot *older, const struct slot *newer)
{
    return older->sequence < newer->sequence && tly_hash_eq(&older->log, &newer->log) &&
           (older->is.head.size < newer->is.head.size ||
            (older->is.head.size == newer->is.head.size &&
             tly_hash_eq(&older->is.head.root, &newer->is.head.root)));
}

static enum tly_err
choose(const char *path, const uint8_t data[SLOTS_FILE_BYTES], struct slots *s,
       struct tly_diag *diag)
{
    struct slot    slot[2];
    bool           whole[2];
    const unsigned other = 1;
    for (unsigned i = 0; i < 2; i++) {
        whole[i] = slot_read(data + (size_t)i * SLOTS_SLOT_BYTES, &slot[i]);
    }
    if (!whole[0] && !whole[1]) {
        return tly_fail(diag, TLY_ECORRUPT, "%s: both slots are damaged; " MEND, path);
    }
    s->damaged = whole[0] && whole[1] ? 0 : 1;
    s->newest  = !whole[0] || (whole[1] && slot[1].sequence > slot[0].sequence) ? 1 : 0;
    if (s->damaged == 0 && !slots_agree(&slot[other - s->newest], &slot[s->newest])) {
        return tly_fail(
            diag, TLY_ECORRUPT,
            "%s: its two slots are not two heads of one log, one after the other; " MEND, path);
    }
    if (!slot_ours(&slot[s->newest], s)) {
        return tly_fail(diag, TLY_ECORRUPT,
                        "%s: is of another log or another key than origin and key of the settings "
                        "(%s)",
                        path, s->vkey->name);
    }
    s->sequence = slot[s->newest].sequence;
    s->last     = slot[s->newest].is;
    return TLY_OK;
}

static enum tly_err
load(const char *path, struct slots *s, struct tly_diag *diag)
{
    uint8_t data[SLOTS_FILE_BYTES];
    s->log = log_hash(s->vkey);
    return file_load(s->fd, data) ? choose(path, data, s, diag)
                                  : tly_fail(diag, TLY_EIO, "%s: %s", path, strerrordesc_np(errno));
}

enum tly_err
slots_look(const char *path, const struct note_vkey *vkey, struct slots_head *out,
           struct tly_diag *diag)
{
    struct slots     s   = {.vkey = vkey};
    TLY_AUTO(fd) int fd  = -1;
    enum tly_err     err = file_open(path, O_RDONLY, &fd, diag);
    if (err == TLY_OK) {
        s.fd = fd;
        err  = load(path, &s, diag);
    }
    if (err == TLY_OK) {
        *out = s.last;
    }
    return err;
}

enum tly_err
slots_open(const char *path, const struct note_vkey *vkey, struct slots *out, struct tly_diag *diag)
{
    struct slots     s   = {.vkey = vkey};
    TLY_AUTO(fd) int fd  = -1;
    enum tly_err     err = file_open(path, O_RDWR, &fd, diag);
    if (err == TLY_OK) {
        err = file_lock(path, fd, diag);
    }
    if (err == TLY_OK) {
        s.fd = fd;
        err  = load(path, &s, diag);
    }
    if (err == TLY_OK) {
        const struct slots_head last = s.last;
        err                          = slots_put(&s, &last, diag);
    }
    if (err == TLY_OK) {
        fd   = -1;
        *out = s;
    }
    return err;
}

/* ---- writing ---- */

enum tly_err
slots_put(struct slots *s, const struct slots_head *head, struct tly_diag *diag)
{
    uint8_t           data[SLOTS_SLOT_BYTES];
    const unsigned    to   = 1 - s->newest;
    const struct slot slot = {.sequence = s->sequence + 1, .log = s->log, .is = *head};
    TLY_CHECK(!s->dead);
    TLY_CHECK(head->head.size >= s->last.head.size);
    slot_write(&slot, data);
    s->dead = true;
    if (pwrite(s->fd, data, sizeof data, (off_t)to * SLOTS_SLOT_BYTES) != (ssize_t)sizeof data) {
        return failed_io("pwrite", diag);
    }
    if (fdatasync(s->fd) != 0) {
        return failed_io("fdatasync", diag);
    }
    s->dead     = false;
    s->newest   = to;
    s->sequence = slot.sequence;
    s->last     = *head;
    return TLY_OK;
}

void
slots_close(struct slots *s)
{
    if (s->vkey != NULL) {
        (void)close(s->fd);
        *s = (struct slots){0};
    }
}
