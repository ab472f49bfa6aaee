/* SPDX-License-Identifier: Apache-2.0 */
#include "base/check.h"
#include "post_int.h"
#include "sys/sha256.h"

#define TYPE_BATCH "application/x-ndjson"
/* Of one bundle: the struct payload and the votes of the largest payload, with room to spare. */
#define SCRATCH_MAX ((size_t)8 << 20)

static void
line_read(struct api_post *post, const struct speaker *sender, struct post_line *line)
{
    const struct api_config         *config  = &post->state->config;
    struct tly_arena                *keep    = post->req->arena;
    TLY_AUTO(arena) struct tly_arena scratch = {0};
    const struct bundle_rules        rules = {config->election, api_registry(post->state), sender};
    tly_arena_init(&scratch, SCRATCH_MAX);
    const struct tly_hash hash = post_line_begin(post, line);
    const enum tly_err    err =
        bundle_read(&rules, line->body, keep, &scratch, &line->bundle, &line->diag);
    if (err != TLY_OK) {
        post_refuse(line, err);
        return;
    }
    const struct tly_hash payload = sys_sha256(line->bundle.envelope.payload);
    line->item.kind               = SEQ_BUNDLE;
    line->item.bundle             = bundle_seq(&line->bundle, &payload, &hash, line->body.len);
    line->handed_in               = true;
}

/* Lines of an NDJSON body that are not empty; at most lines_max go to out (NULL: only counted). */
static size_t
lines_split(struct tly_bytes body, struct post_line out[], size_t lines_max)
{
    size_t n = 0;
    for (size_t at = 0; at < body.len;) {
        const uint8_t *start = body.data + at;
        const uint8_t *end   = memchr(start, '\n', body.len - at);
        size_t         len   = end == NULL ? body.len - at : (size_t)(end - start);
        at += len + 1;
        len -= len > 0 && start[len - 1] == '\r';
        if (len > 0) {
            if (out != NULL && n < lines_max) {
                out[n].body = (struct tly_bytes){start, len};
            }
            n++;
        }
    }
    return n;
}

static enum tly_err
post_lines(struct api_post *post, enum role sender, struct tly_diag *diag)
{
    const struct tly_bytes body = post->req->body;
    const size_t           n    = post->batch ? lines_split(body, NULL, 0) : 1;
    const size_t           max  = sender == ROLE_TERMINAL ? API_OWN_LINES : API_BATCH_LINES;
    if (n > max) {
        return tly_fail_at(diag, TLY_ETOOBIG, "too_large", "", "%zu lines, at most %zu", n, max);
    }
    post->lines = TLY_NEW(post->req->arena, struct post_line, n + 1);
    if (post->lines == NULL) {
        return TLY_ENOMEM;
    }
    post->lines_n = (uint32_t)n;
    if (post->batch) {
        (void)lines_split(body, post->lines, n);
    } else {
        post->lines[0].body = body;
    }
    return TLY_OK;
}

/* A request whose type is not taken: kept as evidence like any other refused body. */
static enum http_next
post_type_refuse(struct api_post *post)
{
    struct post_line *line = &post->lines[0];
    (void)post_line_begin(post, line);
    post_refuse(line,
                tly_fail_at(&line->diag, TLY_ETYPE, "media_type", "",
                            "Content-Type is neither %s nor %s", ENVELOPE_MEDIA_TYPE, TYPE_BATCH));
    return post_hand_in(post);
}

/* POST /v1/bundles: one envelope, or one a line.
 * 201, 200: receipt.  400 401 403 409 413 415 422 503: problem.  NDJSON: 200, one line each. */
enum http_next
api_bundles_post(struct api_req *r)
{
    struct http_req *req  = r->http;
    struct tly_diag  diag = {0};
    if (api_health(r->state) != API_READY) {
        return api_reply_err(r->state, req, TLY_EBUSY, NULL);
    }
    if (atomic_load(&r->state->election_state) != ELECTION_OPEN) {
        return api_reply_closed(r->state, req);
    }
    struct api_post *post = TLY_NEW(req->arena, struct api_post, 1);
    if (post == NULL) {
        return api_reply_err(r->state, req, TLY_ENOMEM, NULL);
    }
    post->state      = r->state;
    post->req        = req;
    post->sender     = r->speaker;
    post->batch      = post_type_is(req->content_type, TYPE_BATCH);
    enum tly_err err = post_lines(post, r->speaker.role, &diag);
    if (err == TLY_OK && !post->batch && req->body.len > BUNDLE_ENVELOPE_MAX) {
        err = tly_fail_at(&diag, TLY_ETOOBIG, "too_large", "", "%zu bytes, at most %zu",
                          req->body.len, BUNDLE_ENVELOPE_MAX);
    }
    if (err != TLY_OK) {
        return api_reply_err(r->state, req, err, &diag);
    }
    if (!post->batch && !post_type_is(req->content_type, ENVELOPE_MEDIA_TYPE)) {
        return post_type_refuse(post);
    }
    for (uint32_t i = 0; i < post->lines_n; i++) {
        line_read(post, &r->speaker, &post->lines[i]);
    }
    return post_hand_in(post);
}
