#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
// The verifier as a program.  It shares no code with the daemon, nor with tally-verify in C.
import { readFileSync, readdirSync, writeSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { byteString, bytesOfByteString, compareText } from './bytes.mjs';
import { nodeCrypto, publicKeyOfPem } from './crypto-node.mjs';
import { openArchive } from './folder-node.mjs';
import { TYPE_LOG, readPolicy, readVkey, sameVkey } from './note.mjs';
import { reportLine } from './report.mjs';
import { Signing } from './signing.mjs';
import { reportText } from './text.mjs';
import { Unusable } from './unusable.mjs';
import { verify } from './verify.mjs';

const HELP = `Usage: tally-verify.mjs DIR|TAR --root-key FILE... [OPTION]...

Checks a published log (the folder, or a TAR of what is in it) without its daemon: packages, signatures,
the tree, every envelope, every decision; and counts it again.  Says everything that is wrong.

  --root-key FILE     a root key, public or private PEM; needed, up to 4 times
  --log VKEY          the log's key as printed on paper; else the archive's own word is taken
  --policy FILE       log, witnesses and quorum to believe in place of the archive's policy
  --receipts DIR      every *.tlog-proof in it must stand in the log
  --since FILE        an older checkpoint or receipt that the log must continue; many times
  --json              the report as one line of JSON (doc/verifying.md)
  --help

Exit status: 0 clean, 1 findings, 2 unusable input or usage (nothing is printed but why).
`;

const OPTIONS = {
    'root-key': { type: 'string', multiple: true },
    log: { type: 'string' },
    policy: { type: 'string' },
    receipts: { type: 'string' },
    since: { type: 'string', multiple: true },
    json: { type: 'boolean' },
    help: { type: 'boolean' },
};
const ROOT_KEYS_MAX = 4;

function options() {
    try {
        return parseArgs({ options: OPTIONS, allowPositionals: true });
    } catch (e) {
        throw new Unusable(`${e.message.split('\n')[0].replace(/\.? To specify .*/, '')} (--help tells the options)`);
    }
}

function readOption(path, option) {
    try {
        return readFileSync(path);
    } catch (e) {
        throw new Unusable(`${option} ${path} cannot be read (${e.code}): give a file`);
    }
}

function rootKeyOf(path) {
    const key = publicKeyOfPem(readOption(path, '--root-key').toString('latin1'));
    if (key === null) throw new Unusable(`--root-key ${path} is no Ed25519 key in PEM: give the commission's root key`);
    return key;
}

const baseName = (path) => byteString(Buffer.from(path.slice(path.lastIndexOf('/') + 1)));

function receiptsIn(folder) {
    let entries;
    try {
        entries = readdirSync(folder, { withFileTypes: true, encoding: 'buffer' });
    } catch (e) {
        throw new Unusable(`--receipts ${folder} cannot be read (${e.code}): give a folder`);
    }
    return entries.filter((entry) => entry.isFile())
        .map((entry) => ({ name: entry.name.toString('latin1'), path: Buffer.concat([Buffer.from(`${folder}/`), entry.name]) }))
        .filter(({ name }) => name.endsWith('.tlog-proof') && !name.startsWith('.'))
        .sort((a, b) => compareText(a.name, b.name))
        .map(({ name, path }) => ({ name, bytes: readOption(path, '--receipts') }));
}

async function keysOf(values, signing) {
    const out = { log: null, policy: null };
    if (values.log !== undefined) {
        out.log = await readVkey(values.log, TYPE_LOG, signing);
        if (out.log === null) throw new Unusable('--log is no key of a log: give NAME+ID+KEY as printed');
    }
    if (values.policy !== undefined) {
        out.policy = await readPolicy(readOption(values.policy, '--policy'), signing);
        if (out.policy === null) throw new Unusable(`--policy ${values.policy} is no policy with exactly one log: compare it with doc/witnesses.md`);
    }
    if (out.log !== null && out.policy !== null && !sameVkey(out.log, out.policy.log)) {
        throw new Unusable('--log and --policy name different logs: leave one of them out');
    }
    return out;
}

/** The share that is done, on a terminal. */
function showProgress(done, all) {
    if (process.stderr.isTTY) process.stderr.write(`\r${Math.floor((100 * done) / all)} %${done === all ? '\n' : ''}`);
}

function print(bytes) {
    for (let at = 0; at < bytes.length;) {
        try {
            at += writeSync(1, bytes, at);
        } catch (e) {
            if (e.code !== 'EAGAIN') throw e;
        }
    }
}

async function main() {
    const { values, positionals } = options();
    if (values.help) {
        process.stdout.write(HELP);
        return 0;
    }
    if (positionals.length !== 1) throw new Unusable('give one folder or TAR (--help tells the options)');
    const roots = values['root-key'] ?? [];
    if (roots.length < 1 || roots.length > ROOT_KEYS_MAX) throw new Unusable(`give 1 to ${ROOT_KEYS_MAX} --root-key (--help tells the options)`);
    const signing = new Signing(nodeCrypto);
    const given = {
        signing,
        rootKeys: differentKeys(roots.map(rootKeyOf)),
        ...await keysOf(values, signing),
        receipts: values.receipts === undefined ? [] : receiptsIn(values.receipts),
        since: (values.since ?? []).map((path) => ({ name: baseName(path), bytes: readOption(path, '--since') })),
        archive: await openArchive(positionals[0]),
        progress: showProgress,
    };
    const report = await verify(given);
    print(bytesOfByteString(values.json ? reportLine(report) : reportText(report)));
    return report.verdict === 'clean' ? 0 : 1;
}

const differentKeys = (keys) => [...new Map(keys.map((key) => [byteString(key), key])).values()];

try {
    process.exitCode = await main();
} catch (e) {
    if (!(e instanceof Unusable)) throw e;
    process.stderr.write(`tally-verify.mjs: ${e.message}\n`);
    process.exitCode = 2;
}
