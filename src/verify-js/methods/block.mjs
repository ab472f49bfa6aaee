// SPDX-License-Identifier: Apache-2.0
// Plurality-at-large: the most votes (doc/methods.md, "block").
import { eligible, nextOf, take } from './persons.mjs';

export function block({ seats, alternates, persons, excluded, orders }) {
    const { taken, tie, rest } = take(persons, eligible(persons, excluded), seats, orders.persons);
    const ties = tie === null ? [] : [{ kind: 'seat', ...tie }];
    // Whoever loses the draw for the last seats is the first of the alternates.
    const losers = tie === null ? 0 : tie.among.length - tie.atStake;
    const next = nextOf(rest, alternates - losers, orders.persons);
    const vacancies = tie === null ? seats - taken.length : 0;
    return { winners: taken, alternates: next.alternates, ties: [...ties, ...next.ties], vacancies, entitySeats: null };
}
