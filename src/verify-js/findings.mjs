// SPDX-License-Identifier: Apache-2.0
// What was found, once each, in the order of the report.
import { compareNatural, compareText } from './bytes.mjs';

export const LISTED_MAX = 10000;

const FAMILIES = {
    authenticity: ['package.files', 'package.signature', 'package.hash', 'package.content', 'log.key', 'log.origin', 'envelope.signature',
        'envelope.type', 'leaf.key', 'bundle.cosigners', 'decision.signers', 'result.signers'],
    integrity: ['policy.syntax', 'checkpoint.syntax', 'checkpoint.signature', 'checkpoint.cosignature', 'checkpoint.quorum', 'file.missing',
        'file.size', 'file.syntax', 'tile.hash', 'checkpoint.root', 'leaf.syntax', 'envelope.missing', 'envelope.unexpected', 'envelope.hash',
        'envelope.syntax', 'payload.hash', 'payload.syntax', 'payload.leaf', 'leaf.held'],
    consistency: ['leaf.genesis', 'genesis.package', 'leaf.election', 'leaf.time', 'leaf.branch', 'revision.twice', 'revision.gap',
        'revision.prev', 'payload.twice', 'conflict.first', 'decision.state', 'state.closed', 'result.serial', 'since.prefix',
        'since.syntax', 'since.signature'],
    completeness: ['receipt.syntax', 'receipt.signature', 'receipt.proof', 'receipt.prefix', 'receipt.entry', 'file.unknown'],
    evidence: ['certificate.result', 'result.numbers'],
};
export const FAMILY_OF = new Map(Object.entries(FAMILIES).flatMap(([family, checks]) => checks.map((check) => [check, family])));

export class Findings {
    constructor() {
        this.byCheck = new Map();
    }

    /** at: a byte string. */
    add(check, at) {
        if (!FAMILY_OF.has(check)) throw new Error(`no check ${check}`);
        const all = this.byCheck.get(check) ?? new Set();
        this.byCheck.set(check, all.add(at));
    }

    get count() {
        let out = 0;
        for (const all of this.byCheck.values()) out += all.size;
        return out;
    }

    /** [{family, check, at}], the first of them. */
    listed() {
        const out = [];
        for (const check of [...this.byCheck.keys()].sort(compareText)) {
            for (const at of [...this.byCheck.get(check)].sort(compareNatural)) {
                if (out.length === LISTED_MAX) return out;
                out.push({ family: FAMILY_OF.get(check), check, at });
            }
        }
        return out;
    }
}
