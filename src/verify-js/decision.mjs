// SPDX-License-Identifier: Apache-2.0
// What officers decide (doc/formats.md, "Decisions"): the document, and who must have signed it.
import { bytesOfHex, bytesOfText, isCode, isHex32, isHex64 } from './bytes.mjs';
import { isWithin } from './definition.mjs';
import { paeOf } from './envelope.mjs';
import { must, orNull } from './fault.mjs';
import { JsonObject, JsonText, readObject } from './json.mjs';
import { DECISIONS } from './leaf.mjs';
import { isPhase, plain, timeOf, whole } from './payload.mjs';
import { ROLES } from './rules.mjs';
import { isProperKey } from './curve.mjs';

const DEEPEST = 16;
const KEYS = ['election', 'phase', 'kind', 'target', 'reason', 'position', 'made_at', 'salt'];
const REASON_MAX = 1000;
const ORDER_MAX = 1024;
const SIZE_MAX = 2 ** 32 - 1; // entries of a log

const code = (target, key) => plain(target.get(key), isCode);
const hash = (target, key) => plain(target.get(key), isHex64);

function slotTarget(target, { definition }) {
    must(target.hasExactly(['branch', 'contest']));
    const [branch, contest] = [code(target, 'branch'), code(target, 'contest')];
    const slot = definition.branches.get(branch)?.slots.get(contest);
    must(slot !== undefined);
    return { slot, lines: `branch ${branch}\ncontest ${contest}\n` };
}

function contestOf(target, definition) {
    const contest = definition.contests.get(code(target, 'contest'));
    must(contest !== undefined);
    return contest;
}

/** Places of the order as persons and as lists (`pool` behind them); null: not all are such. */
function lotTarget(target, { definition }) {
    must(target.hasExactly(['contest', 'order', 'ground']));
    const contest = contestOf(target, definition);
    const list = target.get('order');
    must(Array.isArray(list));
    const order = list.map((one) => plain(one, isCode));
    must(order.length >= 2 && order.length <= ORDER_MAX && new Set(order).size === order.length);
    must(['veteran', 'degree', 'lot'].includes(plain(target.get('ground'), () => true)));
    const places = (placeOf) => (order.every((one) => placeOf(one) !== undefined) ? order.map(placeOf) : null);
    const persons = places((one) => contest.candidatePlaces.get(one));
    const lists = contest.byLists ? places((one) => contest.listPlaces.get(one) ?? (one === 'pool' ? contest.lists.length : undefined)) : null;
    must(persons !== null || lists !== null);
    return { contest, persons, lists, lines: `contest ${contest.code}\n` };
}

function excludeTarget(target, { definition }) {
    must(target.hasExactly(['contest', 'candidate']));
    const contest = contestOf(target, definition);
    const candidate = code(target, 'candidate');
    must(contest.candidatePlaces.has(candidate));
    return { contest, candidate: contest.candidatePlaces.get(candidate), lines: `contest ${contest.code}\ncandidate ${candidate}\n` };
}

function certifyTarget(target, { definition }) {
    must(target.hasExactly(['contest', 'at', 'result']));
    const contest = contestOf(target, definition);
    const at = whole(target.get('at'), 0, SIZE_MAX);
    const result = hash(target, 'result');
    return { contest, at, result, lines: `contest ${contest.code}\nat ${at}\nresult ${result}\n` };
}

const KEY_MEMBERS = {
    add: { needed: ['signing_key', 'certificate', 'not_before', 'not_after'], free: ['branch'] },
    rotate: { needed: [], free: ['signing_key', 'certificate', 'not_before', 'not_after'] },
    revoke: { needed: [], free: [] },
    assign: { needed: ['branch'], free: [] },
};

/** In the order of the leaf's lines. */
const KEY_READERS = {
    branch: code,
    signing_key: hash,
    certificate: hash,
    not_before: (target, key) => timeOf(target.get(key)),
    not_after: (target, key) => timeOf(target.get(key)),
};

