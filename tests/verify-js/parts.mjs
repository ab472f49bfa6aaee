#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
// Parts of the JavaScript verifier, one by one, and the example of doc/formats.md from its files to its receipt (TAP).
import { createHash, createPrivateKey, sign } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Archive } from '../../src/verify-js/archive.mjs';
import { base64, byteString, bytesOfHex, bytesOfText, compareNatural, decimal, hexOf, joinBytes } from '../../src/verify-js/bytes.mjs';
import { nodeCrypto } from '../../src/verify-js/crypto-node.mjs';
import { webCrypto } from '../../src/verify-js/crypto-web.mjs';
import { readCsv } from '../../src/verify-js/csv.mjs';
import { isProperKey, isSmallOrder } from '../../src/verify-js/curve.mjs';
import { readEnvelope } from '../../src/verify-js/envelope.mjs';
import { readObject } from '../../src/verify-js/json.mjs';
import { nameOf, placeOf, widthAt } from '../../src/verify-js/layout.mjs';
import { readLeaf } from '../../src/verify-js/leaf.mjs';
import { leafHash, nodeHash, rootByPath } from '../../src/verify-js/merkle.mjs';
import { readCheckpoint, readPolicy } from '../../src/verify-js/note.mjs';
import { reportLine } from '../../src/verify-js/report.mjs';
import { Signing } from '../../src/verify-js/signing.mjs';
import { areProperKeys } from '../../src/verify-js/subgroup.mjs';
import { tarFiles } from '../../src/verify-js/tar.mjs';
import { GrowingTree } from '../../src/verify-js/tree.mjs';
import { Unusable } from '../../src/verify-js/unusable.mjs';
import { verify } from '../../src/verify-js/verify.mjs';
import { done, is, note, ok } from './tap.mjs';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '../..');
const signing = new Signing(nodeCrypto);

/** A block of doc/formats.md by its name. */
const guide = readFileSync(join(ROOT, 'doc/formats.md'), 'utf8');
function block(name) {
    const found = new RegExp(`\\n\`\`\`text ${name.replaceAll('.', '\\.')}\\n([^]*?)\`\`\`\\n`).exec(guide);
    if (found === null) throw new Error(`doc/formats.md has no block ${name}`);
    return found[1];
}
const values = new Map(block('values').trim().split('\n').map((line) => {
    const [, name, value] = /^(.*?) {2,}(\S+)$|^(.*) (\S+)$/.exec(line) ?? [];
    return name === undefined ? [/^(.*) (\S+)$/.exec(line)[1], /^(.*) (\S+)$/.exec(line)[2]] : [name, value];
}));

// ---- numbers, names, bytes ----
function bytesAndNames() {
    is(['0', '7', '4294967295', '00', '01', '-1', '+1', '1.0', '', ' 1', '4294967296'].map((text) => decimal(text, 2 ** 32 - 1)),
        [0, 7, 4294967295, null, null, null, null, null, null, null, null], 'decimal numbers have one spelling');
    is(['', 'QQ==', 'QUI=', 'QUJD', 'QR==', 'QUJ=', 'QQ', 'QQ=', 'Q===', 'Q=Q=', 'QQ==QQ==', '-_-_', 'QQ=\n'].map((text) => base64(text)?.length ?? null),
        [0, 1, 2, 3, null, null, null, null, null, null, null, null, null], 'base64 is canonical');
    is([base64('-_-_', true)?.length ?? null, base64('+_+_', true)], [3, null], 'the other alphabet where it may be, and no mix');
    const names = ['entry 10', 'entry 9', 'entry 09', 'entry 2 x', 'entry 2', 'checkpoint', 'x01', 'x1', 'x1a', 'x'];
    is([...names].sort(compareNatural), ['checkpoint', 'entry 2', 'entry 2 x', 'entry 9', 'entry 09', 'entry 10', 'x', 'x1', 'x1a', 'x01'], 'numbers stand as numbers do');
    is(reportLine({ a: '"\\\n\x1f\xc3\xa9', b: [null, 1n, true] }), '{"a":"\\"\\\\\\u000a\\u001f\xc3\xa9","b":[null,1,true]}\n', 'strings of the report');
}

