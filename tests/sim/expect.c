/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a daemon that starts now has to go on or to refuse, from what lies on the disks and in the
 * database, by a reading of its own: a daemon that always refuses is no better than one that never
 * does. */
#include <stdio.h>
#include <zlib.h>

#include "core/frame.h"
#include "sim.h"

#define SECTOR     512U
#define HEAD_BYTES 24U
#define FRAMES_MAX 256
#define FRAME_MAX  ((size_t)10 << 10) /* bytes of one: SIM_BATCH_MAX items */

struct found {
    uint64_t         sequence;
    struct note_head before, after;
    size_t           bytes;
};

struct half {
    struct found list[FRAMES_MAX];
    unsigned     n;
};

static uint64_t
get(const uint8_t *p, unsigned bytes)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < bytes; i++) {
        value = value << 8 | p[i];
    }
    return value;
}

/* The frame at a place; 0: there is none, else the bytes to the next. */
static size_t
frame_at(const uint8_t *data, size_t len, size_t at, struct found *out)
{
    const uint8_t *p = data + at;
    struct frame   frame;
    if (len - at < HEAD_BYTES || memcmp(p, "TLYFRM1\n", 8) != 0) {
        return 0;
    }
    const size_t body = (size_t)get(p + 16, 4);
    if (body > len - at - HEAD_BYTES ||
        crc32_z(crc32_z(0, p, 20), p + HEAD_BYTES, body) != get(p + 20, 4)) {
        return 0;
    }
    const enum tly_err err = frame_read((struct tly_bytes){p + HEAD_BYTES, body}, &frame, NULL);
    TLY_CHECK(err == TLY_OK);
    const size_t bytes = (HEAD_BYTES + body + SECTOR - 1) / SECTOR * SECTOR;
    *out               = (struct found){get(p + 8, 8), frame.before, frame.after, bytes};
    TLY_CHECK(bytes <= FRAME_MAX);
    return bytes;
}

static const uint8_t *
half_look(const char *journal, unsigned i, bool durable, size_t *len)
{
    char path[64];
    (void)snprintf(path, sizeof path, "%s/journal.%u", journal, i);
    return disk_look(path, durable, len);
}

/* The frames from the beginning of a file on. */
static void
half_read(const char *journal, unsigned i, struct half *out)
{
    size_t         len  = 0;
    const uint8_t *data = half_look(journal, i, false, &len);
    out->n              = 0;
    for (size_t at = 0; at < len && out->n < FRAMES_MAX;) {
        struct found *f     = &out->list[out->n];
        const size_t  bytes = frame_at(data, len, at, f);
        if (bytes == 0 || (out->n > 0 && f->sequence != f[-1].sequence + 1)) {
            break;
        }
        out->n++;
        at += bytes;
    }
}

/* Sequences of the newest batch that was on the disk of each machine. */
static uint64_t newest[SIM_HOSTS];

static unsigned
host_of(const char *journal)
{
    return (unsigned)(journal[sizeof "/sim/" - 1] - 'a');
}

void
expect_new_journal(const char *journal)
{
    newest[host_of(journal)] = 0;
}

/* What was on the disk is there, and the newest half of what it can hold. */
static void
half_kept(const char *journal, const struct half *older, const struct half *newer)
{
    const struct half *first = older->n > 0 ? older : newer;
    size_t             bytes = 0;
    for (unsigned i = 0; i < older->n; i++) {
        bytes += older->list[i].bytes;
    }
    for (unsigned i = 0; i < newer->n; i++) {
        bytes += newer->list[i].bytes;
    }
    WANT_SAY((newer->n == 0 ? 0 : newer->list[newer->n - 1].sequence) >= newest[host_of(journal)],
             "%s: a batch that was on the disk is gone", journal);
    WANT_SAY(first->n == 0 || first->list[0].sequence == 1 || bytes + FRAME_MAX > sim.half_bytes,
             "%s: it does not hold half of what it can", journal);
}

