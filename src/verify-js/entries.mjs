// SPDX-License-Identifier: Apache-2.0
// The entries, 256 at a time: tree, leaves, envelopes (stages 3 to 7).
import { sameBytes } from './bytes.mjs';
import { Entry, prepare } from './entry.mjs';
import { WIDTH } from './layout.mjs';
import { GrowingTree, TreeFiles } from './tree.mjs';

/**
 * Reads them all.  wanted: {sizes: Set, indexes: Set}: what receipts and older checkpoints are compared with; gives
 * {roots: Map of size to root or null, leaves: Map of index to bytes; absent: not read}.
 */
export async function checkEntries(run, checkpoint, wanted) {
    const { size } = checkpoint;
    const files = new TreeFiles(run, size);
    const tree = new GrowingTree(run.signing);
    const out = { roots: new Map(), leaves: new Map() };
    if (wanted.sizes.has(0)) out.roots.set(0, await tree.root());
    for (let n = 0; n * WIDTH < size; n++) {
        const leaves = await files.records('tile/entries', n);
        const records = await files.records('bundle', n);
        const count = Math.min(WIDTH, size - n * WIDTH);
        for (let i = 0; i < count; i++) {
            await tree.push(leaves === null ? null : leaves[i]);
            if (wanted.sizes.has(tree.size)) out.roots.set(tree.size, await tree.root());
            if (leaves !== null && wanted.indexes.has(tree.size - 1)) out.leaves.set(tree.size - 1, leaves[i].slice());
        }
        for (const { level, n: tile, hashes } of tree.takeFull()) await files.tile(level, tile, hashes);
        if (leaves !== null) await checkSome(run, n * WIDTH, leaves, records);
        await run.progress(Math.min(size, (n + 1) * WIDTH), size);
    }
    for (const { level, n, hashes } of tree.takePartial()) await files.tile(level, n, hashes);
    const root = await tree.root();
    if (root !== null && !sameBytes(root, checkpoint.root)) run.findings.add('checkpoint.root', 'checkpoint');
    if (size === 0) run.findings.add('leaf.genesis', 'entry 0');
    return out;
}

async function checkSome(run, first, leaves, records) {
    run.checked.entries += leaves.length;
    const prepared = await Promise.all(leaves.map((leaf, i) => prepare(leaf, records === null ? null : records[i], run)));
    for (const [i, one] of prepared.entries()) {
        if (one.leaf === null) run.findings.add('leaf.syntax', `entry ${first + i}`);
        else await new Entry(run, first + i, one).check();
    }
}