// ---- JSON, CSV ----
function documents() {
    const reads = (text) => readObject(typeof text === 'string' ? bytesOfText(text) : text, 4) !== null;
    for (const good of ['{}', ' {"a" : [1 , -0.5e+7, true,false,null , "\\u00e9\\n"]}\r\n\t', '{"a":{"b":[[]]}}', '{"a":0}']) ok(reads(good), `JSON: ${good}`);
    for (const faulty of ['', '[]', '1', '{}x', '{"a":01}', '{"a":.5}', '{"a":1.}', '{"a":+1}', '{"a":1,}', '{,}', '{"a" 1}', '{a:1}', "{'a':1}", '{"a":"\n"}', '{"a":"\\x"}',
        '{"a":"\\u12"}', '{"a":"\\ud800"}', '{"a":"\\udc00\\ud800"}', '{"\\ud800x":1}', '{"a":NaN}', '{"a":tru}', '{"a":[1 2]}', '\ufeff{}', '{"a":[[[[]]]]}', '{"a":"', '{"a":1', Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d)]) {
        ok(!reads(faulty), `no JSON: ${faulty}`);
    }
    is([readObject(bytesOfText('{"a":1,"a":2}'), 4).twice, readObject(bytesOfText('{"a":1,"b":2}'), 4).twice], [true, false], 'a key twice is noticed');
    const long = 'x'.repeat(2 ** 21);
    ok(readObject(bytesOfText(`{"a":"${long}\\n${long}"}`), 4)?.get('a').raw.length === 2 ** 22 + 2, 'a string of four megabytes');
    const csv = (text) => readCsv(bytesOfText(text), ['a', 'b']);
    is(csv('a,b\n1,"x,""y""\nz"\n,\n'), [['1', 'x,"y"\nz'], ['', '']], 'CSV with quotes');
    for (const faulty of ['', 'a,b\r\n1,2\r\n', 'a\n', 'b,a\n', 'a,b\n1\n', 'a,b\n1,2,3\n', 'a,b\n1,"2\n', 'a,b\n1,2"3\n', 'a,b\n"1"2,3\n', 'a,b\n\n', 'a,b\n1,\0\n', '\ufeffa,b\n']) {
        is(csv(faulty), null, `no CSV: ${JSON.stringify(faulty)}`);
    }
}

// ---- keys and signatures ----
const PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex');
const secret = (name) => createPrivateKey({ key: Buffer.concat([PKCS8, bytesOfHex(values.get(`${name} seed`))]), format: 'der', type: 'pkcs8' });

const P = 2n ** 255n - 19n;
const L = 2n ** 252n + 27742317777372353535851937790883648493n;
const littleEndian = (n) => Uint8Array.from({ length: 32 }, (_, i) => Number((n >> BigInt(8 * i)) & 255n));
const numberOf = (bytes) => BigInt(`0x${hexOf(bytes.slice().reverse())}`);

/** With R the neutral element and S = h a the equation of RFC 8032 holds, and libraries differ. */
function neutralSignature(seed, key, message) {
    const hash = createHash('sha512').update(bytesOfHex(seed)).digest();
    const a = (numberOf(hash.subarray(0, 32)) & ((1n << 254n) - 8n)) | (1n << 254n);
    const R = littleEndian(1n);
    const h = numberOf(createHash('sha512').update(joinBytes(R, key, message)).digest());
    return joinBytes(R, littleEndian((h * a) % L));
}

