/* SPDX-License-Identifier: Apache-2.0 */
/* What terminals and officers send: what comes next, the same again, what contradicts, what has no
 * place; and what they make of the answers. */
#include <stdlib.h>

#include "core/receipt.h"
#include "sim.h"
#include "sys/sha256.h"

#define REVISIONS_MAX 4
#define RESENDS       3 /* who is not answered yet is asked more often */

struct sent *
terminals_find(const struct paper *paper)
{
    for (unsigned i = sim.sent_n; i-- > 0;) {
        if (sim.sent[i].paper == paper) {
            return &sim.sent[i];
        }
    }
    return NULL;
}

static struct sent *
sent_of(const struct paper *paper)
{
    struct sent *s = terminals_find(paper);
    if (s == NULL && sim.sent_n < SIM_SENT_MAX) {
        s  = &sim.sent[sim.sent_n++];
        *s = (struct sent){.paper = paper};
    }
    return s;
}

/* ---- requests ---- */

static struct tly_bytes
own(struct request *r, struct tly_bytes bytes)
{
    const char *copy = tly_arena_text(&r->arena, bytes);
    TLY_CHECK(copy != NULL);
    return (struct tly_bytes){(const uint8_t *)copy, bytes.len};
}

static struct request *
request_new(void)
{
    struct request *r = calloc(1, sizeof *r);
    TLY_CHECK(r != NULL);
    tly_arena_init(&r->arena, (size_t)4 << 20);
    r->item.arena = &r->arena;
    r->item.user  = r;
    return r;
}

/* Whoever still reads it finds rubbish. */
void
request_free(struct request *r)
{
    const struct tly_bytes views[] = {r->item.bundle.payload, r->item.bundle.head,
                                      r->item.bundle.tail, r->item.evidence.body};
    for (unsigned i = 0; i < TLY_N(views); i++) {
        if (views[i].len > 0) {
            memset((void *)(uintptr_t)views[i].data, 0xA5, views[i].len);
        }
    }
    if (r->sent != NULL) {
        r->sent->under_way--;
    }
    tly_arena_done(&r->arena);
    free(r);
}

static struct request *
evidence(void)
{
    struct request  *r    = request_new();
    struct tly_bytes body = own(r, tly_text("not an envelope"));
    r->item.kind          = SEQ_EVIDENCE;
    r->item.evidence      = (struct seq_evidence){.body      = body,
                                                  .body_hash = sys_sha256(body),
                                                  .body_len  = body.len,
                                                  .status    = 400,
                                                  .code      = "S01",
                                                  .detail    = "not an envelope"};
    return r;
}

static void
read_bundle(struct request *r, const struct paper *p)
{
    const struct bundle_rules rules = {papers_election(), papers_registry(), NULL};
    const enum tly_err        err =
        bundle_read(&rules, p->envelope, &r->arena, &r->arena, &r->bundle, NULL);
    TLY_CHECK(err == TLY_OK);
    r->item.kind   = SEQ_BUNDLE;
    r->item.bundle = bundle_seq(&r->bundle, &p->payload_hash, &p->envelope_hash, p->envelope.len);
    WANT(r->item.bundle.checked->slots_n == 1 &&
         (r->item.bundle.checked->slots[0].holds != 0) == p->held);
}

static void
read_decision(struct request *r, const struct paper *p)
{
    const struct decision_rules rules = {papers_election(), papers_registry(), NULL};
    const enum tly_err err = decision_read(&rules, p->envelope, &r->arena, &r->decision, NULL);
    TLY_CHECK(err == TLY_OK);
    const struct envelope *e = &r->decision.envelope;
    r->item.kind             = SEQ_DECISION;
    r->item.decision         = &r->decision;
    r->item.bundle           = (struct seq_bundle){.payload_hash  = p->payload_hash,
                                                   .envelope_hash = p->envelope_hash,
                                                   .payload       = e->payload,
                                                   .head          = e->head,
                                                   .tail          = e->tail,
                                                   .alphabet      = e->alphabet,
                                                   .envelope_len  = (uint32_t)p->envelope.len};
}

