// SPDX-License-Identifier: Apache-2.0
// The files of the tree, read one after another: hashes of tiles against what the entries lead to.
import { sameBytes } from './bytes.mjs';
import { WIDTH, nameOf, placeOf, widthAt } from './layout.mjs';
import { leafHash, nodeHash } from './merkle.mjs';

const HASH = 32;
export const WITHHELD = 'withheld';

/** Reads records of (length, bytes); `none`: of a pack's withheld envelope.  null: not exactly so many. */
function readRecords(bytes, count, { lengthBytes, most }, exactly) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const out = [];
    let at = 0;
    while (out.length < count) {
        if (at + lengthBytes > bytes.length) return null;
        const length = lengthBytes === 2 ? view.getUint16(at) : view.getUint32(at);
        at += lengthBytes;
        if (lengthBytes === 4 && length === 0xffffffff) {
            out.push(WITHHELD);
            continue;
        }
        if (length > most || at + length > bytes.length) return null;
        out.push(bytes.subarray(at, at + length));
        at += length;
    }
    return exactly && at !== bytes.length ? null : out;
}

const RECORDS = { 'tile/entries': { lengthBytes: 2, most: 16384 }, bundle: { lengthBytes: 4, most: 0xfffffffe } };

const sameRecord = (a, b) => (a === WITHHELD || b === WITHHELD ? a === b : sameBytes(a, b));

/** Files of a log of one size.  run: {archive, findings}. */
export class TreeFiles {
    constructor(run, size) {
        this.archive = run.archive;
        this.findings = run.findings;
        this.size = size;
        this.partials = new Map(); // full name: widths of partial files that are there
        for (const name of this.archive.names()) {
            const place = placeOf(name);
            if (place === null || place.width === WIDTH) continue;
            const full = nameOf(place, WIDTH);
            this.partials.set(full, [...this.partials.get(full) ?? [], place.width]);
        }
    }

    /** {name, bytes, whole} of the file that has these; null: it cannot be read, which was reported. */
    async read(place, width) {
        const exact = nameOf(place, width);
        const full = nameOf(place, WIDTH);
        const name = this.archive.has(exact) || !this.archive.has(full) ? exact : full;
        if (!this.archive.has(name)) {
            this.findings.add('file.missing', exact);
            return null;
        }
        const bytes = await this.bytesOf(name);
        return bytes === null ? null : { name, bytes, exact: name === exact };
    }

    async bytesOf(name) {
        if (!this.archive.tooLarge(name)) return this.archive.read(name);
        this.findings.add('file.size', name);
        return null;
    }

    /** Widths of smaller partial files of the same place. */
    smaller(place, width) {
        return (this.partials.get(nameOf(place, WIDTH)) ?? []).filter((other) => other < width);
    }

    /** The records of file n of 'tile/entries' or 'bundle'; null: they could not be read. */
    async records(kind, n) {
        const place = { kind, n };
        const width = widthAt(kind, n, this.size);
        const file = await this.read(place, width);
        const records = file === null ? null : readRecords(file.bytes, width, RECORDS[kind], file.exact);
        if (file !== null && records === null) this.findings.add('file.syntax', file.name);
        for (const other of this.smaller(place, width)) await this.smallerRecords(place, other, records);
        return records;
    }

    async smallerRecords(place, width, records) {
        const name = nameOf(place, width);
        const bytes = await this.bytesOf(name);
        if (bytes === null || records === null) return;
        const mine = readRecords(bytes, width, RECORDS[place.kind], true);
        if (mine === null || !mine.every((record, i) => sameRecord(record, records[i]))) this.findings.add('file.syntax', name);
    }

    /** Compares a tile with the hashes (null: unknown) that it must hold. */
    async tile(level, n, hashes) {
        const place = { kind: `tile/${level}`, n };
        const file = await this.read(place, hashes.length);
        if (file !== null) this.compare(file.name, file.bytes, hashes, file.exact ? hashes.length : WIDTH);
        for (const width of this.smaller(place, hashes.length)) {
            const name = nameOf(place, width);
            const bytes = await this.bytesOf(name);
            if (bytes !== null) this.compare(name, bytes, hashes.slice(0, width), width);
        }
    }

    compare(name, bytes, hashes, width) {
        if (bytes.length !== HASH * width) {
            this.findings.add('file.size', name);
            return;
        }
        const differs = hashes.some((hash, i) => hash !== null && !sameBytes(hash, bytes.subarray(HASH * i, HASH * (i + 1))));
        if (differs) this.findings.add('tile.hash', name);
    }
}

/**
 * The tree as leaf after leaf comes: complete subtrees, the largest first.  Of each level of tiles the
 * hashes of the tile that is growing.  A hash that is not known is null, and so is all above it.
 */
export class GrowingTree {
    constructor(signing) {
        this.signing = signing;
        this.size = 0;
        this.subtrees = []; // {height, hash}
        this.growing = [[], [], [], []];
        this.full = []; // {level, n, hashes} that became full and were not yet taken
        this.tiles = [0, 0, 0, 0];
    }

    async both(left, right) {
        return left === null || right === null ? null : nodeHash(left, right, this.signing);
    }

    async push(leaf) {
        let hash = leaf === null ? null : await leafHash(leaf, this.signing);
        let height = 0;
        this.hash(0, hash);
        this.size++;
        while (this.subtrees.length > 0 && this.subtrees[this.subtrees.length - 1].height === height) {
            hash = await this.both(this.subtrees.pop().hash, hash);
            height++;
            if (height % 8 === 0 && height < 32) this.hash(height / 8, hash);
        }
        this.subtrees.push({ height, hash });
    }

    hash(level, hash) {
        const hashes = this.growing[level];
        hashes.push(hash);
        if (hashes.length < WIDTH) return;
        this.full.push({ level, n: this.tiles[level]++, hashes });
        this.growing[level] = [];
    }

    takeFull() {
        const out = this.full;
        this.full = [];
        return out;
    }

    takePartial() {
        return this.growing.map((hashes, level) => ({ level, n: this.tiles[level], hashes })).filter(({ hashes }) => hashes.length > 0);
    }

    /** The root now; null: not known. */
    async root() {
        if (this.size === 0) return this.signing.sha256(new Uint8Array(0));
        let out = this.subtrees[this.subtrees.length - 1].hash;
        for (let i = this.subtrees.length - 2; i >= 0; i--) out = await this.both(this.subtrees[i].hash, out);
        return out;
    }
}
