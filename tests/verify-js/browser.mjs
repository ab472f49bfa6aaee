#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
// The page tally-verify.html in a real Chromium, as a person uses it (TAP): files are given to its inputs, the button is
// pressed, the JSON is downloaded and compared with what the program prints.
//
//     browser.mjs CHROMIUM PAGE PROGRAM ELECTION DAMAGED TMP
//
// PROGRAM: tally-verify.mjs; ELECTION: a folder with log/, keys/, receipts/, since.note; DAMAGED: an archive with
// findings; TMP: an empty folder.  The browser is driven by its debugging protocol through a pair of pipes: no
// library is needed for that.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const [chromium, page, program, election, damaged, tmp] = process.argv.slice(2).map((arg, i) => (i === 0 ? arg : resolve(arg)));
const DEADLINE_MS = 120000;

// ---- TAP ----
let run = 0;
let bad = 0;
function ok(good, name, why = '') {
    run++;
    if (!good) bad++;
    process.stdout.write(`${good ? 'ok' : 'not ok'} ${run} - ${name}\n${good || why === '' ? '' : `# ${String(why).replaceAll('\n', '\n# ').slice(0, 2000)}\n`}`);
}

// ---- the debugging protocol: JSON behind a NUL, commands in on 3, answers and events out on 4 ----
class Browser {
    constructor() {
        mkdirSync(join(tmp, 'profile'), { recursive: true });
        this.process = spawn(chromium, ['--headless=new', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run',
            '--remote-debugging-pipe', `--user-data-dir=${join(tmp, 'profile')}`, 'about:blank'],
        { stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'], env: { ...process.env, HOME: tmp } });
        this.next = 1;
        this.waiting = new Map();
        this.events = [];
        let have = Buffer.alloc(0);
        this.process.stdio[4].on('data', (data) => {
            have = Buffer.concat([have, data]);
            for (let end = have.indexOf(0); end >= 0; end = have.indexOf(0)) {
                this.take(JSON.parse(have.subarray(0, end).toString()));
                have = have.subarray(end + 1);
            }
        });
        this.gone = new Promise((_, reject) => { this.process.on('exit', (code) => reject(new Error(`the browser ended with ${code}`))); });
        this.gone.catch(() => {});
    }

    take(message) {
        const answer = this.waiting.get(message.id);
        if (answer === undefined) this.events.push(message);
        else if (message.error) answer.reject(new Error(JSON.stringify(message.error)));
        else answer.resolve(message.result);
        this.waiting.delete(message.id);
    }

    send(method, params = {}, sessionId = undefined) {
        const id = this.next++;
        const answer = new Promise((resolveIt, reject) => { this.waiting.set(id, { resolve: resolveIt, reject }); });
        this.process.stdio[3].write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
        return Promise.race([answer, this.gone]);
    }

    async close() {
        await this.send('Browser.close').catch(() => {});
        await this.gone.catch(() => {});
    }
}

async function until(what, name) {
    const end = Date.now() + DEADLINE_MS;
    for (;;) {
        const got = await what();
        if (got) return got;
        if (Date.now() > end) throw new Error(`waited in vain for ${name}`);
        await new Promise((resolveIt) => { setTimeout(resolveIt, 50); });
    }
}

/** The page in a tab of its own. */
class Tab {
    static async open(browser, before = '') {
        const { targetId } = await browser.send('Target.createTarget', { url: 'about:blank' });
        const { sessionId } = await browser.send('Target.attachToTarget', { targetId, flatten: true });
        const tab = new Tab();
        Object.assign(tab, { browser, sessionId, targetId });
        for (const domain of ['Page', 'DOM', 'Runtime', 'Network', 'Log']) await tab.send(`${domain}.enable`);
        if (before !== '') await tab.send('Page.addScriptToEvaluateOnNewDocument', { source: before });
        await tab.send('Page.navigate', { url: pathToFileURL(page).href });
        await until(() => tab.state(), 'the page');
        return tab;
    }

    send(method, params) {
        return this.browser.send(method, params, this.sessionId);
    }

    async value(expression) {
        const { result, exceptionDetails } = await this.send('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true });
        if (exceptionDetails) throw new Error(JSON.stringify(exceptionDetails));
        return result.value;
    }

    state() {
        return this.value('document.body?.dataset.state ?? null');
    }

    async files(id, ...paths) {
        const { root } = await this.send('DOM.getDocument', {});
        const { nodeId } = await this.send('DOM.querySelector', { nodeId: root.nodeId, selector: `#${id}` });
        await this.send('DOM.setFileInputFiles', { nodeId, files: paths });
    }

    /** Presses the button; gives the state that it ends in. */
    async verify() {
        await this.value('document.getElementById("go").click()');
        return until(async () => {
            const state = await this.state();
            return state === 'busy' ? null : state;
        }, 'a report');
    }

    async downloaded(name) {
        const folder = join(tmp, name);
        mkdirSync(folder);
        await this.browser.send('Browser.setDownloadBehavior', { behavior: 'allow', downloadPath: folder });
        await this.value('document.getElementById("json").click()');
        await until(() => existsSync(join(folder, 'tally-verify.json')) && !readdirSync(folder).some((one) => one.endsWith('.crdownload')), 'the download');
        return readFileSync(join(folder, 'tally-verify.json'));
    }

    text(selector) {
        return this.value(`document.querySelector(${JSON.stringify(selector)})?.innerText ?? ''`);
    }
}

const rootKey = join(tmp, 'root.pem');
function printed(archive, ...more) {
    return spawnSync(process.execPath, [program, archive, '--json', '--root-key', rootKey, ...more], { maxBuffer: 2 ** 28 }).stdout;
}

function prepare() {
    const key = spawnSync('openssl', ['pkey', '-in', join(election, 'keys/root.key'), '-pubout', '-out', rootKey]);
    if (key.status !== 0) throw new Error(String(key.stderr));
    const tar = spawnSync('tar', ['-cf', join(tmp, 'log.tar'), '-C', join(election, 'log'), '.']);
    if (tar.status !== 0) throw new Error(String(tar.stderr));
}

async function ofFolder(browser) {
    const tab = await Tab.open(browser);
    ok(await tab.state() === 'ready', 'the page is ready: this browser knows Ed25519');
    ok(await tab.value('document.documentElement.dir') === 'rtl', 'Persian first');
    await tab.files('folder', join(election, 'log'));
    await tab.files('root', rootKey);
    const receipts = readdirSync(join(election, 'receipts')).map((name) => join(election, 'receipts', name));
    await tab.files('receipts', ...receipts);
    await tab.files('since', join(election, 'since.note'));
    ok(await tab.verify() === 'clean', 'a clean archive, as a folder, with receipts and an older head', await tab.text('#report'));
    const want = printed(join(election, 'log'), '--receipts', join(election, 'receipts'), '--since', join(election, 'since.note'));
    ok(want.length > 1000 && want.equals(await tab.downloaded('one')), 'the JSON that is downloaded is what the program prints');
    const verdict = await tab.text('#verdict');
    ok(/پاک/.test(verdict) && /Clean/.test(verdict), 'it says so in both languages', verdict);
    ok(await tab.value('document.querySelectorAll("#contests tr").length') > 10, 'the contests are shown');
    const foreign = browser.events.filter(({ method, params }) => method === 'Network.requestWillBeSent' && !/^(?:file|blob|data|about):/.test(params.request.url));
    ok(foreign.length === 0, 'nothing was asked of any network', JSON.stringify(foreign));
    const blocked = await tab.value('fetch("https://log.example/").then(() => "answered", () => "refused")');
    await until(() => browser.events.some(({ params }) => /Content Security Policy/.test(JSON.stringify(params ?? {}))), 'the policy\'s word');
    ok(blocked === 'refused', 'and the page\'s own policy would refuse it');
}

async function ofTar(browser) {
    const tab = await Tab.open(browser);
    await tab.files('tar', join(tmp, 'log.tar'));
    await tab.value(`document.getElementById('pem').value = ${JSON.stringify(readFileSync(rootKey, 'latin1'))}`);
    ok(await tab.verify() === 'clean', 'a TAR, and the key as text', await tab.text('#report'));
    ok(printed(join(tmp, 'log.tar')).equals(await tab.downloaded('two')), 'the same bytes');
}

async function ofDamaged(browser) {
    const tab = await Tab.open(browser);
    await tab.files('folder', damaged);
    await tab.files('root', rootKey);
    ok(await tab.verify() === 'findings', 'a damaged archive has findings', await tab.text('#report'));
    ok(printed(damaged).equals(await tab.downloaded('three')), 'the same bytes');
    const report = await tab.text('.finding');
    ok(/Do: /.test(report) && /چاره: /.test(report), 'each with what to do, in both languages', report);
}

async function refused(browser) {
    const tab = await Tab.open(browser);
    await tab.files('root', rootKey);
    ok(await tab.verify() === 'unusable' && /no archive/.test(await tab.text('#verdict')), 'no archive: says so');
    await tab.files('tar', rootKey);
    ok(await tab.verify() === 'unusable' && /TAR/.test(await tab.text('#verdict')), 'a file that is no TAR: says so', await tab.text('#verdict'));
    await tab.files('tar', join(tmp, 'log.tar'));
    await tab.files('root', join(election, 'keys/root.key'));
    ok(await tab.verify() === 'unusable' && /public Ed25519 key/.test(await tab.text('#verdict')), 'a private key is not taken', await tab.text('#verdict'));
    const old = await Tab.open(browser, 'crypto.subtle.importKey = async () => { throw new DOMException("no such algorithm", "NotSupportedError"); };');
    ok(await old.state() === 'lacking' && /Ed25519/.test(await old.text('#lacking')), 'a browser without Ed25519: the page says so', await old.state());
    ok(await old.value('document.getElementById("go").disabled'), 'and verifies nothing');
}

prepare();
const browser = new Browser();
try {
    for (const part of [ofFolder, ofTar, ofDamaged, refused]) await part(browser);
} catch (e) {
    ok(false, 'the browser does what it is told', e.stack);
}
await browser.close();
process.stdout.write(`1..${run}\n`);
writeFileSync(join(tmp, 'done'), '');
process.exitCode = bad > 0 ? 1 : 0;
