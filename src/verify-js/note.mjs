// SPDX-License-Identifier: Apache-2.0
// C2SP signed notes: checkpoints, the keys that sign them, cosignatures, policies.
// All texts are byte strings: the names in signature lines need not be UTF-8.
import { base64, byteString, bytesOfByteString, bytesOfText, decimal, hexOf, joinBytes, sameBytes } from './bytes.mjs';

const CHECKPOINT_MAX = 4096;
const SIZE_MAX = 2 ** 32 - 1;
const POLICY_MAX = 64 * 1024;
const EACH_MAX = 32; // logs, witnesses, groups
const NAME = /^[\x21-\x2a\x2c-\x7e]{1,200}$/; // printable ASCII without space and +
const DASH = '\xe2\x80\x94'; // an em dash in UTF-8

export const TYPE_LOG = 1;
export const TYPE_WITNESS = 4;

/** {origin, size, root, body, lines: [{name, field}]}; null: it is not a checkpoint. */
export function readCheckpoint(bytes) {
    if (bytes.length > CHECKPOINT_MAX) return null;
    const text = byteString(bytes);
    const found = /^([^\n]*)\n([^\n]*)\n([^\n]*)\n\n((?:[^\n]+\n)+)$/.exec(text);
    if (found === null || !NAME.test(found[1])) return null;
    const size = decimal(found[2], SIZE_MAX);
    const root = base64(found[3]);
    if (size === null || root === null || root.length !== 32) return null;
    const lines = found[4].slice(0, -1).split('\n').map(readLine);
    if (lines.includes(null)) return null;
    return { origin: found[1], size, root, body: bytes.subarray(0, bytes.length - found[4].length - 1), lines };
}

function readLine(line) {
    const found = new RegExp(`^${DASH} ([^ \\n+]+) ([A-Za-z0-9+/=]+)$`).exec(line);
    const field = found === null ? null : base64(found[2]);
    return field === null || field.length <= 4 ? null : { name: found[1], field };
}

/** {name, id, key} of a vkey of this type; null: it is none. */
export async function readVkey(text, type, signing) {
    const found = /^([^+]+)\+([0-9a-f]{8})\+(.+)$/.exec(text);
    if (found === null || !NAME.test(found[1])) return null;
    const typed = base64(found[3]);
    if (typed === null || typed.length !== 33 || typed[0] !== type) return null;
    const hash = await signing.sha256(joinBytes(bytesOfText(`${found[1]}\n`), typed));
    if (hexOf(hash.subarray(0, 4)) !== found[2]) return null;
    return { name: found[1], id: hash.slice(0, 4), key: typed.slice(1) };
}

export const sameVkey = (a, b) => a.name === b.name && sameBytes(a.key, b.key);

const linesOf = (note, vkey) => note.lines.filter((line) => line.name === vkey.name && sameBytes(line.field.subarray(0, 4), vkey.id));

/** Is there a line of the log's key, and does every such line verify? */
export async function isSignedBy(note, vkey, signing) {
    const lines = linesOf(note, vkey);
    for (const line of lines) {
        if (line.field.length !== 4 + 64 || !await signing.verify(vkey.key, note.body, line.field.subarray(4))) return false;
    }
    return lines.length > 0;
}

/** How many lines of this witness verify, and how many do not. */
export async function cosignaturesOf(note, vkey, signing) {
    const out = { good: 0, bad: 0 };
    for (const line of linesOf(note, vkey)) {
        if (await isCosignature(note, vkey, line.field, signing)) out.good++;
        else out.bad++;
    }
    return out;
}

async function isCosignature(note, vkey, field, signing) {
    if (field.length !== 4 + 8 + 64) return false;
    const time = new DataView(field.buffer, field.byteOffset + 4, 8).getBigUint64(0);
    if (time >= 2n ** 63n) return false;
    const message = joinBytes(bytesOfText(`cosignature/v1\ntime ${time}\n`), note.body);
    return signing.verify(vkey.key, message, field.subarray(12));
}

/** Reads a C2SP tlog-policy line by line. */
class PolicyReader {
    constructor(signing) {
        this.signing = signing;
        this.logs = [];
        this.witnesses = [];
        this.names = new Map(); // name: {met(has)}, of witnesses and groups
        this.groups = 0;
        this.quorum = null;
    }

