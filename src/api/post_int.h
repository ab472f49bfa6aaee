/* SPDX-License-Identifier: Apache-2.0 */
/* A request with bundles on their way, one alone or the lines of an NDJSON body; or with a decision. */
#pragma once

#include "api_int.h"

/* One bundle.  The worker fills it, the sequencer decides it. */
struct post_line {
    struct seq_item  item; /* user: this line */
    struct api_post *post;
    struct bundle    bundle;
    struct tly_bytes body;
    bool             handed_in; /* as what it is; else err and diag of reading stand */
    enum tly_err     err;
    struct tly_diag  diag;
};

struct api_post {
    struct api_state *state;
    struct http_req  *req;
    struct speaker    sender;
    bool              batch;
    bool              decision;
    atomic_uint       open; /* lines under way, and the worker while it hands in */
    uint32_t          lines_n;
    struct post_line *lines;
};

/* What became of a line, once it is decided. */
enum tly_err           post_line_err(const struct post_line *line);
const struct tly_diag *post_line_diag(const struct post_line *line);
int                    post_line_status(const struct post_line *line);

/* What bundles_post.c and decisions_post.c share (post.c). */
bool post_type_is(const char *content_type, const char *wanted);
/* Names the line's body, its request and what is kept of it when it is refused; gives its hash. */
struct tly_hash post_line_begin(struct api_post *post, struct post_line *line);
/* Refused as it was read; the line's diag says why. */
void post_refuse(struct post_line *line, enum tly_err err);
/* Everything was read: hands it in. */
enum http_next post_hand_in(struct api_post *post);

/* Sets the request's reply from its decided lines (post_reply.c). */
void post_reply(struct api_post *post);
