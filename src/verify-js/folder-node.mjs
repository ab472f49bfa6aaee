// SPDX-License-Identifier: Apache-2.0
// Folders and files of the disk, by Node.
import { closeSync, openSync, readFileSync, readSync, readdirSync, statSync } from 'node:fs';
import { Archive, archiveOfTar } from './archive.mjs';
import { Unusable } from './unusable.mjs';

const SLASH = Buffer.from('/');

function walk(folder, prefix, files) {
    for (const entry of readdirSync(folder, { withFileTypes: true, encoding: 'buffer' })) {
        const name = prefix + entry.name.toString('latin1');
        if (entry.name[0] === 0x2e) continue;
        const path = Buffer.concat([folder, SLASH, entry.name]);
        if (entry.isDirectory()) walk(path, `${name}/`, files);
        else if (entry.isFile()) files.set(name, { size: statSync(path).size, read: () => readFileSync(path) });
        else throw new Unusable(`"${name}" is neither a file nor a folder: give the published folder itself, or a copy of it`);
    }
}

/** A file that is read in pieces. */
function pieces(path) {
    const fd = openSync(path, 'r');
    return {
        size: statSync(path).size,
        close: () => closeSync(fd),
        read(at, length) {
            const out = new Uint8Array(length);
            for (let have = 0; have < length;) {
                const n = readSync(fd, out, have, length - have, at + have);
                if (n === 0) throw new Unusable(`${path} became shorter while it was read`);
                have += n;
            }
            return out;
        },
    };
}

export async function openArchive(path) {
    let kind;
    try {
        kind = statSync(path);
    } catch (e) {
        throw new Unusable(`${path} cannot be read (${e.code}): give the published folder, or a TAR of it`);
    }
    if (kind.isDirectory()) {
        const files = new Map();
        try {
            walk(Buffer.from(path), '', files);
        } catch (e) {
            if (e instanceof Unusable || e.code === undefined) throw e;
            throw new Unusable(`${path} cannot be read (${e.code} at ${e.path})`);
        }
        return new Archive(files);
    }
    if (!kind.isFile()) throw new Unusable(`${path} is neither a folder nor a TAR`);
    return archiveOfTar(pieces(path));
}
