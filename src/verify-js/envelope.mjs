// SPDX-License-Identifier: Apache-2.0
// DSSE envelopes (doc/formats.md, "The envelope").
import { base64, bytesOfText, isHex64, joinBytes } from './bytes.mjs';
import { JsonObject, JsonText, readObject } from './json.mjs';

export const TYPE_BUNDLE = 'application/vnd.tally.bundle.v1+json';
export const TYPE_DECISION = 'application/vnd.tally.decision.v1+json';
export const TYPE_RESULT = 'application/vnd.tally.results.v1+json';
export const TYPE_PACKAGE = 'application/vnd.tally.package.v1+json';

const KEYS_MAX = 32;
const DEEPEST = 16;
const TYPE_MAX = 128;
const SIGNATURES_MAX = 4;

/** Most bytes of an envelope and of its payload, by its kind. */
const BIG = { envelope: 2 ** 21, payload: 2 ** 20 };
const LIMITS = { bundle: BIG, conflict: BIG, result: BIG };
const SMALL = { envelope: 136 * 1024, payload: 96 * 1024 };
export const limitsOf = (kind) => LIMITS[kind] ?? SMALL;
/** For what was found good before. */
export const LIMITS_FREE = BIG;

const keysAreGood = (object) => !object.twice && object.count <= KEYS_MAX && ![...object.members.keys()].some((key) => key.includes('\\'));

/** {type, payload, signatures: [{keyid, sig}]}; null: it is not an envelope.  keyid: null where it is nobody's. */
export function readEnvelope(bytes, limits) {
    if (bytes.length > limits.envelope) return null;
    const object = readObject(bytes, DEEPEST);
    if (object === null || !keysAreGood(object)) return null;
    const [body, type, list] = ['payload', 'payloadType', 'signatures'].map((key) => object.get(key));
    if (!(body instanceof JsonText) || !(type instanceof JsonText) || !Array.isArray(list)) return null;
    const payload = base64(body.raw, true);
    if (payload === null || payload.length > limits.payload) return null;
    if (bytesOfText(type.text).length > TYPE_MAX || list.length < 1 || list.length > SIGNATURES_MAX) return null;
    const signatures = list.map(readSignature);
    return signatures.includes(null) ? null : { type: type.text, payload, signatures };
}

function readSignature(object) {
    if (!(object instanceof JsonObject) || !keysAreGood(object)) return null;
    const [text, keyid] = [object.get('sig'), object.get('keyid')];
    const sig = text instanceof JsonText ? base64(text.raw, true) : null;
    if (sig === null || sig.length !== 64) return null;
    if (keyid === undefined) return { keyid: null, sig };
    if (!(keyid instanceof JsonText)) return null;
    return { keyid: isHex64(keyid.text) ? keyid.text : null, sig };
}

/** What is signed. */
export function paeOf({ type, payload }) {
    const name = bytesOfText(type);
    return joinBytes(bytesOfText(`DSSEv1 ${name.length} ${type} ${payload.length} `), payload);
}
