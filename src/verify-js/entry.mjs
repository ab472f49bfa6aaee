// SPDX-License-Identifier: Apache-2.0
// One entry of the ledger: what its leaf and its envelope must be.  `prepare` does what needs no other
// entry, for many entries at a time; `check` does the rest in order and applies what stands.
import { checkBundle } from './checks.mjs';
import { areasOf, isQuorum, readDecision, signersOf } from './decision.mjs';
import { TYPE_BUNDLE, TYPE_DECISION, TYPE_RESULT, limitsOf, paeOf, readEnvelope } from './envelope.mjs';
import { heldOf, readLeaf } from './leaf.mjs';
import { listsFit, readPayload } from './payload.mjs';
import { readResult } from './result.mjs';
import { WITHHELD } from './tree.mjs';

const typeOf = (leaf) => (leaf.isDecision ? TYPE_DECISION : leaf.kind === 'result' ? TYPE_RESULT : TYPE_BUNDLE);

/** What does not keep a bundle from being counted. */
const HARMLESS = new Set(['state.closed']);
/** What keeps it from becoming the branch's newest. */
const NOT_LOGGED = ['revision.twice', 'revision.gap', 'revision.prev', 'leaf.branch', 'payload.twice'];

/** Stage 4, and of stage 6 what needs hashing: {leaf, bytes: 'unread' 'none' 'withheld' 'bad' or 'good', envelope, payloadIsGood, signature}. */
export async function prepare(leafBytes, record, run) {
    const leaf = readLeaf(leafBytes);
    const out = { leaf, bytes: 'unread', envelope: null, payloadIsGood: false, signature: null };
    if (leaf === null || record === null) return out;
    out.bytes = record === WITHHELD ? 'withheld' : record.length === 0 ? 'none' : 'bad';
    if (out.bytes !== 'bad' || leaf.isBare) return out;
    if (record.length !== leaf.envelopeSize || await run.signing.sha256Hex(record) !== leaf.envelope) return out;
    out.bytes = 'good';
    if (!run.interpreted) return out;
    out.envelope = readEnvelope(record, limitsOf(leaf.kind));
    if (out.envelope === null || out.envelope.type !== typeOf(leaf)) return out;
    const { payload } = out.envelope;
    out.payloadIsGood = payload.length === leaf.payloadSize && await run.signing.sha256Hex(payload) === leaf.payload;
    if (leaf.isBundle || leaf.isConflict) out.signature = await isSigned(leaf, out.envelope, run);
    return out;
}

/** Does the key of the leaf verify a signature that names it?  null: nobody has, or had, such a key. */
async function isSigned(leaf, envelope, { registry, signing }) {
    const key = registry.terminalKeys.get(leaf.key);
    if (key === undefined) return null;
    const message = paeOf(envelope);
    for (const { keyid, sig } of envelope.signatures) {
        if (keyid === leaf.key && await signing.verify(key, message, sig)) return true;
    }
    return false;
}

/** An entry whose leaf could be read, at its place. */
export class Entry {
    constructor(run, position, { leaf, bytes, envelope, payloadIsGood, signature }) {
        Object.assign(this, { run, position, leaf, bytes, envelope, payloadIsGood, signature });
        this.at = `entry ${position}`;
        this.checks = new Set();
    }

    found(check) {
        this.checks.add(check);
        this.run.findings.add(check, this.at);
    }

    has(...checks) {
        return checks.some((check) => this.checks.has(check));
    }

    get isClean() {
        return ![...this.checks].some((check) => !HARMLESS.has(check));
    }

    async check() {
        const { leaf } = this;
        this.checkBytes();
        this.checkOrder();
        if (leaf.isBundle || leaf.isConflict) this.checkRevision();
        if (this.run.interpreted) this.checkNames();
        if (this.run.interpreted && this.bytes === 'good') await this.checkContent();
        if (this.run.interpreted && this.isClean) await this.apply();
        if (leaf.isBundle && !this.has(...NOT_LOGGED)) this.run.revisions.log(leaf);
        if (leaf.isBundle || leaf.isConflict) this.run.revisions.seen(leaf);
    }

