// SPDX-License-Identifier: Apache-2.0
// The two packages of an archive: their files, hash and signatures (doc/formats.md, "Packages").
import { readDefinition } from './definition.mjs';
import { TYPE_PACKAGE, paeOf, readEnvelope } from './envelope.mjs';
import { JsonText, readObject, withPlainKeys } from './json.mjs';
import { readRegistry } from './registry.mjs';
import { bytesOfText } from './bytes.mjs';

const FILES = {
    definition: ['areas.csv', 'ballots.csv', 'branches.csv', 'candidates.csv', 'contests.csv', 'election.json', 'lists.csv'],
    registry: ['clients.csv', 'officers.csv', 'terminals.csv'],
};
const SIGNATURES = 'signatures.dsse';
const SIGNATURES_MAX = 64 * 1024;
const SIGNED_MAX = 1024;

/** What one package is: {hash, content} (null: unknown), and whether it is good. */
class Package {
    constructor(kind, run) {
        this.kind = kind;
        this.run = run;
        this.at = `doc/${kind}`;
        this.hash = null;
        this.content = null;
        this.good = true;
    }

    found(check, at = this.at) {
        this.good = false;
        this.run.findings.add(check, at);
    }

    path(file) {
        return `${this.at}/${file}`;
    }

    /** Bytes of the files by name; null: the package is not complete. */
    async read() {
        const { archive } = this.run;
        const names = [...FILES[this.kind], SIGNATURES];
        for (const name of archive.names()) {
            if (name.startsWith(`${this.at}/`) && !names.includes(name.slice(this.at.length + 1))) this.found('package.files', name);
        }
        let complete = true;
        for (const file of names) {
            const missing = !archive.has(this.path(file));
            if (missing) this.found('package.files', this.path(file));
            else if (archive.tooLarge(this.path(file))) this.found('file.size', this.path(file));
            else continue;
            complete &&= file === SIGNATURES;
        }
        if (!complete) return null;
        const files = {};
        for (const file of FILES[this.kind]) files[file] = await archive.read(this.path(file));
        return files;
    }

    async hashOf(files) {
        let text = '';
        for (const file of FILES[this.kind]) text += `${await this.run.signing.sha256Hex(files[file])}  ${file}\n`;
        return this.run.signing.sha256Hex(bytesOfText(text));
    }

    /** head: the definition, where it is known. */
    async checkSignatures(head) {
        const { archive, signing, rootKeys } = this.run;
        const path = this.path(SIGNATURES);
        if (!archive.has(path) || archive.tooLarge(path)) return;
        const envelope = readSignedEnvelope(await archive.read(path));
        const signed = envelope === null ? null : readSigned(envelope.payload, this.kind);
        if (signed === null) {
            this.found('package.signature');
            return;
        }
        if (this.hash !== null && signed.hash !== this.hash) this.found('package.hash');
        let signers = 0;
        for (const key of rootKeys) {
            const all = await Promise.all(envelope.signatures.map(({ sig }) => signing.verify(key, paeOf(envelope), sig)));
            signers += all.includes(true) ? 1 : 0;
        }
        const wanted = head === null ? 1 : head.policy.root;
        if (signers < wanted || (head !== null && signed.election !== head.election)) this.found('package.signature');
    }
}

function readSignedEnvelope(bytes) {
    if (bytes.length > SIGNATURES_MAX) return null;
    let end = bytes.length;
    while (end > 0 && bytes[end - 1] === 0x0a) end--;
    const envelope = readEnvelope(bytes.subarray(0, end), { envelope: SIGNATURES_MAX, payload: SIGNED_MAX });
    return envelope !== null && envelope.type === TYPE_PACKAGE ? envelope : null;
}

/** The signed words, whatever their spelling. */
function readSigned(payload, kind) {
    const raw = readObject(payload, 16);
    const object = raw === null ? null : withPlainKeys(raw);
    if (object === null || !object.hasExactly(['package', 'election', 'hash'])) return null;
    const [name, election, hash] = ['package', 'election', 'hash'].map((key) => object.get(key));
    if (![name, election, hash].every((one) => one instanceof JsonText) || name.text !== kind) return null;
    return { election: election.text, hash: hash.text };
}

/** run: {archive, signing, rootKeys, findings}.  Both packages; `content` is what was read of a faultless one. */
export async function checkPackages(run) {
    const definition = new Package('definition', run);
    const registry = new Package('registry', run);
    const files = { definition: await definition.read(), registry: await registry.read() };
    if (files.definition !== null) {
        definition.hash = await definition.hashOf(files.definition);
        definition.content = readDefinition(files.definition);
        if (definition.content === null) definition.found('package.content');
    }
    if (files.registry !== null) {
        registry.hash = await registry.hashOf(files.registry);
        if (definition.content !== null) {
            registry.content = await readRegistry(files.registry, definition.content, run.signing);
            if (registry.content === null) registry.found('package.content');
        }
    }
    await definition.checkSignatures(definition.content);
    await registry.checkSignatures(definition.content);
    return { definition, registry };
}
