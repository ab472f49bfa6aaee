// SPDX-License-Identifier: Apache-2.0
// JSON as RFC 8259 writes it, and nothing of it lost: what keys stand twice, how a number is
// written, whether a string has escapes.  JSON.parse() would keep the last of two keys and make
// 1.0 and 1 the same.
//
// Values: true, false, null, arrays of values, and objects of the three classes here.
import { textOf } from './bytes.mjs';

export class JsonFault extends Error {}

/** A number as it is written. */
export class JsonNumber {
    constructor(text) {
        this.text = text;
    }

    /** A whole number from min to max (both safe integers) that is written as one; null: it is not. */
    whole(min, max) {
        if (!/^(0|[1-9][0-9]*)$/.test(this.text)) return null;
        const n = Number(this.text);
        return n >= min && n <= max ? n : null;
    }
}

/** A string as it stands between its quotes. */
export class JsonText {
    constructor(raw) {
        this.raw = raw;
    }

    get plain() {
        return !this.raw.includes('\\');
    }

    /** Escapes resolved. */
    get text() {
        return this.plain ? this.raw : JSON.parse(`"${this.raw}"`);
    }
}

/** Members by their key as it is written, in their order; `twice`: some key stands more than once. */
export class JsonObject {
    constructor() {
        this.members = new Map();
        this.count = 0;
        this.twice = false;
    }

    get(key) {
        return this.members.get(key);
    }

    /** Has exactly these keys, each once. */
    hasExactly(keys) {
        return !this.twice && this.count === keys.length && keys.every((key) => this.members.has(key));
    }
}

const SPACE = new Set([0x20, 0x09, 0x0a, 0x0d]);
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
// eslint-disable-next-line no-control-regex
const STRING = /[^"\\\u0000-\u001f]*(?:\\(?:["\\/bfnrt]|u[0-9A-Fa-f]{4})[^"\\\u0000-\u001f]*)*"/y;

class Reader {
    constructor(text, deepest) {
        this.text = text;
        this.at = 0;
        this.left = deepest;
    }

    space() {
        while (SPACE.has(this.text.charCodeAt(this.at))) this.at++;
    }

    take(c) {
        if (this.text[this.at] !== c) return false;
        this.at++;
        return true;
    }

    match(pattern) {
        pattern.lastIndex = this.at;
        const found = pattern.exec(this.text);
        if (found === null) throw new JsonFault(`not JSON at ${this.at}`);
        this.at = pattern.lastIndex;
        return found[0];
    }

    word(word, value) {
        if (!this.text.startsWith(word, this.at)) throw new JsonFault(`not JSON at ${this.at}`);
        this.at += word.length;
        return value;
    }

    /** Half a surrogate pair is no text, so that a string with one is none either. */
    string() {
        const raw = this.match(STRING).slice(0, -1);
        if (raw.includes('\\u') && /\p{Surrogate}/u.test(new JsonText(raw).text)) throw new JsonFault(`no text at ${this.at}`);
        return raw;
    }

    value() {
        switch (this.text[this.at]) {
            case '{': return this.inside(() => this.object());
            case '[': return this.inside(() => this.array());
            case '"': this.at++; return new JsonText(this.string());
            case 't': return this.word('true', true);
            case 'f': return this.word('false', false);
            case 'n': return this.word('null', null);
            default: return new JsonNumber(this.match(NUMBER));
        }
    }

    inside(read) {
        if (this.left === 0) throw new JsonFault('too deep');
        this.left--;
        this.at++;
        this.space();
        const out = read();
        this.left++;
        return out;
    }

    object() {
        const out = new JsonObject();
        if (this.take('}')) return out;
        do {
            this.space();
            if (!this.take('"')) throw new JsonFault(`no key at ${this.at}`);
            const key = this.string();
            this.space();
            if (!this.take(':')) throw new JsonFault(`no colon at ${this.at}`);
            this.space();
            const value = this.value();
            out.twice ||= out.members.has(key);
            out.count++;
            out.members.set(key, value);
            this.space();
        } while (this.take(','));
        if (!this.take('}')) throw new JsonFault(`no end of the object at ${this.at}`);
        return out;
    }

    array() {
        const out = [];
        if (this.take(']')) return out;
        do {
            this.space();
            out.push(this.value());
            this.space();
        } while (this.take(','));
        if (!this.take(']')) throw new JsonFault(`no end of the array at ${this.at}`);
        return out;
    }
}

/** The object that these bytes are, at most so deep; null: they are none. */
export function readObject(bytes, deepest) {
    const text = textOf(bytes);
    if (text === null) return null;
    try {
        const reader = new Reader(text, deepest);
        reader.space();
        const out = reader.value();
        reader.space();
        return reader.at === text.length && out instanceof JsonObject ? out : null;
    } catch (e) {
        if (e instanceof JsonFault) return null;
        throw e;
    }
}

/** The same object with its keys' escapes resolved (which may make two keys one). */
export function withPlainKeys(object) {
    const out = new JsonObject();
    out.count = object.count;
    out.twice = object.twice;
    for (const [raw, value] of object.members) {
        const key = new JsonText(raw).text;
        out.twice ||= out.members.has(key);
        out.members.set(key, value);
    }
    return out;
}
