// SPDX-License-Identifier: Apache-2.0
// A contest as it stands: who is elected, the text whose hash a certificate names, what a report says of it.
import { CAST, FIELDS, VALID } from './checks.mjs';
import { bytesOfText, compareText } from './bytes.mjs';
import { outcomeOf } from './methods/outcome.mjs';

/** Totals taken apart, and the outcome by the contest's rule, with further orders before those decided. */
export function outcomeNow(tally, contest, more = []) {
    const totals = tally.totals(contest);
    const { excluded, orders } = tally.contests.get(contest.code);
    const lists = totals.slice(FIELDS.length, FIELDS.length + contest.lists.length);
    const personal = totals.slice(FIELDS.length + contest.lists.length);
    const all = [...more, ...orders];
    const of = (kind) => all.filter(({ lists: isOfLists }) => isOfLists === kind).map(({ order }) => order);
    const outcome = outcomeOf({
        method: contest.method, parameters: contest.parameters, seats: contest.seats, alternates: contest.alternates,
        lists, persons: contest.candidates.map(({ list }, i) => ({ list: contest.byLists ? list : -1, votes: personal[i] })),
        excluded, orders: { lists: of(true), persons: of(false) }, validBallots: totals[VALID],
    });
    return { totals, lists, personal, outcome };
}

/** Places of codes in byte order. */
const inCodeOrder = (codes) => codes.map((_, i) => i).sort((a, b) => compareText(codes[a], codes[b]));

/** tally/result/v1 of doc/formats.md. */
function resultText(tally, contest, { totals, lists, personal, outcome }) {
    const { definition } = tally;
    const { expected, counted, annulled } = tally.progress(contest.slots);
    const { excluded } = tally.contests.get(contest.code);
    const codes = contest.candidates.map(({ code }) => code);
    // By law a list's votes are its persons', or its own ballots and what was given to its persons.
    const listVotes = contest.lists.map((_, e) => contest.candidates.reduce((sum, { list }, i) => (list === e ? sum + outcome.votes[i] : sum),
        contest.method === 'list_ir' ? 0n : lists[e]));
    const pool = contest.candidates.reduce((sum, { list }, i) => (list < 0 ? sum + outcome.votes[i] : sum), 0n);
    const seats = (e) => outcome.entitySeats?.[e] ?? 0;
    const lines = ['tally/result/v1', `election ${definition.election}`, `contest ${contest.code}`, `branches ${expected} ${counted} ${annulled}`,
        ...FIELDS.map((name, i) => `${name} ${totals[i]}`)];
    for (const e of inCodeOrder(contest.lists)) lines.push(`list ${contest.lists[e]} ${lists[e]} ${listVotes[e]} ${seats(e)}`);
    lines.push(`pool ${pool} ${outcome.hasPool ? seats(contest.lists.length) : 0}`);
    for (const i of inCodeOrder(codes)) lines.push(`${excluded.has(i) ? 'excluded' : 'candidate'} ${codes[i]} ${personal[i]} ${outcome.votes[i]}`);
    lines.push(...outcome.winners.map((i) => codes[i]).sort(compareText).map((code) => `winner ${code}`));
    lines.push(...outcome.alternates.map((i) => `alternate ${codes[i]}`), `vacancies ${outcome.vacancies}`);
    return lines.map((line) => `${line}\n`).join('');
}

export const resultHash = (tally, contest, now, signing) => signing.sha256Hex(bytesOfText(resultText(tally, contest, now)));

function statusOf(tally, contest, progress, outcome) {
    if (progress.withheld > 0) return 'withheld';
    if (progress.counted === 0) {
        if (progress.missing === progress.expected) return 'waiting';
        return progress.annulled === progress.expected ? 'annulled' : 'partial';
    }
    if (progress.counted + progress.annulled < progress.expected) return 'partial';
    if (tally.isCertified(contest.code)) return 'certified';
    return outcome.ties.length > 0 ? 'tied' : 'complete';
}

function seatsShown(contest, outcome) {
    if (outcome.entitySeats === null) return [];
    const out = contest.lists.map((code, e) => [code, outcome.entitySeats[e]]);
    if (outcome.hasPool) out.push(['pool', outcome.entitySeats[contest.lists.length]]);
    return out;
}

/** The contest's object of a report. */
export async function contestShown(tally, contest, signing) {
    const progress = tally.progress(contest.slots);
    const head = { contest: contest.code };
    const { withheld } = progress;
    if (progress.shown === 0) {
        return { ...head, status: statusOf(tally, contest, progress, { ties: [] }), ballots: null, winners: [], alternates: [], seats: [], result: null, withheld };
    }
    const now = outcomeNow(tally, contest);
    const code = (i) => contest.candidates[i].code;
    return {
        ...head,
        status: statusOf(tally, contest, progress, now.outcome),
        ballots: now.totals[CAST],
        winners: now.outcome.winners.map(code),
        alternates: now.outcome.alternates.map(code),
        seats: seatsShown(contest, now.outcome),
        result: withheld > 0 ? null : await resultHash(tally, contest, now, signing),
        withheld,
    };
}
