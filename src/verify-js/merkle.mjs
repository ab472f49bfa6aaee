// SPDX-License-Identifier: Apache-2.0
// The Merkle tree of RFC 6962, over hashes kept as byte arrays of 32.
import { joinBytes } from './bytes.mjs';

const LEAF = Uint8Array.of(0);
const NODE = Uint8Array.of(1);

export const leafHash = (leaf, signing) => signing.sha256(joinBytes(LEAF, leaf));
export const nodeHash = (left, right, signing) => signing.sha256(joinBytes(NODE, left, right));

/** The root over hashes that stand for equal complete subtrees (the last may be smaller); none: the empty tree's. */
export async function rootOf(hashes, signing) {
    if (hashes.length === 0) return signing.sha256(new Uint8Array(0));
    let level = hashes;
    while (level.length > 1) {
        const above = [];
        for (let i = 0; i + 1 < level.length; i += 2) above.push(await nodeHash(level[i], level[i + 1], signing));
        if (level.length % 2 === 1) above.push(level[level.length - 1]);
        level = above;
    }
    return level[0];
}

/** The root that an inclusion path leads to (RFC 9162, 2.1.3.2); null: the path is not of that place and size. */
export async function rootByPath(hash, index, size, path, signing) {
    if (index >= size) return null;
    let place = index;
    let last = size - 1;
    let at = 0;
    let out = hash;
    for (; last > 0; place = Math.floor(place / 2), last = Math.floor(last / 2)) {
        if (place % 2 === 1 || place === last) {
            // A last node without a sibling goes up as it is.
            if (place % 2 === 0) continue;
            if (at === path.length) return null;
            out = await nodeHash(path[at++], out, signing);
        } else {
            if (at === path.length) return null;
            out = await nodeHash(out, path[at++], signing);
        }
    }
    return at === path.length ? out : null;
}
