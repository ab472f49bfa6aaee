#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
// Makes of these modules what is handed out: tally-verify.mjs, one file for Node, and tally-verify.html, one page
// that needs no network.  Usage: build.mjs FOLDER
//
// Each module becomes a function that gives its exports, in the order in which they need each other.
// It knows the forms of import and export that stand here and refuses others.
import { createHash } from 'node:crypto';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const HERE = dirname(fileURLToPath(import.meta.url));
const IMPORT = /^import \{([^}]*)\} from '([^']+)';$/gm;
const EXPORT = /^export (?=(?:const|class|(?:async )?function\*?) (\w+))/gm;

const nameOf = (path) => `m_${relative(HERE, path).replace(/\.mjs$/, '').replace(/\W/g, '_')}`;
const nodeName = (specifier) => specifier.replace(/\W/g, '_');

class Bundle {
    constructor() {
        this.done = new Map(); // path: text, '' while its imports are read
        this.builtins = new Set();
    }

    /** The module's text with its imports as constants, and the names that it exports. */
    read(path) {
        const exported = [];
        const text = readFileSync(path, 'utf8').replace(/^#!.*\n/, '').replace(/^\/\/ SPDX.*\n/, '')
            .replace(IMPORT, (_, names, from) => {
                if (from.startsWith('node:')) this.builtins.add(from);
                else this.add(join(dirname(path), from));
                return `const {${names}} = ${from.startsWith('node:') ? nodeName(from) : nameOf(join(dirname(path), from))};`;
            })
            .replace(EXPORT, (_, name) => {
                exported.push(name);
                return '';
            });
        const odd = /^(?:import|export) .*/m.exec(text);
        if (odd !== null) throw new Error(`${path}: cannot bundle "${odd[0]}"`);
        return { text, exported };
    }

    add(path) {
        if (this.done.get(path) === '') throw new Error(`${path} imports itself, in a circle`);
        if (this.done.has(path)) return;
        this.done.set(path, '');
        const { text, exported } = this.read(path);
        this.done.delete(path); // and behind those that it needs
        this.done.set(path, `const ${nameOf(path)} = (() => {\n${text}return { ${exported.join(', ')} };\n})();\n`);
    }

    /** All of it; the entry's own text stands last, outside of any function. */
    of(entry) {
        const { text } = this.read(join(HERE, entry));
        const builtins = [...this.builtins].sort().map((from) => `import * as ${nodeName(from)} from '${from}';\n`);
        return `${builtins.join('')}${[...this.done.values()].join('\n')}\n${text}`;
    }
}

const sourceHash = (text) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

function page() {
    const script = new Bundle().of('page.mjs');
    if (script.includes('</script')) throw new Error('the script ends its own element');
    const style = readFileSync(join(HERE, 'page.css'), 'utf8');
    const policy = `default-src 'none'; script-src ${sourceHash(script)}; style-src ${sourceHash(style)}; base-uri 'none'; form-action 'none'`;
    const parts = { POLICY: policy, STYLE: style, SCRIPT: script };
    return readFileSync(join(HERE, 'page.html'), 'utf8').replace(/@(POLICY|STYLE|SCRIPT)@/g, (_, name) => parts[name]);
}

const [folder, ...more] = process.argv.slice(2);
if (folder === undefined || more.length > 0 || folder.startsWith('-')) {
    process.stderr.write('Usage: build.mjs FOLDER\n');
    process.exitCode = 2;
} else {
    const program = join(folder, 'tally-verify.mjs');
    writeFileSync(program, `#!/usr/bin/env node\n// SPDX-License-Identifier: Apache-2.0\n${new Bundle().of('tally-verify.mjs')}`);
    chmodSync(program, 0o755);
    writeFileSync(join(folder, 'tally-verify.html'), page());
}
