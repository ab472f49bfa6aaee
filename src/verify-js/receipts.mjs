// SPDX-License-Identifier: Apache-2.0
// Receipts and older checkpoints against the archive's log (stage 9).
import { sameBytes } from './bytes.mjs';
import { leafHash, rootByPath } from './merkle.mjs';
import { isSignedBy, readReceipt, readSince } from './note.mjs';

/** What must be known of the log for these: {sizes, indexes}.  given: {receipts, since}: [{name, bytes}]. */
export function readGiven(given) {
    const receipts = given.receipts.map(({ name, bytes }) => ({ at: `receipt ${name}`, receipt: readReceipt(bytes) }));
    const since = given.since.map(({ name, bytes }) => ({ at: `since ${name}`, note: readSince(bytes) }));
    const sizes = new Set();
    const indexes = new Set();
    for (const { receipt } of receipts) {
        if (receipt === null) continue;
        sizes.add(receipt.note.size);
        indexes.add(receipt.index);
    }
    for (const { note } of since) if (note !== null) sizes.add(note.size);
    return { receipts, since, wanted: { sizes, indexes } };
}

class Comparison {
    constructor(run, checkpoint, key, known) {
        Object.assign(this, { run, checkpoint, key, known });
    }

    found(check, at) {
        this.run.findings.add(check, at);
    }

    /** `kind`.signature and `kind`.prefix. */
    async note(kind, at, note) {
        if (this.key !== null && (note.origin !== this.checkpoint.origin || !await isSignedBy(note, this.key, this.run.signing))) {
            this.found(`${kind}.signature`, at);
        }
        const root = this.known.roots.get(note.size);
        if (note.size > this.checkpoint.size || (root && !sameBytes(root, note.root))) this.found(`${kind}.prefix`, at);
    }

    async receipt(at, { leaf, index, path, note }) {
        await this.note('receipt', at, note);
        const { signing } = this.run;
        const root = await rootByPath(await leafHash(leaf, signing), index, note.size, path, signing);
        if (root === null || !sameBytes(root, note.root)) this.found('receipt.proof', at);
        const mine = this.known.leaves.get(index);
        if (index >= this.checkpoint.size || (mine !== undefined && !sameBytes(mine, leaf))) this.found('receipt.entry', at);
    }
}

/** read: what readGiven() gave; known: what checkEntries() gave; key: the log's, or null. */
export async function checkGiven(run, read, checkpoint, key, known) {
    const comparison = new Comparison(run, checkpoint, key, known);
    for (const { at, receipt } of read.receipts) {
        run.checked.receipts++;
        if (receipt === null) run.findings.add('receipt.syntax', at);
        else await comparison.receipt(at, receipt);
    }
    for (const { at, note } of read.since) {
        run.checked.since++;
        if (note === null) run.findings.add('since.syntax', at);
        else await comparison.note('since', at, note);
    }
}
