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

export function areProperKeys(keys) {
    if (keys.length <= ROUNDS) return keys.every(isProperKey);
    const points = [];
    for (const key of keys) {
        const point = decodePoint(key);
        if (point === null) return false;
        const extended = extendedPoint(point);
        if (isNeutralPoint(extended)) return false;
        points.push(extended);
    }
    const rounds = new Array(ROUNDS).fill(neutralPoint);
    const dice = new Uint8Array(ROUNDS);
    for (let at = 0; at < points.length; at += GROUP) {
        const sums = sumsOf(points.slice(at, at + GROUP));
        crypto.getRandomValues(dice);
        for (let r = 0; r < ROUNDS; r++) {
            const pick = dice[r] % sums.length; // a power of two
            if (pick !== 0) rounds[r] = sumOfPoints(rounds[r], sums[pick]);
        }
    }
    return rounds.every(isOfPrimeOrder);
}
