#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
// The JavaScript verifier's checks and methods against the project's vectors, the tables of doc/methods.md and
// recorded real elections (TAP).  Usage: vectors.mjs [SEAT-CASES]
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bytesOfText } from '../../src/verify-js/bytes.mjs';
import { checkBundle } from '../../src/verify-js/checks.mjs';
import { outcomeOf, seatsOf } from '../../src/verify-js/methods/outcome.mjs';
import { listsFit, readPayload } from '../../src/verify-js/payload.mjs';
import { METHODS } from '../../src/verify-js/rules.mjs';
import { Tally } from '../../src/verify-js/tally.mjs';
import { done, is, ok } from './tap.mjs';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '../..');
const file = (name) => readFileSync(join(ROOT, name), 'utf8');
const lines = (text) => text.split('\n').filter((line) => line !== '').map((line) => JSON.parse(line));
const defaults = (method) => Object.fromEntries(Object.entries(METHODS[method]).map(([name, { initial }]) => [name, initial]));

// ---- checks of a bundle ----

/** JSON pointers; an index at the end of an array appends, null removes. */
function patch(document, changes) {
    const out = structuredClone(document);
    for (const [pointer, value] of Object.entries(changes ?? {})) {
        const keys = pointer.slice(1).split('/');
        const last = keys.pop();
        const at = keys.reduce((inner, key) => inner[key], out);
        if (value !== null) at[last] = value;
        else if (Array.isArray(at)) at.splice(Number(last), 1);
        else delete at[last];
    }
    return out;
}

function contestOf({ contest, method, max_choices: maxChoices, closes_at: closesAt, lists, candidates, parameters }) {
    return {
        code: contest, method, parameters: { ...defaults(method), ...parameters }, byLists: method !== 'block', maxChoices: maxChoices ?? 1, closesAt: closesAt ?? 0,
        lists: lists ?? [], listPlaces: new Map((lists ?? []).map((code, i) => [code, i])), slots: [],
        candidates: (candidates ?? []).map((one) => (Array.isArray(one) ? { code: one[0], list: one[1] === null ? -1 : lists.indexOf(one[1]) } : { code: one, list: -1 })),
        candidatePlaces: new Map((candidates ?? []).map((one, i) => [Array.isArray(one) ? one[0] : one, i])),
    };
}

function checked(d, bundle) {
    const definition = { limits: d.limits, policy: { publish_min_ballots: d.publish_min_ballots }, slots: [] };
    const branch = { code: 'b', capacity: d.capacity || null, slots: new Map() };
    for (const one of d.contests) {
        const contest = contestOf({ ...one, parameters: { list_plus_individual: one.list_plus_individual === 1 } });
        branch.slots.set(contest.code, { branch, contest, place: branch.slots.size });
    }
    const payload = readPayload(bytesOfText(JSON.stringify(bundle)));
    if (payload === null || !listsFit(payload, branch, d.hash)) return null;
    const key = { notBefore: d.terminal.not_before, notAfter: d.terminal.not_after };
    return checkBundle(definition, d.hash, branch, payload, key);
}

function checkVectors() {
    const { definition, bundle, cases } = JSON.parse(file('tests/vectors/checks/checks.json'));
    for (const one of cases) {
        const found = checked(patch(definition, one.definition), patch(bundle, one.bundle));
        if (one.error) {
            ok(found === null || !['S01', 'S06'].includes(one.error), `checks: ${one.name}`);
            continue;
        }
        const got = {};
        for (const { slot, held, flags } of found ?? []) {
            const codes = [...held.split(','), ...flags.map((code) => (code === 'N08M' ? 'N08' : code))].filter((code) => code !== '');
            if (codes.length > 0) got[slot.contest.code] = codes;
        }
        is(found === null ? null : got, one.expect, `checks: ${one.name}`);
    }
}

// ---- twins ----

