// SPDX-License-Identifier: Apache-2.0
// The page: takes files, shows the report.  Nothing is ever put in as HTML.
import { Archive, archiveOfTar } from './archive.mjs';
import { byteString, bytesOfByteString, bytesOfText, compareText, textOf } from './bytes.mjs';
import { canVerify, publicKeyOfPublicPem, webCrypto } from './crypto-web.mjs';
import { TYPE_LOG, readPolicy, readVkey, sameVkey } from './note.mjs';
import { reportLine } from './report.mjs';
import { Signing } from './signing.mjs';
import { byCheck } from './text.mjs';
import { TEXTS } from './texts.mjs';
import { Unusable } from './unusable.mjs';
import { verify } from './verify.mjs';

const ROOT_KEYS_MAX = 4;
const SHOWN_EACH = 100;

const $ = (id) => document.getElementById(id);

function element(name, attributes, ...children) {
    const out = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) out.setAttribute(key, value);
    out.append(...children);
    return out;
}

const both = (fa, en) => [fa, element('span', { lang: 'en', dir: 'ltr' }, en)];
const code = (text) => element('code', {}, text);
/** A byte string, for people. */
const shown = (name) => textOf(bytesOfByteString(name)) ?? name;

// ---- the archive ----

const bytesOf = async (blob) => new Uint8Array(await blob.arrayBuffer());
const fileOf = (file) => ({ size: file.size, read: () => bytesOf(file) });
const isDotName = (name) => name.split('/').some((part) => part.startsWith('.'));

function archiveOfFiles(named) {
    const files = new Map();
    for (const { name, file } of named) if (!isDotName(name)) files.set(byteString(bytesOfText(name)), fileOf(file));
    return new Archive(files);
}

const openTar = (file) => archiveOfTar({ size: file.size, read: (at, length) => bytesOf(file.slice(at, at + length)) });

/** Of a chosen folder: names behind the folder's own. */
const inFolder = (files) => [...files].map((file) => ({ name: file.webkitRelativePath.split('/').slice(1).join('/'), file }));

const promised = (call) => new Promise((resolve, reject) => { call(resolve, reject); });

/** Of a dropped folder, which gives at most 100 entries at a time. */
async function walk(folder, prefix, out) {
    const reader = folder.createReader();
    for (;;) {
        const some = await promised((resolve, reject) => { reader.readEntries(resolve, reject); });
        if (some.length === 0) return out;
        for (const entry of some) {
            if (entry.isDirectory) await walk(entry, `${prefix}${entry.name}/`, out);
            else out.push({ name: prefix + entry.name, file: await promised((resolve, reject) => { entry.file(resolve, reject); }) });
        }
    }
}

let dropped = null; // a file system entry

async function openGiven() {
    if (dropped !== null) {
        if (dropped.isDirectory) return archiveOfFiles(await walk(dropped, '', []));
        return openTar(await promised((resolve, reject) => { dropped.file(resolve, reject); }));
    }
    if ($('tar').files.length > 0) return openTar($('tar').files[0]);
    if ($('folder').files.length > 0) return archiveOfFiles(inFolder($('folder').files));
    throw new Unusable('no archive was given');
}

// ---- the other inputs ----

async function rootKeys() {
    const texts = [...await Promise.all([...$('root').files].map((file) => file.text())), ...$('pem').value.match(/-----BEGIN[^]*?-----END[^\n]*/g) ?? []];
    const keys = new Map();
    for (const text of texts) {
        const key = publicKeyOfPublicPem(text);
        if (key === null) throw new Unusable('a root key is not a public Ed25519 key in PEM (BEGIN PUBLIC KEY)');
        keys.set(byteString(key), key);
    }
    if (keys.size < 1 || texts.length > ROOT_KEYS_MAX) throw new Unusable(`give 1 to ${ROOT_KEYS_MAX} root keys`);
    return [...keys.values()];
}

const named = async (files) => Promise.all([...files].map(async (file) => ({ name: byteString(bytesOfText(file.name)), bytes: await bytesOf(file) })));

async function given(signing) {
    const log = $('log').value.trim() === '' ? null : await readVkey($('log').value.trim(), TYPE_LOG, signing);
    if ($('log').value.trim() !== '' && log === null) throw new Unusable('this is no key of a log: NAME+ID+KEY as printed');
    const policy = $('policy').files.length === 0 ? null : await readPolicy(await bytesOf($('policy').files[0]), signing);
    if ($('policy').files.length > 0 && policy === null) throw new Unusable('the policy is none with exactly one log');
    if (log !== null && policy !== null && !sameVkey(log, policy.log)) throw new Unusable('the key and the policy name different logs');
    return {
        signing, log, policy, rootKeys: await rootKeys(), archive: await openGiven(),
        receipts: (await named($('receipts').files)).filter(({ name }) => name.endsWith('.tlog-proof')).sort((a, b) => compareText(a.name, b.name)),
        since: await named($('since').files),
        // Each step lets the browser show it.
        async progress(done, all) {
            Object.assign($('progress'), { value: done, max: all });
            await promised((resolve) => { setTimeout(resolve); });
        },
    };
}

// ---- the report ----

