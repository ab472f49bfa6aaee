// SPDX-License-Identifier: Apache-2.0
// Sigstore's verifier (npm: @sigstore/verify), which shares no code with ours, over what we sign:
//
//   envelopes.mjs dsse KIND KEYS ENVELOPE...    DSSE: every signature of every envelope.  KEYS is a file of lines
//                                               "KEYID BASE64", public keys; an ENVELOPE is a file, or NDJSON of
//                                               {"envelope":...} a line when its name ends so
//   envelopes.mjs inclusion VKEY RECEIPTS       checkpoint and path of every receipt (NDJSON, {"receipt":...} a line)
//
// Packages are found in node_modules beside this file.  What must be refused is tried too.  Prints what it looked at;
// exit 1 with what is wrong.
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';

const require = createRequire(import.meta.url);
const { bundleFromJSON } = require('@sigstore/bundle');
const { crypto } = require('@sigstore/core');
const { Verifier, toSignedEntity, toTrustMaterial } = require('@sigstore/verify');
// The library's own steps for a log: it offers them only inside its verifier, which asks for Rekor's kind of entry.
const { verifyCheckpoint } = require('@sigstore/verify/dist/timestamp/checkpoint.js');
const { verifyMerkleInclusion } = require('@sigstore/verify/dist/timestamp/merkle.js');

const SPKI = Buffer.from('302a300506032b6570032100', 'hex'); // what stands before the 32 bytes of an Ed25519 key

function need(good, what) {
    if (!good) {
        console.log(what);
        process.exit(1);
    }
}

function refuses(what, attempt) {
    try {
        attempt();
    } catch {
        return;
    }
    need(false, `${what}: accepted`);
}

const rows = (path) => readFileSync(path, 'utf8').trimEnd().split('\n').map((line) => JSON.parse(line));

function other(base64, at) {
    const bytes = Buffer.from(base64, 'base64');
    bytes[at % bytes.length] ^= 1 << (at % 8);
    return bytes.toString('base64');
}

// ---- envelopes ----

function verify(trust, envelope, i) {
    const { keyid, sig } = envelope.signatures[i];
    const bundle = bundleFromJSON({
        mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
        verificationMaterial: { publicKey: { hint: keyid }, tlogEntries: [] },
        dsseEnvelope: { ...envelope, signatures: [{ sig, keyid }] },
    });
    new Verifier(trust, { ctlogThreshold: 0, tlogThreshold: 0, tsaThreshold: 0 }).verify(toSignedEntity(bundle));
}

function dsse(kind, keysFile, files) {
    const keys = {};
    for (const line of readFileSync(keysFile, 'utf8').trimEnd().split('\n')) {
        const [id, key] = line.split(' ');
        keys[id] = { rawBytes: Buffer.concat([SPKI, Buffer.from(key, 'base64')]) };
    }
    const trust = toTrustMaterial(
        { certificateAuthorities: [], timestampAuthorities: [], tlogs: [], ctlogs: [] }, keys);
    const envelopes = files.flatMap((file) => (file.endsWith('.ndjson') ? rows(file).map((row) => row.envelope)
        : [JSON.parse(readFileSync(file, 'utf8'))]));
    let n = 0;
    for (const envelope of envelopes) {
        need(envelope.payloadType === kind, `${envelope.payloadType} is not ${kind}`);
        need(envelope.signatures.length > 0, 'no signatures');
        envelope.signatures.forEach(({ sig, keyid }, i) => {
            verify(trust, envelope, i);
            const change = (fields) => verify(trust, { ...envelope, ...fields }, i);
            refuses('another payload', () => change({ payload: other(envelope.payload, n) }));
            refuses('another type', () => change({ payloadType: `${kind}x` }));
            const signatures = envelope.signatures.slice();
            signatures[i] = { keyid, sig: other(sig, n) };
            refuses('another signature', () => change({ signatures }));
            const stranger = Object.keys(keys).find((id) => id !== keyid);
            if (stranger !== undefined) {
                signatures[i] = { keyid: stranger, sig };
                refuses('another key', () => change({ signatures }));
            }
            n += 1;
        });
    }
    console.log(`${envelopes.length} envelopes, ${n} signatures`);
}

// ---- receipts ----

function parse(receipt) {
    const split = receipt.indexOf('\n\n');
    const [first, extra, index, ...path] = receipt.slice(0, split).split('\n');
    const [, size, root] = receipt.slice(split + 2).split('\n');
    need(first === 'c2sp.org/tlog-proof@v1', first);
    return {
        integratedTime: '1', // our entries tell their own
        canonicalizedBody: Buffer.from(extra.replace('extra ', ''), 'base64'),
        inclusionProof: {
            logIndex: index.replace('index ', ''),
            treeSize: size,
            rootHash: Buffer.from(root, 'base64'),
            hashes: path.map((hash) => Buffer.from(hash, 'base64')),
            checkpoint: { envelope: receipt.slice(split + 2) },
        },
    };
}

function included(entry, logs) {
    verifyCheckpoint(entry, logs);
    verifyMerkleInclusion(entry);
}

function inclusion(vkey, file) {
    const [, , id, key] = vkey.match(/^([^+]+)\+([0-9a-f]{8})\+(.+)$/);
    const logs = toTrustMaterial({
        certificateAuthorities: [], timestampAuthorities: [], ctlogs: [],
        tlogs: [{
            logId: { keyId: Buffer.from(id, 'hex') },
            publicKey: { rawBytes: Buffer.concat([SPKI, Buffer.from(key, 'base64').subarray(1)]) },
        }],
    }, {}).tlogs;
    const all = rows(file);
    all.forEach((row, n) => {
        included(parse(row.receipt), logs);
        const entry = parse(row.receipt);
        const path = entry.inclusionProof.hashes;
        entry.canonicalizedBody = crypto.digest('sha256', entry.canonicalizedBody);
        refuses('another entry', () => included(entry, logs));
        const spoiled = parse(row.receipt);
        spoiled.inclusionProof.hashes[n % path.length][n % 32] ^= 1;
        refuses('another path', () => included(spoiled, logs));
        const note = parse(row.receipt);
        note.inclusionProof.checkpoint.envelope = note.inclusionProof.checkpoint.envelope.replace(/^(.*\n)(\d+)/,
            (_, name, size) => `${name}${BigInt(size) + 1n}`);
        refuses('another size', () => included(note, logs));
    });
    console.log(`${all.length} receipts`);
}

const [what, ...args] = process.argv.slice(2);
if (what === 'dsse') {
    dsse(args[0], args[1], args.slice(2));
} else {
    need(what === 'inclusion', 'usage: see the head of envelopes.mjs');
    inclusion(...args);
}
