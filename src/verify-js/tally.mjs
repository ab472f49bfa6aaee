// SPDX-License-Identifier: Apache-2.0
// What each branch's contest stands at (doc/formats.md, "States of a branch's contest"), and what moves it.
//
// Nothing is added up on the way: whoever asks for a contest's numbers gets the sum over its branches as
// they stand at that moment.
import { FIELDS, twinKey } from './checks.mjs';

const EXACT_ROWS = 2 ** 21; // so many counts below 2^32 add up exactly in a double

/** One branch's contest. */
class Standing {
    constructor() {
        this.state = 'expected';
        this.beneath = null; // annulled: what a reinstatement gives back
        this.counts = null; // null: cannot be read, or there are none
        this.notHeld = false;
        this.found = false; // a check of its own bundle found something
        this.twin = null; // the key of numbers that others may have, too
        this.explained = false;
        this.withheld = false;
        this.revision = 0;
        this.position = 0; // of the newest change
    }

    get counted() {
        return this.state === 'counted' || this.state === 'corrected';
    }

    get whenCounted() {
        return this.revision === 1 ? 'counted' : 'corrected';
    }
}

/** What is decided about a contest, and when it changed. */
class ContestState {
    constructor() {
        this.changed = 0;
        this.certified = 0;
        this.orders = []; // {lists, order}, the newest first; void once the contest changes
        this.excluded = new Set();
        this.hadWithheld = false;
        this.twins = new Map(); // key of numbers: standings that have them
    }
}

export class Tally {
    constructor(definition) {
        this.definition = definition;
        this.slots = definition.slots.map(() => new Standing());
        this.contests = new Map();
        for (const code of definition.contests.keys()) this.contests.set(code, new ContestState());
        this.conflicts = new Map(); // branch: the newest conflict's position
        this.state = { state: 'open', until: null, position: 0 };
    }

    standing(slot) {
        return this.slots[slot.place];
    }

    contestOf(slot) {
        return this.contests.get(slot.contest.code);
    }

    changeContest(state, position) {
        state.changed = position;
        state.orders = [];
    }

    /** Twins come and go with the numbers: who gets the first twin or loses the last one is changed, too. */
    leaveTwins(slot, standing, position) {
        if (standing.twin === null) return;
        const all = this.contestOf(slot).twins;
        const same = all.get(standing.twin);
        same.delete(standing);
        if (same.size === 0) all.delete(standing.twin);
        if (same.size === 1) for (const other of same) other.position = position;
        standing.twin = null;
    }

    joinTwins(slot, standing, position) {
        standing.twin = twinKey(standing.counts, this.definition.limits.P08_min);
        if (standing.twin === null) return;
        const all = this.contestOf(slot).twins;
        const same = all.get(standing.twin) ?? new Set();
        all.set(standing.twin, same);
        if (same.size === 1) {
            for (const other of same) {
                other.position = position;
                other.explained = false;
            }
        }
        same.add(standing);
    }

    hasTwin(slot) {
        const { twin } = this.standing(slot);
        return twin !== null && this.contestOf(slot).twins.get(twin).size > 1;
    }

    /** A revision of a branch: {slot, held: bool, found: bool, counts, notHeld, withheld} for each of its slots. */
    applyBundle(findings, revision, position) {
        for (const { slot, held, found, counts, notHeld, withheld } of findings) {
            const standing = this.standing(slot);
            const contest = this.contestOf(slot);
            const annulled = standing.state === 'annulled';
            this.leaveTwins(slot, standing, position);
            Object.assign(standing, { counts, notHeld, found, withheld, revision, position, explained: false });
            standing.state = held ? 'held' : standing.whenCounted;
            if (annulled) this.annulStanding(standing);
            this.joinTwins(slot, standing, position);
            contest.hadWithheld ||= withheld;
            this.changeContest(contest, position);
        }
    }

    applyConflict(branch, position) {
        this.conflicts.set(branch, position);
    }

    annulStanding(standing) {
        standing.beneath = standing.state;
        standing.state = 'annulled';
    }

    /** release, annul, reinstate, explain: judged before. */
    applyToSlot(kind, slot, position) {
        const standing = this.standing(slot);
        if (kind === 'explain') {
            standing.explained = true;
            return;
        }
        if (kind === 'annul') this.annulStanding(standing);
        else if (kind === 'release') standing.state = standing.whenCounted;
        else standing.state = standing.beneath;
        standing.position = position;
        this.changeContest(this.contestOf(slot), position);
    }

    exclude(contest, candidate, position) {
        const state = this.contests.get(contest);
        state.excluded.add(candidate);
        this.changeContest(state, position);
    }

    lot(contest, lot, position) {
        const state = this.contests.get(contest);
        const { orders } = state;
        this.changeContest(state, position);
        state.orders = [lot, ...orders];
    }

    certify(contest, position) {
        const state = this.contests.get(contest);
        state.changed = position;
        state.certified = position;
    }

    isCertified(contest) {
        const { certified, changed } = this.contests.get(contest);
        return certified > 0 && certified === changed;
    }

    /** Branch-contests of some slots, by state. */
    progress(slots) {
        const out = { expected: slots.length, counted: 0, held: 0, annulled: 0, missing: 0, withheld: 0, shown: 0 };
        for (const slot of slots) {
            const standing = this.standing(slot);
            if (standing.counted) out.counted++;
            else if (standing.state === 'expected') out.missing++;
            else out[standing.state]++;
            if (standing.withheld) out.withheld++;
            else if (standing.counted) out.shown++; // counted, with numbers that everybody can see
        }
        return out;
    }

    /** Every branch is counted or annulled, and one at least is counted. */
    isComplete(contest) {
        const { expected, counted, annulled } = this.progress(this.definition.contests.get(contest).slots);
        return counted > 0 && counted + annulled === expected;
    }

    /** The sums (BigInt) of what is counted and can be seen: the fields, then lists, then candidates. */
    totals(contest) {
        const width = FIELDS.length + contest.lists.length + contest.candidates.length;
        const out = new Array(width).fill(0n);
        let part = new Float64Array(width);
        let rows = 0;
        const flush = () => {
            part.forEach((n, i) => { out[i] += BigInt(n); });
            part = new Float64Array(width);
            rows = 0;
        };
        for (const slot of contest.slots) {
            const standing = this.standing(slot);
            if (!standing.counted || standing.withheld || standing.counts === null) continue;
            standing.counts.forEach((n, i) => { part[i] += n; });
            if (++rows === EXACT_ROWS) flush();
        }
        flush();
        return out;
    }
}
