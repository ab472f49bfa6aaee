/* SPDX-License-Identifier: Apache-2.0 */
#include "heads.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/check.h"
#include "base/hex.h"
#include "sys/file.h"
#include "sys/log.h"
#include "sys/sha256.h"

#define ID_LEN    8 /* bytes of a hash in a file's name */
#define FILE_MODE 0644
#define EVIDENCE  "evidence."
#define UNPROVEN  ".unproven"

struct known {
    char             path[FILE_PATH_SIZE];
    struct note_head head;
    uint64_t         time_s; /* of our newest cosignature; the next is not earlier */
    size_t           note_len;
    char             note[NOTE_LEN_MAX];
};

struct heads {
    struct heads_config config;
    pthread_mutex_t     lock;
    int                 lock_fd;
    unsigned            evidence_n[HEADS_EVIDENCES_N];
    struct known        logs[TRUST_EACH_MAX];
};

static void
hash_name(struct tly_bytes text, char out[TLY_HEX_SIZE(ID_LEN)])
{
    const struct tly_hash hash = sys_sha256(text);
    tly_hex(hash.b, ID_LEN, out);
}

/* Our own line verifies: the file is what we wrote, whole and unchanged. */
static enum tly_err
known_parse(const struct heads *h, int log, struct tly_bytes text, struct known *out,
            struct tly_diag *diag)
{
    const char        *origin = h->config.policy->logs[log].vkey.name;
    struct note        note;
    struct cosignature ours;
    struct tly_diag    why = {0};
    if (!note_split(text, &note) || !tly_bytes_eq(note.origin, tly_text(origin))) {
        return tly_fail(diag, TLY_ECORRUPT,
                        "%s: not the cosigned head of %s; restore it from a "
                        "backup, or ask the log's owner before you remove it",
                        out->path, origin);
    }
    if (cosign_check(note.body, note.lines, h->config.vkey, &ours, &why) != TLY_OK) {
        return tly_fail(diag, TLY_ECORRUPT,
                        "%s: %s; was the file changed, or are name and key of "
                        "the witness?",
                        out->path, why.text);
    }
    out->head     = note.head;
    out->time_s   = ours.time_s;
    out->note_len = text.len;
    memcpy(out->note, text.data, text.len);
    return TLY_OK;
}

static enum tly_err
known_read(struct heads *h, int log, struct tly_diag *diag)
{
    TLY_AUTO(arena) struct tly_arena arena;
    struct known                    *k = &h->logs[log];
    struct tly_bytes                 text;
    char                             name[TLY_HEX_SIZE(ID_LEN)];
    hash_name(tly_text(h->config.policy->logs[log].vkey.name), name);
    file_path(k->path, "%s/%s.head", h->config.dir, name);
    tly_arena_init(&arena, 4 * NOTE_LEN_MAX);
    const enum tly_err err = file_read(k->path, NOTE_LEN_MAX, &arena, &text, diag);
    if (err == TLY_ENOENT) {
        return TLY_OK;
    }
    if (err == TLY_ETOOBIG) {
        return TLY_ECORRUPT;
    }
    return err != TLY_OK ? err : known_parse(h, log, text, k, diag);
}

/* Of which kind the file is; HEADS_EVIDENCES_N: of none. */
static enum heads_evidence
evidence_kind(const char *name)
{
    const size_t len = strlen(name);
    if (strncmp(name, EVIDENCE, strlen(EVIDENCE)) != 0) {
        return HEADS_EVIDENCES_N;
    }
    return len > strlen(UNPROVEN) && strcmp(name + len - strlen(UNPROVEN), UNPROVEN) == 0
               ? HEADS_UNPROVEN
               : HEADS_FORK;
}

/* How many files of evidence there are already. */
static enum tly_err
evidence_count(struct heads *h, struct tly_diag *diag)
{
    TLY_AUTO(arena) struct tly_arena arena;
    const char                     **names = NULL;
    size_t                           n     = 0;
    tly_arena_init(&arena, 1 << 20);
    const enum tly_err err = file_list(h->config.dir, 4096, &arena, &names, &n, diag);
    for (size_t i = 0; err == TLY_OK && i < n; i++) {
        const enum heads_evidence kind = evidence_kind(names[i]);
        if (kind != HEADS_EVIDENCES_N) {
            h->evidence_n[kind]++;
        }
    }
    return err;
}

/* Takes the folder for this process; it is given back with the descriptor.  -1: *err says why. */
static int
dir_take(const char *dir, enum tly_err *err, struct tly_diag *diag)
{
    char               path[FILE_PATH_SIZE];
    const struct flock all = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    file_path(path, "%s/.lock", dir);
    const int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) {
        *err = tly_fail(diag, errno == ENOENT ? TLY_ENOENT : TLY_EIO,
                        "state: %s: %s; make the folder once, when the witness is set up", dir,
                        strerrordesc_np(errno));
        return -1;
    }
    if (fcntl(fd, F_OFD_SETLK, &all) != 0) {
        *err = tly_fail(diag, TLY_EBUSY, "state: %s: another process has it", dir);
        (void)close(fd);
        return -1;
    }
    return fd;
}

