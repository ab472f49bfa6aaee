// SPDX-License-Identifier: Apache-2.0
// The document of a published result (kind `result`).
import { base64, bytesOfText, isCode, isHex32, isHex64 } from './bytes.mjs';
import { must, orNull } from './fault.mjs';
import { JsonObject, JsonText, readObject } from './json.mjs';
import { isPhase, plain, whole } from './payload.mjs';

const DEEPEST = 16;
const KEYS = ['election', 'phase', 'scope', 'log', 'units', 'contests', 'software', 'serial', 'prev', 'salt'];
const UNITS = ['expected', 'counted', 'held', 'annulled', 'missing'];
const CONTEST = ['contest', 'status', 'ballots', 'winners', 'alternates', 'seats', 'result'];
const STATUSES = ['waiting', 'partial', 'complete', 'tied', 'certified', 'annulled'];
const N_MAX = Number.MAX_SAFE_INTEGER;
const SIZE_MAX = 2 ** 32 - 1;
const SERIAL_MAX = 2 ** 31 - 1;
const SOFTWARE_MAX = 64;

const object = (value, keys) => {
    must(value instanceof JsonObject && value.hasExactly(keys));
    return value;
};
const orNothing = (value, read) => (value === null ? null : read(value));
const list = (value, read) => {
    must(Array.isArray(value));
    return value.map(read);
};
const code = (value) => plain(value, isCode);
const hash = (value) => plain(value, isHex64);

function pair(value) {
    must(Array.isArray(value) && value.length === 2);
    return [code(value[0]), whole(value[1], 0, N_MAX)];
}

function contest(value) {
    const get = (key) => object(value, CONTEST).get(key);
    return {
        contest: code(get('contest')),
        status: plain(get('status'), (text) => STATUSES.includes(text)),
        ballots: orNothing(get('ballots'), (n) => whole(n, 0, N_MAX)),
        winners: list(get('winners'), code),
        alternates: list(get('alternates'), code),
        seats: list(get('seats'), pair),
        result: orNothing(get('result'), hash),
    };
}

function origin(value) {
    must(value instanceof JsonText && value.text.length > 0);
    return value.text;
}

function root(value) {
    const bytes = base64(plain(value, () => true));
    must(bytes !== null && bytes.length === 32);
    return bytes;
}

/** null: it is no such document of this definition. */
export function readResult(bytes, definition) {
    const document = readObject(bytes, DEEPEST);
    return orNull(() => {
        must(document !== null && document.hasExactly(KEYS));
        const get = (key) => document.get(key);
        const log = object(get('log'), ['origin', 'size', 'root']);
        const units = object(get('units'), UNITS);
        const software = get('software');
        must(software instanceof JsonText && software.raw !== '' && bytesOfText(software.raw).length <= SOFTWARE_MAX);
        must(definition.areas.has(code(get('scope'))) && get('contests').length <= definition.contests.size);
        return {
            election: plain(get('election'), () => true), // what it must be, the leaf tells
            phase: plain(get('phase'), isPhase),
            scope: code(get('scope')),
            log: { origin: origin(log.get('origin')), size: whole(log.get('size'), 1, SIZE_MAX), root: root(log.get('root')) },
            units: Object.fromEntries(UNITS.map((key) => [key, whole(units.get(key), 0, N_MAX)])),
            contests: list(get('contests'), contest),
            serial: whole(get('serial'), 1, SERIAL_MAX),
            prev: orNothing(get('prev'), hash),
            salt: plain(get('salt'), isHex32),
        };
    });
}
