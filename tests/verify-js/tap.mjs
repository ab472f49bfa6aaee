// SPDX-License-Identifier: Apache-2.0
// The lines of a test in JavaScript: ok(), is(), and the plan at the end.
let run = 0;
let bad = 0;

export function ok(good, name, why = '') {
    run++;
    if (!good) bad++;
    process.stdout.write(`${good ? 'ok' : 'not ok'} ${run} - ${String(name).replaceAll('\n', ' ')}\n${good || why === '' ? '' : `# ${String(why).replaceAll('\n', '\n# ').slice(0, 3000)}\n`}`);
}

const plain = (value) => JSON.stringify(value, (_, one) => (typeof one === 'bigint' ? `${one}n` : one instanceof Map ? [...one] : one));

export function is(got, want, name) {
    ok(plain(got) === plain(want), name, `got:  ${plain(got)}\nwant: ${plain(want)}`);
}

export const note = (text) => process.stdout.write(`# ${text}\n`);

export function done() {
    process.stdout.write(`1..${run}\n`);
    process.exitCode = bad > 0 ? 1 : 0;
}
