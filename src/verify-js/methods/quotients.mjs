// SPDX-License-Identifier: Apache-2.0
// Highest quotients: each seat to the highest votes / divisor (doc/methods.md, "The other methods").
import { groupsBy, ordered } from './ties.mjs';

/** Divisors are tenths, so that 1.4 is whole. */
const DIVISORS = {
    dhondt: (n) => 10n * (n + 1n),
    sainte_lague: (n) => 10n * (2n * n + 1n),
    modified_sainte_lague: (n) => (n === 0n ? 14n : 10n * (2n * n + 1n)),
};

/** Who of these has the highest quotient; and among equals, if the rule says so, the most votes. */
function highest(entities, open, n, divisor, parameters) {
    let best = [];
    for (const e of open) {
        if (best.length > 0) {
            const mine = entities[e].votes * divisor(BigInt(n[best[0]]));
            const theirs = entities[best[0]].votes * divisor(BigInt(n[e]));
            if (mine < theirs) continue;
            if (mine > theirs) best = [];
        }
        best.push(e);
    }
    return parameters.equal_quotients === 'more_votes' ? groupsBy(best, (e) => entities[e].votes)[0] : best;
}

/** {n, tie, vacancies} of entities that stand: {votes, room}. */
export function quotients(method, seats, entities, standing, parameters, orders) {
    const n = entities.map(() => 0);
    let left = seats;
    while (left > 0) {
        const open = standing.filter((e) => n[e] < entities[e].room);
        if (open.length === 0) break;
        const best = highest(entities, open, n, DIVISORS[method], parameters);
        const order = best.length <= left ? best : ordered(best, orders);
        if (order === null) return { n, tie: { atStake: left, among: best }, vacancies: 0 };
        for (const e of order.slice(0, left)) n[e]++;
        left -= Math.min(left, best.length);
    }
    return { n, tie: null, vacancies: left };
}
