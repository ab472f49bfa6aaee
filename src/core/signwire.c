/* SPDX-License-Identifier: Apache-2.0 */
#include "core/signwire.h"

#include "base/base64.h"
#include "base/check.h"
#include "base/text.h"
#include "rd.h"

static const char *const kinds[] = {[SIGNWIRE_HELLO]   = "hello\n",
                                    [SIGNWIRE_SIGNED]  = "signed\n",
                                    [SIGNWIRE_LAST]    = "last\n",
                                    [SIGNWIRE_REFUSED] = "refused\n"};

/* A line of canonical base64 of exactly len bytes (at most 64). */
static bool
read_base64(struct rd *rd, uint8_t *out, size_t len)
{
    struct tly_bytes text;
    uint8_t          data[TLY_BASE64_LEN(64) / 4 * 3];
    size_t           got;
    enum tly_base64  alphabet;
    if (!rd_until(rd, '\n', &text) || text.len != TLY_BASE64_LEN(len) ||
        !tly_base64_decode(text, data, &got, &alphabet) || got != len ||
        alphabet != TLY_BASE64_STD) {
        return false;
    }
    memcpy(out, data, len);
    return true;
}

static bool
read_head(struct rd *rd, struct note_head *out)
{
    return rd_u64(rd, '\n', &out->size) && read_base64(rd, out->root.b, sizeof out->root.b);
}

static void
add_head(struct text *wr, const struct note_head *head)
{
    text_add_u64(wr, head->size);
    text_add(wr, "\n");
    text_add_base64(wr, (struct tly_bytes){head->root.b, sizeof head->root.b}, TLY_BASE64_STD);
    text_add(wr, "\n");
}

static bool
is_printable(char c)
{
    return c >= ' ' && c <= '~';
}

size_t
signwire_answer_write(const struct signwire_answer *answer, char out[SIGNWIRE_ANSWER_MAX])
{
    struct text wr;
    char        text[NOTE_LEN_MAX];
    text_init(&wr, out, SIGNWIRE_ANSWER_MAX);
    text_add(&wr, kinds[answer->kind]);
    switch (answer->kind) {
    case SIGNWIRE_HELLO:
        (void)note_vkey_write(&answer->vkey, text);
        text_add(&wr, text);
        text_add(&wr, "\n");
        add_head(&wr, &answer->last);
        break;
    case SIGNWIRE_SIGNED:
        text_add_base64(&wr, (struct tly_bytes){answer->sig.b, sizeof answer->sig.b},
                        TLY_BASE64_STD);
        text_add(&wr, "\n");
        break;
    case SIGNWIRE_LAST:
        add_head(&wr, &answer->last);
        break;
    case SIGNWIRE_REFUSED:
        for (const char *p = answer->why; *p != '\0'; p++) {
            const char one[2] = {is_printable(*p) ? *p : '?', '\0'};
            text_add(&wr, one);
        }
        text_add(&wr, "\n");
        break;
    }
    const size_t len = text_done(&wr);
    TLY_CHECK(len > 0);
    return len;
}

static bool
read_why(struct rd *rd, char out[SIGNWIRE_WHY_MAX])
{
    struct tly_bytes why;
    if (!rd_until(rd, '\n', &why) || why.len >= SIGNWIRE_WHY_MAX) {
        return false;
    }
    for (size_t i = 0; i < why.len; i++) {
        if (!is_printable((char)why.data[i])) {
            return false;
        }
    }
    memcpy(out, why.data, why.len);
    out[why.len] = '\0';
    return true;
}

static bool
read_rest(struct rd *rd, struct signwire_answer *answer)
{
    struct tly_bytes vkey;
    switch (answer->kind) {
    case SIGNWIRE_HELLO:
        return rd_until(rd, '\n', &vkey) && note_vkey_parse(vkey, &answer->vkey) &&
               read_head(rd, &answer->last);
    case SIGNWIRE_SIGNED:
        return read_base64(rd, answer->sig.b, sizeof answer->sig.b);
    case SIGNWIRE_LAST:
        return read_head(rd, &answer->last);
    case SIGNWIRE_REFUSED:
        return read_why(rd, answer->why);
    }
    return false;
}

bool
signwire_answer_read(struct tly_bytes in, struct signwire_answer *out)
{
    for (unsigned i = 0; i < TLY_N(kinds); i++) {
        struct rd              rd     = rd_of(in);
        struct signwire_answer answer = {.kind = (enum signwire_kind)i};
        if (rd_lit(&rd, kinds[i])) {
            if (!read_rest(&rd, &answer) || rd_left(&rd) != 0) {
                return false;
            }
            *out = answer;
            return true;
        }
    }
    return false;
}

enum tly_err
signwire_body_read(struct tly_bytes body, const char *origin, struct note_head *out,
                   struct tly_diag *diag)
{
    struct rd        rd = rd_of(body);
    struct tly_bytes name;
    struct note_head head;
    if (!rd_until(&rd, '\n', &name) || !read_head(&rd, &head) || rd_left(&rd) != 0) {
        return tly_fail(diag, TLY_EINPUT, "the head is not the three lines of a checkpoint's body");
    }
    if (!tly_bytes_eq(name, tly_text(origin))) {
        return tly_fail(diag, TLY_EINPUT, "the head is of another log than %s", origin);
    }
    *out = head;
    return TLY_OK;
}
