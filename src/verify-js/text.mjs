// SPDX-License-Identifier: Apache-2.0
// The report for people, in English and in Persian.
import { byteString, bytesOfText } from './bytes.mjs';
import { TEXTS } from './texts.mjs';

const SHOWN_EACH = 20; // places of one check; the JSON has them all

/** Findings by check: [[check, family, [at]]]. */
export function byCheck(findings) {
    const out = [];
    for (const { check, family, at } of findings) {
        if (out.length === 0 || out[out.length - 1][0] !== check) out.push([check, family, []]);
        out[out.length - 1][2].push(at);
    }
    return out;
}

/** Our own words as byte strings: names from the archive are such already. */
const own = (text) => byteString(bytesOfText(text));

function head({ log, checked: c, units: u, election, phase, conflicted }) {
    const out = [];
    if (election !== null) out.push(`election     ${election}, ${phase}`);
    if (log === null) out.push('log          its head cannot be read');
    else {
        out.push(`log          ${log.origin}`, `entries      ${log.size}`, `root         ${log.root}`);
        if (log.key === 'archive') out.push('log\'s key    the one in the archive: compare it with the printed one (--log)');
    }
    out.push(`checked      ${c.entries} entries, ${c.envelopes} envelopes, ${c.withheld} withheld, ${c.receipts} receipts, ${c.since} older heads, ${c.cosignatures} cosignatures`);
    if (u === null) out.push('numbers      none: for them both packages and the head must be good');
    else out.push(`units        ${u.expected} expected, ${u.counted} counted, ${u.held} held, ${u.annulled} annulled, ${u.missing} missing`);
    if (conflicted.length > 0) out.push(`conflicted   ${conflicted.join(' ')}`);
    return out;
}

const contestLine = ({ contest, status, ballots, winners, seats }) =>
    `  ${contest}  ${status}${ballots === null ? '' : `, ${ballots} ballots`}${winners.length === 0 ? '' : `: ${winners.join(' ')}`}` +
    `${seats.length === 0 ? '' : ` (${seats.map(([code, n]) => `${code} ${n}`).join(', ')})`}`;

function findingLines([check, family, places]) {
    const text = TEXTS.get(check);
    const more = places.length > SHOWN_EACH ? [`    and ${places.length - SHOWN_EACH} more (--json has them)`] : [];
    return ['', `${check} (${family}), ${places.length}`, `  ${text.en}`, `  do: ${text.enDo}`, `  ${own(text.fa)}`, `  ${own(text.faDo)}`,
        ...places.slice(0, SHOWN_EACH).map((at) => `    ${at}`), ...more];
}

/** A byte string. */
export function reportText(report) {
    const found = report.findings.length + (report.more ?? 0);
    const lines = [...head(report), ...report.contests.length > 0 ? ['', 'contests', ...report.contests.map(contestLine)] : [],
        ...byCheck(report.findings).flatMap(findingLines), '',
        found === 0 ? 'clean: nothing wrong was found' : `findings: ${found} in all`,
        own(found === 0 ? 'پاک: هیچ نادرستی یافت نشد' : `یافته‌ها: ${found}`)];
    return lines.map((line) => `${line}\n`).join('');
}