bool
expect_journaled(const char *journal, const struct seq_batch *batch)
{
    for (unsigned i = 0; i < 2; i++) {
        size_t         len  = 0;
        const uint8_t *data = half_look(journal, i, true, &len);
        for (size_t at = 0; at < len; at += SECTOR) {
            struct found f;
            if (data[at] == 'T' && frame_at(data, len, at, &f) > 0 &&
                f.before.size == batch->old_size && f.after.size == batch->new_size &&
                tly_hash_eq(&f.after.root, &batch->new_root)) {
                uint64_t *last = &newest[host_of(journal)];
                *last          = *last < f.sequence ? f.sequence : *last;
                return true;
            }
        }
    }
    return false;
}

/* Heads behind the database's end: what the journal puts back. */
struct known {
    struct note_head heads[FRAMES_MAX * 2];
    unsigned         n;
};

static bool
is_known(const struct known *known, const struct note_head *head)
{
    if (head->size <= database_now(&sim.db)->size) {
        return tly_hash_eq(&sim.db.rows[head->size - 1]->root, &head->root);
    }
    for (unsigned i = 0; i < known->n; i++) {
        if (known->heads[i].size == head->size) {
            return tly_hash_eq(&known->heads[i].root, &head->root);
        }
    }
    return false;
}

/* Is it a size between two of them?  Two machines may have journaled the same entries, in batches of
 * other lengths, and what the root was in between nobody wrote down. */
static bool
is_within(const struct known *known, uint64_t size)
{
    bool within = size > database_now(&sim.db)->size;
    for (unsigned i = 0; i < known->n; i++) {
        within = within && known->heads[i].size != size;
    }
    return within;
}

static const char *
half_judge(const struct half *half, struct known *known, uint64_t *size)
{
    for (unsigned i = 0; i < half->n; i++) {
        const struct found *f = &half->list[i];
        if (f->before.size > *size) {
            return "entries before a batch of the journal are lost";
        }
        if (!is_known(known, &f->before)) {
            return "the journal goes on from another ledger";
        }
        if (f->after.size <= *size && !is_known(known, &f->after)) {
            return "the journal has another ledger's batch";
        }
        if (f->after.size > *size) {
            if (f->before.size != *size) {
                return "the database ends in a batch of the journal";
            }
            *size                    = f->after.size;
            known->heads[known->n++] = f->after;
        }
    }
    return NULL;
}

bool
expect_go_on(const char *journal, const char **why)
{
    static struct half  halves[2];
    static struct known known;
    struct note_head    last = {0};
    uint64_t            size = database_now(&sim.db)->size;
    known.n                  = 0;
    sim.unsure               = false;
    half_read(journal, 0, &halves[0]);
    half_read(journal, 1, &halves[1]);
    struct half *a = &halves[0], *b = &halves[1];
    if (a->n > 0 && (b->n == 0 || a->list[a->n - 1].sequence > b->list[b->n - 1].sequence)) {
        a = &halves[1];
        b = &halves[0];
    }
    /* b is the newer one; of the older one nothing counts that was torn while it was begun anew */
    if (a->n > 0 && b->n > 0 && a->list[a->n - 1].sequence + 1 != b->list[0].sequence) {
        a->n = 0;
    }
    half_kept(journal, a, b);
    *why = half_judge(a, &known, &size);
    if (*why == NULL) {
        *why = half_judge(b, &known, &size);
    }
    const unsigned heads_n = database_now(&sim.db)->heads_n;
    if (*why == NULL && !signer_last(&last)) {
        *why = "the signer's state is gone";
    }
    if (*why == NULL && last.size > size) {
        *why = "the signer signed more than there is";
    }
    if (*why == NULL && heads_n > 0 && last.size < sim.db.heads[heads_n - 1].size) {
        *why = "the signer has forgotten a head that is stored";
    }
    if (*why == NULL && last.size > 0 && !is_known(&known, &last)) {
        *why       = "the signer signed another ledger";
        sim.unsure = is_within(&known, last.size);
    }
    return *why == NULL;
}