struct request *
terminals_resend(struct sent *s)
{
    struct request *r = request_new();
    if (s->paper->is_decision) {
        read_decision(r, s->paper);
    } else {
        read_bundle(r, s->paper);
    }
    r->item.bundle.payload      = own(r, r->item.bundle.payload);
    r->item.bundle.head         = own(r, r->item.bundle.head);
    r->item.bundle.tail         = own(r, r->item.bundle.tail);
    const struct tly_bytes body = own(r, tly_text("the body"));
    r->item.evidence            = (struct seq_evidence){
                   .body = body, .body_hash = s->paper->envelope_hash, .body_len = body.len};
    r->sent = s;
    s->under_way++;
    return r;
}

/* ---- what comes next ---- */

/* As far as the branch knows: its newest logged bundle. */
static const struct paper *
newest_of(uint32_t branch)
{
    for (uint64_t i = database_now(&sim.db)->size; i-- > 1;) {
        const struct dbrow *row = sim.db.rows[i];
        if (row->kind == LEAF_BUNDLE && row->branch_i == branch) {
            return row->paper;
        }
    }
    return NULL;
}

static const struct paper *
next_bundle(void)
{
    const uint32_t      branch  = (uint32_t)sim_below(SIM_BRANCHES);
    const uint32_t      variant = (uint32_t)sim_below(3);
    const struct paper *last    = newest_of(branch);
    const uint32_t      newest  = last == NULL ? 0 : last->revision;
    const uint64_t      how     = sim_below(10);
    if (how == 0) { /* a gap */
        return paper_bundle(branch, newest + 2, variant, last, true);
    }
    if (how == 1) { /* a prev that is none */
        const struct paper *wrong =
            paper_bundle((branch + 1) % SIM_BRANCHES, 1, variant, NULL, true);
        return paper_bundle(branch, newest + 1, variant, last == NULL ? wrong : NULL, true);
    }
    if ((how <= 3 || newest >= REVISIONS_MAX) && newest > 0) { /* contradicts what is logged */
        return paper_bundle(branch, 1 + (uint32_t)sim_below(newest), variant, NULL, true);
    }
    return paper_bundle(branch, newest + 1, variant, last, how != 4);
}

static const struct paper *
next_decision(void)
{
    const uint64_t size = database_now(&sim.db)->size;
    const uint64_t late = sim_below(3);
    return paper_decision(sim_below(3) == 0 ? POLICY_ANNUL : POLICY_RELEASE,
                          (uint32_t)sim_below(SIM_BRANCHES), size > late ? size - late : size);
}

struct request *
terminals_send(void)
{
    const uint64_t r = sim_below(100);
    if (database_now(&sim.db)->size + 2 * SIM_BATCH_MAX > SIM_ROWS_MAX || r < 8) {
        return evidence();
    }
    if (sim.sent_n > 0 && (r < 40 || sim.sent_n + 1 >= SIM_SENT_MAX)) {
        struct sent *s = &sim.sent[sim_below(sim.sent_n)];
        for (unsigned i = 0; i < RESENDS && s->acked; i++) {
            s = &sim.sent[sim_below(sim.sent_n)];
        }
        return terminals_resend(s);
    }
    return terminals_resend(sent_of(r < 52 ? next_decision() : next_bundle()));
}

/* ---- answers ---- */

void
terminals_answer(struct seq_item *item, uint64_t shown)
{
    struct request    *r   = item->user;
    struct sent       *s   = r->sent;
    const enum tly_err err = item->err;
    if (err == TLY_OK && s == NULL) {
        WANT(++sim.evidence_kept <= sim.evidence_stored || sim.db_ever_back);
    } else if (err == TLY_OK) {
        check_receipt(s, item, shown);
        s->maybe = true;
    } else if (err == TLY_ECONFLICT) {
        WANT(s != NULL && item->diag.code[0] != '\0');
        if (s != NULL && item->position != UINT64_MAX) {
            WANT(item->position < shown);
            s->maybe = true;
        }
    } else if (err == TLY_EUNSURE) {
        if (s != NULL) {
            s->maybe = true;
        }
    } else { /* nothing was done, nor will be */
        WANT_SAY(err == TLY_EBUSY, "an answer that never should be: %s", tly_err_name(err));
    }
}
