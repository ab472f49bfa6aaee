// SPDX-License-Identifier: Apache-2.0
// Published results against the numbers at the size that each names: the entries that stand are
// applied once more, from the first one, to a tally of their own.
import { sameBytes } from './bytes.mjs';
import { contestShown } from './contest.mjs';
import { isWithin } from './definition.mjs';
import { LIMITS_FREE, readEnvelope } from './envelope.mjs';
import { Entry } from './entry.mjs';
import { Judge } from './judge.mjs';
import { WIDTH } from './layout.mjs';
import { readLeaf } from './leaf.mjs';
import { Tally } from './tally.mjs';
import { GrowingTree, TreeFiles, WITHHELD } from './tree.mjs';

/** A tally that is brought from one size to the next. */
class Past {
    constructor(run, checkpoint) {
        const { archive, signing, definition, hashes } = run;
        Object.assign(this, { archive, signing, definition, hashes, applied: run.applied, findings: { add() {} }, decided: new Set(), again: new Set() });
        this.registry = run.firstRegistry.copy();
        this.tally = new Tally(definition);
        this.judge = new Judge(this);
        this.tree = new GrowingTree(signing);
        this.files = new TreeFiles(this, checkpoint.size);
        this.leaves = null;
        this.records = null;
    }

    async to(size) {
        while (this.tree.size < size) {
            const position = this.tree.size;
            const i = position % WIDTH;
            if (i === 0) {
                this.leaves = await this.files.records('tile/entries', position / WIDTH);
                this.records = await this.files.records('bundle', position / WIDTH);
                this.tree.takeFull();
            }
            await this.tree.push(this.leaves === null ? null : this.leaves[i]);
            if (this.applied.has(position)) await this.apply(position, readLeaf(this.leaves[i]), this.records[i]);
        }
    }

    async apply(position, leaf, record) {
        const bytes = record === WITHHELD ? 'withheld' : 'good';
        const envelope = bytes === 'good' ? readEnvelope(record, LIMITS_FREE) : null;
        await new Entry({ ...this, applied: this.again }, position, { leaf, bytes, envelope }).applyAgain();
    }
}

const sameList = (a, b) => a.length === b.length && a.every((one, i) => String(one) === String(b[i]));

/** Does the document say of a contest what is so?  Where something is withheld nobody can tell. */
function isSameContest(said, now) {
    return now.withheld > 0 || (said.status === now.status && String(said.ballots) === String(now.ballots) && said.result === now.result &&
        ['winners', 'alternates', 'seats'].every((key) => sameList(said[key], now[key])));
}

async function compareNumbers(entry, result, past) {
    const { definition, tally, signing } = past;
    const inScope = (area) => isWithin(definition, area, result.scope);
    const differs = (what) => entry.run.findings.add('result.numbers', what === null ? entry.at : `${entry.at} ${what}`);
    const units = tally.progress(definition.slots.filter(({ branch }) => inScope(branch.area)));
    if (Object.entries(result.units).some(([key, n]) => units[key] !== n)) differs(null);
    const said = new Map();
    for (const one of result.contests) {
        if (said.has(one.contest) || !definition.contests.has(one.contest) || !inScope(definition.contests.get(one.contest).area)) differs(one.contest);
        said.set(one.contest, one);
    }
    for (const contest of definition.contests.values()) {
        if (!inScope(contest.area)) continue;
        const one = said.get(contest.code);
        if (one === undefined || !isSameContest(one, await contestShown(tally, contest, signing))) differs(contest.code);
    }
}

/** Which entries' `log` is a head of this log, and whose numbers are right. */
async function compareHeads(run, checkpoint) {
    const bySize = run.results.filter(({ entry, result }) => result.log.size <= entry.position).sort((a, b) => a.result.log.size - b.result.log.size);
    const heads = new Set();
    const past = new Past(run, checkpoint);
    for (const { entry, result } of bySize) {
        await past.to(result.log.size);
        const root = await past.tree.root();
        if (result.log.origin === checkpoint.origin && (root === null || sameBytes(root, result.log.root))) heads.add(entry);
        await compareNumbers(entry, result, past);
    }
    return heads;
}

export async function checkResults(run, checkpoint) {
    if (run.results.length === 0) return;
    const heads = await compareHeads(run, checkpoint);
    const newest = new Map(); // scope: the newest that stands
    for (const { entry, result } of run.results) {
        const before = newest.get(result.scope) ?? { serial: 0, payload: null };
        const follows = result.serial === before.serial + 1 && result.prev === before.payload;
        if (!follows || !heads.has(entry)) entry.found('result.serial');
        else if (entry.isClean) newest.set(result.scope, { serial: result.serial, payload: entry.leaf.payload });
    }
}
