// SPDX-License-Identifier: Apache-2.0
// Hashes and signatures by Node's OpenSSL; signatures on its threads, so that many at a time use all cores.
import { createHash, createPrivateKey, createPublicKey, verify, webcrypto } from 'node:crypto';

globalThis.crypto ??= webcrypto; // Node 18 has it, but not there

const SPKI_HEAD = Buffer.from('302a300506032b6570032100', 'hex');

const keyObject = (key) => createPublicKey({ key: Buffer.concat([SPKI_HEAD, key]), format: 'der', type: 'spki' });

export const nodeCrypto = {
    sha256: (bytes) => createHash('sha256').update(bytes).digest(),

    verify: (key, message, signature) => new Promise((resolve) => {
        let object;
        try {
            object = keyObject(key);
        } catch {
            resolve(false);
            return;
        }
        verify(null, message, object, signature, (error, good) => resolve(error === null && good));
    }),
};

/** The 32 bytes of the public Ed25519 key in a PEM text (SPKI, or PKCS#8); null: it has none. */
export function publicKeyOfPem(pem) {
    try {
        const key = /PRIVATE KEY/.test(pem) ? createPublicKey(createPrivateKey(pem)) : createPublicKey(pem);
        if (key.asymmetricKeyType !== 'ed25519') return null;
        return new Uint8Array(key.export({ format: 'der', type: 'spki' }).subarray(SPKI_HEAD.length));
    } catch {
        return null;
    }
}
