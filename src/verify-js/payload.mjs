// SPDX-License-Identifier: Apache-2.0
// The payload of a bundle (doc/formats.md): what S01 and S06 ask of it.
import { bytesOfText, isCode, isHex32, isHex64 } from './bytes.mjs';
import { must, orNull } from './fault.mjs';
import { JsonNumber, JsonObject, JsonText, readObject } from './json.mjs';

const COUNT_MAX = 2 ** 31 - 1;
const TIME_MAX = 2 ** 40 - 1;
const DEEPEST = 16;
const CONTESTS_MAX = 64;
const NOT_HELD_MAX = 256;

const KEYS = ['election', 'definition', 'phase', 'branch', 'terminal', 'revision', 'prev', 'salt', 'opened_at', 'closed_at', 'made_at', 'contests'];
const WAYS = ['online', 'offline', 'manual'];
const NUMBERS = ['issued', 'cast', 'blank', 'invalid', 'valid', 'excluded'];
const ROW = ['contest', 'authenticated', ...NUMBERS, 'candidates'];
const LIST_ROW = [...ROW, 'lists', 'mixed'];

/** A string without escapes, of this form. */
export function plain(value, isGood) {
    must(value instanceof JsonText && value.plain && isGood(value.raw));
    return value.raw;
}

export function whole(value, min, max) {
    const n = value instanceof JsonNumber ? value.whole(min, max) : null;
    must(n !== null);
    return n;
}

export const isPhase = (text) => text === 'official' || text === 'rehearsal';
export const timeOf = (value) => whole(value, 0, TIME_MAX);
const count = (value) => whole(value, 0, COUNT_MAX);

/** [[CODE,COUNT],...] as a map. */
function votes(value) {
    must(Array.isArray(value));
    const out = new Map();
    for (const pair of value) {
        must(Array.isArray(pair) && pair.length === 2);
        const code = plain(pair[0], isCode);
        must(!out.has(code));
        out.set(code, count(pair[1]));
    }
    return out;
}

function notHeld(object) {
    must(object.hasExactly(['contest', 'not_held']));
    const text = object.get('not_held');
    must(text instanceof JsonText && text.raw !== '' && bytesOfText(text.raw).length <= NOT_HELD_MAX && !text.text.includes('\0'));
    return { contest: plain(object.get('contest'), isCode), notHeld: true };
}

function row(object) {
    must(object instanceof JsonObject);
    if (object.members.has('not_held')) return notHeld(object);
    const byLists = object.members.has('lists') || object.members.has('mixed');
    must(object.hasExactly(byLists ? LIST_ROW : ROW));
    const ways = object.get('authenticated');
    must(ways instanceof JsonObject && ways.hasExactly(WAYS));
    const out = {
        contest: plain(object.get('contest'), isCode),
        notHeld: false,
        byLists,
        authenticated: WAYS.map((way) => count(ways.get(way))),
        lists: byLists ? votes(object.get('lists')) : new Map(),
        mixed: byLists ? count(object.get('mixed')) : 0,
        candidates: votes(object.get('candidates')),
    };
    for (const name of NUMBERS) out[name] = count(object.get(name));
    return out;
}

/** What a terminal says; null: not such an object.  `contests`: rows by their code. */
export function readPayload(bytes) {
    const object = readObject(bytes, DEEPEST);
    return orNull(() => {
        must(object !== null && object.hasExactly(KEYS));
        const text = (key, isGood) => plain(object.get(key), isGood);
        const out = {
            election: text('election', isCode),
            definition: text('definition', isHex64),
            phase: text('phase', isPhase),
            branch: text('branch', isCode),
            terminal: text('terminal', isCode),
            revision: whole(object.get('revision'), 1, COUNT_MAX),
            prev: object.get('prev') === null ? null : text('prev', isHex64),
            salt: text('salt', isHex32),
            openedAt: timeOf(object.get('opened_at')),
            closedAt: timeOf(object.get('closed_at')),
            madeAt: timeOf(object.get('made_at')),
            contests: new Map(),
        };
        const rows = object.get('contests');
        must(Array.isArray(rows) && rows.length <= CONTESTS_MAX);
        for (const one of rows.map(row)) {
            must(!out.contests.has(one.contest));
            out.contests.set(one.contest, one);
        }
        return out;
    });
}

/** Has every contest of the branch lists where its method has, if the terminal had this definition? */
export function listsFit(payload, branch, definitionHash) {
    if (payload.definition !== definitionHash) return true;
    for (const { contest } of branch.slots.values()) {
        const one = payload.contests.get(contest.code);
        if (one !== undefined && !one.notHeld && one.byLists !== contest.byLists) return false;
    }
    return true;
}
