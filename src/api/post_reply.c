/* SPDX-License-Identifier: Apache-2.0 */
/* Answers of POST /v1/bundles and /v1/decisions.  Runs on the sequencer's thread, so that texts are written by hand:
 * a receipt costs a copy, not a JSON tree. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/hex.h"
#include "post_int.h"

#define GROW_MIN 4096

/* A text that grows. */
struct out {
    char  *data;
    size_t len, size;
    bool   failed; /* no memory */
};

static void
out_add(struct out *out, const char *s, size_t len)
{
    if (out->failed || len == 0) {
        return;
    }
    if (len > out->size - out->len) {
        const size_t size = (out->size + len) * 2 + GROW_MIN;
        char        *data = realloc(out->data, size);
        if (data == NULL) {
            out->failed = true;
            return;
        }
        out->data = data;
        out->size = size;
    }
    memcpy(out->data + out->len, s, len);
    out->len += len;
}

static void
out_text(struct out *out, const char *s)
{
    out_add(out, s, strlen(s));
}

/* A JSON string.  Bytes over 0x7f are ours (receipts) or come from texts about refused input, where
 * they may be no UTF-8: ascii replaces them. */
static void
out_string(struct out *out, struct tly_bytes text, bool ascii)
{
    out_add(out, "\"", 1);
    for (size_t i = 0; i < text.len; i++) {
        const uint8_t c = text.data[i];
        if (c == '\n') {
            out_add(out, "\\n", 2);
        } else if (c == '"' || c == '\\') {
            out_add(out, "\\", 1);
            out_add(out, (const char *)&c, 1);
        } else if (c < 0x20 || (ascii && c > 0x7e)) {
            out_add(out, "?", 1);
        } else {
            out_add(out, (const char *)&c, 1);
        }
    }
    out_add(out, "\"", 1);
}

/* CONTEST:CODE of every finding, holds before flags; quoted: as strings of a JSON list. */
static void
out_checks(struct out *out, const struct post_line *line, bool quoted)
{
    const struct election *e     = line->post->state->config.election;
    const char            *quote = quoted ? "\"" : "";
    bool                   first = true;
    for (uint32_t i = 0; i < line->bundle.checked.slots_n; i++) {
        const struct checked_slot *slot    = &line->bundle.checked.slots[i];
        const char                *contest = e->contests[e->slots[slot->slot.v].contest.v].code;
        for (unsigned c = 0; c < CHECKS_N; c++) {
            if (((slot->holds | slot->flags) & CHECK_BIT(c)) == 0) {
                continue;
            }
            out_text(out, first ? "" : ",");
            out_text(out, quote);
            out_text(out, contest);
            out_text(out, ":");
            out_text(out, check_code((enum check)c));
            out_text(out, quote);
            first = false;
        }
    }
}

static void
out_problem(struct out *out, enum tly_err err, const struct tly_diag *diag)
{
    char        status[16];
    const bool  ours = tly_err_blame(err) == TLY_OURS;
    const char *code = diag->code[0] != '\0' ? diag->code : http_problem_code(err);
    (void)snprintf(status, sizeof status, "%d", tly_err_http(err));
    out_text(out, "{\"status\":");
    out_text(out, status);
    out_text(out, ",\"problem\":{\"type\":\"urn:tally:problem:");
    out_text(out, code);
    out_text(out, "\",\"title\":");
    out_string(out, tly_text(tly_err_text(err)), true);
    out_text(out, ",\"status\":");
    out_text(out, status);
    if (!ours && diag->text[0] != '\0') {
        out_text(out, ",\"detail\":");
        out_string(out, tly_text(diag->text), true);
    }
    out_text(out, ",\"code\":\"");
    out_text(out, code);
    out_text(out, "\"");
    if (!ours && diag->field[0] != '\0') {
        out_text(out, ",\"field\":");
        out_string(out, tly_text(diag->field), true);
    }
    out_text(out, "}}\n");
}

static void
out_receipt(struct out *out, const struct post_line *line)
{
    char hex[TLY_HEX_SIZE(sizeof line->item.bundle.payload_hash.b)];
    tly_hex(line->item.bundle.payload_hash.b, sizeof line->item.bundle.payload_hash.b, hex);
    out_text(out, line->item.created ? "{\"status\":201" : "{\"status\":200");
    out_text(out, ",\"payload\":\"");
    out_text(out, hex);
    out_text(out, "\",\"tally_status\":\"");
    out_text(out, bundle_status_name(bundle_status(&line->bundle.checked)));
    out_text(out, "\",\"checks\":[");
    out_checks(out, line, true);
    out_text(out, "],\"receipt\":");
    out_string(out, line->item.receipt, false);
    out_text(out, "}\n");
}

static void
reply_batch(struct api_post *post)
{
    struct out out = {0};
    for (uint32_t i = 0; i < post->lines_n; i++) {
        const struct post_line *line = &post->lines[i];
        const enum tly_err      err  = post_line_err(line);
        if (err == TLY_OK) {
            out_receipt(&out, line);
        } else {
            out_problem(&out, err, post_line_diag(line));
        }
    }
    if (out.failed) {
        /* Whatever was logged stays logged: sent again, every line gets its receipt. */
        http_reply_problem(post->req, TLY_ENOMEM, NULL);
        free(out.data);
        return;
    }
    char *tight = out.data == NULL ? NULL : realloc(out.data, out.len);
    http_reply_owned(post->req, 200, "application/x-ndjson", tight == NULL ? out.data : tight,
                     out.len);
}

static void
reply_one(struct api_post *post)
{
    const struct post_line *line = &post->lines[0];
    const enum tly_err      err  = post_line_err(line);
    if (err != TLY_OK) {
        if (strcmp(post_line_diag(line)->code, "state") == 0 && tly_err_blame(err) == TLY_LATER) {
            api_closed_header(post->state, post->req);
        }
        http_reply_problem(post->req, err, post_line_diag(line));
        return;
    }
    if (!post->decision) {
        struct out checks = {0};
        out_checks(&checks, line, false);
        out_add(&checks, "", 1);
        http_reply_header(post->req, "Tally-Status",
                          bundle_status_name(bundle_status(&line->bundle.checked)));
        http_reply_header(post->req, "Tally-Checks", checks.failed ? "" : checks.data);
        free(checks.data);
    }
    http_reply_borrowed(post->req, post_line_status(line), "text/plain; charset=utf-8",
                        line->item.receipt);
}

void
post_reply(struct api_post *post)
{
    api_headers(post->state, post->req);
    if (post->batch) {
        reply_batch(post);
    } else {
        reply_one(post);
    }
}
