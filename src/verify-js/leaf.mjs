// SPDX-License-Identifier: Apache-2.0
// Leaf texts (doc/formats.md, "Leaf texts"): strict, one spelling for each.
import { byteString } from './bytes.mjs';

export const LEAF_MAX = 16384;

const CODE = '[A-Za-z0-9._-]{1,64}';
const HASH = '[0-9a-f]{64}';
const N = '(?:0|[1-9][0-9]{0,19})';
const line = (word, value) => `${word} (?<${word}>${value})\\n`;
const sealed = (word) => `${word} (?<${word}>${HASH}) (?<${word}Size>${N})\\n`;
const optional = (text) => `(?:${text})?`;

const HEAD = `tally/leaf/v1\\nkind (?<kind>[a-z]+)\\n${line('election', CODE)}`;
const SEALED = sealed('payload') + sealed('envelope') + line('accepted', N);
const BUNDLE = line('branch', CODE) + line('revision', N) + line('prev', `${HASH}|-`) + line('key', HASH) + SEALED + line('terminal', CODE);
const SLOT = line('branch', CODE) + line('contest', CODE);
const KEY = line('signing_key', HASH);
const CERTIFICATE = line('certificate', HASH);
const DATES = line('not_before', N) + line('not_after', N);

/** What stands behind `accepted` in the leaf of a decision. */
const TARGETS = {
    release: SLOT,
    explain: SLOT,
    annul: SLOT,
    reinstate: SLOT,
    lot: line('contest', CODE),
    exclude: line('contest', CODE) + line('candidate', CODE),
    certify: line('contest', CODE) + line('at', N) + line('result', HASH),
    state: line('state', 'open|closed|maintenance') + optional(line('until', N)),
};

/** The same of a `key` decision, by its action. */
const KEY_TARGETS = {
    add: optional(line('branch', CODE)) + KEY + CERTIFICATE + DATES,
    rotate: optional(KEY) + optional(CERTIFICATE) + optional(DATES),
    revoke: '',
    assign: line('branch', CODE),
};

const whole = (body) => new RegExp(`^${HEAD}${body}$`);

const SHAPES = new Map([
    ['genesis', whole(line('definition', HASH) + line('registry', HASH) + line('accepted', N))],
    ['bundle', whole(`${BUNDLE}(?<held>(?:held ${CODE} [A-Z0-9]{1,8}(?:,[A-Z0-9]{1,8})*\\n)*)`)],
    ['conflict', whole(BUNDLE + line('first', HASH))],
    ['software', whole(line('accepted', N) + line('version', '[\\x21-\\x7e]{1,64}') + line('build', HASH))],
    ['result', whole(SEALED + line('scope', CODE) + line('at', N) + line('serial', N))],
    ...Object.entries(TARGETS).map(([kind, target]) => [kind, whole(`${SEALED}(?<target>${target})`)]),
]);
const KEY_SHAPES = new Map(Object.entries(KEY_TARGETS).map(([action, target]) =>
    [action, whole(`${SEALED}(?<target>action (?<action>[a-z]+)\\n${line('terminal', CODE)}${target})`)]));

export const DECISIONS = new Set([...Object.keys(TARGETS), 'key']);

const NUMBERS = ['payloadSize', 'envelopeSize', 'accepted', 'revision', 'at', 'serial', 'until', 'not_before', 'not_after'];
const LIMITS = { revision: 2 ** 31 - 1, serial: 2 ** 31 - 1, until: 2 ** 40 - 1, not_before: 2 ** 40 - 1, not_after: 2 ** 40 - 1 };

/** Up to 2^64-1: a number, or a BigInt where a number would not be exact; null: more than that. */
function u64(text) {
    if (text.length <= 15) return Number(text);
    const n = BigInt(text);
    return n < 2n ** 64n ? n : null;
}

/**
 * The facts of a leaf by the words of its lines; null: it is not a leaf text.
 * `prev` is null where the line has "-"; `held` and `target` are lines as they stand.
 */
export function readLeaf(bytes) {
    if (bytes.length > LEAF_MAX) return null;
    const text = byteString(bytes);
    const kind = /^tally\/leaf\/v1\nkind ([a-z]+)\n/.exec(text)?.[1];
    const action = kind === 'key' ? /\naction ([a-z]+)\n/.exec(text)?.[1] : undefined;
    const shape = kind === 'key' ? KEY_SHAPES.get(action) : SHAPES.get(kind);
    const found = shape?.exec(text);
    if (!found) return null;
    const leaf = { ...found.groups };
    for (const name of NUMBERS) {
        if (leaf[name] === undefined) continue;
        leaf[name] = u64(leaf[name]);
        if (leaf[name] === null || leaf[name] > (LIMITS[name] ?? 2n ** 64n)) return null;
    }
    if (leaf.revision === 0 || leaf.serial === 0 || (kind === 'result' && leaf.at === 0)) return null;
    if (kind === 'key' && action === 'rotate' && leaf.signing_key === undefined && leaf.certificate === undefined) return null;
    if (leaf.not_before > leaf.not_after) return null;
    if (leaf.prev === '-') leaf.prev = null;
    leaf.isBundle = kind === 'bundle';
    leaf.isConflict = kind === 'conflict';
    leaf.isDecision = DECISIONS.has(kind);
    leaf.isBare = kind === 'genesis' || kind === 'software'; // has no envelope
    return leaf;
}

/** contest -> codes as they stand, of the `held` lines. */
export function heldOf(leaf) {
    const out = new Map();
    for (const [, contest, codes] of leaf.held.matchAll(/held (\S+) (\S+)\n/g)) out.set(contest, codes);
    return out;
}
