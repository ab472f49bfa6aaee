// SPDX-License-Identifier: Apache-2.0
// Hashes and signatures by WebCrypto.
import { base64 } from './bytes.mjs';

const SPKI_HEAD = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];
const ED25519 = { name: 'Ed25519' };

export const webCrypto = {
    sha256: async (bytes) => new Uint8Array(await crypto.subtle.digest('SHA-256', bytes)),

    async verify(key, message, signature) {
        try {
            const imported = await crypto.subtle.importKey('raw', key, ED25519, false, ['verify']);
            return await crypto.subtle.verify(ED25519, imported, signature, message);
        } catch {
            return false;
        }
    },
};

/** Can this browser verify Ed25519?  Asked with test 1 of RFC 8032, 7.1. */
export async function canVerify() {
    const bytes = (hex) => Uint8Array.from(hex.match(/../g), (pair) => Number.parseInt(pair, 16));
    if (globalThis.crypto?.subtle === undefined) return false;
    return webCrypto.verify(bytes('d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a'), new Uint8Array(0),
        bytes('e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b'));
}

/** The 32 bytes of a public key in a PEM text (SPKI); null: it is none.  A page is no place for private ones. */
export function publicKeyOfPublicPem(pem) {
    const found = /-----BEGIN PUBLIC KEY-----([A-Za-z0-9+/=\s]+)-----END PUBLIC KEY-----/.exec(pem);
    const der = found === null ? null : base64(found[1].replace(/\s/g, ''));
    if (der === null || der.length !== SPKI_HEAD.length + 32) return null;
    return SPKI_HEAD.every((b, i) => der[i] === b) ? der.subarray(SPKI_HEAD.length) : null;
}
