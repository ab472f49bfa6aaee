// SPDX-License-Identifier: Apache-2.0
// Seats of lists and independents for Tehran, Ray and Tajrish (doc/methods.md, "list_ir, How it goes").
//
// Wherever equals compete for fewer places than they are, every way of settling it is followed to the
// end: each step is a generator of the states it may leave.
import { firstOf, groupsBy, ordered, subsets } from './ties.mjs';

const WAYS_MAX = 4096;

class Contest {
    constructor(seats, entities, total, parameters, orders) {
        this.S = BigInt(seats);
        this.seats = seats;
        this.entities = entities;
        this.T = total;
        this.parameters = parameters;
        this.orders = orders;
        this.standing = entities.map((_, e) => e)
            .filter((e) => entities[e].isPool || entities[e].votes * 10000n >= total * BigInt(parameters.threshold_bp));
    }

    votes(e) {
        return this.entities[e].votes;
    }

    remainder(e) {
        return (this.S * this.votes(e)) % this.T;
    }

    /** Step 2. */
    firstRound() {
        const { S, T } = this;
        const n = this.entities.map(() => 0);
        for (const e of this.standing) {
            const exact = this.parameters.first_round === 'floor' ? (S * this.votes(e)) / T : (2n * S * this.votes(e) + T) / (2n * T);
            n[e] = Number(exact < S ? exact : S);
        }
        return n;
    }

    roundedUp(n) {
        return this.standing.filter((e) => BigInt(n[e]) > (this.S * this.votes(e)) / this.T);
    }

    /** Step 3, `lowest_share`: equals have equally many. */
    * takeLowest(n, over) {
        const groups = groupsBy(this.standing.filter((e) => n[e] > 0), (e) => this.votes(e)).reverse();
        for (const group of groups) {
            const each = n[group[0]];
            if (over >= each * group.length) {
                over -= each * group.length;
                n = with_(n, group, () => 0);
                continue;
            }
            if (over > 0) yield* this.takeSome(n, group, over);
            else yield n;
            return;
        }
        yield n;
    }

    /** Some of a group of equals lose all, and one perhaps a part. */
    * takeSome(n, group, over) {
        const all = Math.floor(over / n[group[0]]);
        const part = over % n[group[0]];
        const order = group.length === 1 ? group : ordered(group, this.orders);
        if (order !== null) {
            const losers = [...order].reverse();
            yield with_(with_(n, losers.slice(0, all), () => 0), losers.slice(all, all + 1), (m) => m - part);
            return;
        }
        for (const losers of subsets(group, all)) {
            const less = with_(n, losers, () => 0);
            if (part === 0) yield less;
            else for (const e of group) if (!losers.includes(e)) yield with_(less, [e], (m) => m - part);
        }
    }

    /** Step 3, `smallest_rounded_up_fraction`. */
    * takeSmallest(n, over) {
        for (const group of groupsBy(this.roundedUp(n), (e) => this.remainder(e)).reverse()) {
            if (over < group.length) {
                for (const keep of firstOf(group, group.length - over, this.orders)) {
                    yield with_(n, group.filter((e) => !keep.includes(e)), (m) => m - 1);
                }
                return;
            }
            over -= group.length;
            n = with_(n, group, (m) => m - 1);
        }
        yield* this.takeLowest(n, over);
    }

    * cutToSeats(n) {
        const over = sum(n) - this.seats;
        if (over <= 0) yield n;
        else if (this.parameters.over_rule === 'lowest_share') yield* this.takeLowest(n, over);
        else yield* this.takeSmallest(n, over);
    }

    room(n, e) {
        return n[e] < this.entities[e].room;
    }

    /** One each to groups in their order, round and round; states {n, left, last}: last: who was served last. */
    * roundAndRound(groups, state) {
        for (let g = 0; ; g++) {
            if (state.left === 0) break;
            const group = groups[g % groups.length].filter((e) => this.room(state.n, e));
            if (group.length > state.left) {
                for (const served of firstOf(group, state.left, this.orders)) yield serve(state, served);
                return;
            }
            if (group.length > 0) state = serve(state, group);
            else if (!groups.flat().some((e) => this.room(state.n, e))) break;
        }
        yield state;
    }

