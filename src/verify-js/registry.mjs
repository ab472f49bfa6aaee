// SPDX-License-Identifier: Apache-2.0
// The registry: who may speak (doc/formats.md, "registry/"), and what `key` decisions make of it.
import { bytesOfHex, isHex64 } from './bytes.mjs';
import { addOnce, rowsOf, time } from './definition.mjs';
import { must, orNull } from './fault.mjs';
import { ROLES } from './rules.mjs';
import { areProperKeys } from './subgroup.mjs';

const COLUMNS = {
    'clients.csv': ['client', 'role', 'area', 'certificate', 'not_before', 'not_after', 'name'],
    'officers.csv': ['officer', 'role', 'area', 'signing_key', 'name'],
    'terminals.csv': ['terminal', 'branch', 'signing_key', 'certificate', 'not_before', 'not_after', 'state'],
};
const CLIENT_ROLES = ['relay', 'dashboard', 'observer', 'officer', 'auditor', 'operator', 'witness'];

/** Terminals by code as they stand now; officers; every key and certificate that anybody has or had. */
export class Registry {
    constructor() {
        this.terminals = new Map();
        this.officers = new Map();
        this.officersByKeyId = new Map();
        this.keys = new Set();
        this.certificates = new Set();
        this.terminalKeys = new Map(); // key id: public key, of all keys that terminals have or had
    }

    /** One that `key` decisions can change beside this one. */
    copy() {
        const out = new Registry();
        Object.assign(out, this, { terminals: new Map(this.terminals), keys: new Set(this.keys), certificates: new Set(this.certificates),
            terminalKeys: new Map(this.terminalKeys) });
        return out;
    }

    async addTerminalKey(hex, signing) {
        const key = bytesOfHex(hex);
        const id = await signing.sha256Hex(key);
        this.terminalKeys.set(id, key);
        return id;
    }
}

function addNew(set, hash) {
    must(isHex64(hash) && !set.has(hash));
    set.add(hash);
}

function dates(before, after) {
    const out = [time(before), time(after)];
    must(out[0] <= out[1]);
    return out;
}

function readRows(registry, files, d) {
    const certificates = registry.certificates;
    for (const [code, branch, key, certificate, before, after, state] of rowsOf(files, 'terminals.csv', COLUMNS['terminals.csv'])) {
        must(branch === '' || d.branches.has(branch));
        must(state === 'active' || state === 'revoked');
        addNew(registry.keys, key);
        addNew(certificates, certificate);
        const [notBefore, notAfter] = dates(before, after);
        addOnce(registry.terminals, code, {
            code, branch: branch === '' ? null : branch, key, keyId: null, notBefore, notAfter, revoked: state === 'revoked', changed: 0,
        });
    }
    for (const [code, role, area, key] of rowsOf(files, 'officers.csv', COLUMNS['officers.csv'])) {
        must(ROLES.includes(role) && d.areas.has(area));
        addNew(registry.keys, key);
        addOnce(registry.officers, code, { code, role, area, key: bytesOfHex(key) });
    }
    const clients = new Map();
    for (const [code, role, area, certificate, before, after] of rowsOf(files, 'clients.csv', COLUMNS['clients.csv'])) {
        must(CLIENT_ROLES.includes(role) && d.areas.has(area));
        addNew(certificates, certificate);
        dates(before, after);
        addOnce(clients, code, true);
    }
}

/** A registry without a fault; null: it has one. */
export async function readRegistry(files, d, signing) {
    const registry = orNull(() => {
        const out = new Registry();
        readRows(out, files, d);
        must(areProperKeys([...out.keys].map(bytesOfHex)));
        return out;
    });
    if (registry === null) return null;
    for (const terminal of registry.terminals.values()) terminal.keyId = await registry.addTerminalKey(terminal.key, signing);
    for (const officer of registry.officers.values()) registry.officersByKeyId.set(await signing.sha256Hex(officer.key), officer);
    return registry;
}