function twinVectors() {
    const v = JSON.parse(file('tests/vectors/checks/twins.json'));
    for (const one of v.cases) {
        const definition = { limits: { P08_min: one.P08_min ?? v.P08_min }, contests: new Map(v.contests.map((c) => [c.contest, contestOf({ ...c, max_choices: 3 })])), slots: [] };
        const slots = new Map();
        for (const code of v.branches) {
            for (const contest of definition.contests.values()) {
                const slot = { branch: { code, capacity: null, slots: new Map() }, contest, place: definition.slots.length };
                slot.branch.slots.set(contest.code, slot);
                definition.slots.push(slot);
                contest.slots.push(slot);
                slots.set(`${code} ${contest.code}`, slot);
            }
        }
        ok(one.steps.every((step, i) => twinStep(definition, slots, v.rows, step, i, one)), `twins: ${one.name}`, JSON.stringify(one.steps));
    }
}

const tallies = new WeakMap();

function twinStep(definition, slots, rows, step, i, one) {
    const tally = tallies.get(one) ?? new Tally(definition);
    tallies.set(one, tally);
    const slot = slots.get(`${step.branch} ${step.contest}`);
    if (step.decide !== undefined) tally.applyToSlot(step.decide, slot, i + 1);
    else {
        const row = step.not_held ? { contest: step.contest, not_held: 'flood' } : { contest: step.contest, ...rows[step.contest], ...step.row };
        if (step.unread) row.candidates = [['nobody', 1]];
        const payload = readPayload(bytesOfText(JSON.stringify({
            election: 'e', definition: 'd'.repeat(64), phase: 'rehearsal', branch: step.branch, terminal: 't', revision: 1, prev: null, salt: '0'.repeat(32),
            opened_at: 1, closed_at: 2, made_at: 3, contests: [row],
        })));
        const found = checkBundle({ limits: { ...DEFAULT_LIMITS }, policy: { publish_min_ballots: 0 } }, 'd'.repeat(64), slot.branch, payload, { notBefore: 0, notAfter: 9 });
        tally.applyBundle(found.map((f) => ({ ...f, held: step.held === true, found: false, withheld: false })), i + 1, i + 1);
    }
    const have = [...new Set(definition.slots.filter((s) => s.contest.code === step.contest && tally.hasTwin(s)).map((s) => s.branch.code))].sort();
    return JSON.stringify(have) === JSON.stringify(step.expect);
}

const DEFAULT_LIMITS = { P01_bp: 300, P02_bp: 300, P03_bp: 200, P03_abs: 15, P05_bp: 9900, P06_bp: 2000, P07_bp: 10000, P08_min: 30, N08_missing_bp: 200 };

// ---- seats ----

function entitiesOf(lists, pool, seats) {
    const entity = ({ votes, candidates }, isPool) => ({ votes: BigInt(votes), persons: candidates ?? seats, room: votes > 0 ? candidates ?? seats : 0, isPool });
    return [...lists.map((list) => entity(list, false)), ...pool ? [entity(pool, true)] : []];
}

function basisPoints(share) {
    return share === undefined ? 0 : Math.round(share * 10000);
}

function seatCase(one) {
    const parameters = { ...defaults(one.method), threshold_bp: basisPoints(one.threshold) };
    if (one.threshold_rule) parameters.threshold_rule = one.threshold_rule;
    if (one.equal_quotients_rule) parameters.equal_quotients = 'more_votes';
    const { n, tie } = seatsOf(one.method, one.seats, entitiesOf(one.lists, null, one.seats), 0n, parameters, []);
    return judged(one.lists.map(({ id }) => id), n, tie, one.expected, one);
}

/** Certain seats equal, or the lot's winners inside the tie. */
function judged(ids, n, tie, expected, { tie_resolved_by_lot: byLot, ties }) {
    const among = tie === null ? [] : tie.among.map((e) => ids[e]);
    if (ties && (tie === null || tie.atStake !== ties.at_stake || [...among].sort().join() !== [...ties.among].sort().join())) return false;
    const over = ids.map((id, e) => (expected[id] ?? 0) - n[e]);
    if (!byLot) return over.every((m) => m === 0) && (tie === null) === !ties;
    return over.every((m, e) => m === 0 || (m > 0 && among.includes(ids[e]))) && over.reduce((a, b) => a + b, 0) === tie?.atStake;
}

