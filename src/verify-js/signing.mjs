// SPDX-License-Identifier: Apache-2.0
// Hashes and signatures, as the rest of the verifier asks for them.
//
// A backend is {sha256(bytes), verify(key, message, signature)} of 32, any and 64 bytes; both may
// answer by a promise.  crypto-node.mjs and crypto-web.mjs are the two that there are.
//
// Ed25519 is RFC 8032's without the cofactor.  Beyond what the backends refuse, S and the key must be
// written canonically, and neither R nor the key may be of small order: with R the neutral element
// the holder of a key can make signatures that some libraries take and others do not.
import { isCanonicalPoint, isCanonicalScalar, isSmallOrder } from './curve.mjs';
import { hexOf } from './bytes.mjs';

export class Signing {
    constructor(backend) {
        this.backend = backend;
        this.keys = new Map(); // hexadecimal: whether the key can verify anything
    }

    sha256(bytes) {
        return this.backend.sha256(bytes);
    }

    async sha256Hex(bytes) {
        return hexOf(await this.backend.sha256(bytes));
    }

    usable(key) {
        const name = hexOf(key);
        let good = this.keys.get(name);
        if (good === undefined) {
            good = isCanonicalPoint(key) && !isSmallOrder(key);
            this.keys.set(name, good);
        }
        return good;
    }

    async verify(key, message, signature) {
        if (signature.length !== 64 || key.length !== 32) return false;
        if (!isCanonicalScalar(signature.subarray(32)) || isSmallOrder(signature.subarray(0, 32))) return false;
        return this.usable(key) && this.backend.verify(key, message, signature);
    }
}
