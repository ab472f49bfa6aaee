// SPDX-License-Identifier: Apache-2.0
// TAR as GNU tar writes it: ustar, its own long names, pax headers.  Regular files and folders only.
import { byteString } from './bytes.mjs';
import { Unusable } from './unusable.mjs';

const BLOCK = 512;
const HEADER_MAX = 2 ** 20; // of a long name or a pax header

const field = (block, at, length) => {
    const text = byteString(block.subarray(at, at + length));
    const end = text.indexOf('\0');
    return end < 0 ? text : text.slice(0, end);
};

/** Octal digits; or, of GNU, a large number in base 256. */
function number(block, at, length) {
    if (block[at] & 0x80) {
        let n = BigInt(block[at] & 0x7f);
        for (let i = 1; i < length; i++) n = (n << 8n) | BigInt(block[at + i]);
        return n <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(n) : null;
    }
    const found = /^ *([0-7]+) *$/.exec(field(block, at, length));
    return found === null ? null : Number.parseInt(found[1], 8);
}

function sumIsGood(block) {
    let sum = 8 * 0x20;
    for (let i = 0; i < BLOCK; i++) sum += i >= 148 && i < 156 ? 0 : block[i];
    return number(block, 148, 8) === sum;
}

function nameIn(block) {
    const name = field(block, 0, 100);
    const prefix = byteString(block.subarray(257, 263)) === 'ustar\0' ? field(block, 345, 155) : '';
    return prefix === '' ? name : `${prefix}/${name}`;
}

/** Records of a pax header: "LENGTH KEY=VALUE\n", the length of all of it. */
function paxRecords(bytes) {
    const out = new Map();
    const text = byteString(bytes);
    for (let at = 0; at < text.length;) {
        const found = /^([1-9][0-9]{0,6}) ([^=]+)=/.exec(text.slice(at, at + 300));
        const end = found === null ? 0 : at + Number(found[1]);
        if (found === null || end > text.length || text[end - 1] !== '\n' || end <= at + found[0].length) {
            throw new Unusable('the TAR has a broken pax header: make it again with GNU tar');
        }
        out.set(found[2], text.slice(at + found[0].length, end - 1));
        at = end;
    }
    return out;
}

const hasDotPart = (name) => name.split('/').some((part) => part.startsWith('.'));

/** The name as the archive has it; null: the folder itself. */
function placeOf(name) {
    const place = name.replace(/^(\.\/+)+/, '').replace(/\/+$/, '');
    if (name.startsWith('/') || place.split('/').includes('..')) {
        throw new Unusable(`the TAR has the name "${name}", which leads outside: make it again in the published folder`);
    }
    return place === '' || place === '.' ? null : place;
}

class Tar {
    constructor(source) {
        this.source = source;
        this.files = new Map();
        this.seen = new Set();
        this.everywhere = new Map(); // of a global pax header
        this.forgetNext();
    }

    forgetNext() {
        this.next = new Map(); // of the pax header before
        this.longName = null;
    }

    add(kind, name, at, size) {
        const place = placeOf(name);
        if (place === null || kind === '5' || hasDotPart(place)) return;
        if (kind !== '0' && kind !== '\0') {
            throw new Unusable(`"${place}" in the TAR is neither a file nor a folder: make it again from the published folder`);
        }
        if (this.seen.has(place)) throw new Unusable(`the TAR has "${place}" twice: make it again`);
        this.seen.add(place);
        this.files.set(place, { size, read: () => this.source.read(at, size) });
    }

    pax(key) {
        return this.next.get(key) ?? this.everywhere.get(key);
    }

    /** One header and what is behind it; where the next one is, or null at the end. */
    async step(at) {
        if (at >= this.source.size) return null;
        const block = at + BLOCK <= this.source.size ? await this.source.read(at, BLOCK) : null;
        if (block === null) throw new Unusable('the TAR ends in the middle of a header: it was not copied whole');
        if (block.every((b) => b === 0)) return null;
        if (!sumIsGood(block)) throw new Unusable('the TAR has a header with a wrong checksum, or this is no TAR');
        const kind = String.fromCharCode(block[156]);
        const own = 'xgLK'.includes(kind);
        const told = own ? undefined : this.pax('size');
        const size = told === undefined ? number(block, 124, 12) : /^[0-9]{1,15}$/.test(told) ? Number(told) : null;
        if (size === null) throw new Unusable('the TAR has a size that is no number');
        const body = at + BLOCK;
        if (size > this.source.size - body) throw new Unusable('the TAR ends in the middle of a file: it was not copied whole');
        if (own) {
            await this.header(kind, body, size);
        } else {
            if (this.pax('GNU.sparse.major') ?? this.pax('GNU.sparse.map')) throw new Unusable('the TAR has sparse files: make it without --sparse');
            this.add(kind, this.pax('path') ?? this.longName ?? nameIn(block), body, kind === '5' ? 0 : size);
            this.forgetNext();
        }
        return body + Math.ceil(size / BLOCK) * BLOCK;
    }

    async header(kind, at, size) {
        if (size > HEADER_MAX) throw new Unusable('the TAR has a header of more than 1 MiB');
        const bytes = await this.source.read(at, size);
        if (kind === 'L') this.longName = field(bytes, 0, bytes.length);
        if (kind === 'x') this.next = paxRecords(bytes);
        if (kind === 'g') for (const [key, value] of paxRecords(bytes)) this.everywhere.set(key, value);
    }
}

export async function tarFiles(source) {
    const tar = new Tar(source);
    for (let at = 0; at !== null;) at = await tar.step(at);
    return tar.files;
}
