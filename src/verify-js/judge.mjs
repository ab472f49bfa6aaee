// SPDX-License-Identifier: Apache-2.0
// Whether a decision can stand at its place, and what it then does (doc/formats.md, "Decisions").
import { outcomeNow, resultHash } from './contest.mjs';
import { bytesOfHex } from './bytes.mjs';

/** What the judges ask: tally, registry, signing, position of the entry. */
export class Judge {
    constructor({ tally, registry, signing }) {
        this.tally = tally;
        this.registry = registry;
        this.signing = signing;
    }

    /** Checks that fail: 'decision.state', 'certificate.result'. */
    async judge(decision, position) {
        if (decision.position > position) return this.early(decision);
        const { kind, target } = decision;
        switch (kind) {
            case 'lot': return this.lot(target, decision.position);
            case 'exclude': return this.state(!this.tally.contests.get(target.contest.code).excluded.has(target.candidate));
            case 'certify': return this.certify(target, decision.position);
            case 'key': return this.state(this.key(target, decision.position));
            case 'state': return this.state(this.stateChange(target, decision.position));
            default: return this.state(this.slot(kind, target.slot, decision.position));
        }
    }

    /** Of a certificate both are looked at. */
    async early({ kind, target }) {
        return kind === 'certify' ? ['decision.state', ...await this.result(target)] : ['decision.state'];
    }

    state(good) {
        return good ? [] : ['decision.state'];
    }

    slot(kind, slot, seen) {
        const { tally } = this;
        const standing = tally.standing(slot);
        if (standing.state === 'expected' || standing.position >= seen) return false;
        if ((tally.conflicts.get(slot.branch.code) ?? 0) >= seen) return false;
        const blind = tally.contestOf(slot).hadWithheld; // something of the contest cannot be seen, or could not
        switch (kind) {
            case 'release': return standing.state === 'held' && (blind || standing.counts !== null || standing.notHeld);
            case 'annul': return standing.state !== 'annulled';
            case 'reinstate': return standing.state === 'annulled';
            default: return blind || ((standing.found || tally.hasTwin(slot)) && !standing.explained);
        }
    }

    isWithheld(contest) {
        return this.tally.progress(contest.slots).withheld > 0;
    }

    lot(target, seen) {
        const { contest } = target;
        if (this.tally.contests.get(contest.code).changed >= seen || !this.tally.isComplete(contest.code)) return ['decision.state'];
        return this.state(this.isWithheld(contest) || this.lotOf(target) !== null);
    }

    /** What the order is about, and settles: {lists, order}; null: nothing. */
    lotOf({ contest, persons, lists }) {
        const kinds = [[false, persons], [true, lists]].filter(([, order]) => order !== null).map(([isOfLists, order]) => ({ lists: isOfLists, order }));
        const isOpen = (kind, more) => outcomeNow(this.tally, contest, more).outcome.ties.some((tie) => isAbout(kind, tie));
        return kinds.find((kind) => isOpen(kind, []) && !isOpen(kind, [kind])) ?? null;
    }

    async certify(target, seen) {
        const { contest, at } = target;
        const { changed } = this.tally.contests.get(contest.code);
        const good = changed < seen && changed < at && at <= seen && !this.tally.isCertified(contest.code);
        return [...this.state(good), ...await this.result(target)];
    }

    async result({ contest, result }) {
        const bad = ['certificate.result'];
        if (!this.tally.isComplete(contest.code)) return bad;
        if (this.isWithheld(contest)) return [];
        const now = outcomeNow(this.tally, contest);
        if (now.outcome.ties.length > 0) return bad;
        return await resultHash(this.tally, contest, now, this.signing) === result ? [] : bad;
    }

    key(target, seen) {
        const terminal = this.registry.terminals.get(target.terminal);
        if (terminal !== undefined && terminal.changed >= seen) return false;
        if (target.action === 'add' ? terminal !== undefined : terminal === undefined || terminal.revoked) return false;
        if (target.action === 'assign' && terminal.branch === target.branch) return false;
        const { keys, certificates } = this.registry;
        return !(target.signing_key !== undefined && keys.has(target.signing_key)) &&
            !(target.certificate !== undefined && certificates.has(target.certificate));
    }

    stateChange({ state, until }, seen) {
        const now = this.tally.state;
        return now.position < seen && (now.state !== state || now.until !== until);
    }

    /** Puts a judged decision in force. */
    async apply({ kind, target }, position) {
        const { tally } = this;
        switch (kind) {
            case 'lot': tally.lot(target.contest.code, this.lotOf(target) ?? blindLot(target), position); break;
            case 'exclude': tally.exclude(target.contest.code, target.candidate, position); break;
            case 'certify': tally.certify(target.contest.code, position); break;
            case 'key': await this.applyKey(target, position); break;
            case 'state': tally.state = { ...target, position }; break;
            default: tally.applyToSlot(kind, target.slot, position);
        }
    }

    async applyKey(target, position) {
        const { registry } = this;
        const before = registry.terminals.get(target.terminal);
        const now = { ...(before ?? { code: target.terminal, branch: null, revoked: false }), changed: position };
        if (target.action === 'revoke') now.revoked = true;
        if (target.branch !== undefined) now.branch = target.branch;
        if (target.not_before !== undefined) Object.assign(now, { notBefore: target.not_before, notAfter: target.not_after });
        if (target.certificate !== undefined) registry.certificates.add(target.certificate);
        if (target.signing_key !== undefined) {
            registry.keys.add(target.signing_key);
            now.key = target.signing_key;
            now.keyId = await registry.addTerminalKey(target.signing_key, this.signing);
        }
        registry.terminals.set(target.terminal, now);
    }
}

/** Where numbers are withheld nobody can tell what an order is about. */
const blindLot = ({ persons, lists }) => (persons !== null ? { lists: false, order: persons } : { lists: true, order: lists });

/** The order has exactly the persons of a tie, or at least the lists of one. */
function isAbout({ lists, order }, { kind, among }) {
    if (lists !== (kind === 'list') || !among.every((place) => order.includes(place))) return false;
    return lists || among.length === order.length;
}
