// SPDX-License-Identifier: Apache-2.0
// Many keys at once: are all of them proper?  One by one a country's terminals would take minutes.
//
// A part of small order is found in random sums: whatever the others are, a key that has one makes at
// least every second sum of random keys have one, so that ROUNDS sums pass it by with a chance of
// 2^-ROUNDS.  Only whether each sum has one is then tried with the order of the group.
import { decodePoint, extendedPoint, isNeutralPoint, isOfPrimeOrder, isProperKey, neutralPoint, sumOfPoints } from './curve.mjs';

const ROUNDS = 64;
const GROUP = 4; // points whose 16 sums are made once

function sumsOf(points) {
    const sums = [neutralPoint];
    for (const point of points) for (let i = 0, n = sums.length; i < n; i++) sums.push(i === 0 ? point : sumOfPoints(sums[i], point));
    return sums;
}

/** The point of a key that may be proper; null: it is none, or the neutral one. */
function pointOf(key) {
    const point = decodePoint(key);
    const extended = point === null ? null : extendedPoint(point);
    return extended === null || isNeutralPoint(extended) ? null : extended;
}

export function areProperKeys(keys) {
    if (keys.length <= ROUNDS) return keys.every(isProperKey);
    const rounds = new Array(ROUNDS).fill(neutralPoint);
    const dice = new Uint8Array(ROUNDS);
    for (let at = 0; at < keys.length; at += GROUP) {
        const points = keys.slice(at, at + GROUP).map(pointOf);
        if (points.includes(null)) return false;
        const sums = sumsOf(points);
        crypto.getRandomValues(dice);
        for (let r = 0; r < ROUNDS; r++) {
            const pick = dice[r] % sums.length; // a power of two
            if (pick !== 0) rounds[r] = sumOfPoints(rounds[r], sums[pick]);
        }
    }
    return rounds.every(isOfPrimeOrder);
}