    /** Stage 4. */
    checkBytes() {
        const { leaf, bytes, run } = this;
        if (bytes === 'unread') return;
        if (leaf.isBare) {
            if (bytes !== 'none') this.found('envelope.unexpected');
            return;
        }
        const mayBeWithheld = (leaf.isBundle || leaf.isConflict) && !(run.interpreted && run.definition.policy.publish_min_ballots === 0);
        if (bytes === 'none' || (bytes === 'withheld' && !mayBeWithheld)) this.found('envelope.missing');
        else if (bytes === 'withheld') run.checked.withheld++;
        else if (bytes === 'bad') this.found('envelope.hash');
        else run.checked.envelopes++;
    }

    /** Stage 5, of any kind. */
    checkOrder() {
        const { leaf, position, run } = this;
        if ((leaf.kind === 'genesis') !== (position === 0)) this.found('leaf.genesis');
        if (position === 0 && leaf.kind === 'genesis') {
            run.genesisElection = leaf.election;
            if (run.interpreted && (leaf.definition !== run.hashes.definition || leaf.registry !== run.hashes.registry)) this.found('genesis.package');
        }
        if (run.genesisElection !== null && leaf.election !== run.genesisElection) this.found('leaf.election');
        if (run.lastAccepted !== null && leaf.accepted < run.lastAccepted) this.found('leaf.time');
        run.lastAccepted = leaf.accepted;
    }

    checkRevision() {
        for (const check of this.run.revisions.checks(this.leaf)) this.found(check);
    }

    /** Stage 5, what the packages say of the leaf's codes and key. */
    checkNames() {
        const { leaf, run } = this;
        if (!this.namesAreKnown()) this.found('leaf.branch');
        if (!leaf.isBundle && !leaf.isConflict) return;
        const terminal = run.registry.terminals.get(leaf.terminal);
        const isHis = terminal !== undefined && terminal.keyId === leaf.key && !terminal.revoked;
        if (!isHis || (!this.has('leaf.branch') && terminal.branch !== leaf.branch)) this.found('leaf.key');
        if (run.tally.state.state !== 'open') this.found('state.closed');
    }

    namesAreKnown() {
        const { definition, registry } = this.run;
        const { branch, contest, candidate, scope, kind, action, terminal } = this.leaf;
        if (kind === 'key' && action !== 'add' && !registry.terminals.has(terminal)) return false;
        if (branch !== undefined && !definition.branches.has(branch)) return false;
        if (contest !== undefined && !definition.contests.has(contest)) return false;
        if (branch !== undefined && contest !== undefined && !definition.branches.get(branch).slots.has(contest)) return false;
        if (candidate !== undefined && !definition.contests.get(contest).candidatePlaces.has(candidate)) return false;
        return scope === undefined || definition.areas.has(scope);
    }

    /** Stage 6. */
    async checkContent() {
        const { leaf, envelope } = this;
        if (envelope === null) return this.found('envelope.syntax');
        if (envelope.type !== typeOf(leaf)) return this.found('envelope.type');
        if (!this.payloadIsGood) return this.found('payload.hash');
        if (leaf.isBundle || leaf.isConflict) return this.checkBundle();
        if (this.has('leaf.branch')) return undefined;
        return leaf.isDecision ? this.checkDecision() : this.checkResult();
    }

    async checkBundle() {
        const { leaf, run } = this;
        // The key may have come with an entry between.
        const signed = this.signature ?? await isSigned(leaf, this.envelope, run);
        if (signed === false) this.found('envelope.signature');
        if (leaf.isBundle && leaf.revision >= 2 && !this.has('leaf.branch')) await this.checkCosigners();
        const payload = readPayload(this.envelope.payload);
        if (payload === null) return this.found('payload.syntax');
        if (!this.isOfLeaf(payload)) this.found('payload.leaf');
        if (this.has('leaf.key', 'leaf.branch', 'payload.leaf')) return undefined;
        if (!listsFit(payload, run.definition.branches.get(leaf.branch), run.hashes.definition)) return this.found('payload.syntax');
        if (leaf.isConflict) return undefined;
        this.slots = this.slotsOf(payload);
        const held = this.slots.filter((slot) => slot.held !== '').map((slot) => `held ${slot.slot.contest.code} ${slot.held}\n`).join('');
        if (held !== leaf.held) this.found('leaf.held');
        return undefined;
    }