async function signatures() {
    const message = bytesOfText('a message');
    const key = bytesOfHex(values.get('log key'));
    const good = new Uint8Array(sign(null, message, secret('log')));
    const neutral = neutralSignature(values.get('log seed'), key, message);
    const large = joinBytes(good.subarray(0, 32), littleEndian(numberOf(good.subarray(32)) + L));
    const flipped = good.slice();
    flipped[40] ^= 1;
    for (const [name, backend] of [['Node', nodeCrypto], ['WebCrypto', webCrypto]]) {
        const verifier = new Signing(backend);
        ok(await verifier.verify(key, message, good), `${name}: a signature`);
        ok(!await verifier.verify(key, message, flipped), `${name}: a bit flipped`);
        ok(!await verifier.verify(key, message, large), `${name}: S + L`);
        ok(!await verifier.verify(key, message, neutral), `${name}: R of small order`);
        ok(!await verifier.verify(littleEndian(1n), message, joinBytes(littleEndian(1n), littleEndian(0n))), `${name}: a key of small order`);
        note(`${name} alone says of R of small order: ${await backend.verify(key, message, neutral)}`);
    }
    const eighth = bytesOfHex('26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05');
    const small = [eighth, littleEndian(0n), littleEndian(1n), littleEndian(P - 1n), littleEndian(P), littleEndian(P + 1n)];
    ok(small.every((one) => isSmallOrder(one) && !isProperKey(one)), 'keys of small order, not canonical ones too');
    // (-x, -y) is the key with the point of order 2 added to it.
    const y = numberOf(key) & ((1n << 255n) - 1n);
    const mixed = littleEndian((P - y) | ((numberOf(key) >> 255n ^ 1n) << 255n));
    ok(isProperKey(key) && !isProperKey(mixed) && !isSmallOrder(mixed), 'a key with a part of small order');
    ok(!isProperKey(littleEndian(2n)), 'no point of the curve');
    const many = Array.from({ length: 200 }, (_, i) => new Uint8Array(publicOf(i)));
    ok(areProperKeys(many), '200 keys at once');
    ok(!areProperKeys([...many.slice(0, 77), mixed, ...many.slice(77)]), 'one of them with a part of small order');
    ok(!areProperKeys([...many, littleEndian(P + 3n)]), 'one of them not canonical');
}

function publicOf(i) {
    const key = createPrivateKey({ key: Buffer.concat([PKCS8, createHash('sha256').update(`key ${i}`).digest()]), format: 'der', type: 'pkcs8' });
    return Buffer.from(key.export({ format: 'jwk' }).x, 'base64url');
}

// ---- the tree ----
async function trees() {
    is([0, 255, 256, 1234067, 70000].map((n) => nameOf({ kind: 'bundle', n }, 256)), ['bundle/000', 'bundle/255', 'bundle/256', 'bundle/x001/x234/067', 'bundle/x070/000'], 'names of full files');
    is(['tile/0/000', 'tile/3/x001/000.p/255', 'tile/entries/x001/x234/067.p/1'].map((name) => placeOf(name)?.width), [256, 255, 1], 'names of the layout');
    is(['tile/4/000', 'tile/0/00', 'tile/0/x000/001', 'tile/0/1000', 'tile/0/000.p/256', 'tile/0/000.p/0', 'tile/0/000.p/01', 'tile/0/001/000', 'bundle/x1/000', 'tile/0/000/',
        'tile/entries/x001/x001/x001/x001/x001/x001/000'].map((name) => placeOf(name)), Array(11).fill(null), 'names that are none');
    is([widthAt('tile/0', 273, 70000), widthAt('tile/1', 1, 70000), widthAt('tile/2', 0, 70000), widthAt('bundle', 274, 70000), widthAt('tile/3', 0, 70000)], [112, 17, 1, 0, 0], 'a log of 70,000');
    const leaves = Array.from({ length: 600 }, (_, i) => bytesOfText(`leaf ${i}`));
    const slow = async (from, to) => {
        if (to - from === 1) return leafHash(leaves[from], signing);
        let k = 1;
        while (k * 2 < to - from) k *= 2;
        return nodeHash(await slow(from, from + k), await slow(from + k, to), signing);
    };
    const path = async (index, from, to) => {
        if (to - from === 1) return [];
        let k = 1;
        while (k * 2 < to - from) k *= 2;
        return index < from + k ? [...await path(index, from, from + k), await slow(from + k, to)] : [...await path(index, from + k, to), await slow(from, from + k)];
    };
    const tree = new GrowingTree(signing);
    is(hexOf(await tree.root()), createHash('sha256').digest('hex'), 'the empty tree');
    let good = true;
    for (let n = 1; n <= leaves.length; n++) {
        await tree.push(leaves[n - 1]);
        if (n < 70 || n % 101 === 0 || [256, 512, 600].includes(n)) good &&= hexOf(await tree.root()) === hexOf(await slow(0, n));
    }
    ok(good, 'roots as RFC 6962 defines them');
    const root = hexOf(await slow(0, 77));
    let proofs = 0;
    for (let i = 0; i < 77; i++) {
        const proof = await path(i, 0, 77);
        const leads = async (index, size, hashes) => hexOf(await rootByPath(await leafHash(leaves[i], signing), index, size, hashes, signing) ?? []) === root;
        proofs += await leads(i, 77, proof) && !await leads(i ^ 1, 77, proof) && !await leads(i, 77, proof.slice(1)) && !await leads(i, 77, [...proof, proof[0]]) ? 1 : 0;
    }
    is(proofs, 77, 'inclusion proofs, and not for another place, nor shorter or longer');
}

