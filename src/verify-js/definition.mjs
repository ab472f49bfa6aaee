// SPDX-License-Identifier: Apache-2.0
// The definition: what is elected, where, by which rule (doc/formats.md, "definition/").
import { isCode } from './bytes.mjs';
import { readCsv } from './csv.mjs';
import { must, orNull } from './fault.mjs';
import { hasLists, readElection } from './rules.mjs';

const COLUMNS = {
    'areas.csv': ['area', 'parent', 'level', 'name_fa', 'name_en'],
    'ballots.csv': ['branch', 'contest'],
    'branches.csv': ['branch', 'area', 'kind', 'capacity', 'name_fa', 'name_en'],
    'candidates.csv': ['contest', 'candidate', 'list', 'name_fa', 'name_en'],
    'contests.csv': ['contest', 'area', 'rule', 'seats', 'alternates', 'max_choices', 'closes_at', 'name_fa', 'name_en'],
    'lists.csv': ['contest', 'list', 'name_fa', 'name_en'],
};
const LEVELS = ['country', 'province', 'county', 'district', 'city', 'rural_district', 'village', 'nomad'];
const TIME_MAX = 2 ** 40 - 1;
const COUNT_MAX = 2 ** 31 - 1;
const CONTESTS_OF_BRANCH_MAX = 64;

/** A whole number of a CSV field. */
export function field(text, min, max) {
    must(/^[0-9]{1,16}$/.test(text));
    const n = Number(text);
    must(n >= min && n <= max);
    return n;
}

export const time = (text) => field(text, 0, TIME_MAX);

/** Puts a row by its code, once. */
export function addOnce(map, code, value) {
    must(isCode(code) && !map.has(code));
    map.set(code, value);
}

export function rowsOf(files, name, columns) {
    const rows = readCsv(files[name], columns);
    must(rows !== null);
    return rows;
}

function readAreas(d, files) {
    for (const [code, parent, level] of rowsOf(files, 'areas.csv', COLUMNS['areas.csv'])) {
        must(LEVELS.includes(level));
        addOnce(d.areas, code, { code, parent, level: LEVELS.indexOf(level) });
    }
    const roots = [...d.areas.values()].filter((area) => area.parent === '');
    must(roots.length === 1);
    [d.rootArea] = roots.map((area) => area.code);
    for (const area of d.areas.values()) {
        if (area.parent === '') continue;
        // A level below its parent's: so there is no cycle.
        must(d.areas.has(area.parent) && area.level > d.areas.get(area.parent).level);
    }
}

function readContests(d, files) {
    for (const [code, area, rule, seats, alternates, choices, closes] of rowsOf(files, 'contests.csv', COLUMNS['contests.csv'])) {
        must(d.areas.has(area) && d.rules.has(rule));
        const { method, parameters } = d.rules.get(rule);
        addOnce(d.contests, code, {
            code, area, method, parameters, byLists: hasLists(method), place: d.contests.size,
            seats: field(seats, 1, 10000), alternates: field(alternates, 0, 10000), maxChoices: field(choices, 1, 10000),
            closesAt: closes === '' ? 0 : time(closes),
            lists: [], listPlaces: new Map(), candidates: [], candidatePlaces: new Map(), slots: [],
        });
    }
}

function contestOf(d, code) {
    must(d.contests.has(code));
    return d.contests.get(code);
}

function readLists(d, files) {
    for (const [contest, code] of rowsOf(files, 'lists.csv', COLUMNS['lists.csv'])) {
        const of = contestOf(d, contest);
        addOnce(of.listPlaces, code, of.lists.length);
        of.lists.push(code);
    }
}

function readCandidates(d, files) {
    for (const [contest, code, list] of rowsOf(files, 'candidates.csv', COLUMNS['candidates.csv'])) {
        const of = contestOf(d, contest);
        must(list === '' || of.listPlaces.has(list));
        addOnce(of.candidatePlaces, code, of.candidates.length);
        of.candidates.push({ code, list: list === '' ? -1 : of.listPlaces.get(list) });
    }
    for (const contest of d.contests.values()) {
        if (contest.method !== 'list_ir') continue;
        const { list_min: least, list_max: most } = contest.parameters;
        const members = contest.lists.map(() => 0);
        for (const { list } of contest.candidates) if (list >= 0) members[list]++;
        must(members.every((n) => n >= least && n <= most));
    }
}

function readBranches(d, files) {
    for (const [code, area, kind, capacity] of rowsOf(files, 'branches.csv', COLUMNS['branches.csv'])) {
        must(d.areas.has(area) && (kind === 'fixed' || kind === 'mobile'));
        addOnce(d.branches, code, { code, area, capacity: capacity === '' ? null : field(capacity, 1, COUNT_MAX), slots: new Map() });
    }
}

function readBallots(d, files) {
    for (const [code, contest] of rowsOf(files, 'ballots.csv', COLUMNS['ballots.csv'])) {
        must(d.branches.has(code));
        const branch = d.branches.get(code);
        const of = contestOf(d, contest);
        must(!branch.slots.has(contest));
        const slot = { branch, contest: of, place: d.slots.length };
        d.slots.push(slot);
        branch.slots.set(contest, slot);
        of.slots.push(slot);
    }
    must([...d.branches.values()].every((branch) => branch.slots.size >= 1 && branch.slots.size <= CONTESTS_OF_BRANCH_MAX));
    must([...d.contests.values()].every((contest) => contest.slots.length >= 1));
}

/** A definition without a fault; null: it has one. */
export function readDefinition(files) {
    const head = readElection(files['election.json']);
    if (head === null) return null;
    const d = { ...head, areas: new Map(), contests: new Map(), branches: new Map(), slots: [] };
    return orNull(() => {
        for (const read of [readAreas, readContests, readLists, readCandidates, readBranches, readBallots]) read(d, files);
        return d;
    });
}

/** Is the area `inner` the area `outer`, or below it? */
export function isWithin(d, inner, outer) {
    for (let area = inner; area !== ''; area = d.areas.get(area).parent) if (area === outer) return true;
    return false;
}