    slotsOf(payload) {
        const { definition, registry, hashes } = this.run;
        return checkBundle(definition, hashes.definition, definition.branches.get(this.leaf.branch), payload, registry.terminals.get(this.leaf.terminal));
    }

    async checkCosigners() {
        const { run, leaf } = this;
        const { area } = run.definition.branches.get(leaf.branch);
        if (!isQuorum(await signersOf(this.envelope, [area], run, run.signing), run.definition.policy.revise)) this.found('bundle.cosigners');
    }

    isOfLeaf(payload) {
        const { leaf, run } = this;
        return this.isOfElection(payload) && payload.branch === leaf.branch && payload.terminal === leaf.terminal &&
            payload.revision === leaf.revision && payload.prev === leaf.prev;
    }

    isOfElection({ election, phase }) {
        const { definition } = this.run;
        return election === definition.election && election === this.leaf.election && phase === definition.phase;
    }

    async checkDecision() {
        const { leaf, run } = this;
        const signers = await signersOf(this.envelope, areasOf(leaf, run), run, run.signing);
        if (!isQuorum(signers, run.definition.policy[leaf.kind])) this.found('decision.signers');
        const decision = readDecision(this.envelope.payload, run);
        if (decision === null) return this.found('payload.syntax');
        if (!this.isOfElection(decision) || decision.kind !== leaf.kind || decision.target.lines !== leaf.target) return this.found('payload.leaf');
        this.decision = decision;
        return undefined;
    }

    /** Its numbers are compared when all entries were read: they may be of any place before it. */
    async checkResult() {
        const { leaf, run } = this;
        const signers = await signersOf(this.envelope, areasOf(leaf, run), run, run.signing);
        if (!isQuorum(signers, run.definition.policy.certify)) this.found('result.signers');
        const result = readResult(this.envelope.payload, run.definition);
        if (result === null) return this.found('payload.syntax');
        const isOfLeaf = this.isOfElection(result) && result.scope === leaf.scope && result.log.size === leaf.at && result.serial === leaf.serial;
        if (!isOfLeaf) this.found('payload.leaf');
        run.results.push({ entry: this, result });
        return undefined;
    }

    /** Stage 7. */
    async apply() {
        const { leaf, run, position } = this;
        if (leaf.isDecision) return this.decision === undefined ? undefined : this.applyDecision();
        if (leaf.isBare || this.bytes === 'unread') return undefined;
        run.applied.add(position);
        if (leaf.isBundle) this.applyBundle();
        else if (leaf.isConflict) run.tally.applyConflict(leaf.branch, position);
        return undefined;
    }

    /** Applies it to another tally, when it was found good before. */
    async applyAgain() {
        const { leaf, run, position } = this;
        if (leaf.isDecision) {
            await run.judge.apply(readDecision(this.envelope.payload, run), position);
            return;
        }
        if (leaf.isBundle && this.bytes === 'good') this.slots = this.slotsOf(readPayload(this.envelope.payload));
        await this.apply();
    }

    applyBundle() {
        const { leaf, run, position } = this;
        const withheld = this.bytes === 'withheld';
        run.tally.applyBundle(withheld ? this.withheldSlots() : this.slots.map((slot) => (
            { ...slot, held: slot.held !== '', found: slot.flags.length > 0 || slot.held !== '', withheld: false })), leaf.revision, position);
    }

    withheldSlots() {
        const held = heldOf(this.leaf);
        return [...this.run.definition.branches.get(this.leaf.branch).slots.values()].map((slot) => (
            { slot, held: held.has(slot.contest.code), found: false, counts: null, notHeld: false, withheld: true }));
    }

    async applyDecision() {
        const { run, position, leaf } = this;
        if (run.decided.has(leaf.payload)) return this.found('decision.state');
        const failed = await run.judge.judge(this.decision, position);
        for (const check of failed) this.found(check);
        if (failed.length > 0) return undefined;
        run.applied.add(position);
        run.decided.add(leaf.payload);
        return run.judge.apply(this.decision, position);
    }
}
