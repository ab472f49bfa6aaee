// SPDX-License-Identifier: Apache-2.0
// Largest remainders, by the quota of Hare or of Droop (doc/methods.md, "The other methods").
import { groupsBy, ordered } from './ties.mjs';

/** Whole quotas and what remains, in units in which both quotas are whole. */
function quotaOf(method, seats, votes) {
    const S = BigInt(seats);
    return method === 'hare_lr' ? { unit: S, quota: votes } : { unit: 1n, quota: votes / (S + 1n) + 1n };
}

/** {n, tie, vacancies} of entities that stand: {votes, room}. */
export function remainders(method, seats, entities, standing, parameters, orders) {
    const n = entities.map(() => 0);
    const votes = standing.reduce((sum, e) => sum + entities[e].votes, 0n);
    if (votes === 0n) return { n, tie: null, vacancies: seats };
    const { unit, quota } = quotaOf(method, seats, votes);
    let left = seats;
    for (const e of standing) {
        n[e] = Math.min(Number((entities[e].votes * unit) / quota), entities[e].room);
        left -= n[e];
    }
    const byRemainder = groupsBy(standing, (e) => (entities[e].votes * unit) % quota)
        .flatMap((group) => (parameters.equal_quotients === 'more_votes' ? groupsBy(group, (e) => entities[e].votes) : [group]));
    for (let before = -1; left > 0 && left !== before;) {
        before = left;
        for (const group of byRemainder) {
            const open = group.filter((e) => n[e] < entities[e].room);
            if (left === 0 || open.length === 0) continue;
            const order = open.length <= left ? open : ordered(open, orders);
            if (order === null) return { n, tie: { atStake: left, among: open }, vacancies: 0 };
            for (const e of order.slice(0, left)) n[e]++;
            left -= Math.min(left, open.length);
        }
    }
    return { n, tie: null, vacancies: left };
}
