// SPDX-License-Identifier: Apache-2.0
// The curve of Ed25519, for what signature libraries do not tell: whether a key is written
// canonically and lies in the large subgroup, where all verifiers agree on it.  Nothing here is
// secret, so that nothing here is of constant time.

const P = 2n ** 255n - 19n;
const L = 2n ** 252n + 27742317777372353535851937790883648493n;
const mod = (a) => {
    const r = a % P;
    return r < 0n ? r + P : r;
};

function squares(a, times) {
    for (let i = 0; i < times; i++) a = (a * a) % P;
    return a;
}

/** a^((p-5)/8) by the usual chain of squares. */
function power58(a) {
    const a2 = (squares(a, 1) * a) % P;
    const a4 = (squares(a2, 2) * a2) % P;
    const a5 = (squares(a4, 1) * a) % P;
    const a10 = (squares(a5, 5) * a5) % P;
    const a20 = (squares(a10, 10) * a10) % P;
    const a40 = (squares(a20, 20) * a20) % P;
    const a50 = (squares(a40, 10) * a10) % P;
    const a100 = (squares(a50, 50) * a50) % P;
    const a200 = (squares(a100, 100) * a100) % P;
    const a250 = (squares(a200, 50) * a50) % P;
    return (squares(a250, 2) * a) % P;
}

function power(a, e) {
    let out = 1n;
    for (; e > 0n; e >>= 1n) {
        if (e & 1n) out = (out * a) % P;
        a = (a * a) % P;
    }
    return out;
}

const D = mod(-121665n * power(121666n, P - 2n));
const D2 = (2n * D) % P;
const ROOT_OF_MINUS_ONE = power(2n, (P - 1n) / 4n);

const littleEndian = (bytes) => {
    let hex = '';
    for (let i = bytes.length - 1; i >= 0; i--) hex += bytes[i].toString(16).padStart(2, '0');
    return BigInt(`0x${hex}`);
};

/** The point as {x, y}; null: not on the curve, or not its canonical spelling. */
export function decodePoint(key) {
    const number = littleEndian(key);
    const sign = number >> 255n;
    const y = number & ((1n << 255n) - 1n);
    if (y >= P) return null;
    const u = mod(y * y - 1n);
    const v = mod(D * y * y + 1n);
    const v3 = (((v * v) % P) * v) % P;
    const v7 = (((v3 * v3) % P) * v) % P;
    let x = (((u * v3) % P) * power58((u * v7) % P)) % P;
    const check = (((x * x) % P) * v) % P;
    if (check === mod(-u)) x = (x * ROOT_OF_MINUS_ONE) % P;
    else if (check !== u) return null;
    if (x === 0n && sign === 1n) return null;
    return { x: (x & 1n) === sign ? x : mod(-x), y };
}

/** Extended coordinates; the sum and the double of RFC 8032, 5.1.4. */
export function sumOfPoints(p, q) {
    const a = mod((p.y - p.x) * (q.y - q.x));
    const b = ((p.y + p.x) * (q.y + q.x)) % P;
    const c = (((p.t * D2) % P) * q.t) % P;
    const d = (p.z * 2n * q.z) % P;
    return crossed(b - a, d - c, d + c, b + a);
}

function double(p) {
    const a = (p.x * p.x) % P;
    const b = (p.y * p.y) % P;
    const c = (2n * p.z * p.z) % P;
    const h = a + b;
    const s = p.x + p.y;
    const g = a - b;
    return crossed(h - s * s, c + g, g, h);
}

function crossed(e, f, g, h) {
    e = mod(e);
    f = mod(f);
    g = mod(g);
    h = mod(h);
    return { x: (e * f) % P, y: (g * h) % P, z: (f * g) % P, t: (e * h) % P };
}

export const extendedPoint = ({ x, y }) => ({ x, y, z: 1n, t: (x * y) % P });
export const isNeutralPoint = (p) => p.x === 0n && p.y === p.z;
export const neutralPoint = { x: 0n, y: 1n, z: 1n, t: 0n };
const ORDER_BITS = L.toString(2).slice(1);

/** Does the order of the large subgroup lead to the neutral element? */
export function isOfPrimeOrder(start) {
    let out = start;
    for (const bit of ORDER_BITS) {
        out = double(out);
        if (bit === '1') out = sumOfPoints(out, start);
    }
    return isNeutralPoint(out);
}

/** A key that may be registered: canonical, and of prime order. */
export function isProperKey(key) {
    const point = decodePoint(key);
    if (point === null) return false;
    const start = extendedPoint(point);
    return !isNeutralPoint(start) && isOfPrimeOrder(start);
}

/** y of the eight points of small order; where the sign bit stands does not matter here. */
const SMALL_ORDER = (() => {
    const eighth = 2707385501144840649318225287225658788936804267575313519463743609750303402022n;
    return new Set([0n, 1n, P - 1n, eighth, P - eighth]);
})();

/** Is this the spelling (canonical or not) of a point of small order? */
export function isSmallOrder(key) {
    const y = littleEndian(key) & ((1n << 255n) - 1n);
    return SMALL_ORDER.has(y % P);
}

/** S of a signature and y of a key, as their only spelling. */
export const isCanonicalScalar = (s) => littleEndian(s) < L;
export const isCanonicalPoint = (key) => (littleEndian(key) & ((1n << 255n) - 1n)) < P;