    async line(words) {
        switch (words[0]) {
            case 'log': return words.length >= 2 && words.length <= 3 && this.log(words[1]);
            case 'witness': return words.length >= 3 && words.length <= 4 && this.witness(words[1], words[2]);
            case 'group': return words.length >= 4 && this.group(words[1], words[2], words.slice(3));
            case 'quorum': return words.length === 2 && this.setQuorum(words[1]);
            default: return false;
        }
    }

    async log(text) {
        const vkey = await readVkey(text, TYPE_LOG, this.signing);
        if (vkey === null || this.logs.some((one) => sameBytes(one.key, vkey.key))) return false;
        return this.logs.push(vkey) <= EACH_MAX;
    }

    isNew(name) {
        return name !== 'none' && !this.names.has(name);
    }

    async witness(name, text) {
        const vkey = await readVkey(text, TYPE_WITNESS, this.signing);
        if (vkey === null || !this.isNew(name) || this.witnesses.some((one) => sameBytes(one.key, vkey.key))) return false;
        this.names.set(name, (has) => has(vkey));
        return this.witnesses.push(vkey) <= EACH_MAX;
    }

    group(name, how, members) {
        const k = how === 'any' ? 1 : how === 'all' ? members.length : decimal(how, members.length);
        if (k === null || k < 1 || !this.isNew(name) || ++this.groups > EACH_MAX) return false;
        if (new Set(members).size < members.length || !members.every((member) => this.names.has(member))) return false;
        const rules = members.map((member) => this.names.get(member));
        this.names.set(name, (has) => rules.filter((rule) => rule(has)).length >= k);
        return true;
    }

    setQuorum(name) {
        if (this.quorum !== null) return false;
        this.quorum = name === 'none' ? () => true : this.names.get(name) ?? null;
        return this.quorum !== null;
    }
}

/** {log, witnesses, quorum(has)} of a policy with exactly one log; null: it is none. */
export async function readPolicy(bytes, signing) {
    if (bytes.length > POLICY_MAX || bytes[bytes.length - 1] !== 0x0a) return null;
    const text = byteString(bytes);
    // eslint-disable-next-line no-control-regex
    if (/[^\t\n\x20-\x7e\x80-\xff]/.test(text)) return null;
    const reader = new PolicyReader(signing);
    for (const line of text.split('\n')) {
        const words = line.split(/[ \t]+/).filter((word) => word !== '');
        if (words.length === 0 || words[0].startsWith('#')) continue;
        if (!await reader.line(words)) return null;
    }
    if (reader.quorum === null || reader.logs.length !== 1) return null;
    return { log: reader.logs[0], witnesses: reader.witnesses, quorum: reader.quorum };
}

/** A receipt taken apart: {leaf, index, path, note}; null: it is no tlog-proof with an `extra` line. */
export function readReceipt(bytes) {
    if (bytes.length > RECEIPT_MAX) return null;
    const text = byteString(bytes);
    const cut = text.indexOf('\n\n');
    if (cut < 0) return null;
    const [first, extra, index, ...path] = text.slice(0, cut).split('\n');
    if (first !== RECEIPT_HEAD || !extra?.startsWith('extra ') || !index?.startsWith('index ') || path.length > 64) return null;
    const leaf = base64(extra.slice(6));
    const at = decimal(index.slice(6), SIZE_MAX);
    const hashes = path.map((line) => base64(line));
    const note = readCheckpoint(bytes.subarray(cut + 2));
    if (leaf === null || leaf.length > 16384 || at === null || note === null) return null;
    if (!hashes.every((hash) => hash !== null && hash.length === 32)) return null;
    return { leaf, index: at, path: hashes, note };
}

const RECEIPT_HEAD = 'c2sp.org/tlog-proof@v1';
export const RECEIPT_MAX = 2 ** 20;

/** A checkpoint, or what stands behind the first empty line of a receipt. */
export function readSince(bytes) {
    if (bytes.length > RECEIPT_MAX) return null;
    const head = bytesOfByteString(`${RECEIPT_HEAD}\n`);
    if (!sameBytes(bytes.subarray(0, head.length), head)) return readCheckpoint(bytes);
    const cut = byteString(bytes).indexOf('\n\n');
    return cut < 0 ? null : readCheckpoint(bytes.subarray(cut + 2));
}