function facts({ log, election, phase, units, checked, definition, registry }) {
    const rows = [['انتخابات', 'Election', election === null ? '–' : `${election} (${phase})`]];
    if (log !== null) rows.push(['دفتر', 'Log', log.origin], ['ثبت‌ها', 'Entries', String(log.size)], ['ریشه', 'Root', log.root]);
    rows.push(['درهم‌ساز تعریف', 'Definition', definition ?? '–'], ['درهم‌ساز فهرست', 'Registry', registry ?? '–']);
    rows.push(['سنجیده', 'Checked', Object.entries(checked).map(([key, n]) => `${key} ${n}`).join(', ')]);
    if (units !== null) rows.push(['رقابت‌های شعبه‌ها', 'Branch-contests', Object.entries(units).map(([key, n]) => `${key} ${n}`).join(', ')]);
    return element('table', {}, ...rows.map(([fa, en, value]) => element('tr', {}, element('th', {}, ...both(fa, en)), element('td', {}, code(value)))));
}

function finding([check, family, places]) {
    const text = TEXTS.get(check);
    const rest = places.length - SHOWN_EACH;
    return element('section', { class: 'finding' }, element('h3', {}, code(`${check} (${family}): ${places.length}`)),
        element('p', {}, ...both(text.fa, text.en)), element('p', {}, ...both(`چاره: ${text.faDo}`, `Do: ${text.enDo}`)),
        element('ul', {}, ...places.slice(0, SHOWN_EACH).map((at) => element('li', {}, code(shown(at))))),
        ...rest > 0 ? [element('p', {}, ...both(`و ${rest} مورد دیگر`, `and ${rest} more`))] : []);
}

const STATUS = {
    waiting: 'در انتظار', partial: 'ناتمام', complete: 'کامل', tied: 'برابر', certified: 'تأییدشده', annulled: 'باطل', withheld: 'منتشرنشده',
};

function contests(list) {
    const row = ({ contest, status, ballots, winners, seats }) => element('tr', {}, element('td', {}, code(contest)), element('td', {}, ...both(STATUS[status], status)),
        element('td', {}, ballots === null ? '–' : String(ballots)), element('td', {}, code(winners.join(' '))), element('td', {}, code(seats.map(([name, n]) => `${name} ${n}`).join(', '))));
    const heads = [['رقابت', 'Contest'], ['وضعیت', 'Status'], ['برگه‌ها', 'Ballots'], ['برگزیدگان', 'Elected'], ['کرسی‌های فهرست‌ها', 'Seats of lists']];
    return element('table', { id: 'contests' }, element('tr', {}, ...heads.map(([fa, en]) => element('th', {}, ...both(fa, en)))), ...list.map(row));
}

function verdict({ verdict: word, log }) {
    const good = word === 'clean';
    const text = good ? both('پاک: هیچ نادرستی یافت نشد', 'Clean: nothing wrong was found') : both('نادرستی‌هایی یافت شد', 'Something is wrong');
    const out = [element('p', { class: good ? 'good' : 'bad', id: 'verdict' }, ...text)];
    if (log?.key === 'archive') {
        out.push(element('p', {}, ...both('کلید دفتر همان است که در بایگانی آمده؛ آن را با نسخهٔ چاپی بسنجید.', 'The log\'s key is the one in the archive: compare it with the printed one.')));
    }
    return out;
}

function download(report) {
    const url = URL.createObjectURL(new Blob([bytesOfByteString(reportLine(report))], { type: 'application/json' }));
    return element('p', {}, element('a', { id: 'json', href: url, download: 'tally-verify.json' }, ...both('گزارش به صورت JSON', 'The report as JSON')));
}

function show(report) {
    $('report').replaceChildren(...verdict(report), download(report), facts(report), ...byCheck(report.findings).map(finding), contests(report.contests));
}

function showUnusable(error) {
    $('report').replaceChildren(element('p', { class: 'bad', id: 'verdict' }, ...both('این ورودی را نمی‌توان سنجید:', error.message)));
}

async function run() {
    $('go').disabled = true;
    $('progress').hidden = false;
    document.body.dataset.state = 'busy';
    try {
        const report = await verify(await given(new Signing(webCrypto)));
        show(report);
        document.body.dataset.state = report.verdict;
    } catch (e) {
        showUnusable(e);
        document.body.dataset.state = 'unusable';
        if (!(e instanceof Unusable)) throw e;
    } finally {
        $('go').disabled = false;
        $('progress').hidden = true;
    }
}

function choose(entry, name) {
    dropped = entry;
    $('chosen').textContent = name;
}

$('drop').addEventListener('dragover', (event) => {
    event.preventDefault();
    $('drop').classList.add('over');
});
$('drop').addEventListener('dragleave', () => $('drop').classList.remove('over'));
$('drop').addEventListener('drop', (event) => {
    event.preventDefault();
    $('drop').classList.remove('over');
    const entry = event.dataTransfer.items[0]?.webkitGetAsEntry() ?? null;
    if (entry !== null) choose(entry, entry.name);
});
for (const id of ['tar', 'folder']) {
    $(id).addEventListener('change', () => {
        $(id === 'tar' ? 'folder' : 'tar').value = '';
        choose(null, '');
    });
}
$('form').addEventListener('submit', (event) => {
    event.preventDefault();
    run();
});
if (!await canVerify()) {
    $('lacking').hidden = false;
    $('go').disabled = true;
    document.body.dataset.state = 'lacking';
} else document.body.dataset.state = 'ready';
