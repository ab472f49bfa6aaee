/* SPDX-License-Identifier: Apache-2.0 */
/* What the daemon saw of those rows that the ledger's root does not cover: signed heads, evidence,
 * migrations.  A file of ours beside the journal, out of reach of whoever owns the database, so that
 * a row that was changed, added or taken away while the daemon was down is found, too.
 *
 * It is written after the fact and may be behind: what is not sealed yet is not compared.  Records of
 * 40 bytes are appended: table, operation, two zeros, key (8), seal (24), CRC-32 of all before;
 * integers big-endian.  What a power cut tore at its end is taken off. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/err.h"

#define SEAL_BYTES 24

enum seal_table {
    SEAL_VERSION,  /* tally.schema_version, by version */
    SEAL_ELECTION, /* its one row */
    SEAL_HEAD,     /* tally.head, by size */
    SEAL_EVIDENCE, /* tally.evidence, by id */
    SEAL_COUNTER,  /* what may only grow: log_head.epoch and barrier, evidence_sender.dropped */
    SEAL_TABLES_N
};

struct seal {
    uint64_t key;
    uint8_t  b[SEAL_BYTES];
};

struct seals; /* one thread at a time */

/* Errors: TLY_ECORRUPT damaged in its middle (the diag says what to do); TLY_EIO, TLY_ENOMEM. */
TLY_MUST enum tly_err seals_open(const char *folder, struct seals **out, struct tly_diag *diag);
void                  seals_close(struct seals *seals); /* NULL is fine */

/* The first seal with a key of at least `from`; NULL: there is none.  Valid until a seal is added. */
const struct seal *seals_at(const struct seals *seals, enum seal_table table, uint64_t from);
/* The seal of that key, or NULL. */
const struct seal *seals_find(const struct seals *seals, enum seal_table table, uint64_t key);
/* The largest key; 0: the table has none. */
uint64_t seals_last(const struct seals *seals, enum seal_table table);

/* Seals a row; one of the same key takes the other's place.
 * Errors: TLY_ENOMEM (nothing changed). */
TLY_MUST enum tly_err seals_add(struct seals *seals, enum seal_table table,
                                const struct seal *seal);
/* Forgets those with a key of at least `from`. */
TLY_MUST enum tly_err seals_cut(struct seals *seals, enum seal_table table, uint64_t from);
/* Writes what is new and waits for the disk.
 * Errors: TLY_EIO, once: after it nothing is written any more, and TLY_OK is returned. */
TLY_MUST enum tly_err seals_sync(struct seals *seals, struct tly_diag *diag);
