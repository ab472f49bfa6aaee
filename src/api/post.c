/* SPDX-License-Identifier: Apache-2.0 */
/* Handing in what was posted, and answering once all of a request is decided. */
#include "base/check.h"
#include "post_int.h"
#include "sys/sha256.h"

enum tly_err
post_line_err(const struct post_line *line)
{
    return line->handed_in ? line->item.err : line->err;
}

const struct tly_diag *
post_line_diag(const struct post_line *line)
{
    return line->handed_in ? &line->item.diag : &line->diag;
}

int
post_line_status(const struct post_line *line)
{
    const enum tly_err err = post_line_err(line);
    return err == TLY_OK && line->item.created ? 201 : tly_err_http(err);
}

/* The type before its parameters, without regard to case. */
bool
post_type_is(const char *content_type, const char *wanted)
{
    const size_t len = strcspn(content_type, "; \t");
    return len == strlen(wanted) && strncasecmp(content_type, wanted, len) == 0;
}

void
post_refuse(struct post_line *line, enum tly_err err)
{
    line->err                  = err;
    line->item.kind            = SEQ_EVIDENCE;
    line->item.evidence.status = tly_err_http(err);
    line->item.evidence.code   = line->diag.code;
    line->item.evidence.detail = line->diag.text;
}

/* What is kept when the body is refused, now or by the sequencer for its place. */
static struct seq_evidence
evidence_of(const struct http_req *req, struct tly_bytes body, const struct tly_hash *hash)
{
    const struct tly_bytes cut = {body.data,
                                  body.len < API_EVIDENCE_MAX ? body.len : API_EVIDENCE_MAX};
    return (struct seq_evidence){
        .sender = req->peer.cert, .body = cut, .body_hash = *hash, .body_len = body.len};
}

struct tly_hash
post_line_begin(struct api_post *post, struct post_line *line)
{
    const struct tly_hash hash = sys_sha256(line->body);
    line->item.evidence        = evidence_of(post->req, line->body, &hash);
    line->item.arena           = post->req->arena;
    line->item.user            = line;
    line->post                 = post;
    return hash;
}

/* One line of a post is decided; true: it was the last. */
static bool
line_done(struct api_post *post)
{
    return atomic_fetch_sub(&post->open, 1) == 1;
}

static void
count_line(const struct post_line *line)
{
    struct api_state  *state = line->post->state;
    const enum tly_err err   = post_line_err(line);
    enum api_counter   counter;
    if (err == TLY_OK) {
        counter = line->item.created ? COUNTER_CREATED : COUNTER_SAME;
    } else if (err == TLY_ECONFLICT) {
        counter = COUNTER_CONFLICT;
    } else {
        counter = tly_err_blame(err) == TLY_THEIRS ? COUNTER_REFUSED : COUNTER_LATER;
    }
    api_count(state, counter);
}

void
api_answer(struct api_state *state, struct seq_item *item)
{
    struct post_line *line = item->user;
    struct api_post  *post = line->post;
    TLY_CHECK(post->state == state);
    if (item->kind == SEQ_EVIDENCE) {
        api_evidence_end(state->evidence, line->body.len);
        api_count(state, item->err == TLY_OK ? COUNTER_EVIDENCE : COUNTER_EVIDENCE_DROPPED);
    }
    count_line(line);
    if (line_done(post)) {
        struct http_req *req = post->req;
        post_reply(post);
        http_resume(req);
    }
}

/* Batches leave room in the queue for who has one bundle. */
static bool
has_room(const struct post_line *line)
{
    struct queue *queue = line->post->state->config.queue;
    if (line->post->lines_n == 1) {
        return true;
    }
    const struct queue_size size = queue_size(queue);
    return size.entries < API_QUEUE_ENTRIES - API_QUEUE_ALONE &&
           size.bytes < API_QUEUE_BYTES / 8 * 7;
}

static enum tly_err
line_queue(struct post_line *line)
{
    return has_room(line) ? queue_push(line->post->state->config.queue, &line->item, line->body.len)
                          : TLY_EBUSY;
}

/* Hands in a line; false: it is decided already. */
static bool
line_push(struct post_line *line)
{
    struct api_state *state = line->post->state;
    const bool        kept  = line->handed_in || tly_err_blame(line->err) == TLY_THEIRS;
    enum tly_err      err   = TLY_EBUSY;
    if (line->handed_in ||
        (kept && api_evidence_begin(state->evidence, &line->post->sender, line->body.len))) {
        err = line_queue(line);
        if (err == TLY_OK) {
            return true;
        }
        if (!line->handed_in) {
            api_evidence_end(state->evidence, line->body.len);
        }
    }
    if (line->handed_in) {
        line->item.err = tly_fail(&line->item.diag, TLY_EBUSY, "the queue is full; send it again");
    } else if (kept) {
        api_count(state, COUNTER_EVIDENCE_DROPPED);
    }
    count_line(line);
    return false;
}

/* Everything was read; from the first push on the sequencer may use the arena, so that the worker
 * only touches the lines that it still owns. */
enum http_next
post_hand_in(struct api_post *post)
{
    atomic_init(&post->open, post->lines_n + 1);
    for (uint32_t i = 0; i < post->lines_n; i++) {
        if (!line_push(&post->lines[i]) && line_done(post)) {
            TLY_CHECK(false); /* the worker's own count is still there */
        }
    }
    if (!line_done(post)) {
        return HTTP_WAIT;
    }
    post_reply(post);
    return HTTP_REPLIED;
}
