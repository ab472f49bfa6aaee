// SPDX-License-Identifier: Apache-2.0
// Documents that break a rule of doc/formats.md: which one does not matter to a report.

class Fault extends Error {}

/** A rule that must hold. */
export function must(good) {
    if (!good) throw new Fault();
}

/** What read() gives; null: a rule does not hold. */
export function orNull(read) {
    try {
        return read();
    } catch (e) {
        if (e instanceof Fault) return null;
        throw e;
    }
}