// ---- TAR ----
function header(name, size, kind = '0', change = (b) => b) {
    const b = Buffer.alloc(512);
    b.write(name, 0, 'latin1');
    b.write('0000644\0', 100);
    b.write(`${size.toString(8).padStart(11, '0')}\0`, 124);
    b.write('        ', 148);
    b.write(kind, 156);
    b.write('ustar\x0000', 257, 'latin1');
    change(b);
    b.write(`${b.reduce((sum, one) => sum + one, 0).toString(8).padStart(6, '0')}\0 `, 148);
    return b;
}

const body = (text) => Buffer.concat([Buffer.from(text, 'latin1'), Buffer.alloc((512 - (text.length % 512)) % 512)]);
const file = (name, text, kind) => Buffer.concat([header(name, text.length, kind), body(text)]);
const tar = (...parts) => Buffer.concat([...parts, Buffer.alloc(1024)]);
const pax = (record) => file('pax', record, 'x');

async function filesOf(bytes) {
    const files = await tarFiles({ size: bytes.length, read: (at, length) => bytes.subarray(at, at + length) });
    return [...files].map(([name, one]) => [name, byteString(one.read())]);
}

async function archives() {
    is(await filesOf(tar(file('./', '', '5'), file('./checkpoint', 'c'), file('a/b', 'xy'), file('a/', '', '5'))), [['checkpoint', 'c'], ['a/b', 'xy']], 'a TAR, names with and without ./');
    is(await filesOf(tar(pax('15 path=a/long\n'), file('short', '1'), file('plain', '2'))), [['a/long', '1'], ['plain', '2']], 'a pax name holds for one file');
    is(await filesOf(tar(file('././@LongLink', `${'n'.repeat(150)}\0`, 'L'), file('short', '1'))), [['n'.repeat(150), '1']], 'a long name of GNU');
    is(await filesOf(tar(file('.hidden', '1'), file('.git/x', '2'), file('a/.b', '', '2'))), [], 'names with a dot are passed over, links too');
    is(await filesOf(file('a', 'x')), [['a', 'x']], 'no zero blocks at the end');
    const bad = {
        'a file twice': tar(file('a', 'x'), file('./a', 'x')),
        'a link': tar(file('a', '', '2')),
        'a device': tar(file('a', '', '3')),
        'an absolute name': tar(file('/a', 'x')),
        'a name that leads out': tar(file('a/../../b', 'x')),
        'a wrong checksum': tar(Buffer.concat([header('a', 1).fill('b', 0, 1), body('x')])),
        'cut in a header': tar(file('a', 'x')).subarray(0, 1024 + 100).fill(1, 1024),
        'cut in a file': file('a', 'x'.repeat(600)).subarray(0, 1000),
        'no TAR': Buffer.from('log'.repeat(400)),
        'a broken pax header': tar(pax('99 path=a\n'), file('a', 'x')),
    };
    for (const [name, bytes] of Object.entries(bad)) ok(await filesOf(bytes).then(() => false, (e) => e instanceof Unusable), `TAR: ${name}`);
}

