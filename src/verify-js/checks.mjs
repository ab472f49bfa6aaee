// SPDX-License-Identifier: Apache-2.0
// The checks of a bundle that hold or flag (doc/checks.md).  P08 is not among them: it follows from
// several bundles, and the tally finds it.

/** In the order of the page. */
const HOLDS = ['A04', 'A06', 'S02', 'S03', 'S05', 'N02', 'N03', 'N04', 'N05', 'N07', 'N08', 'N09', 'N10'];

const sum = (numbers) => {
    let out = 0;
    for (const n of numbers) out += n;
    return out;
};

/** ceil(n * bp / 10000); both small enough that the product is exact. */
const limit = (n, bp) => Math.ceil((n * bp) / 10000);

/** Places of the numbers of one branch for one contest; lists and candidates stand behind. */
export const FIELDS = ['authenticated_online', 'authenticated_offline', 'authenticated_manual', 'issued', 'cast', 'blank', 'invalid',
    'valid', 'excluded', 'mixed'];
export const CAST = FIELDS.indexOf('cast');
export const VALID = FIELDS.indexOf('valid');

function countsOf(row, contest) {
    const out = new Uint32Array(FIELDS.length + contest.lists.length + contest.candidates.length);
    out.set([...row.authenticated, row.issued, row.cast, row.blank, row.invalid, row.valid, row.excluded, row.mixed]);
    for (const [code, n] of row.lists) out[FIELDS.length + contest.listPlaces.get(code)] = n;
    const first = FIELDS.length + contest.lists.length;
    for (const [code, n] of row.candidates) out[first + contest.candidatePlaces.get(code)] = n;
    return out;
}

const isKnown = (row, contest) => row.byLists === contest.byLists &&
    [...row.lists.keys()].every((code) => contest.listPlaces.has(code)) &&
    [...row.candidates.keys()].every((code) => contest.candidatePlaces.has(code));

/** The sums that the rules compare. */
class Numbers {
    constructor(row, contest) {
        this.row = row;
        this.contest = contest;
        this.A = sum(row.authenticated);
        this.mixed = contest.byLists ? row.mixed : row.valid;
        this.ofLists = sum(row.lists.values());
        this.ofPersons = sum(row.candidates.values());
    }

    /** x of the page: what counts for a person. */
    votesFor(code, n) {
        if (this.contest.method !== 'list_ir') return n;
        const { list } = this.contest.candidates[this.contest.candidatePlaces.get(code)];
        return list < 0 ? n : n + (this.row.lists.get(this.contest.lists[list]) ?? 0);
    }
}

/** Rules of the votes, which mean nothing where codes are not known. */
function votesHold(holds, numbers) {
    const { row, contest, mixed, ofLists, ofPersons } = numbers;
    const N03 = [...row.candidates.values()].some((n) => n > mixed);
    const N04 = !N03 && ofPersons > contest.maxChoices * mixed;
    const N05 = contest.byLists && (contest.parameters.list_plus_individual ?
        ofLists + mixed < row.valid || ofLists > row.valid || mixed > row.valid : ofLists + mixed !== row.valid);
    const N07 = !N03 && !N04 && !N05 && (row.valid > 0) !== (ofLists + ofPersons > 0);
    Object.entries({ N03, N04, N05, N07 }).forEach(([code, found]) => { if (found) holds.add(code); });
}

function numbersHold(holds, numbers, known, capacity) {
    const { row, A } = numbers;
    if (row.cast !== row.valid + row.blank + row.invalid) holds.add('N02');
    if (known) votesHold(holds, numbers);
    if (row.cast > A) holds.add('N08');
    if (capacity !== null && (A > capacity || row.cast > capacity)) holds.add('N09');
    if (row.issued < row.cast) holds.add('N10');
}

function oneHasNearlyAll(numbers, most) {
    const { row, contest } = numbers;
    if (contest.lists.length > 1 && [...row.lists.values()].some((n) => n > most)) return true;
    return contest.candidates.length > 1 && [...row.candidates].some(([code, n]) => numbers.votesFor(code, n) > most);
}

