/* SPDX-License-Identifier: Apache-2.0 */
#include "post_int.h"
#include "sys/sha256.h"

static void
decision_take(struct api_post *post, const struct speaker *sender, bool results,
              struct post_line *line, struct decision *decision)
{
    const struct api_config    *config = &post->state->config;
    const struct decision_rules rules  = {config->election, api_registry(post->state), sender};
    const struct tly_hash       hash   = post_line_begin(post, line);
    enum tly_err                err;
    if (post_type_is(post->req->content_type, ENVELOPE_MEDIA_TYPE)) {
        err = decision_read(&rules, line->body, post->req->arena, decision, &line->diag);
    } else {
        err = tly_fail_at(&line->diag, TLY_ETYPE, "media_type", "", "Content-Type is not %s",
                          ENVELOPE_MEDIA_TYPE);
    }
    if (err == TLY_OK && (decision->results != NULL) != results) {
        err = tly_fail_at(&line->diag, TLY_EINPUT, "S01", "payloadType",
                          "decisions go to /v1/decisions, results to /v1/results");
    }
    if (err != TLY_OK) {
        post_refuse(line, err);
        return;
    }
    const struct envelope *e = &decision->envelope;
    line->item.kind          = SEQ_DECISION;
    line->item.decision      = decision;
    line->item.bundle        = (struct seq_bundle){.payload_hash  = sys_sha256(e->payload),
                                                   .envelope_hash = hash,
                                                   .payload       = e->payload,
                                                   .head          = e->head,
                                                   .tail          = e->tail,
                                                   .alphabet      = e->alphabet,
                                                   .envelope_len  = (uint32_t)line->body.len};
    line->handed_in          = true;
}

static enum http_next
hand_in(struct api_req *r, bool results)
{
    struct http_req *req = r->http;
    if (api_health(r->state) != API_READY) {
        return api_reply_err(r->state, req, TLY_EBUSY, NULL);
    }
    struct api_post  *post     = TLY_NEW(req->arena, struct api_post, 1);
    struct post_line *line     = TLY_NEW(req->arena, struct post_line, 1);
    struct decision  *decision = TLY_NEW(req->arena, struct decision, 1);
    if (post == NULL || line == NULL || decision == NULL) {
        return api_reply_err(r->state, req, TLY_ENOMEM, NULL);
    }
    *post =
        (struct api_post){.state = r->state, .req = req, .sender = r->speaker, .decision = true};
    line->body    = req->body;
    post->lines   = line;
    post->lines_n = 1;
    decision_take(post, &r->speaker, results, line, decision);
    return post_hand_in(post);
}

/* POST /v1/decisions: one envelope.
 * 201, 200: receipt.  400 401 403 409 413 415 422 503: problem. */
enum http_next
api_decisions_post(struct api_req *r)
{
    return hand_in(r, false);
}

/* POST /v1/results: one envelope, answered as a decision is. */
enum http_next
api_results_post(struct api_req *r)
{
    return hand_in(r, true);
}