// ---- leaves, notes, policies, envelopes ----
async function texts() {
    const leaf = block('leaf 1');
    const reads = (text) => readLeaf(bytesOfText(text)) !== null;
    ok(reads(leaf) && reads(block('leaf 0')) && reads(block('leaf 2')), 'the leaves of doc/formats.md');
    for (const [from, to] of [['v1', 'v2'], ['kind bundle', 'kind  bundle'], ['revision 1', 'revision 01'], ['revision 1', 'revision 0'], ['revision 1', 'revision 2147483648'], ['prev -', 'prev'],
        ['branch b-1', 'branch b 1'], [' 559', ' 18446744073709551616'], ['terminal t-1\n', 'terminal t-1'], ['terminal t-1\n', 'terminal t-1\nheld council \n'],
        ['terminal t-1\n', 'terminal t-1\nheld council N02,,N08\n'], ['terminal t-1\n', 'terminal t-1\nx\n'], ['kind bundle', 'kind conflict'], ['key 5', 'key A']]) {
        ok(leaf.includes(from) && !reads(leaf.replace(from, to)), `no leaf: ${JSON.stringify(from)} as ${JSON.stringify(to)}`);
    }
    const sealed = (kind, rest) => leaf.replace('kind bundle', `kind ${kind}`).replace(/branch[^]*key \S+\n/, '').replace(/terminal .*\n/, rest);
    const HASH = 'a'.repeat(64);
    const add = `action add\nterminal t-2\nbranch b-1\nsigning_key ${HASH}\ncertificate ${HASH}\nnot_before 1\nnot_after 2\n`;
    for (const rest of [add, add.replace('branch b-1\n', ''), 'action revoke\nterminal t-1\n', 'action assign\nterminal t-1\nbranch b-1\n', `action rotate\nterminal t-1\ncertificate ${HASH}\n`]) ok(reads(sealed('key', rest)), `a key leaf: ${rest.split('\n')[0]}`);
    for (const rest of [add.replace('not_before 1\n', ''), add.replace('not_before 1', 'not_before 3'), 'action rotate\nterminal t-1\n', 'action rotate\nterminal t-1\nnot_before 1\nnot_after 2\n', 'action revoke\nterminal t-1\nbranch b-1\n',
        'action assign\nterminal t-1\n', 'action make\nterminal t-1\n']) ok(!reads(sealed('key', rest)), `no key leaf: ${JSON.stringify(rest).slice(0, 60)}`);
    ok(reads(sealed('state', 'state closed\nuntil 9\n')) && reads(sealed('state', 'state open\n')) && !reads(sealed('state', 'state shut\n')) && !reads(sealed('state', `state closed\nuntil ${2 ** 40}\n`)), 'state leaves');
    ok(reads(sealed('result', 'scope ir\nat 3\nserial 1\n')) && !reads(sealed('result', 'scope ir\nserial 1\nat 3\n')), 'result leaves');
    const checkpoint = block('checkpoint');
    const notes = (text) => readCheckpoint(bytesOfText(text)) !== null;
    ok(notes(checkpoint), 'the checkpoint of doc/formats.md');
    for (const faulty of [checkpoint.replace('\n2\n', '\n02\n'), checkpoint.replace('\n2\n', '\n4294967296\n'), checkpoint.slice(0, -1), checkpoint.replace('— ', '- '), `${checkpoint}\n`, checkpoint.replaceAll('\n', '\r\n'),
        checkpoint.split('—')[0], checkpoint.replace('PHt', 'PH'), `${checkpoint}${'— x AAAAAAAA\n'.repeat(400)}`]) ok(!notes(faulty), `no checkpoint: ${JSON.stringify(faulty.slice(0, 60))}`);
    const vkey = values.get('log vkey');
    const policy = (text) => readPolicy(bytesOfText(text), signing);
    ok(await policy(`# a\n\n  log ${vkey} https://log.example\t\nquorum none\n`) !== null, 'a policy');
    for (const faulty of [`log ${vkey}\nquorum none`, `log ${vkey}\n`, 'quorum none\n', `log ${vkey}\nquorum none\nquorum none\n`, `log ${vkey}\nquorum w\n`, `log ${vkey.slice(0, -1)}X\nquorum none\n`,
        `log ${vkey}\ngroup g 1 w\nquorum g\n`, `log ${vkey}\nlogs\nquorum none\n`, `log ${vkey}\r\nquorum none\n`, `log ${vkey}\nlog ${vkey}\nquorum none\n`]) ok(await policy(faulty) === null, `no policy: ${JSON.stringify(faulty.slice(-30))}`);
    const envelope = block('envelope');
    const opens = (text) => readEnvelope(bytesOfText(text), { envelope: 2 ** 21, payload: 2 ** 20 }) !== null;
    ok(opens(envelope) && opens(envelope.replace('{', '{"other":[{"a":1,"a":2}],')), 'envelopes, with what is not known');
    for (const [from, to] of [['"sig"', '"si\\u0067"'], ['"payload"', '"payload":"","payload"'], ['"keyid"', '"keyid":"","keyid"'], ['==","payloadType', '=","payloadType'], ['"signatures":[', '"signatures":[],"x":['],
        ['{', `{"x":${'['.repeat(16)}${']'.repeat(16)},`], ['{', `{${Array.from({ length: 30 }, (_, i) => `"k${i}":1,`).join('')}`]]) ok(envelope.includes(from) && !opens(envelope.replace(from, to)), `no envelope: ${from} as ${to.slice(0, 30)}`);
}

