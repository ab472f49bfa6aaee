// SPDX-License-Identifier: Apache-2.0
// The published folder's names (doc/formats.md, "The published folder"; C2SP tlog-tiles).

export const WIDTH = 256;
const LEVELS = 4;

/** 1234067 is x001/x234/067. */
export function pathOfN(n) {
    const text = String(n);
    const groups = text.padStart(Math.ceil(text.length / 3) * 3, '0').match(/.{3}/g);
    return groups.map((group, i) => (i + 1 < groups.length ? `x${group}` : group)).join('/');
}

/** A file of `width` hashes or records: its place is {kind: 'tile/0' ... 'tile/entries', 'bundle', n}. */
export const nameOf = ({ kind, n }, width) => `${kind}/${pathOfN(n)}${width === WIDTH ? '' : `.p/${width}`}`;

const SHAPE = /^(tile\/[0-3]|tile\/entries|bundle)\/((?:x\d{3}\/){0,5}\d{3})(?:\.p\/([1-9]\d{0,2}))?$/;

/** The place and width of a name; null: it is not of the tree. */
export function placeOf(name) {
    const found = SHAPE.exec(name);
    if (found === null || found[2].startsWith('x000')) return null;
    const width = found[3] === undefined ? WIDTH : Number(found[3]);
    if (found[3] !== undefined && width >= WIDTH) return null;
    return { kind: found[1], n: Number(found[2].replace(/[x/]/g, '')), width };
}

/** Is it a name of the layout, apart from the packages'? */
export const isOfLayout = (name) => name === 'checkpoint' || name === 'policy' || placeOf(name) !== null;

/** How many hashes or records file n of a kind has in a log of this size; 0: there is none. */
export function widthAt(kind, n, size) {
    const level = kind.startsWith('tile/') && kind !== 'tile/entries' ? Number(kind.slice(5)) : 0;
    const hashes = Math.floor(size / WIDTH ** level);
    return Math.max(0, Math.min(WIDTH, hashes - n * WIDTH));
}

export const levels = Array.from({ length: LEVELS }, (_, level) => level);
