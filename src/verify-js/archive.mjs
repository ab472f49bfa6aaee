// SPDX-License-Identifier: Apache-2.0
// An archive: names (byte strings) and what reads their bytes.  Where it comes from (folder, TAR,
// a browser's files) only its maker knows.
import { tarFiles } from './tar.mjs';
import { Unusable } from './unusable.mjs';

const MIB = 2 ** 20;

const mostBytes = (name) => (/^doc\/(definition|registry)\//.test(name) ? 512 : 64) * MIB;

export class Archive {
    /** files: Map of name to {size, read()}; read() gives all bytes, or promises them. */
    constructor(files) {
        if (!files.has('checkpoint')) throw new Unusable('there is no file "checkpoint": give the published folder, or a TAR of what is in it');
        this.files = files;
    }

    has(name) {
        return this.files.has(name);
    }

    names() {
        return this.files.keys();
    }

    sizeOf(name) {
        return this.files.get(name).size;
    }

    tooLarge(name) {
        return this.sizeOf(name) > mostBytes(name);
    }

    read(name) {
        return this.files.get(name).read();
    }
}

/** source: {size, read(at, length)} of a TAR. */
export const archiveOfTar = async (source) => new Archive(await tarFiles(source));
