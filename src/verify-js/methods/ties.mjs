// SPDX-License-Identifier: Apache-2.0
// Equals, and the orders (`lot`) that people gave them.

/** Items by a key (BigInt), the largest first, equals together and in the order they came. */
export function groupsBy(items, keyOf) {
    const keyed = items.map((item) => ({ item, key: keyOf(item) }));
    keyed.sort((a, b) => (a.key < b.key ? 1 : a.key > b.key ? -1 : 0));
    const out = [];
    let last = null;
    for (const { item, key } of keyed) {
        if (out.length === 0 || key !== last) out.push([]);
        out[out.length - 1].push(item);
        last = key;
    }
    return out;
}

/** The group in the order that people gave it, by the newest order that has all of it; null: none has. */
export function ordered(group, orders) {
    const order = orders.find((one) => group.every((item) => one.includes(item)));
    return order === undefined ? null : order.filter((item) => group.includes(item));
}

/** Every way to take k of a group. */
export function* subsets(group, k, from = 0) {
    if (k === 0) {
        yield [];
        return;
    }
    for (let i = from; i + k <= group.length; i++) for (const rest of subsets(group, k - 1, i + 1)) yield [group[i], ...rest];
}

/** Ways to take the first k of equals: one, where there is no question. */
export function* firstOf(group, k, orders) {
    if (k >= group.length) {
        yield group;
        return;
    }
    const order = ordered(group, orders);
    if (order === null) yield* subsets(group, k);
    else yield order.slice(0, k);
}