/** Codes, N08M as what it is. */
function flagsOf(holds, numbers, known, rules) {
    const { row, A } = numbers;
    const { limits } = rules.definition;
    const far = Math.abs(A - row.cast);
    const votesAreGood = known && !['N03', 'N04', 'N05', 'N07'].some((code) => holds.has(code));
    const N08M = A - row.cast > limit(A, limits.N08_missing_bp);
    const flags = {
        N08M,
        P01: row.blank > 0 && row.blank >= limit(row.cast, limits.P01_bp),
        P02: row.invalid > 0 && row.invalid >= limit(row.cast, limits.P02_bp),
        P03: far > 0 && !N08M && !holds.has('N08') && (far >= limit(row.cast, limits.P03_bp) || far >= limits.P03_abs),
        P04: row.cast === 0 || A === 0,
        P05: votesAreGood && oneHasNearlyAll(numbers, limit(row.valid, limits.P05_bp)),
        P06: row.authenticated[1] + row.authenticated[2] > limit(A, limits.P06_bp),
        P07: rules.largest - A > limit(rules.largest, limits.P07_bp),
        P09: row.cast < rules.definition.policy.publish_min_ballots,
    };
    return Object.keys(flags).filter((code) => flags[code]);
}

function checkSlot(slot, payload, rules) {
    const { contest, branch } = slot;
    const holds = new Set(rules.whole);
    const row = payload.contests.get(contest.code);
    if (row === undefined) {
        if (!holds.has('S02')) holds.add('S03');
        return { holds, flags: [], counts: null, notHeld: false };
    }
    if (row.notHeld) return { holds, flags: [], counts: null, notHeld: true };
    if (payload.closedAt < contest.closesAt) holds.add('S05');
    const known = isKnown(row, contest);
    if (!known) holds.add('S02');
    const numbers = new Numbers(row, contest);
    numbersHold(holds, numbers, known, branch.capacity);
    return { holds, flags: flagsOf(holds, numbers, known, rules), counts: known ? countsOf(row, contest) : null, notHeld: false };
}

function wholeBundle(payload, branch, key, definitionHash) {
    const out = [];
    if (payload.madeAt < key.notBefore || payload.madeAt > key.notAfter) out.push('A04');
    if (payload.definition !== definitionHash) out.push('A06');
    if ([...payload.contests.keys()].some((code) => !branch.slots.has(code))) out.push('S02');
    if (payload.openedAt >= payload.closedAt || payload.closedAt > payload.madeAt) out.push('S05');
    return out;
}

/**
 * What the bundle is held and flagged for, a finding for each of the branch's slots in its order.
 *
 * key: {notBefore, notAfter} of the terminal.  Gives [{slot, held, flags, counts, notHeld}]: held: codes in
 * their order, joined by commas, or ''; counts: null where they cannot be read, or there are none.
 */
export function checkBundle(definition, definitionHash, branch, payload, key) {
    const slots = [...branch.slots.values()];
    const sums = slots.map(({ contest }) => payload.contests.get(contest.code)).filter((row) => row !== undefined && !row.notHeld)
        .map((row) => sum(row.authenticated));
    const rules = { definition, whole: wholeBundle(payload, branch, key, definitionHash), largest: Math.max(0, ...sums) };
    return slots.map((slot) => {
        const found = checkSlot(slot, payload, rules);
        return { ...found, slot, held: HOLDS.filter((code) => found.holds.has(code)).join(',') };
    });
}

/** What makes two branches twins (P08): a text equal for equal numbers; null: too small to say anything. */
export function twinKey(counts, least) {
    if (counts === null || least === 0 || counts[CAST] < least) return null;
    let voted = 0;
    for (let i = FIELDS.length; i < counts.length; i++) voted += counts[i] > 0 ? 1 : 0;
    return voted >= 2 ? counts.join() : null;
}
