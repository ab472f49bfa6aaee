// SPDX-License-Identifier: Apache-2.0
// A whole archive, stage by stage: what is to be said of it (doc/verifying.md).
import { hexOf } from './bytes.mjs';
import { contestShown } from './contest.mjs';
import { checkEntries } from './entries.mjs';
import { Findings, LISTED_MAX } from './findings.mjs';
import { Judge } from './judge.mjs';
import { isOfLayout } from './layout.mjs';
import { cosignaturesOf, isSignedBy, readCheckpoint, readPolicy, sameVkey } from './note.mjs';
import { checkPackages } from './package.mjs';
import { checkResults } from './past.mjs';
import { checkGiven, readGiven } from './receipts.mjs';
import { Revisions } from './revisions.mjs';
import { Tally } from './tally.mjs';

/** What all stages share. */
class Run {
    constructor({ archive, signing, rootKeys, progress }) {
        Object.assign(this, { archive, signing, rootKeys, progress: progress ?? (() => {}) });
        this.findings = new Findings();
        this.checked = { entries: 0, envelopes: 0, withheld: 0, receipts: 0, since: 0, cosignatures: 0 };
        this.revisions = new Revisions();
        this.genesisElection = null;
        this.lastAccepted = null;
        this.decided = new Set();
        this.applied = new Set();
        this.results = [];
        this.interpreted = false;
    }

    interpret(definition, registry) {
        this.interpreted = true;
        this.definition = definition.content;
        this.registry = registry.content;
        this.firstRegistry = registry.content.copy();
        this.hashes = { definition: definition.hash, registry: registry.hash };
        this.tally = new Tally(this.definition);
        this.judge = new Judge(this);
    }
}

/** The archive's file `policy`; null: missing or faulty. */
async function readOwnPolicy(run, noteIsRead) {
    const { archive, findings, signing } = run;
    if (!archive.has('policy')) {
        if (noteIsRead) findings.add('file.missing', 'policy');
        return null;
    }
    if (archive.tooLarge('policy')) {
        findings.add('file.size', 'policy');
        return null;
    }
    const policy = await readPolicy(await archive.read('policy'), signing);
    if (policy === null) findings.add('policy.syntax', 'policy');
    return policy;
}

async function readNote(run) {
    const { archive, findings } = run;
    if (archive.tooLarge('checkpoint')) {
        findings.add('file.size', 'checkpoint');
        return null;
    }
    const note = readCheckpoint(await archive.read('checkpoint'));
    if (note === null) findings.add('checkpoint.syntax', 'checkpoint');
    return note;
}

async function checkNote(run, note, key, policy, head) {
    const { findings, signing } = run;
    const at = 'checkpoint';
    if (key !== null && !await isSignedBy(note, key, signing)) findings.add('checkpoint.signature', at);
    const isNamed = head === null || note.origin === `${head.domain}/${head.election}/${head.phase}`;
    if (!isNamed || (key !== null && note.origin !== key.name)) findings.add('log.origin', at);
    if (policy === null) return;
    const has = new Set();
    for (const witness of policy.witnesses) {
        const { good, bad } = await cosignaturesOf(note, witness, signing);
        run.checked.cosignatures += good;
        if (good > 0) has.add(witness);
        if (bad > 0) findings.add('checkpoint.cosignature', `checkpoint ${witness.name}`);
    }
    if (!policy.quorum((witness) => has.has(witness))) findings.add('checkpoint.quorum', at);
}

/** Stage 10; the packages' own folders are theirs. */
function checkNames({ archive, findings }) {
    for (const name of archive.names()) {
        if (!isOfLayout(name) && !/^doc\/(definition|registry)\//.test(name)) findings.add('file.unknown', name);
    }
}

async function numbers({ interpreted, definition, tally, signing }) {
    if (!interpreted) return { units: null, conflicted: [], contests: [] };
    const { expected, counted, held, annulled, missing } = tally.progress(definition.slots);
    const contests = [];
    for (const contest of definition.contests.values()) contests.push(await contestShown(tally, contest, signing));
    return {
        units: { expected, counted, held, annulled, missing },
        conflicted: [...definition.branches.keys()].filter((code) => tally.conflicts.has(code)),
        contests,
    };
}

/**
 * given: {archive, signing, rootKeys: [32 bytes], log: vkey or null, policy: one of one's own or null,
 * receipts, since: [{name, bytes}], progress(done, all)}.  Gives the report's object.
 */
export async function verify(given) {
    const run = new Run(given);
    const { definition, registry } = await checkPackages(run);
    const note = await readNote(run);
    const own = await readOwnPolicy(run, note !== null);
    const givenKey = given.log ?? given.policy?.log ?? null;
    if (givenKey !== null && own !== null && !sameVkey(givenKey, own.log)) run.findings.add('log.key', 'policy');
    const key = givenKey ?? own?.log ?? null;
    if (note !== null) {
        if (definition.good && registry.good) run.interpret(definition, registry);
        await checkNote(run, note, key, given.policy ?? own, definition.content);
        const read = readGiven(given);
        const known = await checkEntries(run, note, read.wanted);
        await checkResults(run, note);
        await checkGiven(run, read, note, key, known);
    }
    checkNames(run);
    const listed = run.findings.listed();
    const { count } = run.findings;
    return {
        format: 'tally-verify-report/1',
        verdict: count === 0 ? 'clean' : 'findings',
        log: note === null ? null : { origin: note.origin, size: note.size, root: hexOf(note.root), key: givenKey === null ? 'archive' : 'given' },
        election: definition.content?.election ?? null,
        phase: definition.content?.phase ?? null,
        definition: definition.hash,
        registry: registry.hash,
        checked: run.checked,
        ...await numbers(run),
        findings: listed,
        ...(count > LISTED_MAX ? { more: count - LISTED_MAX } : {}),
    };
}
