// SPDX-License-Identifier: Apache-2.0
// Bytes and the texts made of them.
//
// Names of files and other bytes that need not be UTF-8 are kept as "byte strings": one character
// a byte, so that nothing is lost on their way into the report.

const HEX = Array.from({ length: 256 }, (_, i) => i.toString(16).padStart(2, '0'));

export function hexOf(bytes) {
    let out = '';
    for (const b of bytes) out += HEX[b];
    return out;
}

/** The bytes of lower case hexadecimal digits that were checked already. */
export function bytesOfHex(text) {
    const out = new Uint8Array(text.length / 2);
    for (let i = 0; i < out.length; i++) out[i] = Number.parseInt(text.substr(2 * i, 2), 16);
    return out;
}

export const isHex64 = (text) => /^[0-9a-f]{64}$/.test(text);
export const isHex32 = (text) => /^[0-9a-f]{32}$/.test(text);
export const isCode = (text) => /^[A-Za-z0-9._-]{1,64}$/.test(text);

/** Decimal without leading zeros, at most max (at most 2^53-1); null: it is not. */
export function decimal(text, max) {
    if (!/^(0|[1-9][0-9]{0,15})$/.test(text)) return null;
    const n = Number(text);
    return n <= max ? n : null;
}

export function sameBytes(a, b) {
    if (a.length !== b.length) return false;
    for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
    return true;
}

export function joinBytes(...parts) {
    const out = new Uint8Array(parts.reduce((n, part) => n + part.length, 0));
    let at = 0;
    for (const part of parts) {
        out.set(part, at);
        at += part.length;
    }
    return out;
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();

/** The text of UTF-8 bytes; null: they are not UTF-8. */
export function textOf(bytes) {
    try {
        return utf8.decode(bytes);
    } catch {
        return null;
    }
}

export const bytesOfText = (text) => encoder.encode(text);

/** A byte string; long ones in pieces, since arguments of a call are bounded. */
export function byteString(bytes) {
    let out = '';
    for (let i = 0; i < bytes.length; i += 8192) out += String.fromCharCode(...bytes.subarray(i, i + 8192));
    return out;
}

export function bytesOfByteString(text) {
    const out = new Uint8Array(text.length);
    for (let i = 0; i < text.length; i++) out[i] = text.charCodeAt(i);
    return out;
}

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

function alphabet(last) {
    const out = new Int8Array(256).fill(-1);
    [...LETTERS, ...last].forEach((c, i) => { out[c.charCodeAt(0)] = i; });
    return out;
}

const STANDARD = alphabet('+/');
const URL_SAFE = alphabet('-_');

/** Canonical base64 (padded, unused bits zero); with either: of one of the two alphabets.  null: it is not. */
export function base64(text, either = false) {
    const n = text.length;
    if (n % 4 !== 0) return null;
    const table = either && /[-_]/.test(text) ? URL_SAFE : STANDARD;
    const pad = n === 0 ? 0 : text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
    const out = new Uint8Array((n / 4) * 3 - pad);
    let bits = 0;
    let have = 0;
    let at = 0;
    for (let i = 0; i < n - pad; i++) {
        const c = text.charCodeAt(i);
        const v = c < 256 ? table[c] : -1;
        if (v < 0) return null;
        bits = ((bits << 6) | v) & 0xffff;
        have += 6;
        if (have >= 8) {
            have -= 8;
            out[at++] = (bits >> have) & 0xff;
        }
    }
    return (bits & ((1 << have) - 1)) === 0 ? out : null;
}

/** Names, so that numbers stand as numbers do: runs of digits as integers, other bytes as bytes. */
export function compareNatural(a, b) {
    const x = a.match(/[0-9]+|[^0-9]/g) ?? [];
    const y = b.match(/[0-9]+|[^0-9]/g) ?? [];
    for (let i = 0; i < x.length && i < y.length; i++) {
        const order = comparePieces(x[i], y[i]);
        if (order !== 0) return order;
    }
    return x.length - y.length;
}

const isDigits = (piece) => piece >= '0' && piece < ':';

function comparePieces(p, q) {
    if (isDigits(p) && isDigits(q)) {
        const m = BigInt(p);
        const n = BigInt(q);
        return m < n ? -1 : m > n ? 1 : p.length - q.length;
    }
    const c = p.charCodeAt(0);
    const d = q.charCodeAt(0);
    return c - d;
}

export const compareText = (a, b) => (a < b ? -1 : a > b ? 1 : 0);
