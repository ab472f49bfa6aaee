/* SPDX-License-Identifier: Apache-2.0 */
/* A whole archive checked (doc/verifying.md): what the stages share. */
#pragma once

#include "archive.h"
#include "core/merkle.h"
#include "core/note.h"
#include "core/tally.h"
#include "core/tile.h"
#include "core/trust.h"
#include "findings.h"
#include "pack/packages.h"
#include "sys/progress.h"
#include "sys/team.h"

#define VERIFY_FILE_MAX     ((uint64_t)64 << 20)
#define VERIFY_PACKAGE_MAX  ((uint64_t)512 << 20)
#define VERIFY_SIZE_MAX     UINT32_MAX /* entries of a log */
#define VERIFY_ROOT_KEYS    4
#define VERIFY_SINCE_MAX    1024
#define VERIFY_RECEIPT_MAX  ((size_t)1 << 20)
#define VERIFY_RECEIPTS_MAX ((size_t)1 << 22) /* names in a folder of receipts */

/* What the person asked for. */
struct verify_options {
    const char          *where;
    struct packages_keys roots;
    bool                 has_log; /* --log, or the log of --policy */
    struct note_vkey     log;
    const struct trust  *policy;   /* --policy; NULL: the archive's */
    const char          *receipts; /* a folder; NULL: none */
    const char          *since[VERIFY_SINCE_MAX];
    unsigned             since_n;
    unsigned             threads_n;
};

struct verify_counts {
    uint64_t entries, envelopes, withheld, receipts, since, cosignatures;
};

struct verify {
    const struct verify_options *options;
    struct archive              *archive;
    struct findings              findings;
    struct tly_arena             arena; /* lives as long as this */
    struct team                 *team;
    struct progress_line         progress;
    struct tly_diag              diag; /* why it cannot go on */

    /* packages */
    struct election *election; /* NULL: missing or faulty */
    struct registry *registry;
    bool             has_definition, has_registry; /* their hashes are known */
    struct tly_hash  definition, registry_hash;
    bool             interpreted; /* both good, and there is a head */

    /* policy and checkpoint */
    const struct trust     *policy; /* whom to believe; NULL: nobody */
    const struct note_vkey *key;    /* of the log; NULL: none is known */
    bool                    has_head;
    struct note             note; /* the checkpoint's parts */

    /* entries */
    struct merkle        tree;  /* of leaf hashes; where they are unknown of zeros */
    uint8_t             *known; /* one a tile of entries: were its leaves read? */
    bool                 all_known;
    struct ledger       *ledger;  /* what the entries before say (ledger.h) */
    struct recount      *recount; /* the tally (recount.h); NULL: not interpreted */
    struct verify_counts counts;
};

/* Reads and checks everything; findings are sorted.
 *
 * Errors:  TLY_EINPUT  no archive: no checkpoint file, or it cannot be read
 *          TLY_EIO, TLY_EFORBID, TLY_ENOMEM; v->diag says what and where */
TLY_MUST enum tly_err verify_run(struct verify *v, const struct verify_options *options);
void                  verify_done(struct verify *v); /* fine on a zeroed struct */

/* The stages, a file each. */
TLY_MUST enum tly_err verify_packages(struct verify *v);
TLY_MUST enum tly_err verify_head(struct verify *v);
TLY_MUST enum tly_err verify_entries(struct verify *v);
TLY_MUST enum tly_err verify_tiles(struct verify *v);
TLY_MUST enum tly_err verify_receipts(struct verify *v);
TLY_MUST enum tly_err verify_since(struct verify *v);
TLY_MUST enum tly_err verify_names(struct verify *v);

/* ---- small helpers of the stages ---- */

/* Reads a file of the archive.  *out->data NULL: it is not there, or over its limit, which is then a
 * finding; missing ones are the caller's. */
TLY_MUST enum tly_err verify_read(struct verify *v, const char *path, uint64_t bytes_max,
                                  struct tly_arena *arena, struct tly_bytes *out);
/* Takes a checkpoint apart that is one by doc/verifying.md. */
TLY_MUST bool verify_note(struct tly_bytes text, struct note *out);
/* Is there a line of the log's key, and do all of them verify?  True where no key is known. */
bool verify_note_signed(const struct verify *v, const struct note *note);
/* The computed root of a size; false: not all entries below it were read, or it is larger. */
TLY_MUST bool verify_root(const struct verify *v, uint64_t size, struct tly_hash *out);
