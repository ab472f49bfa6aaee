// SPDX-License-Identifier: Apache-2.0
// Persons by votes: who of them takes the seats, who the alternates' places.
import { groupsBy, ordered } from './ties.mjs';

/** Who may take anything: not excluded, and with a vote. */
export const eligible = (persons, excluded) => persons.map((_, i) => i).filter((i) => !excluded.has(i) && persons[i].votes > 0n);

/**
 * Fills `seats` places from these persons.  Gives {taken, tie, rest}: rest: who is left, in groups of equals;
 * of a tie {atStake, among} the group is in neither, and whoever loses it stands before the rest.
 */
export function take(persons, among, seats, orders) {
    const taken = [];
    const groups = groupsBy(among, (i) => persons[i].votes);
    while (groups.length > 0 && taken.length < seats) {
        const group = groups.shift();
        const left = seats - taken.length;
        if (group.length <= left) {
            taken.push(...group);
            continue;
        }
        const order = ordered(group, orders);
        if (order === null) return { taken, tie: { atStake: left, among: group }, rest: groups };
        taken.push(...order.slice(0, left));
        groups.unshift(order.slice(left));
    }
    return { taken, tie: null, rest: groups };
}

/**
 * Alternates from groups in their order, up to so many: a group of equals has an order only if people gave it one.
 * Gives {alternates, ties}.
 */
export function nextOf(groups, places, orders) {
    const out = { alternates: [], ties: [] };
    for (const group of groups) {
        const left = places - out.alternates.length;
        if (left <= 0) break;
        const order = group.length === 1 ? group : ordered(group, orders);
        if (order !== null) {
            out.alternates.push(...order.slice(0, left));
            continue;
        }
        out.ties.push({ kind: 'alternate', atStake: Math.min(left, group.length), among: group });
        if (group.length > left) break;
        out.alternates.push(...group);
    }
    return out;
}
