// SPDX-License-Identifier: Apache-2.0
// The report as one line of JSON, a byte string: the same bytes as every other verifier's.

// eslint-disable-next-line no-control-regex
const text = (value) => `"${value.replace(/["\\\u0000-\u001f]/g, (c) =>
    (c === '"' || c === '\\' ? `\\${c}` : `\\u00${c.charCodeAt(0).toString(16).padStart(2, '0')}`))}"`;

/** Of null, strings, numbers, lists and objects in the order of their keys. */
function json(value) {
    if (value === null) return 'null';
    if (typeof value === 'string') return text(value);
    if (Array.isArray(value)) return `[${value.map(json).join(',')}]`;
    if (typeof value === 'object') return `{${Object.entries(value).map(([key, one]) => `${text(key)}:${json(one)}`).join(',')}}`;
    return String(value);
}

export const reportLine = (report) => `${json(report)}\n`;
