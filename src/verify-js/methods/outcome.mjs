// SPDX-License-Identifier: Apache-2.0
// Who is elected: a contest's totals and its rule (doc/methods.md).  Votes are BigInt.
import { block } from './block.mjs';
import { listIr } from './list_ir.mjs';
import { eligible, nextOf, take } from './persons.mjs';
import { quotients } from './quotients.mjs';
import { remainders } from './remainders.mjs';
import { groupsBy } from './ties.mjs';

const QUOTAS = ['hare_lr', 'droop_lr'];

/** Is a list over the bar?  A short one may need only its part of it. */
function isOver(entity, total, seats, { threshold_bp: bar, threshold_rule: rule }) {
    if (entity.isPool) return true;
    if (rule === 'plain' || entity.persons >= seats) return entity.votes * 10000n >= total * BigInt(bar);
    return entity.votes * 10000n * BigInt(seats) >= total * BigInt(bar) * BigInt(entity.persons);
}

/**
 * Seats of lists and the pool.  entities: {votes, persons, room, isPool}: persons: how many it has, room: how many of
 * them can take a seat.  Gives {n, tie, vacancies}: n what is certain.
 */
export function seatsOf(method, seats, entities, validBallots, parameters, orders) {
    const all = entities.reduce((sum, { votes }) => sum + votes, 0n);
    if (method === 'list_ir') {
        return listIr(seats, entities, parameters.base === 'votes' ? all : BigInt(seats) * validBallots, parameters, orders);
    }
    const standing = entities.map((_, e) => e).filter((e) => entities[e].votes > 0n && isOver(entities[e], all, seats, parameters));
    const rule = QUOTAS.includes(method) ? remainders : quotients;
    return rule(method, seats, entities, standing, parameters, orders);
}

/** What counts for each person by law. */
export const votesByLaw = (method, lists, persons) =>
    persons.map(({ list, votes }) => ({ list, votes: method === 'list_ir' && list >= 0 ? votes + lists[list] : votes }));

function entitiesOf({ method, lists, excluded }, persons) {
    const members = [...lists, null].map((_, e) => persons.map((_p, i) => i).filter((i) => (persons[i].list < 0 ? lists.length : persons[i].list) === e));
    // Who stands for an entity with votes may take its seat without a vote of his own.
    const free = members.map((list) => list.filter((i) => !excluded.has(i)));
    const entities = members.map((list, e) => {
        const votes = list.reduce((sum, i) => sum + persons[i].votes, method === 'list_ir' || e === lists.length ? 0n : lists[e]);
        return { votes, persons: free[e].length, room: votes > 0n ? free[e].length : 0, isPool: e === lists.length };
    });
    return { members: free, entities, hasPool: members[lists.length].length > 0 };
}

function byLists(input, persons) {
    const { entities, members, hasPool } = entitiesOf(input, persons);
    if (!hasPool) entities.pop();
    const { n, tie, vacancies } = seatsOf(input.method, input.seats, entities, input.validBallots, input.parameters, input.orders.lists);
    const ties = tie === null ? [] : [{ kind: 'list', ...tie }];
    const winners = [];
    const left = [];
    entities.forEach((_, e) => {
        const part = take(persons, members[e], n[e], input.orders.persons);
        winners.push(...part.taken);
        // Where it is open how many seats there are, equals may yet all get one.
        if (part.tie !== null && !tie?.among.includes(e)) ties.push({ kind: 'seat', ...part.tie });
        left.push(part.rest);
    });
    winners.sort((a, b) => (persons[a].votes < persons[b].votes ? 1 : persons[a].votes > persons[b].votes ? -1 : a - b));
    const out = { winners, alternates: [], ties, vacancies, entitySeats: n, entities, hasPool };
    return ties.length > 0 ? out : { ...out, ...alternatesOf(input, persons, out, left) };
}

function alternatesOf(input, persons, { winners, entitySeats }, left) {
    const parts = [];
    const can = new Set(eligible(persons, input.excluded)); // for an alternate's place a vote of one's own is needed
    if (input.parameters.alternates_rule === 'same_list_next') {
        left.forEach((groups, e) => { if (entitySeats[e] > 0) parts.push(groups.map((group) => group.filter((i) => can.has(i))).filter((group) => group.length > 0)); });
    } else {
        const elected = new Set(winners);
        parts.push(groupsBy([...can].filter((i) => !elected.has(i)), (i) => persons[i].votes));
    }
    const all = parts.map((groups) => nextOf(groups, input.alternates, input.orders.persons));
    return { alternates: all.flatMap((one) => one.alternates), ties: all.flatMap((one) => one.ties) };
}

/**
 * The outcome of {method, parameters, seats, alternates, lists: [ballots], persons: [{list: place or -1, votes}],
 * excluded: Set of places, orders: {lists: [[place]], persons: [[place]]} the newest first, validBallots}.
 *
 * Gives {votes: [of persons, by law], winners, alternates: places; ties: [{kind, atStake, among}], vacancies,
 * entitySeats: [of lists, and of the pool if there is one] or null, hasPool}.
 */
export function outcomeOf(input) {
    const persons = votesByLaw(input.method, input.lists, input.persons);
    const out = input.method === 'block' ? { ...block({ ...input, persons }), hasPool: false } : byLists(input, persons);
    return { ...out, votes: persons.map(({ votes }) => votes) };
}
