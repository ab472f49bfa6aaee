// SPDX-License-Identifier: Apache-2.0
// election.json: rules, limits and policy, each a table of what may stand (doc/formats.md, doc/methods.md, doc/checks.md).
import { isCode } from './bytes.mjs';
import { JsonNumber, JsonObject, JsonText, readObject, withPlainKeys } from './json.mjs';

const COUNT_MAX = 2 ** 31 - 1;

const words = (...all) => ({ initial: all[0], read: (v) => (v instanceof JsonText && all.includes(v.text) ? v.text : null) });
/** -0 is 0 here. */
const number = (initial, max) => ({ initial, read: (v) => (v instanceof JsonNumber ? (v.text === '-0' ? 0 : v.whole(0, max)) : null) });
const flag = { initial: false, read: (v) => (typeof v === 'boolean' ? v : null) };

const OTHERS = { threshold_bp: number(0, 10000), threshold_rule: words('plain', 'scaled_by_candidates'), equal_quotients: words('lot', 'more_votes') };

export const METHODS = {
    block: {},
    list_ir: {
        base: words('votes', 'ballots_x_seats'),
        first_round: words('round_half_up', 'floor'),
        remainder: words('highest_share', 'largest_remainder', 'highest_average'),
        remainder_pool: words('lists_and_indep', 'lists_only'),
        over_rule: words('lowest_share', 'smallest_rounded_up_fraction', 'halt'),
        cursor: words('restart', 'continue'),
        threshold_bp: number(0, 10000),
        list_min: number(0, 10000),
        list_max: number(21, 10000),
        list_plus_individual: flag,
        alternates_rule: words('overall_next', 'same_list_next'),
    },
    hare_lr: OTHERS,
    droop_lr: OTHERS,
    dhondt: OTHERS,
    sainte_lague: OTHERS,
    modified_sainte_lague: OTHERS,
};

export const hasLists = (method) => method !== 'block';

const LIMITS = {
    P01_bp: number(300, 10000), P02_bp: number(300, 10000), P03_bp: number(200, 10000), P03_abs: number(15, COUNT_MAX),
    P05_bp: number(9900, 10000), P06_bp: number(2000, 10000), P07_bp: number(10000, 10000), P08_min: number(30, COUNT_MAX),
    N08_missing_bp: number(200, 10000),
};

export const ROLES = ['commission', 'supervision', 'operator'];

/** How many officers of each role; together 1 to most. */
const signers = (initial, most = 4) => ({
    initial: { commission: 0, supervision: 0, operator: 0, ...initial },
    read(v) {
        const out = v instanceof JsonObject ? readTable(v, Object.fromEntries(ROLES.map((role) => [role, number(0, COUNT_MAX)]))) : null;
        const together = out === null ? 0 : ROLES.reduce((n, role) => n + out[role], 0);
        return together >= 1 && together <= most ? out : null;
    },
});

const COUNTED = { commission: 1, supervision: 1 };
const TWO = { supervision: 2 };
const SERVED = { commission: 1, operator: 1 };
const POLICY = {
    root: { initial: 1, read: (v) => (v instanceof JsonNumber ? v.whole(1, 4) : null) },
    publish_min_ballots: number(0, COUNT_MAX),
    release: signers(COUNTED),
    explain: signers({ commission: 1 }),
    annul: signers(TWO),
    reinstate: signers(TWO),
    lot: signers(COUNTED),
    exclude: signers(COUNTED),
    key: signers(SERVED),
    state: signers(SERVED),
    certify: signers({ commission: 2, supervision: 1 }),
    revise: signers({ supervision: 1 }, 3),
};

/** Values of an object by a table of rows {initial, read}; null: a key or a value that may not stand. */
function readTable(object, table, passed = []) {
    const named = withPlainKeys(object);
    if (named.twice) return null;
    const out = {};
    for (const [key, row] of Object.entries(table)) out[key] = row.initial;
    for (const [key, value] of named.members) {
        if (passed.includes(key)) continue;
        if (!Object.hasOwn(table, key)) return null;
        out[key] = table[key].read(value);
        if (out[key] === null) return null;
    }
    return out;
}

const optionalTable = (value, table) => (value === undefined ? readTable(new JsonObject(), table) : value instanceof JsonObject ? readTable(value, table) : null);

function readRule(value) {
    if (!(value instanceof JsonObject)) return null;
    const method = withPlainKeys(value).get('method');
    if (!(method instanceof JsonText) || !Object.hasOwn(METHODS, method.text)) return null;
    const parameters = readTable(value, METHODS[method.text], ['method']);
    return parameters === null ? null : { method: method.text, parameters };
}

function readRules(value) {
    if (!(value instanceof JsonObject)) return null;
    const named = withPlainKeys(value);
    if (named.twice || named.count < 1 || named.count > 64) return null;
    const out = new Map();
    for (const [code, one] of named.members) {
        const rule = readRule(one);
        if (!isCode(code) || rule === null) return null;
        out.set(code, rule);
    }
    return out;
}

const isText = (v) => v instanceof JsonText && !v.text.includes('\0');

function nameIsGood(value) {
    if (!(value instanceof JsonObject)) return false;
    const named = withPlainKeys(value);
    return named.hasExactly(['fa', 'en']) && isText(named.get('fa')) && isText(named.get('en'));
}

const NEEDED = ['format', 'election', 'domain', 'name', 'phase', 'time_zone', 'rules'];
const SHAPES = {
    format: /^tally-definition\/1$/,
    election: /^[A-Za-z0-9._-]{1,64}$/,
    domain: /^[A-Za-z0-9.-]{1,100}$/,
    phase: /^(?:rehearsal|official)$/,
    time_zone: /^[A-Za-z0-9/_+-]{1,64}$/,
};

/** {election, domain, phase, rules, limits, policy}; null: a fault. */
export function readElection(bytes) {
    const raw = readObject(bytes, 32);
    const object = raw === null ? null : withPlainKeys(raw);
    if (object === null || object.twice || !NEEDED.every((key) => object.members.has(key))) return null;
    if (![...object.members.keys()].every((key) => NEEDED.includes(key) || key === 'limits' || key === 'policy')) return null;
    const out = {};
    for (const [key, shape] of Object.entries(SHAPES)) {
        const value = object.get(key);
        if (!(value instanceof JsonText) || !shape.test(value.text)) return null;
        out[key] = value.text;
    }
    out.rules = readRules(object.get('rules'));
    out.limits = optionalTable(object.get('limits'), LIMITS);
    out.policy = optionalTable(object.get('policy'), POLICY);
    const good = nameIsGood(object.get('name')) && out.rules !== null && out.limits !== null && out.policy !== null;
    return good ? out : null;
}