// ---- the example of doc/formats.md as an archive ----
const PACKAGES = {
    definition: ['areas.csv', 'ballots.csv', 'branches.csv', 'candidates.csv', 'contests.csv', 'election.json', 'lists.csv', 'signatures.dsse'],
    registry: ['clients.csv', 'officers.csv', 'terminals.csv', 'signatures.dsse'],
};

function records(lengthBytes, ...all) {
    return joinBytes(...all.flatMap((one) => {
        const length = Buffer.alloc(lengthBytes);
        length.writeUIntBE(one.length, 0, lengthBytes);
        return [length, one];
    }));
}

async function guideArchive() {
    const files = new Map();
    const put = (name, bytes) => files.set(name, { size: bytes.length, read: () => bytes });
    for (const [kind, names] of Object.entries(PACKAGES)) for (const name of names) put(`doc/${kind}/${name}`, bytesOfText(block(`${kind}/${name}`)));
    const leaves = ['leaf 0', 'leaf 1'].map((name) => bytesOfText(block(name)));
    put('checkpoint', bytesOfText(block('checkpoint')));
    put('policy', bytesOfText(`log ${values.get('log vkey')}\nquorum none\n`));
    put('tile/entries/000.p/2', records(2, ...leaves));
    put('tile/0/000.p/2', joinBytes(...await Promise.all(leaves.map((leaf) => leafHash(leaf, signing)))));
    put('bundle/000.p/2', records(4, new Uint8Array(0), bytesOfText(block('envelope').trimEnd())));
    const given = { signing, rootKeys: [bytesOfHex(values.get('root key'))], log: null, policy: null, receipts: [{ name: 'receipt.tlog-proof', bytes: bytesOfText(block('receipt')) }], since: [] };
    const report = await verify({ ...given, archive: new Archive(files) });
    is(report.findings, [], 'the example of doc/formats.md is a clean archive');
    is([report.definition, report.registry, report.log?.root], ['definition hash', 'registry hash', 'root hash'].map((name) => values.get(name)), 'with its hashes');
    is(report.contests, [{ contest: 'council', status: 'complete', ballots: 112n, winners: ['a2', 'a1', 'b2'], alternates: ['a3', 'x'], seats: [['A', 2], ['B', 1], ['pool', 0]],
        result: report.contests[0]?.result, withheld: 0 }], 'and its outcome is that of doc/methods.md, E9');
    const other = await verify({ ...given, archive: new Archive(files), rootKeys: [bytesOfHex(values.get('log key'))] });
    is(other.findings.map(({ check, at }) => `${check} ${at}`), ['package.signature doc/definition', 'package.signature doc/registry'], 'with another root key nothing is believed');
    is([other.units, other.contests], [null, []], 'nor counted');
}

bytesAndNames();
documents();
await signatures();
await trees();
await archives();
await texts();
await guideArchive();
done();
