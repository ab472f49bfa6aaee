#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
// The JavaScript verifier's outcome of any contest, a contest a line in, a result a line out: the same
// lines as tests/oracle/outcome_lines.c, so that tests/oracle/seats.py compares both with the oracle.
import { createInterface } from 'node:readline';
import { METHODS } from '../../src/verify-js/rules.mjs';
import { outcomeOf } from '../../src/verify-js/methods/outcome.mjs';

const defaults = (method) => Object.fromEntries(Object.entries(METHODS[method]).map(([name, { initial }]) => [name, initial]));

/** 1 is first; equal votes, equal rank; excluded: 0. */
function ranks(votes, excluded) {
    return votes.map((mine, i) => (excluded.has(i) ? 0 : 1 + votes.filter((n, j) => n > mine && !excluded.has(j)).length));
}

function listVotes(c, votes) {
    return c.lists.map((ballots, e) => c.persons.reduce((sum, [of], i) => (of === e ? sum + Number(votes[i]) : sum), c.method === 'list_ir' ? 0 : ballots));
}

function answer(c) {
    const excluded = new Set(c.excluded);
    const orders = (kind) => c.orders.filter(([of]) => of === kind).map(([, order]) => order);
    const out = outcomeOf({
        method: c.method, parameters: { ...defaults(c.method), ...c.parameters }, seats: c.seats, alternates: c.alternates,
        lists: c.lists.map(BigInt), persons: c.persons.map(([list, n]) => ({ list, votes: BigInt(n) })), excluded,
        orders: { lists: orders('list'), persons: orders('person') }, validBallots: BigInt(c.valid),
    });
    const pool = c.persons.reduce((sum, [of], i) => (of < 0 ? sum + Number(out.votes[i]) : sum), 0);
    const hasPool = c.persons.some(([of]) => of < 0);
    return {
        seats: c.lists.map((_, e) => out.entitySeats[e]), pool: hasPool ? [pool, out.entitySeats?.[c.lists.length] ?? 0] : null,
        votes: out.votes.map(Number), list_votes: listVotes(c, out.votes), winners: out.winners, alternates: out.alternates,
        rank: ranks(out.votes, excluded), ties: out.ties.map(({ kind, atStake, among }) => [kind, atStake, among]), vacancies: out.vacancies,
    };
}

for await (const line of createInterface({ input: process.stdin })) process.stdout.write(`${JSON.stringify(answer(JSON.parse(line)))}\n`);