enum tly_err
heads_open(const struct heads_config *config, struct heads **out, struct tly_diag *diag)
{
    enum tly_err  err  = TLY_OK;
    const int     lock = dir_take(config->dir, &err, diag);
    struct heads *h    = lock < 0 ? NULL : calloc(1, sizeof *h);
    if (lock < 0) {
        return err;
    }
    if (h == NULL) {
        (void)close(lock);
        return TLY_ENOMEM;
    }
    h->config  = *config;
    h->lock_fd = lock;
    (void)pthread_mutex_init(&h->lock, NULL);
    err = evidence_count(h, diag);
    for (int i = 0; err == TLY_OK && i < (int)config->policy->logs_n; i++) {
        err = known_read(h, i, diag);
    }
    if (err != TLY_OK) {
        heads_close(h);
        return err;
    }
    *out = h;
    return TLY_OK;
}

void
heads_close(struct heads *heads)
{
    if (heads != NULL) {
        (void)close(heads->lock_fd);
        (void)pthread_mutex_destroy(&heads->lock);
        free(heads);
    }
}

int
heads_find(const struct heads *heads, struct tly_bytes origin)
{
    const struct trust *p = heads->config.policy;
    for (int i = 0; i < (int)p->logs_n; i++) {
        if (tly_bytes_eq(origin, tly_text(p->logs[i].vkey.name))) {
            return i;
        }
    }
    return -1;
}

struct note_head
heads_known(struct heads *heads, int log)
{
    (void)pthread_mutex_lock(&heads->lock);
    const struct note_head head = heads->logs[log].head;
    (void)pthread_mutex_unlock(&heads->lock);
    return head;
}

size_t
heads_note(struct heads *heads, int log, char out[NOTE_LEN_MAX])
{
    (void)pthread_mutex_lock(&heads->lock);
    const size_t len = heads->logs[log].note_len;
    memcpy(out, heads->logs[log].note, len);
    (void)pthread_mutex_unlock(&heads->lock);
    return len;
}

/* The checkpoint with the log's line and ours; false: they are longer than is kept. */
static bool
note_make(const struct note *note, const struct heads_reply *reply, struct known *out)
{
    size_t len = note->body.len;
    memcpy(out->note, note->body.data, len);
    out->note[len++] = '\n';
    if (!cosign_append(out->note, &len, note->lines) ||
        !cosign_append(out->note, &len,
                       (struct tly_bytes){(const uint8_t *)reply->line, reply->len})) {
        return false;
    }
    out->note_len = len;
    return true;
}

/* Under lock. */
static enum tly_err
cosign(struct heads *h, struct known *k, const struct note *note, uint64_t now_s,
       struct heads_reply *out, struct tly_diag *diag)
{
    struct known       next = *k;
    struct cosignature ours;
    next.head   = note->head;
    next.time_s = now_s > k->time_s ? now_s : k->time_s;
    cosign_make(note->body, next.time_s, h->config.secret, &ours);
    out->len = cosign_line_write(h->config.vkey, &ours, out->line);
    if (k->head.size == note->head.size && k->note_len > 0) {
        k->time_s = next.time_s; /* said again, with its time: nothing new to keep */
        return TLY_OK;
    }
    if (!note_make(note, out, &next)) {
        return tly_fail(diag, TLY_EINPUT, "its signature lines are longer than is kept");
    }
    const enum tly_err err =
        file_write(k->path, (struct tly_bytes){(const uint8_t *)next.note, next.note_len},
                   FILE_MODE, FILE_SYNC, diag);
    if (err == TLY_OK) {
        *k = next;
    }
    return err;
}

enum tly_err
heads_add(struct heads *heads, int log, const struct extend *request, const struct note *note,
          uint64_t now_s, struct heads_reply *out, struct tly_diag *diag)
{
    struct known *k   = &heads->logs[log];
    struct note   own = *note;
    enum tly_err  err = TLY_OK;
    /* Whoever brings a head can put lines of anybody behind it, of us too.  Kept is what was verified. */
    if (!note_line_of(note, &heads->config.policy->logs[log].vkey, &own.lines)) {
        return tly_fail(diag, TLY_EINPUT, "not signed by the log");
    }
    (void)pthread_mutex_lock(&heads->lock);
    out->size    = k->head.size;
    out->verdict = extend_check(&k->head, request, &note->head);
    if (out->verdict == EXTEND_GROWS) {
        err = cosign(heads, k, &own, now_s, out, diag);
    }
    (void)pthread_mutex_unlock(&heads->lock);
    return err;
}

bool
heads_evidence(struct heads *heads, enum heads_evidence kind, const struct note *note,
               struct tly_bytes text)
{
    char            name[TLY_HEX_SIZE(ID_LEN)];
    char            path[FILE_PATH_SIZE];
    struct tly_diag diag = {0};
    bool            kept = false;
    hash_name(note->body, name); /* once a head, whatever stands behind it */
    file_path(path, "%s/" EVIDENCE "%s%s", heads->config.dir, name,
              kind == HEADS_UNPROVEN ? UNPROVEN : "");
    (void)pthread_mutex_lock(&heads->lock);
    if (heads->evidence_n[kind] < HEADS_EVIDENCE_MAX && access(path, F_OK) != 0) {
        const enum tly_err err = file_write(path, text, FILE_MODE, FILE_SYNC, &diag);
        kept                   = err == TLY_OK;
        heads->evidence_n[kind] += kept;
    }
    (void)pthread_mutex_unlock(&heads->lock);
    if (diag.text[0] != '\0') {
        log_event(LOG_ERR, "witness.evidence_lost", "why=%s", log_why(diag.text).s);
    }
    return kept;
}