function keyTarget(target, { definition, registry }) {
    const action = plain(target.get('action'), (text) => Object.hasOwn(KEY_MEMBERS, text));
    const { needed, free } = KEY_MEMBERS[action];
    must(!target.twice && needed.every((key) => target.members.has(key)));
    must([...target.members.keys()].every((key) => ['action', 'terminal', ...needed, ...free].includes(key)));
    const out = { action, terminal: code(target, 'terminal'), lines: '' };
    out.lines = `action ${action}\nterminal ${out.terminal}\n`;
    for (const [key, read] of Object.entries(KEY_READERS)) {
        if (!target.members.has(key)) continue;
        out[key] = read(target, key);
        out.lines += `${key} ${out[key]}\n`;
    }
    must(out.branch === undefined || definition.branches.has(out.branch));
    must((out.not_before === undefined) === (out.not_after === undefined));
    must(out.not_before === undefined || out.not_before <= out.not_after);
    must(action !== 'rotate' || out.signing_key !== undefined || out.certificate !== undefined);
    must(out.signing_key === undefined || isProperKey(bytesOfHex(out.signing_key)));
    must(action === 'add' || registry.terminals.has(out.terminal));
    return out;
}

function stateTarget(target) {
    const keys = target.members.has('until') ? ['state', 'until'] : ['state'];
    must(target.hasExactly(keys));
    const state = plain(target.get('state'), (text) => ['open', 'closed', 'maintenance'].includes(text));
    const until = keys.length === 2 ? timeOf(target.get('until')) : null;
    return { state, until, lines: `state ${state}\n${until === null ? '' : `until ${until}\n`}` };
}

const TARGETS = {
    release: slotTarget, explain: slotTarget, annul: slotTarget, reinstate: slotTarget,
    lot: lotTarget, exclude: excludeTarget, certify: certifyTarget, key: keyTarget, state: stateTarget,
};

/**
 * The document; null: it is none.  rules: {definition, registry}.  `lines`: what the leaf says of the target.
 */
export function readDecision(bytes, rules) {
    const object = readObject(bytes, DEEPEST);
    return orNull(() => {
        must(object !== null && object.hasExactly(KEYS));
        const reason = object.get('reason');
        must(reason instanceof JsonText && bytesOfText(reason.raw).length <= REASON_MAX && /[^ \t\n\r]/.test(reason.text) && !reason.text.includes('\0'));
        const target = object.get('target');
        must(target instanceof JsonObject);
        const kind = plain(object.get('kind'), (text) => DECISIONS.has(text));
        const out = {
            election: plain(object.get('election'), () => true), // what it must be, the leaf tells
            phase: plain(object.get('phase'), isPhase),
            kind,
            position: whole(object.get('position'), 1, SIZE_MAX),
            madeAt: timeOf(object.get('made_at')),
            salt: plain(object.get('salt'), isHex32),
        };
        return { ...out, target: TARGETS[kind](target, rules) };
    });
}

/** Codes of the keys' holders whose signature verifies, of officers responsible for all these areas, by role. */
export async function signersOf(envelope, areas, { definition, registry }, signing) {
    const message = paeOf(envelope);
    const out = Object.fromEntries(ROLES.map((role) => [role, new Set()]));
    for (const { keyid, sig } of envelope.signatures) {
        const officer = keyid === null ? undefined : registry.officersByKeyId.get(keyid);
        if (officer === undefined || !areas.every((area) => isWithin(definition, area, officer.area))) continue;
        if (await signing.verify(officer.key, message, sig)) out[officer.role].add(officer.code);
    }
    return out;
}

export const isQuorum = (signers, wanted) => ROLES.every((role) => signers[role].size >= wanted[role]);

/** The areas whose officers decide it, by its leaf. */
export function areasOf(leaf, { definition, registry }) {
    if (leaf.kind === 'state') return [definition.rootArea];
    if (leaf.kind === 'result') return [leaf.scope];
    if (leaf.kind !== 'key') return [leaf.branch === undefined ? definition.contests.get(leaf.contest).area : definition.branches.get(leaf.branch).area];
    const own = leaf.action === 'add' ? null : registry.terminals.get(leaf.terminal)?.branch ?? null;
    const areaOf = (branch) => definition.branches.get(branch).area;
    const out = [];
    if (leaf.branch !== undefined) out.push(areaOf(leaf.branch));
    if (own !== null && (leaf.action === 'assign' || out.length === 0)) out.push(areaOf(own));
    return out.length === 0 ? [definition.rootArea] : out;
}