function blockCase(one) {
    const persons = one.candidates.map(({ votes }) => ({ list: -1, votes: BigInt(votes) }));
    const out = outcomeOf({ method: 'block', parameters: {}, seats: one.seats, alternates: 0, lists: [], persons, excluded: new Set(), orders: { lists: [], persons: [] }, validBallots: 0n });
    const [tie] = out.ties;
    const won = out.winners.map((i) => one.candidates[i].id);
    const among = tie ? tie.among.map((i) => one.candidates[i].id) : [];
    const open = one.expected_winners.filter((id) => !won.includes(id));
    if (out.vacancies !== (one.unfilled ?? 0) || !won.every((id) => one.expected_winners.includes(id))) return false;
    if (one.ties && (!tie || tie.atStake !== one.ties.at_stake || [...among].sort().join() !== [...one.ties.among].sort().join())) return false;
    return one.tie_resolved_by_lot ? open.length === tie?.atStake && open.every((id) => among.includes(id)) : open.length === 0 && (tie === undefined) === !one.ties;
}

function seatCases(folder) {
    if (folder === undefined || !existsSync(folder)) {
        ok(true, 'real elections # SKIP their folder is not here');
        return;
    }
    const apportionment = lines(readFileSync(join(folder, 'apportionment.jsonl'), 'utf8'));
    const block = lines(readFileSync(join(folder, 'blockvote.jsonl'), 'utf8'));
    is(apportionment.filter((one) => !seatCase(one)).map(({ id }) => id), [], `${apportionment.length} real apportionments`);
    is(block.filter((one) => !blockCase(one)).map(({ id }) => id), [], `${block.length} real block votes`);
    ok(apportionment.length >= 112 && block.length >= 101, 'none is missing');
}

function lawCases() {
    for (const { id, method, seats, lists, pool, expected, valid_ballots: valid } of lines(file('tests/vectors/seats/law.jsonl'))) {
        if (method !== 'list_ir') continue;
        for (const { parameters, seats: want } of expected) {
            const { n } = seatsOf(method, seats, entitiesOf(lists, pool, seats), BigInt(valid ?? 0), { ...defaults(method), ...parameters }, []);
            is(n, want, `${id} ${JSON.stringify(parameters)}`);
        }
    }
}

// ---- the tables of doc/methods.md ----

function examples() {
    let tables = 0;
    for (const [, head, body] of file('doc/methods.md').matchAll(/\n\| parameters \|((?: (?:[A-C]|pool) \d+ \|)+)\n\|[-|]+\n((?:\| \S[^\n]*\n)+)/g)) {
        const votes = [...head.matchAll(/(\S+) (\d+) \|/g)].map(([, name, n]) => ({ name, votes: Number(n) }));
        const entities = entitiesOf(votes.slice(0, -1), votes.at(-1), 21);
        tables++;
        for (const row of body.trim().split('\n')) {
            const [text, ...numbers] = row.split('|').slice(1, -1).map((cell) => cell.trim());
            const parameters = { ...defaults('list_ir'), ...Object.fromEntries(text.split(' ').map((one) => one.split('='))) };
            is(seatsOf('list_ir', 21, entities, 0n, parameters, []).n, numbers.map(Number), `doc/methods.md: ${text}`);
        }
    }
    ok(tables === 2, 'both tables of doc/methods.md were read', tables);
    const persons = [['a1', 0, 5], ['a2', 0, 12], ['a3', 0, 0], ['b1', 1, 2], ['b2', 1, 9], ['x', -1, 35], ['y', -1, 10]];
    const out = outcomeOf({
        method: 'list_ir', parameters: defaults('list_ir'), seats: 3, alternates: 2, lists: [40n, 30n], persons: persons.map(([, list, n]) => ({ list, votes: BigInt(n) })),
        excluded: new Set(), orders: { lists: [], persons: [] }, validBallots: 110n,
    });
    is([out.winners.map((i) => persons[i][0]), out.alternates.map((i) => persons[i][0]), out.entitySeats], [['a2', 'a1', 'b2'], ['a3', 'x'], [2, 1, 0]], 'doc/methods.md: E9');
}

checkVectors();
twinVectors();
lawCases();
examples();
seatCases(process.argv[2]);
done();
