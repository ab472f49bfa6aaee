// SPDX-License-Identifier: Apache-2.0
// Bundles and conflicts in order: revisions, repeats (doc/formats.md, "Revisions, conflicts, repeats").
// Only leaves are looked at, and branches told by their codes.

/** A fresh string of 32 characters: a slice of a leaf's text would keep the whole text. */
const packed = (hex) => String.fromCharCode(...hex.match(/../g).map((pair) => Number.parseInt(pair, 16)));

export class Revisions {
    constructor() {
        this.branches = new Map(); // code: {envelopes, payload}: of the revisions that are logged, and the newest's payload
        this.payloads = new Set();
    }

    branch(code) {
        return this.branches.get(code) ?? { envelopes: [], payload: null };
    }

    /** The checks that fail for a bundle or conflict. */
    checks(leaf) {
        const out = this.payloads.has(packed(leaf.payload)) ? ['payload.twice'] : [];
        const { envelopes, payload } = this.branch(leaf.branch);
        const newest = envelopes.length;
        if (leaf.isConflict) {
            if (envelopes[leaf.revision - 1] !== packed(leaf.first)) out.push('conflict.first');
            return out;
        }
        if (leaf.revision <= newest) out.push('revision.twice');
        else if (leaf.revision > newest + 1) out.push('revision.gap');
        else if ((leaf.prev === null ? null : packed(leaf.prev)) !== payload) out.push('revision.prev');
        return out;
    }

    /** Its payload stands there, whatever else is wrong. */
    seen(leaf) {
        this.payloads.add(packed(leaf.payload));
    }

    /** It becomes the branch's newest. */
    log(leaf) {
        const code = packed64(leaf.branch);
        const branch = this.branch(code);
        branch.envelopes.push(packed(leaf.envelope));
        branch.payload = packed(leaf.payload);
        this.branches.set(code, branch);
    }
}

/** The same code as a string of its own. */
const packed64 = (code) => String.fromCharCode(...Array.from(code, (c) => c.charCodeAt(0)));