    * highestAverage(open, state) {
        for (;;) {
            const able = open.filter((e) => this.room(state.n, e));
            if (state.left === 0 || able.length === 0) break;
            const best = able.reduce((all, e) => {
                if (all.length === 0) return [e];
                const mine = this.votes(e) * BigInt(state.n[all[0]] + 1);
                const theirs = this.votes(all[0]) * BigInt(state.n[e] + 1);
                return mine > theirs ? [e] : mine < theirs ? all : [...all, e];
            }, []);
            if (best.length > state.left) {
                for (const served of firstOf(best, state.left, this.orders)) yield serve(state, served);
                return;
            }
            state = serve(state, best);
        }
        yield state;
    }

    /** Step 5. */
    * giveRemainder(state) {
        const open = this.standing.filter((e) => this.parameters.remainder_pool === 'lists_and_indep' || !this.entities[e].isPool);
        if (open.length === 0 || state.left === 0) yield state;
        else if (this.parameters.remainder === 'highest_average') yield* this.highestAverage(open, state);
        else {
            const key = this.parameters.remainder === 'highest_share' ? (e) => this.votes(e) : (e) => this.remainder(e);
            yield* this.roundAndRound(groupsBy(open, key), state);
        }
    }

    /** The lists by votes; with `continue` from behind whoever was served last. */
    listsFrom(last) {
        const lists = this.standing.filter((e) => !this.entities[e].isPool);
        const groups = groupsBy(lists, (e) => this.votes(e));
        if (this.parameters.cursor === 'restart' || last.length === 0) return groups;
        const least = last.reduce((min, e) => (this.votes(e) < min ? this.votes(e) : min), this.votes(last[0]));
        const where = (test) => groups.map((group) => group.filter(test)).filter((group) => group.length > 0);
        return [...where((e) => this.votes(e) === least && !last.includes(e)), ...where((e) => this.votes(e) < least),
            ...where((e) => this.votes(e) > least), ...where((e) => this.votes(e) === least && last.includes(e))];
    }

    /** Steps 3 to 7: every n that may come out. */
    * ways() {
        for (const first of this.cutToSeats(this.firstRound())) {
            const n = first.map((m, e) => Math.min(m, this.entities[e].room));
            const freed = sum(first) - sum(n);
            for (const given of this.giveRemainder({ n, left: this.seats - sum(first), last: [] })) {
                const groups = this.listsFrom(given.last);
                if (groups.length === 0) yield given.n;
                else for (const end of this.roundAndRound(groups, { ...given, left: freed })) yield end.n;
            }
        }
    }

    /** Nothing is certain: all seats are between these. */
    nothing(among) {
        return { n: this.entities.map(() => 0), tie: { atStake: this.seats, among }, vacancies: 0 };
    }
}

const sum = (n) => n.reduce((a, b) => a + b, 0);
const with_ = (n, places, change) => n.map((m, e) => (places.includes(e) ? change(m) : m));
const serve = ({ n, left }, served) => ({ n: with_(n, served, (m) => m + 1), left: left - served.length, last: served });

/** {n, tie, vacancies}; entities: {votes, room, isPool}; total: T of the page. */
export function listIr(seats, entities, total, parameters, orders) {
    if (total === 0n) return { n: entities.map(() => 0), tie: null, vacancies: seats };
    const contest = new Contest(seats, entities, total, parameters, orders);
    const first = contest.firstRound();
    if (parameters.over_rule === 'halt' && sum(first) > seats) return contest.nothing(contest.standing.filter((e) => first[e] > 0));
    let least = null;
    let most = null;
    let fullest = 0;
    let ways = 0;
    for (const n of contest.ways()) {
        if (++ways > WAYS_MAX) return contest.nothing(contest.standing.filter((e) => entities[e].room > 0));
        least = least === null ? n : least.map((m, e) => Math.min(m, n[e]));
        most = most === null ? n : most.map((m, e) => Math.max(m, n[e]));
        fullest = Math.max(fullest, sum(n));
    }
    const among = entities.map((_, e) => e).filter((e) => least[e] !== most[e]);
    const tie = among.length === 0 ? null : { atStake: fullest - sum(least), among };
    return { n: least, tie, vacancies: seats - fullest };
}
